// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/arena*.c, driven over the C library's heap.
 */
#define _GNU_SOURCE
#include "fault.h"
#include "module_common.h"

#define K 1024ul
#define M (K * K)

static struct chic_module_param params[] = {
	{.name = "chunk"},
	{.name = "cap"},
	{.name = "overflow"},
};
static struct chic_module_args args;

static int start(size_t chunk, size_t cap, const char *overflow)
{
	int err;

	params[0].number = chunk;
	params[1].number = cap;
	params[2].text = overflow;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){
		SUBJECT(arena),
		.usable_size = arena_usable_size,
		.prefork = arena_prefork,
		.postfork_parent = arena_postfork_parent,
		.postfork_child = arena_postfork_child,
	};
	err = arena_init(&args, &libc_layer, &subject.ctx);
	on_thread_exit = arena_thread_exit;
	on_thread_exit_ctx = subject.ctx;
	return err;
}

static void stop(void)
{
	on_thread_exit = NULL;
	arena_exit(subject.ctx);
}

static void start_large(void)
{
	ck_assert_int_eq(start(64 * K, 1024 * M, "fail"), 0);
}

static void start_small(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "lower"), 0);
}

static void start_small_fails(void)
{
	ck_assert_int_eq(start(4 * K, 64 * K, "fail"), 0);
}

static void *own(size_t size)
{
	void *p = arena_malloc(subject.ctx, size);

	ck_assert(arena_owns(subject.ctx, p));
	return p;
}

/* ---------------------------------------------------------------- blocks -- */

START_TEST(usable_size_is_what_was_asked)
{
	void *p = own(13);

	ck_assert_uint_eq(arena_usable_size(subject.ctx, p), 13);
	p = arena_remalloc(subject.ctx, p, 77777);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, p), 77777);
	ck_assert_uint_eq(arena_mfree(subject.ctx, p), 77777);
}
END_TEST

START_TEST(owns_only_its_range)
{
	int local = 0;
	void *p = malloc(10);

	ck_assert(!arena_owns(subject.ctx, &local));
	ck_assert(!arena_owns(subject.ctx, p));
	ck_assert(!arena_owns(subject.ctx, NULL));
	ck_assert(!arena_owns(subject.ctx, (void *)UINTPTR_MAX));
	free(p);
}
END_TEST

START_TEST(last_blocks_of_the_chunk_are_given_back)
{
	void *a = own(100);
	void *b = own(200);

	arena_mfree(subject.ctx, b);
	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(300), a);
}
END_TEST

START_TEST(a_block_in_the_middle_is_not_used_again)
{
	void *a = own(100);
	char *b = own(100);

	memset(b, 5, 100);
	arena_mfree(subject.ctx, a);
	ck_assert((char *)own(100) > b);
	ck_assert(all_are(b, 5, 100));
}
END_TEST

START_TEST(last_block_grows_and_shrinks_in_place)
{
	void *a = own(100);
	void *b;

	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10000), a);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 50), a);
	b = own(10);
	ck_assert((char *)b < (char *)a + 200);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 10000), a);
}
END_TEST

START_TEST(last_run_grows_in_place)
{
	char *a = own(100 * K);

	memset(a, 5, 100 * K);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10 * M), a);
	ck_assert(all_are(a, 5, 100 * K));
	ck_assert(all_are(a + 104 * K, 0, 9 * M));
	own(100 * K);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 20 * M), a);
}
END_TEST

START_TEST(large_freed_blocks_give_memory_back)
{
	char *p = own(10 * M);

	memset(p, 5, 10 * M);
	arena_mfree(subject.ctx, p);
	ck_assert(all_are(p + 4 * K, 0, 9 * M));
}
END_TEST

/* ----------------------------------------------------------------- cap -- */

static size_t fill_up(size_t size)
{
	size_t n = 0;

	while (arena_alloc(subject.ctx, size, 8).ptr)
		n++;
	return n;
}

