// SPDX-License-Identifier: BSD-2-Clause
/*
 * Traces by the compiler's own unwinder, for machines that stacktrace_walk.c does
 * not know: about 90 ns a frame, and a stack that was written over may fault in it.
 */
#include <ucontext.h>
#include <unwind.h>

#include "stacktrace_internal.h"

struct trace {
	uintptr_t *pcs;
	size_t n, max;
	size_t drop; /* that many more are not wanted */
	bool skip_ours;
	bool in_handler; /* what a signal interrupted is still to come */
};

static bool in_our_code(uintptr_t pc)
{
	struct stacktrace_object object;

	return stacktrace_object_find(pc, &object) && stacktrace_is_ours(&object);
}

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *arg)
{
	struct trace *trace = arg;
	int exact = 0;
	uintptr_t pc = _Unwind_GetIPInfo(context, &exact) - !exact;

	if (trace->in_handler && exact)
		trace->in_handler = false;
	if (trace->in_handler)
		return _URC_NO_REASON;
	if (trace->drop) {
		trace->drop--;
		return _URC_NO_REASON;
	}
	if (trace->n == trace->max || pc == UINTPTR_MAX)
		return _URC_END_OF_STACK;
	trace->skip_ours = trace->skip_ours && in_our_code(pc);
	if (!trace->skip_ours)
		trace->pcs[trace->n++] = pc + 1;
	return _URC_NO_REASON;
}

__attribute__((noinline)) size_t stacktrace_capture(uintptr_t *pcs, size_t max)
{
	struct trace trace = {.pcs = pcs, .max = max, .drop = 1, .skip_ours = true};
	int saved = errno;

	_Unwind_Backtrace(note, &trace);
	errno = saved;
	return trace.n;
}

size_t stacktrace_capture_context(uintptr_t *pcs, size_t max, const void *context)
{
	struct trace trace = {.pcs = pcs, .max = max, .in_handler = true};
	int saved = errno;

	(void)context;
	_Unwind_Backtrace(note, &trace);
	errno = saved;
	return trace.n;
}
