// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guarded blocks: placed in a slot, opened, looked at and closed when they are
 * freed.
 *
 * The lock is held for bookkeeping only, never during a system call that opens or
 * closes a block.
 */
#include <string.h>

#include "guard.h"

/* From this size on a block is changed where it is, if it can be. */
#define RESIZE_MIN (32 * 1024)

static char *aligned(char *p, size_t align)
{
	return p + (round_up((uintptr_t)p, align) - (uintptr_t)p);
}

static size_t pages_for(const struct guard *g, size_t size)
{
	return round_up(size, g->page) / g->page;
}

/* The smallest order that holds the block, what aligning costs, and the gap. */
static unsigned order_for(const struct guard *g, size_t size, size_t align)
{
	size_t pages = pages_for(g, size) + GUARD_GAP;

	if (align > g->page)
		pages += align / g->page - 1;
	return larger(8 * sizeof(long) - __builtin_clzl(pages - 1), GUARD_ORDER_MIN);
}

/* ------------------------------------------------------------- canaries -- */

/* Both ends lie in accessible pages; [from, to) is less than a page. */
static void check_gap(struct guard *g, const struct guard_record *r, const char *what,
		      const unsigned char *from, const unsigned char *to)
{
	const unsigned char *first = from, *last = to - 1;

	if (memcmp(from, g->pattern, to - from) == 0)
		return;
	while (*first == GUARD_CANARY)
		first++;
	while (*last == GUARD_CANARY)
		last--;
	guard_die_damage(g, r, what, first, last);
}

/* what is being done to the block. */
static void check_canaries(struct guard *g, const struct guard_record *r, const char *what)
{
	const unsigned char *p = (const unsigned char *)r->p;

	check_gap(g, r, what, (unsigned char *)guard_block_start(g, r), p);
	check_gap(g, r, what, p + r->size, (unsigned char *)guard_block_end(g, r));
}

static void fill_canaries(const struct guard *g, const struct guard_record *r)
{
	char *start = guard_block_start(g, r), *tail = r->p + r->size;

	memset(start, GUARD_CANARY, r->p - start);
	memset(tail, GUARD_CANARY, guard_block_end(g, r) - tail);
}

/* Whatever was in the pages: a block of zeros, canaries around it. */
static void fill(const struct guard *g, struct guard_record *r, enum guard_content content)
{
	char *start = guard_block_start(g, r);

	if (content == GUARD_ANY)
		memset(r->p, 0, r->size);
	else if (content == GUARD_PATTERNED)
		memset(r->p, 0, smaller(r->size, start + g->page - r->p));
	if (content != GUARD_PATTERNED || guard_block_end(g, r) - start > (ptrdiff_t)g->page)
		fill_canaries(g, r);
}

/* -------------------------------------------------------------- new -- */

static void place(struct guard *g, struct guard_record *r, size_t size, size_t align)
{
	char *start = guard_slot_start(g, r);
	struct guard_record *inside;

	r->size = size;
	if (align > g->page)
		r->p = aligned(start, align);
	else if (g->left)
		r->p = start;
	else
		r->p = start + ((pages_for(g, size) * g->page - size) & ~(align - 1));
	r->state = GUARD_LIVE;
	r->alloc_tid = guard_tid();
	r->free_tid = 0;
	inside = &g->records[(r->p - g->base) / guard_granule(g)];
	if (inside == r)
		return;
	inside->state = GUARD_INSIDE;
	inside->next = guard_first(g, r);
}

/* One that costs no mappings where there are none left. */
static struct guard_record *take_affordable(struct guard *g, unsigned order)
{
	struct guard_record *r = guard_slot_take(g, order);

	if (!r || r->tie != GUARD_APART)
		return r;
	if (g->mapped < g->maps) {
		g->mapped++;
		return r;
	}
	guard_slot_put(g, r);
	return NULL;
}

/* A live block's record, described but not yet accessible unless it was ready. */
static struct guard_record *take(struct guard *g, size_t size, size_t align, unsigned order,
				 bool *ready)
{
	struct guard_record *r = NULL;

	*ready = false;
	pthread_mutex_lock(&g->lock);
	if (g->live < g->limit && order < GUARD_ORDERS) {
		*ready = g->n_ready && size <= g->page && align <= g->page;
		if (*ready)
			r = &g->records[g->ready[--g->n_ready]];
		else
			r = take_affordable(g, order);
	}
	if (r) {
		place(g, r, size, align);
		g->live++;
	}
	pthread_mutex_unlock(&g->lock);
	return r;
}

static void untake(struct guard *g, struct guard_record *r)
{
	pthread_mutex_lock(&g->lock);
	r->state = GUARD_UNUSED;
	if (r->tie == GUARD_APART)
		g->mapped--;
	guard_slot_put(g, r);
	g->live--;
	pthread_mutex_unlock(&g->lock);
}

static enum guard_content open_block(struct guard *g, struct guard_record *r)
{
	char *start = guard_block_start(g, r);
	size_t size = guard_block_end(g, r) - start;

	return guard_pages_open(g, r, start, size, r->p != start || size == g->page);
}

