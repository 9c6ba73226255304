// SPDX-License-Identifier: BSD-2-Clause
/*
 * How often the filter of release 0.1 is called for what this program does: once
 * each through the malloc family, or, with -DLINKED, through chic_rt_*.  The
 * filter's file is the argument.
 */
#define _GNU_SOURCE
#include "frozen.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef LINKED
#include <chic_rt.h>
#else
#include <malloc.h>
#endif

static const struct {
	const char *name;
	unsigned index;
} counters[] = {
	{"alloc", SEEN_ALLOC},
	{"alloc_zeroed", SEEN_ALLOC_ZEROED},
	{"realloc", SEEN_REALLOC},
	{"free", SEEN_FREE},
	{"malloc", SEEN_MALLOC},
	{"calloc", SEEN_CALLOC},
	{"memalign", SEEN_MEMALIGN},
	{"remalloc", SEEN_REMALLOC},
	{"mfree", SEEN_MFREE},
	{"prefork", SEEN_PREFORK},
	{"postfork_parent", SEEN_POSTFORK_PARENT},
	{"postfork_child", SEEN_POSTFORK_CHILD},
};

#define COUNTERS (sizeof(counters) / sizeof(*counters))

static atomic_uint *seen;
static unsigned before[SEEN_COUNT], after[SEEN_COUNT];

static void look(unsigned out[])
{
	for (unsigned i = 0; i < SEEN_COUNT; i++)
		out[i] = atomic_load(&seen[i]);
}

static int is(const unsigned char *p, unsigned char value, size_t n)
{
	while (n && p[n - 1] == value)
		n--;
	return p && !n;
}

#ifdef LINKED
static int work(void)
{
	ValueMutPtr a = chic_rt_alloc(1000, 64), z = chic_rt_alloc_zeroed(1000, 8);
	int good = (uintptr_t)a.ptr % 64 == 0 && is(z.ptr, 0, 1000);

	memset(a.ptr, 5, 1000);
	a = chic_rt_realloc(a, 1000, 3000, 64);
	good = good && is(a.ptr, 5, 1000) && a.size == 3000 && a.align == 64;
	chic_rt_free(a);
	chic_rt_free(z);
	return good;
}
#else
static int work(void)
{
	unsigned char *volatile p = malloc(1000), *volatile z = calloc(10, 100);
	void *volatile aligned = memalign(4096, 10);
	int good = is(z, 0, 1000) && (uintptr_t)aligned % 4096 == 0;

	memset(p, 5, 1000);
	p = realloc(p, 3000);
	good = good && is(p, 5, 1000) && malloc_usable_size(p) >= 3000;
	free(p);
	free(z);
	free(aligned);
	return good;
}
#endif

/* The child answers whether it was told of the fork. */
static int child_was_told(void)
{
	unsigned told = atomic_load(&seen[SEEN_POSTFORK_CHILD]);
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(atomic_load(&seen[SEEN_POSTFORK_CHILD]) == told + 1 ? 0 : 1);
	waitpid(pid, &status, 0);
	return status == 0;
}

int main(int argc, char **argv)
{
	void *handle = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) : NULL;
	int good;

	seen = handle ? dlsym(handle, "release_0_1_filter_seen") : NULL;
	if (!seen) {
		puts("the filter is not in this process");
		return 1;
	}
	look(before);
	good = work() && child_was_told();
	look(after);
	for (unsigned i = 0; i < COUNTERS; i++)
		if (after[counters[i].index] != before[counters[i].index])
			printf("%s %u\n", counters[i].name,
			       after[counters[i].index] - before[counters[i].index]);
	puts(good ? "good" : "bad");
	return !good;
}
