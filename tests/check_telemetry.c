// SPDX-License-Identifier: BSD-2-Clause
/*
 * The eight counters: exact to the byte with eight threads, with threads that
 * end and go on allocating in their destructors, with failures, across resets
 * and fork.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "toy.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

enum { THREADS = 8, ROUNDS = 20000 };

static void setup(void)
{
	chic_rt_allocator_reset();
	chic_rt_reset_alloc_stats();
}

static size_t live_bytes(const AllocationTelemetry *t)
{
	return t->alloc_bytes + t->alloc_zeroed_bytes + t->realloc_bytes - t->freed_bytes;
}

static void one_round(size_t size)
{
	ValueMutPtr a = chic_rt_alloc(size, 8);
	ValueMutPtr z = chic_rt_alloc_zeroed(2 * size, 8);

	a = chic_rt_realloc(a, size, 3 * size, 8);
	chic_rt_free(a);
	chic_rt_free(z);
}

static void check_rounds(const AllocationTelemetry *t, size_t rounds, size_t bytes)
{
	ck_assert_uint_eq(t->alloc_calls, rounds);
	ck_assert_uint_eq(t->alloc_zeroed_calls, rounds);
	ck_assert_uint_eq(t->realloc_calls, rounds);
	ck_assert_uint_eq(t->free_calls, 2 * rounds);
	ck_assert_uint_eq(t->alloc_bytes, bytes);
	ck_assert_uint_eq(t->alloc_zeroed_bytes, 2 * bytes);
	ck_assert_uint_eq(t->realloc_bytes, 3 * bytes);
	ck_assert_uint_eq(t->freed_bytes, 6 * bytes);
}

static void *rounds_of_size(void *arg)
{
	size_t size = (size_t)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++)
		one_round(size);
	return NULL;
}

static void run_threads(void *(*fn)(void *))
{
	pthread_t threads[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, fn, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

START_TEST(exact_with_eight_threads)
{
	AllocationTelemetry t;

	run_threads(rounds_of_size);

	t = chic_rt_alloc_stats();
	check_rounds(&t, (size_t)THREADS * ROUNDS,
		     (size_t)ROUNDS * THREADS * (THREADS + 1) / 2);
}
END_TEST

/* ---- threads that end ---- */

static pthread_key_t late_key;

/* Runs again and again after the library's own destructor. */
static void late_destructor(void *arg)
{
	uintptr_t left = (uintptr_t)arg;

	one_round(5);
	if (left > 1)
		pthread_setspecific(late_key, (void *)(left - 1));
}

static void make_late_key(void)
{
	pthread_key_create(&late_key, late_destructor);
}

/* Four rounds in all, three of them in destructors. */
static void *ends_late(void *arg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)arg;
	one_round(5);
	pthread_once(&once, make_late_key);
	pthread_setspecific(late_key, (void *)3);
	return NULL;
}

START_TEST(exact_after_threads_end_and_go_on)
{
	AllocationTelemetry t;

	one_round(5);
	for (int i = 0; i < 50; i++)
		run_threads(ends_late);

	t = chic_rt_alloc_stats();
	check_rounds(&t, 1 + 50 * THREADS * 4, 5 * (1 + 50 * THREADS * 4));
}
END_TEST

START_TEST(threads_structs_are_used_again)
{
	struct counters before, after;
	unsigned many = 0;

	for (int i = 0; i < (getenv("CHECK_VALGRIND") ? 10 : 500); i++)
		run_threads(ends_late);
	thread_sum(OWNER_PLATFORM, &before);
	one_round(1);
	thread_sum(OWNER_PLATFORM, &after);
	for (struct thread *t = thread_attach(); t; t = t->next)
		many++;

	ck_assert_uint_eq(after.t.alloc_calls, before.t.alloc_calls + 1);
	ck_assert_uint_le(many, THREADS + 1);
}
END_TEST

/* ---- reset while others work ---- */

static bool stop;

static void *rounds_until_stopped(void *arg)
{
	size_t *rounds = arg;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		one_round(16);
		++*rounds;
	}
	return NULL;
}

START_TEST(reset_loses_nothing)
{
	AllocationTelemetry seen = {0}, t;
	size_t rounds[2] = {0};
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, rounds_until_stopped, &rounds[i]);
	while (seen.alloc_calls < 100000) {
		t = chic_rt_alloc_stats();
		if (t.alloc_calls < 1000)
			continue;
		/* what was counted between the two calls shows after the reset or
		 * is in a second reading here: the sums below must agree */
		chic_rt_reset_alloc_stats();
		seen.alloc_calls += t.alloc_calls;
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	t = chic_rt_alloc_stats();
	ck_assert_uint_le(seen.alloc_calls + t.alloc_calls, rounds[0] + rounds[1]);
	chic_rt_reset_alloc_stats();
	t = chic_rt_alloc_stats();
	ck_assert_uint_eq(t.alloc_calls + t.free_calls + t.freed_bytes, 0);
	struct counters all;
	thread_sum(OWNER_PLATFORM, &all);
	ck_assert_uint_eq(all.t.alloc_calls, rounds[0] + rounds[1]);
	ck_assert_uint_eq(all.t.freed_bytes, 6 * 16 * (rounds[0] + rounds[1]));
}
END_TEST

