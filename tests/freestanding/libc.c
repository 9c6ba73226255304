// SPDX-License-Identifier: BSD-2-Clause
/*
 * malloc and free for the ledger: an arena of its own beside the one under test.
 */
#include <stdlib.h>

#include "chic_freestanding.h"

static uint64_t room[HEAP_BYTES / sizeof(uint64_t)];
static void *arena;

static ValueMutPtr get(size_t align, size_t size)
{
	const struct chic_module_param params[] = {
		{.name = "buffer", .number = (uintptr_t)room},
		{.name = "size", .number = sizeof(room)},
	};
	const struct chic_module_args args = {
		.size = sizeof(args),
		.params = params,
		.n_params = 2,
	};

	if (!arena && chic_builtin_arena.init(&args, NULL, &arena) != 0)
		return (ValueMutPtr){0};
	return chic_builtin_arena.alloc(arena, size, align);
}

void *malloc(size_t size)
{
	return get(16, size).ptr;
}

int posix_memalign(void **p, size_t align, size_t size)
{
	*p = get(align, size).ptr;
	return *p ? 0 : CHIC_ENOMEM;
}

void free(void *p)
{
	if (p)
		chic_builtin_arena.free(arena, (ValueMutPtr){.ptr = p});
}
