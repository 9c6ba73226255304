// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a program sees of its own handlers, signal stacks and faults: the same alone
 * and under guard.
 *
 *	guard_signals null|none|heap SCENARIO
 *
 * The fault is at an address near 0, in a page without access, or behind a block of
 * the heap, which is one only under guard.  What is printed does not depend on that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "scenario.h"

extern sighandler_t bsd_signal(int sig, sighandler_t handler);
extern sighandler_t __sysv_signal(int sig, sighandler_t handler);
extern sighandler_t sysv_signal(int sig, sighandler_t handler);

static const char *where;
static volatile char *volatile target;
static char *own_stack;
#define OWN_STACK 65536
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static volatile char *bad_place(void)
{
	char *p;

	if (strcmp(where, "null") == 0)
		return (char *)16;
	if (strcmp(where, "heap") == 0) {
		p = malloc(64);
		memset(p, 1, 64);
		return p + 64;
	}
	return mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

__attribute__((noinline)) static void fault(void)
{
	target = bad_place();
	*target = 1;
}

static void say(const char *text)
{
	MUST(write(STDOUT_FILENO, text, strlen(text)) >= 0);
}

static void say_yes(const char *what, int yes)
{
	char line[100];

	snprintf(line, sizeof(line), "%s %s\n", what, yes ? "yes" : "no");
	say(line);
}

/* ------------------------------------------------------------ handlers -- */

static void say_mask(void)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	say("blocked:");
	for (int sig = 1; sig < 32; sig++)
		if (sigismember(&set, sig) == 1) {
			char text[8];

			snprintf(text, sizeof(text), " %d", sig);
			say(text);
		}
	say("\n");
}

static void say_stack(void)
{
	char here;
	stack_t now;

	MUST(sigaltstack(NULL, &now) == 0);
	say_yes("on own stack",
		own_stack && &here >= own_stack && &here < own_stack + OWN_STACK);
	say_yes("has a stack", !(now.ss_flags & SS_DISABLE));
	say_yes("system says on it", now.ss_flags & SS_ONSTACK);
	say_yes("it is its own", now.ss_sp == own_stack);
}

/* On that of the thread, not far below what was interrupted, unless on its own. */
static void say_distance(const ucontext_t *context)
{
#ifdef __x86_64__
	uintptr_t sp = context->uc_mcontext.gregs[REG_RSP], here = (uintptr_t)&sp;

	say_yes("below what was interrupted", here < sp && sp - here < 20000);
	say_yes("cr2", context->uc_mcontext.gregs[REG_CR2] == (greg_t)target);
	say_yes("page fault", context->uc_mcontext.gregs[REG_TRAPNO] == 14);
	say_yes("write", context->uc_mcontext.gregs[REG_ERR] & 2);
	say_yes("in fault()",
		(uintptr_t)context->uc_mcontext.gregs[REG_RIP] - (uintptr_t)fault < 200);
#else
	(void)context;
#endif
}

static void say_action(int sig)
{
	struct sigaction now;
	char line[100];

	MUST(sigaction(sig, NULL, &now) == 0);
	snprintf(line, sizeof(line), "flags 0x%x default %d ignored %d usr1 %d\n",
		 now.sa_flags & ~0x04000000, now.sa_handler == SIG_DFL,
		 now.sa_handler == SIG_IGN, sigismember(&now.sa_mask, SIGUSR1));
	say(line);
}

static void on_info(int sig, siginfo_t *info, void *context)
{
	char line[100];

	snprintf(line, sizeof(line), "signal %d, from the system %d, errno %d\n", sig,
		 info->si_code > 0, errno);
	say(line);
	say_yes("address", info->si_addr == target);
	say_mask();
	say_stack();
	say_distance(context);
	say_action(sig);
	_exit(7);
}

static sigjmp_buf again;

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(again, 1);
}

static void on_plain(int sig)
{
	char line[100];

	snprintf(line, sizeof(line), "plain, signal %d\n", sig);
	say(line);
	say_mask();
	say_action(sig);
	_exit(8);
}

static void install(int flags)
{
	struct sigaction act = {.sa_sigaction = on_info, .sa_flags = flags | SA_SIGINFO};
	struct sigaction before;

	sigaddset(&act.sa_mask, SIGUSR1);
	MUST(sigaction(SIGSEGV, &act, &before) == 0);
	say_yes("default before", before.sa_handler == SIG_DFL);
	say_action(SIGSEGV);
}

