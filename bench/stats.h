/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What measurements share: medians with their 95% intervals, a line for each where
 * BENCH_RESULTS names a file, the clock, a processor of one's own.  For C and C++.  To be
 * included first.
 *
 * BENCH_RESULTS	file that gets a line for each figure, see bench/README.md
 * BENCH_GROUP		first field of the line
 * BENCH_CPU		processor that measurements of one thread stay on
 */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Nanoseconds. */
static inline double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

struct bench_spread {
	double low, median, high;
};

static inline int bench_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The q-quantile; sorts. */
static inline double bench_quantile(double *values, unsigned n, double q)
{
	qsort(values, n, sizeof(*values), bench_compare);
	return values[(unsigned)(q * (n - 1) + 0.5)];
}

/* The median and its interval: binomial, 95%; sorts. */
static inline struct bench_spread bench_spread_of(double *values, unsigned n)
{
	struct bench_spread s;
	double w = 1;

	while (w * w * n > 0.98 * 0.98) /* half the width, in quantiles: 0.98 / sqrt(n) */
		w *= 0.99;
	if (w > 0.5)
		w = 0.5;
	s.low = bench_quantile(values, n, 0.5 - w);
	s.median = bench_quantile(values, n, 0.5);
	s.high = bench_quantile(values, n, 0.5 + w);
	return s;
}

static inline const char *bench_environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* One line of the results; unit is "ratio" where the value is one to the reference. */
static inline void bench_emit(const char *group, const char *subject, const char *candidate,
			      const char *reference, const char *unit, struct bench_spread s)
{
	const char *path = bench_environment("BENCH_RESULTS", NULL);
	FILE *file = path ? fopen(path, "ae") : NULL;

	if (path && !file)
		perror(path);
	if (!file)
		return;
	fprintf(file, "%s\t%s\t%s\t%s\t%s\t%.6g\t%.6g\t%.6g\t\n",
		bench_environment("BENCH_GROUP", group), subject, candidate, reference, unit,
		s.median, s.low, s.high);
	if (fclose(file) != 0)
		perror(path);
}

/* Where that is not allowed, the measurement is as good as it gets. */
static inline void bench_pin(void)
{
	const char *cpu = bench_environment("BENCH_CPU", NULL);
	cpu_set_t set;

	CPU_ZERO(&set);
	if (!cpu)
		return;
	CPU_SET(strtoul(cpu, NULL, 10), &set);
	if (sched_setaffinity(0, sizeof(set), &set) != 0)
		perror("BENCH_CPU");
}

#endif /* BENCH_STATS_H */
