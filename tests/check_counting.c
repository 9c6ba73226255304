// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of what counting counts: blocks, bytes, the peak, sizes and threads.
 */
#define _GNU_SOURCE
#include <semaphore.h>

#include "counting_support.h"

static void expect_live(size_t blocks, size_t bytes)
{
	struct counts now = counts();

	ck_assert_uint_eq(now.live_blocks, blocks);
	ck_assert_uint_eq(now.live_bytes, bytes);
}

START_TEST(nothing_is_zero)
{
	struct counts now = counts();

	ck_assert_uint_eq(now.live_blocks | now.live_bytes | now.peak_bytes, 0);
	ck_assert_uint_eq(now.total_blocks | now.total_bytes, 0);
}
END_TEST

START_TEST(hooks_count_what_was_asked)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 100, 8);
	ValueMutPtr b = counting_alloc_zeroed(subject.ctx, 23, 8);
	struct counts now;

	expect_live(2, 123);
	a = counting_realloc(subject.ctx, a, 100, 1000, 8);
	expect_live(2, 1023);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
	now = counts();
	ck_assert_uint_eq(now.live_blocks | now.live_bytes, 0);
	ck_assert_uint_eq(now.peak_bytes, 1023);
	ck_assert_uint_eq(now.total_blocks, 3);
	ck_assert_uint_eq(now.total_bytes, 1123);
}
END_TEST

START_TEST(twins_count_usable_bytes)
{
	void *a = counting_malloc(subject.ctx, 13);
	void *b = counting_calloc(subject.ctx, 3, 333);
	void *c = counting_memalign(subject.ctx, 64, 77);
	size_t usable = malloc_usable_size(a) + malloc_usable_size(b) + malloc_usable_size(c);

	expect_live(3, usable);
	usable -= malloc_usable_size(b);
	b = counting_remalloc(subject.ctx, b, 10);
	expect_live(3, usable + malloc_usable_size(b));
	usable = malloc_usable_size(a);
	ck_assert_uint_eq(counting_mfree(subject.ctx, a), usable);
	counting_mfree(subject.ctx, b);
	counting_mfree(subject.ctx, c);
	expect_live(0, 0);
}
END_TEST

START_TEST(failures_count_nothing)
{
	ValueMutPtr block = counting_alloc(subject.ctx, 100, 8);
	void *p = counting_malloc(subject.ctx, 100);
	struct counts before = counts(), after;

	lower_fails = true;
	ck_assert_ptr_null(counting_alloc(subject.ctx, 100, 8).ptr);
	ck_assert_ptr_null(counting_alloc_zeroed(subject.ctx, 100, 8).ptr);
	ck_assert_ptr_null(counting_realloc(subject.ctx, block, 100, 200, 8).ptr);
	ck_assert_ptr_null(counting_malloc(subject.ctx, 100));
	ck_assert_ptr_null(counting_calloc(subject.ctx, 1, 100));
	ck_assert_ptr_null(counting_memalign(subject.ctx, 64, 100));
	ck_assert_ptr_null(counting_remalloc(subject.ctx, p, 100));
	after = counts();
	ck_assert_mem_eq(&before, &after, sizeof(before));
	counting_free(subject.ctx, block);
	counting_mfree(subject.ctx, p);
}
END_TEST

START_TEST(peak_is_the_most_that_ever_lived)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 1000, 8);
	ValueMutPtr b = counting_alloc(subject.ctx, 500, 8);

	counting_free(subject.ctx, a);
	a = counting_alloc(subject.ctx, 999, 8);
	b = counting_realloc(subject.ctx, b, 500, 100, 8);
	ck_assert_uint_eq(counts().peak_bytes, 1500);
	b = counting_realloc(subject.ctx, b, 100, 502, 8);
	ck_assert_uint_eq(counts().peak_bytes, 1501);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
}
END_TEST

