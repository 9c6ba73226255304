// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_heap.c - the heap of WebAssembly builds, over a memory of the test's own.
 */
#include "check_support.h"
#include "heap_support.h"

#include <signal.h>

/* What __builtin_trap() comes to. */
#ifdef __aarch64__
#define TRAP_SIGNAL SIGTRAP
#else
#define TRAP_SIGNAL SIGILL
#endif

/* heap_add(), so that what it adds is walked too. */
static bool fake_add(uintptr_t start, size_t bytes)
{
	struct chunk *before = last_end;

	note_range(start);
	if (heap_add(start, bytes))
		return true;
	if (last_end == before && range_count &&
	    (!before || start != (uintptr_t)block_of(before)))
		range_count--;
	return false;
}

static void begin(void)
{
	fake_begin(PAGES_MAX, 0);
}

START_TEST(blocks_are_aligned_and_apart)
{
	unsigned char *a = heap_alloc(1, 1), *b = heap_alloc(1, 1);

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_uint_eq((uintptr_t)a % HEAP_GRAIN, 0);
	ck_assert_uint_ge((size_t)labs((long)(a - b)), HEAP_GRAIN);
	ck_assert_uint_ge(heap_usable_size(a), 1);
	heap_free(a);
	heap_free(b);
	heap_walk();
}
END_TEST

START_TEST(what_was_freed_serves_again)
{
	for (int i = 0; i < 100000; i++) {
		void *p = heap_alloc(100 + i % 1000, 8);

		ck_assert_ptr_nonnull(p);
		heap_free(p);
	}
	ck_assert_uint_eq(fake_pages, 1);
}
END_TEST

START_TEST(freed_neighbours_become_one)
{
	void *p[60];

	for (int i = 0; i < 60; i++)
		p[i] = heap_alloc(1000, 8);
	for (int i = 0; i < 60; i += 2)
		heap_free(p[i]);
	heap_walk();
	for (int i = 59; i > 0; i -= 2)
		heap_free(p[i]);
	heap_walk();
	ck_assert_uint_eq(fake_pages, 1);
	p[0] = heap_alloc(60000, 8);
	ck_assert_ptr_nonnull(p[0]);
	ck_assert_uint_eq(fake_pages, 1);
}
END_TEST

/* Also beyond a page, and with what is cut off in front used again. */
START_TEST(any_alignment)
{
	size_t align = (size_t)1 << _i;
	size_t free_bytes;
	void *p[3];

	heap_free(heap_alloc(1, 1));
	for (int i = 0; i < 3; i++) {
		p[i] = heap_alloc(100, align);
		ck_assert_ptr_nonnull(p[i]);
		ck_assert_uint_eq((uintptr_t)p[i] % align, 0);
		memset(p[i], i, 100);
		heap_walk();
	}
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(*(char *)p[i], i);
		heap_free(p[i]);
	}
	free_bytes = heap_walk();
	ck_assert_uint_ge(free_bytes + RANGE_OVERHEAD, fake_pages * PAGE);
}
END_TEST

START_TEST(too_much_is_null)
{
	static const size_t sizes[] = {
		SIZE_MAX,    SIZE_MAX - 1, SIZE_MAX - HEAP_GRAIN, (size_t)PTRDIFF_MAX + 1,
		PTRDIFF_MAX, SIZE_LIMIT,   SIZE_LIMIT + 1};
	void *p = heap_alloc(10, 8);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t align = 1; align; align <<= 1) {
			ck_assert_ptr_null(heap_alloc(sizes[i], align));
			ck_assert_ptr_null(heap_realloc(p, sizes[i], align));
		}
	ck_assert_ptr_null(heap_alloc(1, SIZE_MAX / 2 + 1));
	heap_walk();
}
END_TEST

