// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps: capacities, statuses, null and absurd arguments, layouts, destructors run once,
 * callbacks that change the map which calls them.
 */
#include "check_support.h"
#include "ledger.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static size_t key_drops, value_drops;

static void count_key(uint8_t *key)
{
	ck_assert_ptr_nonnull(key);
	key_drops++;
}

static void count_value(uint8_t *value)
{
	ck_assert_ptr_nonnull(value);
	value_drops++;
}

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	key_drops = value_drops = 0;
}

/* Of numbers, each its own hash. */
static ChicHashMap of_numbers(void)
{
	return chic_rt_hashmap_new(8, 8, 8, 8, (uintptr_t)count_key, (uintptr_t)count_value, 0);
}

static ValueConstPtr value_of(const uint64_t *n)
{
	return (ValueConstPtr){(const uint8_t *)n, sizeof(*n), _Alignof(uint64_t)};
}

static ValueMutPtr place_of(uint64_t *n)
{
	return (ValueMutPtr){(uint8_t *)n, sizeof(*n), _Alignof(uint64_t)};
}

static HashMapError put(ChicHashMap *map, uint64_t key, uint64_t value)
{
	ValueConstPtr k = value_of(&key), v = value_of(&value);

	return chic_rt_hashmap_insert(map, key, &k, &v, NULL, NULL);
}

static void put_numbers(ChicHashMap *map, uint64_t from, uint64_t to)
{
	for (uint64_t n = from; n < to; n++)
		ck_assert_int_eq(put(map, n, n * 3), ChicHashMap_Success);
}

static int32_t same_number(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static const uint64_t *get(const ChicHashMap *map, uint64_t key)
{
	ValueConstPtr k = value_of(&key), at = chic_rt_hashmap_get_ptr(map, key, &k);

	ck_assert_ptr_eq(chic_hashmap_get(map, key, &key, sizeof(key)), at.ptr);
	ck_assert_ptr_eq(chic_hashmap_get_by(map, key, &key, same_number), at.ptr);
	return (const uint64_t *)at.ptr;
}

static int32_t drop_key(ChicHashMap *map, uint64_t key)
{
	ValueConstPtr k = value_of(&key);

	return chic_rt_hashmap_remove(map, key, &k);
}

static void check_numbers(const ChicHashMap *map, uint64_t from, uint64_t to)
{
	ck_assert_uint_eq(chic_rt_hashmap_len(map), to - from);
	for (uint64_t n = from; n < to; n++) {
		ck_assert_ptr_nonnull(get(map, n));
		ck_assert_uint_eq(*get(map, n), n * 3);
	}
	ck_assert_ptr_null(get(map, to));
}

static void check_empty(const ChicHashMap *map)
{
	ChicHashMapIter iter = chic_rt_hashmap_iter(map);

	ck_assert_uint_eq(chic_rt_hashmap_len(map), 0);
	ck_assert_uint_eq(chic_rt_hashmap_capacity(map), 0);
	ck_assert_ptr_null(get(map, 1));
	ck_assert_ptr_null(chic_rt_hashmap_iter_next_ptr(&iter).ptr);
	ck_assert_int_eq(chic_rt_hashmap_bucket_state(map, 0), 0);
}

START_TEST(a_new_map_is_empty_and_takes_no_memory)
{
	ChicHashMap map = of_numbers();

	check_empty(&map);
	ck_assert_int_eq(drop_key(&map, 1), 0);
	ck_assert_int_eq(chic_rt_hashmap_clear(&map), ChicHashMap_Success);
	ck_assert_int_eq(chic_rt_hashmap_shrink_to(&map, 0), ChicHashMap_Success);
	ck_assert_int_eq(chic_rt_hashmap_shrink_to(&map, 10), ChicHashMap_Success);
	ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 0), ChicHashMap_Success);
	map = chic_rt_hashmap_with_capacity(8, 8, 8, 8, 0, 0, 0, 0);
	check_empty(&map);
	chic_rt_hashmap_drop(&map);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

