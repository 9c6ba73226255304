// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_verdict.c - what is concluded from samples that are made up.
 */
#include "check_support.h"
#include "cli_compare.h"

#include <math.h>
#include <string.h>

#define ROUNDS 20
#define HEAPS 3
#define ALL (CANDIDATE_HEAPS + HEAPS)

static struct sample samples[ALL][ROUNDS];
static struct candidate candidates[ALL];
static struct comparison comparison;

enum { A = CANDIDATE_HEAPS, B, C };

/* The default takes 1000 in the first round, 1100 in the next, ...: the machine drifts. */
static uint64_t usual(unsigned round)
{
	return 1000 + 100 * round;
}

/* ratio in all rounds, a little more in every other one and a little less between */
static void set_wall(unsigned who, double ratio, double jitter)
{
	for (unsigned i = 0; i < ROUNDS; i++)
		samples[who][i].of[METRIC_WALL] =
			(uint64_t)((double)usual(i) * 1000 *
				   (ratio + (i % 2 ? jitter : -jitter)));
}

static void set_rounds(unsigned n)
{
	comparison.rounds = n;
	for (unsigned i = 0; i < ALL; i++)
		candidates[i].n = n;
}

static void setup(void)
{
	static const char *const names[ALL] = {"default", "default again", "a", "b", "c"};

	memset(samples, 0, sizeof(samples));
	memset(candidates, 0, sizeof(candidates));
	comparison = (struct comparison){
		.candidates = candidates,
		.n = ALL,
		.planned = ROUNDS,
		.confidence = stats_each_of(CONFIDENCE, HEAPS + 1),
		.by = METRIC_WALL,
	};
	for (unsigned i = 0; i < ALL; i++) {
		candidates[i].name = names[i];
		candidates[i].samples = samples[i];
		set_wall(i, 1, i == CANDIDATE_DEFAULT ? 0 : 0.01);
	}
	set_rounds(ROUNDS);
}

static struct verdict find(void)
{
	struct verdict verdict;

	verdict_find(&comparison, &verdict);
	return verdict;
}

START_TEST(pairs_cancel_the_drift)
{
	struct summary s;

	set_wall(A, 0.9, 0);
	verdict_summarise(&comparison, &candidates[A], METRIC_WALL, &s);

	ck_assert(s.compared);
	ck_assert(fabs(s.ratio - 0.9) < 1e-6);
	ck_assert(fabs(s.interval.low - 0.9) < 1e-6);
	ck_assert(fabs(s.interval.high - 0.9) < 1e-6);
	ck_assert(fabs(s.median - 0.9 * 1950 * 1000) < 1);
	ck_assert(s.low_quartile < s.median && s.median < s.high_quartile);
}
END_TEST

START_TEST(no_ratio_to_nothing)
{
	struct summary s;

	samples[A][3].of[METRIC_MAJOR] = 7;
	verdict_summarise(&comparison, &candidates[A], METRIC_MAJOR, &s);
	ck_assert(!s.compared);
	verdict_summarise(&comparison, &candidates[CANDIDATE_DEFAULT], METRIC_WALL, &s);
	ck_assert(!s.compared);
}
END_TEST

START_TEST(the_best_of_the_better)
{
	struct verdict verdict;

	set_wall(A, 0.95, 0.01);
	set_wall(B, 0.9, 0.01);
	set_wall(C, 1.2, 0.01);
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_BETTER);
	ck_assert_ptr_eq(verdict.best, &candidates[B]);
	ck_assert(!verdict.control_off);
	ck_assert(!verdict_ties(&comparison, &verdict, &candidates[A]));
	ck_assert(!verdict_ties(&comparison, &verdict, &candidates[B]));
	ck_assert(!verdict_ties(&comparison, &verdict, &candidates[C]));
}
END_TEST

START_TEST(what_the_noise_cannot_tell_from_the_best)
{
	struct verdict verdict;

	set_wall(A, 0.9, -0.02);
	set_wall(B, 0.9, 0.01);
	set_wall(C, 0.899, 0.02);
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_BETTER);
	ck_assert_ptr_eq(verdict.best, &candidates[C]);
	ck_assert(verdict_ties(&comparison, &verdict, &candidates[A]));
}
END_TEST

