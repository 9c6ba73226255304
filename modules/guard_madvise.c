// SPDX-License-Identifier: BSD-2-Clause
/*
 * Back end of guard for Linux since 6.13: markers in the page tables, which cost no
 * mappings, are a forked child's as well and need no file descriptor.
 */
#include "guard.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

static bool madvise_close(struct guard *g, char *p, size_t size)
{
	(void)g;
	/* gives the memory back; not possible where it is locked */
	return madvise(p, size, MADV_GUARD_INSTALL) == 0;
}

static enum guard_content madvise_open(struct guard *g, char *p, size_t size, bool pattern)
{
	(void)pattern;
	if (madvise(p, size, MADV_GUARD_REMOVE) != 0)
		return GUARD_NOT_OPEN;
	return g->fallen ? GUARD_ANY : GUARD_ZERO;
}

static bool madvise_arm(struct guard *g, char *p, size_t size)
{
	if (mprotect(p, size, PROT_READ | PROT_WRITE) != 0)
		return false;
	if (madvise_close(g, p, size))
		return true;
	mprotect(p, size, PROT_NONE);
	return false;
}

static int madvise_start(struct guard *g)
{
	int err = 0;

	if (mprotect(g->base, g->page, PROT_READ | PROT_WRITE) != 0)
		return -errno;
	if (madvise(g->base, g->page, MADV_GUARD_INSTALL) != 0)
		err = -errno;
	mprotect(g->base, g->page, PROT_NONE);
	return err;
}

static void madvise_stop(struct guard *g)
{
	(void)g;
}

const struct guard_backend guard_madvise = {
	.name = "madvise",
	.start = madvise_start,
	.stop = madvise_stop,
	.arm = madvise_arm,
	.open = madvise_open,
	.close = madvise_close,
};
