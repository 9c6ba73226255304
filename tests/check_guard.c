// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/guard*.c: which bugs fault, which are told of; and what each module
 * must hold.  Where blocks lie and how many are guarded is check_guard_slots.c's.
 */
#define _GNU_SOURCE
#include "guard_support.h"

START_TEST(access_past_the_block_faults)
{
	size_t size = (size_t)16 << _i;
	char *p = guarded(size);

	memset(p, 1, size);
	expect_fault(write_byte, p + size);
	expect_fault(read_byte, p + size);
	expect_fault(write_byte, p + size + 4000);
}
END_TEST

START_TEST(far_access_faults)
{
	char *p[100];

	for (int i = 0; i < 100; i++)
		p[i] = guarded((size_t)64 << _i);
	for (int i = 0; i < 100; i++) {
		size_t size = (size_t)64 << _i;

		expect_fault(write_byte, p[i] + size + 5000);
		expect_fault(write_byte, p[i] - 5000);
	}
}
END_TEST

START_TEST(block_on_the_left)
{
	char *p = guarded(100), *q = guarded(5000);

	ck_assert(is_aligned(p, PAGE));
	ck_assert(is_aligned(q, PAGE));
	expect_fault(write_byte, p - 1);
	expect_fault(write_byte, q - 1);
	expect_fault(write_byte, p + PAGE);
	expect_fault(write_byte, q + 2 * PAGE);
}
END_TEST

START_TEST(access_past_a_zeroed_or_moved_block_faults)
{
	char *p = guard_calloc(subject.ctx, 4, 16);

	expect_fault(write_byte, p + 64);
	p = guard_remalloc(subject.ctx, p, 160);
	expect_fault(write_byte, p + 160);
}
END_TEST

START_TEST(use_after_free_faults)
{
	char *p = guarded((size_t)1 << _i);

	guard_mfree(subject.ctx, p);
	expect_fault(read_byte, p);
	expect_fault(write_byte, p);
}
END_TEST

START_TEST(use_after_realloc_faults)
{
	char *p = guarded(100);
	char *q = guard_remalloc(subject.ctx, p, 100);

	ck_assert_ptr_ne(p, q);
	expect_fault(read_byte, p);
}
END_TEST

START_TEST(use_after_many_more_allocations_faults)
{
	char *p = guarded(100);

	guard_mfree(subject.ctx, p);
	for (int i = 0; i < 1000; i++)
		guard_mfree(subject.ctx, guard_malloc(subject.ctx, 100));
	expect_fault(read_byte, p);
}
END_TEST

START_TEST(page_before_faults)
{
	char *p = guarded(PAGE);

	guarded(PAGE);
	expect_fault(write_byte, p - 1);
}
END_TEST

START_TEST(byte_alignment_leaves_no_slack)
{
	size_t size = (size_t)_i;
	char *p = guarded(size);

	memset(p, 1, size);
	expect_fault(read_byte, p + size);
}
END_TEST

START_TEST(byte_alignment_keeps_what_was_asked)
{
	char *p = guard_memalign(subject.ctx, 64, 100);
	ValueMutPtr block = guard_alloc(subject.ctx, 13, 4);

	ck_assert(is_aligned(p, 64));
	ck_assert(is_aligned(block.ptr, 4));
	expect_fault(write_byte, block.ptr + 16);
}
END_TEST

/* ------------------------------------------------------------ messages -- */

START_TEST(double_free_is_told)
{
	char *p = guarded(61);

	guard_mfree(subject.ctx, p);
	expect_line(do_free, p,
		    "double free: free of %p, at offset 0 of the freed block of 61 bytes at "
		    "%p\n",
		    p, p);
}
END_TEST

START_TEST(realloc_after_free_is_told)
{
	char *p = guarded(61);

	guard_mfree(subject.ctx, p);
	expect_line(do_realloc, p,
		    "use after free: realloc of %p, at offset 0 of the freed block of 61 bytes "
		    "at %p\n",
		    p, p);
}
END_TEST

START_TEST(free_of_an_interior_pointer_is_told)
{
	char *p = guarded(61);
	char *q = guarded(100000);

	expect_line(do_free, p + 16,
		    "invalid free: free of %p, at offset 16 of the block of 61 bytes at %p\n",
		    p + 16, p);
	expect_line(do_free, q + 80000,
		    "invalid free: free of %p, at offset 80000 of the block of 100000 bytes at "
		    "%p\n",
		    q + 80000, q);
}
END_TEST

START_TEST(free_of_no_block_is_told)
{
	char *p = guarded(61);

	expect_line(do_free, p + 100 * M, "invalid free: free of %p, where no block is near\n",
		    p + 100 * M);
	expect_line(do_free, p - 32,
		    "invalid free: free of %p, 32 bytes before the block of 61 bytes at %p\n",
		    p - 32, p);
}
END_TEST

START_TEST(write_into_the_slack_is_told_at_free)
{
	char *p = guarded(61);

	p[61] = '\0';
	expect_line(do_free, p,
		    "overflow: found by free of the block of 61 bytes at %p: offset 61 is "
		    "0x00, expected 0xc5\n",
		    p);
	expect_line(do_realloc, p,
		    "overflow: found by realloc of the block of 61 bytes at %p: offset 61 is "
		    "0x00, expected 0xc5\n",
		    p);
}
END_TEST

