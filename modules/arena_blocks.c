// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arena's own blocks: one range of addresses whose next free byte moves up
 * atomically, chunks that threads cut blocks from, and runs of whole pages for
 * large requests straight from the range.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"

/* Freed memory of at least this size goes back to the system at once. */
#define GIVE_BACK_MIN (128 * 1024)

/* --------------------------------------------------------------- slots -- */

static struct arena_slot *slot_reuse(struct arena *a)
{
	struct arena_slot *s;

	for (s = a->slots; s; s = s->next)
		if (!s->used)
			return s;
	return NULL;
}

static struct arena_slot *slot_new(struct arena *a)
{
	struct arena_slot *s = pages_new(sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->next = a->slots;
	a->slots = s;
	return s;
}

static struct arena_slot *slot_attach(struct arena *a)
{
	struct arena_slot *s;

	pthread_mutex_lock(&a->lock);
	s = slot_reuse(a);
	if (!s)
		s = slot_new(a);
	if (s)
		s->used = true;
	pthread_mutex_unlock(&a->lock);
	return s;
}

static struct arena_slot *slot_lock(struct arena *a)
{
	void **word = chic_thread_word(a->args);
	struct arena_slot *s;

	if (word && !*word)
		*word = slot_attach(a);
	s = word && *word ? *word : &a->shared;
	pthread_mutex_lock(&s->lock);
	return s;
}

static void slot_unlock(struct arena_slot *s)
{
	pthread_mutex_unlock(&s->lock);
}

void arena_lock_all(struct arena *a)
{
	struct arena_slot *s;

	pthread_mutex_lock(&a->lock);
	pthread_mutex_lock(&a->shared.lock);
	for (s = a->slots; s; s = s->next)
		pthread_mutex_lock(&s->lock);
}

void arena_unlock_all(struct arena *a)
{
	struct arena_slot *s;

	for (s = a->slots; s; s = s->next)
		pthread_mutex_unlock(&s->lock);
	pthread_mutex_unlock(&a->shared.lock);
	pthread_mutex_unlock(&a->lock);
}

void arena_slot_release(struct arena *a, struct arena_slot *s)
{
	pthread_mutex_lock(&a->lock);
	s->used = false;
	pthread_mutex_unlock(&a->lock);
}

/* --------------------------------------------------------------- range -- */

/* Whole pages of zeros, or null at the cap. */
static char *range_take(struct arena *a, size_t bytes)
{
	size_t at = atomic_load(&a->taken);
	size_t end;

	do {
		if (bytes > a->cap - at)
			return NULL;
		end = at + bytes;
	} while (!atomic_compare_exchange_weak(&a->taken, &at, end));
	if (addresses_open(a->base + at, bytes))
		return a->base + at;
	/* No memory now, perhaps later; lost if others have gone on meanwhile. */
	atomic_compare_exchange_strong(&a->taken, &end, at);
	return NULL;
}

/* Whether a block could grow because nothing has been taken behind it. */
static bool range_extend(struct arena *a, char *end, size_t bytes)
{
	size_t at = end - a->base;

	if (bytes > a->cap - at || !atomic_compare_exchange_strong(&a->taken, &at, at + bytes))
		return false;
	if (addresses_open(end, bytes))
		return true;
	at += bytes;
	atomic_compare_exchange_strong(&a->taken, &at, at - bytes);
	return false;
}

/* -------------------------------------------------------------- blocks -- */

/* A block aligned to align whose header lies at from or behind. */
static char *block_at(char *from, size_t align)
{
	uintptr_t at = (uintptr_t)from + sizeof(struct arena_header);

	return from + (round_up(at, align) - (uintptr_t)from);
}

static char *block_mark(char *p, size_t size, size_t capacity)
{
	*arena_header_of(p) = (struct arena_header){.size = size, .capacity = capacity};
	return p;
}

static bool slot_refill(struct arena *a, struct arena_slot *s)
{
	char *chunk = range_take(a, a->chunk);

	if (!chunk)
		return false;
	s->start = s->cur = s->dirty = chunk;
	s->end = chunk + a->chunk;
	return true;
}

static bool slot_fits(const struct arena_slot *s, size_t size, size_t align)
{
	char *p;

	if (!s->start)
		return false;
	p = block_at(s->cur, align);
	return p <= s->end && size <= (size_t)(s->end - p);
}

static void slot_advance(struct arena_slot *s, char *cur)
{
	s->cur = cur;
	if (cur > s->dirty)
		s->dirty = cur;
}

static char *take_small(struct arena *a, struct arena_slot *s, size_t size, size_t align,
			bool zeroed)
{
	size_t capacity = round_up(size, ARENA_ALIGN);
	char *p;

	if (!slot_fits(s, capacity, align) && !slot_refill(a, s))
		return NULL;
	p = block_at(s->cur, align);
	if (zeroed && p < s->dirty)
		memset(p, 0, smaller(size, s->dirty - p));
	slot_advance(s, p + capacity);
	return block_mark(p, size, capacity);
}

static char *take_run(struct arena *a, size_t size, size_t align)
{
	size_t bytes = round_up(sizeof(struct arena_header) + size + align, a->page);
	char *run = range_take(a, bytes);
	char *p;

	if (!run)
		return NULL;
	p = block_at(run, align);
	return block_mark(p, size, run + bytes - p);
}

void *arena_own_alloc(struct arena *a, size_t size, size_t align, bool zeroed)
{
	struct arena_slot *s;
	char *p;

	align = larger(align, ARENA_ALIGN);
	if (size > a->cap || align > a->cap)
		return NULL;
	s = slot_lock(a);
	if (size + align + sizeof(struct arena_header) > a->chunk / 4)
		p = take_run(a, size, align);
	else
		p = take_small(a, s, size, align, zeroed);
	if (p)
		s->live++;
	slot_unlock(s);
	return p;
}

/* Whether nothing lies behind the block in the slot's chunk. */
static bool is_top(const struct arena_slot *s, const char *p)
{
	return p > s->start && p + arena_header_of(p)->capacity == s->cur;
}

static void give_back(const struct arena *a, char *p, size_t size)
{
	char *from = p + (round_up((uintptr_t)p, a->page) - (uintptr_t)p);
	int saved = errno;

	/* Locked memory stays where it is. */
	madvise(from, (size - (from - p)) & ~(a->page - 1), MADV_DONTNEED);
	errno = saved;
}

size_t arena_own_free(struct arena *a, void *p)
{
	struct arena_header *h = arena_header_of(p);
	size_t size = h->size;
	struct arena_slot *s = slot_lock(a);

	s->live--;
	if (is_top(s, p))
		s->cur = (char *)h;
	else if (h->capacity >= GIVE_BACK_MIN)
		give_back(a, p, h->capacity);
	slot_unlock(s);
	return size;
}

static bool resize_top(struct arena_slot *s, char *p, size_t size)
{
	size_t capacity = round_up(size, ARENA_ALIGN);

	if (!is_top(s, p) || capacity > (size_t)(s->end - p))
		return false;
	slot_advance(s, p + capacity);
	block_mark(p, size, capacity);
	return true;
}

static bool resize_run(struct arena *a, char *p, size_t size)
{
	struct arena_header *h = arena_header_of(p);
	size_t more = round_up(size - h->capacity, a->page);

	if (!range_extend(a, p + h->capacity, more))
		return false;
	block_mark(p, size, h->capacity + more);
	return true;
}

bool arena_own_resize(struct arena *a, char *p, size_t size, size_t align)
{
	struct arena_header *h = arena_header_of(p);
	struct arena_slot *s;
	bool done = true;

	if (size > a->cap || (uintptr_t)p & (align - 1))
		return false;
	s = slot_lock(a);
	if (!resize_top(s, p, size)) {
		if (size <= h->capacity)
			h->size = size;
		else
			done = resize_run(a, p, size);
	}
	slot_unlock(s);
	return done;
}

/* ------------------------------------------------------------- reset -- */

static size_t slot_forget(struct arena_slot *s)
{
	size_t live = s->live;

	s->start = s->cur = s->end = s->dirty = NULL;
	s->live = 0;
	return live;
}

size_t arena_own_reset(struct arena *a)
{
	size_t taken, live;
	struct arena_slot *s;

	arena_lock_all(a);
	live = slot_forget(&a->shared);
	for (s = a->slots; s; s = s->next)
		live += slot_forget(s);
	taken = atomic_load(&a->taken);
	/* Memory that cannot be given back is not zero: then it stays taken. */
	if (taken && addresses_close(a->base, taken))
		atomic_store(&a->taken, 0);
	arena_unlock_all(a);
	return live;
}

void arena_reserve(struct arena *a, size_t cap)
{
	const char *name = a->args->name;

	a->cap = cap;
	a->base = addresses_reserve(&a->cap, a->chunk, a->page);
	if (!a->base && !a->overflow_fails)
		a->args->warn("%s: cap = %zu: not even %zu bytes of addresses to be had, "
			      "the layer below serves everything",
			      name, cap, a->chunk);
	else if (a->base && a->cap < cap)
		a->args->warn("%s: cap = %zu: only %zu bytes of addresses to be had", name, cap,
			      a->cap);
}
