// SPDX-License-Identifier: BSD-2-Clause
/*
 * The heap of WebAssembly builds: chunks that know their neighbours.
 *
 * Memory is cut into chunks without gaps, one word of overhead each.  A chunk that
 * becomes free is made one with free neighbours at once, so there are never two free
 * ones in a row.  A range of memory ends in a chunk of size 0 that is never free.
 *
 * One free chunk is in no bin: what was left of the last one that a small request was
 * cut from.  The next small requests are cut from it as well, with no work on bins, and
 * lie side by side.
 */
#include "heap.h"
#include "heap_bins.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* No block is larger: the difference of two pointers into it must fit. */
#define SIZE_LIMIT ((size_t)PTRDIFF_MAX - 2 * HEAP_GRAIN)

/* A chunk lends its last word to the next one, see heap_bins.h. */
#define HEAD_BYTES (2 * sizeof(size_t))
#define OVERHEAD sizeof(size_t)
/* Smaller requests rather take the victim than look for what fits best. */
#define HASTY (SMALL / 2)
/* Of a range of memory, at most, to begin and to end. */
#define RANGE_OVERHEAD (HEAD_BYTES + 2 * HEAP_GRAIN)

static struct chunk *last_end; /* the chunk that ends the range added last */
static struct chunk *victim; /* the free chunk that is in no bin, or null */

static inline struct chunk *chunk_of(const void *p)
{
	return (struct chunk *)((uintptr_t)p - HEAD_BYTES);
}

static inline void *block_of(struct chunk *c)
{
	return (char *)c + HEAD_BYTES;
}

static inline size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) & ~(unit - 1);
}

/* Of a block of size bytes, which is not beyond SIZE_LIMIT. */
static inline size_t chunk_bytes(size_t size)
{
	return round_up(size + OVERHEAD, HEAP_GRAIN);
}

static inline void chunk_mark(struct chunk *c, size_t size)
{
	c->head = size | CHUNK_FREE;
	chunk_at(c, size)->before = size;
}

/* The other one, if there was one, goes into its bin. */
static inline void victim_set(struct chunk *c)
{
	struct chunk *other = victim;

	victim = c;
	if (other)
		bin_insert(other, chunk_size(other));
}

/* c, in use and of size bytes, with free neighbours becomes one free chunk. */
static inline void chunk_release(struct chunk *c, size_t size)
{
	struct chunk *next = chunk_at(c, size);
	bool is_victim = false;

	if (c->head & CHUNK_BEFORE_FREE) {
		size += c->before;
		c = chunk_before(c);
		if (c == victim)
			is_victim = true;
		else
			bin_remove(c);
	}
	if (next->head & CHUNK_FREE) {
		size += chunk_size(next);
		if (next == victim)
			is_victim = true;
		else
			bin_remove(next);
	} else {
		next->head |= CHUNK_BEFORE_FREE;
	}
	chunk_mark(c, size);
	if (is_victim)
		victim = c;
	else
		bin_insert(c, size);
}

/* What is behind the first want bytes of c, in use, becomes free. */
static inline void chunk_trim(struct chunk *c, size_t want)
{
	size_t rest = chunk_size(c) - want;
	struct chunk *tail = chunk_at(c, want);

	if (!rest)
		return;
	c->head -= rest;
	tail->head = rest;
	chunk_release(tail, rest);
}

/* All of a free chunk that is in no bin. */
static inline void chunk_use(struct chunk *c, size_t size)
{
	c->head = size;
	chunk_at(c, size)->head &= ~CHUNK_BEFORE_FREE;
}

/* want bytes of the victim, which is at least as large. */
static inline struct chunk *victim_cut(size_t want)
{
	struct chunk *c = victim;
	size_t rest = chunk_size(c) - want;

	if (!rest) {
		victim = NULL;
		chunk_use(c, want);
		return c;
	}
	victim = chunk_at(c, want);
	chunk_mark(victim, rest);
	c->head = want;
	return c;
}

static inline bool victim_fits(size_t want)
{
	return victim && chunk_size(victim) >= want;
}

/* want bytes of a free chunk that is at least as large. */
static inline void chunk_take(struct chunk *c, size_t want)
{
	size_t rest = chunk_size(c) - want;

	if (c == victim) {
		victim_cut(want);
		return;
	}
	bin_remove(c);
	if (!rest) {
		chunk_use(c, want);
		return;
	}
	c->head = want;
	c = chunk_at(c, want);
	chunk_mark(c, rest);
	if (want < HASTY)
		victim_set(c);
	else
		bin_insert(c, rest);
}

bool heap_add(uintptr_t start, size_t bytes)
{
	uintptr_t end = (start + bytes) & ~(uintptr_t)(HEAP_GRAIN - 1);
	struct chunk *c = last_end;
	size_t size;

	if (!c || start != (uintptr_t)block_of(c)) {
		uintptr_t first = round_up(start + HEAD_BYTES, HEAP_GRAIN);

		if (bytes < RANGE_OVERHEAD)
			return false;
		c = chunk_of((void *)first);
		c->head = 0;
	}
	size = end - (uintptr_t)block_of(c);
	if (!size)
		return false;
	last_end = chunk_at(c, size);
	last_end->head = 0;
	chunk_release(c, size);
	return true;
}

