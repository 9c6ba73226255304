// SPDX-License-Identifier: BSD-2-Clause
/*
 * Times a pair of chic_rt_alloc and chic_rt_free, counters on, beside malloc and free,
 * and chic_rt_allocator_install.  Prints "pair SIZE MALLOC HOOKS RATIO", nanoseconds, the
 * best of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "chic_rt.h"

#define ROUNDS 40
#define TURNS 100000

static size_t size;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void touch(void *p)
{
	*(volatile char *)p = 1;
	__asm__ volatile("" : : "r"(p) : "memory");
}

static void by_malloc(void)
{
	for (int i = 0; i < TURNS; i++) {
		void *p = malloc(size);

		touch(p);
		free(p);
	}
}

static void by_hooks(void)
{
	for (int i = 0; i < TURNS; i++) {
		ValueMutPtr block = chic_rt_alloc(size, 8);

		touch(block.ptr);
		chic_rt_free(block);
	}
}

static ValueMutPtr none(void *context, size_t bytes, size_t align)
{
	(void)context;
	return (ValueMutPtr){NULL, bytes, align};
}

/* Two tables in turn. */
static void installs(void)
{
	const ChicAllocatorVTable tables[] = {{.alloc = NULL}, {.alloc = none}};

	for (int i = 0; i < TURNS; i++)
		chic_rt_allocator_install(tables[i % 2 == 0]);
}

static double best(void (*turns)(void))
{
	double least = 0;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now(), took;

		turns();
		took = (now() - start) / TURNS;
		if (i == 0 || took < least)
			least = took;
	}
	return least;
}

int main(void)
{
	static const size_t sizes[] = {16, 64, 256, 1024};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		double plain, hooks;

		size = sizes[i];
		plain = best(by_malloc);
		hooks = best(by_hooks);
		printf("pair %zu %.2f %.2f %.3f\n", size, plain, hooks, hooks / plain);
	}
	printf("install %.1f\n", best(installs));
	return 0;
}
