// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic_rt_alloc and its kin over the platform heap and over installed tables:
 * handles, the realloc matrix, exact counters, all 16 partial tables, and
 * installs that race with requests.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "toy.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static struct toy toy;

static void setup(void)
{
	toy_init(&toy);
	chic_rt_allocator_reset();
	chic_rt_reset_alloc_stats();
}

static ChicAllocatorVTable toy_table(void)
{
	return (ChicAllocatorVTable){&toy, toy_alloc, toy_alloc_zeroed, toy_realloc, toy_free};
}

static void check_handle(ValueMutPtr h, bool success, size_t size, size_t align)
{
	ck_assert_int_eq(h.ptr != NULL, success);
	ck_assert_uint_eq(h.size, size);
	ck_assert_uint_eq(h.align, align);
}

static void check_stats(AllocationTelemetry want)
{
	AllocationTelemetry got = chic_rt_alloc_stats();

	ck_assert_uint_eq(got.alloc_calls, want.alloc_calls);
	ck_assert_uint_eq(got.alloc_zeroed_calls, want.alloc_zeroed_calls);
	ck_assert_uint_eq(got.realloc_calls, want.realloc_calls);
	ck_assert_uint_eq(got.free_calls, want.free_calls);
	ck_assert_uint_eq(got.alloc_bytes, want.alloc_bytes);
	ck_assert_uint_eq(got.alloc_zeroed_bytes, want.alloc_zeroed_bytes);
	ck_assert_uint_eq(got.realloc_bytes, want.realloc_bytes);
	ck_assert_uint_eq(got.freed_bytes, want.freed_bytes);
}

#define STATS(...) ((AllocationTelemetry){__VA_ARGS__})

START_TEST(default_serves_every_alignment)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr a = chic_rt_alloc(1000, align);
	ValueMutPtr z = chic_rt_alloc_zeroed(1000, align);

	check_handle(a, true, 1000, align);
	ck_assert_uint_eq((uintptr_t)a.ptr % align, 0);
	ck_assert_uint_eq((uintptr_t)z.ptr % align, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(z.ptr[i], 0);
	memset(a.ptr, 0x42, 1000);
	a = chic_rt_realloc(a, 1000, 50000, align);
	check_handle(a, true, 50000, align);
	ck_assert_uint_eq((uintptr_t)a.ptr % align, 0);
	for (int i = 0; i < 1000; i++)
		ck_assert_uint_eq(a.ptr[i], 0x42);
	chic_rt_free(a);
	chic_rt_free(z);
	check_stats(STATS(1, 1, 1, 2, 1000, 1000, 50000, 1000 + 50000 + 1000));
}
END_TEST

START_TEST(size_zero_and_bad_alignment_reach_no_hook)
{
	chic_rt_allocator_install(toy_table());

	check_handle(chic_rt_alloc(0, 8), false, 0, 8);
	check_handle(chic_rt_alloc_zeroed(0, 0), false, 0, 1);
	check_handle(chic_rt_alloc(16, 24), false, 16, 24);
	check_handle(chic_rt_alloc_zeroed(16, 3), false, 16, 3);
	check_handle(chic_rt_realloc((ValueMutPtr){0}, 0, 16, 48), false, 16, 48);

	for (int op = 0; op < OP_COUNT; op++)
		ck_assert_uint_eq(toy.calls[op], 0);
	check_stats(STATS(0));
}
END_TEST

START_TEST(align_zero_becomes_one)
{
	chic_rt_allocator_install(toy_table());
	ValueMutPtr h = chic_rt_alloc(5, 0);

	check_handle(h, true, 5, 1);
	chic_rt_free(h);
}
END_TEST

