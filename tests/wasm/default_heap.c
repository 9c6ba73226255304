// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is so in WebAssembly alone: the heap behind the hooks where nothing is installed.
 */
#include "chic_freestanding.h"

#include "../core.h"

static void begin(void)
{
	chic_rt_allocator_reset();
	chic_rt_reset_alloc_stats();
}

static void check_handle(ValueMutPtr h, bool served, size_t size, size_t align)
{
	ck_assert(!h.ptr == !served);
	ck_assert_uint_eq(h.size, size);
	ck_assert_uint_eq(h.align, align);
}

static size_t live_bytes(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats();

	return t.alloc_bytes + t.alloc_zeroed_bytes + t.realloc_bytes - t.freed_bytes;
}

/* Aligned, and not in the way of one another, up to more than a page. */
START_TEST(any_alignment_and_size)
{
	ValueMutPtr h[20], more;

	for (size_t i = 0; i < 20; i++) {
		h[i] = chic_rt_alloc(100 + i * 1000, (size_t)1 << i);
		check_handle(h[i], true, 100 + i * 1000, (size_t)1 << i);
		ck_assert(!((uintptr_t)h[i].ptr & (h[i].align - 1)));
		memset(h[i].ptr, (int)i, h[i].size);
	}
	for (size_t i = 0; i < 20; i++) {
		more = chic_rt_realloc(h[i], h[i].size, 50000, h[i].align);
		check_handle(more, true, 50000, h[i].align);
		ck_assert(!((uintptr_t)more.ptr & (h[i].align - 1)));
		for (size_t k = 0; k < h[i].size; k++)
			ck_assert(more.ptr[k] == i);
		h[i] = more;
	}
	for (size_t i = 0; i < 20; i++)
		chic_rt_free(h[i]);
	ck_assert_uint_eq(live_bytes(), 0);
	core_counters("default");
}
END_TEST

START_TEST(zeroed_memory_is_zero_where_it_was_used)
{
	ValueMutPtr h = chic_rt_alloc(5000, 64);

	memset(h.ptr, 0xff, 5000);
	chic_rt_free(h);
	h = chic_rt_alloc_zeroed(5000, 64);
	for (size_t i = 0; i < 5000; i++)
		ck_assert(!h.ptr[i]);
	chic_rt_free(h);
}
END_TEST

START_TEST(what_cannot_be_served_is_a_typed_null)
{
	const AllocationTelemetry none = {0};
	AllocationTelemetry t;
	ValueMutPtr h = chic_rt_alloc(16, 8);

	memset(h.ptr, 0x33, 16);
	chic_rt_reset_alloc_stats();
	for (size_t less = 0; less < 40; less++) {
		check_handle(chic_rt_alloc(SIZE_MAX - less, 1), false, SIZE_MAX - less, 1);
		check_handle(chic_rt_alloc(PTRDIFF_MAX - less, 64), false, PTRDIFF_MAX - less,
			     64);
		check_handle(chic_rt_realloc(h, 16, SIZE_MAX - less, 8), false, SIZE_MAX - less,
			     8);
	}
	check_handle(chic_rt_alloc(8, SIZE_MAX / 2 + 1), false, 8, SIZE_MAX / 2 + 1);
	check_handle(chic_rt_alloc(8, 24), false, 8, 24);
	check_handle(chic_rt_alloc(0, 8), false, 0, 8);
	for (unsigned i = 0; i < 16; i++)
		ck_assert(h.ptr[i] == 0x33);
	t = chic_rt_alloc_stats();
	ck_assert_mem_eq(&t, &none, sizeof(t));
	chic_rt_free(h);
}
END_TEST

/* A table with nulls: what it does not have the heap does. */
static ValueMutPtr refuse(void *context, size_t size, size_t align)
{
	++*(unsigned *)context;
	return (ValueMutPtr){NULL, size, align};
}

START_TEST(null_entries_are_the_heaps)
{
	unsigned refused = 0;
	ValueMutPtr h;

	chic_rt_allocator_install((ChicAllocatorVTable){.context = &refused, .alloc = refuse});
	check_handle(chic_rt_alloc(10, 8), false, 10, 8);
	h = chic_rt_alloc_zeroed(10, 8);
	check_handle(h, true, 10, 8);
	h = chic_rt_realloc(h, 10, 1000, 32);
	check_handle(h, true, 1000, 32);
	chic_rt_free(h);
	ck_assert_uint_eq(refused, 1);
	chic_rt_allocator_reset();
	h = chic_rt_alloc(10, 8);
	check_handle(h, true, 10, 8);
	chic_rt_free(h);
	ck_assert_uint_eq(refused, 1);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

START_TEST(regions_and_containers_over_the_heap)
{
	RegionHandle region = chic_rt_region_enter(7);
	ChicVec vec = chic_rt_vec_new(4, 4, 0);

	ck_assert_ptr_nonnull(chic_rt_region_alloc(region, 100000, 8).ptr);
	chic_rt_region_exit(region);
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_int_eq(chic_rt_vec_push(&vec, &(ValueConstPtr){(uint8_t *)&i, 4, 4}),
				 0);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 10000);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(live_bytes(), 0);
}
END_TEST

void core_first(Suite *suite)
{
	TCase *tcase = tcase_create("default");

	tcase_add_checked_fixture(tcase, begin, begin);
	tcase_add_test(tcase, any_alignment_and_size);
	tcase_add_test(tcase, zeroed_memory_is_zero_where_it_was_used);
	tcase_add_test(tcase, what_cannot_be_served_is_a_typed_null);
	tcase_add_test(tcase, null_entries_are_the_heaps);
	tcase_add_test(tcase, regions_and_containers_over_the_heap);
	suite_add_tcase(suite, tcase);
}

void core_last(Suite *suite)
{
	(void)suite;
}
