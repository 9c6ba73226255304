// SPDX-License-Identifier: BSD-2-Clause
/*
 * Slots: cut from the range, used again, kept in quarantine in the order in which
 * their blocks were freed.  Bookkeeping only: no block is opened or closed here.
 */
#include <string.h>

#include "guard.h"

/* Accessible bytes of records grow by this much. */
#define RECORDS_STEP (64 * 1024)
/* Below this a range is not worth having. */
#define RANGE_MIN (1024 * 1024)
/* Granules that are handed to the back end at once, or more for a larger slot. */
#define ARM_STEP 256
#define ARM_STEP_SAMPLED 16

/* ---------------------------------------------------------- addresses -- */

static uint32_t granule_of(const struct guard *g, const void *p)
{
	return ((const char *)p - g->base) / guard_granule(g);
}

static size_t records_bytes(size_t records)
{
	return round_up(records * sizeof(struct guard_record), RECORDS_STEP);
}

static size_t stacks_bytes(size_t records)
{
	return round_up(records * sizeof(struct guard_stacks), RECORDS_STEP);
}

static void reserve_both(struct guard *g, size_t range)
{
	g->range = range;
	g->base = addresses_reserve(&g->range, RANGE_MIN, g->page);
	if (!g->base)
		return;
	g->records = addresses_new(records_bytes(g->range / guard_granule(g)));
	if (g->records)
		return;
	munmap(g->base, g->range);
	g->base = NULL;
	g->range = 0;
}

void guard_reserve(struct guard *g, size_t range)
{
	const char *name = g->args->name;

	g->cut = g->armed = 1;
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
	munmap(g->records, records_bytes(g->range / guard_granule(g)));
	if (g->stacks)
		munmap(g->stacks, stacks_bytes(g->range / guard_granule(g)));
}

bool guard_stacks_reserve(struct guard *g)
{
	g->stacks = addresses_new(stacks_bytes(g->range / guard_granule(g)));
	return g->stacks;
}

/* ------------------------------------------------------------- cutting -- */

static bool stacks_reach(struct guard *g, size_t granules)
{
	size_t have = stacks_bytes(g->recorded);
	size_t want = stacks_bytes(smaller(granules, g->range / guard_granule(g)));

	return !g->stacks || want <= have ||
	       addresses_open((char *)g->stacks + have, want - have);
}

static bool records_reach(struct guard *g, size_t granules)
{
	size_t have = records_bytes(g->recorded);
	size_t want = records_bytes(granules);
	size_t reached = want / sizeof(struct guard_record);

	if (granules <= g->recorded)
		return true;
	if (!stacks_reach(g, reached) ||
	    !addresses_open((char *)g->records + have, want - have))
		return false;
	g->recorded = reached;
	return true;
}

/* The next granules, which are armed. */
static struct guard_record *cut(struct guard *g, unsigned order)
{
	size_t granules = (size_t)1 << (order - GUARD_ORDER_MIN);
	struct guard_record *r = &g->records[g->cut];

	if (!records_reach(g, g->cut + granules))
		return NULL;
	g->cut += granules;
	r->order = order;
	r->tie = g->armed_apart ? GUARD_APART : GUARD_TIED;
	return r;
}

/* Slots that the back end is not to have must not be in what it watches. */
static bool arm_pages(struct guard *g, char *p, size_t size)
{
	size_t end = p + size - g->base;

	if (end <= g->data && g->backend->arm(g, p, size))
		return true;
	addresses_close(p, size);
	return false;
}

/*
 * Have so many granules armed.  What is armed in two steps may be two mappings, in
 * which no slot may lie: what is left of the last step becomes small slots.
 */
static bool arm(struct guard *g, size_t granules)
{
	size_t left = g->range / guard_granule(g) - g->armed;
	size_t usual = g->sample > 1 && g->armed < ARM_STEP ? ARM_STEP_SAMPLED : ARM_STEP;
	size_t step = smaller(larger(granules, usual), left);
	char *p = g->base + g->armed * guard_granule(g);
	struct guard_record *r;

	if (step < granules)
		return false;
	while (g->cut < g->armed) {
		r = cut(g, GUARD_ORDER_MIN);
		if (!r)
			return false;
		guard_slot_put(g, r);
	}
	g->armed_apart = !arm_pages(g, p, step * guard_granule(g));
	g->armed += step;
	return true;
}

static struct guard_record *slot_cut(struct guard *g, unsigned order)
{
	size_t granules = (size_t)1 << (order - GUARD_ORDER_MIN);

	if (g->cut + granules > g->armed && !arm(g, granules))
		return NULL;
	return cut(g, order);
}

/* -------------------------------------------------------- using again -- */

void guard_slot_put(struct guard *g, struct guard_record *r)
{
	r->next = g->free[r->order];
	g->free[r->order] = guard_first(g, r);
}

static struct guard_record *slot_reuse(struct guard *g, unsigned order)
{
	struct guard_record *r = &g->records[g->free[order]];

	if (!g->free[order])
		return NULL;
	g->free[order] = r->next;
	return r;
}

static void release_oldest(struct guard *g)
{
	struct guard_record *r = &g->records[g->oldest];

	g->oldest = r->next;
	if (!g->oldest)
		g->newest = 0;
	g->quarantined -= guard_slot_bytes(g, r);
	guard_slot_put(g, r);
}

void guard_slot_retire(struct guard *g, struct guard_record *r)
{
	r->next = 0;
	if (g->newest)
		g->records[g->newest].next = guard_first(g, r);
	else
		g->oldest = guard_first(g, r);
	g->newest = guard_first(g, r);
	g->quarantined += guard_slot_bytes(g, r);
	while (g->quarantined > g->quarantine)
		release_oldest(g);
}

struct guard_record *guard_slot_take(struct guard *g, unsigned order)
{
	struct guard_record *r = slot_reuse(g, order);

	if (!r)
		r = slot_cut(g, order);
	while (!r && g->oldest) {
		release_oldest(g);
		r = slot_reuse(g, order);
	}
	return r;
}

struct guard_record *guard_slot_take_next(struct guard *g)
{
	struct guard_record *r = slot_reuse(g, GUARD_ORDER_MIN);

	if (!r)
		r = slot_cut(g, GUARD_ORDER_MIN);
	if (!r || (r->tie == GUARD_TIED && !r->dirty))
		return r;
	guard_slot_put(g, r);
	return NULL;
}

struct guard_record *guard_slot_of(const struct guard *g, const char *p)
{
	uint32_t granule = granule_of(g, p);
	struct guard_record *r;

	if (granule >= g->cut)
		return NULL;
	r = &g->records[granule];
	if (r->state == GUARD_INSIDE)
		r = &g->records[r->next];
	return r->p == p && r->state == GUARD_LIVE ? r : NULL;
}