START_TEST(capacity_is_a_power_of_two_seven_tenths_used)
{
	static const size_t most[] = {5, 11, 22, 44, 89, 179, 358, 716};
	ChicHashMap map = of_numbers(), other;
	size_t cap = 8, n = 0;

	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++, cap *= 2) {
		for (; n < most[i]; n++) {
			put_numbers(&map, n, n + 1);
			ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), cap);
		}
		other = chic_rt_hashmap_with_capacity(8, 8, 8, 8, most[i], 0, 0, 0);
		ck_assert_uint_eq(chic_rt_hashmap_capacity(&other), cap);
		chic_rt_hashmap_drop(&other);
	}
	check_numbers(&map, 0, 716);
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	ck_assert_uint_eq(ledger_live_bytes(), chic_rt_hashmap_capacity(&map) * 25);
	ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 10000), ChicHashMap_Success);
	ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), 16384);
	check_numbers(&map, 0, 716);
	ck_assert_int_eq(chic_rt_hashmap_shrink_to(&map, 2000), ChicHashMap_Success);
	ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), 4096);
	ck_assert_int_eq(chic_rt_hashmap_shrink_to(&map, 0), ChicHashMap_Success);
	ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), 1024);
	check_numbers(&map, 0, 716);
	chic_rt_hashmap_drop(&map);
	ck_assert_uint_eq(key_drops, 716);
	ck_assert_uint_eq(value_drops, 716);
	ledger_nothing_left();
}
END_TEST

/* Places are used again; where only tombstones are in the way no memory is needed. */
START_TEST(coming_and_going_needs_no_more_memory)
{
	ChicHashMap map = of_numbers();
	size_t requests;

	for (uint64_t n = 0; n < 1000; n++)
		ck_assert_int_eq(put(&map, n * 977, n), ChicHashMap_Success);
	ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 400), ChicHashMap_Success);
	requests = ledger_requests();
	for (uint64_t n = 0; n < 100000; n++) {
		ck_assert_int_eq(drop_key(&map, n * 977), 1);
		ck_assert_int_eq(put(&map, (n + 1000) * 977, n), ChicHashMap_Success);
	}
	ck_assert_uint_eq(ledger_requests(), requests);
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

START_TEST(what_was_there_goes_to_previous_or_ends)
{
	ChicHashMap map = of_numbers();
	uint64_t key = 5, value = 50, former = 0;
	ValueConstPtr k = value_of(&key), v = value_of(&value);
	ValueMutPtr previous = place_of(&former), nothing = {NULL, 0, 1};
	int32_t replaced = 7;

	ck_assert_int_eq(chic_rt_hashmap_insert(&map, 5, &k, &v, &previous, &replaced), 0);
	ck_assert_int_eq(replaced, 0);
	ck_assert_uint_eq(former, 0);
	value = 51;
	ck_assert_int_eq(chic_rt_hashmap_insert(&map, 5, &k, &v, &previous, &replaced), 0);
	ck_assert_int_eq(replaced, 1);
	ck_assert_uint_eq(former, 50);
	ck_assert_uint_eq(key_drops, 1);
	ck_assert_uint_eq(value_drops, 0);
	ck_assert_int_eq(chic_rt_hashmap_insert(&map, 5, &k, &v, &nothing, NULL), 0);
	ck_assert_uint_eq(key_drops, 2);
	ck_assert_uint_eq(value_drops, 1);
	ck_assert_int_eq(chic_rt_hashmap_take(&map, 5, &k, &previous), 0);
	ck_assert_uint_eq(former, 51);
	ck_assert_uint_eq(key_drops, 3);
	ck_assert_uint_eq(value_drops, 1);
	ck_assert_int_eq(chic_rt_hashmap_take(&map, 5, &k, NULL), ChicHashMap_NotFound);
	chic_rt_hashmap_drop(&map);
	ck_assert_uint_eq(key_drops, 3);
	ledger_nothing_left();
}
END_TEST

