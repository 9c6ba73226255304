// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of counting's call sites: the arithmetic of the sample, the blocks in it, and
 * what reports say of them.
 */
#define _GNU_SOURCE
#include <math.h>

#include "counting_support.h"

static void start_sampling(void)
{
	params[SITES].number = 0;
	start();
	params[SITES].number = COUNTING_SITES_OFF;
}

/* ------------------------------------------------------------- samples -- */

START_TEST(weights_are_one_by_the_chance)
{
	static const uint64_t periods[] = {1, 100, 4096, 512 * 1024, UINT64_C(1) << 39};

	for (size_t i = 0; i < ARRAY_LENGTH(periods); i++) {
		for (size_t size = 1; size < SIZE_MAX / 8; size = size * 3 + 1) {
			double x = (double)size / (double)periods[i];
			double weight = -1 / expm1(-x);

			ck_assert_double_eq_tol(
				(double)counting_weight(size, periods[i]) / COUNTING_WEIGHT_ONE,
				weight, weight * 1e-9 + 0.5 / COUNTING_WEIGHT_ONE + 1e-9);
			ck_assert_double_eq_tol((double)counting_weight_bytes(size, periods[i]),
						weight * (double)size,
						weight * (double)size * 1e-9 + 0.51);
		}
	}
	ck_assert_uint_eq(counting_weight(12345, 0), COUNTING_WEIGHT_ONE);
	ck_assert_uint_eq(counting_weight_bytes(12345, 0), 12345);
}
END_TEST

#define DRAWS 100000

/* A block of each size is taken as often as it should be, give or take 5 sigma. */
START_TEST(draws_are_exponential)
{
	uint64_t random = 1;
	size_t below[12] = {0};

	for (size_t i = 0; i < DRAWS; i++) {
		int64_t n = counting_draw(&random, 1000);

		ck_assert_int_ge(n, 0);
		for (size_t k = 0; k < ARRAY_LENGTH(below); k++)
			below[k] += n < (int64_t)4 << k;
	}
	for (size_t k = 0; k < ARRAY_LENGTH(below); k++) {
		double p = -expm1(-(double)(4 << k) / 1000);

		ck_assert_double_eq_tol((double)below[k] / DRAWS, p,
					5 * sqrt(p * (1 - p) / DRAWS));
	}
	ck_assert_int_eq(counting_draw(&random, 0), 0);
}
END_TEST

#define LIVE_BLOCKS 5000

/* Blocks 16 bytes apart, so that their places in the tables collide. */
START_TEST(live_blocks_are_found)
{
	struct counting_live *live = pages_new(sizeof(*live));
	static bool there[LIVE_BLOCKS];
	struct counting_block block;
	unsigned seed = 1;

	memset(there, 0, sizeof(there));
	for (size_t i = 0; i < 20 * LIVE_BLOCKS; i++) {
		size_t k = rand_r(&seed) % LIVE_BLOCKS;
		void *p = (void *)(16 * (k + 1000));

		block = (struct counting_block){.p = (uintptr_t)p, .size = k, .stack = k};
		if (there[k]) {
			MUST(counting_live_may_have(live, p));
			MUST(counting_live_take(live, p, &block));
			MUST(block.size == k && block.stack == k && block.p == (uintptr_t)p);
			MUST(!counting_live_take(live, p, &block));
		} else {
			MUST(!counting_live_take(live, p, &block));
			MUST(counting_live_add(live, &block));
		}
		there[k] = !there[k];
	}
	for (size_t k = 0; k < LIVE_BLOCKS; k++)
		MUST(counting_live_take(live, (void *)(16 * (k + 1000)), &block) == there[k]);
	ck_assert(all_are((const void *)live->filter, 0, sizeof(live->filter)));
	counting_live_free(live);
	munmap(live, sizeof(*live));
}
END_TEST

struct site {
	size_t blocks, bytes, live_blocks, live_bytes;
};

/* All sites of a list whose stack has the function: one call may become several. */
static struct site find_sites(const char *text, const char *list, const char *function)
{
	const char *at = strstr(text, list), *end = at ? strstr(at + 1, "\nsites by") : NULL;
	struct site sum = {0};

	while (at && (at = strstr(at, "\nsite ")) && (!end || at < end)) {
		const char *next = strstr(at + 1, "\nsite"), *name = strstr(at, function);
		struct site site;

		if (name && (!next || name < next) &&
		    sscanf(at, " site %*u %zu %zu %zu %zu", &site.blocks, &site.bytes,
			   &site.live_blocks, &site.live_bytes) == 4) {
			sum.blocks += site.blocks;
			sum.bytes += site.bytes;
			sum.live_blocks += site.live_blocks;
			sum.live_bytes += site.live_bytes;
		}
		at++;
	}
	ck_assert_msg(sum.blocks, "no %s in %s of %s", function, list, text);
	return sum;
}

static __attribute__((noinline)) ValueMutPtr first_caller(size_t size)
{
	ValueMutPtr block = counting_alloc(subject.ctx, size, 8);

	*(volatile char *)block.ptr = 1;
	return block;
}

