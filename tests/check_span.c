// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans, moved handles, stack buffers and slots: bounds and stride, failed handles
 * that flow through all of them, and that none of them allocates.
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

static void teardown(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats(), none = {0};

	ck_assert_mem_eq(&t, &none, sizeof(t));
	ck_assert_uint_eq(ledger_requests(), 0);
	ledger_remove();
}

static ChicSpan span_of(uint32_t *numbers, size_t n)
{
	ValueMutPtr data = chic_rt_stack_buffer(numbers, sizeof(*numbers), _Alignof(uint32_t));

	return chic_rt_span_from_raw_mut(&data, n);
}

static uint32_t number(const ChicSpan *span, size_t index)
{
	uint8_t *at = chic_rt_span_ptr_at_mut(span, index);

	ck_assert_ptr_nonnull(at);
	return *(uint32_t *)at;
}

/* ---- spans ---- */

START_TEST(slices_are_checked)
{
	uint32_t numbers[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	ChicSpan span = span_of(numbers, 10), slice = {.len = 77};
	ChicReadOnlySpan read = chic_rt_span_to_readonly(&span), read_slice = {.len = 77};

	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 3, 8, &slice), ChicSpan_OutOfBounds);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 11, 0, &slice), ChicSpan_OutOfBounds);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 1, SIZE_MAX, &slice),
			 ChicSpan_OutOfBounds);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, SIZE_MAX, 2, &slice),
			 ChicSpan_OutOfBounds);
	ck_assert_int_eq(chic_rt_span_slice_readonly(&read, 10, 1, &read_slice),
			 ChicSpan_OutOfBounds);
	ck_assert_uint_eq(slice.len, 77);
	ck_assert_uint_eq(read_slice.len, 77);

	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 3, 4, &slice), ChicSpan_Success);
	ck_assert_uint_eq(slice.len, 4);
	ck_assert_uint_eq(number(&slice, 0), 3);
	ck_assert_uint_eq(number(&slice, 3), 6);
	ck_assert_ptr_null(chic_rt_span_ptr_at_mut(&slice, 4));
	ck_assert_int_eq(chic_rt_span_slice_mut(&slice, 1, 2, &slice), ChicSpan_Success);
	ck_assert_uint_eq(number(&slice, 0), 4);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 10, 0, &slice), ChicSpan_Success);
	ck_assert_uint_eq(slice.len, 0);
	ck_assert_int_eq(chic_rt_span_slice_readonly(&read, 9, 1, &read_slice),
			 ChicSpan_Success);
	ck_assert_ptr_eq(chic_rt_span_ptr_at_readonly(&read_slice, 0), &numbers[9]);
	ck_assert_ptr_null(chic_rt_span_ptr_at_readonly(&read_slice, 1));
}
END_TEST

static int32_t try(const void *p, size_t size, size_t align, size_t len)
{
	ValueConstPtr data = {p, size, align};
	ChicReadOnlySpan span = chic_rt_span_from_raw_const(&data, len), slice;
	int32_t status = chic_rt_span_slice_readonly(&span, 0, len, &slice);

	ck_assert(!len || (chic_rt_span_ptr_at_readonly(&span, 0) == NULL) == (status != 0) ||
		  !p);
	return status;
}

START_TEST(stride_and_place_are_checked)
{
	uint32_t numbers[4] = {0};

	ck_assert_int_eq(try(numbers, 4, 4, 4), ChicSpan_Success);
	ck_assert_int_eq(try(numbers, 4, 0, 4), ChicSpan_InvalidStride);
	ck_assert_int_eq(try(numbers, 4, 3, 4), ChicSpan_InvalidStride);
	ck_assert_int_eq(try((uint8_t *)numbers + 1, 4, 4, 2), ChicSpan_InvalidStride);
	ck_assert_int_eq(try(numbers, 6, 4, 2), ChicSpan_InvalidStride);
	ck_assert_int_eq(try(numbers, 6, 4, 1), ChicSpan_Success);
	ck_assert_int_eq(try(NULL, 4, 4, 4), ChicSpan_NullPointer);
	ck_assert_int_eq(try(NULL, 4, 4, 0), ChicSpan_Success);
	ck_assert_int_eq(try(NULL, 0, 3, 4), ChicSpan_Success);
	ck_assert_int_eq(try(numbers, 4, 4, SIZE_MAX / 2), ChicSpan_OutOfBounds);
	ck_assert_int_eq(try(numbers, SIZE_MAX, 1, 2), ChicSpan_OutOfBounds);
}
END_TEST

