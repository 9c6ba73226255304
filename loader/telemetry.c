// SPDX-License-Identifier: BSD-2-Clause
/*
 * The eight counters of chic_rt_alloc and its kin: sums over threads and owners,
 * less what they were at the last reset.
 *
 * Threads' own counters only ever grow, so a reset notes the sum instead of
 * writing zeros: a count that another thread makes meanwhile falls before or
 * after, never into the void.  Sum and note share a lock.
 */
#include "internal.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t telemetry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct counters at_reset;
/* Blocks and bytes that an owner's former stacks seem to have left, by wrong sizes. */
static size_t blocks_before[OWNER_COUNT], bytes_before[OWNER_COUNT];

static void add_shared(size_t *word, size_t n)
{
	__atomic_fetch_add(word, n, __ATOMIC_RELAXED);
}

void telemetry_shared(unsigned owner, unsigned op, size_t bytes)
{
	struct counters *c = &thread_shared[owner];

	add_shared(&c->word[op], 1);
	add_shared(&c->word[OP_COUNT + op], bytes);
}

void telemetry_shared_realloc(unsigned owner, size_t bytes, size_t freed, bool fresh)
{
	struct counters *c = &thread_shared[owner];

	telemetry_shared(owner, OP_REALLOC, bytes);
	add_shared(&c->t.freed_bytes, freed);
	add_shared(&c->realloc_fresh, fresh);
}

/* All owners that serve the hooks; the malloc family's counters are apart. */
static void sum_hooks(struct counters *sum)
{
	struct counters one;

	memset(sum, 0, sizeof(*sum));
	for (unsigned owner = 0; owner < OWNER_COUNT; owner++) {
		if (owner == OWNER_MALLOC)
			continue;
		thread_sum(owner, &one);
		for (size_t i = 0; i < ARRAY_SIZE(sum->word); i++)
			sum->word[i] += one.word[i];
	}
}

void telemetry_stats(AllocationTelemetry *out)
{
	struct counters now;

	pthread_mutex_lock(&telemetry_lock);
	sum_hooks(&now);
	for (size_t i = 0; i < ARRAY_SIZE(now.word); i++)
		now.word[i] -= at_reset.word[i];
	pthread_mutex_unlock(&telemetry_lock);
	*out = now.t;
}

void telemetry_reset(void)
{
	pthread_mutex_lock(&telemetry_lock);
	sum_hooks(&at_reset);
	pthread_mutex_unlock(&telemetry_lock);
}

static void balance(unsigned owner, size_t *blocks, size_t *bytes)
{
	struct counters c;

	thread_sum(owner, &c);
	*blocks = c.t.alloc_calls + c.t.alloc_zeroed_calls + c.realloc_fresh - c.t.free_calls;
	*bytes = c.t.alloc_bytes + c.t.alloc_zeroed_bytes + c.t.realloc_bytes - c.t.freed_bytes;
}

void telemetry_begin(unsigned owner)
{
	balance(owner, &blocks_before[owner], &bytes_before[owner]);
}

void telemetry_live(unsigned owner, size_t *blocks, size_t *bytes)
{
	balance(owner, blocks, bytes);
	*blocks -= blocks_before[owner];
	*bytes -= bytes_before[owner];
}

void telemetry_drop(unsigned owner)
{
	struct counters *c = &thread_shared[owner];
	size_t blocks, bytes;

	telemetry_live(owner, &blocks, &bytes);
	add_shared(&c->word[OP_FREE], blocks);
	add_shared(&c->word[OP_COUNT + OP_FREE], bytes);
}

void telemetry_prefork(void)
{
	pthread_mutex_lock(&telemetry_lock);
}

void telemetry_postfork(void)
{
	pthread_mutex_unlock(&telemetry_lock);
}

CHIC_EXPORT AllocationTelemetry chic_rt_alloc_stats(void)
{
	AllocationTelemetry t;

	telemetry_stats(&t);
	return t;
}

CHIC_EXPORT void chic_rt_alloc_stats_fill(AllocationTelemetry *out)
{
	if (out)
		telemetry_stats(out);
}

CHIC_EXPORT void chic_rt_reset_alloc_stats(void)
{
	telemetry_reset();
}

CHIC_EXPORT void chic_alloc_malloc_stats(AllocationTelemetry *out)
{
	struct counters c;

	if (!out)
		return;
	thread_sum(OWNER_MALLOC, &c);
	*out = c.t;
}
