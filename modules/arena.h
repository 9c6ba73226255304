/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to arena: its state, and how a block is cut from a chunk.
 *
 * A range of addresses is divided into spans of one chunk's size.  A thread's slot
 * has one span as its chunk and cuts small blocks from it, one behind the other;
 * a large block is a run of whole spans.
 *
 * Who may touch what.  A slot is its thread's alone, without a lock; that of threads
 * without a word has one.  Spans, and the list of slots, are under the arena's lock,
 * but for the number of live blocks of a chunk, which is atomic.  The slot's lock is
 * taken before the arena's.  A reset touches everything, without a lock: no other
 * thread may be in the arena then, nor does one end or fork, for which the loader has
 * a lock.
 */
#ifndef CHIC_MODULES_ARENA_H
#define CHIC_MODULES_ARENA_H

#include <pthread.h>

#include "arena_chunk.h"
#include "internal.h"

#define ARENA_HUGE ((size_t)2 << 20)
#define ARENA_BINS 32
#define ARENA_NONE UINT32_MAX

enum arena_use { ARENA_FREE, ARENA_CHUNK, ARENA_RUN };

/* Of a run, free or not, the first and the last span say what it is. */
struct arena_span {
	size_t size; /* of a large block, as requested */
	/*
	 * Blocks of a chunk that are live.  While a slot has the chunk it counts there
	 * and this is what others freed, so 0 or less; then the slot adds its count.
	 * So whoever gets to 0 is the last one, and nobody but him.
	 */
	_Atomic int live;
	uint32_t n; /* spans of the run */
	uint32_t next, prev; /* in its bin, if free */
	unsigned char use;
	bool dirty; /* free, and not known to be zero */
};

struct arena {
	uint64_t id; /* never another arena's in this process */
	size_t small_max; /* largest block that is cut from a chunk */
	char *base;
	size_t cap; /* bytes reserved, 0 if none could be */
	bool overflow_fails;
	unsigned chunk_shift;
	size_t chunk;
	const struct chic_module_args *args;
	const struct chic_layer *lower;
	_Atomic size_t lower_live; /* blocks that the layer below serves */
	size_t page;
	size_t huge; /* size of a huge page if they are wanted, else 0 */

	pthread_mutex_t lock;
	pthread_mutex_t shared_lock;
	bool locked_to_fork;
	struct arena_slot *slots;
	struct arena_slot shared; /* of threads without a word */

	/* Numbers of spans, from the range's begin. */
	struct arena_span *spans;
	uint32_t n_spans;
	uint32_t taken; /* what is in use or in a bin lies before this */
	uint32_t peak; /* the most that taken was since the last reset */
	uint32_t open; /* may be read and written */
	uint32_t dirty; /* from here, or from taken if that is further, memory is zero */
	uint32_t kept; /* dirty spans in bins */
	uint32_t bins[ARENA_BINS];
	uint32_t bins_filled; /* one bit each */
	_Atomic bool full; /* not one span was to be had, and none was given back since */
};

/* The calling thread's slot of the arena it used last. */
struct arena_self {
	uint64_t id;
	struct arena_slot *slot;
};

#pragma GCC visibility push(hidden)

extern __thread struct arena_self arena_self __attribute__((tls_model("initial-exec")));

/* arena_spans.c - all with the arena's lock, but what only one thread calls */

/* Reserve at most cap bytes of addresses: a->cap says how many, perhaps none. */
void arena_spans_init(struct arena *a, size_t cap, size_t chunk);
void arena_spans_exit(struct arena *a);
/* The first of n spans, the address a multiple of align, or ARENA_NONE. */
uint32_t arena_spans_take(struct arena *a, size_t n, size_t align, enum arena_use use);
void arena_spans_free(struct arena *a, uint32_t at);
/* Make a run longer or shorter where it is. */
bool arena_spans_resize(struct arena *a, uint32_t at, size_t n);
/* Whether the memory of a run that was just taken may be other than zero. */
bool arena_spans_dirty(const struct arena *a, uint32_t at);
void arena_spans_reset(struct arena *a);

/* arena_slots.c */

/* The calling thread's slot, or the locked one of threads that have none. */
struct arena_slot *arena_slot_get(struct arena *a);
void arena_slot_put(struct arena *a, struct arena_slot *s);
/* The thread that had the slot has ended. */
void arena_slot_release(struct arena *a, struct arena_slot *s);
/* Forget all chunks; answers the number of live blocks. */
size_t arena_slots_reset(struct arena *a);
/* Chunks of threads that a fork has left behind: nobody knows what they were doing. */
void arena_slots_orphan(struct arena *a);
void arena_slots_exit(struct arena *a);

/* arena_blocks.c - what arena_hot.h does not do */

/* A block of the arena's own, or null. */
void *arena_own_alloc(struct arena *a, size_t size, size_t align, bool zeroed);
/* Make a block larger or smaller where it is; false leaves it as it was. */
bool arena_own_resize(struct arena *a, char *p, size_t size, size_t align);
/* Answers the bytes that were asked for. */
size_t arena_own_free(struct arena *a, char *p);
/* Everything back; answers the number of live blocks. */
size_t arena_own_reset(struct arena *a);

#pragma GCC visibility pop

static inline uint32_t arena_span_at(const struct arena *a, const void *p)
{
	return (uint32_t)(((uintptr_t)p - (uintptr_t)a->base) >> a->chunk_shift);
}

static inline char *arena_span_start(const struct arena *a, uint32_t at)
{
	return a->base + ((size_t)at << a->chunk_shift);
}

#endif /* CHIC_MODULES_ARENA_H */
