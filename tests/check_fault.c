// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first look at SIGSEGV and SIGBUS: it comes before whatever the program
 * installed, and what the program sees and how it ends are as without it.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <check.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_support.h"

CHIC_ALLOC_MANUAL();

/* The signals are the test's. */
__attribute__((visibility("default"))) const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "handle_segv=0:handle_sigbus=0:allocator_may_return_null=1";
}

/* Shared with the children. */
static struct seen {
	unsigned looks, handled;
	int look_signal, signal, code;
	void *look_address, *address;
	void *value;
	int error;
	int answer; /* of those who look */
	bool blocked_own, blocked_usr1, blocked_usr2, on_alternate;
	bool right_ctx;
} * seen;

static char ctx[2];

static int look(void *arg, int sig, void *info, void *context)
{
	const siginfo_t *i = info;

	seen->looks++;
	seen->look_signal = sig;
	seen->look_address = i->si_addr;
	seen->right_ctx = arg == ctx && context;
	errno = EBADF;
	return seen->answer;
}

static void handle(int sig, siginfo_t *info, void *context)
{
	sigset_t blocked;
	stack_t stack;

	(void)context;
	seen->handled++;
	seen->signal = sig;
	seen->error = errno;
	if (info) {
		seen->code = info->si_code;
		seen->address = info->si_addr;
		seen->value = info->si_value.sival_ptr;
	}
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	seen->blocked_own = sigismember(&blocked, sig);
	seen->blocked_usr1 = sigismember(&blocked, SIGUSR1);
	seen->blocked_usr2 = sigismember(&blocked, SIGUSR2);
	sigaltstack(NULL, &stack);
	seen->on_alternate = stack.ss_flags & SS_ONSTACK;
	_exit(7);
}

static void handle_and_return(int sig)
{
	seen->handled++;
	seen->signal = sig;
}

static int *nowhere(void)
{
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void fault(void)
{
	*(volatile int *)nowhere() = 1;
}

static void setup(void)
{
	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	ck_assert_ptr_ne(seen, MAP_FAILED);
}

/* How a child that does this ends. */
static int end_of(void (*what)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		what();
		_exit(0);
	}
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

#define MUST_END_BY(what, sig)                                                                 \
	do {                                                                                   \
		int status_ = end_of(what);                                                    \
		ck_assert_msg(WIFSIGNALED(status_) && WTERMSIG(status_) == (sig), "status %x", \
			      status_);                                                        \
	} while (0)
#define MUST_EXIT(what, code)                                                                  \
	do {                                                                                   \
		int status_ = end_of(what);                                                    \
		ck_assert_msg(WIFEXITED(status_) && WEXITSTATUS(status_) == (code),            \
			      "status %x", status_);                                           \
	} while (0)

static void watch(void)
{
	if (fault_handler(look, ctx) != 0)
		_exit(99);
}

static struct sigaction action(int flags)
{
	struct sigaction a = {.sa_sigaction = handle, .sa_flags = flags};

	sigemptyset(&a.sa_mask);
	sigaddset(&a.sa_mask, SIGUSR1);
	return a;
}

static void install(int sig, int flags, bool before)
{
	struct sigaction a = action(flags);

	if (before) {
		sigaction(sig, &a, NULL);
		watch();
	} else {
		watch();
		if (fault_sigaction(sig, &a, NULL) != 0)
			_exit(98);
	}
}

/* ---------------------------------------------------------- how it ends -- */

static void by_default(void)
{
	watch();
	errno = EDOM;
	fault();
}

START_TEST(the_default_action_follows)
{
	MUST_END_BY(by_default, SIGSEGV);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_int_eq(seen->look_signal, SIGSEGV);
	ck_assert_ptr_nonnull(seen->look_address);
	ck_assert(seen->right_ctx);
}
END_TEST

static void by_kill(void)
{
	watch();
	kill(getpid(), SIGBUS);
	_exit(1);
}

START_TEST(a_signal_that_was_sent_ends_it_too)
{
	MUST_END_BY(by_kill, SIGBUS);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_int_eq(seen->look_signal, SIGBUS);
}
END_TEST

static void in_function_before(void)
{
	install(SIGSEGV, SA_SIGINFO, true);
	errno = EDOM;
	fault();
}

static void in_function_after(void)
{
	install(SIGSEGV, SA_SIGINFO, false);
	errno = EDOM;
	fault();
}

START_TEST(the_programs_function_follows)
{
	MUST_EXIT(_i ? in_function_before : in_function_after, 7);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_uint_eq(seen->handled, 1);
	ck_assert_int_eq(seen->signal, SIGSEGV);
	ck_assert_int_eq(seen->code, SEGV_ACCERR);
	ck_assert_ptr_eq(seen->address, seen->look_address);
	ck_assert_int_eq(seen->error, EDOM);
	ck_assert(seen->blocked_own && seen->blocked_usr1 && !seen->blocked_usr2);
	ck_assert(!seen->on_alternate);
}
END_TEST

static void in_function_undeferred(void)
{
	install(SIGSEGV, SA_SIGINFO | SA_NODEFER, false);
	fault();
}

START_TEST(a_function_that_does_not_block)
{
	MUST_EXIT(in_function_undeferred, 7);
	ck_assert(!seen->blocked_own && seen->blocked_usr1);
}
END_TEST

static char alternate[65536];

static void on_alternate(void)
{
	sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof(alternate)}, NULL);
	install(SIGBUS, SA_SIGINFO | SA_ONSTACK, false);
	raise(SIGBUS);
}

