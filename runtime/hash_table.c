// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of maps and sets: its block, how it grows and shrinks, and the places that
 * entries take and leave.  What is looked up is in hash_table.h.
 */
#include "hash_table.h"
#include "huge.h"

/* ---- looking up ---- */

size_t table_find(const struct hash_table *t, const struct entry_shape *shape, uint64_t hash,
		  const uint8_t *key)
{
	const uint8_t *states = t->states;
	struct probe probe;

	if (!t->cap)
		return NOT_THERE;
	__builtin_prefetch(table_entry(t, shape, hash & (t->cap - 1)));
	for (probe = probe_begin(t->cap, hash);; probe_next(&probe)) {
		uint64_t group = chic_table_load(states + probe.at);

		for (uint64_t m = chic_table_match(group, chic_table_state(hash)); m;
		     m &= m - 1) {
			size_t at = probe.at + chic_table_first(m);

			bool same = same_key(shape, table_entry(t, shape, at), key);

			/* a callback changed the table: what was seen of it is gone */
			if (unlikely(t->states != states))
				return NOT_THERE;
			if (likely(same))
				return at;
		}
		if (likely(chic_table_empty(group)))
			return NOT_THERE;
	}
}

/* ---- the block ---- */

/* That of the entries, or of hashes; a table's entries of no power of two have none. */
static size_t block_align(const struct entry_shape *shape)
{
	return shape->align > sizeof(uint64_t) ? shape->align : sizeof(uint64_t);
}

static bool block_size(const struct entry_shape *shape, size_t cap, size_t *out)
{
	size_t one;

	return !__builtin_add_overflow(shape->stride, sizeof(uint64_t) + 1, &one) &&
	       rt_bytes(cap, one, out);
}

/* Of so many bytes that the pages are what it costs. */
static bool is_large(size_t size)
{
	const size_t huge = RT_HUGE;

	return huge && size >= 2 * huge;
}

static void lay_out(struct hash_table *t, const struct entry_shape *shape, uint8_t *p,
		    size_t cap)
{
	t->entries = p;
	t->states = p + cap * shape->stride;
	t->hashes = t->states + cap;
	t->cap = cap;
}

static int block_get(struct hash_table *t, const struct entry_shape *shape, size_t cap)
{
	size_t size;
	uint8_t *p;

	if (!rt_power_of_two(shape->align))
		return TABLE_ALLOCATION_FAILED;
	if (!block_size(shape, cap, &size))
		return TABLE_CAPACITY_OVERFLOW;
	p = rt_get(size, block_align(shape));
	if (!p)
		return TABLE_ALLOCATION_FAILED;
	if (is_large(size))
		rt_advise_huge(p, size);
	*t = (struct hash_table){0};
	lay_out(t, shape, p, cap);
	memset(t->states, EMPTY, cap);
	return TABLE_SUCCESS;
}

void table_release(const struct hash_table *former, const struct entry_shape *shape)
{
	size_t size;

	if (former->cap && block_size(shape, former->cap, &size))
		rt_put(former->entries, size, block_align(shape));
}

/* ---- places ---- */

size_t table_next(const uint8_t *states, size_t cap, size_t from)
{
	uint64_t full;

	while (from < cap && from % GROUP) {
		if (states[from] & FULL)
			return from;
		from++;
	}
	for (; from < cap; from += GROUP) {
		full = group_full(chic_table_load(states + from));
		if (full)
			return from + chic_table_first(full);
	}
	return cap;
}

/* Its home, or else the first on the hash's way. */
static inline size_t free_place(const struct hash_table *t, uint64_t hash)
{
	size_t home = hash & (t->cap - 1);
	struct probe probe;
	uint64_t group;

	if (!(t->states[home] & FULL))
		return home;
	for (probe = probe_begin(t->cap, hash);; probe_next(&probe)) {
		group = chic_table_load(t->states + probe.at);
		if (likely(group_full(group) != CHIC_TABLE_ONES))
			return probe.at + chic_table_first(~group & CHIC_TABLE_ONES);
	}
}

