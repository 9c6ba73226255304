// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sets: which of two equal values stays, tombstones, statuses, null and absurd arguments,
 * iteration while nothing changes and taking out by index.
 */
#include "check_support.h"
#include "ledger.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

/* Equal where key is; which one it is says serial. */
struct element {
	uint32_t key, serial;
};

static size_t drops;
static uint32_t last_dropped;

static void end_element(uint8_t *value)
{
	last_dropped = ((struct element *)value)->serial;
	drops++;
}

static int32_t same_key(const void *a, const void *b)
{
	return ((const struct element *)a)->key == ((const struct element *)b)->key;
}

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	drops = last_dropped = 0;
}

static ChicHashSet of_elements(void)
{
	return chic_rt_hashset_new(sizeof(struct element), _Alignof(struct element),
				   (uintptr_t)end_element, (uintptr_t)same_key);
}

static ValueConstPtr value_of(const struct element *e)
{
	return (ValueConstPtr){(const uint8_t *)e, sizeof(*e), _Alignof(struct element)};
}

static int32_t insert(ChicHashSet *set, uint32_t key, uint32_t serial)
{
	struct element e = {key, serial};
	ValueConstPtr value = value_of(&e);
	int32_t inserted = 7;

	ck_assert_int_eq(chic_rt_hashset_insert(set, key, &value, &inserted), 0);
	return inserted;
}

/* 0: it is not there. */
static uint32_t serial_of(const ChicHashSet *set, uint32_t key)
{
	struct element e = {key, 0};
	ValueConstPtr value = value_of(&e), at = chic_rt_hashset_get_ptr(set, key, &value);

	ck_assert_int_eq(chic_rt_hashset_contains(set, key, &value), at.ptr != NULL);
	ck_assert_uint_eq(at.size, sizeof(e));
	ck_assert_uint_eq(at.align, _Alignof(struct element));
	return at.ptr ? ((const struct element *)at.ptr)->serial : 0;
}

static int32_t drop_key(ChicHashSet *set, uint32_t key)
{
	struct element e = {key, 0};
	ValueConstPtr value = value_of(&e);

	return chic_rt_hashset_remove(set, key, &value);
}

