// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vendor's allocator that knows nothing of modules: the malloc family and no
 * metadata.  FAMILY(x) names its functions, so that the same source also makes
 * one with a prefix.
 */
#include <errno.h>
#include <pthread.h>

#include "bump.h"

#ifndef FAMILY
#define FAMILY(x) x
#endif
#define EXPORT __attribute__((visibility("default")))

EXPORT void *FAMILY(malloc)(size_t size);
EXPORT void FAMILY(free)(void *p);
EXPORT void *FAMILY(calloc)(size_t n, size_t size);
EXPORT void *FAMILY(realloc)(void *p, size_t size);
EXPORT void *FAMILY(memalign)(size_t align, size_t size);
EXPORT void *FAMILY(aligned_alloc)(size_t align, size_t size);
EXPORT int FAMILY(posix_memalign)(void **out, size_t align, size_t size);
EXPORT size_t FAMILY(malloc_usable_size)(void *p);

static struct bump bump = {.lock = ATOMIC_FLAG_INIT};

static void before_fork(void)
{
	bump_lock(&bump);
}

static void after_fork(void)
{
	bump_unlock(&bump);
}

/* Every allocator in the wild can be forked with its lock held elsewhere. */
__attribute__((constructor)) static void start(void)
{
	bump_open(&bump);
	pthread_atfork(before_fork, after_fork, after_fork);
}

/* Size 0 gets a block of its own, as glibc does. */
static void *get(size_t size, size_t align)
{
	void *p = bump.start ? bump_get(&bump, size ? size : 1, align) : NULL;

	if (!p)
		errno = ENOMEM;
	return p;
}

void *FAMILY(malloc)(size_t size)
{
	return get(size, BUMP_ALIGN);
}

void FAMILY(free)(void *p)
{
	if (p)
		bump_put(&bump, p);
}

void *FAMILY(calloc)(size_t n, size_t size)
{
	size_t total;
	void *p;

	if (__builtin_mul_overflow(n, size, &total)) {
		errno = ENOMEM;
		return NULL;
	}
	p = get(total, BUMP_ALIGN);
	return p ? memset(p, 0, total) : NULL;
}

void *FAMILY(realloc)(void *p, size_t size)
{
	void *fresh = get(size, BUMP_ALIGN);

	if (!fresh || !p)
		return fresh;
	memcpy(fresh, p, *bump_size(p) < size ? *bump_size(p) : size);
	bump_put(&bump, p);
	return fresh;
}

void *FAMILY(memalign)(size_t align, size_t size)
{
	return get(size, align);
}

void *FAMILY(aligned_alloc)(size_t align, size_t size)
{
	return get(size, align);
}

int FAMILY(posix_memalign)(void **out, size_t align, size_t size)
{
	void *p = get(size, align);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

size_t FAMILY(malloc_usable_size)(void *p)
{
	return p ? *bump_size(p) : 0;
}
