// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guarded blocks: slots cut from the range, opened, closed, kept in quarantine in
 * the order in which they were freed, and used again.
 *
 * The lock is held for bookkeeping only, never during a system call that opens or
 * closes a block, of which there is one each.
 */
#include <string.h>

#include "guard.h"

/* Accessible bytes of records grow by this much. */
#define RECORDS_STEP (64 * 1024)
/* Below this a range is not worth having. */
#define RANGE_MIN (1024 * 1024)

/* ---------------------------------------------------------- addresses -- */

static char *page_at(const struct guard *g, uint32_t page)
{
	return g->base + page * g->page;
}

static uint32_t page_of(const struct guard *g, const void *p)
{
	return ((const char *)p - g->base) / g->page;
}

static char *aligned(char *p, size_t align)
{
	return p + (round_up((uintptr_t)p, align) - (uintptr_t)p);
}

static size_t records_bytes(const struct guard *g, size_t range)
{
	return round_up(range / g->page * sizeof(struct guard_record), RECORDS_STEP);
}

static void reserve_both(struct guard *g, size_t range)
{
	g->range = range;
	g->base = addresses_reserve(&g->range, RANGE_MIN, g->page);
	if (!g->base)
		return;
	g->records = addresses_new(records_bytes(g, g->range));
	if (g->records)
		return;
	munmap(g->base, g->range);
	g->base = NULL;
	g->range = 0;
}

void guard_reserve(struct guard *g, size_t range)
{
	const char *name = g->args->name;

	g->pages_cut = 1;
	reserve_both(g, range);
	if (!g->range)
		g->args->warn("%s: range = %zu: not even %d bytes of addresses to be had, "
			      "nothing is guarded",
			      name, range, RANGE_MIN);
	else if (g->range < range)
		g->args->warn("%s: range = %zu: only %zu bytes of addresses to be had", name,
			      range, g->range);
}

void guard_unreserve(struct guard *g)
{
	if (!g->range)
		return;
	munmap(g->base, g->range);
	munmap(g->records, records_bytes(g, g->range));
}

/* --------------------------------------------- slots, under the lock -- */

static bool records_reach(struct guard *g, size_t pages)
{
	size_t have = g->pages_recorded * sizeof(struct guard_record);
	size_t want = round_up(pages * sizeof(struct guard_record), RECORDS_STEP);

	if (pages <= g->pages_recorded)
		return true;
	if (!addresses_open((char *)g->records + have, want - have))
		return false;
	g->pages_recorded = want / sizeof(struct guard_record);
	return true;
}

static uint32_t slot_cut(struct guard *g, unsigned order)
{
	size_t pages = (size_t)1 << order;
	size_t first = g->pages_cut;

	if (pages > g->range / g->page - first || !records_reach(g, first + pages))
		return 0;
	g->pages_cut += pages;
	g->records[first].first = first;
	g->records[first].order = order;
	return first;
}

static void slot_put_free(struct guard *g, uint32_t first)
{
	struct guard_record *r = &g->records[first];

	r->next = g->free[r->order];
	g->free[r->order] = first;
}

static uint32_t slot_reuse(struct guard *g, unsigned order)
{
	uint32_t first = g->free[order];

	if (first)
		g->free[order] = g->records[first].next;
	return first;
}

static void quarantine_release_oldest(struct guard *g)
{
	uint32_t first = g->oldest;
	struct guard_record *r = &g->records[first];

	g->oldest = r->next;
	if (!g->oldest)
		g->newest = 0;
	g->quarantined -= g->page << r->order;
	slot_put_free(g, first);
}

static void quarantine_add(struct guard *g, uint32_t first)
{
	struct guard_record *r = &g->records[first];

	r->next = 0;
	if (g->newest)
		g->records[g->newest].next = first;
	else
		g->oldest = first;
	g->newest = first;
	g->quarantined += g->page << r->order;
	while (g->quarantined > g->quarantine)
		quarantine_release_oldest(g);
}

/* A slot that is out of quarantine, a new one, or one that has to leave early. */
static uint32_t slot_take(struct guard *g, unsigned order)
{
	uint32_t first = slot_reuse(g, order);

	if (!first)
		first = slot_cut(g, order);
	while (!first && g->oldest) {
		quarantine_release_oldest(g);
		first = slot_reuse(g, order);
	}
	return first;
}

/* -------------------------------------------------------------- blocks -- */

static size_t pages_for(const struct guard *g, size_t size)
{
	return round_up(size, g->page) / g->page;
}

