// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hooks and their counters, whoever serves: what chic_rt.h promises of sizes,
 * alignments, failure, tables with null entries, and what is counted.
 */
#include "core.h"

#include <string.h>

#include "chic_rt.h"
#include "ledger.h"

static void setup(void)
{
	ledger_install();
}

static void check_handle(ValueMutPtr h, bool served, size_t size, size_t align)
{
	ck_assert(!h.ptr == !served);
	ck_assert_uint_eq(h.size, size);
	ck_assert_uint_eq(h.align, align);
}

static void check_nothing_counted(void)
{
	const AllocationTelemetry none = {0};
	AllocationTelemetry t = chic_rt_alloc_stats();

	ck_assert_mem_eq(&t, &none, sizeof(t));
}

START_TEST(sizes_and_alignments)
{
	ValueMutPtr h, none = {NULL, 8, 8};

	check_handle(chic_rt_alloc(0, 8), false, 0, 8);
	check_handle(chic_rt_alloc_zeroed(0, 0), false, 0, 1);
	check_handle(chic_rt_alloc(8, 24), false, 8, 24);
	check_handle(chic_rt_realloc(none, 0, 8, 3), false, 8, 3);
	check_handle(chic_rt_realloc(none, 0, 0, 4), false, 0, 4);
	chic_rt_free(none);
	ck_assert_uint_eq(ledger_requests(), 0);
	check_nothing_counted();

	h = chic_rt_alloc(10, 0);
	check_handle(h, true, 10, 1);
	chic_rt_free(h);
	for (size_t align = 1; align <= 4096; align *= 2) {
		h = chic_rt_alloc_zeroed(align + 3, align);
		check_handle(h, true, align + 3, align);
		ck_assert(!((uintptr_t)h.ptr & (align - 1)));
		for (size_t i = 0; i < h.size; i++)
			ck_assert(!h.ptr[i]);
		chic_rt_free(h);
	}
	core_counters("sizes");
	ledger_nothing_left();
}
END_TEST

START_TEST(failure_keeps_the_layout_and_is_not_counted)
{
	ValueMutPtr h = chic_rt_alloc(100, 4), bigger;

	memset(h.ptr, 0x5c, 100);
	chic_rt_reset_alloc_stats();
	ledger_fail(1, true);
	check_handle(chic_rt_alloc(64, 16), false, 64, 16);
	check_handle(chic_rt_alloc_zeroed(64, 32), false, 64, 32);
	bigger = chic_rt_realloc(h, 100, 200, 4);
	check_handle(bigger, false, 200, 4);
	check_nothing_counted();
	for (size_t i = 0; i < 100; i++)
		ck_assert(h.ptr[i] == 0x5c);
	ck_assert(ledger_failed());
	check_handle(chic_rt_alloc(SIZE_MAX, 1), false, SIZE_MAX, 1);
	check_handle(chic_rt_realloc(h, 100, SIZE_MAX - 8, 4), false, SIZE_MAX - 8, 4);
	chic_rt_free(h);
	core_counters("failure");
	ck_assert_uint_eq(ledger_live_blocks(), 0);
}
END_TEST

START_TEST(realloc_keeps_what_there_is)
{
	ValueMutPtr h = chic_rt_alloc(16, 8);

	memset(h.ptr, 7, 16);
	h = chic_rt_realloc(h, 16, 1000, 8);
	check_handle(h, true, 1000, 8);
	for (size_t i = 0; i < 16; i++)
		ck_assert(h.ptr[i] == 7);
	h = chic_rt_realloc(h, 1000, 5, 8);
	check_handle(h, true, 5, 8);
	for (size_t i = 0; i < 5; i++)
		ck_assert(h.ptr[i] == 7);
	check_handle(chic_rt_realloc(h, 5, 0, 8), false, 0, 8);
	core_counters("realloc");
	ck_assert_uint_eq(chic_rt_alloc_stats().free_calls, 1);
	ledger_nothing_left();
}
END_TEST

/* ---- tables ---- */

static unsigned calls[4];
static uint64_t block[8];

