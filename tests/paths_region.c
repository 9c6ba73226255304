// SPDX-License-Identifier: BSD-2-Clause
/*
 * Regions' ways to memory, those of vectors in regions among them.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

static RegionHandle region;
static ChicVec vec, before, dest;

static void enter(void)
{
	region = chic_rt_region_enter(1);
	ck_assert_ptr_nonnull(region.ptr);
}

enum { SIZE = 100, ELEMENTS = 1000 };

/* So large that it, and each that it becomes, has a chunk of its own. */
static void enter_with_vector(void)
{
	enter();
	vec = chic_rt_vec_new_in_region(SIZE, 4, 0, region);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, ELEMENTS), ChicVec_Success);
	ck_assert_int_eq(chic_rt_vec_set_len(&vec, ELEMENTS), ChicVec_Success);
	memset(chic_rt_vec_data_mut(&vec).ptr, 7, ELEMENTS * SIZE);
	before = vec;
}

static void leave(void)
{
	chic_rt_region_exit(region);
}

static bool judge_block(ValueMutPtr h, size_t size, size_t align)
{
	RegionTelemetry t = chic_rt_region_telemetry(region);

	ck_assert_uint_eq(h.size, size);
	ck_assert_uint_eq(h.align, align);
	ck_assert_uint_eq(t.alloc_calls + t.alloc_zeroed_calls, h.ptr != NULL);
	ck_assert_uint_eq(t.alloc_bytes + t.alloc_zeroed_bytes, h.ptr ? size : 0);
	return h.ptr != NULL;
}

/* A chunk that is refused is tried once more at the least size. */
static bool alloc(void)
{
	return judge_block(chic_rt_region_alloc(region, 24, 8), 24, 8);
}

static bool alloc_large(void)
{
	return judge_block(chic_rt_region_alloc(region, 100000, 64), 100000, 64);
}

static bool alloc_zeroed(void)
{
	ValueMutPtr h = chic_rt_region_alloc_zeroed(region, 5000, 8);

	for (size_t i = 0; h.ptr && i < h.size; i++)
		MUST(h.ptr[i] == 0);
	return judge_block(h, 5000, 8);
}

static bool judge_vec(int32_t status)
{
	if (status == ChicVec_Success)
		return true;
	ck_assert_int_eq(status, ChicVec_AllocationFailed);
	ck_assert_mem_eq(&vec, &before, sizeof(vec));
	return false;
}

static bool with_capacity(void)
{
	vec = chic_rt_vec_with_capacity_in_region(8, 8, 1000, 0, region);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 0);
	return chic_rt_vec_capacity(&vec) == 1000;
}

static bool push(void)
{
	uint8_t value[SIZE] = {9};

	return judge_vec(chic_vec_push(&vec, value, sizeof(value)));
}

static bool insert(void)
{
	uint8_t bytes[SIZE] = {9};
	ValueConstPtr value = {bytes, sizeof(bytes), 1};

	return judge_vec(chic_rt_vec_insert(&vec, 50, &value));
}

static bool reserve(void)
{
	return judge_vec(chic_rt_vec_reserve(&vec, 10));
}

static bool clone(void)
{
	if (!judge_vec(chic_rt_vec_clone(&dest, &vec)))
		return false;
	ck_assert_uint_eq(chic_rt_vec_len(&dest), ELEMENTS);
	ck_assert_mem_eq(chic_rt_vec_data(&dest).ptr, chic_rt_vec_data(&vec).ptr,
			 ELEMENTS * SIZE);
	return true;
}

static const struct path paths[] = {
	{"region_alloc", enter, alloc, leave},
	{"region_alloc, large", enter, alloc_large, leave},
	{"region_alloc_zeroed", enter, alloc_zeroed, leave},
	{"vec_with_capacity_in_region", enter, with_capacity, leave},
	{"vec_push in a region", enter_with_vector, push, leave},
	{"vec_insert in a region", enter_with_vector, insert, leave},
	{"vec_reserve in a region", enter_with_vector, reserve, leave},
	{"vec_clone in a region", enter_with_vector, clone, leave},
	{NULL, NULL, NULL, NULL},
};

const struct path_family region_paths = {"region", paths};