START_TEST(exhausted_memory_is_null_and_all_of_it_was_used)
{
	size_t bytes = 0, n = 0;
	void *p, *last = NULL;

	fake_begin(16, 0);
	while ((p = heap_alloc(1000, 8))) {
		bytes += heap_usable_size(p);
		*(void **)p = last;
		last = p;
		n++;
	}
	ck_assert_uint_eq(fake_pages, 16);
	ck_assert_uint_ge(bytes + n * OVERHEAD + 2 * PAGE / 64, 16 * PAGE);
	ck_assert_ptr_null(heap_realloc(last, 100000, 8));
	while ((p = last)) {
		last = *(void **)p;
		heap_free(p);
	}
	heap_walk();
	ck_assert_ptr_nonnull(heap_alloc(16 * PAGE - 2 * HEAP_GRAIN, 8));
}
END_TEST

/* A request of whole pages takes no more of them than it needs. */
START_TEST(no_page_too_many)
{
	void *p = heap_alloc(PAGE - 2 * HEAP_GRAIN, 1);

	ck_assert_ptr_nonnull(p);
	ck_assert_uint_le(fake_pages, 2);
	heap_free(p);
	ck_assert_ptr_nonnull(heap_alloc(3 * PAGE, 1));
	ck_assert_uint_eq(fake_pages, 4);
}
END_TEST

START_TEST(a_block_grows_where_it_is)
{
	char *p = heap_alloc(100, 8), *behind = heap_alloc(1000, 8);

	memset(p, 1, 100);
	heap_free(behind);
	ck_assert_ptr_eq(heap_realloc(p, 900, 8), p);
	/* and at the end of memory, by more of it */
	ck_assert_ptr_eq(heap_realloc(p, 10 * PAGE, 8), p);
	heap_walk();
	ck_assert_int_eq(p[99], 1);
	ck_assert_ptr_eq(heap_realloc(p, 10, 8), p);
	heap_walk();
	ck_assert_uint_lt(heap_usable_size(p), 100);
}
END_TEST

START_TEST(a_block_in_the_way_is_moved)
{
	char *p = heap_alloc(100, 8), *behind = heap_alloc(8, 8), *moved;

	memset(p, 7, 100);
	moved = heap_realloc(p, 1000, 8);
	ck_assert_ptr_nonnull(moved);
	ck_assert_ptr_ne(moved, p);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(moved[i], 7);
	heap_free(behind);
	heap_free(moved);
	heap_walk();
}
END_TEST

/* The same size, but the block is not where the new alignment wants it. */
START_TEST(a_stricter_alignment_moves_if_it_must)
{
	char *p, *moved;

	heap_alloc(1, 1);
	p = heap_alloc(100, 8);
	if ((uintptr_t)p % 4096 == 0)
		p = heap_alloc(100, 8);
	memset(p, 3, 100);
	moved = heap_realloc(p, 100, 4096);
	ck_assert_ptr_nonnull(moved);
	ck_assert_uint_eq((uintptr_t)moved % 4096, 0);
	ck_assert_int_eq(moved[99], 3);
	ck_assert_ptr_eq(heap_realloc(moved, 90, 4096), moved);
	heap_walk();
}
END_TEST

/* Somebody else's pages lie between those of the heap. */
START_TEST(memory_shared_with_somebody_else)
{
	void *p[100];

	fake_begin(PAGES_MAX, 1);
	for (int i = 0; i < 100; i++) {
		p[i] = heap_alloc(40000, 8);
		ck_assert_ptr_nonnull(p[i]);
		memset(p[i], i, 40000);
	}
	heap_walk();
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(((unsigned char *)p[i])[39999], i);
	for (int i = 0; i < 100; i++)
		heap_free(p[i]);
	heap_walk();
}
END_TEST

START_TEST(ranges_that_are_given)
{
	static char small[3 * PAGE];
	size_t end;

	ck_assert(!fake_add((uintptr_t)small, 0));
	ck_assert(!fake_add((uintptr_t)small + 1, 2 * HEAP_GRAIN));
	ck_assert(fake_add((uintptr_t)small + 3, PAGE));
	heap_walk();
	ck_assert_ptr_nonnull(heap_alloc(PAGE - 4 * HEAP_GRAIN, 8));
	ck_assert_uint_eq(fake_pages, 0);
	/* right behind it */
	end = (size_t)((char *)block_of(last_end) - small);
	ck_assert(fake_add((uintptr_t)small + end, PAGE));
	ck_assert_uint_eq(range_count, 1);
	heap_walk();
	ck_assert_ptr_nonnull(heap_alloc(PAGE - 2 * HEAP_GRAIN, 8));
	ck_assert_uint_eq(fake_pages, 0);
}
END_TEST