/* Bytes that are free at the end of the range added last. */
static size_t free_at_end(void)
{
	return last_end->head & CHUNK_BEFORE_FREE ? last_end->before : 0;
}

/*
 * A free chunk of want bytes, though none was found: in the bin whose first ones are too
 * small, else in more memory.  That may not be behind what was there, for somebody
 * else can have got what lies between; then a second request finds it so.
 */
static __attribute__((noinline)) struct chunk *chunk_more(size_t want)
{
	struct chunk *c = bin_search(want);
	size_t there, got;
	uintptr_t start;

	for (int i = 0; !c && i < 2; i++) {
		there = last_end ? free_at_end() : 0;
		got = want - there + (last_end ? 0 : RANGE_OVERHEAD);
		if (!heap_more(got, &start, &got) || !heap_add(start, got))
			return NULL;
		if (free_at_end() >= want)
			c = chunk_before(last_end);
	}
	return c;
}

/* A chunk of exactly that size, else the victim, else the smallest that is larger. */
static inline struct chunk *get_small(size_t want)
{
	struct chunk *c = bin_exact(want);

	if (c) {
		bin_remove(c);
		chunk_use(c, want);
		return c;
	}
	if (victim_fits(want))
		return victim_cut(want);
	c = bins_find(want);
	if (unlikely(!c))
		c = chunk_more(want);
	if (likely(c))
		chunk_take(c, want);
	return c;
}

/* The victim, if nothing else that fits is smaller. */
static inline struct chunk *get_large(size_t want)
{
	struct chunk *c = bins_find(want);

	if (victim_fits(want) && (!c || c->head > victim->head))
		return victim_cut(want);
	if (unlikely(!c))
		c = chunk_more(want);
	if (likely(c))
		chunk_take(c, want);
	return c;
}

static inline struct chunk *chunk_get(size_t want)
{
	return want < HASTY ? get_small(want) : get_large(want);
}

/* Any alignment: what stands before the aligned place goes back. */
static __attribute__((noinline)) void *alloc_aligned(size_t want, size_t align)
{
	struct chunk *c, *aligned;
	size_t skip;

	if (align > (size_t)PTRDIFF_MAX - want)
		return NULL;
	c = get_large(want + align - HEAP_GRAIN);
	if (!c)
		return NULL;
	skip = -(uintptr_t)block_of(c) & (align - 1);
	if (skip) {
		aligned = chunk_at(c, skip);
		aligned->head = chunk_size(c) - skip;
		c->head -= aligned->head;
		chunk_release(c, skip);
		c = aligned;
	}
	chunk_trim(c, want);
	return block_of(c);
}

void *heap_alloc(size_t size, size_t align)
{
	struct chunk *c;

	if (unlikely(size > SIZE_LIMIT))
		return NULL;
	if (unlikely(align > HEAP_GRAIN))
		return alloc_aligned(chunk_bytes(size), align);
	c = chunk_get(chunk_bytes(size));
	return likely(c) ? block_of(c) : NULL;
}

void heap_free(void *p)
{
	struct chunk *c = chunk_of(p);

	if (unlikely(c->head & CHUNK_FREE))
		__builtin_trap(); /* a second time */
	chunk_release(c, chunk_size(c));
}

size_t heap_usable_size(const void *p)
{
	return chunk_size(chunk_of(p)) - OVERHEAD;
}

/* c with the free chunk behind it, which may first have to get more memory. */
static bool grow_in_place(struct chunk *c, size_t want)
{
	size_t size = chunk_size(c), got;
	struct chunk *next = chunk_at(c, size);
	size_t behind = next->head & CHUNK_FREE ? chunk_size(next) : 0;
	uintptr_t start;

	if (size + behind < want && chunk_at(next, behind) == last_end &&
	    heap_more(want - size - behind, &start, &got) && heap_add(start, got))
		behind = next->head & CHUNK_FREE ? chunk_size(next) : 0;
	if (size + behind < want)
		return false;
	chunk_take(next, want - size);
	c->head += want - size;
	return true;
}

static void *move(void *p, size_t size, size_t align)
{
	size_t old = heap_usable_size(p);
	void *fresh = heap_alloc(size, align);

	if (fresh) {
		__builtin_memcpy(fresh, p, old < size ? old : size);
		heap_free(p);
	}
	return fresh;
}

void *heap_realloc(void *p, size_t size, size_t align)
{
	struct chunk *c = chunk_of(p);
	size_t want;

	if (unlikely(size > SIZE_LIMIT))
		return NULL;
	want = chunk_bytes(size);
	if ((uintptr_t)p & (align - 1))
		return move(p, size, align);
	if (want <= chunk_size(c))
		chunk_trim(c, want);
	else if (!grow_in_place(c, want))
		return move(p, size, align);
	return p;
}
