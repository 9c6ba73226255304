// SPDX-License-Identifier: BSD-2-Clause
/*
 * HashMap: entries of a key and a value in a hash table.
 */
#include "hash_table.h"

_Static_assert(offsetof(ChicHashMap, states) == offsetof(struct hash_table, states) &&
		       offsetof(ChicHashMap, hashes) == offsetof(struct hash_table, hashes) &&
		       offsetof(ChicHashMap, len) == offsetof(struct hash_table, len) &&
		       offsetof(ChicHashMap, cap) == offsetof(struct hash_table, cap) &&
		       offsetof(ChicHashMap, tombstones) ==
			       offsetof(struct hash_table, tombstones),
	       "a map begins as a table does");
_Static_assert(ChicHashMap_Success == (int)TABLE_SUCCESS &&
		       ChicHashMap_AllocationFailed == (int)TABLE_ALLOCATION_FAILED &&
		       ChicHashMap_InvalidPointer == (int)TABLE_INVALID_POINTER &&
		       ChicHashMap_CapacityOverflow == (int)TABLE_CAPACITY_OVERFLOW,
	       "a map's codes are a table's");

static inline struct hash_table *table_of(const ChicHashMap *map)
{
	return (struct hash_table *)map;
}

static inline size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static inline struct entry_shape shape_of(const ChicHashMap *map)
{
	return (struct entry_shape){
		.stride = map->entry_size,
		.align = larger(map->key_align, map->value_align),
		.key_size = map->key_size,
		.eq_fn = map->key_eq_fn,
	};
}

static inline uint8_t *entry_of(const ChicHashMap *map, size_t at)
{
	return map->entries + at * map->entry_size;
}

/* ---- how they begin ---- */

/* Sizes that no entry can have make one that has no block. */
static void lay_out(ChicHashMap *map)
{
	size_t end, align = larger(map->key_align, map->value_align);

	map->value_offset = entry_round_up(map->key_size, map->value_align);
	if (__builtin_add_overflow(map->value_offset, map->value_size, &end))
		end = SIZE_MAX;
	map->entry_size = entry_round_up(end, align);
}

CHIC_EXPORT ChicHashMap chic_rt_hashmap_new(size_t key_size, size_t key_align,
					    size_t value_size, size_t value_align,
					    uintptr_t key_drop_fn, uintptr_t value_drop_fn,
					    uintptr_t key_eq_fn)
{
	ChicHashMap map = {
		.key_size = key_size,
		.key_align = key_align + !key_align,
		.value_size = value_size,
		.value_align = value_align + !value_align,
		.key_drop_fn = key_drop_fn,
		.value_drop_fn = value_drop_fn,
		.key_eq_fn = key_eq_fn,
	};

	lay_out(&map);
	return map;
}

static int make_room(ChicHashMap *map, size_t additional)
{
	struct entry_shape shape = shape_of(map);

	if (!rt_power_of_two(map->key_align) || !rt_power_of_two(map->value_align))
		return TABLE_ALLOCATION_FAILED;
	return table_reserve(table_of(map), &shape, additional);
}

CHIC_EXPORT HashMapError chic_rt_hashmap_reserve(ChicHashMap *map, size_t additional)
{
	if (!map)
		return ChicHashMap_InvalidPointer;
	return additional ? make_room(map, additional) : ChicHashMap_Success;
}

CHIC_EXPORT ChicHashMap chic_rt_hashmap_with_capacity(size_t key_size, size_t key_align,
						      size_t value_size, size_t value_align,
						      size_t capacity, uintptr_t key_drop_fn,
						      uintptr_t value_drop_fn,
						      uintptr_t key_eq_fn)
{
	ChicHashMap map = chic_rt_hashmap_new(key_size, key_align, value_size, value_align,
					      key_drop_fn, value_drop_fn, key_eq_fn);

	chic_rt_hashmap_reserve(&map, capacity);
	return map;
}

/* ---- how they end ---- */

