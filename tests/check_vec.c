// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors: what stays inside the struct, growth, statuses, null and absurd arguments,
 * destructors run once, vectors that outlive their region.
 */
#include "check_support.h"
#include "ledger.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static size_t drops;

static void count_drop(uint8_t *value)
{
	ck_assert_ptr_nonnull(value);
	drops++;
}

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	drops = 0;
}

static ChicVec of_ints(void)
{
	return chic_rt_vec_new(sizeof(int), _Alignof(int), (uintptr_t)count_drop);
}

static int32_t push_int(ChicVec *vec, int n)
{
	ValueConstPtr value = {(const uint8_t *)&n, sizeof(n), _Alignof(int)};

	return chic_rt_vec_push(vec, &value);
}

static int32_t insert_int(ChicVec *vec, size_t index, int n)
{
	ValueConstPtr value = {(const uint8_t *)&n, sizeof(n), _Alignof(int)};

	return chic_rt_vec_insert(vec, index, &value);
}

static void push_ints(ChicVec *vec, int from, int to)
{
	for (int i = from; i < to; i++)
		ck_assert_int_eq(push_int(vec, i), ChicVec_Success);
}

static int int_at(const ChicVec *vec, size_t index)
{
	ValueMutPtr at = chic_rt_vec_ptr_at(vec, index);

	ck_assert_ptr_nonnull(at.ptr);
	return *(int *)at.ptr;
}

static void check_ints(const ChicVec *vec, int from, int to)
{
	ck_assert_uint_eq(chic_rt_vec_len(vec), to - from);
	for (int i = from; i < to; i++)
		ck_assert_int_eq(int_at(vec, i - from), i);
}

/* As one that was never used. */
static void check_empty(const ChicVec *vec)
{
	ck_assert_uint_eq(chic_rt_vec_len(vec), 0);
	ck_assert_uint_eq(chic_rt_vec_capacity(vec), 0);
	ck_assert_int_eq(chic_rt_vec_is_empty(vec), 1);
	ck_assert_ptr_null(chic_rt_vec_data(vec).ptr);
	ck_assert_ptr_null(chic_rt_vec_ptr_at(vec, 0).ptr);
	ck_assert_ptr_null(chic_rt_array_view(vec).data);
}

/* ---- inside the struct ---- */

START_TEST(sixty_four_bytes_stay_inside)
{
	ChicVec vec = of_ints(), moved;

	check_empty(&vec);
	ck_assert_uint_eq(chic_rt_vec_inline_capacity(&vec), 16);
	push_ints(&vec, 0, 16);
	ck_assert_int_eq(chic_rt_vec_uses_inline(&vec), 1);
	ck_assert_uint_eq(ledger_requests(), 0);
	moved = vec;
	memset(&vec, 0xaa, sizeof(vec));
	check_ints(&moved, 0, 16);
	ck_assert_ptr_eq(chic_rt_vec_data(&moved).ptr, moved.inline_storage.bytes);
	push_ints(&moved, 16, 17);
	ck_assert_int_eq(chic_rt_vec_uses_inline(&moved), 0);
	ck_assert_uint_eq(ledger_requests(), 1);
	check_ints(&moved, 0, 17);
	ck_assert_int_eq(chic_rt_vec_truncate(&moved, 5), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_shrink_to_fit(&moved), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_uses_inline(&moved), 1);
	check_ints(&moved, 0, 5);
	ledger_nothing_left();
	chic_rt_vec_drop(&moved);
	ck_assert_uint_eq(drops, 17);
	check_empty(&moved);
}
END_TEST

