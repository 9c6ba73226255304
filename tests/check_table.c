// SPDX-License-Identifier: BSD-2-Clause
/* Tables: each entry the installed one or the default's, interned by content. */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "toy.h"

CHIC_ALLOC_MANUAL();

static struct toy toys[2];
static struct completion heaps[2];

static void setup(void)
{
	for (int i = 0; i < 2; i++) {
		toy_init(&toys[i]);
		toy_layer(&toys[i], &heaps[i]);
	}
}

static struct stack stack_over(int heap)
{
	return (struct stack){.owner = OWNER_FIRST_STACK, .top = &heaps[heap].ops};
}

/* A table of which the bits of present say which entries it has. */
static ChicAllocatorVTable subset(unsigned present)
{
	return (ChicAllocatorVTable){
		.context = &toys[1],
		.alloc = present & 1 ? toy_alloc : NULL,
		.alloc_zeroed = present & 2 ? toy_alloc_zeroed : NULL,
		.realloc = present & 4 ? toy_realloc : NULL,
		.free = present & 8 ? toy_free : NULL,
	};
}

START_TEST(each_entry_has_its_own_context_and_owner)
{
	const ChicAllocatorVTable v = subset(_i);
	const struct stack stack = stack_over(0);
	const struct table *t = table_intern(&v, &stack);
	const void *ctx[] = {t->alloc.ctx, t->alloc_zeroed.ctx, t->realloc.ctx, t->free.ctx};

	for (int op = 0; op < OP_COUNT; op++) {
		bool custom = _i & 1 << op;

		ck_assert_ptr_eq(ctx[op], &toys[custom]);
		ck_assert_uint_eq(t->owner[op], custom ? OWNER_CUSTOM : OWNER_FIRST_STACK);
	}
	ck_assert_ptr_null(t->direct);
}
END_TEST

START_TEST(the_same_is_found_again_and_another_is_not)
{
	const ChicAllocatorVTable all = subset(15), part = subset(7);
	const struct stack stack = stack_over(0);
	const struct table *t = table_intern(&all, &stack);

	ck_assert_ptr_eq(table_intern(&all, &stack), t);
	ck_assert_ptr_ne(table_intern(&part, &stack), t);
	ck_assert_ptr_ne(table_intern(&all, NULL), t);
}
END_TEST

START_TEST(another_stack_at_the_same_address_gets_tables_of_its_own)
{
	const ChicAllocatorVTable none = subset(0);
	struct stack stack = stack_over(0);
	const struct table *first = table_intern(&none, &stack), *second;

	stack = stack_over(1);
	second = table_intern(&none, &stack);
	ck_assert_ptr_eq(second->alloc.ctx, &toys[1]);
	ck_assert_ptr_eq(first->alloc.ctx, &toys[0]);
	stack = stack_over(0);
	ck_assert_ptr_eq(table_intern(&none, &stack), first);
}
END_TEST

START_TEST(a_bare_family_is_called_directly_unless_a_hook_is_installed)
{
	const ChicAllocatorVTable none = {0}, part = subset(1);

	ck_assert_ptr_eq(table_intern(&none, NULL)->direct, platform_family());
	ck_assert_ptr_null(table_intern(&part, NULL)->direct);
}
END_TEST

START_TEST(what_a_request_reads_lies_in_two_cache_lines)
{
	ChicAllocatorVTable v = subset(15);

	for (uintptr_t i = 0; i < 300; i++) {
		v.context = (void *)i;
		ck_assert_uint_eq((uintptr_t)table_intern(&v, NULL) % 64, 0);
	}
	ck_assert_uint_le(
		offsetof(struct table, realloc) + sizeof(((struct table *)0)->realloc), 128);
}
END_TEST

START_TEST(without_memory_there_is_none_and_the_former_are_still_found)
{
	ChicAllocatorVTable v = subset(15);
	const struct table *first, *t = NULL;
	uintptr_t i;

	first = table_intern(&v, NULL);
	for (i = 1; i < 1000; i++) {
		v.context = (void *)i;
		fault_start(1);
		t = table_intern(&v, NULL);
		if (fault_stop())
			break;
		ck_assert_ptr_nonnull(t);
	}
	ck_assert_uint_lt(i, 1000);
	ck_assert_ptr_null(t);
	ck_assert_ptr_nonnull(table_intern(&v, NULL));
	v.context = &toys[1];
	ck_assert_ptr_eq(table_intern(&v, NULL), first);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("table");
	TCase *t = tcase_create("table");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, each_entry_has_its_own_context_and_owner, 0, 16);
	tcase_add_test(t, the_same_is_found_again_and_another_is_not);
	tcase_add_test(t, another_stack_at_the_same_address_gets_tables_of_its_own);
	tcase_add_test(t, a_bare_family_is_called_directly_unless_a_hook_is_installed);
	tcase_add_test(t, what_a_request_reads_lies_in_two_cache_lines);
	tcase_add_test(t, without_memory_there_is_none_and_the_former_are_still_found);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