static void not_on_alternate(void)
{
	sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof(alternate)}, NULL);
	install(SIGBUS, SA_SIGINFO, false);
	raise(SIGBUS);
}

START_TEST(the_stack_that_was_asked_for)
{
	MUST_EXIT(on_alternate, 7);
	ck_assert(seen->on_alternate);
	MUST_EXIT(not_on_alternate, 7);
	ck_assert(!seen->on_alternate);
}
END_TEST

static void with_value(void)
{
	install(SIGSEGV, SA_SIGINFO, false);
	sigqueue(getpid(), SIGSEGV, (union sigval){.sival_ptr = ctx + 1});
	_exit(1);
}

START_TEST(what_was_sent_with_it)
{
	MUST_EXIT(with_value, 7);
	ck_assert_int_eq(seen->code, SI_QUEUE);
	ck_assert_ptr_eq(seen->value, ctx + 1);
}
END_TEST

static void once(void)
{
	struct sigaction a = {.sa_handler = handle_and_return, .sa_flags = SA_RESETHAND}, now;

	watch();
	fault_sigaction(SIGSEGV, &a, NULL);
	raise(SIGSEGV);
	fault_sigaction(SIGSEGV, NULL, &now);
	if (now.sa_handler != SIG_DFL)
		_exit(1);
	fault();
}

START_TEST(a_function_for_once)
{
	MUST_END_BY(once, SIGSEGV);
	ck_assert_uint_eq(seen->handled, 1);
	ck_assert_int_eq(seen->signal, SIGSEGV);
	ck_assert_uint_eq(seen->looks, 2);
}
END_TEST

static void ignored(void)
{
	struct sigaction a = {.sa_handler = SIG_IGN}, now;

	watch();
	fault_sigaction(SIGSEGV, &a, NULL);
	/* what programs inherit is what the system has */
	if (sigaction(SIGSEGV, NULL, &now) != 0 || now.sa_handler != SIG_IGN)
		_exit(2);
	kill(getpid(), SIGSEGV);
	seen->handled++;
	fault();
}

START_TEST(what_is_ignored)
{
	MUST_END_BY(ignored, SIGSEGV);
	ck_assert_uint_eq(seen->handled, 1);
	ck_assert_uint_eq(seen->looks, 0);
}
END_TEST

/* --------------------------------------------------------- as another one -- */

static void *beyond_file(void)
{
	FILE *file = tmpfile();

	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
}

static void bus_error(void)
{
	*(volatile int *)beyond_file() = 1;
}

static void bus_as_default(void)
{
	seen->answer = SIGSEGV;
	watch();
	bus_error();
}

static void bus_as_function(void)
{
	seen->answer = SIGSEGV;
	install(SIGSEGV, SA_SIGINFO, false);
	errno = EDOM;
	bus_error();
}

static void bus_as_blocked(void)
{
	sigset_t set;

	seen->answer = SIGSEGV;
	install(SIGSEGV, SA_SIGINFO, false);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	sigprocmask(SIG_BLOCK, &set, NULL);
	bus_error();
}

static void bus_as_ignored(void)
{
	struct sigaction a = {.sa_handler = SIG_IGN};

	seen->answer = SIGSEGV;
	watch();
	fault_sigaction(SIGSEGV, &a, NULL);
	bus_error();
}

