// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pairs of malloc, touch, free in several threads, each with sizes of its own turn.
 *
 *	threads N PAIRS		prints pairs per microsecond, all threads together
 *	threads memory BLOCKS	prints KiB resident with so many blocks of 100 bytes
 */
#include "stats.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 64

static long n_pairs;
static pthread_barrier_t barrier;

/* The thread's own time: who started it may be kept from seeing when that was. */
static void *pairs(void *arg)
{
	double *span = arg;

	pthread_barrier_wait(&barrier);
	span[0] = bench_now();
	for (long i = 0; i < n_pairs; i++) {
		char *volatile p = malloc(16 + i % 200);

		*p = 1;
		free(p);
	}
	span[1] = bench_now();
	return NULL;
}

static void run(unsigned n)
{
	pthread_t threads[THREADS_MAX];
	double spans[THREADS_MAX][2], first, last;

	pthread_barrier_init(&barrier, NULL, n);
	for (unsigned i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, pairs, spans[i]);
	for (unsigned i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	first = spans[0][0];
	last = spans[0][1];
	for (unsigned i = 1; i < n; i++) {
		first = spans[i][0] < first ? spans[i][0] : first;
		last = spans[i][1] > last ? spans[i][1] : last;
	}
	printf("%.2f\n", n * n_pairs / (last - first) * 1e3);
}

static void memory(long n)
{
	long pages = 0;
	FILE *f;

	for (long i = 0; i < n; i++) {
		char *p = malloc(100);

		if (p)
			memset(p, 1, 100);
	}
	f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		exit(1);
	printf("%ld\n", pages * (sysconf(_SC_PAGESIZE) / 1024));
}

int main(int argc, char **argv)
{
	unsigned n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

	n_pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	if (argc > 2 && strcmp(argv[1], "memory") == 0)
		memory(n_pairs);
	else if (n && n <= THREADS_MAX)
		run(n);
	else
		return 2;
	return 0;
}
