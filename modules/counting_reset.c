// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic_alloc_reset(): the layer below has dropped all blocks at once, so none is live.
 *
 * Totals, and the peak, stay what they were: what was live counts as freed, by nobody
 * in particular.  No thread is inside meanwhile.
 */
#include "counting.h"

/* What is live of one counter becomes freed; answers how much that was. */
static size_t drop(_Atomic size_t *freed, const _Atomic size_t *allocated,
		   const _Atomic size_t *given_back)
{
	size_t live = atomic_load_explicit(allocated, memory_order_relaxed) -
		      atomic_load_explicit(given_back, memory_order_relaxed);

	atomic_fetch_add(freed, live);
	return live;
}

/* Of one tally: a block that another thread has freed is one less here, and one more there. */
static size_t tally_drop(struct counting_sizes *freed, const struct counting_tally *t)
{
	size_t blocks = 0;

	for (size_t size = 0; size < COUNTING_SMALL; size++)
		blocks += drop(&freed->small[size], &t->allocated.small[size],
			       &t->freed.small[size]);
	for (size_t k = 0; k < COUNTING_CLASSES; k++) {
		blocks += drop(&freed->large[k].blocks, &t->allocated.large[k].blocks,
			       &t->freed.large[k].blocks);
		drop(&freed->large[k].bytes, &t->allocated.large[k].bytes,
		     &t->freed.large[k].bytes);
	}
	return blocks;
}

size_t counting_reset(void *ctx)
{
	struct counting *c = ctx;
	/* before the others are: it is where they are counted */
	size_t blocks = tally_drop(&c->shared.freed, &c->shared);
	struct counting_tally *t;

	for (t = atomic_load(&c->tallies); t; t = t->next) {
		counting_peak_tell(c, t);
		blocks += tally_drop(&c->shared.freed, t);
	}
	atomic_store(&c->live, 0);
	if (c->sites)
		counting_sites_drop(c);
	return blocks;
}
