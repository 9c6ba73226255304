// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that allocates in its constructor, which runs before all others: it
 * is linked with -z initfirst.  It registers fork handlers there that allocate.
 */
#include "preload_early.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct early_blocks early_blocks;

static void around_fork(void)
{
	void *volatile p = malloc(100);

	free(p);
	early_blocks.fork_handlers_ran++;
}

static void expect(int good, unsigned line)
{
	if (!good && !early_blocks.failed)
		early_blocks.failed = line;
}

#define EXPECT(condition) expect(!!(condition), __LINE__)

static int is_near(const void *a, const void *b)
{
	return (uintptr_t)a - (uintptr_t)b + ((size_t)4 << 20) < (size_t)8 << 20;
}

/* Builds and drops much more than it keeps, two blocks alive at a time. */
static void churn(size_t size, unsigned rounds)
{
	unsigned char *volatile a = malloc(size), *volatile b = malloc(size);
	void *first = a;

	for (unsigned i = 0; i < rounds; i++) {
		EXPECT(a && b && is_near(a, first));
		memset(a, 1, size);
		free(a);
		a = b;
		b = i % 2 ? malloc(size) : calloc(1, size);
		EXPECT(i % 2 || (b && b[0] == 0 && b[size / 2] == 0 && b[size - 1] == 0));
	}
	free(a);
	free(b);
}

/* Without a copy at each step, once nothing is behind the block. */
static void grow(void)
{
	unsigned char *volatile p = NULL;
	unsigned moves = 0;

	for (size_t size = 1000; size < 3000000; size += 1000) {
		unsigned char *before = p;

		p = realloc(p, size);
		EXPECT(p);
		moves += p != before;
		p[size - 1] = size / 1000 % 251;
	}
	EXPECT(moves < 50);
	for (size_t size = 1000; size < 3000000; size += 1000)
		EXPECT(p[size - 1] == size / 1000 % 251);
	free(p);
}

static void hungry(void)
{
	churn(200, 100000);
	churn(5000, 10000);
	churn((size_t)1 << 20, 300);
	grow();
	early_blocks.huge = malloc(EARLY_HUGE);
	EXPECT(early_blocks.huge);
	if (early_blocks.huge)
		early_blocks.huge[0] = early_blocks.huge[EARLY_HUGE - 1] = 5;
}

__attribute__((constructor)) static void early(int argc, char **argv)
{
	unsigned char *volatile large = malloc(72704);
	unsigned char *p = malloc(10);

	memset(p, 5, 10);
	early_blocks.malloced = realloc(p, EARLY_ODD);
	memset(early_blocks.malloced, 5, EARLY_ODD);
	early_blocks.zeroed = calloc(EARLY_LARGE / 4, 4);
	early_blocks.aligned = memalign(4096, 100);
	free(large);
	early_blocks.environ_was_null = !environ;
	pthread_atfork(around_fork, around_fork, around_fork);
	if (argc > 1 && strcmp(argv[1], "hungry") == 0)
		hungry();
}
