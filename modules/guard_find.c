// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which block of which guard an address is about, for whoever has an address and may
 * not wait: signal handlers.
 */
#include "guard.h"

static struct guard *_Atomic guard_instances;

void guard_instance_add(struct guard *g)
{
	g->next = atomic_load(&guard_instances);
	guard_instances = g;
}

void guard_instance_remove(struct guard *g)
{
	struct guard *before = guard_instances;

	if (before == g) {
		guard_instances = atomic_load(&g->next);
		return;
	}
	while (before && before->next != g)
		before = before->next;
	if (before)
		before->next = atomic_load(&g->next);
}

/* How far behind an address the next block may begin, in granules. */
#define NEXT_MAX 4

static bool has_had_block(const struct guard_record *r)
{
	return r->state == GUARD_LIVE || r->state == GUARD_FREED;
}

/* The slot of a block that begins at or before this granule, or null. */
static const struct guard_record *slot_before(const struct guard *g, size_t granule)
{
	for (size_t i = granule; i > 0; i--)
		if (has_had_block(&g->records[i]))
			return &g->records[i];
	return NULL;
}

static const struct guard_record *slot_behind(const struct guard *g, size_t granule)
{
	for (size_t i = granule + 1; i <= granule + NEXT_MAX && i < g->cut; i++)
		if (has_had_block(&g->records[i]))
			return &g->records[i];
	return NULL;
}

static size_t distance(const struct guard_record *r, const char *p)
{
	if (p < r->p)
		return r->p - p;
	return p < r->p + r->size ? 0 : p - (r->p + r->size) + 1;
}

/* The block of the slot that p lies in, or that of the next one if it is nearer. */
static const struct guard_record *block_near(const struct guard *g, const char *p)
{
	size_t granule = (p - g->base) / guard_granule(g);
	const struct guard_record *before, *behind;

	if (granule >= g->cut)
		return NULL;
	before = slot_before(g, granule);
	if (before && p >= guard_slot_start(g, before) + guard_slot_bytes(g, before))
		before = NULL;
	if (before && !distance(before, p))
		return before;
	behind = slot_behind(g, granule);
	if (!before || !behind)
		return before ? before : behind;
	return distance(before, p) <= distance(behind, p) ? before : behind;
}

bool guard_find(const void *address, struct guard_where *where)
{
	const struct guard *g = atomic_load(&guard_instances);
	const struct guard_record *r;

	while (g && !guard_has(g, address))
		g = atomic_load(&g->next);
	if (!g)
		return false;
	*where = (struct guard_where){.g = g, .address = address};
	r = block_near(g, address);
	if (!r)
		return true;
	where->has_block = true;
	where->block = *r;
	if (g->stacks)
		where->stacks = g->stacks[guard_first(g, r)];
	return true;
}