/* Below what a bin's first chunks offer, so that only a look at all of them finds it. */
START_TEST(the_last_of_a_bin_is_found_before_memory_grows)
{
	const size_t least = 1024 * HEAP_GRAIN;
	void *fit, *small[2 * BIN_LOOKS], *between[2 * BIN_LOOKS + 1];

	fit = heap_alloc(least + 20 * HEAP_GRAIN, 8);
	between[2 * BIN_LOOKS] = heap_alloc(8, 8);
	for (int i = 0; i < 2 * BIN_LOOKS; i++) {
		small[i] = heap_alloc(least, 8);
		between[i] = heap_alloc(8, 8);
	}
	ck_assert_ptr_nonnull(between[0]);
	while (chunk_size(chunk_before(last_end)) > least / 2 &&
	       last_end->head & CHUNK_BEFORE_FREE)
		ck_assert_ptr_nonnull(heap_alloc(least / 2 - HEAP_GRAIN, 8));
	heap_free(fit);
	for (int i = 0; i < 2 * BIN_LOOKS; i++)
		heap_free(small[i]);
	fake_growths = 0;
	ck_assert_ptr_eq(heap_alloc(least + 10 * HEAP_GRAIN, 8), fit);
	ck_assert_uint_eq(fake_growths, 0);
	heap_walk();
}
END_TEST

START_TEST(a_block_freed_twice_ends_the_program)
{
	void *p = heap_alloc(100, 8);

	heap_free(p);
	heap_free(p);
}
END_TEST

static size_t any_size(void)
{
	switch (rand() % 8) {
	case 0:
		return (size_t)rand() % 300000;
	case 1:
	case 2:
		return (size_t)rand() % 20000;
	default:
		return (size_t)rand() % 600;
	}
}

/* Thousands of operations; memory that is large, small, or full of holes. */
START_TEST(random_operations)
{
	srand((unsigned)_i);
	fake_begin(_i % 3 ? PAGES_MAX : 24, _i % 2);
	if (_i % 5 == 0)
		fake_pages = 1, fake_add((uintptr_t)fake_memory + 24, PAGE - 24);
	for (int i = 0; i < 4000; i++) {
		model_step((unsigned)rand(), (unsigned)rand(), any_size(),
			   rand() % 10 ? (unsigned)rand() % 6 : (unsigned)rand() % 18);
		if (i % 16 == 0)
			heap_walk();
	}
	model_end();
	heap_walk();
}
END_TEST

static Suite *heap_suite(void)
{
	Suite *suite = suite_create("heap");
	TCase *tc = tcase_create("heap");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_test(tc, blocks_are_aligned_and_apart);
	tcase_add_test(tc, what_was_freed_serves_again);
	tcase_add_test(tc, freed_neighbours_become_one);
	tcase_add_loop_test(tc, any_alignment, 0, 19);
	tcase_add_test(tc, too_much_is_null);
	tcase_add_test(tc, exhausted_memory_is_null_and_all_of_it_was_used);
	tcase_add_test(tc, no_page_too_many);
	tcase_add_test(tc, a_block_grows_where_it_is);
	tcase_add_test(tc, a_block_in_the_way_is_moved);
	tcase_add_test(tc, a_stricter_alignment_moves_if_it_must);
	tcase_add_test(tc, memory_shared_with_somebody_else);
	tcase_add_test(tc, ranges_that_are_given);
	tcase_add_test(tc, the_last_of_a_bin_is_found_before_memory_grows);
	tcase_add_test_raise_signal(tc, a_block_freed_twice_ends_the_program, TRAP_SIGNAL);
	tcase_add_loop_test(tc, random_operations, 0, 20);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(heap_suite)
