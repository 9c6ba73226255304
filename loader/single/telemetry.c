// SPDX-License-Identifier: BSD-2-Clause
/*
 * The eight counters, on one processor: one struct of them.
 */
#include "platform.h"

static union counters counts;

void telemetry_count(unsigned op, size_t bytes)
{
	uintptr_t irq = irq_save();

	counts.word[op]++;
	counts.word[OP_COUNT + op] += bytes;
	irq_restore(irq);
}

void telemetry_count_realloc(size_t bytes, size_t freed)
{
	uintptr_t irq = irq_save();

	counts.t.realloc_calls++;
	counts.t.realloc_bytes += bytes;
	counts.t.freed_bytes += freed;
	irq_restore(irq);
}

CHIC_EXPORT void chic_rt_alloc_stats_fill(AllocationTelemetry *out)
{
	uintptr_t irq;

	if (!out)
		return;
	irq = irq_save();
	*out = counts.t;
	irq_restore(irq);
}

CHIC_EXPORT AllocationTelemetry chic_rt_alloc_stats(void)
{
	AllocationTelemetry t;

	chic_rt_alloc_stats_fill(&t);
	return t;
}

CHIC_EXPORT void chic_rt_reset_alloc_stats(void)
{
	uintptr_t irq = irq_save();

	counts = (union counters){0};
	irq_restore(irq);
}