/* The smallest order that holds the block, what aligning costs, and a page behind. */
static unsigned order_for(const struct guard *g, size_t size, size_t align)
{
	size_t pages = pages_for(g, size) + 1;

	if (align > g->page)
		pages += align / g->page - 1;
	return 8 * sizeof(long) - __builtin_clzl(pages - 1);
}

static void record_block(struct guard *g, uint32_t first, size_t size, size_t align)
{
	struct guard_record *r = &g->records[first];
	char *start = page_at(g, first);

	r->pages = pages_for(g, size);
	if (align > g->page) {
		r->p = aligned(start, align);
	} else {
		size_t gap = r->pages * g->page - size;

		r->p = start + (gap & ~(align - 1));
	}
	r->size = size;
	r->state = GUARD_LIVE;
	g->records[page_of(g, r->p)].first = first;
}

static char *block_start(const struct guard *g, const struct guard_record *r)
{
	return page_at(g, page_of(g, r->p));
}

static char *block_end(const struct guard *g, const struct guard_record *r)
{
	return block_start(g, r) + r->pages * g->page;
}

/* A live block's record, described but not yet accessible; null if none is to be had. */
static struct guard_record *block_take(struct guard *g, size_t size, size_t align)
{
	unsigned order = order_for(g, size, align);
	uint32_t first = 0;

	pthread_mutex_lock(&g->lock);
	if (g->live < g->limit && order < GUARD_ORDERS)
		first = slot_take(g, order);
	if (first) {
		record_block(g, first, size, align);
		g->live++;
	}
	pthread_mutex_unlock(&g->lock);
	return first ? &g->records[first] : NULL;
}

static void block_untake(struct guard *g, struct guard_record *r)
{
	pthread_mutex_lock(&g->lock);
	r->state = GUARD_UNUSED;
	slot_put_free(g, r->first);
	g->live--;
	pthread_mutex_unlock(&g->lock);
}

void *guard_block_new(struct guard *g, size_t size, size_t align, bool zeroed)
{
	struct guard_record *r;
	char *tail;

	if (!g->byte_aligned)
		align = larger(align, GUARD_ALIGN);
	if (size > g->range || align > g->range)
		return NULL;
	r = block_take(g, size, larger(align, 1));
	if (!r)
		return NULL;
	if (!addresses_open(block_start(g, r), r->pages * g->page)) {
		block_untake(g, r);
		return NULL;
	}
	if (zeroed && r->dirty)
		memset(r->p, 0, size);
	tail = r->p + size;
	memset(tail, GUARD_CANARY, block_end(g, r) - tail);
	return r->p;
}

static struct guard_record *record_of(const struct guard *g, const char *p)
{
	uint32_t page = page_of(g, p);
	struct guard_record *r;

	if (page >= g->pages_cut)
		return NULL;
	r = &g->records[g->records[page].first];
	return r->p == p && r->state == GUARD_LIVE ? r : NULL;
}

/* From here on a second free of the block is one too many. */
static struct guard_record *block_claim(struct guard *g, char *p, const char *what)
{
	struct guard_record *r;

	pthread_mutex_lock(&g->lock);
	r = record_of(g, p);
	if (r)
		r->state = GUARD_FREED;
	pthread_mutex_unlock(&g->lock);
	if (!r)
		guard_die_bad_pointer(g, p, what);
	return r;
}

static void check_canary(const struct guard *g, const struct guard_record *r)
{
	const unsigned char *end = (unsigned char *)block_end(g, r);
	const unsigned char *at = (unsigned char *)r->p + r->size;

	for (; at < end; at++)
		if (*at != GUARD_CANARY)
			guard_die_overrun(r, at);
}

static void block_close(struct guard *g, struct guard_record *r)
{
	char *start = block_start(g, r);
	size_t bytes = r->pages * g->page;
	int saved = errno;

	r->dirty = false;
	if (addresses_close(start, bytes))
		return;
	/* Memory may be locked or mappings short: at least nobody gets at it. */
	mprotect(start, bytes, PROT_NONE);
	if (madvise(start, bytes, MADV_DONTNEED) != 0)
		r->dirty = true;
	errno = saved;
}

size_t guard_block_free(struct guard *g, void *p, const char *what)
{
	struct guard_record *r = block_claim(g, p, what);
	size_t size = r->size;

	check_canary(g, r);
	block_close(g, r);
	pthread_mutex_lock(&g->lock);
	g->live--;
	quarantine_add(g, r->first);
	pthread_mutex_unlock(&g->lock);
	return size;
}

size_t guard_block_size(const struct guard *g, const void *p)
{
	const struct guard_record *r = record_of(g, p);

	return r ? r->size : 0;
}