START_TEST(what_needs_more_alignment_does_not)
{
	ChicVec vec = chic_rt_vec_new(32, 32, 0);
	uint8_t bytes[32] = {1};
	ValueConstPtr value = {bytes, 32, 32};

	ck_assert_uint_eq(chic_rt_vec_inline_capacity(&vec), 0);
	for (size_t i = 0; i < 10; i++) {
		ck_assert_int_eq(chic_rt_vec_push(&vec, &value), ChicVec_Success);
		ck_assert_uint_eq((uintptr_t)chic_rt_vec_ptr_at(&vec, i).ptr % 32, 0);
	}
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

START_TEST(small_capacities_stay_inside_too)
{
	ChicVec vec = chic_rt_vec_with_capacity(8, 4, 8, 0);

	ck_assert_int_eq(chic_rt_vec_uses_inline(&vec), 1);
	ck_assert_uint_eq(chic_rt_vec_capacity(&vec), 8);
	chic_rt_vec_drop(&vec);
	vec = chic_rt_vec_with_capacity(8, 4, 9, 0);
	ck_assert_uint_eq(chic_rt_vec_capacity(&vec), 9);
	ck_assert_uint_eq(ledger_live_bytes(), 72);
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

START_TEST(elements_of_no_size_need_no_memory)
{
	ChicVec vec = chic_rt_vec_new(0, 8, (uintptr_t)count_drop), copy;
	ValueConstPtr value = {NULL, 0, 8};
	ValueMutPtr out = {NULL, 0, 8};
	ChicVecIter iter;

	ck_assert_uint_eq(chic_rt_vec_capacity(&vec), SIZE_MAX);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(chic_rt_vec_push(&vec, &value), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_insert(&vec, 10, &value), ChicVec_Success);
	ck_assert_int_eq(chic_vec_push(&vec, &value, 0), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, &out), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_remove(&vec, 5, NULL), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_swap_remove(&vec, 0, NULL), ChicVec_Success);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 999);
	ck_assert_int_eq(chic_rt_vec_clone(&copy, &vec), ChicVec_Success);
	ck_assert_uint_eq(chic_rt_vec_len(&copy), 999);
	iter = chic_rt_vec_iter(&vec);
	for (int i = 0; i < 999; i++)
		ck_assert_ptr_nonnull(chic_rt_vec_iter_next_ptr(&iter).ptr);
	ck_assert_ptr_null(chic_rt_vec_iter_next_ptr(&iter).ptr);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, SIZE_MAX), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_push(&vec, &value), ChicVec_CapacityOverflow);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 3), ChicVec_Success);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 2 + 3);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

/* ---- growth, copies, moves ---- */

START_TEST(pushing_is_amortised)
{
	ChicVec vec = of_ints();

	push_ints(&vec, 0, 100000);
	ck_assert_uint_lt(ledger_requests(), 20);
	check_ints(&vec, 0, 100000);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 100000);
	ledger_nothing_left();
}
END_TEST

