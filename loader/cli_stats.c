// SPDX-License-Identifier: BSD-2-Clause
/*
 * Medians, quartiles and intervals.
 *
 * The interval of a median is made of two of the values.  That needs no assumption
 * on how the noise is distributed, but that the values are drawn independently:
 * each lies below the true median with probability 1/2, so that how many of n do is
 * binomial.  One run that something disturbed moves it by one rank, however long
 * the run took.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

void stats_sort(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
}

double stats_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (double)(n - 1);
	size_t below = (size_t)at;

	if (below + 1 >= n)
		return sorted[n - 1];
	return sorted[below] + (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

/*
 * The confidence of [k-th smallest, k-th largest] of n: 1 - 2 P(B < k) with B
 * binomial(n, 1/2), added up from its smallest term.
 */
static double confidence_of(size_t n, size_t k)
{
	double term = ldexp(1, -(int)n), sum = 0;

	for (size_t i = 0; i < k; i++) {
		sum += term;
		term *= (double)(n - i) / (double)(i + 1);
	}
	return 1 - 2 * sum;
}

struct stats_interval stats_interval(const double *sorted, size_t n, double confidence)
{
	size_t k = 1;

	while (k + 1 <= n - k && confidence_of(n, k + 1) >= confidence)
		k++;
	return (struct stats_interval){
		.low = sorted[k - 1],
		.high = sorted[n - k],
		.confidence = confidence_of(n, k),
	};
}

size_t stats_needed(double confidence)
{
	size_t n = 1;

	while (confidence_of(n, 1) < confidence)
		n++;
	return n;
}

/* Bonferroni's: whatever the intervals have to do with each other. */
double stats_each_of(double confidence, size_t k)
{
	return 1 - (1 - confidence) / (double)(k ? k : 1);
}
