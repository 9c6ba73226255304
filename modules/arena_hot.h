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

static inline size_t arena_size_of(const struct arena *a, const void *p)
{
	const struct arena_span *span = &a->spans[arena_span_at(a, p)];

	return span->use == ARENA_RUN ? span->size : arena_header_of(p)->size;
}

/* Whether a block is of the slot's chunk. */
static inline bool arena_is_current(const struct arena *a, const struct arena_slot *s,
				    const void *p)
{
	return (uintptr_t)p - (uintptr_t)s->start < a->chunk;
}

/* A block, or null where this is not the usual case. */
static inline char *arena_cut(struct arena *a, size_t size, size_t align)
{
	if (likely(arena_self.id == a->id && size <= a->small_max && align <= ARENA_ALIGN))
		return chic_window_cut(&arena_self.slot->window, size);
	return NULL;
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
