// SPDX-License-Identifier: BSD-2-Clause
/*
 * A mixed module that keeps one block in a hundred and leaves the others, and says how
 * often it was asked at the end: once in a hundred where the loader does as it is told
 * by struct chic_module_leaves, else always.
 *
 * Its blocks are never used again.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chic_module.h"

#define EVERY 100

CHIC_MODULE("leaves", "mixed");
CHIC_MODULE_PARM("says", "bool", "yes", "", "say what it leaves");
CHIC_MODULE_EXPORTS(leaves);

static __thread uint32_t countdown __attribute__((tls_model("initial-exec")));
static _Alignas(16) char room[16 << 20];
static atomic_size_t used;
static atomic_size_t asked, kept, back, strangers;

static bool is_ours(const void *p)
{
	return (uintptr_t)p - (uintptr_t)room < sizeof(room);
}

/* The size in front, or null. */
static void *keep(size_t size, size_t align)
{
	size_t *p;

	asked++;
	if (countdown > 1) {
		countdown--;
		return NULL;
	}
	countdown = EVERY;
	if (align > 16 || size > 1024)
		return NULL;
	p = (size_t *)(room + atomic_fetch_add(&used, (size + 31) & ~(size_t)15));
	if ((char *)p > room + sizeof(room) - 2048)
		return NULL;
	kept++;
	p[1] = size;
	return p + 2;
}

ValueMutPtr leaves_alloc(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *lower = ctx;
	void *p = keep(size, align);

	if (p)
		return (ValueMutPtr){p, size, align};
	return lower->alloc.fn(lower->alloc.ctx, size, align);
}

ValueMutPtr leaves_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr block = leaves_alloc(ctx, size, align);

	if (block.ptr)
		memset(block.ptr, 0, size);
	return block;
}

ValueMutPtr leaves_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
			   size_t align)
{
	ValueMutPtr block = leaves_alloc(ctx, size, align);

	if (!block.ptr || !old.ptr)
		return block;
	memcpy(block.ptr, old.ptr, old_size < size ? old_size : size);
	leaves_free(ctx, old);
	return block;
}

size_t leaves_mfree(void *ctx, void *p)
{
	const struct chic_layer *lower = ctx;

	if (!is_ours(p)) {
		strangers++;
		return lower->mfree.fn(lower->mfree.ctx, p);
	}
	back++;
	memset(p, 0xdd, ((size_t *)p)[-1]);
	return ((size_t *)p)[-1];
}

void leaves_free(void *ctx, ValueMutPtr block)
{
	leaves_mfree(ctx, block.ptr);
}

size_t leaves_usable_size(void *ctx, const void *p)
{
	const struct chic_layer *lower = ctx;

	return is_ours(p) ? ((const size_t *)p)[-1]
			  : lower->usable_size.fn(lower->usable_size.ctx, p);
}

bool leaves_owns(void *ctx, const void *p)
{
	(void)ctx;
	return is_ours(p);
}

void *leaves_malloc(void *ctx, size_t size)
{
	const struct chic_layer *lower = ctx;
	void *p = keep(size, 16);

	return p ? p : lower->malloc.fn(lower->malloc.ctx, size);
}

void *leaves_calloc(void *ctx, size_t n, size_t size)
{
	void *p = leaves_malloc(ctx, n * size);

	return p ? memset(p, 0, n * size) : NULL;
}

void *leaves_memalign(void *ctx, size_t align, size_t size)
{
	const struct chic_layer *lower = ctx;

	return lower->memalign.fn(lower->memalign.ctx, align, size);
}

void *leaves_remalloc(void *ctx, void *p, size_t size)
{
	const struct chic_layer *lower = ctx;
	size_t old_size = leaves_usable_size(ctx, p);
	void *q;

	if (!is_ours(p))
		return lower->remalloc.fn(lower->remalloc.ctx, p, size);
	q = lower->malloc.fn(lower->malloc.ctx, size);
	if (!q)
		return NULL;
	memcpy(q, p, old_size < size ? old_size : size);
	leaves_mfree(ctx, p);
	return q;
}

static void tell(void)
{
	fprintf(stderr, "asked %zu kept %zu back %zu strangers %zu\n", asked, kept, back,
		strangers);
}

int leaves_init(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	*ctx = (void *)lower;
	if (chic_param_number(args, "says") && CHIC_HAS(args, leaves))
		*args->leaves = (struct chic_module_leaves){&countdown, room, sizeof(room)};
	return atexit(tell) ? -ENOMEM : 0;
}

void leaves_exit(void *ctx)
{
	(void)ctx;
}
