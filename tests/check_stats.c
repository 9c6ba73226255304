// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_stats.c - quantiles and intervals against values known from tables, and
 * intervals that hold as often as they say.
 */
#include "check_support.h"
#include "cli_compare.h"

#include <math.h>

#define MANY 1000

static double ramp[MANY]; /* 1, 2, 3, ...: a value is its rank */

static void make_ramp(void)
{
	for (size_t i = 0; i < MANY; i++)
		ramp[i] = (double)(i + 1);
}

static void assert_near(double got, double expected)
{
	ck_assert_msg(fabs(got - expected) < 1e-9, "got %.12f, expected %.12f", got, expected);
}

START_TEST(values_are_sorted)
{
	double values[] = {3, -1, 2, 2, 1e300, 0};
	static const double expected[] = {-1, 0, 2, 2, 3, 1e300};

	stats_sort(values, ARRAY_SIZE(values));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_near(values[i], expected[i]);
}
END_TEST

static const struct {
	size_t n;
	double q;
	double expected; /* of 1, 2, ... n */
} quantiles[] = {
	{1, 0, 1},	 {1, 0.5, 1},	{1, 1, 1},	    {2, 0.5, 1.5},
	{3, 0.5, 2},	 {4, 0, 1},	{4, 0.25, 1.75},    {4, 0.5, 2.5},
	{4, 0.75, 3.25}, {4, 1, 4},	{5, 0.25, 2},	    {5, 0.75, 4},
	{9, 0.5, 5},	 {9, 0.1, 1.8}, {MANY, 0.5, 500.5}, {MANY, 1, MANY},
};

START_TEST(quantiles_lie_between_values)
{
	assert_near(stats_quantile(ramp, quantiles[_i].n, quantiles[_i].q),
		    quantiles[_i].expected);
}
END_TEST

/* Ranks and their confidence from a table of the binomial distribution. */
static const struct {
	size_t n;
	double wanted;
	double low, high;
	double confidence;
} intervals[] = {
	{1, 0.95, 1, 1, 0},
	{2, 0.95, 1, 2, 0.5},
	{5, 0.95, 1, 5, 0.9375}, /* too few: all there is */
	{6, 0.95, 1, 6, 0.96875},
	{8, 0.99, 1, 8, 0.9921875},
	{10, 0.95, 2, 9, 0.978515625},
	{10, 0.99, 1, 10, 0.998046875},
	{20, 0.95, 6, 15, 0.9586105346679688},
	{40, 0.95, 14, 27, 0.9615226917157997},
	{40, 0.99, 12, 29, 0.9935734239043086},
	{100, 0.95, 40, 61, 0.9647997997822952},
	{MANY, 0.95, 469, 532, 0.9537088026395019},
	{MANY, 0.999, 448, 553, 0.9991100140352307},
	{3, 0, 2, 2, 0}, /* nothing is asked: the median itself */
};

START_TEST(intervals_are_two_of_the_values)
{
	struct stats_interval got = stats_interval(ramp, intervals[_i].n, intervals[_i].wanted);

	assert_near(got.low, intervals[_i].low);
	assert_near(got.high, intervals[_i].high);
	assert_near(got.confidence, intervals[_i].confidence);
}
END_TEST

static const struct {
	double confidence;
	size_t needed;
} needs[] = {{0.5, 2}, {0.9, 5}, {0.95, 6}, {0.975, 7}, {0.99, 8}, {0.999, 11}};

START_TEST(the_fewest_values_for_a_confidence)
{
	size_t n = stats_needed(needs[_i].confidence);

	ck_assert_uint_eq(n, needs[_i].needed);
	ck_assert(stats_interval(ramp, n, needs[_i].confidence).confidence >=
		  needs[_i].confidence);
	ck_assert(stats_interval(ramp, n - 1, needs[_i].confidence).confidence <
		  needs[_i].confidence);
}
END_TEST

START_TEST(several_intervals_share_the_risk)
{
	assert_near(stats_each_of(0.95, 1), 0.95);
	assert_near(stats_each_of(0.95, 5), 0.99);
	assert_near(stats_each_of(0.95, 0), 0.95);
}
END_TEST

START_TEST(one_outlier_does_not_matter)
{
	double values[20];
	struct stats_interval calm, disturbed;

	for (size_t i = 0; i < 20; i++)
		values[i] = ramp[i];
	calm = stats_interval(values, 20, 0.95);
	values[19] = 1e12;
	disturbed = stats_interval(values, 20, 0.95);
	assert_near(disturbed.low, calm.low);
	assert_near(disturbed.high, calm.high);
	assert_near(stats_quantile(values, 20, 0.5), 10.5);
}
END_TEST

/* Repeatable noise, skewed as run times are: the median of -log(u) is log(2). */
static double noise(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005u + 1442695040888963407u;
	return -log(((double)(state >> 11) + 0.5) / 9007199254740992.0);
}

/* How many of 4000 intervals from n values hold. */
static unsigned count_holding(size_t n, double confidence)
{
	double values[64];
	unsigned held = 0;

	for (int trial = 0; trial < 4000; trial++) {
		struct stats_interval interval;

		for (size_t i = 0; i < n; i++)
			values[i] = noise();
		stats_sort(values, n);
		interval = stats_interval(values, n, confidence);
		held += interval.low <= log(2) && log(2) <= interval.high;
	}
	return held;
}

START_TEST(intervals_hold_as_often_as_they_say)
{
	static const size_t sizes[] = {6, 10, 20, 40};
	size_t n = sizes[_i];
	double claimed = stats_interval(ramp, n, 0.95).confidence;

	/* five standard deviations of the count, 14 each */
	ck_assert_uint_ge(count_holding(n, 0.95), (unsigned)(4000 * claimed) - 70);
	ck_assert_uint_le(count_holding(n, 0.95), (unsigned)(4000 * claimed) + 70);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("stats");
	TCase *t = tcase_create("stats");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_unchecked_fixture(t, make_ramp, NULL);
	tcase_add_test(t, values_are_sorted);
	tcase_add_loop_test(t, quantiles_lie_between_values, 0, ARRAY_SIZE(quantiles));
	tcase_add_loop_test(t, intervals_are_two_of_the_values, 0, ARRAY_SIZE(intervals));
	tcase_add_loop_test(t, the_fewest_values_for_a_confidence, 0, ARRAY_SIZE(needs));
	tcase_add_test(t, several_intervals_share_the_risk);
	tcase_add_test(t, one_outlier_does_not_matter);
	tcase_add_loop_test(t, intervals_hold_as_often_as_they_say, 0, 4);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
