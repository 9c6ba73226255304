// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic_alloc_reset on stacks of real module files: all is dropped, counted and
 * forgotten, or nothing is and the message says why.
 */
#define _GNU_SOURCE
#include "conf_support.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static void setup(void)
{
	conf_begin(TEST_MODULE_DIR);
}

/* The arena is not where the fixtures are. */
static void load(const char *stack, const char *arena_settings)
{
	const char *modules = getenv("CHIC_ALLOC_MODULEDIR");

	conf_write("[allocator]\nlog = none\nmodule = %s\n"
		   "[module counting]\npath = %s/counting.so\nsites = 0\n"
		   "[module arena]\npath = %s/arena.so\n%s",
		   stack, modules, modules, arena_settings);
	ck_assert_msg(chic_alloc_load(conf) == 0, "%s: %s", stack, chic_alloc_message());
}

static int tell_live(const struct chic_alloc_info *info, void *arg)
{
	size_t *live = arg;

	if (info->is_default) {
		live[0] = info->live_blocks;
		live[1] = info->live_bytes;
	}
	return 0;
}

static void expect_live(size_t blocks, size_t bytes)
{
	size_t live[2] = {0, 0};

	ck_assert_int_eq(chic_alloc_each(tell_live, live), 0);
	ck_assert_uint_eq(live[0], blocks);
	ck_assert_uint_eq(live[1], bytes);
}

static void reset_drops(size_t want)
{
	size_t dropped = SIZE_MAX;

	ck_assert_msg(chic_alloc_reset(&dropped) == 0, "%s", chic_alloc_message());
	ck_assert_uint_eq(dropped, want);
	expect_live(0, 0);
}

/* Nothing was dropped: a block of 100 bytes is still what it was. */
static void reset_is_refused(int err, const char *message)
{
	ValueMutPtr block = chic_rt_alloc(100, 8);
	size_t dropped = 12345;

	memset(block.ptr, 9, 100);
	ck_assert_int_eq(chic_alloc_reset(&dropped), err);
	ck_assert_uint_eq(dropped, 12345);
	ck_assert_msg(strstr(chic_alloc_message(), message), "%s", chic_alloc_message());
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(block.ptr[i], 9);
	chic_rt_free(block);
}

static ValueMutPtr allocate(size_t size)
{
	ValueMutPtr block = chic_rt_alloc(size, 16);

	ck_assert_ptr_nonnull(block.ptr);
	memset(block.ptr, 1, size);
	return block;
}

START_TEST(all_is_dropped_and_counted_as_freed)
{
	AllocationTelemetry t;
	ValueMutPtr block;

	load("arena", "");
	chic_rt_reset_alloc_stats();
	chic_rt_free(allocate(100));
	allocate(1000);
	allocate(1000000);
	ck_assert_ptr_nonnull(chic_rt_alloc_zeroed(50, 4096).ptr);
	block = chic_rt_realloc((ValueMutPtr){NULL, 0, 8}, 0, 7, 8);
	ck_assert_ptr_nonnull(chic_rt_realloc(block, 7, 77, 8).ptr);
	expect_live(4, 1001127);
	reset_drops(4);
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.alloc_calls, 3);
	ck_assert_uint_eq(t.free_calls, 5);
	ck_assert_uint_eq(t.freed_bytes,
			  t.alloc_bytes + t.alloc_zeroed_bytes + t.realloc_bytes);
	reset_drops(0);
	ck_assert_int_eq(chic_alloc_reset(NULL), 0);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(memory_is_used_again)
{
	void *first;

	load("arena", "");
	first = allocate(100).ptr;
	for (int round = 0; round < 1000; round++) {
		for (int i = 0; i < 100; i++)
			allocate(1000);
		reset_drops(101);
		ck_assert_ptr_eq(allocate(100).ptr, first);
	}
	reset_drops(1);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

static void *allocate_ten(void *arg)
{
	for (int i = 0; i < 10; i++)
		allocate(100);
	return arg;
}

START_TEST(blocks_of_other_threads_are_dropped)
{
	load("arena", "");
	for (int i = 0; i < 5; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, allocate_ten, NULL), 0);
		pthread_join(thread, NULL);
	}
	allocate_ten(NULL);
	reset_drops(60);
}
END_TEST

START_TEST(a_heap_of_another_kind)
{
	load("good_heap", "");
	allocate_ten(NULL);
	reset_drops(10);
	allocate_ten(NULL);
	reset_drops(10);
}
END_TEST