START_TEST(an_element_may_be_pushed_and_inserted_again)
{
	ChicVec vec = of_ints();
	ValueConstPtr value;

	chic_rt_vec_set_drop(&vec, 0);
	push_ints(&vec, 0, 16); /* full: the next one moves all */
	value = (ValueConstPtr){chic_rt_vec_ptr_at(&vec, 7).ptr, sizeof(int), _Alignof(int)};
	ck_assert_int_eq(chic_rt_vec_push(&vec, &value), ChicVec_Success);
	ck_assert_int_eq(int_at(&vec, 16), 7);
	for (int last = 17; last < 40; last++) { /* in front of the gap and behind it */
		value.ptr = chic_rt_vec_ptr_at(&vec, 9).ptr;
		ck_assert_int_eq(chic_rt_vec_insert(&vec, last % 2 ? 3 : 12, &value),
				 ChicVec_Success);
		ck_assert_int_eq(int_at(&vec, last % 2 ? 3 : 12),
				 int_at(&vec, last % 2 ? 10 : 9));
	}
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

START_TEST(arrays_are_tight)
{
	ChicVec vec = of_ints(), array, back;

	push_ints(&vec, 0, 100);
	ck_assert_uint_gt(chic_rt_vec_capacity(&vec), 100);
	ck_assert_int_eq(chic_rt_vec_copy_to_array(&array, &vec), ChicVec_Success);
	ck_assert_uint_eq(chic_rt_vec_capacity(&array), 100);
	ck_assert_uint_eq(chic_rt_array_len(&array), 100);
	ck_assert_int_eq(*(int *)chic_rt_array_ptr_at(&array, 99).ptr, 99);
	ck_assert_ptr_null(chic_rt_array_ptr_at(&array, 100).ptr);
	ck_assert_ptr_eq(chic_rt_array_data(&array).ptr, chic_rt_array_view(&array).data);
	ck_assert_int_eq(chic_rt_array_is_empty(&array), 0);
	ck_assert_int_eq(chic_rt_array_copy_to_vec(&back, &array), ChicVec_Success);
	check_ints(&back, 0, 100);
	chic_rt_vec_set_drop(&array, 0);
	chic_rt_vec_set_drop(&back, 0);
	chic_rt_vec_drop(&array);
	chic_rt_vec_drop(&back);

	ck_assert_int_eq(chic_rt_vec_into_array(&array, &vec), ChicVec_Success);
	check_empty(&vec);
	ck_assert_uint_eq(chic_rt_vec_capacity(&array), 100);
	push_ints(&vec, 0, 3); /* it is as good as new */
	chic_rt_vec_drop(&vec);
	ck_assert_int_eq(chic_rt_array_into_vec(&vec, &array), ChicVec_Success);
	check_ints(&vec, 0, 100);
	ck_assert_int_eq(chic_rt_array_into_vec(&vec, &vec), ChicVec_Success);
	check_ints(&vec, 0, 100);
	ck_assert_int_eq(chic_rt_vec_clone(&vec, &vec), ChicVec_Success);
	check_ints(&vec, 0, 100);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 103);
	ledger_nothing_left();
}
END_TEST

START_TEST(taken_elements_are_moved_and_not_dropped)
{
	ChicVec vec = of_ints();
	int n = -1;
	ValueMutPtr out = {(uint8_t *)&n, sizeof(n), _Alignof(int)}, narrow = {out.ptr, 2, 1};

	push_ints(&vec, 0, 30);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, &out), ChicVec_Success);
	ck_assert_int_eq(n, 29);
	ck_assert_int_eq(chic_rt_vec_remove(&vec, 0, &out), ChicVec_Success);
	ck_assert_int_eq(n, 0);
	ck_assert_int_eq(chic_rt_vec_swap_remove(&vec, 0, &out), ChicVec_Success);
	ck_assert_int_eq(n, 1);
	ck_assert_int_eq(int_at(&vec, 0), 28);
	ck_assert_uint_eq(drops, 0);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, &narrow), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_remove(&vec, 1, &narrow), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_swap_remove(&vec, 1, &narrow), ChicVec_InvalidPointer);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 27);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, NULL), ChicVec_Success);
	ck_assert_uint_eq(drops, 1);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 27);
}
END_TEST