START_TEST(entries_are_padded_and_aligned)
{
	ChicHashMap map = chic_rt_hashmap_new(8, 8, 1, 1, 0, 0, 0);

	ck_assert_uint_eq(map.entry_size, 16);
	ck_assert_uint_eq(map.value_offset, 8);
	map = chic_rt_hashmap_new(1, 1, 8, 8, 0, 0, 0);
	ck_assert_uint_eq(map.entry_size, 16);
	ck_assert_uint_eq(map.value_offset, 8);
	map = chic_rt_hashmap_new(5, 0, 64, 128, 0, 0, 0);
	ck_assert_uint_eq(map.key_align, 1);
	ck_assert_uint_eq(map.value_offset, 128);
	ck_assert_uint_eq(map.entry_size, 256);
	for (uint64_t n = 0; n < 100; n++) {
		uint8_t value[64] = {n};
		ValueConstPtr k = value_of(&n), v = {value, sizeof(value), 1};
		ValueConstPtr at;

		ck_assert_int_eq(chic_rt_hashmap_insert(&map, n, &k, &v, NULL, NULL), 0);
		at = chic_rt_hashmap_get_ptr(&map, n, &k);
		ck_assert_uint_eq((uintptr_t)at.ptr % 128, 0);
		ck_assert_uint_eq(at.size, 64);
		ck_assert_uint_eq(at.align, 128);
	}
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

/* ---- what is wrong ---- */

START_TEST(null_maps_and_handles_are_answered)
{
	ChicHashMap map = of_numbers();
	uint64_t n = 1;
	ValueConstPtr k = value_of(&n), none = {NULL, 8, 8}, small = {(uint8_t *)&n, 7, 8};
	ValueMutPtr failed = {NULL, 8, 8}, little = {(uint8_t *)&n, 7, 8};
	ChicHashMapIter iter = chic_rt_hashmap_iter(NULL);

	ck_assert_uint_eq(chic_rt_hashmap_len(NULL) + chic_rt_hashmap_capacity(NULL), 0);
	ck_assert_uint_eq(iter.cap, 0);
	ck_assert_ptr_null(chic_rt_hashmap_iter_next_ptr(NULL).ptr);
	ck_assert_int_eq(chic_rt_hashmap_iter_next(NULL, NULL, NULL), 2);
	ck_assert_int_eq(chic_rt_hashmap_iter_next(&iter, NULL, NULL), 5);
	ck_assert_int_eq(chic_rt_hashmap_clear(NULL), 2);
	ck_assert_int_eq(chic_rt_hashmap_reserve(NULL, 1), 2);
	ck_assert_int_eq(chic_rt_hashmap_shrink_to(NULL, 1), 2);
	ck_assert_int_eq(chic_rt_hashmap_insert(NULL, 1, &k, &k, NULL, NULL), 2);
	ck_assert_int_eq(chic_rt_hashmap_take(NULL, 1, &k, NULL), 2);
	ck_assert_int_eq(chic_rt_hashmap_take_at(NULL, 0, NULL, NULL), 2);
	ck_assert_int_eq(chic_rt_hashmap_contains(NULL, 1, &k), 0);
	ck_assert_int_eq(chic_rt_hashmap_remove(NULL, 1, &k), 0);
	ck_assert_int_eq(chic_rt_hashmap_bucket_state(NULL, 0), 0);
	ck_assert_uint_eq(chic_rt_hashmap_bucket_hash(NULL, 0), 0);
	ck_assert_ptr_null(chic_rt_hashmap_get_ptr(NULL, 1, &k).ptr);
	ck_assert_ptr_null(chic_hashmap_get(NULL, 1, &n, 8));
	ck_assert_ptr_null(chic_hashmap_get_by(NULL, 1, &n, same_number));
	ck_assert_int_eq(chic_hashmap_insert(NULL, 1, &n, 8, &n, 8), 2);
	chic_rt_hashmap_drop(NULL);
	put_numbers(&map, 1, 2);
	for (int i = 0; i < 3; i++) {
		const ValueConstPtr *bad[] = {NULL, &none, &small};

		ck_assert_int_eq(chic_rt_hashmap_insert(&map, 1, bad[i], &k, NULL, NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_insert(&map, 1, &k, bad[i], NULL, NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_take(&map, 1, bad[i], NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_contains(&map, 1, bad[i]), 0);
		ck_assert_int_eq(chic_rt_hashmap_remove(&map, 1, bad[i]), 0);
		ck_assert_ptr_null(chic_rt_hashmap_get_ptr(&map, 1, bad[i]).ptr);
	}
	for (int i = 0; i < 2; i++) {
		const ValueMutPtr *bad = i ? &failed : &little;

		iter = chic_rt_hashmap_iter(&map);
		ck_assert_int_eq(chic_rt_hashmap_insert(&map, 1, &k, &k, bad, NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_take(&map, 1, &k, bad), 2);
		ck_assert_int_eq(chic_rt_hashmap_take_at(&map, 1, bad, NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_take_at(&map, 1, NULL, bad), 2);
		ck_assert_int_eq(chic_rt_hashmap_iter_next(&iter, bad, NULL), 2);
		ck_assert_int_eq(chic_rt_hashmap_iter_next(&iter, NULL, bad), 2);
		ck_assert_int_eq(chic_rt_hashmap_iter_next(&iter, NULL, NULL), 0);
	}
	ck_assert_ptr_null(chic_hashmap_get(&map, 1, &n, 4));
	ck_assert_ptr_null(chic_hashmap_get(&map, 1, NULL, 8));
	ck_assert_ptr_null(chic_hashmap_get_by(&map, 1, NULL, same_number));
	ck_assert_int_eq(chic_hashmap_insert(&map, 1, NULL, 8, &n, 8), 2);
	ck_assert_int_eq(chic_hashmap_insert(&map, 1, &n, 8, NULL, 8), 2);
	ck_assert_int_eq(chic_hashmap_insert(&map, 1, &n, 4, &n, 8), 2);
	ck_assert_int_eq(chic_hashmap_insert(&map, 1, &n, 8, &n, 4), 2);
	ck_assert_uint_eq(key_drops + value_drops, 0);
	check_numbers(&map, 1, 2);
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

/* The next block, of 16,384 places, is of 5 MB, which a map is moved for. */
START_TEST(a_large_map_grows_where_it_is_without_memory_for_two)
{
	enum { PLACES = 8192, FULL = 5734, SIZE = 300 };
	ChicHashMap map = chic_rt_hashmap_new(8, 8, SIZE, 4, 0, 0, 0);
	uint8_t value[SIZE] = {1, 2, 3};

	for (uint64_t n = 0; n < FULL; n++)
		MUST(chic_hashmap_insert(&map, n, &n, 8, value, SIZE) == 0);
	for (uint64_t n = FULL, good = 0; good < 2; good++) {
		ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), PLACES);
		ledger_fail(1, !good);
		ck_assert_int_eq(chic_hashmap_insert(&map, n, &n, 8, value, SIZE), !good);
		ck_assert(ledger_failed());
	}
	ck_assert_uint_eq(chic_rt_hashmap_capacity(&map), 2 * PLACES);
	for (uint64_t n = 0; n <= FULL; n++) {
		const void *at = chic_hashmap_get(&map, n, &n, 8);

		MUST(at && memcmp(at, value, SIZE) == 0);
	}
	ck_assert_uint_eq(chic_rt_hashmap_len(&map), FULL + 1);
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

/*
 * Programs have the search of their header in them: the library may not put an entry
 * where they do not look.
 */
START_TEST(the_search_of_inline_functions_is_frozen)
{
	static const struct {
		uint64_t hash;
		uint8_t state;
		size_t step; /* with 65,536 places */
	} known[] = {
		{0, 0x01, 8},
		{1, 0x9f, 32584},
		{UINT64_C(0x123456789abcdef0), 0x1b, 17576},
		{UINT64_MAX, 0x81, 8},
		{UINT64_C(0x8000000000000000), 0x3f, 32776},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		ChicHashMap map = of_numbers();
		uint64_t n = known[i].hash;

		ck_assert_uint_eq(chic_table_state(n), known[i].state);
		if (sizeof(size_t) > 4)
			ck_assert_uint_eq(chic_table_step(1 << 16, n), known[i].step);
		ck_assert_int_eq(put(&map, n, 1), ChicHashMap_Success);
		ck_assert_uint_eq(map.states[n & (map.cap - 1)], known[i].state);
		ck_assert_mem_eq(map.entries + (n & (map.cap - 1)) * 16, &n, sizeof(n));
		chic_rt_hashmap_drop(&map);
	}
}
END_TEST

START_TEST(what_has_no_bytes_may_have_no_place)
{
	ChicHashMap map = chic_rt_hashmap_new(0, 1, 0, 1, 0, 0, 0);
	ValueConstPtr nothing = {NULL, 0, 1};
	int32_t replaced = 9;

	ck_assert_int_eq(chic_rt_hashmap_contains(&map, 1, &nothing), 0);
	ck_assert_int_eq(chic_hashmap_insert(&map, 1, NULL, 0, NULL, 0), 0);
	ck_assert_int_eq(chic_rt_hashmap_insert(&map, 1, &nothing, &nothing, NULL, &replaced),
			 0);
	ck_assert_int_eq(replaced, 1);
	ck_assert_uint_eq(chic_rt_hashmap_len(&map), 1);
	ck_assert_int_eq(chic_rt_hashmap_contains(&map, 1, &nothing), 1);
	ck_assert_ptr_nonnull(chic_rt_hashmap_get_ptr(&map, 1, &nothing).ptr);
	ck_assert_ptr_nonnull(chic_hashmap_get(&map, 1, NULL, 0));
	ck_assert_int_eq(chic_rt_hashmap_remove(&map, 1, &nothing), 1);
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

START_TEST(what_no_machine_has_is_an_overflow)
{
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 8, PTRDIFF_MAX};
	ChicHashMap map = of_numbers();

	put_numbers(&map, 0, 3);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(chic_rt_hashmap_reserve(&map, sizes[i]),
				 ChicHashMap_CapacityOverflow);
		check_numbers(&map, 0, 3);
	}
	chic_rt_hashmap_drop(&map);
	for (int i = 0; i < 4; i++) {
		map = chic_rt_hashmap_new(sizes[i], 8, sizes[i], 8, 0, 0, 0);
		ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 1),
				 ChicHashMap_CapacityOverflow);
		map = chic_rt_hashmap_new(8, 8, sizes[i], 8, 0, 0, 0);
		ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 1),
				 ChicHashMap_CapacityOverflow);
		map = chic_rt_hashmap_with_capacity(8, 8, 8, 8, sizes[i], 0, 0, 0);
		check_empty(&map);
	}
	ck_assert_uint_eq(ledger_live_blocks(), 0);
}
END_TEST

START_TEST(a_bad_alignment_makes_allocation_fail)
{
	static const size_t aligns[][2] = {{3, 8}, {8, 3}, {24, 1}, {1, 24}, {SIZE_MAX, 8}};

	for (int i = 0; i < 5; i++) {
		ChicHashMap map =
			chic_rt_hashmap_new(8, aligns[i][0], 8, aligns[i][1], 0, 0, 0);

		ck_assert_int_eq(put(&map, 1, 1), ChicHashMap_AllocationFailed);
		ck_assert_int_eq(chic_rt_hashmap_reserve(&map, 1),
				 ChicHashMap_AllocationFailed);
		check_empty(&map);
		chic_rt_hashmap_drop(&map);
	}
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

START_TEST(indices_past_the_end_are_not_found)
{
	ChicHashMap map = of_numbers();
	size_t cap;

	put_numbers(&map, 1, 4);
	cap = chic_rt_hashmap_capacity(&map);
	for (size_t i = cap; i < cap + 100; i++) {
		ck_assert_int_eq(chic_rt_hashmap_take_at(&map, i, NULL, NULL), 4);
		ck_assert_int_eq(chic_rt_hashmap_bucket_state(&map, i), 0);
		ck_assert_uint_eq(chic_rt_hashmap_bucket_hash(&map, i), 0);
	}
	ck_assert_int_eq(chic_rt_hashmap_take_at(&map, SIZE_MAX, NULL, NULL), 4);
	ck_assert_int_eq(chic_rt_hashmap_take_at(&map, 0, NULL, NULL), 4);
	check_numbers(&map, 1, 4);
	chic_rt_hashmap_drop(&map);
}
END_TEST

START_TEST(a_dropped_map_is_an_empty_one)
{
	ChicHashMap map = of_numbers();

	put_numbers(&map, 0, 100);
	chic_rt_hashmap_drop(&map);
	check_empty(&map);
	chic_rt_hashmap_drop(&map);
	ck_assert_uint_eq(key_drops, 100);
	ck_assert_int_eq(chic_rt_hashmap_take_at(&map, 0, NULL, NULL), 4);
	put_numbers(&map, 0, 100);
	check_numbers(&map, 0, 100);
	chic_rt_hashmap_drop(&map);
	ledger_nothing_left();
}
END_TEST

/* ---- values that are in the map already ---- */

static void put_what_is_there(size_t value_size)
{
	ChicHashMap map = chic_rt_hashmap_new(8, 8, value_size, 8, 0, 0, 0);
	uint8_t *bytes = malloc(value_size);
	uint64_t zero = 0;
	ValueConstPtr k = value_of(&zero), v = {bytes, value_size, 8};

	memset(bytes, 0x5a, value_size);
	ck_assert_int_eq(chic_rt_hashmap_insert(&map, 0, &k, &v, NULL, NULL), 0);
	for (uint64_t n = 1; n < 1000; n++) {
		uint64_t former = n - 1;
		ValueConstPtr key = value_of(&n), last = value_of(&former);
		ValueConstPtr there = chic_rt_hashmap_get_ptr(&map, former, &last);

		ck_assert_int_eq(chic_rt_hashmap_insert(&map, n, &key, &there, NULL, NULL), 0);
		there = chic_rt_hashmap_get_ptr(&map, n, &key);
		ck_assert_mem_eq(there.ptr, bytes, value_size);
		ck_assert_int_eq(chic_rt_hashmap_insert(&map, n, &key, &there, NULL, NULL), 0);
	}
	chic_rt_hashmap_drop(&map);
	free(bytes);
	ledger_nothing_left();
}

START_TEST(a_value_may_be_in_the_map)
{
	put_what_is_there(8);
	put_what_is_there(256);
	put_what_is_there(1000);
}
END_TEST

/* ---- callbacks that change the map ---- */

static ChicHashMap changing;
static void (*change)(void);

static int32_t equal_and_change(const void *a, const void *b)
{
	int32_t equal = memcmp(a, b, 8) == 0;
	void (*now)(void) = change;

	change = NULL;
	if (now)
		now();
	return equal;
}

static void drop_and_change(uint8_t *value)
{
	void (*now)(void) = change;

	change = NULL;
	count_value(value);
	if (now)
		now();
	memset(value, 0x77, 8); /* it is still a place of its own */
}

static void change_by_growth(void)
{
	put_numbers(&changing, 1000, 3000);
}

static void change_by_drop(void)
{
	chic_rt_hashmap_drop(&changing);
}

static void change_by_shrinking(void)
{
	chic_rt_hashmap_shrink_to(&changing, 0);
}

static void (*const changes[])(void) = {change_by_growth, change_by_drop, change_by_shrinking};

/* Each way to look up, while equality changes the map; no crash, nothing is lost. */
START_TEST(equality_may_change_the_map)
{
	for (int way = 0; way < 3; way++) {
		uint64_t n = 20, out;
		ValueConstPtr k = value_of(&n);
		ValueMutPtr place = place_of(&out);

		changing = chic_rt_hashmap_with_capacity(8, 8, 8, 8, 500, (uintptr_t)count_key,
							 (uintptr_t)count_value,
							 (uintptr_t)equal_and_change);
		put_numbers(&changing, 0, 50);
		change = changes[_i];
		if (way == 0)
			ck_assert_int_eq(chic_rt_hashmap_contains(&changing, n, &k), 0);
		else if (way == 1)
			ck_assert_int_eq(chic_rt_hashmap_take(&changing, n, &k, &place), 4);
		else
			ck_assert_ptr_null(chic_rt_hashmap_get_ptr(&changing, n, &k).ptr);
		ck_assert_ptr_null(change);
		chic_rt_hashmap_drop(&changing);
		ledger_nothing_left();
	}
}
END_TEST

START_TEST(destructors_may_change_the_map)
{
	for (int way = 0; way < 4; way++) {
		uint64_t n = 20;
		ValueConstPtr k = value_of(&n);

		value_drops = 0;
		changing = chic_rt_hashmap_with_capacity(8, 8, 8, 8, 500, 0,
							 (uintptr_t)drop_and_change, 0);
		put_numbers(&changing, 0, 50);
		change = changes[_i];
		if (way == 0)
			ck_assert_int_eq(chic_rt_hashmap_remove(&changing, n, &k), 1);
		else if (way == 1)
			ck_assert_int_eq(put(&changing, n, 7), ChicHashMap_Success);
		else if (way == 2)
			ck_assert_int_eq(chic_rt_hashmap_clear(&changing), 0);
		else
			chic_rt_hashmap_drop(&changing);
		ck_assert_ptr_null(change);
		chic_rt_hashmap_drop(&changing);
		/* each number that was ever in it ended once */
		ck_assert_uint_eq(value_drops, 50 + (way == 1) + (_i == 0 ? 2000 : 0));
		ledger_nothing_left();
	}
}
END_TEST

/* ---- callbacks called by number ---- */

static uint64_t hash_twice(const void *value)
{
	return 2 * *(const uint64_t *)value;
}

START_TEST(callbacks_are_invoked)
{
	uint64_t a = 21, b = 21;

	change = NULL;
	ck_assert_uint_eq(chic_rt_hash_invoke((uintptr_t)hash_twice, &a), 42);
	ck_assert_uint_eq(chic_rt_hash_invoke(0, &a), 0);
	ck_assert_int_eq(chic_rt_eq_invoke((uintptr_t)equal_and_change, &a, &b), 1);
	ck_assert_int_eq(chic_rt_eq_invoke(0, &a, &b), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("hashmap");
	TCase *tcase = tcase_create("hashmap");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, a_new_map_is_empty_and_takes_no_memory);
	tcase_add_test(tcase, capacity_is_a_power_of_two_seven_tenths_used);
	tcase_add_test(tcase, coming_and_going_needs_no_more_memory);
	tcase_add_test(tcase, what_was_there_goes_to_previous_or_ends);
	tcase_add_test(tcase, entries_are_padded_and_aligned);
	tcase_add_test(tcase, null_maps_and_handles_are_answered);
	tcase_add_test(tcase, a_large_map_grows_where_it_is_without_memory_for_two);
	tcase_add_test(tcase, the_search_of_inline_functions_is_frozen);
	tcase_add_test(tcase, what_has_no_bytes_may_have_no_place);
	tcase_add_test(tcase, what_no_machine_has_is_an_overflow);
	tcase_add_test(tcase, a_bad_alignment_makes_allocation_fail);
	tcase_add_test(tcase, indices_past_the_end_are_not_found);
	tcase_add_test(tcase, a_dropped_map_is_an_empty_one);
	tcase_add_test(tcase, a_value_may_be_in_the_map);
	tcase_add_loop_test(tcase, equality_may_change_the_map, 0, 3);
	tcase_add_loop_test(tcase, destructors_may_change_the_map, 0, 3);
	tcase_add_test(tcase, callbacks_are_invoked);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