START_TEST(copies_may_overlap)
{
	enum { N = 10000 };
	uint32_t numbers[N], other[3];
	ChicSpan span = span_of(numbers, N), low, high, few = span_of(other, 3);
	ChicReadOnlySpan source;

	for (uint32_t i = 0; i < N; i++)
		numbers[i] = i;
	chic_rt_span_slice_mut(&span, 0, N - 2, &low);
	chic_rt_span_slice_mut(&span, 2, N - 2, &high);
	source = chic_rt_span_to_readonly(&low);
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &high), ChicSpan_Success);
	for (uint32_t i = 0; i < N; i++)
		MUST(numbers[i] == (i < 2 ? i : i - 2));
	source = chic_rt_span_to_readonly(&high);
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &low), ChicSpan_Success);
	for (uint32_t i = 0; i < N; i++)
		MUST(numbers[i] == (i < N - 2 ? i : i - 2));
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &few), ChicSpan_OutOfBounds);
	few.elem_size = 2;
	source.len = 3;
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &few), ChicSpan_InvalidStride);
	few.elem_size = 4;
	few.data.ptr = NULL;
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &few), ChicSpan_NullPointer);
	source.len = 0;
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &few), ChicSpan_NullPointer);
	few.len = 0;
	ck_assert_int_eq(chic_rt_span_copy_to(&source, &few), ChicSpan_Success);
}
END_TEST

START_TEST(fill_repeats_a_value)
{
	uint32_t numbers[101] = {0}, value = 0xdeadbeef;
	ChicSpan span;
	ValueConstPtr v = {(const uint8_t *)&value, 4, 4}, own;

	for (size_t n = 0; n <= 100; n++) {
		memset(numbers, 0, sizeof(numbers));
		span = span_of(numbers, n);
		ck_assert_int_eq(chic_rt_span_fill(&span, &v), ChicSpan_Success);
		for (size_t i = 0; i <= n; i++)
			ck_assert_uint_eq(numbers[i], i < n ? value : 0);
	}
	numbers[50] = 5; /* an element of the span itself */
	own = (ValueConstPtr){(const uint8_t *)&numbers[50], 4, 4};
	ck_assert_int_eq(chic_rt_span_fill(&span, &own), ChicSpan_Success);
	for (size_t i = 0; i < 100; i++)
		ck_assert_uint_eq(numbers[i], 5);
	v.size = 2;
	ck_assert_int_eq(chic_rt_span_fill(&span, &v), ChicSpan_InvalidStride);
	v = (ValueConstPtr){NULL, 4, 4};
	ck_assert_int_eq(chic_rt_span_fill(&span, &v), ChicSpan_NullPointer);
}
END_TEST

START_TEST(null_arguments_are_answered)
{
	ChicSpan span = chic_rt_span_from_raw_mut(NULL, 5), out;
	ChicReadOnlySpan read = chic_rt_span_from_raw_const(NULL, 5);
	ValueConstPtr value = {(const uint8_t *)"1234", 4, 4};

	ck_assert_ptr_null(span.data.ptr);
	ck_assert_uint_eq(span.len + read.len, 0);
	ck_assert_int_eq(chic_rt_span_slice_mut(NULL, 0, 0, &out), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 0, 0, NULL), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_slice_readonly(NULL, 0, 0, NULL), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_copy_to(NULL, &span), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_copy_to(&read, NULL), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_fill(NULL, &value), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_fill(&span, NULL), ChicSpan_NullPointer);
	ck_assert_ptr_null(chic_rt_span_ptr_at_mut(NULL, 0));
	ck_assert_ptr_null(chic_rt_span_ptr_at_readonly(NULL, 0));
	ck_assert_uint_eq(chic_rt_span_to_readonly(NULL).len, 0);
}
END_TEST

/* ---- handles ---- */

START_TEST(stack_buffers_are_handles_of_elements)
{
	uint8_t bytes[8];
	uint64_t words[4];
	ValueMutPtr b = CHIC_STACK_BUFFER(uint8_t, bytes);
	ValueMutPtr w = CHIC_STACK_BUFFER(uint64_t, words), moved;

	ck_assert_ptr_eq(b.ptr, bytes);
	ck_assert_uint_eq(b.size, 1);
	ck_assert_uint_eq(b.align, 1);
	ck_assert_uint_eq(w.size, 8);
	ck_assert_uint_eq(w.align, _Alignof(uint64_t));
	ck_assert_uint_eq(chic_rt_stack_buffer(bytes, 3, 0).align, 1);
	moved = chic_rt_ptr_offset(w, 16);
	ck_assert_ptr_eq(moved.ptr, &words[2]);
	ck_assert_uint_eq(moved.size, 8);
	ck_assert_ptr_eq(chic_rt_ptr_offset(moved, -16).ptr, words);
	ck_assert_ptr_eq(chic_rt_ptr_offset(moved, 0).ptr, moved.ptr);
	chic_rt_memset(w, 0x11, sizeof(words)); /* more than one element */
	ck_assert_uint_eq(words[3], 0x1111111111111111);
}
END_TEST