START_TEST(classes_end_at_powers_of_two)
{
	static const struct {
		size_t size;
		unsigned class;
	} table[] = {{1, 0},  {2, 1},  {3, 2},	   {4, 2},     {5, 3},	    {16, 4},
		     {17, 5}, {32, 5}, {4096, 12}, {4097, 13}, {65536, 16}, {65537, 17}};

	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct counts before = counts(), after;

		counting_free(subject.ctx, counting_alloc(subject.ctx, table[i].size, 1));
		after = counts();
		before.blocks[table[i].class]++;
		before.bytes[table[i].class] += table[i].size;
		ck_assert_mem_eq(before.blocks, after.blocks, sizeof(after.blocks));
		ck_assert_mem_eq(before.bytes, after.bytes, sizeof(after.bytes));
		ck_assert_mem_eq(before.live, after.live, sizeof(after.live));
	}
}
END_TEST

START_TEST(classes_know_what_is_live)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 100, 8), b;
	struct counts now;

	b = counting_alloc(subject.ctx, 120, 8);
	a = counting_realloc(subject.ctx, a, 100, 1000, 8);
	now = counts();
	ck_assert_uint_eq(now.live[7], 1);
	ck_assert_uint_eq(now.live_size[7], 120);
	ck_assert_uint_eq(now.live[10], 1);
	ck_assert_uint_eq(now.live_size[10], 1000);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
	now = counts();
	ck_assert_uint_eq(now.live[7] | now.live[10] | now.live_size[7], 0);
	ck_assert_uint_eq(now.blocks[7], 2);
}
END_TEST

#define MODEL_BLOCKS 64

/* Up to 6 MB: far beyond what a thread keeps to itself, and back. */
START_TEST(peak_of_one_thread_is_exact)
{
	ValueMutPtr blocks[MODEL_BLOCKS] = {{.ptr = NULL}};
	size_t live = 0, peak = 0;
	unsigned seed = 1;

	for (int i = 0; i < 3000; i++) {
		ValueMutPtr *b = &blocks[rand_r(&seed) % MODEL_BLOCKS];

		live -= b->size;
		if (b->ptr)
			counting_free(subject.ctx, *b);
		*b = handle(NULL, 0, 8);
		if (rand_r(&seed) % 3 == 0)
			continue;
		*b = counting_alloc(subject.ctx, 1 + rand_r(&seed) % (1u << (i % 17)), 8);
		live += b->size;
		peak = larger(peak, live);
		if (i % 300 == 0) {
			ck_assert_uint_eq(counts().peak_bytes, peak);
			ck_assert_uint_eq(counts().peak_within, 0);
		}
	}
	for (size_t i = 0; i < MODEL_BLOCKS; i++)
		if (blocks[i].ptr)
			counting_free(subject.ctx, blocks[i]);
	ck_assert_uint_eq(counts().peak_bytes, peak);
	ck_assert_uint_eq(counts().live_bytes, 0);
}
END_TEST

/* ------------------------------------------------------------- threads -- */

#define EACH 5000

/* Known totals whatever the order: sizes 1 to 64 in turn, half of them moved. */
static void *known_work(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < EACH; i++) {
		size_t size = 1 + i % 64;
		ValueMutPtr block = counting_alloc(subject.ctx, size, 8);

		if (i % 2 == 0) {
			block = counting_realloc(subject.ctx, block, size, 1000, 8);
			block.size = 1000;
		}
		if (i % 100 != 0)
			counting_free(subject.ctx, block);
	}
	return NULL;
}

static void expect_known_work(size_t threads)
{
	struct counts now = counts();
	size_t bytes = 0;

	for (size_t i = 0; i < EACH; i++)
		bytes += 1 + i % 64 + (i % 2 == 0 ? 1000 : 0);
	ck_assert_uint_eq(now.total_blocks, threads * (EACH + EACH / 2));
	ck_assert_uint_eq(now.total_bytes, threads * bytes);
	ck_assert_uint_eq(now.blocks[10], threads * EACH / 2);
	ck_assert_uint_eq(now.bytes[10], threads * EACH / 2 * 1000);
	ck_assert_uint_eq(now.live_blocks, threads * EACH / 100);
	ck_assert_uint_eq(now.live_bytes, threads * EACH / 100 * 1000);
	ck_assert_uint_ge(now.peak_bytes, now.live_bytes);
	ck_assert_uint_le(now.peak_bytes, now.live_bytes + threads * 1000 + now.peak_within);
	ck_assert_uint_eq(now.ended_blocks, now.total_blocks);
	ck_assert_uint_eq(now.ended_freed, now.total_blocks - now.live_blocks);
}

