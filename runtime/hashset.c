// SPDX-License-Identifier: BSD-2-Clause
/*
 * HashSet: elements in a hash table.
 */
#include "hash_table.h"

_Static_assert(offsetof(ChicHashSet, states) == offsetof(struct hash_table, states) &&
		       offsetof(ChicHashSet, hashes) == offsetof(struct hash_table, hashes) &&
		       offsetof(ChicHashSet, len) == offsetof(struct hash_table, len) &&
		       offsetof(ChicHashSet, cap) == offsetof(struct hash_table, cap) &&
		       offsetof(ChicHashSet, tombstones) ==
			       offsetof(struct hash_table, tombstones),
	       "a set begins as a table does");
_Static_assert(ChicHashSet_Success == (int)TABLE_SUCCESS &&
		       ChicHashSet_AllocationFailed == (int)TABLE_ALLOCATION_FAILED &&
		       ChicHashSet_InvalidPointer == (int)TABLE_INVALID_POINTER &&
		       ChicHashSet_CapacityOverflow == (int)TABLE_CAPACITY_OVERFLOW,
	       "a set's codes are a table's");

static inline struct hash_table *table_of(const ChicHashSet *set)
{
	return (struct hash_table *)set;
}

static inline struct entry_shape shape_of(const ChicHashSet *set)
{
	return (struct entry_shape){
		.stride = entry_round_up(set->elem_size, set->elem_align),
		.align = set->elem_align,
		.key_size = set->elem_size,
		.eq_fn = set->eq_fn,
	};
}

static inline uint8_t *element_of(const ChicHashSet *set, size_t at)
{
	return set->entries + at * entry_round_up(set->elem_size, set->elem_align);
}

/* ---- how they begin ---- */

CHIC_EXPORT ChicHashSet chic_rt_hashset_new(size_t elem_size, size_t elem_align,
					    uintptr_t drop_fn, uintptr_t eq_fn)
{
	return (ChicHashSet){
		.elem_size = elem_size,
		.elem_align = elem_align + !elem_align,
		.drop_fn = drop_fn,
		.eq_fn = eq_fn,
	};
}

CHIC_EXPORT HashSetError chic_rt_hashset_reserve(ChicHashSet *set, size_t additional)
{
	struct entry_shape shape;

	if (!set)
		return ChicHashSet_InvalidPointer;
	shape = shape_of(set);
	return additional ? table_reserve(table_of(set), &shape, additional)
			  : ChicHashSet_Success;
}

CHIC_EXPORT ChicHashSet chic_rt_hashset_with_capacity(size_t elem_size, size_t elem_align,
						      size_t capacity, uintptr_t drop_fn,
						      uintptr_t eq_fn)
{
	ChicHashSet set = chic_rt_hashset_new(elem_size, elem_align, drop_fn, eq_fn);

	chic_rt_hashset_reserve(&set, capacity);
	return set;
}

/* ---- how they end ---- */

/* Callbacks find an empty set. */
static struct hash_table empty(ChicHashSet *set)
{
	struct entry_shape shape = shape_of(set);
	struct hash_table t = table_detach(table_of(set));
	uintptr_t drop_fn = set->drop_fn;

	if (!drop_fn)
		return t;
	for (size_t at = table_next(t.states, t.cap, 0); at < t.cap;
	     at = table_next(t.states, t.cap, at + 1))
		rt_drop(drop_fn, table_entry(&t, &shape, at));
	return t;
}

CHIC_EXPORT HashSetError chic_rt_hashset_clear(ChicHashSet *set)
{
	struct entry_shape shape;
	struct hash_table former;

	if (!set)
		return ChicHashSet_InvalidPointer;
	shape = shape_of(set);
	former = empty(set);
	table_attach(table_of(set), &former, &shape);
	return ChicHashSet_Success;
}

CHIC_EXPORT void chic_rt_hashset_drop(ChicHashSet *set)
{
	struct entry_shape shape;
	struct hash_table former;

	if (!set)
		return;
	shape = shape_of(set);
	former = empty(set);
	table_release(&former, &shape);
}

CHIC_EXPORT HashSetError chic_rt_hashset_shrink_to(ChicHashSet *set, size_t min_capacity)
{
	struct entry_shape shape;

	if (!set)
		return ChicHashSet_InvalidPointer;
	shape = shape_of(set);
	return table_shrink(table_of(set), &shape, min_capacity);
}

