/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hash_table.c, hashmap.c and hashset.c: the table that maps and sets are.
 *
 * One block holds the entries, then one state byte for each, then their hashes, which a
 * search does not look at.  A state is 0 (empty), 2 (tombstone), or odd: an entry with
 * seven bits of its hash, so that equality is asked of few others.  States are looked at
 * in groups of eight, one word.  The first group is made of the hash's low bits as they
 * are, that neighbours stay neighbours, and of its mixed high bits; where that group is
 * full, a step that all of the hash decides leads on, so that poor hashes do not pile up.
 * chic_rt.h has that for its inline functions, so that it is written down once.
 *
 * A search ends at the first group with an empty place.  So a group that was ever full
 * keeps tombstones, and one that was not needs none.
 */
#ifndef CHIC_RUNTIME_HASH_TABLE_H
#define CHIC_RUNTIME_HASH_TABLE_H

#include <endian.h>

#include "internal.h"

#pragma GCC visibility push(hidden)

#define GROUP CHIC_TABLE_GROUP
#define NOT_THERE SIZE_MAX

enum { EMPTY = 0, FULL = 1, TOMBSTONE = 2 };

/* How ChicHashMap and ChicHashSet begin. */
struct hash_table {
	uint8_t *entries;
	uint8_t *states;
	uint8_t *hashes;
	size_t len;
	size_t cap; /* a power of two, at least GROUP; 0: no block */
	size_t tombstones;
} __attribute__((may_alias));

/* What differs from table to table. */
struct entry_shape {
	size_t stride; /* RT_SIZE_MAX + 1 and more: no machine has such entries */
	size_t align;
	size_t key_size;
	uintptr_t eq_fn; /* 0: bytes are compared */
};

/* The codes that HashMapError and HashSetError have in common. */
enum {
	TABLE_SUCCESS = 0,
	TABLE_ALLOCATION_FAILED = 1,
	TABLE_INVALID_POINTER = 2,
	TABLE_CAPACITY_OVERFLOW = 3,
};

/* ---- groups of states, and where an entry may be: see chic_rt.h ---- */

static inline void group_store(uint8_t *states, uint64_t group)
{
	group = htole64(group);
	memcpy(states, &group, sizeof(group));
}

static inline uint64_t group_full(uint64_t group)
{
	return group & CHIC_TABLE_ONES;
}

struct probe {
	size_t at; /* of a group's first place */
	size_t step;
	size_t mask;
};

static inline struct probe probe_begin(size_t cap, uint64_t hash)
{
	size_t mask = cap - GROUP;

	return (struct probe){
		.at = hash & mask,
		.step = chic_table_step(cap, hash),
		.mask = mask,
	};
}

static inline void probe_next(struct probe *probe)
{
	probe->at = (probe->at + probe->step) & probe->mask;
}

/* ---- entries ---- */

/*
 * SIZE_MAX where that is more than there is.  An alignment that is no power of two has
 * no block either, see table_reserve().
 */
static inline size_t entry_round_up(size_t size, size_t align)
{
	size_t sum;

	return __builtin_add_overflow(size, align - 1, &sum) ? SIZE_MAX : sum & -align;
}

/* The sizes that most keys, values and entries have without a call. */
static inline void copy_bytes(void *dst, const void *src, size_t size)
{
	if (size == 8)
		memcpy(dst, src, 8);
	else if (size == 16)
		memcpy(dst, src, 16);
	else
		rt_copy(dst, src, size);
}

static inline bool same_bytes(const uint8_t *a, const uint8_t *b, size_t size)
{
	uint64_t x, y;

	/* a key of no bytes may have no place */
	if (size != sizeof(x))
		return !size || memcmp(a, b, size) == 0;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x == y;
}

static inline bool same_key(const struct entry_shape *shape, const uint8_t *entry,
			    const uint8_t *key)
{
	if (shape->eq_fn)
		return ((rt_eq_fn)shape->eq_fn)(entry, key) != 0;
	return same_bytes(entry, key, shape->key_size);
}

static inline uint8_t *table_entry(const struct hash_table *t, const struct entry_shape *shape,
				   size_t at)
{
	return t->entries + at * shape->stride;
}

static inline bool table_is_full(const struct hash_table *t, size_t at)
{
	return at < t->cap && t->states[at] & FULL;
}

static inline uint8_t table_state(const struct hash_table *t, size_t at)
{
	if (table_is_full(t, at))
		return FULL;
	return at < t->cap ? t->states[at] : EMPTY;
}

static inline uint64_t table_hash(const struct hash_table *t, size_t at)
{
	uint64_t hash;

	memcpy(&hash, t->hashes + at * sizeof(hash), sizeof(hash));
	return hash;
}

/* ---- looking up ---- */