static __attribute__((noinline)) void *second_caller(size_t size)
{
	void *p = counting_malloc(subject.ctx, size);

	*(volatile char *)p = 1;
	return p;
}

static __attribute__((noinline)) void *third_caller(void *p, size_t size)
{
	p = counting_remalloc(subject.ctx, p, size);
	if (p)
		*(volatile char *)p = 1;
	return p;
}

static const char live_list[] = "sites by live bytes";
static const char total_list[] = "sites by total bytes";

static struct child sites(void)
{
	static struct child child;

	run_child(&child, nothing, NULL);
	ck_assert_int_eq(child.status, 0);
	return child;
}

START_TEST(every_block_has_its_site)
{
	ValueMutPtr blocks[6];
	struct child child;
	struct site site;
	size_t usable;
	void *p;

	for (size_t i = 0; i < 6; i++)
		blocks[i] = first_caller(100 + i);
	p = second_caller(300);
	usable = malloc_usable_size(p);
	for (size_t i = 0; i < 4; i++)
		counting_free(subject.ctx, blocks[i]);
	child = sites();
	site = find_sites(child.text, total_list, "(first_caller");
	ck_assert_uint_eq(site.blocks, 6);
	ck_assert_uint_eq(site.bytes, 615);
	ck_assert_uint_eq(site.live_blocks, 2);
	ck_assert_uint_eq(site.live_bytes, 615 - 406);
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_bytes, usable);

	p = third_caller(p, 5000);
	child = sites();
	site = find_sites(child.text, live_list, "(third_caller");
	ck_assert_uint_eq(site.live_bytes, malloc_usable_size(p));
	site = find_sites(child.text, total_list, "(second_caller");
	ck_assert_uint_eq(site.blocks, 1);
	ck_assert_uint_eq(site.live_blocks, 0);
	counting_mfree(subject.ctx, p);
	for (size_t i = 4; i < 6; i++)
		counting_free(subject.ctx, blocks[i]);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

