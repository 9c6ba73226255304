// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which table is in force: installs over a default, a default changed below an
 * install, and neither when memory is out.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "toy.h"

#include <errno.h>

CHIC_ALLOC_MANUAL();

static struct toy toys[2];
static struct completion heap;
static struct stack stack;

static void setup(void)
{
	for (int i = 0; i < 2; i++)
		toy_init(&toys[i]);
	toy_layer(&toys[0], &heap);
	stack = (struct stack){.owner = OWNER_FIRST_STACK, .top = &heap.ops};
	chic_rt_allocator_reset();
}

static void install(unsigned n)
{
	chic_rt_allocator_install((ChicAllocatorVTable){
		&toys[1], toy_alloc, n ? toy_alloc_zeroed : NULL, toy_realloc, toy_free});
}

START_TEST(a_default_goes_under_an_installed_table)
{
	install(0);
	ck_assert_int_eq(hooks_set_default(&stack), 0);
	ck_assert_ptr_eq(hooks_default(), &stack);
	ck_assert_ptr_eq(hooks_table->alloc.ctx, &toys[1]);
	ck_assert_ptr_eq(hooks_table->alloc_zeroed.ctx, &toys[0]);
	chic_rt_allocator_reset();
	ck_assert_ptr_eq(hooks_table->alloc.ctx, &toys[0]);
}
END_TEST

START_TEST(reset_is_idempotent_and_installs_do_not_pile_up)
{
	const struct table *first;

	install(1);
	first = hooks_table;
	chic_rt_allocator_reset();
	chic_rt_allocator_reset();
	ck_assert_ptr_eq(hooks_table->direct, platform_family());
	install(1);
	ck_assert_ptr_eq(hooks_table, first);
}
END_TEST

/* Use up the room for tables that was there. */
static void exhaust_tables(void)
{
	ChicAllocatorVTable table = {.alloc = toy_alloc};

	do {
		table.context = (char *)table.context + 1;
		fault_start(1);
		chic_rt_allocator_install(table);
	} while (!fault_stop());
}

START_TEST(without_memory_the_former_table_stays_in_force)
{
	const struct table *before;
	int err;

	exhaust_tables();
	before = hooks_table;
	fault_start(1);
	install(1);
	ck_assert(fault_stop());
	ck_assert_ptr_eq(hooks_table, before);

	fault_start(1);
	err = hooks_set_default(&stack);
	ck_assert(fault_stop());
	ck_assert_int_eq(err, -ENOMEM);
	ck_assert_str_ne(message_get(), "");
	ck_assert_ptr_null(hooks_default());
	ck_assert_ptr_eq(hooks_table, before);
	chic_rt_allocator_reset();
	ck_assert_ptr_eq(hooks_table->direct, platform_family());
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("publish");
	TCase *t = tcase_create("publish");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_default_goes_under_an_installed_table);
	tcase_add_test(t, reset_is_idempotent_and_installs_do_not_pile_up);
	tcase_add_test(t, without_memory_the_former_table_stays_in_force);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
