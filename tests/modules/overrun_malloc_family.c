// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vendor's allocator that is built to find overruns: what it tells beforehand is what
 * a block takes, afterwards what was asked for.
 */
#include <errno.h>
#include <pthread.h>

#include "bump.h"

#define PASTE(x) ov_##x
#define FAMILY(x) PASTE(x)
#include "plain_malloc_family.c"

EXPORT void *ov_mallocx(size_t size, int flags);
EXPORT size_t ov_nallocx(size_t size, int flags);

void *ov_mallocx(size_t size, int flags)
{
	(void)flags;
	return ov_malloc(size);
}

size_t ov_nallocx(size_t size, int flags)
{
	(void)flags;
	return (size + 15) / 16 * 16;
}
