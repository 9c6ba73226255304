// SPDX-License-Identifier: BSD-2-Clause
/*
 * Large blocks that will be written to all over: the kernel is asked to give them huge
 * pages, which it may do or not.  A block of 2 MiB then takes one page fault instead of
 * 512, and as much less to give back.
 */
#include "internal.h"

#include <errno.h>
#include <sys/mman.h>

#ifdef MADV_HUGEPAGE
#define ADVICE MADV_HUGEPAGE
#else
#define ADVICE MADV_NORMAL
#endif

/* Only pages that are all the block's.  What the kernel thinks of it is nobody's matter. */
void rt_advise_huge(uint8_t *p, size_t size)
{
	uint8_t *from = p + (-(uintptr_t)p & (RT_HUGE - 1));
	uint8_t *to = p + size - ((uintptr_t)(p + size) & (RT_HUGE - 1));
	int err = errno;

	if (to > from)
		madvise(from, to - from, ADVICE);
	errno = err;
}
