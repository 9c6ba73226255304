// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions over the hooks: blocks, exact counters, exit in few frees, handles that are
 * stale, foreign or garbage, profiles, every request refused, threads.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "ledger.h"

#include <pthread.h>
#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
}

static void check_handle(ValueMutPtr h, bool success, size_t size, size_t align)
{
	MUST((h.ptr != NULL) == success);
	MUST(h.size == size);
	MUST(h.align == align);
}

static void check_telemetry(RegionTelemetry got, RegionTelemetry want)
{
	ck_assert_uint_eq(got.alloc_calls, want.alloc_calls);
	ck_assert_uint_eq(got.alloc_zeroed_calls, want.alloc_zeroed_calls);
	ck_assert_uint_eq(got.alloc_bytes, want.alloc_bytes);
	ck_assert_uint_eq(got.alloc_zeroed_bytes, want.alloc_zeroed_bytes);
	ck_assert_uint_eq(got.freed_bytes, want.freed_bytes);
}

#define TELEMETRY(...) ((RegionTelemetry){__VA_ARGS__})

static bool all_are(const ValueMutPtr *h, uint8_t byte)
{
	for (size_t i = 0; i < h->size; i++)
		if (h->ptr[i] != byte)
			return false;
	return true;
}

/* ---- blocks ---- */

START_TEST(blocks_are_aligned_and_apart)
{
	enum { BLOCKS = 2000 };
	RegionHandle region = chic_rt_region_enter(1);
	static ValueMutPtr block[BLOCKS];
	uint64_t random = 88172645463325252u + _i;

	for (size_t i = 0; i < BLOCKS; i++) {
		size_t size, align;

		random ^= random << 13, random ^= random >> 7, random ^= random << 17;
		size = 1 + (random >> 20) % (i % 50 ? 300 : 100000);
		align = (size_t)1 << random % (i % 50 ? 8 : 14);
		block[i] = i % 3 ? chic_rt_region_alloc(region, size, align)
				 : chic_rt_region_alloc_zeroed(region, size, align);
		check_handle(block[i], true, size, align);
		MUST((uintptr_t)block[i].ptr % align == 0);
		MUST(i % 3 || all_are(&block[i], 0));
		memset(block[i].ptr, (int)i, size);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		MUST(all_are(&block[i], (uint8_t)i));
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(what_needs_no_memory_reaches_no_hook)
{
	RegionHandle region = chic_rt_region_enter(1);

	check_handle(chic_rt_region_alloc(region, 0, 8), false, 0, 8);
	check_handle(chic_rt_region_alloc_zeroed(region, 0, 0), false, 0, 1);
	check_handle(chic_rt_region_alloc(region, 16, 24), false, 16, 24);
	check_handle(chic_rt_region_alloc_zeroed(region, 16, 3), false, 16, 3);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(0, 0, 0, 0, 0));
	chic_rt_region_exit(region);
	ck_assert_uint_eq(ledger_requests(), 0);
	ck_assert_uint_eq(ledger_frees(), 0);
}
END_TEST

START_TEST(what_no_machine_has_is_a_typed_null)
{
	static const size_t much[] = {SIZE_MAX,	       SIZE_MAX - 7, SIZE_MAX - 15,
				      SIZE_MAX - 31,   PTRDIFF_MAX,  SIZE_MAX / 2 + 1,
				      SIZE_MAX / 2 - 8};
	size_t most = (size_t)1 << (sizeof(size_t) * 8 - 1);
	RegionHandle region = chic_rt_region_enter(1);

	for (size_t i = 0; i < sizeof(much) / sizeof(much[0]); i++) {
		check_handle(chic_rt_region_alloc(region, much[i], 1), false, much[i], 1);
		check_handle(chic_rt_region_alloc(region, much[i], most), false, much[i], most);
		check_handle(chic_rt_region_alloc_zeroed(region, much[i], 4096), false, much[i],
			     4096);
	}
	check_handle(chic_rt_region_alloc(region, 1, most), false, 1, most);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(0, 0, 0, 0, 0));
	check_handle(chic_rt_region_alloc(region, 10, 0), true, 10, 1);
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(exit_of_a_million_blocks_is_few_frees)
{
	RegionHandle region = chic_rt_region_enter(1);

	for (int i = 0; i < 1000000; i++)
		MUST(chic_rt_region_alloc(region, 16, 8).ptr);
	ck_assert_uint_eq(ledger_frees(), 0);
	chic_rt_region_exit(region);
	ck_assert_uint_lt(ledger_frees(), 20);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_region_takes_little_more_than_it_gives)
{
	enum { BLOCK = 1000, KIB = 1 << 10, MIB = 1 << 20 };
	RegionHandle region = chic_rt_region_enter(1);

	for (size_t given = 0; given < (size_t)100 * MIB; given += BLOCK) {
		ValueMutPtr h = chic_rt_region_alloc(region, BLOCK, 8);

		MUST(h.ptr);
		memset(h.ptr, 1, BLOCK);
		MUST(ledger_live_bytes() <= given / 2 * 3 + 2 * MIB + 64 * KIB);
	}
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_large_block_does_not_end_the_present_chunk)
{
	RegionHandle region = chic_rt_region_enter(1);
	uint8_t *small = chic_rt_region_alloc(region, 8, 8).ptr;

	ck_assert_ptr_nonnull(chic_rt_region_alloc(region, 1 << 20, 8).ptr);
	ck_assert_ptr_eq(chic_rt_region_alloc(region, 8, 8).ptr, small + 8);
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

/* ---- refusals ---- */

START_TEST(refused_memory_is_a_typed_null_and_counts_nothing)
{
	RegionHandle region = chic_rt_region_enter(1);

	ledger_fail(1, true);
	check_handle(chic_rt_region_alloc(region, 100, 8), false, 100, 8);
	check_handle(chic_rt_region_alloc_zeroed(region, 10000, 64), false, 10000, 64);
	ck_assert(ledger_failed());
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(0, 0, 0, 0, 0));
	check_handle(chic_rt_region_alloc(region, 100, 8), true, 100, 8);
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(where_a_chunk_is_refused_a_block_may_still_be_had)
{
	RegionHandle region = chic_rt_region_enter(1);

	ledger_fail(1, false);
	check_handle(chic_rt_region_alloc(region, 100, 8), true, 100, 8);
	ck_assert(ledger_failed());
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(1, 0, 100, 0, 0));
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

/* More than a megabyte: the next chunk is one of huge pages. */
START_TEST(where_a_large_chunk_is_refused_a_small_one_is_had)
{
	RegionHandle region = chic_rt_region_enter(1);
	size_t before;

	for (int i = 0; i < 1000; i++)
		MUST(chic_rt_region_alloc(region, 1000, 8).ptr);
	before = ledger_live_bytes();
	ledger_fail(1, false);
	check_handle(chic_rt_region_alloc(region, 60000, 8), true, 60000, 8);
	ck_assert(ledger_failed());
	ck_assert_uint_lt(ledger_live_bytes() - before, 1 << 20);
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

/* ---- counters ---- */

START_TEST(telemetry_is_exact_and_survives_exit)
{
	RegionHandle region = chic_rt_region_enter(7);

	chic_rt_region_alloc(region, 10, 64);
	chic_rt_region_alloc(region, 100000, 8);
	chic_rt_region_alloc_zeroed(region, 3, 1);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(2, 1, 100010, 3, 0));
	chic_rt_region_exit(region);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(2, 1, 100010, 3, 100013));
	chic_rt_region_reset_stats(region);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(2, 1, 100010, 3, 100013));
}
END_TEST

