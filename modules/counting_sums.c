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

static size_t count_of(const _Atomic size_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_freed(struct counting_sum *sum, size_t blocks, size_t bytes)
{
	sum->freed_blocks += blocks;
	sum->freed_bytes += bytes;
}

static void add_allocated(struct counting_sum *sum, size_t blocks, size_t bytes)
{
	sum->blocks += blocks;
	sum->bytes += bytes;
}

/* Each counter is read once.  classes may be null. */
static void sizes_add(const struct counting_sizes *sizes, struct counting_sum *classes,
		      struct counting_sum *all,
		      void (*add)(struct counting_sum *sum, size_t blocks, size_t bytes))
{
	for (size_t size = 0; size < COUNTING_SMALL; size++) {
		size_t blocks = count_of(&sizes->small[size]);

		if (classes && blocks)
			add(&classes[counting_class(size)], blocks, size * blocks);
		add(all, blocks, size * blocks);
	}
	for (unsigned k = 0; k < COUNTING_CLASSES; k++) {
		size_t blocks = count_of(&sizes->large[k].blocks);
		size_t bytes = count_of(&sizes->large[k].bytes);

		if (classes)
			add(&classes[k], blocks, bytes);
		add(all, blocks, bytes);
	}
}

static struct counting_sum tally_sum(const struct counting_tally *t,
				     struct counting_sum *classes)
{
	struct counting_sum all = {0};

	sizes_add(&t->allocated, classes, &all, add_allocated);
	sizes_add(&t->freed, classes, &all, add_freed);
	return all;
}

struct counting_sum counting_sum_tally(const struct counting_tally *t)
{
	return tally_sum(t, NULL);
}

/* Adds a tally to the figures and answers its own. */
static struct counting_sum classes_add(struct counting_sums *sums,
				       const struct counting_tally *t)
{
	struct counting_sum all = tally_sum(t, sums->classes);

	counting_sum_add(&sums->all, all);
	return all;
}

static struct counting_sum base_of(const struct counting_tally *t)
{
	return (struct counting_sum){
		.blocks = count_of(&t->base.blocks),
		.bytes = count_of(&t->base.bytes),
		.freed_blocks = count_of(&t->base.freed_blocks),
		.freed_bytes = count_of(&t->base.freed_bytes),
	};
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
	struct counting_sum base = base_of(t), all = classes_add(sums, t), own;

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
