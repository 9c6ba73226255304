// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of arena's chunks and runs, and of the range that they are cut from, also where
 * the system gives less than was asked for.
 */
#define _GNU_SOURCE
#include "arena_support.h"

/* ---- chunks that are empty again ---- */

/* No block of the second time lies where there was none the first time. */
static void check_reused(size_t size, void *(*free_first)(void *))
{
	char *low, *high;

	allocate_many(size);
	low = high = many[0];
	for (size_t i = 0; i < MANY; i++) {
		low = (char *)many[i] < low ? many[i] : low;
		high = (char *)many[i] > high ? many[i] : high;
	}
	free_first(NULL);
	allocate_many(size);
	for (size_t i = 0; i < MANY; i++)
		MUST((char *)many[i] >= low && (char *)many[i] <= high + 64 * K);
	free_many(NULL);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}

START_TEST(empty_chunks_are_used_again)
{
	check_reused(100, free_many);
}
END_TEST

static void *free_many_elsewhere(void *arg)
{
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, free_many, arg), 0);
	pthread_join(thread, NULL);
	return arg;
}

START_TEST(chunks_that_others_emptied_are_used_again)
{
	check_reused(100, free_many_elsewhere);
}
END_TEST

START_TEST(a_chunk_that_others_emptied_begins_anew)
{
	size_t n = 0;

	for (many[n++] = own(10 * K); n < 6; n++)
		many[n] = own(10 * K);
	for (size_t i = 0; i < n; i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, free_one, many[i]), 0);
		pthread_join(thread, NULL);
	}
	ck_assert_ptr_eq(own(10 * K), many[0]);
	ck_assert_uint_eq(arena_reset(subject.ctx), 1);
}
END_TEST

START_TEST(a_chunk_without_a_block_begins_anew)
{
	void *a = own(100), *b = own(100), *c = own(100);

	arena_mfree(subject.ctx, a);
	arena_mfree(subject.ctx, c);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(own(300), a);
}
END_TEST

START_TEST(zeroed_in_a_chunk_that_is_used_again)
{
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			many[i] = arena_calloc(subject.ctx, 1, 100);
			MUST(all_are(many[i], 0, 100));
			memset(many[i], 0xff, 100);
		}
		free_many(NULL);
	}
}
END_TEST

/* ---- runs ---- */

START_TEST(freed_runs_are_used_again_and_merged)
{
	char *a = own(300 * K), *b = own(300 * K), *c = own(300 * K);
	char *d;

	own(300 * K);
	arena_mfree(subject.ctx, a);
	arena_mfree(subject.ctx, c);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(own(900 * K), a);
	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(200 * K), a);
	d = own(600 * K);
	ck_assert(d > a && d < c + 300 * K);
}
END_TEST

START_TEST(the_last_run_goes_back_to_the_range)
{
	char *a = own(300 * K);

	arena_mfree(subject.ctx, a);
	ck_assert_ptr_eq(own(800 * M), a);
}
END_TEST

START_TEST(a_run_grows_into_a_freed_neighbour)
{
	char *a = own(300 * K), *b = own(900 * K);

	own(300 * K);
	memset(a, 7, 300 * K);
	arena_mfree(subject.ctx, b);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 600 * K), a);
	ck_assert(all_are((unsigned char *)a, 7, 300 * K));
	ck_assert_ptr_eq(own(500 * K), a + 640 * K);
	ck_assert_ptr_ne(arena_remalloc(subject.ctx, a, 700 * K), a);
}
END_TEST

START_TEST(a_run_that_shrinks_gives_the_rest_back)
{
	char *a = own(900 * K);

	own(300 * K);
	ck_assert_ptr_eq(arena_remalloc(subject.ctx, a, 100 * K), a);
	ck_assert_uint_eq(arena_usable_size(subject.ctx, a), 100 * K);
	ck_assert_ptr_eq(own(500 * K), a + 128 * K);
}
END_TEST

struct run {
	size_t *p, size;
};

static void run_fill(struct run *run, size_t size)
{
	run->size = size / sizeof(size_t);
	run->p[0] = run->p[run->size - 1] = run->size;
}

static void run_check(const struct run *run)
{
	MUST(run->p[0] == run->size && run->p[run->size - 1] == run->size);
}

