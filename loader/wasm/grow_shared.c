// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where the heap of a module that is in somebody else's memory comes from: what it is
 * given, then memory.grow.  Pages that others take by memory.grow are theirs.
 */
#include "core.h"
#include "grow.h"

bool heap_more(size_t bytes, uintptr_t *start, size_t *got)
{
	return grow_memory(bytes, start, got);
}

/*
 * 1 if the memory is of use: nothing else may use it from now on.  0 for too little, or
 * more than there is.
 */
CHIC_EXPORT int chic_alloc_heap(uintptr_t start, size_t bytes);

int chic_alloc_heap(uintptr_t start, size_t bytes)
{
	return (uint64_t)start + bytes <= (uint64_t)__builtin_wasm_memory_size(0) * WASM_PAGE &&
	       heap_add(start, bytes);
}
