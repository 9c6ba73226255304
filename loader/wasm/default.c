// SPDX-License-Identifier: BSD-2-Clause
/*
 * The platform heap of WebAssembly as hooks.
 */
#include <string.h>

#include "heap.h"
#include "platform.h"

static ValueMutPtr default_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return handle(heap_alloc(size, align), size, align);
}

static ValueMutPtr default_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	void *p = heap_alloc(size, align);

	(void)ctx;
	if (p)
		memset(p, 0, size);
	return handle(p, size, align);
}

static ValueMutPtr default_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				   size_t align)
{
	(void)ctx;
	(void)old_size;
	if (!old.ptr)
		return handle(heap_alloc(size, align), size, align);
	return handle(heap_realloc(old.ptr, size, align), size, align);
}

static void default_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	heap_free(block.ptr);
}

const struct table platform_table = {
	.alloc = {default_alloc, NULL},
	.alloc_zeroed = {default_alloc_zeroed, NULL},
	.realloc = {default_realloc, NULL},
	.free = {default_free, NULL},
};
