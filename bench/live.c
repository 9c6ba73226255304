// SPDX-License-Identifier: BSD-2-Clause
/*
 * Replaces blocks at random while 1,000, 10,000 and so on up to MOST are live.
 *
 *	live MOST
 *
 * Prints lines "SUBJECT NANOSECONDS", per replacement.
 */
#include "stats.h"

#include <stdint.h>

#define TURNS 5
#define REPLACED 100000

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void *get(uint32_t *state)
{
	char *p = malloc(16 + (next_random(state) & 48));

	if (!p) {
		fprintf(stderr, "live: no memory\n");
		exit(EXIT_FAILURE);
	}
	*(volatile char *)p = 1;
	return p;
}

static double replace(void **blocks, size_t n, uint32_t *state)
{
	double start = bench_now();

	for (int i = 0; i < REPLACED; i++) {
		void **block = &blocks[next_random(state) % n];

		free(*block);
		*block = get(state);
	}
	return (bench_now() - start) / REPLACED;
}

static double best(void **blocks, size_t n, uint32_t *state)
{
	double least = 0;

	for (int turn = 0; turn < TURNS; turn++) {
		double took = replace(blocks, n, state);

		if (turn == 0 || took < least)
			least = took;
	}
	return least;
}

int main(int argc, char **argv)
{
	size_t most = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, live = 0;
	void **blocks = calloc(most + 1, sizeof(*blocks));
	uint32_t state = 1;

	if (most < 1000 || !blocks)
		return 2;
	for (size_t n = 1000; n <= most; n *= 10) {
		while (live < n)
			blocks[live++] = get(&state);
		printf("%zu blocks %.3f\n", n, best(blocks, n, &state));
	}
	return 0;
}
