// SPDX-License-Identifier: BSD-2-Clause
/* A program that opens the library at run time, in a thread that then ends. */
#include <chic_alloc.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static ValueMutPtr (*alloc)(size_t size, size_t align);
static void (*release)(ValueMutPtr block);
static AllocationTelemetry (*stats)(void);
static int (*each)(int (*fn)(const struct chic_alloc_info *, void *arg), void *arg);

static int print_layer(const struct chic_alloc_info *info, void *arg)
{
	(void)arg;
	printf("layer %s\n", info->name);
	return 0;
}

static void *open_and_use(void *library)
{
	void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!lib) {
		printf("%s\n", dlerror());
		return NULL;
	}
	*(void **)&alloc = dlsym(lib, "chic_rt_alloc");
	*(void **)&release = dlsym(lib, "chic_rt_free");
	*(void **)&stats = dlsym(lib, "chic_rt_alloc_stats");
	*(void **)&each = dlsym(lib, "chic_alloc_each");
	release(alloc(100, 8));
	each(print_layer, NULL);
	dlclose(lib); /* its code has to stay for this thread's end */
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 2 || pthread_create(&thread, NULL, open_and_use, argv[1]) != 0)
		return 2;
	pthread_join(thread, NULL);
	if (!alloc)
		return 1;
	release(alloc(11, 1));
	printf("alloc %zu/%zu\n", stats().alloc_calls, stats().alloc_bytes);
	return 0;
}