static inline size_t claim(struct hash_table *t, uint64_t hash)
{
	size_t at = free_place(t, hash);

	t->tombstones -= t->states[at] == TOMBSTONE;
	table_set(t, at, hash);
	t->len++;
	return at;
}

size_t table_claim(struct hash_table *t, uint64_t hash)
{
	return claim(t, hash);
}

void table_remove(struct hash_table *t, size_t at)
{
	uint64_t group = chic_table_load(t->states + at / GROUP * GROUP);
	bool was_full = !chic_table_empty(group);

	t->states[at] = was_full ? TOMBSTONE : EMPTY;
	t->tombstones += was_full;
	t->len--;
}

struct hash_table table_detach(struct hash_table *t)
{
	struct hash_table all = *t;

	*t = (struct hash_table){0};
	return all;
}

void table_attach(struct hash_table *t, const struct hash_table *former,
		  const struct entry_shape *shape)
{
	if (t->cap) {
		table_release(former, shape);
		return;
	}
	*t = *former;
	t->len = t->tombstones = 0;
	if (t->cap)
		memset(t->states, EMPTY, t->cap);
}

/* ---- the same entries for another capacity ---- */

static void swap_bytes(uint8_t *a, uint8_t *b, size_t size)
{
	uint8_t room[64];

	for (size_t part; size; a += part, b += part, size -= part) {
		part = size < sizeof(room) ? size : sizeof(room);
		memcpy(room, a, part);
		memcpy(a, b, part);
		memcpy(b, room, part);
	}
}

static void move_entry(struct hash_table *t, const struct entry_shape *shape, size_t from,
		       size_t to)
{
	copy_bytes(table_entry(t, shape, to), table_entry(t, shape, from), shape->stride);
	t->states[from] = EMPTY;
}

/* What is at to comes to from instead. */
static void swap_entries(struct hash_table *t, const struct entry_shape *shape, size_t from,
			 size_t to)
{
	uint64_t other = table_hash(t, to);

	swap_bytes(table_entry(t, shape, to), table_entry(t, shape, from), shape->stride);
	memcpy(t->hashes + from * sizeof(other), &other, sizeof(other));
}

/* The entry at from, which is marked as a tombstone, to where it belongs. */
static inline void settle(struct hash_table *t, const struct entry_shape *shape, size_t from)
{
	uint64_t hash = table_hash(t, from);
	size_t home = hash & (t->cap - 1), to = from;

	/* its home's group has a place for it: where it is */
	if (home / GROUP != from / GROUP) {
		to = free_place(t, hash);
		if (t->states[to] == EMPTY)
			move_entry(t, shape, from, to);
		else if (to / GROUP == from / GROUP)
			to = from;
		else
			swap_entries(t, shape, from, to);
	}
	table_set(t, to, hash);
}

/*
 * Entries that are among the first places, as another capacity had them, to where this
 * one has them.  A marked place is as good as a free one; what is settled stays, so that
 * a group which was full when an entry passed it will be full.
 */
static void settle_all(struct hash_table *t, const struct entry_shape *shape, size_t places)
{
	for (size_t at = 0; at < places; at += GROUP)
		group_store(t->states + at, group_full(chic_table_load(t->states + at)) << 1);
	for (size_t at = 0; at < places; at += GROUP) {
		uint64_t marked = chic_table_load(t->states + at) >> 1 & CHIC_TABLE_ONES;

		for (; marked; marked &= marked - 1)
			while (t->states[at + chic_table_first(marked)] == TOMBSTONE)
				settle(t, shape, at + chic_table_first(marked));
	}
	t->tombstones = 0;
}

