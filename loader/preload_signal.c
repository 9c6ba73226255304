// SPDX-License-Identifier: BSD-2-Clause
/*
 * Handlers that a program installs for SIGSEGV and SIGBUS come after that of a
 * module which looks at them first (fault.c), whoever was there before.
 *
 * Without such a module, and for all other signals, each function is the C
 * library's.  What goes to the system directly, as Go's runtime does, is not seen.
 */
#include "preload.h"

#include <dlfcn.h>
#include <signal.h>

#ifdef __GLIBC__

/* What headers do not declare with all settings; the first three are one in glibc. */
CHIC_EXPORT sighandler_t bsd_signal(int sig, sighandler_t handler);
CHIC_EXPORT sighandler_t __sysv_signal(int sig, sighandler_t handler);
CHIC_EXPORT sighandler_t sysv_signal(int sig, sighandler_t handler);
extern sighandler_t ssignal(int sig, sighandler_t handler);

typedef int (*sigaction_fn)(int sig, const struct sigaction *act, struct sigaction *old);
typedef sighandler_t (*signal_fn)(int sig, sighandler_t handler);

static signal_fn next_signal = ssignal;

static bool is_watched(int sig)
{
	return unlikely(atomic_load_explicit(&fault_handlers, memory_order_relaxed)) &&
	       (sig == SIGSEGV || sig == SIGBUS);
}

/* Behind us may be another library that interposes: JVMs have one. */
void preload_signal_start(void)
{
	sigaction_fn next = (sigaction_fn)dlsym(RTLD_NEXT, "sigaction");

	fault_stacks_hidden = true;
	if (!next || next == fault_next_sigaction)
		return;
	fault_next_sigaction = next;
	next_signal = (signal_fn)dlsym(RTLD_NEXT, "signal");
}

CHIC_EXPORT int sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	if (is_watched(sig))
		return fault_sigaction(sig, act, old);
	return fault_next_sigaction(sig, act, old);
}

CHIC_EXPORT int sigaltstack(const stack_t *stack, stack_t *old)
{
	return fault_sigaltstack(stack, old);
}

/* As signal() and its kin do it, by sigaction(). */
static sighandler_t install(int sig, sighandler_t handler, int flags, bool mask_own)
{
	struct sigaction act = {.sa_handler = handler, .sa_flags = flags}, old;

	if (handler == SIG_ERR) {
		errno = EINVAL;
		return SIG_ERR;
	}
	sigemptyset(&act.sa_mask);
	if (mask_own && sigaddset(&act.sa_mask, sig) != 0)
		return SIG_ERR;
	return sigaction(sig, &act, &old) == 0 ? old.sa_handler : SIG_ERR;
}

/* What siginterrupt() said of the watched ones: signal() asks. */
static atomic_bool interrupts[2];

static int restart_flag(int sig)
{
	return interrupts[sig == SIGBUS] ? 0 : SA_RESTART;
}

CHIC_EXPORT sighandler_t signal(int sig, sighandler_t handler)
{
	return is_watched(sig) ? install(sig, handler, restart_flag(sig), true)
			       : next_signal(sig, handler);
}

/* No function that a signal handler may call: it can wait for the dynamic linker. */
CHIC_EXPORT int siginterrupt(int sig, int interrupt)
{
	struct sigaction act;

	if (!is_watched(sig)) {
		int (*next)(int, int) = (int (*)(int, int))dlsym(RTLD_NEXT, "siginterrupt");

		return next(sig, interrupt);
	}
	if (sigaction(sig, NULL, &act) != 0)
		return -1;
	interrupts[sig == SIGBUS] = interrupt != 0;
	act.sa_flags = interrupt ? act.sa_flags & ~SA_RESTART : act.sa_flags | SA_RESTART;
	return sigaction(sig, &act, NULL);
}

sighandler_t bsd_signal(int sig, sighandler_t handler)
{
	return signal(sig, handler);
}

sighandler_t __sysv_signal(int sig, sighandler_t handler)
{
	return install(sig, handler, SA_RESETHAND | SA_NODEFER, false);
}

sighandler_t sysv_signal(int sig, sighandler_t handler)
{
	return __sysv_signal(sig, handler);
}

/* System V's: SIG_HOLD blocks, everything else unblocks. */
CHIC_EXPORT sighandler_t sigset(int sig, sighandler_t handler)
{
	struct sigaction now;
	sighandler_t before;
	sigset_t set, old;

	sigemptyset(&set);
	if (handler == SIG_ERR || sigaddset(&set, sig) != 0) {
		errno = EINVAL;
		return SIG_ERR;
	}
	if (handler == SIG_HOLD)
		before = sigaction(sig, NULL, &now) == 0 ? now.sa_handler : SIG_ERR;
	else
		before = install(sig, handler, 0, false);
	if (before == SIG_ERR ||
	    sigprocmask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &set, &old) != 0)
		return SIG_ERR;
	return sigismember(&old, sig) == 1 ? SIG_HOLD : before;
}

CHIC_EXPORT int sigignore(int sig)
{
	struct sigaction act = {.sa_handler = SIG_IGN};

	return sigaction(sig, &act, NULL);
}

#else

void preload_signal_start(void)
{
}

#endif