START_TEST(threads_are_counted_exactly)
{
	run_threads(known_work);
	run_threads(known_work);
	expect_known_work(2 * COMMON_THREADS);
}
END_TEST

START_TEST(threads_without_a_word_are_counted_too)
{
	run_threads(known_work);
	words_fail = true;
	run_threads(known_work);
	expect_known_work(2 * COMMON_THREADS);
}
END_TEST

static pthread_barrier_t barrier;

/* Number n allocates n times 10 blocks, frees n of them, and is there for a while. */
static void *work_and_wait(void *arg)
{
	for (uintptr_t i = 0; i < 10 * (uintptr_t)arg; i++) {
		ValueMutPtr block = counting_alloc(subject.ctx, 8, 8);

		if (i % 10 == 0)
			counting_free(subject.ctx, block);
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

START_TEST(each_thread_has_its_row)
{
	pthread_t threads[COMMON_THREADS];
	struct counts now;

	run_threads(known_work); /* whose tallies are used again */
	pthread_barrier_init(&barrier, NULL, COMMON_THREADS + 1);
	for (uintptr_t i = 0; i < COMMON_THREADS; i++)
		pthread_create(&threads[i], NULL, work_and_wait, (void *)(i + 1));
	pthread_barrier_wait(&barrier);
	now = counts();
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);

	ck_assert_uint_eq(now.threads, COMMON_THREADS);
	for (size_t i = 0; i < COMMON_THREADS; i++) {
		ck_assert_uint_eq(now.thread_blocks[i], 10 * (COMMON_THREADS - i));
		ck_assert_uint_eq(now.thread_freed[i], COMMON_THREADS - i);
	}
	ck_assert_uint_eq(now.ended_blocks, COMMON_THREADS * (EACH + EACH / 2));
	now = counts();
	ck_assert_uint_eq(now.threads, 0);
	ck_assert_uint_eq(now.ended_blocks, now.total_blocks);
}
END_TEST

static sem_t inherited, counted;

static void *inherit_tally(void *arg)
{
	(void)arg;
	counting_alloc(subject.ctx, 8, 8);
	sem_post(&inherited);
	sem_wait(&counted);
	return NULL;
}

/* Ends as far as its tally goes, which another has when it allocates once more. */
static void *outlive_tally(void *arg)
{
	pthread_t *heir = arg;

	counting_alloc(subject.ctx, 8, 8);
	counting_thread_exit(subject.ctx, support_word);
	support_word = NULL;
	pthread_create(heir, NULL, inherit_tally, NULL);
	sem_wait(&inherited);
	words_fail = true;
	counting_alloc(subject.ctx, 8, 8);
	return NULL;
}

START_TEST(thread_that_ended_is_one_of_the_ended)
{
	pthread_t thread, heir;
	struct counts now;

	sem_init(&inherited, 0, 0);
	sem_init(&counted, 0, 0);
	pthread_create(&thread, NULL, outlive_tally, &heir);
	pthread_join(thread, NULL);
	now = counts();
	sem_post(&counted);
	pthread_join(heir, NULL);
	ck_assert_uint_eq(now.threads, 1);
	ck_assert_uint_eq(now.thread_blocks[0], 1);
	ck_assert_uint_eq(now.ended_blocks, 2);
}
END_TEST

static _Atomic size_t held_size;

/* All hold blocks at once, which is the peak; then they give them back. */
static void *hold_and_wait(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	ValueMutPtr blocks[200];

	for (size_t i = 0; i < 200; i++) {
		blocks[i] = counting_alloc(subject.ctx, 1 + rand_r(&seed) % 3000, 8);
		held_size += blocks[i].size;
	}
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < 200; i++)
		counting_free(subject.ctx, blocks[i]);
	return NULL;
}