/* Where the key is, or NOT_THERE. */
size_t table_find(const struct hash_table *t, const struct entry_shape *shape, uint64_t hash,
		  const uint8_t *key);

/*
 * The usual case, without a call: the first group says all.  *empty: a place for the key
 * where it is not there.  NOT_THERE and NOT_THERE: ask table_find().
 */
static inline size_t table_glance(const struct hash_table *t, const struct entry_shape *shape,
				  uint64_t hash, const uint8_t *key, size_t *empty)
{
	const uint8_t *states = t->states;
	size_t home = hash & (t->cap - 1), at = home & -GROUP, place;
	uint64_t group = chic_table_load(states + at), m;

	__builtin_prefetch(table_entry(t, shape, home));
	*empty = NOT_THERE;
	m = chic_table_match(group, chic_table_state(hash));
	if (m) {
		place = at + chic_table_first(m);
		if (likely(same_key(shape, table_entry(t, shape, place), key)) &&
		    likely(t->states == states))
			return place;
		return NOT_THERE;
	}
	m = chic_table_empty(group);
	if (likely(m))
		*empty = states[home] == EMPTY ? home : at + chic_table_first(m);
	return NOT_THERE;
}

/* The same, to the end. */
static inline size_t table_look(const struct hash_table *t, const struct entry_shape *shape,
				uint64_t hash, const uint8_t *key)
{
	const uint8_t *states = t->states;
	size_t at, empty;

	if (unlikely(!t->cap))
		return NOT_THERE;
	at = table_glance(t, shape, hash, key, &empty);
	if (likely(at != NOT_THERE || empty != NOT_THERE))
		return at;
	/* a callback changed the table: what was seen of it is gone */
	return t->states == states ? table_find(t, shape, hash, key) : NOT_THERE;
}

/* Of ten places seven are used at most, tombstones among them. */
static inline size_t table_limit(size_t cap)
{
	/* cap is far less than SIZE_MAX: it has nine bytes a place */
	return cap / 10 * 7 + cap % 10 * 7 / 10;
}

/* For one more entry. */
static inline bool table_has_room(const struct hash_table *t)
{
	return chic_table_has_room(t->len + t->tombstones, t->cap);
}

/* ---- hash_table.c ---- */

/* Room for additional entries. */
int table_reserve(struct hash_table *t, const struct entry_shape *shape, size_t additional);
/* To the least capacity for its entries and min_entries; no block for none. */
int table_shrink(struct hash_table *t, const struct entry_shape *shape, size_t min_entries);
void table_release(const struct hash_table *former, const struct entry_shape *shape);

/* A place for a hash that is not there, of a table with room.  It is full then. */
size_t table_claim(struct hash_table *t, uint64_t hash);

static inline void table_set(struct hash_table *t, size_t at, uint64_t hash)
{
	t->states[at] = chic_table_state(hash);
	memcpy(t->hashes + at * sizeof(hash), &hash, sizeof(hash));
}

void table_remove(struct hash_table *t, size_t at);
/* All of t, which then has no block. */
struct hash_table table_detach(struct hash_table *t);
/* Back again, without entries, unless t has got another block meanwhile. */
void table_attach(struct hash_table *t, const struct hash_table *former,
		  const struct entry_shape *shape);
/* The first full place from here on, or cap. */
size_t table_next(const uint8_t *states, size_t cap, size_t from);

/* ---- handles of a value ---- */

/* What is not wanted may be no handle, or one of nothing. */
static inline bool is_wanted(const ValueMutPtr *out)
{
	return out && (out->ptr || out->size);
}

static inline bool can_hold(const ValueMutPtr *out, size_t size)
{
	return !is_wanted(out) || !size || rt_place(out, size);
}

static inline bool can_give(const ValueConstPtr *value, size_t size)
{
	return value && value->size >= size && (value->ptr || !size);
}

/*
 * Bytes that leave the table before a destructor sees them, so that one which changes
 * the table does no harm.  Larger ones stay where they are.
 */
struct lifted {
	_Alignas(64) uint8_t bytes[256];
};

/* Bytes of a value while entries move. */
struct kept {
	const uint8_t *bytes;
	size_t block; /* their own block's size, if they have one */
	struct lifted room;
};

/* Copied where they are part of the table; false: no memory for that.  kept is zeros. */
bool table_keep(const struct hash_table *t, const struct entry_shape *shape,
		const uint8_t *bytes, size_t size, struct kept *kept);
void table_keep_no_more(const struct kept *kept);

static inline uint8_t *lift(struct lifted *room, uint8_t *p, size_t size, size_t align)
{
	if (size > sizeof(room->bytes) || align > _Alignof(struct lifted))
		return p;
	rt_copy(room->bytes, p, size);
	return room->bytes;
}

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_HASH_TABLE_H */
