// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that allocates in its constructor, which runs before all others: it
 * is linked with -z initfirst.
 */
#include "preload_early.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct early_blocks early_blocks;

__attribute__((constructor)) static void early(void)
{
	unsigned char *volatile large = malloc(72704);
	unsigned char *p = malloc(10);

	memset(p, 5, 10);
	early_blocks.malloced = realloc(p, EARLY_ODD);
	memset(early_blocks.malloced, 5, EARLY_ODD);
	early_blocks.zeroed = calloc(EARLY_LARGE / 4, 4);
	early_blocks.aligned = memalign(4096, 100);
	free(large);
	early_blocks.environ_was_null = !environ;
}
