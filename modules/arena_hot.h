/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The usual ways: a small block from the chunk of a thread that was here before, and
 * back.  No lock, no call.
 */
#ifndef CHIC_MODULES_ARENA_HOT_H
#define CHIC_MODULES_ARENA_HOT_H

#include <string.h>

#include "arena.h"

static inline bool arena_has(const struct arena *a, const void *p)
{
	return (uintptr_t)p - (uintptr_t)a->base < a->cap;
}

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

static inline size_t arena_size_of(const struct arena *a, const void *p)
{
	const struct arena_span *span = &a->spans[arena_span_at(a, p)];

	return span->use == ARENA_RUN ? span->size : arena_header_of(p)->size;
}

/* Below cur there may be something; above, only up to dirty. */
static inline void arena_lower(struct arena_slot *s, char *cur)
{
	if (s->cur > s->dirty)
		s->dirty = s->cur;
	s->cur = cur;
}

/* Whether a block is of the slot's chunk. */
static inline bool arena_is_current(const struct arena *a, const struct arena_slot *s,
				    const void *p)
{
	return (uintptr_t)p - (uintptr_t)s->start < a->chunk;
}

/* Whether nothing lies behind a block of the slot's chunk. */
static inline bool arena_is_top(const struct arena_slot *s, const char *p)
{
	const struct arena_header *h = arena_header_of(p);

	return p + h->capacity + sizeof(*h) == s->cur;
}

static inline void arena_zero(const struct arena_slot *s, char *p, size_t size)
{
	if (p < s->dirty)
		memset(p, 0, smaller(size, (size_t)(s->dirty - p)));
}

/* A block, or null where this is not the usual case. */
static inline char *arena_cut(struct arena *a, size_t size, size_t align)
{
	struct arena_slot *s = arena_self.slot;
	size_t step = arena_step(size);
	char *p;

	if (likely(arena_self.id == a->id && size <= a->small_max && align <= ARENA_ALIGN)) {
		p = s->cur;
		if (likely(step <= (size_t)(s->end - p))) {
			s->cur = p + step;
			s->live++;
			arena_mark(p, size, step);
			return p;
		}
	}
	return NULL;
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

static inline char *arena_cut_zeroed(struct arena *a, size_t size, size_t align)
{
	char *p = arena_cut(a, size, align);

	if (likely(p))
		arena_zero(arena_self.slot, p, size);
	return p;
}

static inline size_t arena_put(struct arena *a, void *p)
{
	if (likely(arena_self.id == a->id && arena_is_current(a, arena_self.slot, p)))
		return arena_uncut(arena_self.slot, p);
	return arena_own_free(a, p);
}

#endif /* CHIC_MODULES_ARENA_HOT_H */
