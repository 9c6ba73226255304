// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where blocks were asked for and given back: stacks of the program, kept as
 * numbers, each once.
 */
#include "guard.h"

/* Most bytes of different stacks; they are addresses until they are used. */
#define TRACES_BYTES ((size_t)64 << 20)
/*
 * Where few blocks have stacks, what is looked up for the first time is most of the
 * cost: pages of the programs' unwind tables, and of ours.
 */
#define SAMPLED_TRACES_BYTES ((size_t)4 << 20)
#define SAMPLED_DEPTH 16
/* Where addresses are few, so are blocks. */
#define RANGE_SHARE 16

void guard_stacks_start(struct guard *g)
{
	size_t most = g->sample > 1 ? SAMPLED_TRACES_BYTES : TRACES_BYTES;
	size_t bytes = smaller(most, smaller(g->range / RANGE_SHARE, g->data));

	if (!chic_param_number(g->args, "stacks") || !g->range)
		return;
	if (stacktrace_table_open(&g->traces, bytes, 0))
		goto err_warn;
	if (guard_stacks_reserve(g))
		return;
	stacktrace_table_close(&g->traces);
err_warn:
	g->args->warn("%s: stacks = yes: no memory for them, reports are without",
		      g->args->name);
}

void guard_stacks_stop(struct guard *g)
{
	if (g->stacks)
		stacktrace_table_close(&g->traces);
}

uint32_t guard_stack_now(struct guard *g)
{
	uintptr_t pcs[STACKTRACE_DEPTH];
	size_t depth = g->sample > 1 ? SAMPLED_DEPTH : STACKTRACE_DEPTH;

	return stacktrace_intern(&g->traces, pcs, stacktrace_capture(pcs, depth));
}
