// SPDX-License-Identifier: BSD-2-Clause
/*
 * The platform heap of firmware: there is none.  Until an allocator is installed
 * every request fails, and what is given back is not looked at.
 */
#include "platform.h"

static ValueMutPtr no_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return handle(NULL, size, align);
}

static ValueMutPtr no_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			      size_t align)
{
	(void)ctx;
	(void)old;
	(void)old_size;
	return handle(NULL, size, align);
}

static void no_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	(void)block;
}

const struct table platform_table = {
	.alloc = {no_alloc, NULL},
	.alloc_zeroed = {no_alloc, NULL},
	.realloc = {no_realloc, NULL},
	.free = {no_free, NULL},
};
