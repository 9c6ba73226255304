// SPDX-License-Identifier: BSD-2-Clause
/*
 * Types, objects and closures: what is known anew and what is refused, exact memory,
 * destructors, threads that register and ask at once.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "ledger.h"

#include <pthread.h>
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
	chic_rt_type_forget_all();
	ledger_nothing_left();
	ledger_remove();
}

static RuntimeTypeMetadata type_of(size_t size, size_t align)
{
	return (RuntimeTypeMetadata){
		.size = size,
		.align = align,
		.drop_fn = (uintptr_t)count_drop,
		.variance = {(const uint8_t *)"+-", 2},
		.flags = 5,
	};
}

static int32_t know(uint64_t type_id, size_t size, size_t align)
{
	RuntimeTypeMetadata type = type_of(size, align);

	return chic_rt_type_register(type_id, &type);
}

START_TEST(what_was_registered_is_known)
{
	static const uint64_t ids[] = {0, 1, 512, UINT64_MAX, UINT64_C(1) << 63};
	RuntimeTypeMetadata type;

	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(chic_rt_type_metadata(ids[i], &type), 0);
		ck_assert_int_eq(know(ids[i], 10 + i, 8), 0);
	}
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(chic_rt_type_metadata(ids[i], &type), 1);
		ck_assert_uint_eq(type.size, 10 + i);
		ck_assert_uint_eq(type.align, 8);
		ck_assert_uint_eq(type.drop_fn, (uintptr_t)count_drop);
		ck_assert_str_eq((const char *)type.variance.ptr, "+-");
		ck_assert_uint_eq(type.variance.len, 2);
		ck_assert_uint_eq(type.flags, 5);
	}
	ck_assert_uint_eq(ledger_requests(), 0);
	chic_rt_type_forget_all();
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(chic_rt_type_metadata(ids[i], &type), 0);
}
END_TEST

START_TEST(a_type_is_known_anew_but_keeps_its_layout)
{
	RuntimeTypeMetadata type = type_of(16, 8);

	ck_assert_int_eq(know(7, 16, 8), 0);
	ck_assert_int_eq(know(7, 16, 8), 0);
	ck_assert_int_eq(know(7, 17, 8), -1);
	ck_assert_int_eq(know(7, 16, 16), -1);
	type.flags = 6;
	type.drop_fn = 0;
	chic_rt_type_metadata_register(7, type);
	ck_assert_int_eq(chic_rt_type_metadata(7, &type), 1);
	ck_assert_uint_eq(type.flags, 6);
	ck_assert_uint_eq(type.drop_fn, 0);
	ck_assert_uint_eq(type.size, 16);
}
END_TEST

START_TEST(bad_types_are_refused)
{
	RuntimeTypeMetadata type;

	ck_assert_int_eq(know(7, 16, 3), -1);
	ck_assert_int_eq(know(7, SIZE_MAX, 8), -1);
	ck_assert_int_eq(chic_rt_type_register(7, NULL), -1);
	ck_assert_int_eq(chic_rt_type_metadata(7, &type), 0);
	ck_assert_int_eq(know(7, 16, 0), 0);
	ck_assert_int_eq(chic_rt_type_metadata(7, &type), 1);
	ck_assert_uint_eq(type.align, 1);
	ck_assert_int_eq(chic_rt_type_metadata(7, NULL), 0);
}
END_TEST

START_TEST(thousands_of_types_are_known)
{
	enum { TYPES = 20000 };
	RuntimeTypeMetadata type;

	for (uint64_t i = 0; i < TYPES; i++)
		MUST(know(i * i * 2654435761u, 1 + i, 1) == 0);
	for (uint64_t i = 0; i < TYPES; i++) {
		MUST(chic_rt_type_metadata(i * i * 2654435761u, &type) == 1);
		MUST(type.size == 1 + i);
	}
	ck_assert_int_eq(chic_rt_type_metadata(12345, &type), 0);
	ck_assert_uint_gt(ledger_live_blocks(), 0);
	ck_assert_uint_lt(ledger_live_blocks(), 12);
}
END_TEST

START_TEST(objects_are_zeroed_and_dropped)
{
	uint8_t *object;
	size_t taken = chic_rt_shared_allocations(), given_back = chic_rt_shared_frees();

	ck_assert_ptr_null(chic_rt_object_new(7));
	ck_assert_int_eq(know(7, 100, 64), 0);
	ck_assert_int_eq(know(8, 0, 1), 0);
	object = chic_rt_object_new(7);
	ck_assert_ptr_nonnull(object);
	ck_assert_uint_eq((uintptr_t)object % 64, 0);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(object[i], 0);
	ck_assert_uint_eq(ledger_live_bytes(), 100);
	ck_assert_ptr_null(chic_rt_object_new(8));
	chic_rt_object_drop(NULL, 7);
	chic_rt_object_drop(object, 9); /* unknown: not touched */
	ck_assert_uint_eq(drops, 0);
	chic_rt_object_drop(object, 7);
	ck_assert_uint_eq(drops, 1);
	ck_assert_uint_eq(chic_rt_shared_allocations() - taken, 1);
	ck_assert_uint_eq(chic_rt_shared_frees() - given_back, 1);
}
END_TEST