START_TEST(lower_serves_what_the_cap_leaves_out)
{
	ValueMutPtr a = arena_alloc(subject.ctx, 100 * K, 8);
	void *p = arena_malloc(subject.ctx, 100 * K);

	ck_assert_int_eq(lower_live, 2);
	ck_assert(!arena_owns(subject.ctx, p));
	ck_assert_uint_ge(arena_usable_size(subject.ctx, p), 100 * K);
	a = arena_realloc(subject.ctx, a, 100 * K, 10, 8);
	p = arena_remalloc(subject.ctx, p, 10);
	arena_free(subject.ctx, a);
	ck_assert_uint_ge(arena_mfree(subject.ctx, p), 10);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(a_block_can_grow_out_of_the_arena)
{
	void *p = own(1000);

	put_pattern(p, 1000);
	p = arena_remalloc(subject.ctx, p, 100 * K);
	ck_assert_int_eq(lower_live, 1);
	check_pattern(p, 1000);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
	arena_mfree(subject.ctx, p);
}
END_TEST

START_TEST(past_the_cap_fails_if_told_so)
{
	ValueMutPtr block = arena_alloc(subject.ctx, 100, 8);

	put_pattern(block.ptr, 100);
	ck_assert_uint_ge(fill_up(900), 55);
	block = arena_realloc(subject.ctx, block, 100, 3000, 8);
	ck_assert_ptr_null(block.ptr);
	ck_assert_uint_eq(block.size, 3000);
	ck_assert_uint_eq(block.align, 8);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

START_TEST(failed_realloc_leaves_the_block)
{
	char *p = own(100);

	put_pattern((unsigned char *)p, 100);
	fill_up(900);
	ck_assert_ptr_null(arena_remalloc(subject.ctx, p, 3000));
	check_pattern((unsigned char *)p, 100);
	ck_assert_uint_eq(arena_mfree(subject.ctx, p), 100);
}
END_TEST

/* --------------------------------------------------------------- reset -- */

START_TEST(reset_gives_everything_back_and_counts_the_live)
{
	size_t n = fill_up(900);

	ck_assert_uint_eq(arena_reset(subject.ctx), n);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
	ck_assert_uint_eq(fill_up(900), n);
	ck_assert_uint_eq(arena_reset(subject.ctx), n);
}
END_TEST

START_TEST(reset_does_not_count_the_freed)
{
	void *a = own(100);

	own(100);
	own(20 * K);
	arena_mfree(subject.ctx, a);
	ck_assert_uint_eq(arena_reset(subject.ctx), 2);
}
END_TEST

START_TEST(memory_is_zero_after_reset)
{
	char *a = own(2000);

	memset(a, 0xff, 2000);
	arena_reset(subject.ctx);
	ck_assert_ptr_eq(arena_calloc(subject.ctx, 2, 1000), a);
	ck_assert(all_are(a, 0, 2000));
}
END_TEST

#define EACH 3000

static void *allocate_only(void *arg)
{
	(void)arg;
	for (int i = 0; i < EACH; i++)
		MUST(arena_malloc(subject.ctx, 100));
	return NULL;
}

static void *reset_often(void *arg)
{
	size_t *dropped = arg;

	while (!stop_churning)
		*dropped += arena_reset(subject.ctx);
	return NULL;
}

START_TEST(reset_under_way_counts_every_block_once)
{
	size_t dropped = 0;
	pthread_t resetter;

	stop_churning = false;
	pthread_create(&resetter, NULL, reset_often, &dropped);
	run_threads(allocate_only);
	stop_churning = true;
	pthread_join(resetter, NULL);
	dropped += arena_reset(subject.ctx);
	ck_assert_uint_eq(dropped, COMMON_THREADS * EACH);
}
END_TEST

/* ------------------------------------------------------------- threads -- */

static void *allocate_one(void *arg)
{
	*(void **)arg = arena_malloc(subject.ctx, 100);
	return NULL;
}

START_TEST(chunks_outlive_their_threads)
{
	for (int i = 0; i < 200; i++) {
		pthread_t thread;
		void *p = NULL;

		ck_assert_int_eq(pthread_create(&thread, NULL, allocate_one, &p), 0);
		pthread_join(thread, NULL);
		ck_assert(arena_owns(subject.ctx, p));
	}
}
END_TEST

/* ---------------------------------------------------------- life cycle -- */

START_TEST(cap_below_chunk_is_refused)
{
	ck_assert_int_eq(start(1024 * M, 64 * K, "lower"), -EINVAL);
	ck_assert_str_eq(last_fail,
			 "cap = 65536: expected at least the chunk of 1073741824 bytes");
}
END_TEST

static void start_with_few_addresses(void *arg)
{
	(void)arg;
	limit_addresses(256 * M);
	if (start(64 * K, 1024 * M, "lower") != 0)
		_exit(1);
	if (!strstr(last_warn, "test: cap = 1073741824: only ") || !own(1000))
		_exit(2);
	_exit(0);
}

START_TEST(fewer_addresses_than_cap_will_do)
{
	struct child child;

	run_child(&child, start_with_few_addresses, NULL);
	ck_assert_int_eq(child.status, 0);
}
END_TEST

static void start_without_addresses(void *arg)
{
	void *p;

	limit_addresses(256 * K);
	if (start(512 * K, 1024 * M, arg) != 0)
		_exit(strcmp(last_fail, "overflow = fail: not even one chunk of 524288 "
					"bytes to be had") == 0
			      ? 3
			      : 1);
	p = arena_malloc(subject.ctx, 100);
	if (!strstr(last_warn, "the layer below serves everything") || !p || lower_live != 1)
		_exit(2);
	arena_mfree(subject.ctx, p);
	_exit(lower_live == 0 ? 0 : 4);
}

START_TEST(without_addresses_lower_serves)
{
	struct child child;

	run_child(&child, start_without_addresses, (void *)"lower");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
}
END_TEST

START_TEST(without_addresses_and_lower_init_fails)
{
	struct child child;

	run_child(&child, start_without_addresses, (void *)"fail");
	ck_assert_int_eq(WEXITSTATUS(child.status), 3);
}
END_TEST

/* Lack of memory takes nothing away but, at worst, the arena's own blocks. */
START_TEST(every_allocation_may_fail)
{
	unsigned n, failed = 0;

	for (n = 1;; n++) {
		void *p = NULL;
		int err;

		fault_start(n);
		err = start(64 * K, 1024 * M, "lower");
		if (!err)
			p = arena_malloc(subject.ctx, 100);
		if (!fault_stop())
			break;
		failed += err != 0;
		ck_assert_int_eq(err, err ? -ENOMEM : 0);
		if (!err) {
			arena_mfree(subject.ctx, p);
			ck_assert_int_eq(lower_live, 0);
			stop();
		}
	}
	ck_assert_uint_eq(failed, 1);
	ck_assert_uint_gt(n, 3);
	stop();
}
END_TEST

static TCase *case_with(const char *name, void (*setup)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	if (setup)
		tcase_add_checked_fixture(tc, setup, stop);
	return tc;
}

static TCase *large_case(void)
{
	TCase *tc = case_with("blocks", start_large);

	tcase_add_test(tc, usable_size_is_what_was_asked);
	tcase_add_test(tc, owns_only_its_range);
	tcase_add_test(tc, last_blocks_of_the_chunk_are_given_back);
	tcase_add_test(tc, a_block_in_the_middle_is_not_used_again);
	tcase_add_test(tc, last_block_grows_and_shrinks_in_place);
	tcase_add_test(tc, last_run_grows_in_place);
	tcase_add_test(tc, large_freed_blocks_give_memory_back);
	tcase_add_test(tc, memory_is_zero_after_reset);
	tcase_add_test(tc, reset_does_not_count_the_freed);
	tcase_add_test(tc, reset_under_way_counts_every_block_once);
	return tc;
}

static TCase *cap_case(void)
{
	TCase *tc = case_with("cap", start_small);

	tcase_add_test(tc, lower_serves_what_the_cap_leaves_out);
	tcase_add_test(tc, a_block_can_grow_out_of_the_arena);
	tcase_add_test(tc, chunks_outlive_their_threads);
	return tc;
}

static TCase *cap_fails_case(void)
{
	TCase *tc = case_with("cap, overflow = fail", start_small_fails);

	tcase_add_test(tc, past_the_cap_fails_if_told_so);
	tcase_add_test(tc, failed_realloc_leaves_the_block);
	tcase_add_test(tc, reset_gives_everything_back_and_counts_the_live);
	return tc;
}

static TCase *init_case(void)
{
	TCase *tc = case_with("init", NULL);

	tcase_add_test(tc, cap_below_chunk_is_refused);
	tcase_add_test(tc, fewer_addresses_than_cap_will_do);
	tcase_add_test(tc, without_addresses_lower_serves);
	tcase_add_test(tc, without_addresses_and_lower_init_fails);
	tcase_add_test(tc, every_allocation_may_fail);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("arena");

	suite_add_tcase(suite, common_tests("common, all its own", start_large, stop));
	suite_add_tcase(suite, common_tests("common, mostly lower's", start_small, stop));
	suite_add_tcase(suite, large_case());
	suite_add_tcase(suite, cap_case());
	suite_add_tcase(suite, cap_fails_case());
	suite_add_tcase(suite, init_case());
	return suite;
}

CHECK_MAIN(make_suite)