static void have_stack(void)
{
	stack_t own = {.ss_size = OWN_STACK}, before;

	own_stack = mmap(NULL, OWN_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	own.ss_sp = own_stack;
	MUST(sigaltstack(&own, &before) == 0);
	say_yes("none before", before.ss_flags == SS_DISABLE);
}

/* ----------------------------------------------------------- scenarios -- */

static void by_default(void)
{
	fault();
}

static void in_function(void)
{
	install(0);
	errno = EDOM;
	fault();
}

static void undeferred(void)
{
	install(SA_NODEFER);
	errno = EDOM;
	fault();
}

static void for_once(void)
{
	install(SA_RESETHAND);
	errno = EDOM;
	fault();
}

static void on_its_stack(void)
{
	have_stack();
	install(SA_ONSTACK);
	errno = EDOM;
	fault();
}

static void off_its_stack(void)
{
	have_stack();
	install(0);
	errno = EDOM;
	fault();
}

static void asks_for_no_stack(void)
{
	install(SA_ONSTACK);
	errno = EDOM;
	fault();
}

static void gives_stack_up(void)
{
	stack_t none = {.ss_flags = SS_DISABLE}, before;

	have_stack();
	MUST(sigaltstack(&none, &before) == 0 && before.ss_sp == own_stack);
	say_stack();
	install(SA_ONSTACK);
	errno = EDOM;
	fault();
}

static void *thread(void *arg)
{
	((void (*)(void))arg)();
	return NULL;
}

static void in_thread_of(size_t stack, void (*fn)(void))
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	if (stack)
		MUST(pthread_attr_setstacksize(&attr, stack) == 0);
	MUST(pthread_create(&id, &attr, thread, (void *)fn) == 0);
	pthread_join(id, NULL);
}

static void in_thread(void)
{
	in_thread_of(0, on_its_stack);
}

static void in_thread_without_stack(void)
{
	in_thread_of(0, asks_for_no_stack);
}

static void stack_of_a_new_thread(void)
{
	free(malloc(100));
	say_stack();
}

static void stacks_are_not_seen(void)
{
	say_stack();
	in_thread_of(0, stack_of_a_new_thread);
	in_thread_of(0, stack_of_a_new_thread);
}

static void blocked(void)
{
	sigset_t set;

	install(0);
	sigemptyset(&set);
	sigaddset(&set, SIGSEGV);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fault();
}

static void ignored(void)
{
	MUST(signal(SIGSEGV, SIG_IGN) == SIG_DFL);
	kill(getpid(), SIGSEGV);
	say("lives\n");
	fault();
}

/* Programs that are started inherit what is ignored. */
static void inherited(void)
{
	MUST(signal(SIGSEGV, SIG_IGN) == SIG_DFL);
	fflush(stdout);
	execl("/bin/grep", "grep", "SigIgn", "/proc/self/status", (char *)NULL);
}

static void not_inherited(void)
{
	install(0);
	fflush(stdout);
	execl("/bin/grep", "grep", "SigIgn", "/proc/self/status", (char *)NULL);
}

