// SPDX-License-Identifier: BSD-2-Clause
/*
 * Installs two tables in turn; prints installs per microsecond.
 *
 *	installs INSTALLS
 *
 * With INSTALLS_BUSY in the environment another thread allocates all the while.
 */
#include "stats.h"

#include <chic_rt.h>

#include <pthread.h>
#include <stdatomic.h>

static atomic_bool done;

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
	start = bench_now();
	for (long i = 0; i < n; i++)
		chic_rt_allocator_install(tables[i & 1]);
	printf("%.4f\n", n / (bench_now() - start) * 1e3);
	atomic_store(&done, true);
	if (busy)
		pthread_join(thread, NULL);
	return 0;
}
