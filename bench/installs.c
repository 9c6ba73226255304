// SPDX-License-Identifier: BSD-2-Clause
/*
 * Installs two tables in turn; prints installs per microsecond.
 *
 *	installs INSTALLS
 *
 * With INSTALLS_BUSY in the environment another thread allocates all the while.
 */
#include <chic_rt.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static atomic_bool done;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static ValueMutPtr get(void *context, size_t size, size_t align)
{
	(void)context;
	return (ValueMutPtr){malloc(size), size, align};
}

static void put(void *context, ValueMutPtr block)
{
	(void)context;
	free(block.ptr);
}

static void *allocate(void *arg)
{
	while (!atomic_load_explicit(&done, memory_order_relaxed))
		chic_rt_free(chic_rt_alloc(64, 16));
	return arg;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	bool busy = getenv("INSTALLS_BUSY");
	ChicAllocatorVTable tables[2];
	pthread_t thread;
	double start;

	for (int i = 0; i < 2; i++)
		tables[i] = (ChicAllocatorVTable){&tables[i], get, NULL, NULL, put};
	if (busy && pthread_create(&thread, NULL, allocate, NULL) != 0)
		return EXIT_FAILURE;
	start = now();
	for (long i = 0; i < n; i++)
		chic_rt_allocator_install(tables[i & 1]);
	printf("%.4f\n", n / (now() - start));
	atomic_store(&done, true);
	if (busy)
		pthread_join(thread, NULL);
	return 0;
}