START_TEST(the_first_of_two_equals_stays)
{
	ChicHashSet set = of_elements();

	ck_assert_uint_eq(ledger_requests(), 0);
	ck_assert_int_eq(insert(&set, 5, 1), 1);
	ck_assert_int_eq(insert(&set, 5, 2), 0);
	ck_assert_uint_eq(serial_of(&set, 5), 1);
	ck_assert_uint_eq(drops, 0); /* the second is the caller's */
	chic_rt_hashset_drop(&set);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(replace_puts_in_in_any_case)
{
	ChicHashSet set = of_elements();
	struct element e = {5, 1}, out = {0, 0};
	ValueConstPtr value = value_of(&e);
	ValueMutPtr place = {(uint8_t *)&out, sizeof(out), 4};
	int32_t replaced = 7;

	ck_assert_int_eq(chic_rt_hashset_replace(&set, 5, &value, &place, &replaced), 0);
	ck_assert_int_eq(replaced, 0);
	ck_assert_uint_eq(out.serial, 0);
	e.serial = 2;
	ck_assert_int_eq(chic_rt_hashset_replace(&set, 5, &value, &place, &replaced), 0);
	ck_assert_int_eq(replaced, 1);
	ck_assert_uint_eq(out.serial, 1);
	e.serial = 3;
	ck_assert_int_eq(chic_rt_hashset_replace(&set, 5, &value, NULL, NULL), 0);
	ck_assert_uint_eq(serial_of(&set, 5), 3);
	ck_assert_uint_eq(drops, 1);
	ck_assert_uint_eq(last_dropped, 2);
	chic_rt_hashset_drop(&set);
	ck_assert_uint_eq(drops, 2);
	ledger_nothing_left();
}
END_TEST

START_TEST(taking_out_moves_or_ends)
{
	ChicHashSet set = of_elements();
	struct element e = {7, 0}, out = {0, 0};
	ValueConstPtr value = value_of(&e);
	ValueMutPtr place = {(uint8_t *)&out, sizeof(out), 4};

	for (uint32_t n = 1; n <= 20; n++)
		insert(&set, n, n);
	ck_assert_int_eq(chic_rt_hashset_take(&set, 7, &value, &place), 0);
	ck_assert_uint_eq(out.serial, 7);
	ck_assert_uint_eq(drops, 0);
	ck_assert_int_eq(chic_rt_hashset_take(&set, 7, &value, &place), ChicHashSet_NotFound);
	ck_assert_int_eq(drop_key(&set, 8), 1);
	ck_assert_uint_eq(last_dropped, 8);
	ck_assert_int_eq(drop_key(&set, 8), 0);
	for (size_t i = 0; i < chic_rt_hashset_capacity(&set); i++)
		if (chic_rt_hashset_bucket_state(&set, i) == 1)
			ck_assert_int_eq(chic_rt_hashset_take_at(&set, i, NULL), 0);
	ck_assert_uint_eq(chic_rt_hashset_len(&set), 0);
	ck_assert_uint_eq(drops, 19);
	chic_rt_hashset_drop(&set);
	ledger_nothing_left();
}
END_TEST

/* All of one hash fill groups, which keep tombstones; room made does away with them. */
START_TEST(tombstones_are_counted_and_end)
{
	ChicHashSet set = of_elements();
	struct element e;
	ValueConstPtr value = value_of(&e);
	size_t requests;

	ck_assert_int_eq(chic_rt_hashset_reserve(&set, 40), 0);
	for (uint32_t n = 1; n <= 40; n++) {
		e = (struct element){n, n};
		ck_assert_int_eq(chic_rt_hashset_insert(&set, 3, &value, NULL), 0);
	}
	for (uint32_t n = 1; n <= 40; n++) {
		e = (struct element){n, n};
		ck_assert_int_eq(chic_rt_hashset_remove(&set, 3, &value), 1);
	}
	ck_assert_uint_ge(chic_rt_hashset_tombstones(&set), 32);
	requests = ledger_requests();
	for (uint32_t n = 0; n < 40; n++)
		insert(&set, n, n + 1);
	ck_assert_uint_eq(ledger_requests(), requests);
	ck_assert_uint_eq(chic_rt_hashset_tombstones(NULL), 0);
	for (uint32_t n = 0; n < 40; n++)
		ck_assert_uint_eq(serial_of(&set, n), n + 1);
	ck_assert_int_eq(chic_rt_hashset_clear(&set), 0);
	ck_assert_uint_eq(chic_rt_hashset_tombstones(&set), 0);
	chic_rt_hashset_drop(&set);
	ledger_nothing_left();
}
END_TEST

START_TEST(iteration_comes_by_each_once)
{
	ChicHashSet set = of_elements();
	struct element out;
	ValueMutPtr place = {(uint8_t *)&out, sizeof(out), 4};
	ChicHashSetIter iter, by_place;
	uint64_t sum = 0, of_places = 0;
	ValueConstPtr at;

	for (uint32_t n = 0; n < 1000; n++)
		insert(&set, n * 37, n);
	iter = by_place = chic_rt_hashset_iter(&set);
	while (chic_rt_hashset_iter_next(&iter, &place) == ChicHashSet_Success)
		sum += out.serial;
	for (at = chic_rt_hashset_iter_next_ptr(&by_place); at.ptr;
	     at = chic_rt_hashset_iter_next_ptr(&by_place))
		of_places += ((const struct element *)at.ptr)->serial;
	ck_assert_uint_eq(sum, 499500);
	ck_assert_uint_eq(of_places, 499500);
	ck_assert_uint_eq(at.size, sizeof(out));
	ck_assert_int_eq(chic_rt_hashset_iter_next(&iter, &place), 5);
	ck_assert_ptr_null(chic_rt_hashset_iter_next_ptr(&iter).ptr);
	chic_rt_hashset_drop(&set);
}
END_TEST

START_TEST(odd_sizes_are_aligned)
{
	ChicHashSet set = chic_rt_hashset_new(9, 8, 0, 0);
	uint8_t bytes[9] = {0};
	ValueConstPtr value = {bytes, 9, 1}, at;

	for (unsigned n = 0; n < 200; n++) {
		bytes[8] = n;
		ck_assert_int_eq(chic_rt_hashset_insert(&set, n, &value, NULL), 0);
		at = chic_rt_hashset_get_ptr(&set, n, &value);
		ck_assert_uint_eq((uintptr_t)at.ptr % 8, 0);
		ck_assert_mem_eq(at.ptr, bytes, 9);
	}
	ck_assert_uint_eq(ledger_live_bytes(), chic_rt_hashset_capacity(&set) * 25);
	chic_rt_hashset_drop(&set);
	ledger_nothing_left();
}
END_TEST

START_TEST(null_sets_and_handles_are_answered)
{
	ChicHashSet set = of_elements();
	struct element e = {1, 1};
	ValueConstPtr value = value_of(&e), none = {NULL, 8, 4}, small = {(uint8_t *)&e, 4, 4};
	const ValueConstPtr *bad[] = {NULL, &none, &small};
	ValueMutPtr failed = {NULL, 8, 4};
	ChicHashSetIter iter = chic_rt_hashset_iter(NULL);

	ck_assert_int_eq(chic_rt_hashset_iter_next(&iter, NULL), 5);
	ck_assert_int_eq(chic_rt_hashset_iter_next(NULL, NULL), 2);
	ck_assert_ptr_null(chic_rt_hashset_iter_next_ptr(NULL).ptr);
	ck_assert_uint_eq(chic_rt_hashset_len(NULL) + chic_rt_hashset_capacity(NULL), 0);
	ck_assert_int_eq(chic_rt_hashset_insert(NULL, 1, &value, NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_replace(NULL, 1, &value, NULL, NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_take(NULL, 1, &value, NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_take_at(NULL, 1, NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_remove(NULL, 1, &value), 0);
	ck_assert_int_eq(chic_rt_hashset_contains(NULL, 1, &value), 0);
	ck_assert_ptr_null(chic_rt_hashset_get_ptr(NULL, 1, &value).ptr);
	ck_assert_int_eq(chic_rt_hashset_clear(NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_reserve(NULL, 1), 2);
	ck_assert_int_eq(chic_rt_hashset_shrink_to(NULL, 1), 2);
	ck_assert_int_eq(chic_rt_hashset_bucket_state(NULL, 1), 0);
	ck_assert_uint_eq(chic_rt_hashset_bucket_hash(NULL, 1), 0);
	chic_rt_hashset_drop(NULL);
	insert(&set, 1, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(chic_rt_hashset_insert(&set, 1, bad[i], NULL), 2);
		ck_assert_int_eq(chic_rt_hashset_replace(&set, 1, bad[i], NULL, NULL), 2);
		ck_assert_int_eq(chic_rt_hashset_take(&set, 1, bad[i], NULL), 2);
		ck_assert_int_eq(chic_rt_hashset_contains(&set, 1, bad[i]), 0);
	}
	ck_assert_int_eq(chic_rt_hashset_replace(&set, 1, &value, &failed, NULL), 2);
	ck_assert_int_eq(chic_rt_hashset_take(&set, 1, &value, &failed), 2);
	ck_assert_int_eq(chic_rt_hashset_take_at(&set, 1, &failed), 2);
	ck_assert_int_eq(chic_rt_hashset_take_at(&set, SIZE_MAX, NULL), 4);
	ck_assert_uint_eq(serial_of(&set, 1), 1);
	chic_rt_hashset_drop(&set);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_dropped_set_is_an_empty_one)
{
	ChicHashSet set = of_elements();

	for (uint32_t key = 1; key <= 50; key++)
		insert(&set, key, key);
	chic_rt_hashset_drop(&set);
	chic_rt_hashset_drop(&set);
	ck_assert_uint_eq(drops, 50);
	ck_assert_uint_eq(chic_rt_hashset_len(&set) + chic_rt_hashset_capacity(&set), 0);
	ck_assert_uint_eq(serial_of(&set, 1), 0);
	ck_assert_int_eq(drop_key(&set, 1), 0);
	ck_assert_int_eq(chic_rt_hashset_take_at(&set, 0, NULL), 4);
	ck_assert_int_eq(insert(&set, 1, 2), 1);
	ck_assert_uint_eq(serial_of(&set, 1), 2);
	chic_rt_hashset_drop(&set);
	ledger_nothing_left();
}
END_TEST

START_TEST(what_no_machine_has_is_refused)
{
	ChicHashSet set = of_elements();

	insert(&set, 1, 1);
	ck_assert_int_eq(chic_rt_hashset_reserve(&set, SIZE_MAX), 3);
	ck_assert_int_eq(chic_rt_hashset_reserve(&set, SIZE_MAX / 8), 3);
	ck_assert_uint_eq(serial_of(&set, 1), 1);
	chic_rt_hashset_drop(&set);
	set = chic_rt_hashset_new(SIZE_MAX, 8, 0, 0);
	ck_assert_int_eq(chic_rt_hashset_reserve(&set, 1), 3);
	set = chic_rt_hashset_new(8, 3, 0, 0);
	ck_assert_int_eq(chic_rt_hashset_reserve(&set, 1), 1);
	set = chic_rt_hashset_with_capacity(8, 8, SIZE_MAX / 2, 0, 0);
	ck_assert_uint_eq(chic_rt_hashset_capacity(&set), 0);
	chic_rt_hashset_drop(&set);
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("hashset");
	TCase *tcase = tcase_create("hashset");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, the_first_of_two_equals_stays);
	tcase_add_test(tcase, replace_puts_in_in_any_case);
	tcase_add_test(tcase, taking_out_moves_or_ends);
	tcase_add_test(tcase, tombstones_are_counted_and_end);
	tcase_add_test(tcase, iteration_comes_by_each_once);
	tcase_add_test(tcase, odd_sizes_are_aligned);
	tcase_add_test(tcase, null_sets_and_handles_are_answered);
	tcase_add_test(tcase, a_dropped_set_is_an_empty_one);
	tcase_add_test(tcase, what_no_machine_has_is_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