START_TEST(peak_of_threads_is_within_its_bound)
{
	struct counts now;

	held_size = 0;
	pthread_barrier_init(&barrier, NULL, COMMON_THREADS);
	run_threads(hold_and_wait);
	pthread_barrier_destroy(&barrier);
	now = counts();
	ck_assert_uint_eq(now.live_bytes, 0);
	ck_assert_uint_eq(now.peak_within, COMMON_THREADS * 65536);
	ck_assert_uint_gt(held_size, now.peak_within);
	ck_assert_uint_ge(now.peak_bytes, held_size - now.peak_within);
	ck_assert_uint_le(now.peak_bytes, held_size + now.peak_within);
}
END_TEST

static void count_in_child(void *arg)
{
	counting_postfork_child(subject.ctx);
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++)
		counting_alloc(subject.ctx, 8, 8);
}

/* The child has one thread, which goes on with the figures of the one that forked. */
START_TEST(fork_leaves_the_other_threads_behind)
{
	struct child child;
	struct counts now;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	counting_alloc(subject.ctx, 8, 8);
	pthread_create(&thread, NULL, work_and_wait, (void *)(uintptr_t)3);
	pthread_barrier_wait(&barrier);
	run_child(&child, count_in_child, (void *)(uintptr_t)20);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	parse(&now, child.text);
	ck_assert_uint_eq(now.threads, 1);
	ck_assert_uint_eq(now.thread_blocks[0], 21);
	ck_assert_uint_eq(now.ended_blocks, 30);
	ck_assert_uint_eq(now.live_blocks, 27 + 21);
	ck_assert_uint_eq(now.peak_within, 2 * 65536);
}
END_TEST

/* A tally that cannot be made is no reason to lose a count. */
START_TEST(threads_without_memory_are_counted_too)
{
	fault_start(1);
	counting_free(subject.ctx, counting_alloc_zeroed(subject.ctx, 100, 8));
	fault_stop();
	ck_assert_uint_eq(counts().total_blocks, 1);
	ck_assert_uint_eq(counts().bytes[7], 100);
}
END_TEST

static void *leave_blocks(void *arg)
{
	ValueMutPtr *elsewhere = arg;

	for (int i = 0; i < 10; i++)
		counting_alloc(subject.ctx, 100, 8);
	counting_free(subject.ctx, *elsewhere);
	*elsewhere = counting_alloc(subject.ctx, 50, 8);
	return arg;
}

/* What became of the blocks themselves is the business of the layer below. */
START_TEST(reset_leaves_nothing_live)
{
	ValueMutPtr elsewhere = counting_alloc(subject.ctx, 50, 8);
	struct counts now;
	pthread_t thread;

	pthread_create(&thread, NULL, leave_blocks, &elsewhere);
	pthread_join(thread, NULL);
	words_fail = true;
	pthread_create(&thread, NULL, leave_blocks, &elsewhere);
	pthread_join(thread, NULL);
	words_fail = false;
	counting_alloc(subject.ctx, 100000, 8);
	counting_free(subject.ctx, counting_alloc(subject.ctx, 1000, 8));
	ck_assert_uint_eq(counting_reset(subject.ctx), 22);
	now = counts();
	ck_assert_uint_eq(now.live_blocks | now.live_bytes, 0);
	ck_assert_uint_eq(now.live[6] | now.live[7] | now.live[17], 0);
	ck_assert_uint_eq(now.live_size[6] | now.live_size[7] | now.live_size[17], 0);
	ck_assert_uint_eq(now.total_blocks, 25);
	ck_assert_uint_eq(now.total_bytes, 150 + 2000 + 100000 + 1000);
	ck_assert_uint_ge(now.peak_bytes, 102000);
	ck_assert_uint_eq(counting_reset(subject.ctx), 0);
	counting_alloc(subject.ctx, 30, 8);
	expect_live(1, 30);
	ck_assert_uint_eq(counting_reset(subject.ctx), 1);
}
END_TEST