START_TEST(the_inline_push_is_the_function)
{
	ChicVec vec = of_ints(), none = chic_rt_vec_new(0, 1, 0);

	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(chic_vec_push(&vec, &i, sizeof(i)), ChicVec_Success);
	check_ints(&vec, 0, 1000);
	ck_assert_int_eq(chic_vec_push(&vec, &(int64_t){1}, 8), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_vec_push(&vec, NULL, sizeof(int)), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_vec_push(NULL, &vec, sizeof(int)), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_vec_push(&none, &vec, 4), ChicVec_InvalidPointer);
	chic_rt_vec_drop(&vec);
	ck_assert_int_eq(chic_vec_push(&vec, &(int){5}, sizeof(int)), ChicVec_Success);
	check_ints(&vec, 5, 6);
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

/* ---- statuses ---- */

START_TEST(null_vectors_are_answered)
{
	ValueConstPtr value = {(const uint8_t *)"1234", 4, 4};
	ChicVec vec = of_ints();
	ChicVecView view;
	ChicVecIter iter;

	ck_assert_int_eq(chic_rt_vec_push(NULL, &value), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_insert(NULL, 0, &value), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_pop(NULL, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_remove(NULL, 0, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_swap_remove(NULL, 0, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_truncate(NULL, 0), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_clear(NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_set_len(NULL, 0), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_reserve(NULL, 1), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_shrink_to_fit(NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_clone(NULL, &vec), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_clone(&vec, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_into_array(NULL, &vec), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_array_into_vec(&vec, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_view(NULL, &view), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_view(&vec, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_iter_next(NULL, NULL), ChicVec_InvalidPointer);
	ck_assert_ptr_null(chic_rt_vec_iter_next_ptr(NULL).ptr);
	iter = chic_rt_vec_iter(NULL);
	ck_assert_ptr_null(chic_rt_vec_iter_next_ptr(&iter).ptr);
	check_empty(NULL);
	ck_assert_uint_eq(chic_rt_vec_elem_size(NULL) + chic_rt_vec_elem_align(NULL), 0);
	ck_assert_uint_eq(chic_rt_vec_inline_capacity(NULL), 0);
	ck_assert_int_eq(chic_rt_vec_uses_inline(NULL), 0);
	ck_assert_ptr_null(chic_rt_vec_inline_ptr(NULL).ptr);
	ck_assert_ptr_null(chic_rt_vec_get_ptr(NULL).ptr);
	ck_assert_uint_eq(chic_rt_vec_get_drop(NULL), 0);
	chic_rt_vec_set_ptr(NULL, NULL);
	chic_rt_vec_set_cap(NULL, 1);
	chic_rt_vec_set_elem_size(NULL, 1);
	chic_rt_vec_set_elem_align(NULL, 1);
	chic_rt_vec_set_drop(NULL, 1);
	chic_rt_vec_mark_inline(NULL, 1);
	chic_rt_vec_drop(NULL);
}
END_TEST

START_TEST(bad_arguments_have_their_status)
{
	ChicVec vec = of_ints();
	ValueConstPtr null = {NULL, 4, 4}, wide = {(const uint8_t *)"12345678", 8, 4};

	push_ints(&vec, 0, 3);
	ck_assert_int_eq(chic_rt_vec_push(&vec, NULL), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_push(&vec, &null), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_insert(&vec, 0, &null), ChicVec_InvalidPointer);
	ck_assert_int_eq(chic_rt_vec_insert(&vec, 0, &wide), ChicVec_InvalidPointer);
	ck_assert_int_eq(insert_int(&vec, 4, 9), ChicVec_OutOfBounds);
	ck_assert_int_eq(insert_int(&vec, SIZE_MAX, 9), ChicVec_OutOfBounds);
	ck_assert_int_eq(chic_rt_vec_remove(&vec, 3, NULL), ChicVec_OutOfBounds);
	ck_assert_int_eq(chic_rt_vec_swap_remove(&vec, SIZE_MAX, NULL), ChicVec_OutOfBounds);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 17), ChicVec_LengthOverflow);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 16), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 3), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_truncate(&vec, 100), ChicVec_Success);
	check_ints(&vec, 0, 3);
	ck_assert_int_eq(chic_rt_vec_clear(&vec), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, NULL), ChicVec_OutOfBounds);
	ck_assert_uint_eq(drops, 3);
}
END_TEST

START_TEST(what_no_machine_has_is_an_overflow)
{
	ChicVec vec = of_ints(), huge;

	push_ints(&vec, 0, 5);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, SIZE_MAX), ChicVec_CapacityOverflow);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, SIZE_MAX - 5), ChicVec_CapacityOverflow);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, SIZE_MAX / 4), ChicVec_CapacityOverflow);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, PTRDIFF_MAX / 4 - 4),
			 ChicVec_CapacityOverflow);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, PTRDIFF_MAX / 4 - 5),
			 ChicVec_AllocationFailed);
	check_ints(&vec, 0, 5);
	huge = chic_rt_vec_with_capacity(SIZE_MAX, 1, 2, 0);
	check_empty(&huge);
	huge = chic_rt_vec_with_capacity(16, 8, SIZE_MAX / 8, 0);
	check_empty(&huge);
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_bad_alignment_makes_allocation_fail)
{
	ChicVec vec = chic_rt_vec_new(4, 3, 0);

	ck_assert_int_eq(push_int(&vec, 1), ChicVec_AllocationFailed);
	check_empty(&vec);
	vec = chic_rt_vec_with_capacity(4, 24, 100, 0);
	check_empty(&vec);
	vec = chic_rt_vec_new(4, 0, 0);
	ck_assert_uint_eq(chic_rt_vec_elem_align(&vec), 1);
	ck_assert_int_eq(push_int(&vec, 1), ChicVec_Success);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

START_TEST(a_dropped_vector_is_an_empty_one)
{
	ChicVec vec = of_ints();

	push_ints(&vec, 0, 100);
	chic_rt_vec_drop(&vec);
	check_empty(&vec);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 100);
	ck_assert_int_eq(chic_rt_vec_pop(&vec, NULL), ChicVec_OutOfBounds);
	push_ints(&vec, 0, 100);
	check_ints(&vec, 0, 100);
	chic_rt_vec_drop(&vec);
	ledger_nothing_left();
}
END_TEST