static inline void drop_entry(const ChicHashMap *map, uint8_t *entry)
{
	rt_drop(map->key_drop_fn, entry);
	rt_drop(map->value_drop_fn, entry + map->value_offset);
}

static void drop_entries(const ChicHashMap *map, const struct hash_table *t)
{
	if (!map->key_drop_fn && !map->value_drop_fn)
		return;
	for (size_t at = table_next(t->states, t->cap, 0); at < t->cap;
	     at = table_next(t->states, t->cap, at + 1))
		drop_entry(map, t->entries + at * map->entry_size);
}

/* Callbacks find an empty map. */
static ChicHashMap empty(ChicHashMap *map)
{
	ChicHashMap former = *map;

	table_detach(table_of(map));
	drop_entries(&former, table_of(&former));
	return former;
}

CHIC_EXPORT HashMapError chic_rt_hashmap_clear(ChicHashMap *map)
{
	struct entry_shape shape;
	ChicHashMap former;

	if (!map)
		return ChicHashMap_InvalidPointer;
	former = empty(map);
	shape = shape_of(map);
	table_attach(table_of(map), table_of(&former), &shape);
	return ChicHashMap_Success;
}

CHIC_EXPORT void chic_rt_hashmap_drop(ChicHashMap *map)
{
	struct entry_shape shape;
	ChicHashMap former;

	if (!map)
		return;
	former = empty(map);
	shape = shape_of(&former);
	table_release(table_of(&former), &shape);
}

CHIC_EXPORT HashMapError chic_rt_hashmap_shrink_to(ChicHashMap *map, size_t min_capacity)
{
	struct entry_shape shape;

	if (!map)
		return ChicHashMap_InvalidPointer;
	shape = shape_of(map);
	return table_shrink(table_of(map), &shape, min_capacity);
}

/* ---- entries put in ---- */

/* The entry's key stays, and the new one ends; unless it is that very one. */
static HashMapError replace(ChicHashMap *map, size_t at, const ValueConstPtr *key,
			    const ValueConstPtr *value, const ValueMutPtr *previous)
{
	uintptr_t value_drop_fn = map->value_drop_fn;
	uintptr_t key_drop_fn = key->ptr == entry_of(map, at) ? 0 : map->key_drop_fn;
	uint8_t *place = entry_of(map, at) + map->value_offset, *former = place;
	struct lifted room;

	if (!can_hold(previous, map->value_size))
		return ChicHashMap_InvalidPointer;
	if (is_wanted(previous)) {
		rt_copy(previous->ptr, place, map->value_size);
		value_drop_fn = 0;
	} else if (value_drop_fn) {
		former = lift(&room, place, map->value_size, map->value_align);
	}
	if (former == place) {
		rt_drop(value_drop_fn, place);
		value_drop_fn = 0;
	}
	if (map->value_size)
		memmove(place, value->ptr, map->value_size);
	rt_drop(value_drop_fn, former);
	rt_drop(key_drop_fn, (uint8_t *)key->ptr);
	return ChicHashMap_Success;
}

static inline HashMapError fill(ChicHashMap *map, size_t at, const uint8_t *key,
				const uint8_t *value)
{
	uint8_t *entry = entry_of(map, at);

	copy_bytes(entry, key, map->key_size);
	copy_bytes(entry + map->value_offset, value, map->value_size);
	return ChicHashMap_Success;
}

/* Making room moves entries, of which the key or value may be part. */
static __attribute__((noinline)) HashMapError put_after_growth(ChicHashMap *map, uint64_t hash,
							       const ValueConstPtr *key,
							       const ValueConstPtr *value)
{
	struct entry_shape shape = shape_of(map);
	struct kept k = {.block = 0}, v = {.block = 0};
	int err = TABLE_ALLOCATION_FAILED;

	if (!table_keep(table_of(map), &shape, key->ptr, map->key_size, &k))
		return err;
	if (table_keep(table_of(map), &shape, value->ptr, map->value_size, &v)) {
		err = make_room(map, 1);
		if (!err)
			fill(map, table_claim(table_of(map), hash), k.bytes, v.bytes);
		table_keep_no_more(&v);
	}
	table_keep_no_more(&k);
	return err;
}