/* ---- elements put in ---- */

static inline HashSetError put(ChicHashSet *set, const struct entry_shape *shape, uint64_t hash,
			       const uint8_t *value)
{
	size_t at = table_claim(table_of(set), hash);

	copy_bytes(table_entry(table_of(set), shape, at), value, set->elem_size);
	return ChicHashSet_Success;
}

/* Making room moves elements, of which the value may be one. */
static __attribute__((noinline)) HashSetError put_after_growth(ChicHashSet *set,
							       const struct entry_shape *shape,
							       uint64_t hash,
							       const uint8_t *value)
{
	struct kept v = {.block = 0};
	int err;

	if (!table_keep(table_of(set), shape, value, set->elem_size, &v))
		return ChicHashSet_AllocationFailed;
	err = table_reserve(table_of(set), shape, 1);
	if (!err)
		put(set, shape, hash, v.bytes);
	table_keep_no_more(&v);
	return err;
}

static inline HashSetError put_new(ChicHashSet *set, const struct entry_shape *shape,
				   uint64_t hash, const uint8_t *value)
{
	return likely(table_has_room(table_of(set)))
		       ? put(set, shape, hash, value)
		       : put_after_growth(set, shape, hash, value);
}

CHIC_EXPORT HashSetError chic_rt_hashset_insert(ChicHashSet *set, uint64_t hash,
						const ValueConstPtr *value, int32_t *inserted)
{
	struct entry_shape shape;
	HashSetError err;

	if (inserted)
		*inserted = 0;
	if (!set || !can_give(value, set->elem_size))
		return ChicHashSet_InvalidPointer;
	shape = shape_of(set);
	if (table_look(table_of(set), &shape, hash, value->ptr) != NOT_THERE)
		return ChicHashSet_Success;
	err = put_new(set, &shape, hash, value->ptr);
	if (inserted)
		*inserted = !err;
	return err;
}

static HashSetError exchange(ChicHashSet *set, size_t at, const ValueConstPtr *value,
			     const ValueMutPtr *out)
{
	uint8_t *place = element_of(set, at), *former = place;
	uintptr_t drop_fn = set->drop_fn;
	struct lifted room;

	if (!can_hold(out, set->elem_size))
		return ChicHashSet_InvalidPointer;
	if (is_wanted(out)) {
		rt_copy(out->ptr, place, set->elem_size);
		drop_fn = 0;
	} else if (drop_fn) {
		former = lift(&room, place, set->elem_size, set->elem_align);
	}
	if (former == place) {
		rt_drop(drop_fn, place);
		drop_fn = 0;
	}
	if (set->elem_size)
		memmove(place, value->ptr, set->elem_size);
	rt_drop(drop_fn, former);
	return ChicHashSet_Success;
}

CHIC_EXPORT HashSetError chic_rt_hashset_replace(ChicHashSet *set, uint64_t hash,
						 const ValueConstPtr *value,
						 const ValueMutPtr *out, int32_t *replaced)
{
	struct entry_shape shape;
	HashSetError err;
	size_t at;

	if (replaced)
		*replaced = 0;
	if (!set || !can_give(value, set->elem_size))
		return ChicHashSet_InvalidPointer;
	shape = shape_of(set);
	at = table_find(table_of(set), &shape, hash, value->ptr);
	if (at == NOT_THERE)
		return put_new(set, &shape, hash, value->ptr);
	err = exchange(set, at, value, out);
	if (replaced)
		*replaced = !err;
	return err;
}

/* ---- elements looked at ---- */

static inline size_t find(const ChicHashSet *set, uint64_t hash, const ValueConstPtr *key)
{
	struct entry_shape shape;

	if (unlikely(!set || !can_give(key, set->elem_size)))
		return NOT_THERE;
	shape = shape_of(set);
	return table_look(table_of(set), &shape, hash, key->ptr);
}

CHIC_EXPORT int32_t chic_rt_hashset_contains(const ChicHashSet *set, uint64_t hash,
					     const ValueConstPtr *key)
{
	return find(set, hash, key) != NOT_THERE;
}

CHIC_EXPORT ValueConstPtr chic_rt_hashset_get_ptr(const ChicHashSet *set, uint64_t hash,
						  const ValueConstPtr *key)
{
	size_t at = find(set, hash, key);

	if (!set)
		return (ValueConstPtr){NULL, 0, 0};
	return (ValueConstPtr){at == NOT_THERE ? NULL : element_of(set, at), set->elem_size,
			       set->elem_align};
}

