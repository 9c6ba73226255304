// SPDX-License-Identifier: BSD-2-Clause
/*
 * Calls the malloc family and has none.  The older kind of hash table, which it
 * is linked with, lists what is undefined too.
 */
#include "must_not_run.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT void *volatile imported[4];

EXPORT void imported_malloc_family_use(void);
EXPORT void imported_malloc_family_use(void)
{
	imported[0] = malloc(1);
	imported[1] = calloc(1, 1);
	imported[2] = realloc(imported[0], 2);
	free(imported[1]);
}
