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

/* What one thread at a time allocates from; the next thread goes on with it. */
struct arena_slot {
	/*
	 * The chunk from where the next block begins, lent to the hooks.  Its blocks are those
	 * allocated less those freed by this slot: that may wrap, the sum does not.
	 */
	struct chic_window window;
	char *start; /* of the chunk; with next and end null without one */
	char *dirty; /* from here, or from next if that is further, the chunk is zero */
	size_t others; /* of the blocks, those that are not in this chunk */
	struct arena_slot *next;
	bool used;
};

static inline struct chic_window_header *arena_header_of(const void *p)
{
	return (struct chic_window_header *)p - 1;
}

/* Below next there may be something; above, only up to dirty. */
static inline void arena_lower(struct arena_slot *s, char *next)
{
	if (s->window.next > s->dirty)
		s->dirty = s->window.next;
	s->window.next = next;
}

/* Whether nothing lies behind a block of the slot's chunk. */
static inline bool arena_is_top(const struct arena_slot *s, const char *p)
{
	const struct chic_window_header *h = arena_header_of(p);

	return p + h->capacity + sizeof(*h) == s->window.next;
}

static inline size_t arena_padding(const struct arena_slot *s, size_t align)
{
	return -(uintptr_t)s->window.next & (align - 1);
}

static inline char *arena_cut_at(const struct arena_slot *s, size_t align)
{
	return s->window.next + arena_padding(s, align);
}

static inline bool arena_fits(const struct arena_slot *s, size_t step, size_t align)
{
	size_t room = s->window.end - s->window.next, padding = arena_padding(s, align);

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

	s->window.blocks--;
	if (s->window.blocks == s->others)
		arena_lower(s, s->start + ARENA_ALIGN);
	else if (arena_is_top(s, p))
		arena_lower(s, p);
	return size;
}

/* A block with nothing behind it. */
static inline bool arena_resize_top(struct arena_slot *s, char *p, size_t size)
{
	size_t step = chic_window_step(size);

	if (step > (size_t)(s->window.end - p))
		return false;
	arena_lower(s, p + step);
	chic_window_mark(p, size, step);
	return true;
}

#endif /* CHIC_MODULES_ARENA_CHUNK_H */
