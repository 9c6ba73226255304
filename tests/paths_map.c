// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps' and sets' ways to memory.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

enum { ENTRIES = 44, LARGE = 300 }; /* as many as there is room for in 64 places */

static ChicHashMap map, map_before;
static ChicHashSet set, set_before;
static uint8_t large[LARGE];

static uint64_t hash_of(uint64_t n)
{
	return n * UINT64_C(0x9e3779b97f4a7c15);
}

static ValueConstPtr value_of(const uint64_t *n)
{
	return (ValueConstPtr){(const uint8_t *)n, sizeof(*n), 8};
}

static int32_t put_in_map(uint64_t n)
{
	ValueConstPtr k = value_of(&n), v = {large, LARGE, 1};

	return chic_rt_hashmap_insert(&map, hash_of(n), &k, &v, NULL, NULL);
}

static int32_t put_in_set(uint64_t n)
{
	ValueConstPtr v = value_of(&n);

	return chic_rt_hashset_insert(&set, hash_of(n), &v, NULL);
}

static void prepare_map(void)
{
	memset(large, 0x42, sizeof(large));
	map = chic_rt_hashmap_new(8, 8, LARGE, 1, 0, 0, 0);
	for (uint64_t n = 0; n < ENTRIES; n++)
		ck_assert_int_eq(put_in_map(n), ChicHashMap_Success);
	map_before = map;
}

static void prepare_set(void)
{
	set = chic_rt_hashset_new(8, 8, 0, 0);
	for (uint64_t n = 0; n < ENTRIES; n++)
		ck_assert_int_eq(put_in_set(n), ChicHashSet_Success);
	set_before = set;
}

static void prepare_loose_map(void)
{
	prepare_map();
	ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 1000), ChicHashMap_Success);
	map_before = map;
}

static void prepare_loose_set(void)
{
	prepare_set();
	ck_assert_int_eq(chic_rt_hashset_reserve(&set, 1000), ChicHashSet_Success);
	set_before = set;
}

static void clean_map(void)
{
	chic_rt_hashmap_drop(&map);
}

static void clean_set(void)
{
	chic_rt_hashset_drop(&set);
}

static void map_has(uint64_t entries)
{
	ck_assert_uint_eq(chic_rt_hashmap_len(&map), entries);
	for (uint64_t n = 0; n < entries; n++) {
		ValueConstPtr k = value_of(&n);
		ValueConstPtr at = chic_rt_hashmap_get_ptr(&map, hash_of(n), &k);

		ck_assert_ptr_nonnull(at.ptr);
		ck_assert_mem_eq(at.ptr, large, LARGE);
	}
}

static void set_has(uint64_t entries)
{
	ck_assert_uint_eq(chic_rt_hashset_len(&set), entries);
	for (uint64_t n = 0; n < entries; n++) {
		ValueConstPtr v = value_of(&n);

		ck_assert_int_eq(chic_rt_hashset_contains(&set, hash_of(n), &v), 1);
	}
}

/* A status, of a call that leaves the map as it was where it is refused. */
static bool judge_map(int32_t status, uint64_t entries)
{
	if (status == ChicHashMap_Success) {
		map_has(entries);
		return true;
	}
	ck_assert_int_eq(status, ChicHashMap_AllocationFailed);
	ck_assert_mem_eq(&map, &map_before, sizeof(map));
	map_has(map_before.len);
	return false;
}

static bool judge_set(int32_t status, uint64_t entries)
{
	if (status == ChicHashSet_Success) {
		set_has(entries);
		return true;
	}
	ck_assert_int_eq(status, ChicHashSet_AllocationFailed);
	ck_assert_mem_eq(&set, &set_before, sizeof(set));
	set_has(set_before.len);
	return false;
}

/* ---- maps ---- */

static bool map_with_capacity(void)
{
	map = chic_rt_hashmap_with_capacity(8, 8, LARGE, 64, 100, 0, 0, 0);
	ck_assert_uint_eq(chic_rt_hashmap_len(&map), 0);
	return chic_rt_hashmap_capacity(&map) == 256;
}

static bool map_first_insert(void)
{
	map = map_before = chic_rt_hashmap_new(8, 8, LARGE, 1, 0, 0, 0);
	return judge_map(put_in_map(0), 1);
}

static bool map_insert(void)
{
	return judge_map(put_in_map(ENTRIES), ENTRIES + 1);
}

static bool map_insert_inline(void)
{
	uint64_t n = ENTRIES;

	return judge_map(chic_hashmap_insert(&map, hash_of(n), &n, sizeof(n), large, LARGE),
			 ENTRIES + 1);
}

/* The value is in the map, and too large for the stack. */
static bool map_insert_own(void)
{
	uint64_t former = 3, n = ENTRIES;
	ValueConstPtr k = value_of(&former), there;

	there = chic_rt_hashmap_get_ptr(&map, hash_of(former), &k);
	k = value_of(&n);
	return judge_map(chic_rt_hashmap_insert(&map, hash_of(n), &k, &there, NULL, NULL),
			 ENTRIES + 1);
}

static bool map_reserve(void)
{
	return judge_map(chic_rt_hashmap_reserve(&map, 1000), ENTRIES);
}

static bool map_shrink_to(void)
{
	bool done = judge_map(chic_rt_hashmap_shrink_to(&map, 0), ENTRIES);

	ck_assert(!done || chic_rt_hashmap_capacity(&map) == 64);
	return done;
}

/* ---- sets ---- */

static bool set_with_capacity(void)
{
	set = chic_rt_hashset_with_capacity(8, 8, 100, 0, 0);
	ck_assert_uint_eq(chic_rt_hashset_len(&set), 0);
	return chic_rt_hashset_capacity(&set) == 256;
}

static bool set_insert(void)
{
	return judge_set(put_in_set(ENTRIES), ENTRIES + 1);
}

static bool set_replace(void)
{
	uint64_t n = ENTRIES;
	ValueConstPtr v = value_of(&n);

	return judge_set(chic_rt_hashset_replace(&set, hash_of(n), &v, NULL, NULL),
			 ENTRIES + 1);
}

static bool set_reserve(void)
{
	return judge_set(chic_rt_hashset_reserve(&set, 1000), ENTRIES);
}

static bool set_shrink_to(void)
{
	return judge_set(chic_rt_hashset_shrink_to(&set, 0), ENTRIES);
}

static const struct path paths[] = {
	{"hashmap_with_capacity", NULL, map_with_capacity, clean_map},
	{"hashmap_insert, first", NULL, map_first_insert, clean_map},
	{"hashmap_insert", prepare_map, map_insert, clean_map},
	{"chic_hashmap_insert", prepare_map, map_insert_inline, clean_map},
	{"hashmap_insert, a value of its own", prepare_map, map_insert_own, clean_map},
	{"hashmap_reserve", prepare_map, map_reserve, clean_map},
	{"hashmap_shrink_to", prepare_loose_map, map_shrink_to, clean_map},
	{"hashset_with_capacity", NULL, set_with_capacity, clean_set},
	{"hashset_insert", prepare_set, set_insert, clean_set},
	{"hashset_replace", prepare_set, set_replace, clean_set},
	{"hashset_reserve", prepare_set, set_reserve, clean_set},
	{"hashset_shrink_to", prepare_loose_set, set_shrink_to, clean_set},
	{NULL, NULL, NULL, NULL},
};

const struct path_family map_paths = {"map", paths};