START_TEST(reset_drops_the_samples)
{
	struct counting *c = subject.ctx;
	struct child child;
	struct site site;
	void *p = NULL;

	for (size_t i = 0; i < 200; i++)
		first_caller(100);
	p = second_caller(300);
	ck_assert_uint_eq(counting_reset(c), 201);
	ck_assert(all_are((const void *)c->sites->live.filter, 0, COUNTING_FILTER));
	child = sites();
	ck_assert_ptr_null(strstr(child.text, live_list));
	site = find_sites(child.text, total_list, "(first_caller");
	ck_assert_uint_eq(site.blocks, 200);
	ck_assert_uint_eq(site.live_blocks | site.live_bytes, 0);
	/* the same address again */
	free(p);
	p = second_caller(300);
	site = find_sites(sites().text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_blocks, 1);
	counting_mfree(c, p);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

START_TEST(block_that_could_not_be_moved_keeps_its_site)
{
	void *p = second_caller(300);
	struct child child;
	struct site site;

	lower_fails = true;
	ck_assert_ptr_null(third_caller(p, 600));
	lower_fails = false;
	child = sites();
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_blocks, 1);
	ck_assert_ptr_null(strstr(child.text, "third_caller"));
	counting_mfree(subject.ctx, p);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

START_TEST(sites_without_memory_lose_samples)
{
	void *blocks[300];
	size_t lost = 0;
	struct child child;

	/* which makes the tally */
	counting_mfree(subject.ctx, second_caller(300));
	for (size_t i = 0; i < 300; i++) {
		fault_start(1);
		blocks[i] = second_caller(300);
		fault_stop();
		MUST(blocks[i]);
	}
	child = sites();
	ck_assert_ptr_nonnull(strstr(child.text, "samples-lost"));
	sscanf(strstr(child.text, "samples-lost"), "samples-lost %zu", &lost);
	/* but for those that share a table with the very first */
	ck_assert_uint_gt(lost, 200);
	for (size_t i = 0; i < 300; i++)
		counting_mfree(subject.ctx, blocks[i]);
}
END_TEST

static void start_sparse(void)
{
	params[SITES].number = 4096;
	start();
	params[SITES].number = COUNTING_SITES_OFF;
}

static size_t first_bytes, first_blocks;

/* Sizes far below the period and above: 5 sigma of some 3,000 samples are 9%. */
START_TEST(estimates_have_no_bias)
{
	struct child child;
	struct site site;
	unsigned seed = 1;

	first_bytes = first_blocks = 0;
	for (size_t i = 0; i < 40000; i++) {
		size_t size = 1 + rand_r(&seed) % (i % 50 == 0 ? 20000 : 100);
		ValueMutPtr block = first_caller(size);

		first_bytes += size;
		first_blocks++;
		counting_free(subject.ctx, block);
		counting_mfree(subject.ctx, second_caller(16));
	}
	child = sites();
	site = find_sites(child.text, total_list, "(first_caller");
	ck_assert_double_eq_tol((double)site.bytes, (double)first_bytes,
				0.1 * (double)first_bytes);
	ck_assert_double_eq_tol((double)site.blocks, (double)first_blocks,
				0.3 * (double)first_blocks);
	ck_assert_uint_eq(site.live_blocks, 0);
	ck_assert_ptr_null(strstr(child.text, live_list));
}
END_TEST

static void *allocate_at_end_too(void *arg)
{
	words_fail = true;
	return second_caller((size_t)arg);
}

START_TEST(threads_without_a_word_have_sites_too)
{
	struct site site;
	struct child child;
	pthread_t thread;
	void *p;

	pthread_create(&thread, NULL, allocate_at_end_too, (void *)1000);
	pthread_join(thread, &p);
	child = sites();
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_blocks, 1);
	counting_mfree(subject.ctx, p);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

/* A site for each n, with more bytes than the one before. */
static __attribute__((noinline)) void *deeper(size_t n, size_t size)
{
	void *p = n ? deeper(n - 1, size) : counting_alloc(subject.ctx, size, 8).ptr;

	*(volatile char *)p = 1;
	return p;
}

START_TEST(top_is_bounded)
{
	struct child child;
	size_t n = 0;

	params[TOP].number = 2;
	start_sampling();
	for (size_t i = 0; i < 12; i++)
		deeper(i, 100 * (i + 1));
	child = sites();
	for (const char *at = child.text; (at = strstr(at, "\nsite ")); at++)
		n++;
	ck_assert_uint_eq(n, 3 * 2);
	ck_assert_uint_eq(find_sites(child.text, live_list, "(deeper").live_bytes, 2300);
	stop();
	params[TOP].number = 10;
}
END_TEST

static void run_collapsed(void *arg)
{
	params[FORMAT].text = "collapsed";
	params[SITES].number = 0;
	if (start_with(true, arg) != 0)
		_exit(1);
	first_caller(1000);
	first_caller(2000);
	counting_free(subject.ctx, first_caller(3000));
}

START_TEST(collapsed_stacks_have_what_lives)
{
	struct child child;

	run_child(&child, run_collapsed, (void *)"");
	ck_assert_int_eq(child.status, 0);
	ck_assert_int_eq(strncmp(child.text, "check_counting", 14), 0);
	ck_assert_msg(strstr(child.text, ";first_caller;"), "%s", child.text);
	ck_assert_ptr_nonnull(strstr(child.text, " 1000\n"));
	ck_assert_ptr_nonnull(strstr(child.text, " 2000\n"));
	ck_assert_ptr_null(strstr(child.text, " 3000\n"));
}
END_TEST

START_TEST(stacks_without_sites_are_warned_of)
{
	params[FORMAT].text = "pprof";
	ck_assert_int_eq(start_with(true, ""), 0);
	params[FORMAT].text = "text";
	ck_assert_str_eq(last_warn, "test: format = pprof, but nothing is sampled without "
				    "sites = BYTES; reports are text");
	ck_assert_uint_eq(counts().total_blocks, 0);
	stop();
}
END_TEST

START_TEST(sampling_without_memory_fails)
{
	unsigned n;
	int err;

	params[FORMAT].text = "collapsed";
	params[SITES].number = 4096;
	for (n = 1;; n++) {
		fault_start(n);
		err = start_with(true, "");
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_nonnull(strstr(last_fail, "no memory for "));
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 5);
	stop();
	params[FORMAT].text = "text";
	params[SITES].number = COUNTING_SITES_OFF;
}
END_TEST

static TCase *samples_case(void)
{
	TCase *tc = tcase_create("samples");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_test(tc, weights_are_one_by_the_chance);
	tcase_add_test(tc, draws_are_exponential);
	tcase_add_test(tc, live_blocks_are_found);
	tcase_add_test(tc, top_is_bounded);
	tcase_add_test(tc, collapsed_stacks_have_what_lives);
	tcase_add_test(tc, stacks_without_sites_are_warned_of);
	tcase_add_test(tc, sampling_without_memory_fails);
	return tc;
}

static TCase *sites_case(void)
{
	TCase *tc = tcase_create("sites");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, start_sampling, stop);
	tcase_add_test(tc, every_block_has_its_site);
	tcase_add_test(tc, reset_drops_the_samples);
	tcase_add_test(tc, block_that_could_not_be_moved_keeps_its_site);
	tcase_add_test(tc, sites_without_memory_lose_samples);
	tcase_add_test(tc, threads_without_a_word_have_sites_too);
	return tc;
}

static TCase *estimates_case(void)
{
	TCase *tc = tcase_create("estimates");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, start_sparse, stop);
	tcase_add_test(tc, estimates_have_no_bias);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("counting_sites");

	suite_add_tcase(suite, common_tests("common, sampling", start_sampling, stop));
	suite_add_tcase(suite, samples_case());
	suite_add_tcase(suite, sites_case());
	suite_add_tcase(suite, estimates_case());
	return suite;
}

CHECK_MAIN(make_suite)
