// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first look at SIGSEGV and SIGBUS, for modules that ask for it.
 *
 * While one does, our function stands in the system's place of the program's, with
 * the program's mask and flags, so that the program's runs afterwards as it would
 * have: on the same stack, with the same signals blocked, told the same.  What the
 * program thinks is installed is kept here, for those who interpose sigaction()
 * (preload_signal.c); where nobody does, a handler that the program installs later
 * replaces ours.
 *
 * After the default action nothing follows, so that it is put in place and the
 * signal sent once more, as it came: core file and exit status are the program's.
 * The same way a signal becomes another one, for which the program has another
 * action: it comes when this handler has been left, at the same instruction.
 *
 * A program that ignores the signal has nobody look, because programs that it starts
 * inherit that, and would not inherit a function of ours.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define HANDLERS_MAX 8
/* What the system's own flag is called by no header: it knows the way back. */
#define FLAG_RESTORER 0x04000000

/* The program's action, in parts that can be read while they are written. */
struct action {
	atomic_uint version; /* odd while it is being written */
	_Atomic uintptr_t handler;
	atomic_int flags;
	_Atomic uint64_t mask;
};

struct copied {
	uintptr_t handler;
	int flags;
	uint64_t mask;
};

/* The C library's, under a name that nobody interposes. */
extern int libc_sigaction(int sig, const struct sigaction *act,
			  struct sigaction *old) __asm__("__sigaction")
	__attribute__((visibility("default")));

int (*fault_next_sigaction)(int sig, const struct sigaction *act,
			    struct sigaction *old) = libc_sigaction;
atomic_uint fault_handlers;

static const int signals[] = {SIGSEGV, SIGBUS};
static struct action actions[ARRAY_SIZE(signals)];
static struct {
	_Atomic(chic_fault_fn) fn;
	void *_Atomic ctx;
} handlers[HANDLERS_MAX];
static atomic_flag writing = ATOMIC_FLAG_INIT;
static pid_t pid; /* whose actions these are: not those of a vfork child */
/* The address of an access whose signal comes once more, as another one; else 0. */
static __thread uintptr_t looked_at __attribute__((tls_model("initial-exec")));

static struct action *action_of(int sig)
{
	return &actions[sig == SIGBUS];
}

/* ------------------------------------------------------------ one action -- */

static uint64_t mask_pack(const sigset_t *set)
{
	uint64_t mask;

	memcpy(&mask, set, sizeof(mask));
	return mask;
}

static void action_write(int sig, const struct sigaction *from)
{
	struct action *a = action_of(sig);

	atomic_fetch_add(&a->version, 1);
	atomic_store(&a->handler, (uintptr_t)from->sa_handler);
	atomic_store(&a->flags, from->sa_flags & ~FLAG_RESTORER);
	atomic_store(&a->mask, mask_pack(&from->sa_mask));
	atomic_fetch_add(&a->version, 1);
}

static struct copied action_read(int sig)
{
	const struct action *a = action_of(sig);
	struct copied copy;
	unsigned version;

	do {
		version = atomic_load(&a->version);
		copy.handler = atomic_load(&a->handler);
		copy.flags = atomic_load(&a->flags);
		copy.mask = atomic_load(&a->mask);
	} while (version % 2 || version != atomic_load(&a->version));
	return copy;
}

static uint64_t lock_actions(void)
{
	const uint64_t all = ~(uint64_t)0;
	uint64_t before = 0;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	while (atomic_flag_test_and_set(&writing))
		;
	return before;
}

static void unlock_actions(uint64_t before)
{
	atomic_flag_clear(&writing);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
}

/* --------------------------------------------------------- a signal came -- */

static void entry(int sig, siginfo_t *info, void *context);

static bool has_function(uintptr_t handler)
{
	return handler != (uintptr_t)SIG_DFL && handler != (uintptr_t)SIG_IGN;
}