START_TEST(reset_forgets_calls_but_not_what_exit_frees)
{
	RegionHandle region = chic_rt_region_enter(7);

	chic_rt_region_alloc(region, 10, 1);
	chic_rt_region_alloc_zeroed(region, 20, 1);
	chic_rt_region_reset_stats(region);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(0, 0, 0, 0, 0));
	chic_rt_region_alloc(region, 5, 1);
	chic_rt_region_reset_stats(region);
	chic_rt_region_alloc(region, 1, 1);
	chic_rt_region_exit(region);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(1, 0, 1, 0, 36));
}
END_TEST

START_TEST(profiles_are_summed_over_live_and_ended_regions)
{
	static const uint64_t profiles[] = {0, 42, UINT64_C(0x9e3779b97f4a7c15), UINT64_MAX};

	for (size_t p = 0; p < 4; p++) {
		RegionHandle a = chic_rt_region_enter(profiles[p]);
		RegionHandle b = chic_rt_region_enter(profiles[p]);

		chic_rt_region_alloc(a, 10 + p, 1);
		chic_rt_region_alloc_zeroed(b, 100, 1);
		chic_rt_region_exit(a);
		check_telemetry(chic_rt_region_profile(profiles[p]),
				TELEMETRY(1, 1, 10 + p, 100, 10 + p));
		chic_rt_region_exit(b);
		check_telemetry(chic_rt_region_profile(profiles[p]),
				TELEMETRY(1, 1, 10 + p, 100, 110 + p));
	}
	check_telemetry(chic_rt_region_profile(43), TELEMETRY(0, 0, 0, 0, 0));
}
END_TEST