START_TEST(a_signal_becomes_another_one)
{
	MUST_END_BY(bus_as_default, SIGSEGV);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_int_eq(seen->look_signal, SIGBUS);
	MUST_EXIT(bus_as_function, 7);
	ck_assert_uint_eq(seen->looks, 2);
	ck_assert_int_eq(seen->signal, SIGSEGV);
	ck_assert_int_eq(seen->code, SEGV_ACCERR);
	ck_assert_ptr_eq(seen->address, seen->look_address);
	ck_assert_int_eq(seen->error, EDOM);
	ck_assert(seen->blocked_own && seen->blocked_usr1 && !seen->blocked_usr2);
	ck_assert_uint_eq(seen->handled, 1);
	MUST_END_BY(bus_as_blocked, SIGSEGV);
	MUST_END_BY(bus_as_ignored, SIGSEGV);
	ck_assert_uint_eq(seen->handled, 1);
}
END_TEST

/* The same instruction works when the handler has repaired it. */
static void *volatile grown;
static FILE *grown_file;

static void grow(int sig)
{
	seen->signal = sig;
	seen->handled++;
	if (ftruncate(fileno(grown_file), 4096) != 0)
		_exit(1);
}

static void bus_repaired(void)
{
	struct sigaction a = {.sa_handler = grow};

	seen->answer = SIGSEGV;
	watch();
	fault_sigaction(SIGSEGV, &a, NULL);
	grown_file = tmpfile();
	grown = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(grown_file), 0);
	*(volatile int *)grown = 1;
	_exit(*(volatile int *)grown == 1 ? 3 : 1);
}

START_TEST(another_one_is_repaired)
{
	MUST_EXIT(bus_repaired, 3);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_uint_eq(seen->handled, 1);
	ck_assert_int_eq(seen->signal, SIGSEGV);
}
END_TEST

/* The access works the second time: a handler that repairs and returns. */
static int *volatile repaired;

static void repair(int sig)
{
	(void)sig;
	seen->handled++;
	mprotect(repaired, 4096, PROT_READ | PROT_WRITE);
}

static void goes_on(void)
{
	struct sigaction a = {.sa_handler = repair};

	watch();
	fault_sigaction(SIGSEGV, &a, NULL);
	repaired = nowhere();
	*(volatile int *)repaired = 1;
	_exit(*repaired == 1 ? 3 : 1);
}

START_TEST(a_program_that_repairs)
{
	MUST_EXIT(goes_on, 3);
	ck_assert_uint_eq(seen->looks, 1);
	ck_assert_uint_eq(seen->handled, 1);
}
END_TEST

/* ------------------------------------------------------ what it is told -- */

START_TEST(questions_are_answered_as_the_program_expects)
{
	struct sigaction was, a = action(SA_SIGINFO | SA_RESETHAND | SA_NODEFER), now, plain;

	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &was), 0);
	ck_assert_int_eq(fault_handler(look, ctx), 0);
	ck_assert_int_eq(fault_sigaction(SIGSEGV, NULL, &now), 0);
	ck_assert_ptr_eq(now.sa_sigaction, was.sa_sigaction);
	ck_assert_int_eq(fault_sigaction(SIGSEGV, &a, &now), 0);
	ck_assert_ptr_eq(now.sa_sigaction, was.sa_sigaction);
	ck_assert_int_eq(fault_sigaction(SIGSEGV, NULL, &now), 0);
	/* the same as where nobody looks */
	ck_assert_int_eq(sigaction(SIGUSR1, &a, NULL), 0);
	ck_assert_int_eq(sigaction(SIGUSR1, NULL, &plain), 0);
	ck_assert_ptr_eq(now.sa_sigaction, handle);
	ck_assert_int_eq(now.sa_flags, plain.sa_flags);
	/* behind the 64 signals there are the C library leaves what it finds */
	ck_assert_mem_eq(&now.sa_mask, &plain.sa_mask, sizeof(uint64_t));
	ck_assert_int_eq(fault_handler(NULL, ctx), 0);
	ck_assert_int_eq(sigaction(SIGSEGV, NULL, &now), 0);
	ck_assert_ptr_eq(now.sa_sigaction, handle);
	ck_assert_int_eq(now.sa_flags, plain.sa_flags);
}
END_TEST