static __attribute__((noinline)) HashMapError insert_any(ChicHashMap *map, uint64_t hash,
							 const ValueConstPtr *key,
							 const ValueConstPtr *value,
							 const ValueMutPtr *previous,
							 int32_t *replaced)
{
	struct entry_shape shape;
	HashMapError err;
	size_t at;

	if (!map || !can_give(key, map->key_size) || !can_give(value, map->value_size))
		return ChicHashMap_InvalidPointer;
	shape = shape_of(map);
	at = table_find(table_of(map), &shape, hash, key->ptr);
	if (at == NOT_THERE && !table_has_room(table_of(map)))
		return put_after_growth(map, hash, key, value);
	if (at == NOT_THERE)
		return fill(map, table_claim(table_of(map), hash), key->ptr, value->ptr);
	err = replace(map, at, key, value, previous);
	if (replaced)
		*replaced = !err;
	return err;
}

CHIC_EXPORT HashMapError chic_rt_hashmap_insert(ChicHashMap *map, uint64_t hash,
						const ValueConstPtr *key,
						const ValueConstPtr *value,
						const ValueMutPtr *previous, int32_t *replaced)
{
	struct entry_shape shape;
	size_t empty;

	if (replaced)
		*replaced = 0;
	if (likely(map && can_give(key, map->key_size) && can_give(value, map->value_size) &&
		   table_has_room(table_of(map)))) {
		shape = shape_of(map);
		table_glance(table_of(map), &shape, hash, key->ptr, &empty);
		if (likely(empty != NOT_THERE)) {
			table_set(table_of(map), empty, hash);
			map->len++;
			return fill(map, empty, key->ptr, value->ptr);
		}
	}
	return insert_any(map, hash, key, value, previous, replaced);
}

/* ---- entries looked at ---- */

static inline size_t find(const ChicHashMap *map, uint64_t hash, const ValueConstPtr *key)
{
	struct entry_shape shape;

	if (unlikely(!map || !can_give(key, map->key_size)))
		return NOT_THERE;
	shape = shape_of(map);
	return table_look(table_of(map), &shape, hash, key->ptr);
}

CHIC_EXPORT int32_t chic_rt_hashmap_contains(const ChicHashMap *map, uint64_t hash,
					     const ValueConstPtr *key)
{
	return find(map, hash, key) != NOT_THERE;
}

CHIC_EXPORT ValueConstPtr chic_rt_hashmap_get_ptr(const ChicHashMap *map, uint64_t hash,
						  const ValueConstPtr *key)
{
	size_t at = find(map, hash, key);

	if (!map)
		return (ValueConstPtr){NULL, 0, 0};
	return (ValueConstPtr){at == NOT_THERE ? NULL : entry_of(map, at) + map->value_offset,
			       map->value_size, map->value_align};
}

CHIC_EXPORT size_t chic_rt_hashmap_len(const ChicHashMap *map)
{
	return map ? map->len : 0;
}

CHIC_EXPORT size_t chic_rt_hashmap_capacity(const ChicHashMap *map)
{
	return map ? map->cap : 0;
}

CHIC_EXPORT uint8_t chic_rt_hashmap_bucket_state(const ChicHashMap *map, size_t index)
{
	return map ? table_state(table_of(map), index) : EMPTY;
}

CHIC_EXPORT uint64_t chic_rt_hashmap_bucket_hash(const ChicHashMap *map, size_t index)
{
	return map && table_is_full(table_of(map), index) ? table_hash(table_of(map), index)
							  : 0;
}

/* ---- entries taken out ---- */