/* What the system is told for an action of the program's. */
static int put_in_place(int sig, const struct sigaction *program)
{
	struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

	if (program->sa_handler == SIG_IGN)
		return fault_next_sigaction(sig, program, NULL);
	sigemptyset(&ours.sa_mask);
	if (has_function((uintptr_t)program->sa_handler)) {
		ours = *program;
		ours.sa_flags = (program->sa_flags & ~SA_RESETHAND) | SA_SIGINFO;
	}
	ours.sa_sigaction = entry;
	return fault_next_sigaction(sig, &ours, NULL);
}

/*
 * Comes when this handler is left and has the mask of what was interrupted, at the
 * same instruction; what faulted would else fault again.
 */
static void send_again(int sig, siginfo_t *info)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), sig, info);
}

static void take_default(int sig, siginfo_t *info, ucontext_t *context)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	sigemptyset(&action.sa_mask);
	fault_next_sigaction(sig, &action, NULL);
	sigdelset(&context->uc_sigmask, sig);
	send_again(sig, info);
}

/* As the system does it: flags and mask stay, and can be asked for. */
static void forget_function(int sig)
{
	const struct sigaction none = {.sa_handler = SIG_DFL};
	uint64_t mask = lock_actions();

	atomic_store(&action_of(sig)->handler, (uintptr_t)SIG_DFL);
	put_in_place(sig, &none);
	unlock_actions(mask);
}

static void pass_on(int sig, siginfo_t *info, ucontext_t *context)
{
	struct copied program = action_read(sig);

	/* ignored only now, and not by a fault, which cannot be ignored */
	if (program.handler == (uintptr_t)SIG_IGN && info->si_code <= 0)
		return;
	if (!has_function(program.handler)) {
		take_default(sig, info, context);
		return;
	}
	if (program.flags & SA_RESETHAND)
		forget_function(sig);
	if (!fault_call((fault_function)program.handler, sig, info, context))
		take_default(sig, info, context);
}

/* The program's, also where it has replaced ours, which nobody told us. */
static uintptr_t handler_now(int sig)
{
	struct sigaction now;

	if (fault_next_sigaction(sig, NULL, &now) == 0 && now.sa_sigaction != entry)
		return (uintptr_t)now.sa_handler;
	return action_read(sig).handler;
}

/*
 * As the system raises it for a bad access: whoever blocks or ignores it has the
 * default action.
 */
static void pass_on_as(int sig, const siginfo_t *from, ucontext_t *context)
{
	siginfo_t info = *from;

	info.si_signo = sig;
	info.si_code = sig == SIGSEGV ? SEGV_ACCERR : BUS_ADRERR;
	if (!has_function(handler_now(sig)) || sigismember(&context->uc_sigmask, sig) == 1) {
		take_default(sig, &info, context);
		return;
	}
	looked_at = (uintptr_t)info.si_addr;
	send_again(sig, &info);
}

/* The signal that the program is to see, or CHIC_FAULT_MENDED. */
static int look(int sig, siginfo_t *info, void *context)
{
	int as = 0;

	for (size_t i = 0; i < HANDLERS_MAX; i++) {
		chic_fault_fn fn = atomic_load_explicit(&handlers[i].fn, memory_order_acquire);

		if (fn && !as)
			as = fn(handlers[i].ctx, sig, info, context);
	}
	return as == SIGSEGV || as == SIGBUS || as == CHIC_FAULT_MENDED ? as : sig;
}

static bool was_looked_at(const siginfo_t *info)
{
	bool was = looked_at && looked_at == (uintptr_t)info->si_addr;

	looked_at = 0;
	return was;
}

static void entry(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	int as = was_looked_at(info) ? sig : fault_look(look, sig, info, context);

	errno = saved;
	if (as == sig)
		pass_on(sig, info, context);
	else if (as != CHIC_FAULT_MENDED)
		pass_on_as(as, info, context);
}

/* ----------------------------------------------- what the program installs -- */

