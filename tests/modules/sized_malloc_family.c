// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vendor's allocator that tells beforehand what a block holds: multiples of 32 up to
 * 512, of 4 above.  It knows how often it was asked afterwards.
 */
#include <errno.h>
#include <pthread.h>

#include "bump.h"

#define PASTE(x) inner_##x
#define FAMILY(x) PASTE(x)
#include "plain_malloc_family.c"

EXPORT void *sz_malloc(size_t size);
EXPORT void sz_free(void *p);
EXPORT void *sz_calloc(size_t n, size_t size);
EXPORT void *sz_realloc(void *p, size_t size);
EXPORT void *sz_memalign(size_t align, size_t size);
EXPORT size_t sz_usable_size(void *p);
EXPORT size_t sz_good_size(size_t size);
extern size_t sz_asked __attribute__((visibility("default")));

size_t sz_asked;

size_t sz_good_size(size_t size)
{
	size_t step = size <= 512 ? 32 : 4;

	return (size + step - 1) / step * step;
}

void *sz_malloc(size_t size)
{
	return inner_malloc(sz_good_size(size));
}

void sz_free(void *p)
{
	inner_free(p);
}

void *sz_calloc(size_t n, size_t size)
{
	return inner_calloc(n, size);
}

void *sz_realloc(void *p, size_t size)
{
	return inner_realloc(p, size);
}

void *sz_memalign(size_t align, size_t size)
{
	return inner_memalign(align, size);
}

size_t sz_usable_size(void *p)
{
	sz_asked++;
	return inner_malloc_usable_size(p);
}