/* Each to its place, or to its end. */
static HashMapError take_out(ChicHashMap *map, size_t at, const ValueMutPtr *key_out,
			     const ValueMutPtr *value_out)
{
	uintptr_t key_drop_fn = map->key_drop_fn, value_drop_fn = map->value_drop_fn;
	size_t value_offset = map->value_offset;
	struct entry_shape shape = shape_of(map);
	struct lifted room;
	uint8_t *entry;

	if (!can_hold(key_out, map->key_size) || !can_hold(value_out, map->value_size))
		return ChicHashMap_InvalidPointer;
	entry = lift(&room, entry_of(map, at), shape.stride, shape.align);
	if (is_wanted(key_out))
		rt_copy(key_out->ptr, entry, map->key_size);
	if (is_wanted(value_out))
		rt_copy(value_out->ptr, entry + value_offset, map->value_size);
	table_remove(table_of(map), at);
	if (!is_wanted(key_out))
		rt_drop(key_drop_fn, entry);
	if (!is_wanted(value_out))
		rt_drop(value_drop_fn, entry + value_offset);
	return ChicHashMap_Success;
}

CHIC_EXPORT HashMapError chic_rt_hashmap_take(ChicHashMap *map, uint64_t hash,
					      const ValueConstPtr *key, const ValueMutPtr *out)
{
	size_t at;

	if (!map || !can_give(key, map->key_size))
		return ChicHashMap_InvalidPointer;
	at = find(map, hash, key);
	return at == NOT_THERE ? ChicHashMap_NotFound : take_out(map, at, NULL, out);
}

CHIC_EXPORT HashMapError chic_rt_hashmap_take_at(ChicHashMap *map, size_t index,
						 const ValueMutPtr *key_out,
						 const ValueMutPtr *value_out)
{
	if (!map)
		return ChicHashMap_InvalidPointer;
	if (!table_is_full(table_of(map), index))
		return ChicHashMap_NotFound;
	return take_out(map, index, key_out, value_out);
}

CHIC_EXPORT int32_t chic_rt_hashmap_remove(ChicHashMap *map, uint64_t hash,
					   const ValueConstPtr *key)
{
	return chic_rt_hashmap_take(map, hash, key, NULL) == ChicHashMap_Success;
}

/* ---- iteration ---- */

CHIC_EXPORT ChicHashMapIter chic_rt_hashmap_iter(const ChicHashMap *map)
{
	if (!map)
		return (ChicHashMapIter){0};
	return (ChicHashMapIter){
		.entries = map->entries,
		.states = map->states,
		.cap = map->cap,
		.entry_size = map->entry_size,
		.key_size = map->key_size,
		.key_align = map->key_align,
		.value_size = map->value_size,
		.value_align = map->value_align,
		.value_offset = map->value_offset,
	};
}

CHIC_EXPORT ValueConstPtr chic_rt_hashmap_iter_next_ptr(ChicHashMapIter *iter)
{
	const uint8_t *entry = NULL;
	size_t at;

	if (!iter)
		return (ValueConstPtr){NULL, 0, 0};
	at = table_next(iter->states, iter->cap, iter->index);
	if (at < iter->cap)
		entry = iter->entries + at * iter->entry_size;
	iter->index = at < iter->cap ? at + 1 : at;
	return (ValueConstPtr){entry, iter->entry_size,
			       larger(iter->key_align, iter->value_align)};
}

CHIC_EXPORT HashMapError chic_rt_hashmap_iter_next(ChicHashMapIter *iter,
						   const ValueMutPtr *key_out,
						   const ValueMutPtr *value_out)
{
	ValueConstPtr entry;

	if (!iter || !can_hold(key_out, iter->key_size) ||
	    !can_hold(value_out, iter->value_size))
		return ChicHashMap_InvalidPointer;
	entry = chic_rt_hashmap_iter_next_ptr(iter);
	if (!entry.ptr)
		return ChicHashMap_IterationComplete;
	if (is_wanted(key_out))
		rt_copy(key_out->ptr, entry.ptr, iter->key_size);
	if (is_wanted(value_out))
		rt_copy(value_out->ptr, entry.ptr + iter->value_offset, iter->value_size);
	return ChicHashMap_Success;
}