START_TEST(runs_come_and_go)
{
	struct run runs[50] = {{NULL, 0}};
	unsigned seed = 5;

	for (int i = 0; i < 20000; i++) {
		struct run *run = &runs[rand_r(&seed) % 50];
		size_t size = 20 * K + (size_t)rand_r(&seed) % (600 * K);

		if (run->p)
			run_check(run);
		if (run->p && i % 3) {
			arena_mfree(subject.ctx, run->p);
			run->p = NULL;
			continue;
		}
		if (run->p) {
			run->p = arena_remalloc(subject.ctx, run->p, size);
			MUST(run->p[0] == run->size);
		} else {
			run->p = own(size);
		}
		run_fill(run, size);
	}
	for (size_t i = 0; i < 50; i++)
		if (runs[i].p)
			arena_mfree(subject.ctx, runs[i].p);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
	ck_assert_int_eq(lower_live, 0);
}
END_TEST

/* ---- alignment ---- */

START_TEST(alignment_beyond_the_chunk)
{
	static const size_t aligns[] = {4 * K, 64 * K, 2 * M, 64 * M};
	char *before = own(100);

	for (size_t i = 0; i < ARRAY_LENGTH(aligns); i++) {
		char *small = arena_memalign(subject.ctx, aligns[i], 24);
		char *large = arena_memalign(subject.ctx, aligns[i], 3 * M);

		ck_assert(arena_owns(subject.ctx, small) && arena_owns(subject.ctx, large));
		ck_assert(is_aligned(small, aligns[i]) && is_aligned(large, aligns[i]));
		ck_assert(small + 24 <= large || large + 3 * M <= small);
		memset(small, 1, 24);
		memset(large, 2, 3 * M);
		ck_assert_uint_eq(arena_mfree(subject.ctx, small), 24);
		ck_assert_uint_eq(arena_mfree(subject.ctx, large), 3 * M);
	}
	arena_mfree(subject.ctx, before);
	ck_assert_uint_eq(arena_reset(subject.ctx), 0);
}
END_TEST

