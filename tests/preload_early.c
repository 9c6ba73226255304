// SPDX-License-Identifier: BSD-2-Clause
/*
 * A library that allocates in its constructor, which runs before all others: it
 * is linked with -z initfirst.  It registers fork handlers there that allocate.
 */
#include "preload_early.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct early_blocks early_blocks;

static void around_fork(void)
{
	void *volatile p = malloc(100);

	free(p);
	early_blocks.fork_handlers_ran++;
}

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
	pthread_atfork(around_fork, around_fork, around_fork);
}
