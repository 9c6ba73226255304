// SPDX-License-Identifier: BSD-2-Clause
/*
 * A stack for the first look at a fault, where the thread's own has no room.
 *
 * While modules look, a thread gets a stack of ours with its first request, which is its
 * alternate signal stack if it has none of its own.  The program does not know of it: who
 * interposes sigaltstack() answers as if there were none, and where it has a handler that
 * asks for an alternate stack, that handler runs on the thread's stack nevertheless.
 * Where nobody interposes it, no stacks are given.
 *
 * Where the signal came on another stack, the program's own, which may be as small as the
 * system allows, modules look on ours.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Beside what the system puts on it, of which newer processors need much. */
#define ROOM ((size_t)64 * 1024)
#define PAGE_MOST ((size_t)64 * 1024)
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
/* What functions may use below the stack pointer. */
#define RED_ZONE 128

bool fault_stacks_hidden;

static size_t stack_size(void)
{
	return (ROOM + getauxval(AT_MINSIGSTKSZ) + PAGE_MOST - 1) & ~(PAGE_MOST - 1);
}

/* With a page below that cannot be accessed. */
static char *stack_new(void)
{
	size_t size = stack_size(), page = getauxval(AT_PAGESZ);
	char *p = mmap(NULL, page + size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	if (mprotect(p + page, size, PROT_READ | PROT_WRITE) == 0)
		return p + page;
	munmap(p, page + size);
	return NULL;
}

static int system_sigaltstack(const stack_t *new, stack_t *old)
{
	return (int)syscall(SYS_sigaltstack, new, old);
}

static stack_t stack_of(const struct thread *t)
{
	return (stack_t){.ss_sp = t->fault_stack, .ss_size = stack_size()};
}

void fault_stack_begin(struct thread *t)
{
	stack_t now, ours;

	if (!t || !fault_stacks_hidden || system_sigaltstack(NULL, &now) != 0)
		return;
	if (!t->fault_stack)
		t->fault_stack = stack_new();
	if (!t->fault_stack || !(now.ss_flags & SS_DISABLE))
		return;
	ours = stack_of(t);
	system_sigaltstack(&ours, NULL);
}

/* Another thread may get it. */
void fault_stack_end(struct thread *t)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	stack_t now;

	if (!t->fault_stack || system_sigaltstack(NULL, &now) != 0 ||
	    now.ss_sp != t->fault_stack)
		return;
	/* a thread that ends in a handler on it leaves it lying */
	if (system_sigaltstack(&none, NULL) != 0)
		t->fault_stack = NULL;
}

int fault_sigaltstack(const stack_t *new, stack_t *old)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	const struct thread *t = thread_self;
	stack_t wanted, before, ours;

	if (!t || !t->fault_stack)
		return system_sigaltstack(new, old);
	ours = stack_of(t);
	if (new)
		wanted = new->ss_flags &SS_DISABLE ? ours : *new;
	if (system_sigaltstack(new ? &wanted : NULL, &before) != 0)
		return -1;
	if (old)
		*old = before.ss_sp == ours.ss_sp ? none : before;
	return 0;
}

static bool is_on_ours(const void *p)
{
	const struct thread *t = thread_self;

	return t && t->fault_stack && (uintptr_t)p - (uintptr_t)t->fault_stack < stack_size();
}

#if defined(__x86_64__) && defined(__LP64__)

/* A system call that writes there: the thread's stack grows by it, as by a signal. */
static bool is_writable(uintptr_t at)
{
	return syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, at & ~(uintptr_t)7,
		       sizeof(uint64_t)) == 0;
}

static bool stack_below(const ucontext_t *context, uintptr_t *sp)
{
	size_t frame = getauxval(AT_MINSIGSTKSZ);

	*sp = (context->uc_mcontext.gregs[REG_RSP] - RED_ZONE) & ~(uintptr_t)15;
	return is_writable(*sp - 8) && is_writable(*sp - (frame ? frame : MINSIGSTKSZ));
}

/* Answers what fn does, if that is a number. */
static __attribute__((noinline)) int call_on(uintptr_t sp, uintptr_t fn, int sig,
					     siginfo_t *info, void *context)
{
	/* asks for a frame pointer, by which the caller is found from fn */
	void *volatile frame = __builtin_frame_address(0);
	int answer;

	(void)frame;
	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "movq %[sp], %%rsp\n\t"
			 "callq *%[fn]\n\t"
			 "movq %%rbx, %%rsp"
			 : "+D"(sig), "+S"(info), "+d"(context), [sp] "+r"(sp), [fn] "+r"(fn),
			   "=a"(answer)
			 :
			 : "rbx", "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2",
			   "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
			   "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
	return answer;
}

bool fault_call(fault_function fn, int sig, siginfo_t *info, ucontext_t *context)
{
	uintptr_t sp;

	if (!is_on_ours(&sp)) {
		fn(sig, info, context);
		return true;
	}
	if (!stack_below(context, &sp))
		return false;
	call_on(sp, (uintptr_t)fn, sig, info, context);
	return true;
}

/*
 * With all signals blocked: the system would begin the program's alternate stack anew
 * for one that comes on ours.
 */
int fault_look(fault_looker look, int sig, siginfo_t *info, void *context)
{
	const uint64_t all = ~(uint64_t)0;
	struct thread *t = thread_self;
	uint64_t before = 0;
	int as;

	if (!t || !t->fault_stack || is_on_ours(&before))
		return look(sig, info, context);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof(all));
	as = call_on((uintptr_t)t->fault_stack + stack_size(), (uintptr_t)look, sig, info,
		     context);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof(before));
	return as;
}

#else

/* Other machines' programs get our stack: large, and not the one they expect. */
bool fault_call(fault_function fn, int sig, siginfo_t *info, ucontext_t *context)
{
	(void)is_on_ours;
	fn(sig, info, context);
	return true;
}

int fault_look(fault_looker look, int sig, siginfo_t *info, void *context)
{
	return look(sig, info, context);
}

#endif
