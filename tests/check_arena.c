// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of what arena answers: blocks, the cap, reset, threads and forks.
 */
#define _GNU_SOURCE
#include "arena_support.h"

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

START_TEST(a_block_in_the_middle_waits_for_its_chunk)
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

START_TEST(a_block_in_the_middle_shrinks_and_grows_back)
{
	void *a = own(100);

	own(1);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 10), a);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, a), 10);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 100), a);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 150), a);
}
END_TEST

START_TEST(last_block_grows_to_the_end_of_its_chunk)
{
	char *a = own(1);

	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 64 * K - 24), a);
	memset(a, 1, 64 * K - 24);
	ck_assert((char *)own(1) >= a + 64 * K - 24);
	ck_assert(all_are((unsigned char *)a, 1, 64 * K - 24));
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 64 * K - 23), a);
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
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	arena_mfree(subject.ctx, p);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}
END_TEST

START_TEST(reset_is_refused_over_blocks_of_lower)
{
	ValueMutPtr block = arena_alloc(subject.ctx, 100 * K, 8);
	char *p = own(100);

	put_pattern((unsigned char *)p, 100);
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	check_pattern((unsigned char *)p, 100);
	ck_assert((char *)own(100) > p);
	block = arena_realloc(subject.ctx, block, 100 * K, 200 * K, 8);
	ck_assert_uint_eq(arena_reset(subject.ctx), SIZE_MAX);
	arena_free(subject.ctx, block);
	ck_assert_uint_eq(arena_reset(subject.ctx), 2);
}
END_TEST

/* Of what was freed, nothing stays away for ever. */
START_TEST(churning_does_not_reach_the_cap)
{
	for (int i = 0; i < 20000; i++) {
		void *a = arena_malloc(subject.ctx, 300);
		void *b = arena_malloc(subject.ctx, 5 * K);

		if (i >= 50)
			arena_mfree(subject.ctx, many[i % 50]);
		many[i % 50] = a;
		arena_mfree(subject.ctx, b);
		MUST(lower_live == 0);
	}
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

/* Pages of n bytes at p that are in memory. */
static size_t resident(char *p, size_t n)
{
	static unsigned char pages[64 * M / (4 * K)];
	size_t in = 0;

	MUST(n / (4 * K) <= sizeof(pages));
	ck_assert_int_eq(mincore((char *)((uintptr_t)p & ~(4 * K - 1)), n, pages), 0);
	for (size_t i = 0; i < n / (4 * K); i++)
		in += pages[i] & 1;
	return in;
}

START_TEST(reset_keeps_what_was_used_since_the_last)
{
	char *p = own(32 * M);

	memset(p, 1, 32 * M);
	arena_reset(subject.ctx);
	ck_assert_uint_eq(resident(p, 32 * M), 32 * M / (4 * K));
	ck_assert_ptr_eq(own(100 * K), p);
	arena_reset(subject.ctx);
	ck_assert_uint_lt(resident(p, 32 * M), 100);
	ck_assert(all_are((unsigned char *)arena_calloc(subject.ctx, 1, 32 * M), 0, 32 * M));
}
END_TEST

START_TEST(zeroed_after_reset)
{
	for (int round = 0; round < 3; round++) {
		unsigned char *run = arena_calloc(subject.ctx, 1, 200 * K);

		for (int i = 0; i < 2000; i++) {
			unsigned char *p = arena_calloc(subject.ctx, 1, 100);

			MUST(all_are(p, 0, 100));
			memset(p, 0xff, 100);
			memset(own(100), 0xff, 100);
		}
		ck_assert(all_are(run, 0, 200 * K));
		memset(run, 0xff, 200 * K);
		ck_assert_uint_eq(arena_reset(subject.ctx), 4001);
	}
}
END_TEST

#define EACH 3000

static pthread_barrier_t allocated, was_reset;

static void *allocate_twice(void *arg)
{
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < EACH; i++)
			memset(arena_malloc(subject.ctx, 100), 1, 100);
		pthread_barrier_wait(&allocated);
		pthread_barrier_wait(&was_reset);
	}
	return arg;
}