START_TEST(as_before_when_nobody_looks_any_more)
{
	struct sigaction a = action(SA_SIGINFO), now;

	ck_assert_int_eq(sigaction(SIGBUS, &a, NULL), 0);
	ck_assert_int_eq(fault_handler(look, ctx), 0);
	ck_assert_int_eq(fault_handler(look, ctx + 1), 0);
	ck_assert_uint_eq(fault_handlers, 2);
	ck_assert_int_eq(fault_handler(NULL, ctx), 0);
	ck_assert_int_eq(sigaction(SIGBUS, NULL, &now), 0);
	ck_assert_ptr_ne(now.sa_sigaction, handle);
	ck_assert_int_eq(fault_handler(NULL, ctx), -ENOENT);
	ck_assert_int_eq(fault_handler(NULL, ctx + 1), 0);
	ck_assert_uint_eq(fault_handlers, 0);
	ck_assert_int_eq(sigaction(SIGBUS, NULL, &now), 0);
	ck_assert_ptr_eq(now.sa_sigaction, handle);
}
END_TEST

/* In a linked program another handler may have been installed past us. */
START_TEST(a_handler_that_replaced_ours_stays)
{
	struct sigaction a = action(SA_SIGINFO), now;

	ck_assert_int_eq(fault_handler(look, ctx), 0);
	ck_assert_int_eq(sigaction(SIGBUS, &a, NULL), 0);
	ck_assert_int_eq(fault_handler(NULL, ctx), 0);
	ck_assert_int_eq(sigaction(SIGBUS, NULL, &now), 0);
	ck_assert_ptr_eq(now.sa_sigaction, handle);
}
END_TEST

START_TEST(not_more_than_there_is_room_for)
{
	int err = 0;
	int n;

	for (n = 0; !err; n++)
		err = fault_handler(look, ctx);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_int_eq(n, 9);
	ck_assert_uint_eq(fault_handlers, 8);
}
END_TEST

/* ---------------------------------------------------------------- forks -- */

static void in_a_child(void)
{
	pid_t pid;
	int status;

	install(SIGSEGV, SA_SIGINFO, false);
	pid = fork();
	if (pid == 0) {
		fault_postfork_child();
		struct sigaction a = {.sa_handler = SIG_DFL};

		fault_sigaction(SIGSEGV, &a, NULL);
		fault();
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) || seen->looks != 1 || seen->handled)
		_exit(1);
	fault();
}

START_TEST(a_child_has_its_own)
{
	MUST_EXIT(in_a_child, 7);
	ck_assert_uint_eq(seen->looks, 2);
}
END_TEST

/* It has its parent's memory, but handlers of its own. */
static void in_a_vfork_child(void)
{
	static struct sigaction a = {.sa_handler = SIG_DFL};
	pid_t pid;

	install(SIGSEGV, SA_SIGINFO, false);
	pid = vfork();
	if (pid == 0) {
		fault_sigaction(SIGSEGV, &a, NULL);
		_exit(0);
	}
	fault();
}

START_TEST(a_vfork_child_takes_nothing_from_its_parent)
{
	MUST_EXIT(in_a_vfork_child, 7);
	ck_assert_uint_eq(seen->looks, 1);
}
END_TEST

static Suite *fault_suite(void)
{
	Suite *suite = suite_create("fault");
	TCase *tc = tcase_create("ends");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_test(tc, the_default_action_follows);
	tcase_add_test(tc, a_signal_that_was_sent_ends_it_too);
	tcase_add_loop_test(tc, the_programs_function_follows, 0, 2);
	tcase_add_test(tc, a_function_that_does_not_block);
	tcase_add_test(tc, the_stack_that_was_asked_for);
	tcase_add_test(tc, what_was_sent_with_it);
	tcase_add_test(tc, a_function_for_once);
	tcase_add_test(tc, what_is_ignored);
	tcase_add_test(tc, a_signal_becomes_another_one);
	tcase_add_test(tc, another_one_is_repaired);
	tcase_add_test(tc, a_program_that_repairs);
	tcase_add_test(tc, a_child_has_its_own);
	tcase_add_test(tc, a_vfork_child_takes_nothing_from_its_parent);
	suite_add_tcase(suite, tc);
	tc = tcase_create("answers");
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, questions_are_answered_as_the_program_expects);
	tcase_add_test(tc, as_before_when_nobody_looks_any_more);
	tcase_add_test(tc, a_handler_that_replaced_ours_stays);
	tcase_add_test(tc, not_more_than_there_is_room_for);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(fault_suite)