static ValueMutPtr own_alloc(void *ctx, size_t size, size_t align)
{
	(void)align;
	ck_assert_ptr_eq(ctx, calls);
	calls[0]++;
	return (ValueMutPtr){(uint8_t *)block, size, 0};
}

static ValueMutPtr own_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	own_alloc(ctx, size, align);
	calls[0]--;
	calls[1]++;
	return (ValueMutPtr){memset(block, 0, sizeof(block)), 0, 0};
}

static ValueMutPtr own_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			       size_t align)
{
	(void)size;
	(void)align;
	ck_assert_ptr_eq(ctx, calls);
	ck_assert_ptr_eq(old.ptr, block);
	ck_assert_uint_eq(old_size, 24);
	calls[2]++;
	return old;
}

static void own_free(void *ctx, ValueMutPtr h)
{
	ck_assert_ptr_eq(ctx, calls);
	ck_assert_ptr_eq(h.ptr, block);
	calls[3]++;
}

/* An entry that is there is called, once, with its context; which of the 16 is _i. */
START_TEST(any_entries_of_a_table)
{
	const ValueMutPtr h = {(uint8_t *)block, 24, 8};

	memset(calls, 0, sizeof(calls));
	chic_rt_allocator_install((ChicAllocatorVTable){
		.context = calls,
		.alloc = _i & 1 ? own_alloc : NULL,
		.alloc_zeroed = _i & 2 ? own_alloc_zeroed : NULL,
		.realloc = _i & 4 ? own_realloc : NULL,
		.free = _i & 8 ? own_free : NULL,
	});
	if (_i & 1)
		check_handle(chic_rt_alloc(24, 8), true, 24, 8);
	if (_i & 2)
		check_handle(chic_rt_alloc_zeroed(24, 4), true, 24, 4);
	if (_i & 4)
		check_handle(chic_rt_realloc(h, 24, 40, 8), true, 40, 8);
	if (_i & 8)
		chic_rt_free(h);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(calls[i], (unsigned)_i >> i & 1);
	core_counters("entries");
	chic_rt_allocator_reset();
}
END_TEST

START_TEST(counters_are_reset_and_the_table_stays)
{
	AllocationTelemetry t;
	ValueMutPtr h = chic_rt_alloc(8, 8);

	chic_rt_alloc_stats_fill(NULL);
	chic_rt_alloc_stats_fill(&t);
	ck_assert_uint_eq(t.alloc_calls, 1);
	chic_rt_reset_alloc_stats();
	check_nothing_counted();
	chic_rt_free(h);
	ck_assert_uint_eq(ledger_live_blocks(), 0);
	core_counters("reset");
}
END_TEST

START_TEST(bytes_over_handles)
{
	uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8}, b[8] = {0};
	const ValueMutPtr to = {b, 1, 1}, none = {NULL, 8, 1};

	chic_rt_memcpy(to, (ValueConstPtr){a, 1, 1}, 8);
	ck_assert_mem_eq(a, b, 8);
	chic_rt_memmove((ValueMutPtr){b + 1, 1, 1}, to, 7);
	ck_assert(b[1] == 1 && b[7] == 7);
	chic_rt_memset(to, 9, 2);
	ck_assert(b[0] == 9 && b[1] == 9 && b[2] == 2);
	chic_rt_memset(none, 9, 8);
	chic_rt_memcpy(none, (ValueConstPtr){a, 1, 1}, 8);
	chic_rt_zero_init(b, 8);
	chic_rt_zero_init(NULL, 8);
	for (unsigned i = 0; i < 8; i++)
		ck_assert(!b[i]);
}
END_TEST

TCase *hooks_tcase(void)
{
	TCase *tcase = tcase_create("hooks");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_add_test(tcase, sizes_and_alignments);
	tcase_add_test(tcase, failure_keeps_the_layout_and_is_not_counted);
	tcase_add_test(tcase, realloc_keeps_what_there_is);
	tcase_add_loop_test(tcase, any_entries_of_a_table, 0, 16);
	tcase_add_test(tcase, counters_are_reset_and_the_table_stays);
	tcase_add_test(tcase, bytes_over_handles);
	return tcase;
}