static void forked(void)
{
	int status;

	install(0);
	if (fork() == 0) {
		signal(SIGSEGV, SIG_DFL);
		fault();
	}
	MUST(wait(&status) > 0);
	say_yes("child ended by it", WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	errno = EDOM;
	fault();
}

static void vforked(void)
{
	struct sigaction act = {.sa_handler = SIG_DFL}, seen;

	install(0);
	if (vfork() == 0) {
		if (sigaction(SIGSEGV, &act, &seen) != 0 || seen.sa_sigaction != on_info)
			_exit(1);
		_exit(0);
	}
	say_action(SIGSEGV);
	errno = EDOM;
	fault();
}

static void raised(void)
{
	install(0);
	raise(SIGSEGV);
}

static void twice(void)
{
	struct sigaction act = {.sa_handler = on_jump};
	volatile int n = 0;

	MUST(sigaction(SIGSEGV, &act, NULL) == 0);
	if (sigsetjmp(again, 1) == 0 || n < 3) {
		n++;
		fault();
	}
	say("three times\n");
	say_mask();
}

static void by_signal(void)
{
	MUST(signal(SIGSEGV, on_plain) == SIG_DFL);
	MUST(bsd_signal(SIGSEGV, on_plain) == on_plain);
	fault();
}

static void by_sysv_signal(void)
{
	MUST(sysv_signal(SIGSEGV, on_plain) == SIG_DFL);
	MUST(__sysv_signal(SIGSEGV, on_plain) == on_plain);
	fault();
}

static void by_sigset(void)
{
	MUST(sigset(SIGSEGV, on_plain) == SIG_DFL);
	MUST(sigset(SIGSEGV, SIG_HOLD) == on_plain);
	say_mask();
	MUST(sigset(SIGSEGV, on_plain) == SIG_HOLD);
	fault();
}

static void by_siginterrupt(void)
{
	MUST(signal(SIGSEGV, on_plain) == SIG_DFL);
	say_action(SIGSEGV);
	MUST(siginterrupt(SIGSEGV, 1) == 0);
	say_action(SIGSEGV);
	MUST(signal(SIGSEGV, on_plain) == on_plain);
	say_action(SIGSEGV);
	MUST(siginterrupt(SIGSEGV, 0) == 0);
	say_action(SIGSEGV);
	MUST(siginterrupt(SIGUSR1, 1) == 0);
	say_action(SIGUSR1);
	fault();
}

static void by_sigignore(void)
{
	MUST(sigignore(SIGSEGV) == 0);
	say_action(SIGSEGV);
	fault();
}

static void bad_arguments(void)
{
	MUST(sigaction(0, NULL, NULL) == -1 && errno == EINVAL);
	MUST(sigaction(65, NULL, NULL) == -1 && errno == EINVAL);
	MUST(signal(SIGSEGV, SIG_ERR) == SIG_ERR && errno == EINVAL);
	MUST(signal(SIGKILL, on_plain) == SIG_ERR && errno == EINVAL);
	MUST(sigset(SIGKILL, on_plain) == SIG_ERR && errno == EINVAL);
	MUST(sigaltstack(&(stack_t){.ss_sp = own_stack, .ss_size = 10}, NULL) == -1 &&
	     errno == ENOMEM);
	MUST(sigaltstack(&(stack_t){.ss_flags = 0x77}, NULL) == -1 && errno == EINVAL);
	say_action(SIGSEGV);
}

/* Where only the end of the stack is the bug. */
static volatile char sink;

static int deeper(int n)
{
	volatile char room[1000];

	room[n % 1000] = 1;
	sink = room[n % 1000];
	return deeper(n + 1) + room[5];
}

static void overflow(void)
{
	deeper(0);
}

static void overflow_in_thread(void)
{
	in_thread_of(0, overflow);
}

static void overflow_with_handler(void)
{
	install(SA_ONSTACK | SA_NODEFER);
	overflow();
}

static void on_overflow(int sig)
{
	(void)sig;
	say("the stack is full\n");
	_exit(9);
}

static void overflow_on_its_stack(void)
{
	struct sigaction act = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};

	have_stack();
	MUST(sigaction(SIGSEGV, &act, NULL) == 0);
	overflow();
}

static void on_small_stack(int sig)
{
	(void)sig;
	write(STDOUT_FILENO, "on a small stack\n", 17);
	_exit(7);
}

/* As small as the system lets it be, and a kilobyte for the handler. */
static void small_stack(void)
{
	struct sigaction act = {.sa_handler = on_small_stack, .sa_flags = SA_ONSTACK};
	size_t frame = getauxval(AT_MINSIGSTKSZ);
	stack_t own = {.ss_size = (frame ? frame : MINSIGSTKSZ) + 1024};
	char *room = mmap(NULL, 3 * OWN_STACK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	own.ss_sp = room + OWN_STACK;
	MUST(mprotect(own.ss_sp, OWN_STACK, PROT_READ | PROT_WRITE) == 0);
	MUST(sigaltstack(&own, NULL) == 0);
	MUST(sigaction(SIGSEGV, &act, NULL) == 0);
	write(STDOUT_FILENO, "", 0);
	fault();
}

static void small_stack_in_thread(void)
{
	in_thread_of(0, small_stack);
}

static const struct scenario scenarios[] = {
	SCENARIO(by_default),
	SCENARIO(in_function),
	SCENARIO(undeferred),
	SCENARIO(for_once),
	SCENARIO(on_its_stack),
	SCENARIO(off_its_stack),
	SCENARIO(asks_for_no_stack),
	SCENARIO(gives_stack_up),
	SCENARIO(in_thread),
	SCENARIO(in_thread_without_stack),
	SCENARIO(stacks_are_not_seen),
	SCENARIO(blocked),
	SCENARIO(ignored),
	SCENARIO(inherited),
	SCENARIO(not_inherited),
	SCENARIO(forked),
	SCENARIO(vforked),
	SCENARIO(raised),
	SCENARIO(twice),
	SCENARIO(by_signal),
	SCENARIO(by_sysv_signal),
	SCENARIO(by_sigset),
	SCENARIO(by_siginterrupt),
	SCENARIO(by_sigignore),
	SCENARIO(bad_arguments),
	SCENARIO(overflow),
	SCENARIO(overflow_in_thread),
	SCENARIO(overflow_with_handler),
	SCENARIO(overflow_on_its_stack),
	SCENARIO(small_stack),
	SCENARIO(small_stack_in_thread),
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		for (const struct scenario *s = scenarios; s->name; s++)
			printf("%s\n", s->name);
	if (argc < 3)
		return argc != 2;
	setvbuf(stdout, NULL, _IONBF, 0);
	where = argv[1];
	return scenario_run(scenarios, argv[2]) ? 0 : 2;
}