START_TEST(raw_access_is_believed)
{
	ChicVec vec = of_ints();
	ValueMutPtr block;

	vec.uses_inline = false;
	block = chic_rt_alloc(40, 4);
	chic_rt_vec_set_ptr(&vec, &block);
	chic_rt_vec_set_cap(&vec, 10);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 10), ChicVec_Success);
	for (int i = 0; i < 10; i++)
		((int *)block.ptr)[i] = i;
	check_ints(&vec, 0, 10);
	push_ints(&vec, 10, 11);
	check_ints(&vec, 0, 11);
	ck_assert_ptr_eq(chic_rt_vec_get_ptr(&vec).ptr, chic_rt_vec_data_mut(&vec).ptr);
	chic_rt_vec_drop(&vec);
	chic_rt_vec_set_elem_size(&vec, 8);
	chic_rt_vec_set_elem_align(&vec, 0);
	chic_rt_vec_mark_inline(&vec, 1);
	ck_assert_uint_eq(chic_rt_vec_inline_capacity(&vec), 8);
	ck_assert_ptr_eq(chic_rt_vec_data(&vec).ptr, chic_rt_vec_inline_ptr(&vec).ptr);
	ck_assert_uint_eq(chic_rt_vec_get_drop(&vec), (uintptr_t)count_drop);
	ledger_nothing_left();
}
END_TEST

/* ---- regions ---- */

static RegionHandle region;

static ChicVec in_region(void)
{
	region = chic_rt_region_enter(1);
	return chic_rt_vec_new_in_region(sizeof(int), _Alignof(int), (uintptr_t)count_drop,
					 region);
}

START_TEST(a_regions_vector_takes_its_memory)
{
	ChicVec vec = in_region(), copy;

	push_ints(&vec, 0, 1000);
	ck_assert_int_eq(chic_rt_vec_clone(&copy, &vec), ChicVec_Success);
	check_ints(&copy, 0, 1000);
	ck_assert_uint_ge(chic_rt_region_telemetry(region).alloc_bytes, 2 * 1000 * sizeof(int));
	ck_assert_uint_eq(chic_rt_alloc_stats().realloc_calls, 0);
	ck_assert_int_eq(chic_rt_vec_truncate(&copy, 100), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_shrink_to_fit(&copy), ChicVec_Success);
	ck_assert_uint_eq(chic_rt_vec_capacity(&copy), 100);
	check_ints(&copy, 0, 100);
	chic_rt_vec_drop(&copy);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 2000);
	ck_assert_uint_eq(ledger_frees(), 0);
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(the_last_block_of_a_region_grows_in_place)
{
	ChicVec vec = in_region();
	const uint8_t *before;
	RegionTelemetry t;

	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 100), ChicVec_Success);
	before = chic_rt_vec_data(&vec).ptr;
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 300), ChicVec_Success);
	ck_assert_ptr_eq(chic_rt_vec_data(&vec).ptr, before);
	t = chic_rt_region_telemetry(region);
	ck_assert_uint_eq(t.alloc_calls, 2);
	ck_assert_uint_eq(t.alloc_bytes, 300 * sizeof(int));
	chic_rt_region_alloc(region, 1, 1);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 400), ChicVec_Success);
	ck_assert_ptr_ne(chic_rt_vec_data(&vec).ptr, before);
	chic_rt_region_exit(region);
	ck_assert_uint_eq(chic_rt_region_telemetry(region).freed_bytes,
			  300 * sizeof(int) + 1 + 600 * sizeof(int));
}
END_TEST

