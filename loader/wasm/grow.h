/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.grow as heap_more() wants it.
 */
#ifndef CHIC_WASM_GROW_H
#define CHIC_WASM_GROW_H

#include "heap.h"

#define WASM_PAGE ((size_t)65536)

static inline bool grow_memory(size_t bytes, uintptr_t *start, size_t *got)
{
	size_t pages = bytes / WASM_PAGE + (bytes % WASM_PAGE != 0);
	size_t old = __builtin_wasm_memory_grow(0, pages);

	if (old == SIZE_MAX)
		return false;
	*start = old * WASM_PAGE;
	*got = pages * WASM_PAGE;
	return true;
}

#endif /* CHIC_WASM_GROW_H */
