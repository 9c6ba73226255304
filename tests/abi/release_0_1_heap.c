// SPDX-License-Identifier: BSD-2-Clause
/*
 * A heap as release 0.1 built it, with the least that a heap may have: the loader
 * makes the other hooks and all twins of alloc, free and usable_size.  FROZEN, see
 * frozen.h.
 */
#include "frozen.h"

#include "../modules/bump.h"

FROZEN_INFO("name=release_0_1_heap");
FROZEN_INFO("abi=1");
FROZEN_INFO("kind=heap");

FROZEN_EXPORT struct frozen_block release_0_1_heap_alloc(void *ctx, size_t size, size_t align);
FROZEN_EXPORT void release_0_1_heap_free(void *ctx, struct frozen_block block);
FROZEN_EXPORT size_t release_0_1_heap_usable_size(void *ctx, const void *p);

static struct bump bump = {.lock = ATOMIC_FLAG_INIT};

__attribute__((constructor)) static void open_bump(void)
{
	bump_open(&bump);
}

struct frozen_block release_0_1_heap_alloc(void *ctx, size_t size, size_t align)
{
	void *p = ctx ? NULL : bump_get(&bump, size, align); /* no init: no context */

	return (struct frozen_block){.ptr = p, .size = size, .align = align};
}

void release_0_1_heap_free(void *ctx, struct frozen_block block)
{
	(void)ctx;
	bump_put(&bump, block.ptr);
}

size_t release_0_1_heap_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return *bump_size(p);
}