START_TEST(default_failure_is_a_typed_null)
{
	size_t huge = IMPOSSIBLE_SIZE;
	ValueMutPtr block = chic_rt_alloc(64, 64);

	check_handle(chic_rt_alloc(huge, 1), false, huge, 1);
	check_handle(chic_rt_alloc_zeroed(huge, 4096), false, huge, 4096);
	check_handle(chic_rt_realloc(block, 64, huge, 64), false, huge, 64);
	memset(block.ptr, 1, 64);
	chic_rt_free(block);
	check_stats(STATS(1, 0, 0, 1, 64, 0, 0, 64));
}
END_TEST

static ValueMutPtr sloppy_alloc(void *ctx, size_t size, size_t align)
{
	ValueMutPtr h = toy_alloc(ctx, size, align);

	return (ValueMutPtr){h.ptr, 0, 0};
}

static ValueMutPtr sloppy_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				  size_t align)
{
	ValueMutPtr h = toy_realloc(ctx, old, old_size, size, align);

	return (ValueMutPtr){h.ptr, 7, 7};
}

START_TEST(sloppy_hooks_do_not_cost_the_caller_its_layout)
{
	chic_rt_allocator_install((ChicAllocatorVTable){&toy, sloppy_alloc, sloppy_alloc,
							sloppy_realloc, toy_free});
	ValueMutPtr h = chic_rt_alloc(40, 8);

	check_handle(h, true, 40, 8);
	h = chic_rt_realloc(h, 40, 80, 16);
	check_handle(h, true, 80, 16);
	toy.fails = true;
	check_handle(chic_rt_alloc(9, 2), false, 9, 2);
	check_handle(chic_rt_realloc(h, 80, 160, 32), false, 160, 32);
	chic_rt_free(h);
	check_stats(STATS(1, 0, 1, 1, 40, 0, 80, 40 + 80));
}
END_TEST

START_TEST(free_of_null_does_nothing)
{
	chic_rt_allocator_install(toy_table());

	chic_rt_free((ValueMutPtr){NULL, 10, 1});

	ck_assert_uint_eq(toy.calls[OP_FREE], 0);
	check_stats(STATS(0));
}
END_TEST

START_TEST(realloc_of_null_goes_to_the_realloc_entry)
{
	chic_rt_allocator_install(toy_table());

	ValueMutPtr h = chic_rt_realloc((ValueMutPtr){NULL, 99, 1}, 99, 10, 4);

	check_handle(h, true, 10, 4);
	ck_assert_uint_eq(toy.calls[OP_REALLOC], 1);
	ck_assert_uint_eq(toy.calls[OP_ALLOC], 0);
	check_stats(STATS(0, 0, 1, 0, 0, 0, 10, 0));
	chic_rt_free(h);
}
END_TEST

START_TEST(realloc_to_zero_frees)
{
	chic_rt_allocator_install(toy_table());
	ValueMutPtr a = chic_rt_alloc(10, 1), b = chic_rt_alloc(20, 1);

	check_handle(chic_rt_realloc(a, 10, 0, 2), false, 0, 2);
	check_handle(chic_rt_realloc(b, 0, 0, 1), false, 0, 1);
	check_handle(chic_rt_realloc((ValueMutPtr){0}, 0, 0, 1), false, 0, 1);

	ck_assert_int_eq(toy.live, 0);
	ck_assert_uint_eq(toy.calls[OP_REALLOC], 0);
	check_stats(STATS(2, 0, 0, 2, 30, 0, 0, 30));
}
END_TEST

START_TEST(old_size_counts_not_the_handles)
{
	chic_rt_allocator_install(toy_table());
	ValueMutPtr h = chic_rt_alloc(100, 1);

	memset(h.ptr, 0x11, 100);
	h.size = 4; /* an element's */
	h = chic_rt_realloc(h, 100, 200, 1);

	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(h.ptr[i], 0x11);
	check_stats(STATS(1, 0, 1, 0, 100, 0, 200, 100));
	chic_rt_free(h);
}
END_TEST

