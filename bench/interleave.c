// SPDX-License-Identifier: BSD-2-Clause
/*
 * Times one command, exec to exit, in several environments, interleaved.
 *
 *	interleave ROUNDS NAME=ENV... -- PROGRAM ARGS...
 *
 * Each candidate is a name, '=', and what is added to the environment, as
 * VAR=VALUE separated by '|' ("none=" adds nothing).  Every round runs all
 * candidates in a random order; the first is the reference.  Prints per
 * candidate the median, and of the pairs with the reference's run of the same
 * round the median difference and the median ratio, with their 95% intervals.
 * What the program prints is thrown away.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
	fprintf(stderr, "interleave: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static double run_once(char **argv, char **env)
{
	posix_spawn_file_actions_t actions;
	double start = now();
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	if (errno)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	if (waitpid(pid, &status, 0) < 0)
		fail("waitpid");
	if (status != 0) {
		fprintf(stderr, "interleave: %s ended with status %#x\n", argv[0], status);
		exit(EXIT_FAILURE);
	}
	return now() - start;
}

static void parse(struct candidate *c, char *text)
{
	char *equals = strchr(text, '=');
	unsigned n = 0;
	char *save;

	if (!equals) {
		fprintf(stderr, "interleave: %s: expected NAME=ENV\n", text);
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

struct spread {
	double low, median, high;
};

static struct spread spread_of(const double *values, unsigned n)
{
	double w = half_width(n);

	return (struct spread){quantile(values, n, 0.5 - w), quantile(values, n, 0.5),
			       quantile(values, n, 0.5 + w)};
}

static void report(const struct candidate *c, unsigned n, const double *first)
{
	double *difference = calloc(n, sizeof(double)), *ratio = calloc(n, sizeof(double));
	struct spread d, r;

	if (!difference || !ratio)
		fail("report");
	for (unsigned i = 0; i < n; i++) {
		difference[i] = c->us[i] - first[i];
		ratio[i] = c->us[i] / first[i];
	}
	d = spread_of(difference, n);
	r = spread_of(ratio, n);
	printf("%-20s %11.1f %+9.1f [%+.1f, %+.1f]  %.4f [%.4f, %.4f]\n", c->name,
	       quantile(c->us, n, 0.5), d.median, d.low, d.high, r.median, r.low, r.high);
	free(difference);
	free(ratio);
}

static unsigned parse_candidates(struct candidate *candidates, char **args, unsigned rounds)
{
	unsigned n;

	for (n = 0; args[n] && strcmp(args[n], "--") != 0 && n < CANDIDATES_MAX; n++) {
		parse(&candidates[n], args[n]);
		candidates[n].us = calloc(rounds, sizeof(double));
		if (!candidates[n].us)
			fail("memory");
	}
	return n;
}

static void run_round(struct candidate *candidates, unsigned n, unsigned round, char **argv)
{
	unsigned order[CANDIDATES_MAX];

	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	shuffle(order, n);
	for (unsigned i = 0; i < n; i++) {
		struct candidate *c = &candidates[order[i]];

		c->us[round] = run_once(argv, c->env);
	}
}

/* Every time that was taken, for those who reckon on: candidate, round, microseconds. */
static void write_raw(const char *path, const struct candidate *candidates, unsigned n,
		      unsigned rounds)
{
	FILE *file = fopen(path, "a");

	if (!file)
		fail(path);
	for (unsigned i = 0; i < n; i++)
		for (unsigned round = 0; round < rounds; round++)
			fprintf(file, "%s %u %.1f\n", candidates[i].name, round,
				candidates[i].us[round]);
	if (fclose(file))
		fail(path);
}

int main(int argc, char **argv)
{
	static struct candidate candidates[CANDIDATES_MAX];
	unsigned rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned n = rounds ? parse_candidates(candidates, argv + 2, rounds) : 0;
	char **command = argv + 3 + n;

	if (!n || argc < (int)(4 + n) || strcmp(argv[2 + n], "--") != 0) {
		fprintf(stderr, "usage: interleave ROUNDS NAME=ENV... -- PROGRAM ARGS...\n");
		return 2;
	}
	srand(time(NULL));
	run_round(candidates, n, 0, command); /* warm-up */
	for (unsigned round = 0; round < rounds; round++)
		run_round(candidates, n, round, command);
	printf("%-20s %11s %9s %s\n", "", "median us", "over",
	       "ratio to the first, 95% intervals");
	for (unsigned i = 0; i < n; i++)
		report(&candidates[i], rounds, candidates[0].us);
	if (getenv("INTERLEAVE_RAW"))
		write_raw(getenv("INTERLEAVE_RAW"), candidates, n, rounds);
	return 0;
}
