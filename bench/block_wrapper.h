/* SPDX-License-Identifier: BSD-2-Clause */
/* For pairs.c: functions of the hooks' signatures that call malloc and free, and no more. */
#include <stdlib.h>

#include <chic_rt.h>
#include "../loader/handle.h"

typedef ValueMutPtr block;

__attribute__((noipa)) static block wrapped_alloc(size_t size, size_t align)
{
	return handle(malloc(size), size, align);
}

__attribute__((noipa)) static void wrapped_free(block b)
{
	free(b.ptr);
}

static inline block block_get(size_t size)
{
	return wrapped_alloc(size, 16);
}

static inline void *block_at(block b)
{
	return b.ptr;
}

static inline void block_put(block b)
{
	wrapped_free(b);
}
