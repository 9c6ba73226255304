// SPDX-License-Identifier: BSD-2-Clause
/*
 * The figures of a report, added up over all threads.
 */
#include <string.h>

#include "counting.h"

static struct counting_sum sum_less(struct counting_sum a, const struct counting_sum *b)
{
	a.blocks -= b->blocks;
	a.bytes -= b->bytes;
	a.freed_blocks -= b->freed_blocks;
	a.freed_bytes -= b->freed_bytes;
	return a;
}

/* Adds a tally to the classes and answers its sum; each counter is read once. */
static struct counting_sum classes_add(struct counting_sums *sums,
				       const struct counting_tally *t)
{
	struct counting_sum all = {0};

	for (unsigned k = 0; k < COUNTING_CLASSES; k++) {
		struct counting_sum one = counting_sum_class(&t->classes[k]);

		counting_sum_add(&sums->classes[k], one);
		counting_sum_add(&all, one);
	}
	counting_sum_add(&sums->all, all);
	return all;
}

static void others_add(struct counting_sums *sums, const struct counting_sum *sum)
{
	counting_sum_add(&sums->others, *sum);
	sums->n_others++;
}

/* Keeps the threads in order; whoever does not fit is one of the others. */
static void threads_add(struct counting_sums *sums, int tid, const struct counting_sum *sum)
{
	size_t at = sums->n_threads;

	while (at > 0 && sums->threads[at - 1].sum.bytes < sum->bytes)
		at--;
	if (at == COUNTING_THREADS_SHOWN) {
		others_add(sums, sum);
		return;
	}
	if (sums->n_threads == COUNTING_THREADS_SHOWN)
		others_add(sums, &sums->threads[--sums->n_threads].sum);
	memmove(&sums->threads[at + 1], &sums->threads[at],
		(sums->n_threads - at) * sizeof(sums->threads[0]));
	sums->threads[at] = (struct counting_thread){tid, *sum};
	sums->n_threads++;
}

static void tally_add(struct counting_sums *sums, const struct counting_tally *t)
{
	bool used = atomic_load(&t->used);
	struct counting_sum base = counting_sum_class(&t->base), all = classes_add(sums, t),
			    own;

	if (!used) {
		counting_sum_add(&sums->ended, all);
		return;
	}
	own = sum_less(all, &base);
	threads_add(sums, atomic_load_explicit(&t->tid, memory_order_relaxed), &own);
	counting_sum_add(&sums->ended, base);
}

void counting_sums_make(struct counting *c, struct counting_sums *sums)
{
	struct counting_sum shared;
	struct counting_tally *t;
	size_t live;

	memset(sums, 0, sizeof(*sums));
	for (t = atomic_load(&c->tallies); t; t = t->next)
		tally_add(sums, t);
	shared = classes_add(sums, &c->shared);
	counting_sum_add(&sums->ended, shared);
	sums->peak_bytes = counting_peak(c, &sums->peak_within);
	/* which is exact, where the other has an error */
	live = sums->all.bytes - sums->all.freed_bytes;
	if ((intptr_t)live > (intptr_t)sums->peak_bytes)
		sums->peak_bytes = live;
}
