// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors' ways to memory.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

enum { ELEMENTS = 40, SIZE = 8 };

static ChicVec vec, dest, before;
static uint8_t bytes[ELEMENTS * SIZE];

static void fill(void)
{
	for (uint64_t i = 0; i < ELEMENTS; i++)
		ck_assert_int_eq(chic_vec_push(&vec, &i, SIZE), ChicVec_Success);
	memcpy(bytes, chic_rt_vec_data(&vec).ptr, sizeof(bytes));
	before = vec;
}

/* Capacity is more than length. */
static void prepare_loose(void)
{
	vec = chic_rt_vec_new(SIZE, SIZE, 0);
	ck_assert_int_eq(chic_rt_vec_reserve(&vec, 2 * ELEMENTS), ChicVec_Success);
	fill();
	memset(&dest, 0x33, sizeof(dest));
}

/* The next element needs memory. */
static void prepare_tight(void)
{
	vec = chic_rt_vec_with_capacity(SIZE, SIZE, ELEMENTS, 0);
	fill();
	memset(&dest, 0x33, sizeof(dest));
}

static void prepare_full_inside(void)
{
	vec = chic_rt_vec_new(SIZE, SIZE, 0);
	for (uint64_t i = 0; i < 64 / SIZE; i++)
		ck_assert_int_eq(chic_vec_push(&vec, &i, SIZE), ChicVec_Success);
	before = vec;
}

static void clean_vec(void)
{
	chic_rt_vec_drop(&vec);
}

static void clean_both(void)
{
	ChicVec untouched;

	memset(&untouched, 0x33, sizeof(untouched));
	if (memcmp(&dest, &untouched, sizeof(dest)) != 0)
		chic_rt_vec_drop(&dest);
	chic_rt_vec_drop(&vec);
}

static bool has_elements(const ChicVec *v)
{
	return chic_rt_vec_len(v) == ELEMENTS &&
	       memcmp(chic_rt_vec_data(v).ptr, bytes, sizeof(bytes)) == 0;
}

/* A status, of a call that leaves vec as it was where it is refused. */
static bool judge(int32_t status)
{
	if (status == ChicVec_Success)
		return true;
	ck_assert_int_eq(status, ChicVec_AllocationFailed);
	ck_assert_mem_eq(&vec, &before, sizeof(vec));
	return false;
}

/* The same of one that makes dest. */
static bool judge_dest(int32_t status)
{
	ChicVec untouched;

	memset(&untouched, 0x33, sizeof(untouched));
	if (judge(status)) {
		ck_assert(has_elements(&dest));
		return true;
	}
	ck_assert_mem_eq(&dest, &untouched, sizeof(dest));
	ck_assert(has_elements(&vec));
	return false;
}

static bool judge_made(void)
{
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 0);
	if (!chic_rt_vec_capacity(&vec))
		return false;
	ck_assert_uint_eq(chic_rt_vec_capacity(&vec), 100);
	return true;
}

static bool with_capacity(void)
{
	vec = chic_rt_vec_with_capacity(SIZE, SIZE, 100, 0);
	return judge_made();
}

static bool with_aligned_capacity(void)
{
	vec = chic_rt_vec_with_capacity(64, 64, 100, 0);
	return judge_made();
}

static bool first_push(void)
{
	uint8_t large[200] = {5};

	vec = before = chic_rt_vec_new(sizeof(large), 1, 0);
	return judge(chic_vec_push(&vec, large, sizeof(large)));
}

static bool push(void)
{
	uint64_t n = ELEMENTS;
	ValueConstPtr value = {(uint8_t *)&n, SIZE, SIZE};

	return judge(chic_rt_vec_push(&vec, &value));
}

static bool push_inline(void)
{
	return judge(chic_vec_push(&vec, bytes, SIZE));
}

static bool insert(void)
{
	ValueConstPtr value = {bytes, SIZE, SIZE};

	return judge(chic_rt_vec_insert(&vec, 3, &value));
}

static bool reserve(void)
{
	return judge(chic_rt_vec_reserve(&vec, 1000));
}

static bool shrink_to_fit(void)
{
	bool done = judge(chic_rt_vec_shrink_to_fit(&vec));

	ck_assert(has_elements(&vec));
	ck_assert(!done || chic_rt_vec_capacity(&vec) == ELEMENTS);
	return done;
}

static bool clone(void)
{
	return judge_dest(chic_rt_vec_clone(&dest, &vec));
}

static bool copy_to_array(void)
{
	return judge_dest(chic_rt_vec_copy_to_array(&dest, &vec));
}

static bool copy_to_vec(void)
{
	return judge_dest(chic_rt_array_copy_to_vec(&dest, &vec));
}

/* The only one of the moves that may need memory. */
static bool into_array(void)
{
	int32_t status = chic_rt_vec_into_array(&dest, &vec);

	if (status)
		return judge_dest(status);
	ck_assert(has_elements(&dest));
	ck_assert_uint_eq(chic_rt_vec_capacity(&dest), ELEMENTS);
	ck_assert_uint_eq(chic_rt_vec_len(&vec), 0);
	return true;
}

static const struct path paths[] = {
	{"vec_with_capacity", NULL, with_capacity, clean_vec},
	{"vec_with_capacity, aligned", NULL, with_aligned_capacity, clean_vec},
	{"vec_push, first", NULL, first_push, clean_vec},
	{"vec_push, out of the struct", prepare_full_inside, push, clean_vec},
	{"vec_push", prepare_tight, push, clean_vec},
	{"chic_vec_push", prepare_tight, push_inline, clean_vec},
	{"vec_insert", prepare_tight, insert, clean_vec},
	{"vec_insert, out of the struct", prepare_full_inside, insert, clean_vec},
	{"vec_reserve", prepare_tight, reserve, clean_vec},
	{"vec_reserve, out of the struct", prepare_full_inside, reserve, clean_vec},
	{"vec_shrink_to_fit", prepare_loose, shrink_to_fit, clean_vec},
	{"vec_clone", prepare_loose, clone, clean_both},
	{"vec_copy_to_array", prepare_loose, copy_to_array, clean_both},
	{"array_copy_to_vec", prepare_tight, copy_to_vec, clean_both},
	{"vec_into_array", prepare_loose, into_array, clean_both},
	{NULL, NULL, NULL, NULL},
};

const struct path_family vec_paths = {"vec", paths};
