/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Candidates that do the same thing, each in a child of its own, interleaved in a
 * random order.  What comes out are ratios to the first one's time in the same round:
 * the median and its 95% interval.  For C and C++.
 */
#ifndef BENCH_RUNTIME_H
#define BENCH_RUNTIME_H

#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BENCH_ROUNDS_MAX 1000
#define BENCH_MAX 8

/* run() answers the nanoseconds that one operation took. */
struct candidate {
	const char *name;
	double (*run)(void);
};

/* Keeps the compiler from leaving out what nobody reads. */
static inline void bench_keep(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

static inline void bench_must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(EXIT_FAILURE);
}

static inline double bench_child(double (*run)(void))
{
	double ns = 0;
	int fds[2], status;
	pid_t pid;

	bench_must(pipe(fds) == 0, "pipe");
	pid = fork();
	bench_must(pid >= 0, "fork");
	if (pid == 0) {
		ns = run();
		_exit(write(fds[1], &ns, sizeof(ns)) != sizeof(ns));
	}
	bench_must(waitpid(pid, &status, 0) == pid && status == 0, "a child failed");
	bench_must(read(fds[0], &ns, sizeof(ns)) == sizeof(ns), "read");
	close(fds[0]);
	close(fds[1]);
	return ns;
}

static inline void bench_report(const char *title, const char *name, const char *reference,
				double *ns, const double *first, unsigned n)
{
	double ratio[BENCH_ROUNDS_MAX];
	struct bench_spread time, r;

	for (unsigned i = 0; i < n; i++)
		ratio[i] = ns[i] / first[i];
	time = bench_spread_of(ns, n);
	r = bench_spread_of(ratio, n);
	printf("%-36s %9.3f ns  %.4f [%.4f, %.4f]\n", name, time.median, r.median, r.low,
	       r.high);
	bench_emit("runtime", title, name, "", "ns", time);
	if (name != reference)
		bench_emit("runtime", title, name, reference, "ratio", r);
}

/* n candidates, the first of which is the reference. */
static inline void bench_run(const char *title, const struct candidate *c, unsigned n,
			     unsigned rounds)
{
	static double ns[BENCH_MAX][BENCH_ROUNDS_MAX], first[BENCH_ROUNDS_MAX];
	unsigned order[BENCH_MAX];

	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned i = n; i > 1; i--) {
			unsigned k = rand() % i, keep = order[i - 1];

			order[i - 1] = order[k];
			order[k] = keep;
		}
		for (unsigned i = 0; i < n; i++)
			ns[order[i]][round] = bench_child(c[order[i]].run);
	}
	memcpy(first, ns[0], sizeof(first));
	printf("%s\n", title);
	for (unsigned i = 0; i < n; i++)
		bench_report(title, c[i].name, c[0].name, ns[i], first, rounds);
}

static inline unsigned bench_rounds(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 21;

	bench_must(rounds > 0 && rounds <= BENCH_ROUNDS_MAX, "expected 1 to 1000 rounds");
	srand(time(NULL));
	bench_pin();
	return rounds;
}

#endif /* BENCH_RUNTIME_H */
