// SPDX-License-Identifier: BSD-2-Clause
/*
 * Times blocks that are got, touched, put: in pairs, in batches of a hundred, and with
 * mixed sizes and lifetimes; in one thread, or in several at once.  BLOCK is a header
 * that says what a block is, block_malloc.h unless it is defined.
 *
 *	pairs [THREADS]
 *
 * Prints one line "SHAPE SIZE NANOSECONDS" each, for one block in one thread: the best
 * of several rounds, the mean over the threads.
 */
#include "stats.h"

#include <pthread.h>
#include <stddef.h>

#ifndef BLOCK
#define BLOCK "block_malloc.h"
#endif
#include BLOCK

#define ROUNDS 25
#define PAIRS 100000
#define BATCH 100
#define LARGE 32768
#define HELD 1000
#define THREADS_MAX 16

static const size_t sizes[] = {16, 64, 256, 1024, LARGE};
static pthread_barrier_t barrier;
static unsigned short turns[PAIRS], mixed_sizes[PAIRS];

/*
 * The block stays in memory: a handle that is taken apart and put together again makes
 * its reader wait for the parts, and that would be measured.
 */
static inline block get(size_t size)
{
	block b = block_get(size);

	*(volatile char *)block_at(b) = 1;
	__asm__("" : "+m"(b));
	return b;
}

static void pairs(size_t size)
{
	for (int i = 0; i < PAIRS; i++)
		block_put(get(size));
}

static void batches(size_t size)
{
	block blocks[BATCH];

	for (int i = 0; i < PAIRS / BATCH; i++) {
		for (int j = 0; j < BATCH; j++)
			blocks[j] = get(size);
		for (int j = 0; j < BATCH; j++)
			block_put(blocks[j]);
	}
}

/* Each block that comes takes the place of one that goes; size is the largest. */
static void mixed(size_t size)
{
	static __thread block held[HELD];

	(void)size;
	for (int i = 0; i < PAIRS; i++) {
		block *place = &held[turns[i]];

		block_put(*place);
		*place = get(mixed_sizes[i]);
	}
	for (int i = 0; i < HELD; i++) {
		block_put(held[i]);
		held[i] = (block){0};
	}
}

/* All threads begin each round together. */
static double best(void (*shape)(size_t), size_t size)
{
	double least = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start, took;

		pthread_barrier_wait(&barrier);
		start = bench_now();
		shape(size);
		took = (bench_now() - start) / PAIRS;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

struct times {
	double pair[SIZES], batch[SIZES], mixed;
};

static void *measure(void *arg)
{
	struct times *t = arg;

	for (size_t i = 0; i < SIZES; i++) {
		t->pair[i] = best(pairs, sizes[i]);
		/* a batch of the largest is more than heaps keep: it measures the kernel */
		t->batch[i] = sizes[i] == LARGE ? 0 : best(batches, sizes[i]);
	}
	t->mixed = best(mixed, 1024);
	return NULL;
}

/* Small sizes more often than large ones. */
static void draw(void)
{
	unsigned long long state = 88172645463325252;

	for (int i = 0; i < PAIRS; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		turns[i] = state % HELD;
		mixed_sizes[i] = 1 + (state >> 20) % (16u << (state >> 40) % 7);
	}
}

static double mean(const struct times *all, unsigned n, size_t at)
{
	double sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += *(const double *)((const char *)&all[i] + at);
	return sum / n;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	struct times all[THREADS_MAX];
	pthread_t threads[THREADS_MAX];

	if (n < 1 || n > THREADS_MAX)
		return 2;
	draw();
	pthread_barrier_init(&barrier, NULL, n);
	for (unsigned i = 1; i < n; i++)
		if (pthread_create(&threads[i], NULL, measure, &all[i]))
			return 1;
	measure(&all[0]);
	for (unsigned i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < SIZES; i++) {
		size_t at = i * sizeof(double);

		printf("pair %zu %.3f\n", sizes[i],
		       mean(all, n, offsetof(struct times, pair) + at));
		if (sizes[i] != LARGE)
			printf("batch %zu %.3f\n", sizes[i],
			       mean(all, n, offsetof(struct times, batch) + at));
	}
	printf("mixed 1024 %.3f\n", mean(all, n, offsetof(struct times, mixed)));
	return 0;
}