/* The peak begins at nothing again. */
START_TEST(peak_after_a_reset)
{
	counting_alloc(subject.ctx, 70000, 8);
	counting_alloc(subject.ctx, 500, 8);
	counting_reset(subject.ctx);
	ck_assert_uint_eq(counts().peak_bytes, 70500);
	counting_alloc(subject.ctx, 70400, 8);
	ck_assert_uint_eq(counts().peak_bytes, 70500);
	counting_alloc(subject.ctx, 101, 8);
	ck_assert_uint_eq(counts().peak_bytes, 70501);
}
END_TEST

/* -------------------------------------------- over a bare malloc family -- */

static void *family_malloc(size_t size)
{
	return libc_malloc(&lower_live, size);
}

static void family_free(void *p)
{
	libc_mfree(&lower_live, p);
}

static void *family_calloc(size_t n, size_t size)
{
	return libc_calloc(&lower_live, n, size);
}

static void *family_realloc(void *p, size_t size)
{
	return libc_remalloc(&lower_live, p, size);
}

static size_t family_usable_size(void *p)
{
	return libc_usable_size(&lower_live, p);
}

static const struct chic_malloc_family family = {
	.malloc = family_malloc,
	.free = family_free,
	.calloc = family_calloc,
	.realloc = family_realloc,
	.usable_size = family_usable_size,
};
static struct chic_layer family_layer;

/* The twins that have a function of the family beside them are not called. */
static void start_over_family(void)
{
	family_layer = libc_layer;
	family_layer.family = &family;
	family_layer.malloc.fn = NULL;
	family_layer.calloc.fn = NULL;
	family_layer.remalloc.fn = NULL;
	family_layer.mfree.fn = NULL;
	family_layer.usable_size.fn = NULL;
	counting_lower = &family_layer;
	start();
	counting_lower = &libc_layer;
}

/* Where the loader is older, there may be anything behind the end. */
START_TEST(family_of_an_older_loader_is_not_looked_at)
{
	struct chic_layer older = libc_layer;

	stop();
	older.size = offsetof(struct chic_layer, family);
	older.family = (const struct chic_malloc_family *)1;
	counting_lower = &older;
	start();
	counting_lower = &libc_layer;
	counting_mfree(subject.ctx, counting_malloc(subject.ctx, 10));
	ck_assert_uint_eq(counts().total_blocks, 1);
}
END_TEST

static TCase *counts_case(const char *name, void (*setup)(void))
{
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, setup, stop);
	tcase_add_test(tc, nothing_is_zero);
	tcase_add_test(tc, hooks_count_what_was_asked);
	tcase_add_test(tc, twins_count_usable_bytes);
	tcase_add_test(tc, failures_count_nothing);
	tcase_add_test(tc, peak_is_the_most_that_ever_lived);
	tcase_add_test(tc, classes_end_at_powers_of_two);
	tcase_add_test(tc, classes_know_what_is_live);
	tcase_add_test(tc, peak_of_one_thread_is_exact);
	tcase_add_test(tc, threads_are_counted_exactly);
	tcase_add_test(tc, threads_without_a_word_are_counted_too);
	tcase_add_test(tc, threads_without_memory_are_counted_too);
	tcase_add_test(tc, each_thread_has_its_row);
	tcase_add_test(tc, thread_that_ended_is_one_of_the_ended);
	tcase_add_test(tc, peak_of_threads_is_within_its_bound);
	tcase_add_test(tc, fork_leaves_the_other_threads_behind);
	tcase_add_test(tc, reset_leaves_nothing_live);
	tcase_add_test(tc, peak_after_a_reset);
	tcase_add_test(tc, family_of_an_older_loader_is_not_looked_at);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("counting");

	suite_add_tcase(suite, common_tests("common", start, stop));
	suite_add_tcase(suite, common_tests("common over a family", start_over_family, stop));
	suite_add_tcase(suite, counts_case("counts", start));
	suite_add_tcase(suite, counts_case("counts over a family", start_over_family));
	return suite;
}

CHECK_MAIN(make_suite)