CHIC_EXPORT size_t chic_rt_hashset_len(const ChicHashSet *set)
{
	return set ? set->len : 0;
}

CHIC_EXPORT size_t chic_rt_hashset_capacity(const ChicHashSet *set)
{
	return set ? set->cap : 0;
}

CHIC_EXPORT size_t chic_rt_hashset_tombstones(const ChicHashSet *set)
{
	return set ? set->tombstones : 0;
}

CHIC_EXPORT uint8_t chic_rt_hashset_bucket_state(const ChicHashSet *set, size_t index)
{
	return set ? table_state(table_of(set), index) : EMPTY;
}

CHIC_EXPORT uint64_t chic_rt_hashset_bucket_hash(const ChicHashSet *set, size_t index)
{
	return set && table_is_full(table_of(set), index) ? table_hash(table_of(set), index)
							  : 0;
}

/* ---- elements taken out ---- */

static HashSetError take_out(ChicHashSet *set, size_t at, const ValueMutPtr *out)
{
	uintptr_t drop_fn = set->drop_fn;
	struct lifted room;
	uint8_t *element;

	if (!can_hold(out, set->elem_size))
		return ChicHashSet_InvalidPointer;
	element = lift(&room, element_of(set, at), set->elem_size, set->elem_align);
	if (is_wanted(out))
		rt_copy(out->ptr, element, set->elem_size);
	table_remove(table_of(set), at);
	if (!is_wanted(out))
		rt_drop(drop_fn, element);
	return ChicHashSet_Success;
}

CHIC_EXPORT HashSetError chic_rt_hashset_take(ChicHashSet *set, uint64_t hash,
					      const ValueConstPtr *key, const ValueMutPtr *out)
{
	size_t at;

	if (!set || !can_give(key, set->elem_size))
		return ChicHashSet_InvalidPointer;
	at = find(set, hash, key);
	return at == NOT_THERE ? ChicHashSet_NotFound : take_out(set, at, out);
}

CHIC_EXPORT HashSetError chic_rt_hashset_take_at(ChicHashSet *set, size_t index,
						 const ValueMutPtr *out)
{
	if (!set)
		return ChicHashSet_InvalidPointer;
	if (!table_is_full(table_of(set), index))
		return ChicHashSet_NotFound;
	return take_out(set, index, out);
}

CHIC_EXPORT int32_t chic_rt_hashset_remove(ChicHashSet *set, uint64_t hash,
					   const ValueConstPtr *key)
{
	return chic_rt_hashset_take(set, hash, key, NULL) == ChicHashSet_Success;
}

/* ---- iteration ---- */

CHIC_EXPORT ChicHashSetIter chic_rt_hashset_iter(const ChicHashSet *set)
{
	if (!set)
		return (ChicHashSetIter){0};
	return (ChicHashSetIter){
		.entries = set->entries,
		.states = set->states,
		.cap = set->cap,
		.elem_size = set->elem_size,
		.elem_align = set->elem_align,
	};
}

CHIC_EXPORT ValueConstPtr chic_rt_hashset_iter_next_ptr(ChicHashSetIter *iter)
{
	const uint8_t *element = NULL;
	size_t at;

	if (!iter)
		return (ValueConstPtr){NULL, 0, 0};
	at = table_next(iter->states, iter->cap, iter->index);
	if (at < iter->cap)
		element =
			iter->entries + at * entry_round_up(iter->elem_size, iter->elem_align);
	iter->index = at < iter->cap ? at + 1 : at;
	return (ValueConstPtr){element, iter->elem_size, iter->elem_align};
}

CHIC_EXPORT HashSetError chic_rt_hashset_iter_next(ChicHashSetIter *iter,
						   const ValueMutPtr *out)
{
	ValueConstPtr element;

	if (!iter || !can_hold(out, iter->elem_size))
		return ChicHashSet_InvalidPointer;
	element = chic_rt_hashset_iter_next_ptr(iter);
	if (!element.ptr)
		return ChicHashSet_IterationComplete;
	if (is_wanted(out))
		rt_copy(out->ptr, element.ptr, iter->elem_size);
	return ChicHashSet_Success;
}
