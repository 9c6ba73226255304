// SPDX-License-Identifier: BSD-2-Clause
/*
 * The call sites that a report of counting names: those with the most of something.
 */
#include <string.h>

#include "counting.h"

/* Whole blocks, and what is live; freed is read first, so that it is not more. */
struct counting_sum counting_site_sum(const struct counting_site *site)
{
	struct counting_sum sum;
	uint64_t freed;

	freed = atomic_load(&site->freed_blocks);
	sum.freed_bytes = atomic_load(&site->freed_bytes);
	sum.bytes = atomic_load(&site->bytes);
	sum.blocks = atomic_load(&site->blocks);
	/* so that what is live is rounded, and not the difference of two that are */
	sum.freed_blocks = (sum.blocks + COUNTING_WEIGHT_ONE / 2) / COUNTING_WEIGHT_ONE -
			   (sum.blocks - freed + COUNTING_WEIGHT_ONE / 2) / COUNTING_WEIGHT_ONE;
	sum.blocks = (sum.blocks + COUNTING_WEIGHT_ONE / 2) / COUNTING_WEIGHT_ONE;
	return sum;
}

static size_t value_of(const struct counting_sum *sum, enum counting_order order)
{
	switch (order) {
	case COUNTING_LIVE_BYTES:
		return sum->bytes - sum->freed_bytes;
	case COUNTING_TOTAL_BYTES:
		return sum->bytes;
	default:
		return sum->blocks;
	}
}

static void top_add(struct counting_top *top, enum counting_order order, size_t max,
		    const struct counting_top_site *site)
{
	size_t value = value_of(&site->sum, order), at = top->n;

	if (!value)
		return;
	while (at > 0 && value_of(&top->sites[at - 1].sum, order) < value)
		at--;
	if (at == max)
		return;
	if (top->n < max)
		top->n++;
	memmove(&top->sites[at + 1], &top->sites[at],
		(top->n - 1 - at) * sizeof(top->sites[0]));
	top->sites[at] = *site;
}

struct walk {
	struct counting *c;
	struct counting_tops *tops;
};

static void site_add(struct walk *walk, uint32_t stack)
{
	struct counting_top_site site = {
		.stack = stack,
		.sum = counting_site_sum(counting_site_of(walk->c->sites, stack)),
	};

	counting_sum_add(&walk->tops->all, site.sum);
	walk->tops->n_sites += site.sum.blocks != 0;
	for (unsigned order = 0; order < COUNTING_ORDERS; order++)
		top_add(&walk->tops->by[order], order, walk->c->output->top, &site);
}

static bool add_stack(uint32_t stack, void *arg)
{
	site_add(arg, stack);
	return true;
}

void counting_tops_make(struct counting *c, struct counting_tops *tops)
{
	struct walk walk = {c, tops};

	memset(tops, 0, sizeof(*tops));
	site_add(&walk, 0);
	stacktrace_each(&c->sites->stacks, add_stack, &walk);
}
