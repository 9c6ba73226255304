// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the heap of a module that owns its memory comes from: what the linker left
 * of the first pages, then memory.grow.
 *
 * A C library's malloc takes those first pages as well.  Where one is linked in they
 * are left to it.
 */
#include "grow.h"

extern char __heap_base; /* the linker's: from here on memory is nobody's */
extern void *malloc(size_t size) __attribute__((weak));

static bool first_pages(size_t bytes, uintptr_t *start, size_t *got)
{
	static bool taken;

	if (taken || malloc)
		return false;
	taken = true;
	*start = (uintptr_t)&__heap_base;
	*got = __builtin_wasm_memory_size(0) * WASM_PAGE - *start;
	if (*got >= bytes)
		return true;
	heap_add(*start, *got);
	return false;
}

bool heap_more(size_t bytes, uintptr_t *start, size_t *got)
{
	return first_pages(bytes, start, got) || grow_memory(bytes, start, got);
}