START_TEST(blocks_behind_a_grown_one_are_aligned)
{
	ChicVec bytes;

	region = chic_rt_region_enter(1);
	bytes = chic_rt_vec_new_in_region(1, 1, 0, region);
	for (size_t n = 65; n < 200; n += 3) {
		ValueMutPtr block;

		ck_assert_int_eq(chic_rt_vec_reserve(&bytes, n), ChicVec_Success);
		block = chic_rt_region_alloc(region, 8, 8);
		ck_assert_uint_eq((uintptr_t)block.ptr % 8, 0);
		ck_assert(block.ptr >= bytes.ptr + bytes.cap || block.ptr < bytes.ptr);
		bytes = chic_rt_vec_new_in_region(1, 1, 0, region);
		ck_assert_int_eq(chic_rt_vec_reserve(&bytes, n - 1), ChicVec_Success);
	}
	chic_rt_region_exit(region);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_dropped_vector_is_still_its_regions)
{
	ChicVec vec = in_region();
	size_t bytes;

	push_ints(&vec, 0, 100);
	chic_rt_vec_drop(&vec);
	bytes = chic_rt_region_telemetry(region).alloc_bytes;
	push_ints(&vec, 0, 100);
	ck_assert_uint_gt(chic_rt_region_telemetry(region).alloc_bytes, bytes);
	chic_rt_vec_drop(&vec);
	chic_rt_region_exit(region);
	ck_assert_int_eq(push_int(&vec, 1), ChicVec_AllocationFailed);
	ledger_nothing_left();
}
END_TEST

/* A hundred elements in a region that was exited, its memory dirty by now. */
static ChicVec gone(void)
{
	ChicVec vec = in_region();

	push_ints(&vec, 0, 100);
	chic_rt_region_exit(region);
	return vec;
}

START_TEST(a_vector_that_outlives_its_region_is_empty)
{
	ChicVec vec = gone(), copy = {.len = 77};
	ChicVecView view;
	ChicVecIter iter = chic_rt_vec_iter(&vec);
	int n;
	ValueMutPtr out = {(uint8_t *)&n, sizeof(n), _Alignof(int)};

	check_empty(&vec);
	ck_assert_int_eq(chic_rt_vec_view(&vec, &view), ChicVec_Success);
	ck_assert_ptr_null(view.data);
	ck_assert_uint_eq(view.len, 0);
	ck_assert_int_eq(chic_rt_vec_iter_next(&iter, &out), ChicVec_IterationComplete);
	ck_assert_int_eq(chic_rt_vec_clone(&copy, &vec), ChicVec_Success);
	check_empty(&copy);
	ck_assert_uint_eq(vec.len, 100); /* none of these changed it */

	vec = gone();
	ck_assert_int_eq(chic_rt_vec_pop(&vec, &out), ChicVec_OutOfBounds);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_remove(&vec, 0, NULL), ChicVec_OutOfBounds);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_swap_remove(&vec, 0, NULL), ChicVec_OutOfBounds);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_truncate(&vec, 1), ChicVec_Success);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_clear(&vec), ChicVec_Success);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, 1), ChicVec_LengthOverflow);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_shrink_to_fit(&vec), ChicVec_Success);
	check_empty(&vec);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_into_array(&copy, &vec), ChicVec_Success);
	check_empty(&copy);
	vec = gone();
	ck_assert_int_eq(chic_rt_array_into_vec(&copy, &vec), ChicVec_Success);
	check_empty(&copy);
	vec = gone();
	chic_rt_vec_drop(&vec);
	check_empty(&vec);
	ck_assert_uint_eq(drops, 0);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_vector_that_outlives_its_region_does_not_grow)
{
	ChicVec vec = gone();

	ck_assert_int_eq(push_int(&vec, 1), ChicVec_AllocationFailed);
	vec = gone();
	ck_assert_int_eq(chic_vec_push(&vec, &(int){1}, sizeof(int)), ChicVec_AllocationFailed);
	vec = gone();
	ck_assert_int_eq(insert_int(&vec, 0, 1), ChicVec_AllocationFailed);
	vec = gone();
	ck_assert_int_eq(insert_int(&vec, 1, 1), ChicVec_OutOfBounds);
	vec = gone();
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 1), ChicVec_AllocationFailed);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 1000), ChicVec_AllocationFailed);
	check_empty(&vec);
	vec = chic_rt_vec_with_capacity_in_region(4, 4, 100, 0, region);
	check_empty(&vec);
	vec = chic_rt_vec_new_in_region(4, 4, 0, region);
	ck_assert_int_eq(push_int(&vec, 1), ChicVec_AllocationFailed);
	ck_assert_uint_eq(drops, 0);
	ledger_nothing_left();
}
END_TEST

