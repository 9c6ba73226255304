// SPDX-License-Identifier: BSD-2-Clause
/*
 * Back end of guard for every system: slots are opened by mprotect() and closed by
 * a new mapping, which gives the memory back and merges with its neighbours.  A
 * live block costs two mappings, of which a process may have so many.
 *
 * All slots are apart: guard_backend.c opens and closes these the same way under
 * every back end.  What is tied is a predecessor's that serves no longer; it is
 * open for good, until it is torn out.
 */
#include "guard.h"

static int mprotect_start(struct guard *g)
{
	(void)g;
	return 0;
}

static void mprotect_stop(struct guard *g)
{
	(void)g;
}

static bool mprotect_refuse(struct guard *g, char *p, size_t size)
{
	(void)g;
	(void)p;
	(void)size;
	return false;
}

static enum guard_content mprotect_open_already(struct guard *g, char *p, size_t size,
						bool pattern)
{
	(void)g;
	(void)p;
	(void)size;
	(void)pattern;
	return GUARD_ANY;
}

const struct guard_backend guard_mprotect = {
	.name = "mprotect",
	.start = mprotect_start,
	.stop = mprotect_stop,
	.arm = mprotect_refuse,
	.open = mprotect_open_already,
	.close = mprotect_refuse,
};