static void write_and_free(void *arg)
{
	char *p = arg;

	p[-17] = 1;
	p[-3] = 2;
	guard_mfree(subject.ctx, p);
}

START_TEST(write_before_the_block_is_told_at_free)
{
	char *p = guarded((size_t)64 << _i);

	p[-1] = '\0';
	expect_line(
		do_free, p,
		"underflow: found by free of the block of %d bytes at %p: offset -1 is 0x00, "
		"expected 0xc5\n",
		64 << _i, p);
	p[-1] = (char)0xc5;
	expect_line(
		write_and_free, p,
		"underflow: found by free of the block of %d bytes at %p: offset -17 is 0x01, "
		"expected 0xc5, and others up to offset -3\n",
		64 << _i, p);
	guard_mfree(subject.ctx, p);
}
END_TEST

START_TEST(write_past_the_block_on_the_left_is_told_at_free)
{
	char *p = guarded(64);

	p[64] = 1;
	expect_line(
		do_free, p,
		"overflow: found by free of the block of 64 bytes at %p: offset 64 is 0x01, "
		"expected 0xc5\n",
		p);
}
END_TEST

START_TEST(large_alignments_are_checked_too)
{
	char *p = guard_memalign(subject.ctx, 2 * M, 5000);

	ck_assert(guard_owns(subject.ctx, p));
	expect_fault(write_byte, p + 2 * PAGE);
	p[5003] = 1;
	expect_line(do_free, p,
		    "overflow: found by free of the block of 5000 bytes at %p: offset 5003 is "
		    "0x01, expected "
		    "0xc5\n",
		    p);
	p[5003] = (char)0xc5;
	guard_mfree(subject.ctx, p);
	expect_line(do_free, p,
		    "double free: free of %p, at offset 0 of the freed block of 5000 bytes at "
		    "%p\n",
		    p, p);
}
END_TEST

/* All that a configuration without parameters is to find, by one back end. */
static TCase *default_case(const char *name, void (*setup)(void))
{
	TCase *tc = case_with(name, setup, stop);

	tcase_add_loop_test(tc, access_past_the_block_faults, 0, 18);
	tcase_add_loop_test(tc, far_access_faults, 0, 14);
	tcase_add_loop_test(tc, write_before_the_block_is_told_at_free, 0, 6);
	tcase_add_test(tc, access_past_a_zeroed_or_moved_block_faults);
	tcase_add_loop_test(tc, use_after_free_faults, 0, 21);
	tcase_add_test(tc, use_after_realloc_faults);
	tcase_add_test(tc, use_after_many_more_allocations_faults);
	tcase_add_test(tc, page_before_faults);
	tcase_add_test(tc, double_free_is_told);
	tcase_add_test(tc, realloc_after_free_is_told);
	tcase_add_test(tc, free_of_an_interior_pointer_is_told);
	tcase_add_test(tc, free_of_no_block_is_told);
	tcase_add_test(tc, write_into_the_slack_is_told_at_free);
	tcase_add_test(tc, large_alignments_are_checked_too);
	return tc;
}

static TCase *byte_case(void)
{
	TCase *tc = case_with("byte alignment", start_byte_aligned, stop);

	tcase_add_loop_test(tc, byte_alignment_leaves_no_slack, 1, 40);
	tcase_add_test(tc, byte_alignment_keeps_what_was_asked);
	return tc;
}

static TCase *left_case(void)
{
	TCase *tc = case_with("left", start_left, stop);

	tcase_add_test(tc, block_on_the_left);
	tcase_add_test(tc, write_past_the_block_on_the_left_is_told_at_free);
	tcase_add_loop_test(tc, use_after_free_faults, 0, 21);
	return tc;
}

static void add_native(Suite *suite)
{
	suite_add_tcase(suite, common_tests("common, userfaultfd", start_userfaultfd, stop));
	suite_add_tcase(suite, common_tests("common, madvise", start_madvise, stop));
	suite_add_tcase(suite, default_case("userfaultfd", start_userfaultfd));
	suite_add_tcase(suite, default_case("madvise", start_madvise));
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("guard");

	suite_add_tcase(suite, common_tests("common, all guarded", start_default, stop));
	suite_add_tcase(suite, common_tests("common, sampled", start_sampled, stop));
	suite_add_tcase(suite, common_tests("common, limited", start_limited, stop));
	suite_add_tcase(suite, common_tests("common, small range", start_small_range, stop));
	suite_add_tcase(suite, common_tests("common, mprotect", start_mprotect, stop));
	suite_add_tcase(suite, common_tests("common, left", start_left, stop));
	suite_add_tcase(suite, default_case("mprotect", start_mprotect));
	suite_add_tcase(suite, byte_case());
	suite_add_tcase(suite, left_case());
	/* valgrind knows one back end, and takes a second for each test */
	if (!getenv("CHECK_VALGRIND"))
		add_native(suite);
	return suite;
}

CHECK_MAIN(make_suite)