/* What an aligned run leaves out before it and behind is free. */
START_TEST(nothing_is_lost_to_alignment)
{
	for (int i = 0; i < 1000; i++) {
		own(64 * K);
		MUST(arena_owns(subject.ctx, arena_memalign(subject.ctx, 2 * M, 64 * K)));
		if (i % 10 == 9)
			arena_reset(subject.ctx);
	}
	for (int i = 0; i < 400; i++)
		MUST(arena_owns(subject.ctx, arena_memalign(subject.ctx, 2 * M, 64 * K)));
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

static void data_is_limited(void *arg)
{
	struct rlimit limit = {.rlim_cur = 64 * M, .rlim_max = 64 * M};
	size_t n = 0;

	if (start(64 * K, 1024 * M, arg) != 0)
		_exit(1);
	setrlimit(RLIMIT_DATA, &limit);
	/* valgrind does not hold a program to it */
	if (mmap(NULL, 128 * M, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		_exit(0);
	while (arena_malloc(subject.ctx, 1 * M) && lower_live == 0)
		n++;
	/* most of the limit was had, and small blocks need no more than a chunk */
	_exit(n > 40 && n < 64 ? 0 : 2);
}

START_TEST(a_limit_on_data_is_like_the_cap)
{
	struct child child;

	run_child(&child, data_is_limited, (void *)"lower");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
	run_child(&child, data_is_limited, (void *)"fail");
	ck_assert_int_eq(WEXITSTATUS(child.status), 0);
}
END_TEST

/* ---- system calls on the range, each failing in turn ---- */

static unsigned range_fault;
static bool range_fault_hit;

int __real_mprotect(void *p, size_t size, int prot);
int __real_madvise(void *p, size_t size, int advice);
int __wrap_mprotect(void *p, size_t size, int prot);
int __wrap_madvise(void *p, size_t size, int advice);

static bool range_fails(void)
{
	if (range_fault == 0 || --range_fault != 0)
		return false;
	range_fault_hit = true;
	errno = ENOMEM;
	return true;
}

int __wrap_mprotect(void *p, size_t size, int prot)
{
	return range_fails() ? -1 : __real_mprotect(p, size, prot);
}

int __wrap_madvise(void *p, size_t size, int advice)
{
	return range_fails() ? -1 : __real_madvise(p, size, advice);
}

/* Blocks of all kinds, and memory that is zero where it has to be. */
static void some_of_everything(void)
{
	for (int round = 0; round < 3; round++) {
		void *small = arena_calloc(subject.ctx, 1, 1000);
		void *large = arena_calloc(subject.ctx, 1, 20 * M);
		void *other = arena_memalign(subject.ctx, 2 * M, 3 * M);

		ck_assert(all_are(small, 0, 1000) && all_are(large, 0, 20 * M));
		memset(small, 1, 1000);
		memset(large, 1, 20 * M);
		large = arena_remalloc(subject.ctx, large, 30 * M);
		ck_assert(all_are(large, 1, 20 * M));
		memset(other, 1, 3 * M);
		arena_mfree(subject.ctx, large);
		arena_mfree(subject.ctx, other);
		arena_mfree(subject.ctx, small);
		ck_assert_int_eq(lower_live, 0);
	}
}

START_TEST(every_call_on_the_range_may_fail)
{
	unsigned n;

	for (n = 1;; n++) {
		params[3].number = 1;
		ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
		params[3].number = 0;
		range_fault = n;
		range_fault_hit = false;
		errno = EDOM;
		some_of_everything();
		range_fault = 0;
		ck_assert_int_eq(errno, EDOM);
		ck_assert_uint_eq(arena_reset(subject.ctx), 0);
		some_of_everything();
		stop();
		if (!range_fault_hit)
			break;
	}
	ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(huge_pages_that_the_system_has_not)
{
	params[3].number = range_fault = 1;
	ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
	params[3].number = 0;
	some_of_everything();
	stop();
}
END_TEST

START_TEST(huge_pages)
{
	params[3].number = 1;
	ck_assert_int_eq(start(64 * K, 1024 * M, "lower"), 0);
	params[3].number = 0;
	own(20 * K);
	ck_assert(is_aligned((char *)own(10 * M) - 64 * K, 2 * M));
	some_of_everything();
	stop();
}
END_TEST

static TCase *spans_case(void)
{
	TCase *tc = case_with("spans", start_large, stop);

	tcase_add_test(tc, empty_chunks_are_used_again);
	tcase_add_test(tc, chunks_that_others_emptied_are_used_again);
	tcase_add_test(tc, a_chunk_that_others_emptied_begins_anew);
	tcase_add_test(tc, a_chunk_without_a_block_begins_anew);
	tcase_add_test(tc, zeroed_in_a_chunk_that_is_used_again);
	tcase_add_test(tc, freed_runs_are_used_again_and_merged);
	tcase_add_test(tc, the_last_run_goes_back_to_the_range);
	tcase_add_test(tc, a_run_grows_into_a_freed_neighbour);
	tcase_add_test(tc, a_run_that_shrinks_gives_the_rest_back);
	tcase_add_test(tc, runs_come_and_go);
	tcase_add_test(tc, alignment_beyond_the_chunk);
	tcase_add_test(tc, nothing_is_lost_to_alignment);
	tcase_add_test(tc, last_run_grows_in_place);
	tcase_add_test(tc, large_freed_blocks_give_memory_back);
	return tc;
}

static TCase *init_case(void)
{
	TCase *tc = case_with("init", NULL, stop);

	tcase_add_test(tc, cap_below_chunk_is_refused);
	tcase_add_test(tc, fewer_addresses_than_cap_will_do);
	tcase_add_test(tc, without_addresses_lower_serves);
	tcase_add_test(tc, without_addresses_and_lower_init_fails);
	tcase_add_test(tc, every_allocation_may_fail);
	tcase_add_test(tc, every_call_on_the_range_may_fail);
	tcase_add_test(tc, huge_pages);
	tcase_add_test(tc, huge_pages_that_the_system_has_not);
	/* the sanitizers' own maps count as data */
	if (!CHECK_SANITIZED)
		tcase_add_test(tc, a_limit_on_data_is_like_the_cap);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("arena_spans");

	suite_add_tcase(suite, spans_case());
	suite_add_tcase(suite, init_case());
	return suite;
}

CHECK_MAIN(make_suite)
