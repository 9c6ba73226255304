// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rc: the destructor runs once, the block goes with the last owner, counts end where they
 * must, null and absurd arguments.
 */
#include "check_support.h"
#include "ledger.h"

#include <string.h>

#include "../runtime/shared.h"
#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static size_t drops;
static const uint64_t number = 12345;

static void end_number(uint8_t *value)
{
	ck_assert_uint_eq(*(uint64_t *)value, number);
	*(uint64_t *)value = 0;
	drops++;
}

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	drops = 0;
}

static ChicRc make(void)
{
	ChicRc rc = {NULL};

	ck_assert_int_eq(
		chic_rt_rc_new(&rc, (const uint8_t *)&number, 8, 8, (uintptr_t)end_number, 77),
		ChicShared_Success);
	return rc;
}

START_TEST(the_last_owner_ends_the_value)
{
	ChicRc a = make(), b;

	ck_assert_int_eq(chic_rt_rc_clone(&b, &a), 0);
	ck_assert_ptr_eq(chic_rt_rc_get(&a), chic_rt_rc_get(&b));
	ck_assert_uint_eq(chic_rt_rc_strong_count(&a), 2);
	ck_assert_uint_eq(chic_rt_rc_weak_count(&a), 1);
	chic_rt_rc_drop(&a);
	ck_assert_ptr_null(a.ptr);
	ck_assert_uint_eq(drops, 0);
	ck_assert_uint_eq(*(const uint64_t *)chic_rt_rc_get(&b), number);
	chic_rt_rc_drop(&a); /* nothing */
	chic_rt_rc_drop(&b);
	chic_rt_rc_drop(&b);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(the_last_weak_owner_ends_the_block)
{
	ChicWeakRc weak, other;
	ChicRc rc = make(), again = {NULL};

	ck_assert_int_eq(chic_rt_rc_downgrade(&weak, &rc), 0);
	ck_assert_int_eq(chic_rt_weak_rc_clone(&other, &weak), 0);
	ck_assert_uint_eq(chic_rt_rc_weak_count(&rc), 3);
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(&again, &weak), 0);
	ck_assert_uint_eq(chic_rt_rc_strong_count(&rc), 2);
	chic_rt_rc_drop(&rc);
	ck_assert_uint_eq(drops, 0);
	chic_rt_rc_drop(&again);
	ck_assert_uint_eq(drops, 1);
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	again.ptr = &again;
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(&again, &weak), ChicShared_InvalidPointer);
	ck_assert_ptr_null(again.ptr);
	chic_rt_weak_rc_drop(&weak);
	ck_assert_ptr_null(weak.ptr);
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	chic_rt_weak_rc_drop(&other);
	chic_rt_weak_rc_drop(&other);
	ledger_nothing_left();
}
END_TEST

START_TEST(one_owner_alone_may_change_the_value)
{
	ChicRc a = make(), b;
	ChicWeakRc weak;

	ck_assert_ptr_eq(chic_rt_rc_get_mut(&a), chic_rt_rc_get(&a));
	chic_rt_rc_clone(&b, &a);
	ck_assert_ptr_null(chic_rt_rc_get_mut(&a));
	chic_rt_rc_drop(&b);
	chic_rt_rc_downgrade(&weak, &a);
	ck_assert_ptr_null(chic_rt_rc_get_mut(&a));
	chic_rt_weak_rc_drop(&weak);
	ck_assert_ptr_nonnull(chic_rt_rc_get_mut(&a));
	chic_rt_rc_drop(&a);
	ledger_nothing_left();
}
END_TEST

/* ---- a value that has a weak handle of itself ---- */

static ChicWeakRc itself;

static void end_with_itself(uint8_t *value)
{
	ChicRc rc;

	(void)value;
	drops++;
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(&rc, &itself), ChicShared_InvalidPointer);
	chic_rt_weak_rc_drop(&itself);
}