START_TEST(elements_inside_outlive_the_region)
{
	ChicVec vec = in_region();

	push_ints(&vec, 0, 10);
	chic_rt_region_exit(region);
	check_ints(&vec, 0, 10);
	push_ints(&vec, 10, 16);
	ck_assert_int_eq(push_int(&vec, 16), ChicVec_AllocationFailed);
	check_ints(&vec, 0, 16);
	chic_rt_vec_drop(&vec);
	ck_assert_uint_eq(drops, 16);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_region_that_never_began_has_no_memory)
{
	RegionHandle none = {NULL};
	ChicVec vec = chic_rt_vec_with_capacity_in_region(4, 4, 100, 0, none);

	check_empty(&vec);
	ck_assert_int_eq(push_int(&vec, 1), ChicVec_AllocationFailed);
	ck_assert_uint_eq(ledger_requests(), 0);
	chic_rt_vec_drop(&vec);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("vec");
	TCase *tcase = tcase_create("vec");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, sixty_four_bytes_stay_inside);
	tcase_add_test(tcase, what_needs_more_alignment_does_not);
	tcase_add_test(tcase, small_capacities_stay_inside_too);
	tcase_add_test(tcase, elements_of_no_size_need_no_memory);
	tcase_add_test(tcase, pushing_is_amortised);
	tcase_add_test(tcase, an_element_may_be_pushed_and_inserted_again);
	tcase_add_test(tcase, arrays_are_tight);
	tcase_add_test(tcase, taken_elements_are_moved_and_not_dropped);
	tcase_add_test(tcase, the_inline_push_is_the_function);
	tcase_add_test(tcase, null_vectors_are_answered);
	tcase_add_test(tcase, bad_arguments_have_their_status);
	tcase_add_test(tcase, what_no_machine_has_is_an_overflow);
	tcase_add_test(tcase, a_bad_alignment_makes_allocation_fail);
	tcase_add_test(tcase, a_dropped_vector_is_an_empty_one);
	tcase_add_test(tcase, raw_access_is_believed);
	tcase_add_test(tcase, a_regions_vector_takes_its_memory);
	tcase_add_test(tcase, the_last_block_of_a_region_grows_in_place);
	tcase_add_test(tcase, blocks_behind_a_grown_one_are_aligned);
	tcase_add_test(tcase, a_dropped_vector_is_still_its_regions);
	tcase_add_test(tcase, a_vector_that_outlives_its_region_is_empty);
	tcase_add_test(tcase, a_vector_that_outlives_its_region_does_not_grow);
	tcase_add_test(tcase, elements_inside_outlive_the_region);
	tcase_add_test(tcase, a_region_that_never_began_has_no_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
