/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: huge pages, where there are any.
 *
 * For large blocks that will be written to all over the kernel is asked to give them such
 * pages, which it may do or not.  2 MiB then take one page fault instead of 512, and as
 * much less to give back.
 */
#ifndef CHIC_RUNTIME_HUGE_H
#define CHIC_RUNTIME_HUGE_H

#include <stddef.h>
#include <stdint.h>

#if __STDC_HOSTED__ && defined(__linux__)
#include <errno.h>
#include <sys/mman.h>

#define RT_HUGE ((size_t)2 << 20)

/* Of a block of RT_HUGE bytes at least those pages that are all its own. */
static inline void rt_advise_huge(uint8_t *p, size_t size)
{
	uint8_t *from = p + (-(uintptr_t)p & (RT_HUGE - 1));
	uint8_t *to = p + size - ((uintptr_t)(p + size) & (RT_HUGE - 1));
	int err = errno;

	if (to > from)
		madvise(from, to - from, MADV_HUGEPAGE);
	errno = err; /* what the kernel thinks of it is nobody's matter */
}
#else
#define RT_HUGE ((size_t)0)

static inline void rt_advise_huge(uint8_t *p, size_t size)
{
	(void)p;
	(void)size;
}
#endif

#endif /* CHIC_RUNTIME_HUGE_H */
