// SPDX-License-Identifier: BSD-2-Clause
/* Byte copies over typed handles: overlap, nulls, element-sized handles. */
#include "check_support.h"
#include "internal.h"

#include <string.h>

CHIC_ALLOC_MANUAL();

static uint8_t a[64], b[64];

static void setup(void)
{
	for (unsigned i = 0; i < sizeof(a); i++) {
		a[i] = i;
		b[i] = 0xff;
	}
}

static ValueMutPtr mut(uint8_t *p, size_t size)
{
	return (ValueMutPtr){p, size, 1};
}

static ValueConstPtr constant(const uint8_t *p, size_t size)
{
	return (ValueConstPtr){p, size, 1};
}

START_TEST(length_may_exceed_the_elements_size)
{
	chic_rt_memcpy(mut(b, 4), constant(a, 4), 64);

	ck_assert_mem_eq(b, a, 64);
}
END_TEST

START_TEST(move_survives_overlap_both_ways)
{
	chic_rt_memmove(mut(a + 8, 1), mut(a, 1), 40);
	for (unsigned i = 0; i < 40; i++)
		ck_assert_uint_eq(a[8 + i], i);
	setup();
	chic_rt_memmove(mut(a, 1), mut(a + 8, 1), 40);
	for (unsigned i = 0; i < 40; i++)
		ck_assert_uint_eq(a[i], 8 + i);
	chic_rt_memmove(mut(a, 1), mut(a, 1), 40);
	ck_assert_uint_eq(a[0], 8);
}
END_TEST

START_TEST(set_and_zero)
{
	chic_rt_memset(mut(a, 2), 0x5c, 10);
	ck_assert_uint_eq(a[9], 0x5c);
	ck_assert_uint_eq(a[10], 10);
	chic_rt_zero_init(a, 5);
	ck_assert_uint_eq(a[4], 0);
	ck_assert_uint_eq(a[5], 0x5c);
}
END_TEST

START_TEST(failed_handles_and_length_zero_have_no_effect)
{
	const ValueMutPtr failed = {NULL, 64, 16};

	chic_rt_memcpy(failed, constant(a, 64), 64);
	chic_rt_memcpy(mut(b, 64), (ValueConstPtr){NULL, 64, 16}, 64);
	chic_rt_memcpy(mut(b, 64), constant(a, 64), 0);
	chic_rt_memmove(failed, mut(a, 64), 64);
	chic_rt_memmove(mut(b, 64), failed, 64);
	chic_rt_memmove(mut(b, 64), mut(a, 64), 0);
	chic_rt_memset(failed, 1, 64);
	chic_rt_memset(mut(b, 64), 1, 0);
	chic_rt_zero_init(NULL, 64);
	chic_rt_zero_init(b, 0);
	chic_rt_free(failed);

	for (unsigned i = 0; i < sizeof(b); i++)
		ck_assert_uint_eq(b[i], 0xff);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("memops");
	TCase *t = tcase_create("bytes");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, length_may_exceed_the_elements_size);
	tcase_add_test(t, move_survives_overlap_both_ways);
	tcase_add_test(t, set_and_zero);
	tcase_add_test(t, failed_handles_and_length_zero_have_no_effect);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
