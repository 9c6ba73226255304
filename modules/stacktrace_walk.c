// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces by .eh_frame (x86-64), a few nanoseconds a frame.  Programs are built
 * without frame pointers, so that these tell nothing.
 *
 * Each word of the stack is read only after its page was found to be readable,
 * which is remembered per thread; so a stack that was written over, unwind tables
 * that lie, and stacks that a program made itself end a trace, and not the program.
 */
#include <stdbool.h>
#include <ucontext.h>

#include "stacktrace_internal.h"

#define PAGE ((uintptr_t)4096)
/* More than any function has between two calls. */
#define FRAME_MAX ((uintptr_t)64 << 20)

struct registers {
	uintptr_t pc, sp, fp;
};

/*
 * The stack's readable part: the first page's address, and in the low bits the
 * number of pages.  One word, because a signal handler may come in between.
 */
static __thread _Atomic uintptr_t readable __attribute__((tls_model("initial-exec")));

static bool page_known(uintptr_t at)
{
	uintptr_t known = atomic_load_explicit(&readable, memory_order_relaxed);

	return at - (known & -PAGE) < (known & (PAGE - 1)) * PAGE;
}

static __attribute__((noinline)) bool page_ask(uintptr_t at)
{
	uintptr_t known = atomic_load_explicit(&readable, memory_order_relaxed);
	uintptr_t first = known & -PAGE, n = known & (PAGE - 1);

	at &= -PAGE;
	if (!stacktrace_readable((const void *)at, 1))
		return false;
	if (n && n < PAGE - 1 && at == first + n * PAGE)
		known = first | (n + 1);
	else if (n && n < PAGE - 1 && at + PAGE == first)
		known = at | (n + 1);
	else
		known = at | 1;
	atomic_store_explicit(&readable, known, memory_order_relaxed);
	return true;
}

/* A stack is no object that a sanitizer knows. */
static __attribute__((no_sanitize("address"))) bool word_at(uintptr_t at, uintptr_t *out)
{
	if (at % sizeof(*out) != 0 || (!page_known(at) && !page_ask(at)))
		return false;
	*out = *(const volatile uintptr_t *)at;
	return true;
}

/* Another stack than before, perhaps where one was that is gone. */
static void forget_other_stack(uintptr_t sp)
{
	if (!page_known(sp))
		atomic_store_explicit(&readable, 0, memory_order_relaxed);
}

/* ------------------------------------------------------------- a frame -- */

static bool frame_end(const struct registers *r, struct frame_rule rule, uintptr_t pc,
		      uintptr_t *end)
{
	switch (rule.kind) {
	case FRAME_SP:
		*end = r->sp + rule.offset;
		return true;
	case FRAME_FP:
		*end = r->fp + rule.offset;
		return true;
	case FRAME_FP_INDIRECT:
		return word_at(r->fp + rule.offset, end);
	case FRAME_PLT:
		*end = r->sp + rule.offset + ((pc & 15) >= 11 ? 8 : 0);
		return true;
	default:
		return false;
	}
}

static bool caller_fp(struct registers *r, struct frame_rule rule, uintptr_t end)
{
	if (rule.flags & FRAME_SAVES_FP)
		return word_at(end + rule.fp_offset, &r->fp);
	if (rule.flags & FRAME_SAVES_FP_AT_FP)
		return word_at(r->fp + rule.fp_offset, &r->fp);
	return true;
}

static bool step(struct registers *r, struct frame_rule rule, uintptr_t pc)
{
	uintptr_t end;

	if (!frame_end(r, rule, pc, &end) || end <= r->sp || end - r->sp > FRAME_MAX)
		return false;
	if (!word_at(end - sizeof(end), &r->pc) || !caller_fp(r, rule, end))
		return false;
	r->sp = end;
	return true;
}

static bool step_signal(struct registers *r)
{
	const ucontext_t *context = (const ucontext_t *)r->sp;
	const greg_t *regs = context->uc_mcontext.gregs;

	return word_at((uintptr_t)&regs[REG_RIP], &r->pc) &&
	       word_at((uintptr_t)&regs[REG_RBP], &r->fp) &&
	       word_at((uintptr_t)&regs[REG_RSP], &r->sp);
}

/*
 * exact: r->pc is an instruction, not what a call returns to.  Addresses are noted
 * as if all were of the second kind, one behind the instruction.
 */
static size_t walk(struct registers *r, bool exact, bool skip_ours, uintptr_t *pcs, size_t max)
{
	size_t n = 0;

	while (n < max && r->pc) {
		uintptr_t pc = r->pc - !exact;
		struct frame_rule rule = stacktrace_frame_rule(pc);

		skip_ours = skip_ours && (rule.flags & FRAME_OURS);
		if (!skip_ours)
			pcs[n++] = pc + 1;
		exact = rule.kind == FRAME_SIGNAL;
		if (exact ? !step_signal(r) : !step(r, rule, pc))
			break;
	}
	return n;
}

/* ---------------------------------------------------------- interface -- */

__attribute__((noinline)) size_t stacktrace_capture(uintptr_t *pcs, size_t max)
{
	/* this function's own frame has a frame pointer, because it is asked for */
	uintptr_t *frame = __builtin_frame_address(0);
	struct registers r = {
		.pc = (uintptr_t)__builtin_return_address(0),
		.sp = (uintptr_t)(frame + 2),
		.fp = frame[0],
	};

	forget_other_stack(r.sp);
	return walk(&r, false, true, pcs, max);
}

/* A call to where no code is leaves the caller's address on top of the stack. */
static size_t after_wild_call(struct registers *r, uintptr_t *pcs, size_t max)
{
	pcs[0] = r->pc + 1;
	if (!word_at(r->sp, &r->pc))
		return 1;
	r->sp += sizeof(r->pc);
	return 1 + walk(r, false, false, pcs + 1, max - 1);
}

size_t stacktrace_capture_context(uintptr_t *pcs, size_t max, const void *context)
{
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
	struct registers r = {
		.pc = regs[REG_RIP],
		.sp = regs[REG_RSP],
		.fp = regs[REG_RBP],
	};
	struct stacktrace_object object;

	if (!max)
		return 0;
	forget_other_stack(r.sp);
	if (!stacktrace_object_find(r.pc, &object))
		return after_wild_call(&r, pcs, max);
	return walk(&r, true, false, pcs, max);
}
