// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sampled blocks that are live, by address.
 *
 * Every block that is freed is looked for, and nearly none is here: a filter of
 * bytes says so without a lock.  Behind it are hash tables, each with a lock that is
 * held for some instructions.  The owner of a block is the only one who may add or
 * take it, so that the filter cannot be wrong for whoever asks.
 */
#define _GNU_SOURCE
#include <sched.h>

#include "counting.h"

/* A page of blocks. */
#define SHARD_LEAST 128

static uint64_t hash_of(uintptr_t p)
{
	return (uint64_t)p * UINT64_C(0x9e3779b97f4a7c15);
}

static struct counting_shard *shard_of(struct counting_live *live, uintptr_t p)
{
	return &live->shards[(hash_of(p) >> 32) % COUNTING_SHARDS];
}

static void lock(struct counting_shard *s)
{
	int saved = errno;

	for (int tries = 0; atomic_flag_test_and_set_explicit(&s->lock, memory_order_acquire);)
		if (++tries % 100 == 0)
			sched_yield();
	errno = saved;
}

static void unlock(struct counting_shard *s)
{
	atomic_flag_clear_explicit(&s->lock, memory_order_release);
}

/* -------------------------------------------------------------- filter -- */

static void filter_add(struct counting_live *live, uintptr_t p)
{
	_Atomic uint8_t *at = counting_filter_at(live, (void *)p);
	uint8_t n = atomic_load_explicit(at, memory_order_relaxed);

	while (n < UINT8_MAX && !atomic_compare_exchange_weak(at, &n, n + 1))
		;
}

static void filter_remove(struct counting_live *live, uintptr_t p)
{
	_Atomic uint8_t *at = counting_filter_at(live, (void *)p);
	uint8_t n = atomic_load_explicit(at, memory_order_relaxed);

	while (n < UINT8_MAX && !atomic_compare_exchange_weak(at, &n, n - 1))
		;
}

/* --------------------------------------------------------------- table -- */

static size_t home(const struct counting_shard *s, uintptr_t p)
{
	return (hash_of(p) >> 40) & (s->size - 1);
}

/* Where p is, or the free place where it would be. */
static struct counting_block *find(const struct counting_shard *s, uintptr_t p)
{
	size_t i = home(s, p);

	while (s->blocks[i].p && s->blocks[i].p != p)
		i = (i + 1) & (s->size - 1);
	return &s->blocks[i];
}

static bool grow(struct counting_shard *s)
{
	struct counting_shard bigger = {.size = s->blocks ? 2 * s->size : SHARD_LEAST};

	bigger.blocks = pages_new(bigger.size * sizeof(*bigger.blocks));
	if (!bigger.blocks)
		return false;
	for (size_t i = 0; i < s->size; i++)
		if (s->blocks[i].p)
			*find(&bigger, s->blocks[i].p) = s->blocks[i];
	if (s->blocks)
		munmap(s->blocks, s->size * sizeof(*s->blocks));
	s->blocks = bigger.blocks;
	s->size = bigger.size;
	return true;
}

/* Those behind it move up, unless they would come before their home. */
static void erase(struct counting_shard *s, struct counting_block *at)
{
	size_t hole = (size_t)(at - s->blocks), i = hole, mask = s->size - 1;

	for (;;) {
		i = (i + 1) & mask;
		if (!s->blocks[i].p)
			break;
		if (((i - home(s, s->blocks[i].p)) & mask) < ((i - hole) & mask))
			continue;
		s->blocks[hole] = s->blocks[i];
		hole = i;
	}
	s->blocks[hole].p = 0;
	s->n--;
}

/* One place always stays free, which ends every search. */
static bool has_room(struct counting_shard *s)
{
	if (s->blocks && s->n < s->size / 2)
		return true;
	return grow(s) || (s->blocks && s->n + 1 < s->size);
}

bool counting_live_add(struct counting_live *live, const struct counting_block *block)
{
	struct counting_shard *s = shard_of(live, block->p);
	struct counting_block *at;
	bool room;

	lock(s);
	room = has_room(s);
	if (room) {
		at = find(s, block->p);
		if (!at->p) {
			s->n++;
			filter_add(live, block->p);
		}
		*at = *block;
	}
	unlock(s);
	return room;
}

bool counting_live_take(struct counting_live *live, const void *p, struct counting_block *out)
{
	struct counting_shard *s = shard_of(live, (uintptr_t)p);
	struct counting_block *at;
	bool there = false;

	lock(s);
	at = s->blocks ? find(s, (uintptr_t)p) : NULL;
	if (at && at->p) {
		*out = *at;
		erase(s, at);
		filter_remove(live, (uintptr_t)p);
		there = true;
	}
	unlock(s);
	return there;
}

void counting_live_drop(struct counting_live *live,
			void (*each)(void *arg, const struct counting_block *block), void *arg)
{
	for (size_t i = 0; i < COUNTING_SHARDS; i++) {
		struct counting_shard *s = &live->shards[i];

		lock(s);
		for (size_t k = 0; k < s->size; k++) {
			if (s->blocks[k].p)
				each(arg, &s->blocks[k]);
			s->blocks[k].p = 0;
		}
		s->n = 0;
		unlock(s);
	}
	for (size_t i = 0; i < COUNTING_FILTER; i++)
		atomic_store_explicit(&live->filter[i], 0, memory_order_relaxed);
}

/* ---------------------------------------------------------- life cycle -- */

void counting_live_lock(struct counting_live *live)
{
	for (size_t i = 0; i < COUNTING_SHARDS; i++)
		lock(&live->shards[i]);
	live->locked_for_fork = true;
}

void counting_live_unlock(struct counting_live *live)
{
	if (!live->locked_for_fork)
		return;
	live->locked_for_fork = false;
	for (size_t i = 0; i < COUNTING_SHARDS; i++)
		unlock(&live->shards[i]);
}

void counting_live_free(struct counting_live *live)
{
	for (size_t i = 0; i < COUNTING_SHARDS; i++) {
		struct counting_shard *s = &live->shards[i];

		if (s->blocks)
			munmap(s->blocks, s->size * sizeof(*s->blocks));
	}
}