START_TEST(a_failed_handle_flows_through_without_effect)
{
	ValueMutPtr failed = {NULL, 4, 4}, moved = chic_rt_ptr_offset(failed, 100);
	ChicSpan span = chic_rt_span_from_raw_mut(&failed, 10), slice;
	ChicMaybeUninit cell = chic_rt_maybe_uninit(failed);
	uint32_t n = 5;
	ValueConstPtr value = {(const uint8_t *)&n, 4, 4};
	ValueMutPtr out = {(uint8_t *)&n, 4, 4};

	ck_assert_ptr_null(moved.ptr);
	ck_assert_uint_eq(moved.size, 4);
	ck_assert_uint_eq(moved.align, 4);
	ck_assert_uint_eq(span.elem_size, 4);
	ck_assert_int_eq(chic_rt_span_slice_mut(&span, 2, 3, &slice), ChicSpan_NullPointer);
	ck_assert_int_eq(chic_rt_span_fill(&span, &value), ChicSpan_NullPointer);
	ck_assert_ptr_null(chic_rt_span_ptr_at_mut(&span, 0));
	chic_rt_memset(failed, 1, 100);
	chic_rt_memcpy(failed, value, 4);
	chic_rt_memmove(out, failed, 4);
	chic_rt_free(failed);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(&cell, &value), -1);
	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, &out), -1);
	chic_rt_maybe_uninit_drop(&cell, (uintptr_t)count_drop);
	cell = chic_rt_maybe_uninit_zeroed(failed);
	ck_assert(!cell.initialised);
	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, &out), -1);
	ck_assert_uint_eq(n, 5);
	ck_assert_uint_eq(drops, 0);
}
END_TEST

START_TEST(a_slot_holds_a_value_or_none)
{
	uint32_t storage[1] = {77}, n = 5;
	ChicMaybeUninit cell = chic_rt_maybe_uninit(CHIC_STACK_BUFFER(uint32_t, storage));
	ValueConstPtr value = {(const uint8_t *)&n, 4, 4}, wide = {value.ptr, 8, 4};
	ValueMutPtr out = {(uint8_t *)&n, 4, 4}, narrow = {out.ptr, 2, 1};

	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, &out), -1);
	chic_rt_maybe_uninit_drop(&cell, (uintptr_t)count_drop);
	ck_assert_uint_eq(drops, 0);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(&cell, &wide), -1);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(&cell, NULL), -1);
	ck_assert_uint_eq(storage[0], 77);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(&cell, &value), 0);
	ck_assert_uint_eq(storage[0], 5);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(&cell, &value), -1);
	n = 9;
	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, &narrow), -1);
	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, NULL), -1);
	ck_assert_int_eq(chic_rt_maybe_uninit_take(&cell, &out), 0);
	ck_assert_uint_eq(n, 5);
	ck_assert(!cell.initialised);

	cell = chic_rt_maybe_uninit_zeroed(CHIC_STACK_BUFFER(uint32_t, storage));
	ck_assert(cell.initialised);
	ck_assert_uint_eq(storage[0], 0);
	chic_rt_maybe_uninit_drop(&cell, (uintptr_t)count_drop);
	chic_rt_maybe_uninit_drop(&cell, (uintptr_t)count_drop);
	ck_assert_uint_eq(drops, 1);
	chic_rt_maybe_uninit_drop(NULL, 0);
	ck_assert_int_eq(chic_rt_maybe_uninit_write(NULL, &value), -1);
	ck_assert_int_eq(chic_rt_maybe_uninit_take(NULL, &out), -1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("span");
	TCase *tcase = tcase_create("span");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, slices_are_checked);
	tcase_add_test(tcase, stride_and_place_are_checked);
	tcase_add_test(tcase, copies_may_overlap);
	tcase_add_test(tcase, fill_repeats_a_value);
	tcase_add_test(tcase, null_arguments_are_answered);
	tcase_add_test(tcase, stack_buffers_are_handles_of_elements);
	tcase_add_test(tcase, a_failed_handle_flows_through_without_effect);
	tcase_add_test(tcase, a_slot_holds_a_value_or_none);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