START_TEST(too_many_profiles_are_still_summed_while_they_live)
{
	RegionHandle region;

	for (uint64_t p = 10000; p < 11000; p++) /* to ask takes no place */
		check_telemetry(chic_rt_region_profile(p), TELEMETRY(0, 0, 0, 0, 0));
	for (uint64_t p = 1; p <= 600; p++) {
		region = chic_rt_region_enter(p);
		chic_rt_region_alloc(region, p, 1);
		check_telemetry(chic_rt_region_profile(p), TELEMETRY(1, 0, p, 0, 0));
		chic_rt_region_exit(region);
		check_telemetry(chic_rt_region_profile(p),
				p <= 511 ? TELEMETRY(1, 0, p, 0, p) : TELEMETRY(0, 0, 0, 0, 0));
	}
}
END_TEST

static uint64_t profile_named(const char *name)
{
	return chic_rt_region_profile_of((ChicStr){(const uint8_t *)name, strlen(name)});
}

START_TEST(profiles_of_names_are_fnv_1a)
{
	ck_assert_uint_eq(profile_named("a"), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(profile_named("foobar"), UINT64_C(0x85944171f73967e8));
	ck_assert_uint_eq(profile_named(""), profile_named("default"));
	ck_assert_uint_eq(chic_rt_region_profile_of((ChicStr){NULL, 5}),
			  profile_named("default"));
}
END_TEST

/* ---- handles ---- */

static void check_refused(void *word)
{
	RegionHandle region = {word};
	size_t requests = ledger_requests(), frees = ledger_frees();

	check_handle(chic_rt_region_alloc(region, 8, 8), false, 8, 8);
	check_handle(chic_rt_region_alloc_zeroed(region, 8, 0), false, 8, 1);
	chic_rt_region_reset_stats(region);
	chic_rt_region_exit(region);
	MUST(ledger_requests() == requests && ledger_frees() == frees);
}

START_TEST(an_exited_region_is_refused)
{
	RegionHandle region = chic_rt_region_enter(1), other;

	chic_rt_region_alloc(region, 10, 1);
	chic_rt_region_exit(region);
	check_refused(region.ptr);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(1, 0, 10, 0, 10));

	for (int i = 0; i < 5000; i++) { /* until its slot was taken again */
		other = chic_rt_region_enter(2);
		MUST(other.ptr && other.ptr != region.ptr);
		chic_rt_region_exit(other);
	}
	check_refused(region.ptr);
	check_telemetry(chic_rt_region_telemetry(region), TELEMETRY(0, 0, 0, 0, 0));
	ledger_nothing_left();
}
END_TEST

START_TEST(garbage_is_refused)
{
	RegionHandle live = chic_rt_region_enter(1), dead = chic_rt_region_enter(2), near;
	uintptr_t word = (uintptr_t)live.ptr;
	int on_stack;

	chic_rt_region_alloc(live, 8, 8);
	chic_rt_region_exit(dead);
	for (uintptr_t i = 0; i < 100000; i++)
		if (i != word)
			check_refused((void *)i);
	for (unsigned bit = 0; bit < sizeof(word) * 8; bit++) {
		near.ptr = (void *)(word ^ (uintptr_t)1 << bit);
		check_refused(near.ptr);
		ck_assert_uint_eq(chic_rt_region_telemetry(near).alloc_calls, 0);
		if (((uintptr_t)dead.ptr ^ (uintptr_t)1 << bit) != word)
			check_refused((void *)((uintptr_t)dead.ptr ^ (uintptr_t)1 << bit));
	}
	for (unsigned i = 0; i < 16; i++) {
		check_refused((char *)&on_stack + i);
		check_refused((char *)check_refused + i);
	}
	check_refused((void *)UINTPTR_MAX);
	check_telemetry(chic_rt_region_telemetry((RegionHandle){NULL}),
			TELEMETRY(0, 0, 0, 0, 0));
	check_handle(chic_rt_region_alloc(live, 8, 8), true, 8, 8);
	chic_rt_region_exit(live);
	ledger_nothing_left();
}
END_TEST

START_TEST(regions_do_not_depend_on_each_other)
{
	RegionHandle outer = chic_rt_region_enter(1);
	ValueMutPtr a = chic_rt_region_alloc(outer, 100, 8), b;
	RegionHandle inner = chic_rt_region_enter(1);

	b = chic_rt_region_alloc(inner, 100, 8);
	memset(a.ptr, 1, a.size);
	memset(b.ptr, 2, b.size);
	chic_rt_region_exit(outer);
	ck_assert(all_are(&b, 2));
	check_handle(chic_rt_region_alloc(inner, 8, 8), true, 8, 8);
	check_refused(outer.ptr);
	chic_rt_region_exit(inner);
	ledger_nothing_left();
}
END_TEST

