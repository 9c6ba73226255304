// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which slot of which guard an address lies in, for whoever has an address and may
 * not wait: signal handlers.
 */
#include "guard.h"

static struct guard *_Atomic guard_instances;

void guard_instance_add(struct guard *g)
{
	g->next = guard_instances;
	guard_instances = g;
}

void guard_instance_remove(struct guard *g)
{
	struct guard *before = guard_instances;

	if (before == g) {
		guard_instances = g->next;
		return;
	}
	while (before && before->next != g)
		before = before->next;
	if (before)
		before->next = g->next;
}

/* The slot that p lies in, by searching; null if it lies in none. */
static const struct guard_record *slot_around(const struct guard *g, const char *p)
{
	size_t granule = (p - g->base) / guard_granule(g);

	if (granule >= g->cut)
		return NULL;
	for (size_t i = granule; i > 0; i--) {
		const struct guard_record *r = &g->records[i];

		if (r->state == GUARD_UNUSED || r->state == GUARD_INSIDE)
			continue;
		return p < guard_slot_start(g, r) + guard_slot_bytes(g, r) ? r : NULL;
	}
	return NULL;
}

bool guard_find(const void *address, struct guard_where *where)
{
	const struct guard *g = guard_instances;
	const struct guard_record *r;

	while (g && !guard_has(g, address))
		g = g->next;
	if (!g)
		return false;
	*where = (struct guard_where){.g = g, .address = address};
	r = slot_around(g, address);
	if (!r)
		return true;
	where->in_slot = true;
	where->slot = *r;
	if (g->stacks)
		where->stacks = g->stacks[guard_first(g, r)];
	return true;
}