static size_t filter_live(void)
{
	void *module = dlopen(TEST_MODULE_DIR "/reset_filter.so", RTLD_NOW | RTLD_NOLOAD);
	atomic_size_t *live = module ? dlsym(module, "reset_filter_live") : NULL;

	ck_assert_ptr_nonnull(live);
	return *live;
}

START_TEST(filters_forget)
{
	load("reset_filter, filter_empty, arena", "");
	allocate_ten(NULL);
	ck_assert_uint_eq(filter_live(), 10);
	reset_drops(10);
	ck_assert_uint_eq(filter_live(), 0);
	chic_rt_free(allocate(10));
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(counting_forgets)
{
	load("reset_filter, counting, arena", "");
	allocate_ten(NULL);
	ck_assert_uint_eq(filter_live(), 10);
	reset_drops(10);
	ck_assert_uint_eq(filter_live(), 0);
	allocate_ten(NULL);
	reset_drops(10);
	chic_rt_free(allocate(10));
	ck_assert_int_eq(chic_alloc_unload(), 0);
	/* below the arena it had none of the blocks */
	load("arena, counting", "");
	allocate_ten(NULL);
	reset_drops(10);
	ck_assert_int_eq(chic_alloc_unload(), 0);
}
END_TEST

START_TEST(a_filter_that_cannot_forget_is_named)
{
	load("good_filter, arena", "");
	reset_is_refused(-ENOTSUP, "good_filter.so exports no reset, expected one");
}
END_TEST

START_TEST(a_heap_without_reset_is_named)
{
	load("filter_empty, plain_malloc_family", "");
	reset_is_refused(-ENOTSUP, "plain_malloc_family.so exports no reset, expected one");
	ck_assert_int_eq(chic_alloc_unload(), 0);
	load("reset_filter, good_mixed, good_heap", "");
	reset_is_refused(-ENOTSUP, "good_mixed.so exports no reset, expected one");
}
END_TEST

START_TEST(the_platform_heap_has_no_reset)
{
	reset_is_refused(-ENOTSUP, "found the platform heap");
	load("filter_empty", "");
	reset_is_refused(-ENOTSUP, "found the platform heap");
}
END_TEST

START_TEST(blocks_beyond_the_cap)
{
	ValueMutPtr block;

	load("arena", "cap = 1M\nchunk = 4K");
	block = allocate(2000000);
	reset_is_refused(-EBUSY, "arena: live blocks are those of the layer below");
	chic_rt_free(block);
	allocate(100);
	reset_drops(1);
	ck_assert_int_eq(chic_alloc_unload(), 0);
	load("arena", "cap = 1M\nchunk = 4K\noverflow = fail");
	ck_assert_ptr_null(chic_rt_alloc(2000000, 8).ptr);
	allocate(100);
	reset_drops(1);
}
END_TEST

START_TEST(a_table_that_was_given_out)
{
	ChicAllocatorVTable table;

	load("arena", "");
	ck_assert_int_eq(chic_alloc_table(conf, &table), 0);
	reset_is_refused(-EBUSY, "a table of it was given out");
}
END_TEST

static int reset_inside(const struct chic_alloc_info *info, void *arg)
{
	(void)info;
	*(int *)arg = chic_alloc_reset(NULL);
	return 0;
}

START_TEST(not_from_inside)
{
	int err = 0;

	load("arena", "");
	ck_assert_int_eq(chic_alloc_each(reset_inside, &err), 0);
	ck_assert_int_eq(err, -EDEADLK);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("reset");
	TCase *tc = tcase_create("reset");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, conf_end);
	tcase_add_test(tc, all_is_dropped_and_counted_as_freed);
	tcase_add_test(tc, memory_is_used_again);
	tcase_add_test(tc, blocks_of_other_threads_are_dropped);
	tcase_add_test(tc, a_heap_of_another_kind);
	tcase_add_test(tc, filters_forget);
	tcase_add_test(tc, counting_forgets);
	tcase_add_test(tc, a_filter_that_cannot_forget_is_named);
	tcase_add_test(tc, a_heap_without_reset_is_named);
	tcase_add_test(tc, the_platform_heap_has_no_reset);
	tcase_add_test(tc, blocks_beyond_the_cap);
	tcase_add_test(tc, a_table_that_was_given_out);
	tcase_add_test(tc, not_from_inside);
	suite_add_tcase(suite, tc);
	return suite;
}

CHECK_MAIN(make_suite)
