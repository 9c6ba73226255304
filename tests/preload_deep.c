// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that frees what the program allocated, to be opened with
 * RTLD_DEEPBIND: it then finds the C library's free before a preloaded one.
 */
#include <stdlib.h>

extern void deep_free(void *p);

void deep_free(void *p)
{
	free(p);
}
