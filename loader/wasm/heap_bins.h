/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What free chunks are kept in: bins by size, a bit for each that says whether there
 * is anything in it.  For heap.c alone.
 *
 * Sizes of less than 64 grains have a bin each.  From there on sixteen bins share a power of
 * two, so that any chunk of the next bin fits and is at most a sixteenth too large.
 * Finding one takes two counts of zeros, however many chunks there are.
 */
#ifndef CHIC_HEAP_BINS_H
#define CHIC_HEAP_BINS_H

#include "heap.h"

/*
 * A chunk begins one word early, in the last word of the chunk before: that word is
 * that one's own while it is in use, and says how large it is when it is free.  The
 * block begins at next.
 */
struct chunk {
	size_t before; /* size of the chunk before, if that is free */
	size_t head; /* size of this one, and the flags below */
	struct chunk *next, *prev; /* of the bin's ring, if free */
};

#define CHUNK_FREE ((size_t)1)
#define CHUNK_BEFORE_FREE ((size_t)2)
#define CHUNK_FLAGS (CHUNK_FREE | CHUNK_BEFORE_FREE)

/* Sizes below have a bin each. */
#define SMALL ((size_t)HEAP_GRAIN << EXACT_BITS)

#define WORD_BITS (8 * (unsigned)sizeof(size_t))
#define GRAIN_BITS (WORD_BITS == 32 ? 4 : 5)
#define EXACT_BITS 6
#define STEP_BITS 4
#define BIN_COUNT ((1u << EXACT_BITS) + ((WORD_BITS - GRAIN_BITS - EXACT_BITS) << STEP_BITS))
#define MAP_WORDS (BIN_COUNT / 32 + 1)

/* The ends of a bin's ring; they mean nothing while the bin's bit is 0. */
struct bin {
	struct chunk *next, *prev;
};

static struct bin bins[BIN_COUNT];
static uint32_t bins_map[MAP_WORDS], bins_words; /* bit w: bins_map[w] is not 0 */

static inline size_t chunk_size(const struct chunk *c)
{
	return c->head & ~CHUNK_FLAGS;
}

static inline struct chunk *chunk_at(void *c, size_t offset)
{
	return (struct chunk *)((char *)c + offset);
}

/* The chunk before c, which is free. */
static inline struct chunk *chunk_before(struct chunk *c)
{
	return (struct chunk *)((char *)c - c->before);
}

/* The bin as the member of its own ring. */
static inline struct chunk *bin_ring(unsigned i)
{
	return (struct chunk *)((char *)&bins[i] - offsetof(struct chunk, next));
}

static inline unsigned log2_of(size_t n)
{
	return WORD_BITS - 1 -
	       (sizeof(n) == sizeof(long) ? __builtin_clzl(n) : __builtin_clzll(n));
}

static inline unsigned bin_of(size_t size)
{
	size_t grains = size >> GRAIN_BITS;
	unsigned level;

	if (grains < 1u << EXACT_BITS)
		return (unsigned)grains;
	level = log2_of(grains);
	/* The leading one of grains adds sixteen. */
	return (1u << EXACT_BITS) - (1u << STEP_BITS) + ((level - EXACT_BITS) << STEP_BITS) +
	       (unsigned)(grains >> (level - STEP_BITS));
}

/* The first bin at i or behind it that has chunks; BIN_COUNT if there is none. */
static inline unsigned bin_used_from(unsigned i)
{
	unsigned word = i / 32;
	uint32_t map = bins_map[word] & (~0u << i % 32);

	if (!map) {
		uint32_t words = bins_words & (~1u << word);

		if (!words)
			return BIN_COUNT;
		word = __builtin_ctz(words);
		map = bins_map[word];
	}
	return word * 32 + __builtin_ctz(map);
}

static inline void bin_mark(unsigned i)
{
	bins_map[i / 32] |= 1u << i % 32;
	bins_words |= 1u << i / 32;
}

static inline void bin_clear(unsigned i)
{
	bins_map[i / 32] &= ~(1u << i % 32);
	if (!bins_map[i / 32])
		bins_words &= ~(1u << i / 32);
}

/* Last in, last out: what waits longest has the best chance to meet free neighbours. */
static inline void bin_insert(struct chunk *c, size_t size)
{
	unsigned i = bin_of(size);
	struct chunk *ring = bin_ring(i);

	if (bins_map[i / 32] & 1u << i % 32) {
		c->prev = ring->prev;
		ring->prev->next = c;
	} else {
		bin_mark(i);
		c->prev = ring;
		ring->next = c;
	}
	c->next = ring;
	ring->prev = c;
}

static inline void bin_remove(struct chunk *c)
{
	struct chunk *next = c->next, *prev = c->prev;

	next->prev = prev;
	prev->next = next;
	if (next == prev) /* the bin itself is all that is left */
		bin_clear(
			(unsigned)(((uintptr_t)&next->next - (uintptr_t)bins) / sizeof(*bins)));
}

/* A chunk of that size, which is less than SMALL; null if there is none. */
static inline struct chunk *bin_exact(size_t size)
{
	unsigned i = (unsigned)(size >> GRAIN_BITS);

	return bins_map[i / 32] & 1u << i % 32 ? bins[i].next : NULL;
}

/* Any chunk of the bin of size that is large enough, even if it takes long. */
static inline struct chunk *bin_search(size_t size)
{
	unsigned i = bin_of(size);
	struct chunk *ring = bin_ring(i), *c;

	if (!(bins_map[i / 32] & 1u << i % 32))
		return NULL;
	for (c = ring->next; c != ring; c = c->next)
		if (c->head >= size)
			return c;
	return NULL;
}

/* How many chunks of a bin that holds some too small are looked at. */
#define BIN_LOOKS 12

/* A free chunk of at least size bytes, still in its bin; null if there is none. */
static inline struct chunk *bins_find(size_t size)
{
	unsigned i = bin_of(size), used = bin_used_from(i);

	if (used == i && i >= 1u << EXACT_BITS) {
		struct chunk *ring = bin_ring(i), *c = ring->next, *best = NULL;

		for (unsigned n = 0; n < BIN_LOOKS && c != ring; n++, c = c->next)
			if (c->head >= size && (!best || c->head < best->head))
				best = c;
		if (best)
			return best;
		used = bin_used_from(i + 1);
	}
	return used < BIN_COUNT ? bins[used].next : NULL;
}

#endif /* CHIC_HEAP_BINS_H */
