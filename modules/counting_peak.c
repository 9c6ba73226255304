// SPDX-License-Identifier: BSD-2-Clause
/*
 * The most bytes that ever lived at once.
 *
 * Exact for all threads at every moment it would need one counter that all of them
 * write to, at ten times the price of everything else.  So each thread keeps what
 * it added and took away to itself until that is COUNTING_PENDING_MAX, and the most
 * it was in between; then all get to know.  With one thread nothing is missed.  With
 * more, what the others had pending at a peak is not known: less than
 * COUNTING_PENDING_MAX each, and as much again that a thread's own most may be
 * compared with a sum of another time.
 */
#include "counting.h"

static void peak_raise(struct counting *c, intptr_t to)
{
	intptr_t peak = atomic_load_explicit(&c->peak, memory_order_relaxed);

	while (to > peak && !atomic_compare_exchange_weak(&c->peak, &peak, to))
		;
}

void counting_peak_shared(struct counting *c, intptr_t more)
{
	peak_raise(c, atomic_fetch_add(&c->live, more) + more);
}

void counting_peak_tell(struct counting *c, struct counting_tally *t)
{
	intptr_t high = atomic_load_explicit(&t->high, memory_order_relaxed);
	intptr_t now = atomic_load_explicit(&t->pending, memory_order_relaxed);

	/* before the sum has it: a reader in between finds too little, not it twice */
	atomic_store_explicit(&t->high, 0, memory_order_relaxed);
	atomic_store_explicit(&t->pending, 0, memory_order_relaxed);
	peak_raise(c, atomic_fetch_add(&c->live, now) + high);
}

size_t counting_peak(struct counting *c, size_t *within)
{
	intptr_t live = atomic_load(&c->live), peak = atomic_load(&c->peak);
	struct counting_tally *t;
	size_t n = 0;

	for (t = atomic_load(&c->tallies); t; t = t->next, n++) {
		intptr_t high = live + atomic_load_explicit(&t->high, memory_order_relaxed);

		if (high > peak)
			peak = high;
	}
	*within = n > 1 ? n * COUNTING_PEAK_ERROR : 0;
	return (size_t)peak;
}