START_TEST(reset_restores_the_default_and_keeps_counters)
{
	chic_rt_allocator_install(toy_table());
	chic_rt_free(chic_rt_alloc(8, 8));
	chic_rt_allocator_reset();
	chic_rt_allocator_reset();

	ValueMutPtr h = chic_rt_alloc(8, 8);

	ck_assert(!toy_has(&toy, h.ptr));
	chic_rt_free(h);
	check_stats(STATS(2, 0, 0, 2, 16, 0, 0, 16));
}
END_TEST

/* Hooks over malloc, so that a partial table's blocks and the default's mix. */
static unsigned c_calls[OP_COUNT];

static ValueMutPtr c_alloc(void *ctx, size_t size, size_t align)
{
	ck_assert_ptr_eq(ctx, c_calls);
	c_calls[OP_ALLOC]++;
	return (ValueMutPtr){malloc(size), size, align};
}

static ValueMutPtr c_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ck_assert_ptr_eq(ctx, c_calls);
	c_calls[OP_ALLOC_ZEROED]++;
	return (ValueMutPtr){calloc(1, size), size, align};
}

static ValueMutPtr c_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			     size_t align)
{
	ck_assert_ptr_eq(ctx, c_calls);
	ck_assert_uint_eq(old_size, old.size);
	c_calls[OP_REALLOC]++;
	return (ValueMutPtr){realloc(old.ptr, size), size, align};
}

static void c_free(void *ctx, ValueMutPtr block)
{
	ck_assert_ptr_eq(ctx, c_calls);
	c_calls[OP_FREE]++;
	free(block.ptr);
}

START_TEST(partial_table_falls_back_entry_by_entry)
{
	chic_rt_allocator_install((ChicAllocatorVTable){
		.context = c_calls,
		.alloc = _i & 1 ? c_alloc : NULL,
		.alloc_zeroed = _i & 2 ? c_alloc_zeroed : NULL,
		.realloc = _i & 4 ? c_realloc : NULL,
		.free = _i & 8 ? c_free : NULL,
	});
	memset(c_calls, 0, sizeof(c_calls));

	ValueMutPtr a = chic_rt_alloc(30, 8);
	ValueMutPtr z = chic_rt_alloc_zeroed(50, 8);

	for (int i = 0; i < 50; i++)
		ck_assert_uint_eq(z.ptr[i], 0);
	memset(a.ptr, 0x66, 30);
	a = chic_rt_realloc(a, 30, 70, 8);
	for (int i = 0; i < 30; i++)
		ck_assert_uint_eq(a.ptr[i], 0x66);
	chic_rt_free(a);
	chic_rt_free(z);

	ck_assert_uint_eq(c_calls[OP_ALLOC], _i & 1 ? 1 : 0);
	ck_assert_uint_eq(c_calls[OP_ALLOC_ZEROED], _i & 2 ? 1 : 0);
	ck_assert_uint_eq(c_calls[OP_REALLOC], _i & 4 ? 1 : 0);
	ck_assert_uint_eq(c_calls[OP_FREE], _i & 8 ? 2 : 0);
	check_stats(STATS(1, 1, 1, 2, 30, 50, 70, 30 + 70 + 50));
}
END_TEST

/* ---- installs that race with requests ---- */

enum { WRITERS_CYCLES = 1000000, READERS = 4 };

static struct side {
	int number;
} sides[2] = {{0}, {1}};
static size_t side_allocs[2], side_frees[2];
static bool stop;

#define SIDE(n)                                                                                \
	static ValueMutPtr side##n##_alloc(void *ctx, size_t size, size_t align)               \
	{                                                                                      \
		if (ctx != &sides[n])                                                          \
			abort(); /* a torn table */                                            \
		__atomic_fetch_add(&side_allocs[n], 1, __ATOMIC_RELAXED);                      \
		return (ValueMutPtr){malloc(size), size, align};                               \
	}                                                                                      \
	static void side##n##_free(void *ctx, ValueMutPtr block)                               \
	{                                                                                      \
		if (ctx != &sides[n])                                                          \
			abort();                                                               \
		__atomic_fetch_add(&side_frees[n], 1, __ATOMIC_RELAXED);                       \
		free(block.ptr);                                                               \
	}

