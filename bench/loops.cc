// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a block costs: by the C library's malloc and free, by a bare wrapper that has the
 * hooks' signatures, and by the hooks with their counters.
 *
 *	loops THREADS
 *
 * LOOPS is malloc, wrapper or, WITH_HOOKS, chic.  Prints lines "SHAPE NANOSECONDS" per block, the best
 * of several turns: pairs, batches of a hundred, and mixed lifetimes, where blocks of many
 * sizes are replaced at random.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef WITH_HOOKS
#include <chic_rt.h>
#include "handle.h"
#endif

namespace
{

enum { TURNS = 15, BATCH = 100, SLOTS = 1000, THREADS_MAX = 8 };

const size_t sizes[] = {16, 64, 256, 1024, 4096, 32768};

double now()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* No more than a program would do: a handle that is taken apart and put together again
   makes its reader wait for the parts, and that would be measured. */
void touch(void *p)
{
	*static_cast<volatile char *>(p) = 1;
}

/* Each kind: what a block is to its owner, get() and put(). */
struct by_malloc {
	typedef void *block;
	static block get(size_t size)
	{
		void *p = malloc(size);

		touch(p);
		return p;
	}
	static void put(block p)
	{
		free(p);
	}
};

#ifdef WITH_HOOKS
__attribute__((noipa)) ValueMutPtr wrapped_alloc(size_t size, size_t align)
{
	return handle(malloc(size), size, align);
}

__attribute__((noipa)) void wrapped_free(ValueMutPtr p)
{
	free(p.ptr);
}

struct by_wrapper {
	typedef ValueMutPtr block;
	static block get(size_t size)
	{
		ValueMutPtr p = wrapped_alloc(size, 16);

		touch(p.ptr);
		return p;
	}
	static void put(block p)
	{
		wrapped_free(p);
	}
};

struct by_hooks {
	typedef ValueMutPtr block;
	static block get(size_t size)
	{
		ValueMutPtr p = chic_rt_alloc(size, 16);

		touch(p.ptr);
		return p;
	}
	static void put(block p)
	{
		chic_rt_free(p);
	}
};
#endif

template <class kind> void pairs(size_t size, int blocks)
{
	for (int i = 0; i < blocks; i++)
		kind::put(kind::get(size));
}

template <class kind> void batches(size_t size, int blocks)
{
	typename kind::block block[BATCH];

	for (int i = 0; i < blocks / BATCH; i++) {
		for (int j = 0; j < BATCH; j++)
			block[j] = kind::get(size);
		for (int j = 0; j < BATCH; j++)
			kind::put(block[j]);
	}
}

uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Sizes of 16 bytes to 1 KiB, half of them below 64. */
template <class kind> void mixed(size_t, int blocks)
{
	static thread_local typename kind::block block[SLOTS];
	static thread_local bool filled;
	uint32_t state = 1;

	for (int i = 0; !filled && i < SLOTS; i++)
		block[i] = kind::get(16);
	filled = true;
	for (int i = 0; i < blocks; i++) {
		uint32_t r = next_random(&state);
		size_t size = r & 1 ? 16 + (r >> 1 & 47) : 64 << (r >> 1 & 3);
		typename kind::block *b = &block[(r >> 12) % SLOTS];

		kind::put(*b);
		*b = kind::get(size);
	}
}

struct shape {
	void (*run)(size_t size, int blocks);
	size_t size;
	int blocks;
	pthread_barrier_t barrier;
	double best[THREADS_MAX];
};

struct worker {
	struct shape *shape;
	unsigned number;
};

/* All threads begin each turn together. */
void *work(void *arg)
{
	struct worker *w = static_cast<struct worker *>(arg);
	double least = 0;

	for (int turn = 0; turn < TURNS; turn++) {
		double start, took;

		pthread_barrier_wait(&w->shape->barrier);
		start = now();
		w->shape->run(w->shape->size, w->shape->blocks);
		took = (now() - start) / w->shape->blocks;
		if (turn == 0 || took < least)
			least = took;
	}
	w->shape->best[w->number] = least;
	return NULL;
}

void measure(const char *name, struct shape *s, unsigned n)
{
	struct worker workers[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	double sum = 0;

	pthread_barrier_init(&s->barrier, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		workers[i] = {s, i};
		if (i && pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	work(&workers[0]);
	for (unsigned i = 1; i < n; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < n; i++)
		sum += s->best[i];
	printf("%s %.3f\n", name, sum / n);
}

template <class kind> void measure_all(unsigned n)
{
	struct shape s = {};
	char name[40];

	for (size_t size : sizes) {
		s.size = size;
		s.blocks = 20000;
		snprintf(name, sizeof(name), "pair %zu", size);
		s.run = pairs<kind>;
		measure(name, &s, n);
		snprintf(name, sizeof(name), "batch %zu", size);
		s.run = batches<kind>;
		s.blocks = size > 1024 ? 2000 : 20000; /* pages are touched anew */
		measure(name, &s, n);
	}
	s.run = mixed<kind>;
	s.blocks = 20000;
	measure("mixed", &s, n);
}

} // namespace

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	const char *kind = getenv("LOOPS");

	if (!kind || n < 1 || n > THREADS_MAX) {
		fprintf(stderr, "usage: LOOPS=malloc|wrapper|chic loops THREADS\n");
		return 2;
	}
	if (strcmp(kind, "malloc") == 0)
		measure_all<by_malloc>(n);
#ifdef WITH_HOOKS
	else if (strcmp(kind, "wrapper") == 0)
		measure_all<by_wrapper>(n);
	else if (strcmp(kind, "chic") == 0)
		measure_all<by_hooks>(n);
#endif
	else
		return 2;
	return 0;
}
