// SPDX-License-Identifier: BSD-2-Clause
/*
 * A tally for each thread of counting.  They are never unmapped before the end and
 * never set back to zero: a reader may walk the list at any time, and the counts of
 * a thread that ended simply stay, the next thread going on.  So nothing has to be
 * folded, and nothing can be lost between two sums.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "counting.h"

__thread struct counting_seen counting_seen;

/* What threads did before this one, to tell them apart in a report. */
static void base_set(struct counting_tally *t)
{
	struct counting_sum sum = counting_sum_tally(t);

	atomic_store_explicit(&t->base.blocks, sum.blocks, memory_order_relaxed);
	atomic_store_explicit(&t->base.bytes, sum.bytes, memory_order_relaxed);
	atomic_store_explicit(&t->base.freed_blocks, sum.freed_blocks, memory_order_relaxed);
	atomic_store_explicit(&t->base.freed_bytes, sum.freed_bytes, memory_order_relaxed);
}

static struct counting_tally *tally_reuse(struct counting *c)
{
	struct counting_tally *t;

	for (t = atomic_load(&c->tallies); t; t = t->next)
		if (!atomic_load_explicit(&t->used, memory_order_relaxed) &&
		    !atomic_exchange(&t->used, true))
			return t;
	return NULL;
}

static struct counting_tally *tally_new(struct counting *c)
{
	struct counting_tally *t = pages_new(sizeof(*t));

	if (!t)
		return NULL;
	atomic_store(&t->used, true);
	t->next = atomic_load(&c->tallies);
	while (!atomic_compare_exchange_weak(&c->tallies, &t->next, t))
		;
	return t;
}

static struct counting_tally *tally_begin(struct counting *c)
{
	struct counting_tally *t = tally_reuse(c);
	struct timespec now;
	int tid;

	if (!t)
		t = tally_new(c);
	if (!t)
		return NULL;
	base_set(t);
	tid = (int)syscall(SYS_gettid);
	atomic_store_explicit(&t->tid, tid, memory_order_relaxed);
	clock_gettime(CLOCK_MONOTONIC, &now);
	counting_look_start(c, t, (uint64_t)now.tv_nsec << 32 ^ (uint64_t)tid);
	return t;
}

struct counting_tally *counting_tally_get(struct counting *c)
{
	void **word = chic_thread_word(c->args);

	if (!word)
		return NULL;
	if (!*word)
		*word = tally_begin(c);
	if (*word) {
		counting_seen.id = c->id;
		counting_seen.tally = *word;
	}
	return *word;
}

static void tally_end(struct counting *c, struct counting_tally *t)
{
	counting_peak_tell(c, t);
	atomic_store(&t->used, false);
}

void counting_thread_exit(void *ctx, void *word)
{
	counting_seen.id = 0;
	tally_end(ctx, word);
}

/* Only the thread that forked is left, and it has another number. */
void counting_threads_fork(struct counting *c)
{
	struct counting_tally *own = counting_tally(c), *t;

	for (t = atomic_load(&c->tallies); t; t = t->next)
		if (t != own && atomic_load(&t->used))
			tally_end(c, t);
	if (own)
		atomic_store_explicit(&own->tid, (int)syscall(SYS_gettid),
				      memory_order_relaxed);
}

void counting_tallies_free(struct counting *c)
{
	struct counting_tally *t, *next;

	for (t = atomic_load(&c->tallies); t; t = next) {
		next = t->next;
		munmap(t, sizeof(*t));
	}
}