START_TEST(reset_takes_the_chunks_of_all_threads)
{
	pthread_t threads[COMMON_THREADS];

	pthread_barrier_init(&allocated, NULL, COMMON_THREADS + 1);
	pthread_barrier_init(&was_reset, NULL, COMMON_THREADS + 1);
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_create(&threads[i], NULL, allocate_twice, NULL);
	for (int round = 0; round < 2; round++) {
		pthread_barrier_wait(&allocated);
		ck_assert_uint_eq(arena_reset(subject.ctx), COMMON_THREADS * EACH);
		pthread_barrier_wait(&was_reset);
	}
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
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

/* ---------------------------------------------------------------- fork -- */

static void *left_behind;

static void *stay(void *arg)
{
	left_behind = arena_malloc(subject.ctx, 100);
	memset(left_behind, 1, 100);
	pthread_barrier_wait(&allocated);
	pthread_barrier_wait(&was_reset);
	return arg;
}

/* The chunk of a thread that is not there any more must not be taken for empty. */
static void child_goes_on(void)
{
	void *p = arena_malloc(subject.ctx, 100);

	alarm(60);
	memset(p, 2, 100);
	arena_mfree(subject.ctx, left_behind);
	allocate_many(100);
	for (size_t i = 0; i < MANY; i++)
		memset(many[i], 3, 100);
	_exit(all_are(p, 2, 100) ? 0 : 1);
}

START_TEST(a_forked_child_frees_what_others_left)
{
	pthread_t thread;
	int status;
	pid_t pid;

	pthread_barrier_init(&allocated, NULL, 2);
	pthread_barrier_init(&was_reset, NULL, 2);
	pthread_create(&thread, NULL, stay, NULL);
	pthread_barrier_wait(&allocated);
	arena_prefork(subject.ctx);
	pid = fork();
	if (pid == 0) {
		arena_postfork_child(subject.ctx);
		child_goes_on();
	}
	arena_postfork_parent(subject.ctx);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	pthread_barrier_wait(&was_reset);
	pthread_join(thread, NULL);
}
END_TEST

static TCase *large_case(void)
{
	TCase *tc = case_with("blocks", start_large, stop);

	tcase_add_test(tc, usable_size_is_what_was_asked);
	tcase_add_test(tc, owns_only_its_range);
	tcase_add_test(tc, last_blocks_of_the_chunk_are_given_back);
	tcase_add_test(tc, a_block_in_the_middle_waits_for_its_chunk);
	tcase_add_test(tc, last_block_grows_and_shrinks_in_place);
	tcase_add_test(tc, a_block_in_the_middle_shrinks_and_grows_back);
	tcase_add_test(tc, last_block_grows_to_the_end_of_its_chunk);
	tcase_add_test(tc, memory_is_zero_after_reset);
	tcase_add_test(tc, reset_does_not_count_the_freed);
	tcase_add_test(tc, reset_keeps_what_was_used_since_the_last);
	tcase_add_test(tc, zeroed_after_reset);
	tcase_add_test(tc, reset_takes_the_chunks_of_all_threads);
	if (!CHECK_SANITIZED)
		tcase_add_test(tc, a_forked_child_frees_what_others_left);
	return tc;
}

static TCase *cap_case(void)
{
	TCase *tc = case_with("cap", start_small, stop);

	tcase_add_test(tc, lower_serves_what_the_cap_leaves_out);
	tcase_add_test(tc, a_block_can_grow_out_of_the_arena);
	tcase_add_test(tc, chunks_outlive_their_threads);
	tcase_add_test(tc, reset_is_refused_over_blocks_of_lower);
	tcase_add_test(tc, churning_does_not_reach_the_cap);
	return tc;
}

static TCase *cap_fails_case(void)
{
	TCase *tc = case_with("cap, overflow = fail", start_small_fails, stop);

	tcase_add_test(tc, past_the_cap_fails_if_told_so);
	tcase_add_test(tc, failed_realloc_leaves_the_block);
	tcase_add_test(tc, reset_gives_everything_back_and_counts_the_live);
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
	return suite;
}

CHECK_MAIN(make_suite)
