/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to arena: its state, and the blocks of its own.
 *
 * Locks.  Each thread's slot has a mutex that is free but for resets and forks,
 * which take them all and so see every block entirely or not at all.  The
 * arena's own mutex, for the list of slots, is taken before any slot's.
 */
#ifndef CHIC_MODULES_ARENA_H
#define CHIC_MODULES_ARENA_H

#include <pthread.h>

#include "internal.h"

#define ARENA_ALIGN 16

/* Stands right before each block. */
struct arena_header {
	_Alignas(ARENA_ALIGN) size_t size; /* as requested */
	size_t capacity; /* bytes up to the next block or the end of the run */
};

/* What one thread at a time allocates from; the next thread goes on with it. */
struct arena_slot {
	pthread_mutex_t lock;
	char *start; /* of the chunk; all null without one */
	char *cur;
	char *end;
	char *dirty; /* from here on the chunk was never used and is zero */
	size_t live; /* allocated less freed by this slot: may wrap, the sum does not */
	struct arena_slot *next;
	bool used;
};

struct arena {
	const struct chic_module_args *args;
	const struct chic_layer *lower;
	char *base;
	size_t cap; /* bytes reserved, 0 if none could be */
	size_t chunk;
	size_t page;
	bool overflow_fails;
	_Atomic size_t taken; /* bytes of the range in chunks and runs */
	pthread_mutex_t lock;
	bool locked_to_fork;
	struct arena_slot *slots;
	struct arena_slot shared; /* of threads without a word */
};

/* Reserve at most cap bytes of addresses: a->cap says how many, perhaps none. */
void arena_reserve(struct arena *a, size_t cap);

/* A block of the arena's own, or null. */
void *arena_own_alloc(struct arena *a, size_t size, size_t align, bool zeroed);
/* Make a block larger or smaller where it is; false leaves it as it was. */
bool arena_own_resize(struct arena *a, char *p, size_t size, size_t align);
/* Answers the bytes that were asked for. */
size_t arena_own_free(struct arena *a, void *p);
/* Everything back; answers the number of live blocks. */
size_t arena_own_reset(struct arena *a);

/* Every lock, so that nothing is half done. */
void arena_lock_all(struct arena *a);
void arena_unlock_all(struct arena *a);
/* The thread that had the slot has ended. */
void arena_slot_release(struct arena *a, struct arena_slot *s);

static inline bool arena_has(const struct arena *a, const void *p)
{
	return (uintptr_t)p - (uintptr_t)a->base < a->cap;
}

static inline struct arena_header *arena_header_of(const void *p)
{
	return (struct arena_header *)p - 1;
}

#endif /* CHIC_MODULES_ARENA_H */
