// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions with 4 slots of 3 generations each (the build says so): slots are used up
 * and then left alone, and no handle is ever given twice.
 */
#include "check_support.h"
#include "ledger.h"

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { SLOTS = 4, GENERATIONS = 3 };

static void setup(void)
{
	chic_rt_allocator_reset();
	ledger_install();
}

static void check_new(RegionHandle region, const RegionHandle *former, size_t n)
{
	ck_assert_ptr_nonnull(region.ptr);
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_ne(region.ptr, former[i].ptr);
		ck_assert_ptr_null(chic_rt_region_alloc(former[i], 1, 1).ptr);
	}
	ck_assert_ptr_nonnull(chic_rt_region_alloc(region, 100, 8).ptr);
}

START_TEST(a_used_up_slot_is_not_taken_again)
{
	RegionHandle region[SLOTS * GENERATIONS];

	for (size_t i = 0; i < SLOTS * GENERATIONS; i++) {
		region[i] = chic_rt_region_enter(1);
		check_new(region[i], region, i);
		chic_rt_region_exit(region[i]);
	}
	for (int i = 0; i < 10; i++)
		ck_assert_ptr_null(chic_rt_region_enter(1).ptr);
	ck_assert_uint_eq(chic_rt_region_telemetry(region[SLOTS * GENERATIONS - 1]).freed_bytes,
			  100);
	ck_assert_uint_eq(chic_rt_region_telemetry(region[0]).freed_bytes, 0);
	ck_assert_uint_eq(chic_rt_region_profile(1).freed_bytes, 100 * SLOTS * GENERATIONS);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_slot_begins_anew)
{
	for (size_t i = 0; i < SLOTS * GENERATIONS; i++) {
		RegionHandle region = chic_rt_region_enter(3);

		ck_assert_uint_eq(chic_rt_region_telemetry(region).alloc_bytes, 0);
		chic_rt_region_alloc(region, 100, 8);
		chic_rt_region_reset_stats(region);
		chic_rt_region_alloc(region, 10, 8);
		chic_rt_region_exit(region);
		ck_assert_uint_eq(chic_rt_region_telemetry(region).alloc_bytes, 10);
		ck_assert_uint_eq(chic_rt_region_telemetry(region).freed_bytes, 110);
	}
	ledger_nothing_left();
}
END_TEST

START_TEST(one_slot_serves_while_the_others_are_busy)
{
	RegionHandle busy[SLOTS - 1], region[GENERATIONS];

	for (size_t i = 0; i < SLOTS - 1; i++)
		busy[i] = chic_rt_region_enter(2);
	for (size_t i = 0; i < GENERATIONS; i++) {
		region[i] = chic_rt_region_enter(2);
		check_new(region[i], region, i);
		ck_assert_ptr_null(chic_rt_region_enter(2).ptr);
		chic_rt_region_exit(region[i]);
	}
	ck_assert_ptr_null(chic_rt_region_enter(2).ptr);
	for (size_t i = 0; i < SLOTS - 1; i++)
		ck_assert_ptr_nonnull(chic_rt_region_alloc(busy[i], 1, 1).ptr);
	chic_rt_region_exit(busy[0]);
	check_new(chic_rt_region_enter(2), region, GENERATIONS);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("region slots");
	TCase *tcase = tcase_create("slots");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_add_test(tcase, a_used_up_slot_is_not_taken_again);
	tcase_add_test(tcase, a_slot_begins_anew);
	tcase_add_test(tcase, one_slot_serves_while_the_others_are_busy);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