/* The system's answer has what only it knows, and is about ours for the rest. */
static int answer_with_programs(int sig, struct sigaction *old)
{
	struct copied program = action_read(sig);

	if (fault_next_sigaction(sig, NULL, old) != 0)
		return -1;
	old->sa_handler = (void (*)(int))program.handler;
	old->sa_flags = program.flags | (old->sa_flags & FLAG_RESTORER);
	sigemptyset(&old->sa_mask);
	memcpy(&old->sa_mask, &program.mask, sizeof(program.mask));
	return 0;
}

/* A child of vfork has handlers of its own, and the memory of its parent. */
static int sigaction_of_another(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction before, programs;

	if (fault_next_sigaction(sig, NULL, &before) != 0 ||
	    (before.sa_sigaction == entry && answer_with_programs(sig, &programs) != 0) ||
	    (act && fault_next_sigaction(sig, act, NULL) != 0))
		return -1;
	if (old)
		*old = before.sa_sigaction == entry ? programs : before;
	return 0;
}

int fault_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction wanted, before;
	uint64_t mask;
	int err;

	if (getpid() != pid)
		return sigaction_of_another(sig, act, old);
	if (act)
		wanted = *act;
	mask = lock_actions();
	err = answer_with_programs(sig, &before);
	if (!err && act)
		err = put_in_place(sig, &wanted);
	if (!err && act)
		action_write(sig, &wanted);
	unlock_actions(mask);
	if (!err && old)
		*old = before;
	return err;
}

/* ----------------------------------------------------- what modules ask for -- */

static int begin(int sig)
{
	struct sigaction before;

	if (fault_next_sigaction(sig, NULL, &before) != 0)
		return -errno;
	action_write(sig, &before);
	return put_in_place(sig, &before) == 0 ? 0 : -errno;
}

/* Not where the program replaced ours, which nobody told us. */
static void end(int sig)
{
	struct copied program = action_read(sig);
	struct sigaction now;

	if (fault_next_sigaction(sig, NULL, &now) != 0 || now.sa_sigaction != entry)
		return;
	now.sa_handler = (void (*)(int))program.handler;
	now.sa_flags = program.flags;
	sigemptyset(&now.sa_mask);
	memcpy(&now.sa_mask, &program.mask, sizeof(program.mask));
	fault_next_sigaction(sig, &now, NULL);
}

static int add(chic_fault_fn fn, void *ctx)
{
	int err = 0;

	for (size_t i = 0; i < HANDLERS_MAX; i++) {
		if (atomic_load(&handlers[i].fn))
			continue;
		pid = getpid();
		for (size_t k = 0; k < ARRAY_SIZE(signals) && !err && !fault_handlers; k++)
			err = begin(signals[k]);
		if (err)
			return err;
		atomic_store(&handlers[i].ctx, ctx);
		atomic_store(&handlers[i].fn, fn);
		atomic_fetch_add(&fault_handlers, 1);
		fault_stack_begin(thread_self);
		return 0;
	}
	return -ENOSPC;
}

static int take_away(void *ctx)
{
	for (size_t i = 0; i < HANDLERS_MAX; i++) {
		if (!atomic_load(&handlers[i].fn) || atomic_load(&handlers[i].ctx) != ctx)
			continue;
		atomic_store(&handlers[i].fn, NULL);
		if (atomic_fetch_sub(&fault_handlers, 1) == 1)
			for (size_t k = 0; k < ARRAY_SIZE(signals); k++)
				end(signals[k]);
		return 0;
	}
	return -ENOENT;
}

int fault_handler(chic_fault_fn fn, void *ctx)
{
	return fn ? add(fn, ctx) : take_away(ctx);
}

/* The only thread now; another may have been writing. */
void fault_postfork_child(void)
{
	if (!fault_handlers)
		return;
	pid = getpid();
	atomic_flag_clear(&writing);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		atomic_store(&actions[i].version, 0);
}
