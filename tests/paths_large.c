// SPDX-License-Identifier: BSD-2-Clause
/*
 * Ways to memory that take megabytes: what of it may be of huge pages.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

/* As many as there is room for in 8192 places; the next block is one of those that move. */
enum { ENTRIES = 5734, SIZE = 300 };

static RegionHandle region;
static ChicHashMap map, before;
static uint8_t value[SIZE];

/* ---- a map ---- */

static int32_t put(uint64_t n)
{
	return chic_hashmap_insert(&map, n, &n, sizeof(n), value, SIZE);
}

static void map_has(uint64_t entries)
{
	ck_assert_uint_eq(chic_rt_hashmap_len(&map), entries);
	for (uint64_t n = 0; n < entries; n++) {
		const void *at = chic_hashmap_get(&map, n, &n, sizeof(n));

		MUST(at && memcmp(at, value, SIZE) == 0);
	}
}

static void prepare_map(void)
{
	memset(value, 0x42, sizeof(value));
	map = chic_rt_hashmap_new(8, 8, SIZE, 1, 0, 0, 0);
	for (uint64_t n = 0; n < ENTRIES; n++)
		MUST(put(n) == ChicHashMap_Success);
	ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), 8192);
	before = map;
}

/* Where there is no memory for a second block it grows where it is. */
static bool map_insert(void)
{
	if (put(ENTRIES) == ChicHashMap_Success) {
		map_has(ENTRIES + 1);
		return true;
	}
	ck_assert_mem_eq(&map, &before, sizeof(map));
	map_has(ENTRIES);
	return false;
}

static void clean_map(void)
{
	chic_rt_hashmap_drop(&map);
}

/* ---- a region ---- */

/* So full that the next chunk is one of huge pages. */
static void enter(void)
{
	region = chic_rt_region_enter(1);
	for (int i = 0; i < 1000; i++)
		MUST(chic_rt_region_alloc(region, 1000, 8).ptr);
	chic_rt_region_reset_stats(region);
}

/* Where there is no memory for that the next one is small. */
static bool region_alloc(void)
{
	ValueMutPtr h = chic_rt_region_alloc(region, 60000, 8);
	RegionTelemetry t = chic_rt_region_telemetry(region);

	ck_assert_uint_eq(h.size, 60000);
	ck_assert_uint_eq(h.align, 8);
	ck_assert_uint_eq(t.alloc_calls, h.ptr != NULL);
	ck_assert_uint_eq(t.alloc_bytes, h.ptr ? h.size : 0);
	return h.ptr != NULL;
}

static void leave(void)
{
	chic_rt_region_exit(region);
}

static const struct path paths[] = {
	{"chic_hashmap_insert, a large map", prepare_map, map_insert, clean_map},
	{"region_alloc, in a large region", enter, region_alloc, leave},
	{NULL, NULL, NULL, NULL},
};

const struct path_family large_paths = {"large", paths};
