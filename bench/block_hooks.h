/* SPDX-License-Identifier: BSD-2-Clause */
/* For pairs.c: blocks of the hooks. */
#include <chic_rt.h>

typedef ValueMutPtr block;

static inline block block_get(size_t size)
{
	return chic_rt_alloc(size, 16);
}

static inline void *block_at(block b)
{
	return b.ptr;
}

static inline void block_put(block b)
{
	chic_rt_free(b);
}
