// SPDX-License-Identifier: BSD-2-Clause
/*
 * What bench/wasm.mjs runs, compiled to WebAssembly with one allocator each: blocks
 * of random sizes, taken and given back in random order.
 *
 *	BENCH_LIBC	malloc and free of the C library it is linked with
 *	BENCH_HEAP	the heap below the hooks
 *	otherwise	chic_rt_alloc and chic_rt_free
 */
#include <stddef.h>
#include <stdint.h>

#if defined(BENCH_LIBC)
#include <stdlib.h>
#define BLOCK void *
#define GET(size) malloc(size)
#define PUT(block) free(block)
#define ADDRESS(block) (block)
#elif defined(BENCH_HEAP)
#include "heap.h"
#define BLOCK void *
#define GET(size) heap_alloc(size, 8)
#define PUT(block) heap_free(block)
#define ADDRESS(block) (block)
#else
#include "chic_rt.h"
#define BLOCK ValueMutPtr
#define GET(size) chic_rt_alloc(size, 8)
#define PUT(block) chic_rt_free(block)
#define ADDRESS(block) ((block).ptr)
#endif

#define SLOTS_MAX 65536

/* As many bytes with every allocator, so that pages can be compared. */
static union {
	BLOCK block;
	uint32_t handle[3];
} slots[SLOTS_MAX];
static uint32_t state;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* uniform: any size up to max alike; else any power of two alike. */
static size_t next_size(uint32_t max, int uniform)
{
	uint32_t n = next_random();

	if (!uniform)
		max >>= n >> 8 & 7;
	return 1 + n % max;
}

/* Each step takes a block or gives one back; the answer is how many were refused. */
__attribute__((export_name("run"))) unsigned run(unsigned steps, unsigned n, uint32_t max,
						 int uniform, uint32_t seed)
{
	unsigned refused = 0;

	state = seed;
	for (unsigned i = 0; i < steps; i++) {
		BLOCK *s = &slots[next_random() % n].block;

		if (ADDRESS(*s)) {
			PUT(*s);
			*s = (BLOCK){0};
			continue;
		}
		*s = GET(next_size(max, uniform));
		if (ADDRESS(*s))
			*(volatile char *)ADDRESS(*s) = 1;
		else
			refused++;
	}
	for (unsigned i = 0; i < n; i++) {
		if (ADDRESS(slots[i].block))
			PUT(slots[i].block);
		slots[i].block = (BLOCK){0};
	}
	return refused;
}