SIDE(0)
SIDE(1)

static void *allocate_until_stopped(void *arg)
{
	size_t *rounds = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		ValueMutPtr h = chic_rt_alloc(24, 8);

		if (!h.ptr)
			abort();
		memset(h.ptr, 1, 24);
		chic_rt_free(h);
		(*rounds)++;
	}
	return NULL;
}

static void install_cycles(unsigned long n)
{
	const ChicAllocatorVTable tables[2] = {
		{&sides[0], side0_alloc, NULL, NULL, side0_free},
		{&sides[1], side1_alloc, NULL, NULL, side1_free},
	};

	for (unsigned long i = 0; i < n; i++) {
		chic_rt_allocator_install(tables[i & 1]);
		if (i % 3 == 0)
			chic_rt_allocator_reset();
	}
}

START_TEST(a_million_installs_while_four_threads_allocate)
{
	size_t rounds[READERS] = {0}, total = 0;
	pthread_t threads[READERS];
	AllocationTelemetry t;
	long before;

	for (int i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, allocate_until_stopped, &rounds[i]);
	install_cycles(10000);
	before = resident_pages();
	install_cycles(getenv("CHECK_VALGRIND") ? WRITERS_CYCLES / 50 : WRITERS_CYCLES);
	if (!CHECK_SANITIZED && !getenv("CHECK_VALGRIND"))
		ck_assert_int_lt(resident_pages() - before, 64);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		total += rounds[i];
	}

	t = chic_rt_alloc_stats();
	ck_assert_uint_gt(total, 0);
	ck_assert_uint_gt(side_allocs[0] + side_allocs[1], 0);
	ck_assert_uint_eq(t.alloc_calls, total);
	ck_assert_uint_eq(t.free_calls, total);
	ck_assert_uint_eq(t.alloc_bytes, 24 * total);
	ck_assert_uint_eq(t.freed_bytes, 24 * total);
}
END_TEST

START_TEST(memory_grows_with_different_tables_only)
{
	const struct table *first, *second;
	ChicAllocatorVTable t = toy_table();

	chic_rt_allocator_install(t);
	first = hooks_table;
	for (uintptr_t i = 1; i < 2000; i++) {
		t.context = (void *)(i << 4);
		chic_rt_allocator_install(t);
		ck_assert_ptr_ne(hooks_table, first);
	}
	t.context = &toy;
	chic_rt_allocator_install(t);
	second = hooks_table;
	ck_assert_ptr_eq(first, second);
	chic_rt_free(chic_rt_alloc(1, 1));
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("hooks");
	TCase *t = tcase_create("requests");
	TCase *race = tcase_create("races");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, default_serves_every_alignment, 0, 17);
	tcase_add_test(t, size_zero_and_bad_alignment_reach_no_hook);
	tcase_add_test(t, align_zero_becomes_one);
	tcase_add_test(t, default_failure_is_a_typed_null);
	tcase_add_test(t, sloppy_hooks_do_not_cost_the_caller_its_layout);
	tcase_add_test(t, free_of_null_does_nothing);
	tcase_add_test(t, realloc_of_null_goes_to_the_realloc_entry);
	tcase_add_test(t, realloc_to_zero_frees);
	tcase_add_test(t, old_size_counts_not_the_handles);
	tcase_add_test(t, reset_restores_the_default_and_keeps_counters);
	tcase_add_loop_test(t, partial_table_falls_back_entry_by_entry, 0, 16);
	suite_add_tcase(s, t);

	tcase_add_checked_fixture(race, setup, NULL);
	tcase_set_timeout(race, CHECK_TIMEOUT);
	tcase_add_test(race, a_million_installs_while_four_threads_allocate);
	tcase_add_test(race, memory_grows_with_different_tables_only);
	suite_add_tcase(s, race);
	return s;
}

CHECK_MAIN(make_suite)
