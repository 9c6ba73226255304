// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rest of the malloc family: requests with an alignment, and entries that
 * are made of others.
 *
 * The latter call malloc's kin by name, as the C library does: in a program
 * that defines malloc itself, its blocks must go to its own realloc and free.
 */
#include "preload.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

static bool power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

/* n is at most the greatest power of two. */
static size_t round_to_power(size_t n)
{
	size_t power = CHIC_MALLOC_ALIGN;

	while (power < n)
		power *= 2;
	return power;
}

CHIC_EXPORT void *memalign(size_t align, size_t size)
{
	if (align > SIZE_MAX / 2 + 1) {
		errno = EINVAL;
		return NULL;
	}
	return preload_memalign(round_to_power(align), size);
}

CHIC_EXPORT void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

CHIC_EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
	int saved = errno;
	void *p;

	if (!power_of_two(align) || align < sizeof(void *))
		return EINVAL;
	p = preload_memalign(align, size);
	errno = saved;
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

CHIC_EXPORT void *valloc(size_t size)
{
	return preload_memalign(sysconf(_SC_PAGESIZE), size);
}

CHIC_EXPORT void *pvalloc(size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (size > SIZE_LIMIT - page)
		return no_memory();
	return preload_memalign(page, (size + page - 1) & ~(page - 1));
}

CHIC_EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return no_memory();
	return realloc(p, total);
}

CHIC_EXPORT void free_sized(void *p, size_t size)
{
	(void)size;
	free(p);
}

CHIC_EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
	(void)align;
	(void)size;
	free(p);
}

/* Old programs still call it, and would reach the C library's free. */
CHIC_EXPORT void cfree(void *p)
{
	free(p);
}