START_TEST(a_destructor_may_drop_its_own_weak_handle)
{
	ChicRc rc;

	ck_assert_int_eq(chic_rt_rc_new(&rc, (const uint8_t *)&number, 8, 8,
					(uintptr_t)end_with_itself, 0),
			 0);
	ck_assert_int_eq(chic_rt_rc_downgrade(&itself, &rc), 0);
	chic_rt_rc_drop(&rc);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(blocks_are_exact_and_aligned)
{
	static const size_t aligns[] = {0, 1, 2, 8, 16, 64, 4096};
	uint8_t bytes[100];
	size_t before = chic_rt_shared_allocations(), freed = chic_rt_shared_frees();
	ChicRc rc;

	memset(bytes, 0x3c, sizeof(bytes));
	for (size_t i = 0; i < 7; i++) {
		ck_assert_int_eq(chic_rt_rc_new(&rc, bytes, sizeof(bytes), aligns[i], 0, 0), 0);
		if (aligns[i])
			ck_assert_uint_eq((uintptr_t)chic_rt_rc_get(&rc) % aligns[i], 0);
		ck_assert_mem_eq(chic_rt_rc_get(&rc), bytes, sizeof(bytes));
		chic_rt_rc_drop(&rc);
		ledger_nothing_left();
	}
	ck_assert_int_eq(chic_rt_rc_new(&rc, NULL, 0, 8, (uintptr_t)0, 0), 0);
	ck_assert_ptr_nonnull(chic_rt_rc_get(&rc));
	chic_rt_rc_drop(&rc);
	ck_assert_uint_eq(chic_rt_shared_allocations() - before, 8);
	ck_assert_uint_eq(chic_rt_shared_frees() - freed, 8);
	ledger_nothing_left();
}
END_TEST

START_TEST(counts_do_not_overflow)
{
	ChicRc rc = make(), other = {NULL};
	ChicWeakRc weak = {NULL}, more = {NULL};
	struct shared *block = rc.ptr;

	ck_assert_int_eq(chic_rt_rc_downgrade(&weak, &rc), 0);
	block->strong = OWNERS_MAX;
	block->weak = OWNERS_MAX;
	ck_assert_int_eq(chic_rt_rc_clone(&other, &rc), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(&other, &weak), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_rc_downgrade(&more, &rc), ChicShared_Overflow);
	ck_assert_int_eq(chic_rt_weak_rc_clone(&more, &weak), ChicShared_Overflow);
	ck_assert_ptr_null(other.ptr);
	ck_assert_ptr_null(more.ptr);
	ck_assert_uint_eq(chic_rt_rc_strong_count(&rc), OWNERS_MAX);
	ck_assert_uint_eq(chic_rt_rc_weak_count(&rc), OWNERS_MAX);
	block->strong = 1;
	block->weak = 2;
	chic_rt_rc_drop(&rc);
	chic_rt_weak_rc_drop(&weak);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

START_TEST(bad_arguments_are_answered)
{
	const uint8_t *bytes = (const uint8_t *)&number;
	ChicRc rc = {NULL}, none = {NULL};
	ChicWeakRc weak = {NULL}, no_weak = {NULL};

	ck_assert_int_eq(chic_rt_rc_new(NULL, bytes, 8, 8, 0, 0), -1);
	ck_assert_int_eq(chic_rt_rc_new(&rc, NULL, 8, 8, 0, 0), -1);
	ck_assert_int_eq(chic_rt_rc_new(&rc, bytes, 8, 3, 0, 0), -2);
	ck_assert_int_eq(chic_rt_rc_new(&rc, bytes, SIZE_MAX, 8, 0, 0), -3);
	ck_assert_int_eq(chic_rt_rc_new(&rc, bytes, PTRDIFF_MAX, 8, 0, 0), -3);
	ck_assert_int_eq(chic_rt_rc_new(&rc, bytes, 8, ~(SIZE_MAX >> 1), 0, 0), -3);
	ck_assert_ptr_null(rc.ptr);
	ck_assert_uint_eq(ledger_requests(), 0);
	rc = make();
	ck_assert_int_eq(chic_rt_rc_clone(NULL, &rc), -1);
	ck_assert_int_eq(chic_rt_rc_clone(&rc, NULL), -1);
	ck_assert_int_eq(chic_rt_rc_clone(&rc, &none), -1);
	ck_assert_int_eq(chic_rt_rc_clone(&rc, &rc), 0); /* no owner more */
	ck_assert_int_eq(chic_rt_rc_downgrade(NULL, &rc), -1);
	ck_assert_int_eq(chic_rt_rc_downgrade(&weak, &none), -1);
	ck_assert_int_eq(chic_rt_rc_downgrade(&weak, NULL), -1);
	ck_assert_int_eq(chic_rt_weak_rc_clone(&weak, &no_weak), -1);
	ck_assert_int_eq(chic_rt_weak_rc_clone(&weak, NULL), -1);
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(&rc, &no_weak), -1);
	ck_assert_int_eq(chic_rt_weak_rc_upgrade(NULL, NULL), -1);
	ck_assert_ptr_null(chic_rt_rc_get(&none));
	ck_assert_ptr_null(chic_rt_rc_get(NULL));
	ck_assert_ptr_null(chic_rt_rc_get_mut(&none));
	ck_assert_ptr_null(chic_rt_rc_get_mut(NULL));
	ck_assert_uint_eq(chic_rt_rc_strong_count(NULL) + chic_rt_rc_weak_count(&none), 0);
	chic_rt_rc_drop(NULL);
	chic_rt_weak_rc_drop(NULL);
	chic_rt_rc_drop(&rc);
	ck_assert_uint_eq(drops, 1);
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("rc");
	TCase *tcase = tcase_create("rc");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, the_last_owner_ends_the_value);
	tcase_add_test(tcase, the_last_weak_owner_ends_the_block);
	tcase_add_test(tcase, one_owner_alone_may_change_the_value);
	tcase_add_test(tcase, a_destructor_may_drop_its_own_weak_handle);
	tcase_add_test(tcase, blocks_are_exact_and_aligned);
	tcase_add_test(tcase, counts_do_not_overflow);
	tcase_add_test(tcase, bad_arguments_are_answered);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
