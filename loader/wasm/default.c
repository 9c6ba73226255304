// SPDX-License-Identifier: BSD-2-Clause
/*
 * The platform heap of WebAssembly: as hooks, which take any alignment, and as the
 * functions of a malloc family.
 */
#include <string.h>

#include "heap.h"
#include "platform.h"

static void *zeroed(size_t size, size_t align)
{
	void *p = heap_alloc(size, align);

	return p ? memset(p, 0, size) : NULL;
}

/* ---- hooks ---- */

static ValueMutPtr default_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return handle(heap_alloc(size, align), size, align);
}

static ValueMutPtr default_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return handle(zeroed(size, align), size, align);
}

static ValueMutPtr default_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				   size_t align)
{
	void *p = old.ptr ? heap_realloc(old.ptr, size, align) : heap_alloc(size, align);

	(void)ctx;
	(void)old_size;
	return handle(p, size, align);
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

/* ---- a family, as hooks.c calls it ---- */

static void *family_malloc(size_t size)
{
	return heap_alloc(size, 1);
}

static void *family_calloc(size_t n, size_t size)
{
	return zeroed(n * size, 1);
}

static void *family_realloc(void *p, size_t size)
{
	return p ? heap_realloc(p, size, 1) : heap_alloc(size, 1);
}

const struct chic_malloc_family platform_family = {
	.malloc = family_malloc,
	.free = heap_free,
	.calloc = family_calloc,
	.realloc = family_realloc,
};