void *guard_block_new(struct guard *g, size_t size, size_t align, bool room)
{
	enum guard_content content = GUARD_ANY;
	struct guard_record *r;
	bool ready;

	align = larger(align, g->byte_aligned ? 1 : GUARD_ALIGN);
	size += !size;
	if (size > g->range || align > g->range)
		return NULL;
	room = room && size >= RESIZE_MIN;
	r = take(g, size, align, order_for(g, room ? 2 * size : size, align), &ready);
	if (!r)
		return NULL;
	if (!ready)
		content = open_block(g, r);
	if (content == GUARD_NOT_OPEN) {
		untake(g, r);
		return NULL;
	}
	fill(g, r, content);
	if (g->stacks)
		g->stacks[guard_first(g, r)] =
			(struct guard_stacks){.alloc = guard_stack_now(g)};
	return r->p;
}

/* ------------------------------------------------------------- free -- */

/* A slot that may get the page of one whose block is freed, or null; under the lock. */
static struct guard_record *next_to_ready(struct guard *g, const struct guard_record *r)
{
	struct guard_record *next;

	if (!g->backend->move || r->size > g->page || r->tie != GUARD_TIED ||
	    g->n_ready + g->getting_ready >= GUARD_READY)
		return NULL;
	next = guard_slot_take_next(g);
	if (next)
		g->getting_ready++;
	return next;
}

/* From here on a second free of the block is one too many. */
static struct guard_record *claim(struct guard *g, char *p, const char *what,
				  struct guard_record **next)
{
	struct guard_record *r;

	*next = NULL;
	pthread_mutex_lock(&g->lock);
	r = guard_slot_of(g, p);
	if (r) {
		r->state = GUARD_FREED;
		r->free_tid = guard_tid();
		*next = next_to_ready(g, r);
	}
	pthread_mutex_unlock(&g->lock);
	if (!r)
		guard_die_bad_pointer(g, p, what);
	return r;
}

static bool move_page(struct guard *g, struct guard_record *from, struct guard_record *to)
{
	int saved = errno;
	bool moved = g->backend->move &&
		     g->backend->move(g, guard_block_start(g, from), guard_slot_start(g, to));

	errno = saved;
	return moved;
}

static void release(struct guard *g, struct guard_record *r, struct guard_record *next,
		    bool moved)
{
	pthread_mutex_lock(&g->lock);
	g->live--;
	if (r->tie == GUARD_APART)
		g->mapped--;
	guard_slot_retire(g, r);
	if (next)
		g->getting_ready--;
	if (moved)
		g->ready[g->n_ready++] = guard_first(g, next);
	else if (next)
		guard_slot_put(g, next);
	pthread_mutex_unlock(&g->lock);
}

size_t guard_block_free(struct guard *g, void *p, const char *what)
{
	struct guard_record *next;
	struct guard_record *r = claim(g, p, what, &next);
	size_t size = r->size;
	bool moved;

	check_canaries(g, r, what);
	if (g->stacks)
		g->stacks[guard_first(g, r)].free = guard_stack_now(g);
	moved = next && move_page(g, r, next);
	if (!moved)
		guard_slot_close(g, r);
	release(g, r, next, moved);
	return size;
}

/* ------------------------------------------------------------ resize -- */

static struct guard_record *look_up(struct guard *g, char *p, const char *what)
{
	struct guard_record *r = guard_slot_of(g, p);

	if (r) {
		check_canaries(g, r, what);
		return r;
	}
	guard_die_bad_pointer(g, p, what);
}

static size_t room_in(const struct guard *g, const struct guard_record *r)
{
	char *end = guard_slot_start(g, r) + guard_slot_bytes(g, r) - GUARD_GAP * g->page;

	return end - r->p;
}

static bool open_more(struct guard *g, struct guard_record *r, char *from, char *to)
{
	enum guard_content content = guard_pages_open(g, r, from, to - from, false);

	if (content == GUARD_ANY)
		memset(from, 0, to - from);
	return content != GUARD_NOT_OPEN;
}

static bool resize_pages(struct guard *g, struct guard_record *r, size_t size)
{
	char *tail = r->p + r->size, *end = guard_block_end(g, r);
	char *new_end = aligned(r->p + size, g->page);

	if (new_end > end && !open_more(g, r, end, new_end))
		return false;
	if (new_end < end && !guard_pages_close(g, r, new_end, end - new_end))
		return false;
	if (size > r->size)
		memset(tail, 0, smaller(end - tail, size - r->size));
	r->size = size;
	fill_canaries(g, r);
	return true;
}

bool guard_block_resize(struct guard *g, void *p, size_t size, size_t align)
{
	struct guard_record *r = look_up(g, p, "realloc");

	if (size < RESIZE_MIN || r->size < RESIZE_MIN || size > room_in(g, r) ||
	    (uintptr_t)p & (larger(align, 1) - 1))
		return false;
	return resize_pages(g, r, size);
}

size_t guard_block_size(const struct guard *g, const void *p)
{
	const struct guard_record *r = guard_slot_of(g, p);

	return r ? r->size : 0;
}