START_TEST(closures_have_environments)
{
	static const uint8_t captured[10] = "captured";
	uint8_t *env = chic_rt_closure_env_clone(captured, 10, 2);

	ck_assert_mem_eq(env, captured, 10);
	ck_assert_uint_eq(ledger_live_bytes(), 10);
	chic_rt_closure_env_free(env, 10, 2);
	env = chic_rt_closure_env_alloc(24, 0);
	ck_assert_ptr_nonnull(env);
	chic_rt_closure_env_free(env, 24, 0);
	chic_rt_closure_env_free(NULL, 24, 8);
	ck_assert_ptr_null(chic_rt_closure_env_alloc(0, 8));
	ck_assert_ptr_null(chic_rt_closure_env_clone(captured, 0, 8));
	ck_assert_ptr_null(chic_rt_closure_env_clone(NULL, 8, 8));
	ck_assert_ptr_null(chic_rt_closure_env_alloc(UINT64_MAX, 8));
	ck_assert_ptr_null(chic_rt_closure_env_alloc(8, UINT64_C(1) << 63));
	ck_assert_ptr_null(chic_rt_closure_env_alloc(8, 3));
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 4, TYPES_EACH = 3000 };

/* All register the same types, which they then know. */
static void *register_all(void *arg)
{
	for (uint64_t id = 1; id <= TYPES_EACH; id++) {
		RuntimeTypeMetadata type = type_of(id, 8);
		uint8_t *object;

		type.drop_fn = 0;
		type.flags = id % 100 ? 5 : *(uint32_t *)arg; /* some are known anew */
		MUST(chic_rt_type_register(id, &type) == 0);
		MUST(chic_rt_type_metadata(id, &type) == 1 && type.size == id);
		MUST(chic_rt_type_metadata(1 + id / 2, &type) == 1 && type.size == 1 + id / 2);
		object = chic_rt_object_new(id);
		MUST(object);
		chic_rt_object_drop(object, id);
	}
	return NULL;
}

START_TEST(threads_register_the_same_types)
{
	pthread_t thread[THREADS];
	uint32_t number[THREADS];
	size_t blocks;

	for (uint32_t i = 0; i < THREADS; i++) {
		number[i] = i;
		ck_assert_int_eq(pthread_create(&thread[i], NULL, register_all, &number[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	blocks = ledger_live_blocks();
	register_all(&number[0]);
	ck_assert_uint_eq(ledger_live_blocks(), blocks); /* all were known */
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("object");
	TCase *tcase = tcase_create("object");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, what_was_registered_is_known);
	tcase_add_test(tcase, a_type_is_known_anew_but_keeps_its_layout);
	tcase_add_test(tcase, bad_types_are_refused);
	tcase_add_test(tcase, thousands_of_types_are_known);
	tcase_add_test(tcase, objects_are_zeroed_and_dropped);
	tcase_add_test(tcase, closures_have_environments);
	tcase_add_test(tcase, threads_register_the_same_types);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
