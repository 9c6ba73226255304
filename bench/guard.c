// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guard makes of malloc, touch and free of 64 bytes, and of memory.
 *
 *	guard pair		nanoseconds a pair, one block live
 *	guard batch		... with a hundred live at a time
 *	guard threads		... two threads
 *	guard rss BLOCKS	KiB of memory with so many blocks live, and without files' pages
 *	guard freed BLOCKS	... and after all were freed
 *	guard live BLOCKS	how many blocks there came to be, and mappings then
 *	guard realloc BLOCKS	ms for so many reallocs of 17 bytes more
 *
 * Times are the best of some rounds.  Pairs are few, because peers do not get past
 * 32,000: each takes mappings, which freed blocks keep.
 */
#include "stats.h"

#include <pthread.h>
#include <string.h>

#define PAIRS 2000
#define ROUNDS 5
#define BATCH 100
#define SIZE 64

static char *get(size_t size)
{
	char *p = malloc(size);

	if (!p)
		abort();
	*(volatile char *)p = 1;
	return p;
}

/* ---------------------------------------------------------------- time -- */

static void *pairs(void *arg)
{
	for (int i = 0; i < PAIRS; i++)
		free(get(SIZE));
	return arg;
}

static void *batches(void *arg)
{
	char *p[BATCH];

	for (int i = 0; i < PAIRS / BATCH; i++) {
		for (int j = 0; j < BATCH; j++)
			p[j] = get(SIZE);
		for (int j = 0; j < BATCH; j++)
			free(p[j]);
	}
	return arg;
}

static void *two_threads(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, pairs, NULL) != 0)
		abort();
	pairs(NULL);
	pthread_join(thread, NULL);
	return arg;
}

static double best(void *(*shape)(void *arg))
{
	double least = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start = bench_now(), took;

		shape(NULL);
		took = (bench_now() - start) / PAIRS;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

static void time_pairs(size_t n)
{
	(void)n;
	printf("%.1f\n", best(pairs));
}

static void time_batches(size_t n)
{
	(void)n;
	printf("%.1f\n", best(batches));
}

static void time_threads(size_t n)
{
	(void)n;
	printf("%.1f\n", best(two_threads));
}

static void time_reallocs(size_t n)
{
	double start = bench_now();
	char *p = NULL;

	for (size_t i = 1; i <= n; i++) {
		p = realloc(p, 17 * i);
		if (!p)
			abort();
		p[17 * i - 1] = 1;
	}
	free(p);
	printf("%.1f\n", (bench_now() - start) / 1e6);
}

/* -------------------------------------------------------------- memory -- */

/* A line of /proc/self/status: "VmRSS: %ld", "RssAnon: %ld". */
static long kib_of(const char *format)
{
	char line[256];
	long kib = 0;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

static size_t mappings(void)
{
	FILE *file = fopen("/proc/self/maps", "r");
	size_t lines = 0;
	int c;

	while (file && (c = getc(file)) != EOF)
		lines += c == '\n';
	if (file)
		fclose(file);
	return lines;
}

static char **blocks(size_t n)
{
	char **p = (char **)get((n + 1) * sizeof(*p));

	for (size_t i = 0; i < n; i++)
		p[i] = get(SIZE);
	return p;
}

static void tell_rss(size_t n)
{
	blocks(n);
	printf("%ld %ld\n", kib_of("VmRSS: %ld"), kib_of("RssAnon: %ld"));
}

static void tell_freed(size_t n)
{
	char **p = blocks(n);
	long live = kib_of("VmRSS: %ld");

	for (size_t i = 0; i < n; i++)
		free(p[i]);
	printf("%ld %ld\n", live, kib_of("VmRSS: %ld"));
}

/* The last line tells, where the peer ends the process. */
static void tell_live(size_t n)
{
	for (size_t i = 1; i <= n; i++) {
		get(SIZE);
		if (i % 1000 == 0 && i < n)
			printf("%zu\n", i);
		fflush(stdout);
	}
	printf("%zu %zu\n", n, mappings());
}

static const struct {
	const char *name;
	void (*run)(size_t n);
} whats[] = {
	{"pair", time_pairs},	    {"batch", time_batches}, {"threads", time_threads},
	{"realloc", time_reallocs}, {"rss", tell_rss},	     {"freed", tell_freed},
	{"live", tell_live},
};

int main(int argc, char **argv)
{
	static char buffer[64 * 1024];
	size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 20000;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	for (size_t i = 0; i < sizeof(whats) / sizeof(whats[0]); i++)
		if (argc > 1 && strcmp(argv[1], whats[i].name) == 0) {
			whats[i].run(n);
			return 0;
		}
	fprintf(stderr, "usage: guard pair|batch|threads|realloc|rss|freed|live [BLOCKS]\n");
	return 2;
}
