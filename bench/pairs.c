// SPDX-License-Identifier: BSD-2-Clause
/*
 * Times malloc, touch, free: in pairs, and in batches of a hundred blocks.
 * Prints one line "SHAPE SIZE NANOSECONDS" each, the best of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 25
#define PAIRS 100000
#define BATCH 100

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Keeps the compiler from leaving out a block that nobody reads. */
static void touch(void *p)
{
	*(volatile char *)p = 1;
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void *get(size_t size)
{
	void *p = malloc(size);

	if (!p)
		abort();
	touch(p);
	return p;
}

static void pairs(size_t size)
{
	for (int i = 0; i < PAIRS; i++)
		free(get(size));
}

static void batches(size_t size)
{
	void *blocks[BATCH];

	for (int i = 0; i < PAIRS / BATCH; i++) {
		for (int j = 0; j < BATCH; j++)
			blocks[j] = get(size);
		for (int j = 0; j < BATCH; j++)
			free(blocks[j]);
	}
}

static double best(void (*shape)(size_t), size_t size)
{
	double least = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now(), took;

		shape(size);
		took = (now() - start) / PAIRS;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

int main(void)
{
	static const size_t sizes[] = {16, 64, 256, 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		printf("pair %zu %.3f\n", sizes[i], best(pairs, sizes[i]));
		printf("batch %zu %.3f\n", sizes[i], best(batches, sizes[i]));
	}
	return 0;
}