START_TEST(reset_is_all_zeros_and_leaves_the_table)
{
	static struct toy toy;
	AllocationTelemetry t;

	toy_init(&toy);
	chic_rt_allocator_install((ChicAllocatorVTable){&toy, toy_alloc, toy_alloc_zeroed,
							toy_realloc, toy_free});
	one_round(8);
	chic_rt_reset_alloc_stats();
	chic_rt_alloc_stats_fill(&t);
	check_rounds(&t, 0, 0);
	one_round(8);
	chic_rt_alloc_stats_fill(&t);
	chic_rt_alloc_stats_fill(NULL);

	check_rounds(&t, 1, 8);
	ck_assert_uint_eq(toy.calls[OP_ALLOC], 2);
}
END_TEST

START_TEST(failures_are_not_counted)
{
	static struct toy toy;
	AllocationTelemetry t;
	ValueMutPtr kept;

	toy_init(&toy);
	chic_rt_allocator_install((ChicAllocatorVTable){&toy, toy_alloc, toy_alloc_zeroed,
							toy_realloc, toy_free});
	kept = chic_rt_alloc(100, 4);
	for (int i = 0; i < 100; i++) {
		toy.fails = true;
		ck_assert_ptr_null(chic_rt_alloc(10, 1).ptr);
		ck_assert_ptr_null(chic_rt_alloc_zeroed(10, 1).ptr);
		ck_assert_ptr_null(chic_rt_realloc(kept, 100, 10, 1).ptr);
		toy.fails = false;
		chic_rt_free(chic_rt_alloc(10, 1));
	}
	t = chic_rt_alloc_stats();

	ck_assert_uint_eq(t.alloc_calls, 101);
	ck_assert_uint_eq(t.alloc_zeroed_calls + t.realloc_calls, 0);
	ck_assert_uint_eq(live_bytes(&t), 100);
	chic_rt_free(kept);
}
END_TEST

START_TEST(live_blocks_of_an_owner)
{
	size_t blocks, bytes, blocks0, bytes0;
	ValueMutPtr a, r;

	telemetry_live(OWNER_PLATFORM, &blocks0, &bytes0);
	a = chic_rt_alloc(10, 1);
	r = chic_rt_realloc((ValueMutPtr){0}, 0, 20, 1);
	r = chic_rt_realloc(r, 20, 30, 1);
	telemetry_live(OWNER_PLATFORM, &blocks, &bytes);
	ck_assert_uint_eq(blocks - blocks0, 2);
	ck_assert_uint_eq(bytes - bytes0, 40);
	chic_rt_realloc(r, 30, 0, 1);
	chic_rt_free(a);
	telemetry_live(OWNER_PLATFORM, &blocks, &bytes);
	ck_assert_uint_eq(blocks - blocks0, 0);
	ck_assert_uint_eq(bytes - bytes0, 0);
}
END_TEST

/* ---- fork ---- */

START_TEST(fork_while_threads_allocate)
{
	size_t rounds[2] = {0};
	int status, forks = getenv("CHECK_VALGRIND") ? 5 : 100;
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, rounds_until_stopped, &rounds[i]);
	for (int i = 0; i < forks; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			AllocationTelemetry a = chic_rt_alloc_stats(), b;

			one_round(4);
			run_threads(ends_late);
			b = chic_rt_alloc_stats();
			_exit(b.alloc_calls - a.alloc_calls == 1 + 4 * THREADS ? 0 : 1);
		}
		ck_assert_int_gt(pid, 0);
		waitpid(pid, &status, 0);
		ck_assert_int_eq(status, 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("telemetry");
	TCase *t = tcase_create("counters");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_test(t, exact_with_eight_threads);
	tcase_add_test(t, exact_after_threads_end_and_go_on);
	tcase_add_test(t, threads_structs_are_used_again);
	tcase_add_test(t, reset_loses_nothing);
	tcase_add_test(t, reset_is_all_zeros_and_leaves_the_table);
	tcase_add_test(t, failures_are_not_counted);
	tcase_add_test(t, live_blocks_of_an_owner);
	if (!CHECK_SANITIZED)
		tcase_add_test(t, fork_while_threads_allocate);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
