// SPDX-License-Identifier: BSD-2-Clause
/*
 * Times exec to exit of a program under several environments, interleaved.
 *
 *	startup ROUNDS PROGRAM NAME=ENV... NAME=ENV...
 *
 * Each argument after the program is one candidate: a name, '=', and what is
 * added to the environment, as VAR=VALUE separated by '|' ("none=" adds
 * nothing).  Every round runs all candidates in a random order.  Prints per
 * candidate the median, and the median of the differences to the first candidate
 * of the same round with its 95% interval, in microseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define CANDIDATES_MAX 16
#define ENV_MAX 64

struct candidate {
	const char *name;
	char *env[ENV_MAX + 1];
	double *us;
};

extern char **environ;

static void fail(const char *what)
{
	fprintf(stderr, "startup: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double run_once(const char *program, char **env)
{
	char *argv[] = {(char *)program, NULL};
	double start = now();
	int status;
	pid_t pid;

	errno = posix_spawn(&pid, program, NULL, NULL, argv, env);
	if (errno)
		fail(program);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		fail("the program failed");
	return now() - start;
}

static void parse(struct candidate *c, char *text)
{
	char *equals = strchr(text, '=');
	unsigned n = 0;
	char *save;

	if (!equals) {
		fprintf(stderr, "startup: %s: expected NAME=ENV\n", text);
		exit(2);
	}
	*equals = '\0';
	c->name = text;
	for (char **e = environ; *e && n < ENV_MAX / 2; e++)
		if (strncmp(*e, "CHIC_ALLOC_", 11) != 0 && strncmp(*e, "LD_", 3) != 0)
			c->env[n++] = *e;
	for (char *v = strtok_r(equals + 1, "|", &save); v; v = strtok_r(NULL, "|", &save))
		c->env[n++] = v;
	c->env[n] = NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The q-quantile of a copy of n values. */
static double quantile(const double *values, unsigned n, double q)
{
	double *sorted = malloc(n * sizeof(*sorted));
	double at;

	if (!sorted)
		fail("sort");
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	at = sorted[(unsigned)(q * (n - 1) + 0.5)];
	free(sorted);
	return at;
}

static void shuffle(unsigned *order, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rand() % i, keep = order[i - 1];

		order[i - 1] = order[k];
		order[k] = keep;
	}
}

/* The interval's half width in quantiles: binomial, 95%. */
static double half_width(unsigned n)
{
	double w = 1;

	while (w * w * n > 0.98 * 0.98) /* w = 0.98 / sqrt(n) */
		w *= 0.99;
	return w;
}

static void report(struct candidate *c, unsigned n, const double *first)
{
	double w = half_width(n), *d = malloc(n * sizeof(*d));

	if (!d)
		fail("report");
	for (unsigned i = 0; i < n; i++)
		d[i] = c->us[i] - first[i];
	printf("%-24s %10.1f %+10.1f  [%+.1f, %+.1f]\n", c->name, quantile(c->us, n, 0.5),
	       quantile(d, n, 0.5), quantile(d, n, 0.5 - w), quantile(d, n, 0.5 + w));
	free(d);
}

int main(int argc, char **argv)
{
	static struct candidate candidates[CANDIDATES_MAX];
	unsigned order[CANDIDATES_MAX];
	unsigned rounds, n = argc > 3 ? argc - 3 : 0;

	if (!n || n > CANDIDATES_MAX) {
		fprintf(stderr, "usage: startup ROUNDS PROGRAM NAME=ENV...\n");
		return 2;
	}
	rounds = strtoul(argv[1], NULL, 10);
	for (unsigned i = 0; i < n; i++) {
		parse(&candidates[i], argv[3 + i]);
		candidates[i].us = calloc(rounds, sizeof(double));
		order[i] = i;
		if (!candidates[i].us)
			fail("memory");
		run_once(argv[2], candidates[i].env); /* warm-up */
	}
	srand(time(NULL));
	for (unsigned r = 0; r < rounds; r++) {
		shuffle(order, n);
		for (unsigned i = 0; i < n; i++)
			candidates[order[i]].us[r] =
				run_once(argv[2], candidates[order[i]].env);
	}
	printf("%-24s %10s %10s  95%% interval\n", "exec to exit", "median us", "over first");
	for (unsigned i = 0; i < n; i++)
		report(&candidates[i], rounds, candidates[0].us);
	return 0;
}