START_TEST(there_are_4096_regions_at_once)
{
	static RegionHandle region[4096];

	for (size_t i = 0; i < 4096; i++) {
		region[i] = chic_rt_region_enter(i);
		MUST(region[i].ptr);
		MUST(chic_rt_region_alloc(region[i], 8, 8).ptr);
	}
	ck_assert_ptr_null(chic_rt_region_enter(1).ptr);
	chic_rt_region_exit(region[1234]);
	region[1234] = chic_rt_region_enter(1);
	ck_assert_ptr_nonnull(region[1234].ptr);
	for (size_t i = 0; i < 4096; i++)
		chic_rt_region_exit(region[i]);
	ledger_nothing_left();
}
END_TEST

/* ---- threads ---- */

enum { WORKERS = 3, CYCLES = 3000, BLOCKS_EACH = 20 };

static RegionHandle shown; /* one worker's present region, for others to ask about */

static void *work(void *arg)
{
	uint64_t profile = *(uint64_t *)arg;

	for (int cycle = 0; cycle < CYCLES; cycle++) {
		RegionHandle region = chic_rt_region_enter(profile);

		MUST(region.ptr);
		__atomic_store_n(&shown.ptr, region.ptr, __ATOMIC_RELAXED);
		for (int i = 0; i < BLOCKS_EACH; i++)
			*chic_rt_region_alloc(region, 50, 8).ptr = 1;
		chic_rt_region_exit(region);
	}
	return NULL;
}

/* Sums never go back while regions only add to them. */
static void *ask(void *arg)
{
	uint64_t before = 0, now, *stop = arg;

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		RegionHandle region = {__atomic_load_n(&shown.ptr, __ATOMIC_RELAXED)};
		RegionTelemetry t = chic_rt_region_telemetry(region);

		MUST(t.alloc_calls <= BLOCKS_EACH && t.alloc_bytes <= 50 * BLOCKS_EACH);
		now = chic_rt_region_profile(11).alloc_calls;
		MUST(now >= before);
		before = now;
	}
	return NULL;
}

START_TEST(threads_have_regions_of_their_own)
{
	static const uint64_t total = (uint64_t)WORKERS * CYCLES * BLOCKS_EACH;
	uint64_t profile = 11, stop = 0;
	pthread_t worker[WORKERS], asker;

	ck_assert_int_eq(pthread_create(&asker, NULL, ask, &stop), 0);
	for (int i = 0; i < WORKERS; i++)
		ck_assert_int_eq(pthread_create(&worker[i], NULL, work, &profile), 0);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(worker[i], NULL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(asker, NULL);
	check_telemetry(chic_rt_region_profile(11),
			TELEMETRY(total, 0, total * 50, 0, total * 50));
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("region");
	TCase *tcase = tcase_create("region");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_loop_test(tcase, blocks_are_aligned_and_apart, 0, 5);
	tcase_add_test(tcase, what_needs_no_memory_reaches_no_hook);
	tcase_add_test(tcase, what_no_machine_has_is_a_typed_null);
	tcase_add_test(tcase, exit_of_a_million_blocks_is_few_frees);
	tcase_add_test(tcase, a_region_takes_little_more_than_it_gives);
	tcase_add_test(tcase, where_a_large_chunk_is_refused_a_small_one_is_had);
	tcase_add_test(tcase, a_large_block_does_not_end_the_present_chunk);
	tcase_add_test(tcase, refused_memory_is_a_typed_null_and_counts_nothing);
	tcase_add_test(tcase, where_a_chunk_is_refused_a_block_may_still_be_had);
	tcase_add_test(tcase, telemetry_is_exact_and_survives_exit);
	tcase_add_test(tcase, reset_forgets_calls_but_not_what_exit_frees);
	tcase_add_test(tcase, profiles_are_summed_over_live_and_ended_regions);
	tcase_add_test(tcase, too_many_profiles_are_still_summed_while_they_live);
	tcase_add_test(tcase, profiles_of_names_are_fnv_1a);
	tcase_add_test(tcase, an_exited_region_is_refused);
	tcase_add_test(tcase, garbage_is_refused);
	tcase_add_test(tcase, regions_do_not_depend_on_each_other);
	tcase_add_test(tcase, there_are_4096_regions_at_once);
	tcase_add_test(tcase, threads_have_regions_of_their_own);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