/* The block itself grows. */
static int grow(struct hash_table *t, const struct entry_shape *shape, size_t cap)
{
	size_t size, former_size, former = t->cap;
	uint8_t *p;

	if (!block_size(shape, cap, &size))
		return TABLE_CAPACITY_OVERFLOW;
	block_size(shape, former, &former_size);
	p = rt_resize(t->entries, former_size, size, block_align(shape));
	if (!p)
		return TABLE_ALLOCATION_FAILED;
	lay_out(t, shape, p, cap);
	memmove(t->hashes, p + former * (shape->stride + 1), former * sizeof(uint64_t));
	memmove(t->states, p + former * shape->stride, former);
	memset(t->states + former, EMPTY, cap - former);
	settle_all(t, shape, former);
	return TABLE_SUCCESS;
}

/* A block of its own. */
static int move(struct hash_table *t, const struct entry_shape *shape, size_t cap)
{
	struct hash_table fresh;
	int err = block_get(&fresh, shape, cap);

	if (err)
		return err;
	for (size_t from = table_next(t->states, t->cap, 0); from < t->cap;
	     from = table_next(t->states, t->cap, from + 1)) {
		size_t to = claim(&fresh, table_hash(t, from));

		copy_bytes(table_entry(&fresh, shape, to), table_entry(t, shape, from),
			   shape->stride);
	}
	table_release(t, shape);
	*t = fresh;
	return TABLE_SUCCESS;
}

/*
 * In place where that is what spares pages.  A large table is better off in a new block
 * of huge pages, which a block that is moved from place to place does not get; unless
 * there is no memory for two.
 */
static int enlarge(struct hash_table *t, const struct entry_shape *shape, size_t cap)
{
	size_t size;

	if (!block_size(shape, cap, &size))
		return TABLE_CAPACITY_OVERFLOW;
	if (is_large(size) && !move(t, shape, cap))
		return TABLE_SUCCESS;
	return grow(t, shape, cap);
}

/* ---- values that are in the table already ---- */

bool table_keep(const struct hash_table *t, const struct entry_shape *shape,
		const uint8_t *bytes, size_t size, struct kept *kept)
{
	uint8_t *copy = kept->room.bytes;

	kept->bytes = bytes;
	if ((uintptr_t)bytes - (uintptr_t)t->entries >= t->cap * shape->stride)
		return true;
	if (size > sizeof(kept->room.bytes)) {
		copy = rt_get(size, 1);
		kept->block = size;
	}
	if (!copy)
		return false;
	rt_copy(copy, bytes, size);
	kept->bytes = copy;
	return true;
}

void table_keep_no_more(const struct kept *kept)
{
	if (kept->block)
		rt_put((uint8_t *)kept->bytes, kept->block, 1);
}

/* ---- capacities ---- */

static bool capacity_for(size_t entries, size_t *out)
{
	size_t cap = GROUP;

	while (entries > table_limit(cap)) {
		if (cap > RT_SIZE_MAX / 2)
			return false;
		cap *= 2;
	}
	*out = cap;
	return true;
}

int table_reserve(struct hash_table *t, const struct entry_shape *shape, size_t additional)
{
	size_t needed, used, cap;

	if (__builtin_add_overflow(t->len, additional, &needed) ||
	    __builtin_add_overflow(needed, t->tombstones, &used))
		return TABLE_CAPACITY_OVERFLOW;
	if (used <= table_limit(t->cap))
		return TABLE_SUCCESS;
	/* one that is nearly full without its tombstones would soon be here again */
	if (t->cap && needed < t->cap && needed > t->cap / 2)
		needed = t->cap;
	if (!capacity_for(needed, &cap))
		return TABLE_CAPACITY_OVERFLOW;
	if (!t->cap)
		return move(t, shape, cap);
	if (cap > t->cap)
		return enlarge(t, shape, cap);
	settle_all(t, shape, t->cap);
	return TABLE_SUCCESS;
}

int table_shrink(struct hash_table *t, const struct entry_shape *shape, size_t min_entries)
{
	size_t needed = t->len > min_entries ? t->len : min_entries, cap;
	struct hash_table former;

	if (!needed) {
		former = table_detach(t);
		table_release(&former, shape);
		return TABLE_SUCCESS;
	}
	if (!capacity_for(needed, &cap) || cap >= t->cap)
		return TABLE_SUCCESS;
	return move(t, shape, cap);
}
