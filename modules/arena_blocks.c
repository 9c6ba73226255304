// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arena's own blocks: small ones cut from the calling thread's chunk, large
 * ones runs of spans.
 */
#include "arena_hot.h"

/* -------------------------------------------------------------- chunks -- */

/* Whether the caller's are the last of the chunk's blocks. */
static bool span_count(struct arena_span *span, int blocks)
{
	int now;

	/* An atomic addition takes longer than all the rest of a free. */
	if (chic_only_thread()) {
		now = atomic_load_explicit(&span->live, memory_order_relaxed) + blocks;
		atomic_store_explicit(&span->live, now, memory_order_relaxed);
	} else {
		now = atomic_fetch_add(&span->live, blocks) + blocks;
	}
	return now == 0;
}

static int slot_count(const struct arena_slot *s)
{
	return (int)(s->window.blocks - s->others);
}

/* From now on the chunk's blocks are counted in its span. */
static void slot_retire(struct arena *a, struct arena_slot *s)
{
	uint32_t at = arena_span_at(a, s->start);

	if (span_count(&a->spans[at], slot_count(s)))
		arena_spans_free(a, at);
	s->others = s->window.blocks;
}

/* Whether the chunk's blocks have all been freed, some of them by other threads. */
static bool slot_restart(struct arena *a, struct arena_slot *s)
{
	struct arena_span *span = &a->spans[arena_span_at(a, s->start)];

	if (!s->start || atomic_load(&span->live) + slot_count(s) != 0)
		return false;
	atomic_store_explicit(&span->live, 0, memory_order_relaxed);
	s->others = s->window.blocks;
	arena_lower(s, s->start + ARENA_ALIGN);
	return true;
}

static void slot_begin(struct arena *a, struct arena_slot *s, uint32_t at)
{
	atomic_store_explicit(&a->spans[at].live, 0, memory_order_relaxed);
	s->start = arena_span_start(a, at);
	s->window.next = s->start + ARENA_ALIGN;
	s->window.end = s->start + a->chunk;
	s->dirty = arena_spans_dirty(a, at) ? s->window.end : s->start;
}

/* At the cap the chunk stays, for blocks that still fit. */
static bool slot_refill(struct arena *a, struct arena_slot *s)
{
	uint32_t at;

	if (slot_restart(a, s))
		return true;
	if (atomic_load_explicit(&a->full, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&a->lock);
	at = arena_spans_take(a, 1, ARENA_ALIGN, ARENA_CHUNK);
	if (at != ARENA_NONE) {
		if (s->start)
			slot_retire(a, s);
		slot_begin(a, s, at);
	}
	pthread_mutex_unlock(&a->lock);
	return at != ARENA_NONE;
}

/* ----------------------------------------------------------- allocation -- */

static char *take_small(struct arena *a, struct arena_slot *s, size_t size, size_t align,
			bool zeroed)
{
	size_t step = chic_window_step(size);
	char *p;

	if ((!s->start || !arena_fits(s, step, align)) && !slot_refill(a, s))
		return NULL;
	p = arena_cut_at(s, align);
	if (zeroed)
		arena_zero(s, p, size);
	s->window.next = p + step;
	chic_window_mark(p, size, step);
	return p;
}

static size_t spans_for(const struct arena *a, size_t size)
{
	return (size + a->chunk - 1) >> a->chunk_shift;
}

static char *take_run(struct arena *a, struct arena_slot *s, size_t size, size_t align,
		      bool zeroed)
{
	uint32_t at;
	char *p;

	pthread_mutex_lock(&a->lock);
	at = arena_spans_take(a, spans_for(a, size), align, ARENA_RUN);
	if (at != ARENA_NONE)
		a->spans[at].size = size;
	pthread_mutex_unlock(&a->lock);
	if (at == ARENA_NONE)
		return NULL;
	s->others++;
	p = arena_span_start(a, at);
	if (zeroed && arena_spans_dirty(a, at))
		memset(p, 0, size);
	return p;
}

void *arena_own_alloc(struct arena *a, size_t size, size_t align, bool zeroed)
{
	struct arena_slot *s;
	char *p;

	align = larger(align, ARENA_ALIGN);
	if (size > a->cap || align > a->cap)
		return NULL;
	s = arena_slot_get(a);
	if (size + align - ARENA_ALIGN <= a->small_max)
		p = take_small(a, s, size, align, zeroed);
	else
		p = take_run(a, s, size, align, zeroed);
	if (p)
		s->window.blocks++;
	arena_slot_put(a, s);
	return p;
}

/* ----------------------------------------------------------------- free -- */

static void free_elsewhere(struct arena *a, struct arena_slot *s, uint32_t at)
{
	struct arena_span *span = &a->spans[at];

	s->window.blocks--;
	s->others--;
	if (span->use == ARENA_CHUNK && !span_count(span, -1))
		return;
	pthread_mutex_lock(&a->lock);
	arena_spans_free(a, at);
	pthread_mutex_unlock(&a->lock);
}

size_t arena_own_free(struct arena *a, char *p)
{
	struct arena_slot *s = arena_slot_get(a);
	size_t size;

	if (arena_is_current(a, s, p)) {
		size = arena_uncut(s, p);
	} else {
		size = arena_size_of(a, p);
		free_elsewhere(a, s, arena_span_at(a, p));
	}
	arena_slot_put(a, s);
	return size;
}

/* --------------------------------------------------------------- resize -- */

static bool resize_run(struct arena *a, uint32_t at, size_t size)
{
	struct arena_span *span = &a->spans[at];
	bool done = true;

	pthread_mutex_lock(&a->lock);
	if (spans_for(a, size) != span->n)
		done = arena_spans_resize(a, at, spans_for(a, size));
	if (done)
		span->size = size;
	pthread_mutex_unlock(&a->lock);
	return done;
}

static bool resize_small(struct arena *a, char *p, size_t size)
{
	struct chic_window_header *h = arena_header_of(p);
	struct arena_slot *s = arena_slot_get(a);
	bool done;

	if (arena_is_current(a, s, p) && arena_is_top(s, p)) {
		done = arena_resize_top(s, p, size);
	} else {
		done = size <= h->capacity;
		if (done)
			h->size = (uint32_t)size;
	}
	arena_slot_put(a, s);
	return done;
}

bool arena_own_resize(struct arena *a, char *p, size_t size, size_t align)
{
	uint32_t at = arena_span_at(a, p);

	if (size > a->cap || (uintptr_t)p & (align - 1))
		return false;
	if (a->spans[at].use == ARENA_RUN)
		return resize_run(a, at, size);
	return resize_small(a, p, size);
}

/*
 * Without the locks: no other thread is in the arena, and finding those of four calls
 * in no cache any more takes as long as all the rest.
 */
size_t arena_own_reset(struct arena *a)
{
	size_t live = arena_slots_reset(a);

	arena_spans_reset(a);
	return live;
}
