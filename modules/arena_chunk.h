/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to arena: blocks cut from a chunk, one behind the other.  Needs no C library
 * but memset.
 */
#ifndef CHIC_MODULES_ARENA_CHUNK_H
#define CHIC_MODULES_ARENA_CHUNK_H

#include <string.h>

#include "chic_module.h"
#include "sizes.h"

#define ARENA_ALIGN CHIC_MALLOC_ALIGN

/* Stands right before each block that was cut from a chunk. */
struct arena_header {
	uint32_t size; /* as requested */
	uint32_t capacity;
};

/* What one thread at a time allocates from; the next thread goes on with it. */
struct arena_slot {
	char *cur; /* where the next block may begin, its header before it */
	char *end;
	char *start; /* of the chunk; all null without one */
	char *dirty; /* from here, or from cur if that is further, the chunk is zero */
	size_t live; /* allocated less freed by this slot: may wrap, the sum does not */
	size_t others; /* of live, what is not in this chunk */
	struct arena_slot *next;
	bool used;
};

static inline struct arena_header *arena_header_of(const void *p)
{
	return (struct arena_header *)p - 1;
}

/* Bytes from one block to the next: both begin at a multiple of ARENA_ALIGN. */
static inline size_t arena_step(size_t size)
{
	return round_up(size + sizeof(struct arena_header), ARENA_ALIGN);
}

static inline void arena_mark(char *p, size_t size, size_t step)
{
	*arena_header_of(p) = (struct arena_header){
		.size = (uint32_t)size,
		.capacity = (uint32_t)(step - sizeof(struct arena_header)),
	};
}

/* Below cur there may be something; above, only up to dirty. */
static inline void arena_lower(struct arena_slot *s, char *cur)
{
	if (s->cur > s->dirty)
		s->dirty = s->cur;
	s->cur = cur;
}

/* Whether nothing lies behind a block of the slot's chunk. */
static inline bool arena_is_top(const struct arena_slot *s, const char *p)
{
	const struct arena_header *h = arena_header_of(p);

	return p + h->capacity + sizeof(*h) == s->cur;
}

static inline size_t arena_padding(const struct arena_slot *s, size_t align)
{
	return -(uintptr_t)s->cur & (align - 1);
}

static inline char *arena_cut_at(const struct arena_slot *s, size_t align)
{
	return s->cur + arena_padding(s, align);
}

static inline bool arena_fits(const struct arena_slot *s, size_t step, size_t align)
{
	size_t room = s->end - s->cur, padding = arena_padding(s, align);

	return padding <= room && step <= room - padding;
}

static inline void arena_zero(const struct arena_slot *s, char *p, size_t size)
{
	if (p < s->dirty)
		memset(p, 0, smaller(size, (size_t)(s->dirty - p)));
}

static inline size_t arena_uncut(struct arena_slot *s, char *p)
{
	size_t size = arena_header_of(p)->size;

	s->live--;
	if (s->live == s->others)
		arena_lower(s, s->start + ARENA_ALIGN);
	else if (arena_is_top(s, p))
		arena_lower(s, p);
	return size;
}

/* A block with nothing behind it. */
static inline bool arena_resize_top(struct arena_slot *s, char *p, size_t size)
{
	size_t step = arena_step(size);

	if (step > (size_t)(s->end - p))
		return false;
	arena_lower(s, p + step);
	arena_mark(p, size, step);
	return true;
}

#endif /* CHIC_MODULES_ARENA_CHUNK_H */
