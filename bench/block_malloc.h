/* SPDX-License-Identifier: BSD-2-Clause */
/* For pairs.c: blocks of malloc and free. */
#include <stdlib.h>

typedef void *block;

static inline block block_get(size_t size)
{
	return malloc(size);
}

static inline void *block_at(block b)
{
	return b;
}

static inline void block_put(block b)
{
	free(b);
}