START_TEST(nothing_within_the_noise)
{
	struct verdict verdict;

	set_wall(A, 0.98, 0.05);
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_NOTHING);
	ck_assert_ptr_null(verdict.best);
	ck_assert(!verdict.control_off);
}
END_TEST

START_TEST(nothing_slower)
{
	set_wall(A, 1.5, 0.01);
	set_wall(B, 1.5, 0.01);
	set_wall(C, 1.5, 0.01);
	ck_assert_int_eq(find().kind, VERDICT_NOTHING);
}
END_TEST

/* In both directions: a default that got slower by itself may have got faster as well. */
static const double off[] = {0.93, 1.07};

START_TEST(a_default_that_differs_from_itself_by_more)
{
	struct verdict verdict;

	set_wall(A, 0.95, 0.01);
	set_wall(CANDIDATE_CONTROL, off[_i], 0.01);
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_NOISE);
	ck_assert_ptr_eq(verdict.best, &candidates[A]);
	ck_assert(verdict.control_off);
}
END_TEST

START_TEST(a_default_that_differs_from_itself_by_less)
{
	struct verdict verdict;

	set_wall(A, 0.8, 0.01);
	set_wall(CANDIDATE_CONTROL, off[_i], 0.01);
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_BETTER);
	ck_assert(verdict.control_off);
}
END_TEST

START_TEST(too_few_rounds)
{
	struct verdict verdict;

	set_wall(A, 0.5, 0);
	set_rounds(7);
	verdict = find();
	ck_assert_int_eq(verdict.kind, VERDICT_TOO_FEW);
	ck_assert_uint_eq(verdict.needed, 8);

	set_rounds(8);
	ck_assert_int_eq(find().kind, VERDICT_BETTER);
	set_rounds(0);
	ck_assert_int_eq(find().kind, VERDICT_TOO_FEW);
}
END_TEST

START_TEST(what_failed_is_not_recommended)
{
	static char failure[] = "failed in round 12: exit status 1";
	struct verdict verdict;

	set_wall(A, 0.5, 0.01);
	set_wall(B, 0.9, 0.01);
	candidates[A].failure = failure;
	candidates[A].n = 11;
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_BETTER);
	ck_assert_ptr_eq(verdict.best, &candidates[B]);
	ck_assert(!verdict_ties(&comparison, &verdict, &candidates[A]));
}
END_TEST

START_TEST(failures_that_leave_nothing_to_say)
{
	static char failure[] = "failed in warm-up: exit status 1";

	candidates[A].failure = candidates[B].failure = candidates[C].failure = failure;
	ck_assert_int_eq(find().kind, VERDICT_FAILED);
	candidates[A].failure = NULL;
	ck_assert_int_eq(find().kind, VERDICT_NOTHING);
	candidates[_i].failure = failure;
	ck_assert_int_eq(find().kind, VERDICT_FAILED);
}
END_TEST

START_TEST(another_metric_decides)
{
	struct verdict verdict;

	set_wall(A, 0.5, 0.01);
	for (unsigned i = 0; i < ROUNDS; i++)
		for (unsigned who = 0; who < ALL; who++)
			samples[who][i].of[METRIC_RSS] = who == B ? 900 : 1000;
	comparison.by = METRIC_RSS;
	verdict = find();

	ck_assert_int_eq(verdict.kind, VERDICT_BETTER);
	ck_assert_ptr_eq(verdict.best, &candidates[B]);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("verdict");
	TCase *t = tcase_create("verdict");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, pairs_cancel_the_drift);
	tcase_add_test(t, no_ratio_to_nothing);
	tcase_add_test(t, the_best_of_the_better);
	tcase_add_test(t, what_the_noise_cannot_tell_from_the_best);
	tcase_add_test(t, nothing_within_the_noise);
	tcase_add_test(t, nothing_slower);
	tcase_add_loop_test(t, a_default_that_differs_from_itself_by_more, 0, 2);
	tcase_add_loop_test(t, a_default_that_differs_from_itself_by_less, 0, 2);
	tcase_add_test(t, too_few_rounds);
	tcase_add_test(t, what_failed_is_not_recommended);
	tcase_add_loop_test(t, failures_that_leave_nothing_to_say, CANDIDATE_DEFAULT,
			    CANDIDATE_HEAPS);
	tcase_add_test(t, another_metric_decides);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
