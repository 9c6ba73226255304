// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program with a malloc of its own, which takes the first pages: with -DNO_MALLOC
 * without one, and the heap takes them.
 */
#include "chic_rt.h"
#include "machine.h"

extern char __heap_base;

#ifndef NO_MALLOC
void *malloc(size_t size);

void *malloc(size_t size)
{
	static size_t used;

	used += size;
	return &__heap_base + used - size;
}

enum { MALLOC = 1 };
#else
enum { MALLOC = 0 };
#endif

void machine_main(void)
{
	size_t first = __builtin_wasm_memory_size(0) * 65536;
	ValueMutPtr block = chic_rt_alloc(1000, 8), large = chic_rt_alloc(first, 8);

	if (!block.ptr || !large.ptr || large.ptr < block.ptr)
		machine_exit(1);
	machine_exit(((uintptr_t)block.ptr >= first) != MALLOC);
}
