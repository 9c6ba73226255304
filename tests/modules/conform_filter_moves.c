// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter that puts something in front of each block and hands out the rest, which
 * is not the block of its lower layer.
 */
#include "fixture.h"

CHIC_MODULE("conform_filter_moves", "filter");
CHIC_MODULE_VERSION("1.0");

#define FRONT 4096

EXPORT int conform_filter_moves_init(const struct chic_module_args *args,
				     const struct chic_layer *lower, void **ctx);
EXPORT void conform_filter_moves_exit(void *ctx);
EXPORT ValueMutPtr conform_filter_moves_alloc(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr conform_filter_moves_alloc_zeroed(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr conform_filter_moves_realloc(void *ctx, ValueMutPtr old, size_t old_size,
						size_t size, size_t align);
EXPORT void conform_filter_moves_free(void *ctx, ValueMutPtr block);
EXPORT size_t conform_filter_moves_usable_size(void *ctx, const void *p);

int conform_filter_moves_init(const struct chic_module_args *args,
			      const struct chic_layer *lower, void **ctx)
{
	if (!lower->usable_size.fn) {
		args->fail("found a lower layer without usable_size");
		return -EINVAL;
	}
	*ctx = (void *)lower;
	return 0;
}

void conform_filter_moves_exit(void *ctx)
{
	(void)ctx;
}

static size_t front_of(size_t align)
{
	return align > FRONT ? align : FRONT;
}

/* How far it was moved stands right before the block. */
static size_t *moved_by(const void *p)
{
	return (size_t *)p - 1;
}

static ValueMutPtr move(ValueMutPtr block, size_t size, size_t align)
{
	if (block.ptr) {
		block.ptr += front_of(align);
		*moved_by(block.ptr) = front_of(align);
	}
	return fixture_handle(block.ptr, size, align);
}

ValueMutPtr conform_filter_moves_alloc(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *l = ctx;
	size_t front = front_of(align);

	if (size > PTRDIFF_MAX - front)
		return fixture_handle(NULL, size, align);
	return move(l->alloc.fn(l->alloc.ctx, size + front, align), size, align);
}

ValueMutPtr conform_filter_moves_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr block = conform_filter_moves_alloc(ctx, size, align);

	if (block.ptr)
		memset(block.ptr, 0, size);
	return block;
}

static ValueMutPtr back(ValueMutPtr block)
{
	size_t front = *moved_by(block.ptr);

	return fixture_handle(block.ptr - front, block.size + front, block.align);
}

ValueMutPtr conform_filter_moves_realloc(void *ctx, ValueMutPtr old, size_t old_size,
					 size_t size, size_t align)
{
	ValueMutPtr block = conform_filter_moves_alloc(ctx, size, align);

	if (block.ptr && old.ptr) {
		memcpy(block.ptr, old.ptr, old_size < size ? old_size : size);
		old.size = old_size;
		conform_filter_moves_free(ctx, old);
	}
	return block;
}

void conform_filter_moves_free(void *ctx, ValueMutPtr block)
{
	const struct chic_layer *l = ctx;

	l->free.fn(l->free.ctx, back(block));
}

size_t conform_filter_moves_usable_size(void *ctx, const void *p)
{
	const struct chic_layer *l = ctx;
	ValueMutPtr block = back(fixture_handle((void *)p, 0, 0));

	return l->usable_size.fn(l->usable_size.ctx, block.ptr) - block.size;
}
