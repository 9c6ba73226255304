// SPDX-License-Identifier: BSD-2-Clause
/*
 * The block that owners of a value share: made, and ended.
 */
#include "shared.h"

static size_t value_offset(size_t align)
{
	return (sizeof(struct shared) + align - 1) & -align;
}

/* False: no object is that large. */
static bool block_size(size_t size, size_t align, size_t *out)
{
	return align <= RT_SIZE_MAX / 2 &&
	       !__builtin_add_overflow(value_offset(align), size, out) && *out <= RT_SIZE_MAX;
}

int32_t shared_new(void **dest, const uint8_t *src, size_t size, size_t align,
		   uintptr_t drop_fn, uint64_t type_id)
{
	struct shared *block;
	size_t bytes;

	if (!src && size)
		return ChicShared_InvalidPointer;
	align += !align;
	if (!rt_power_of_two(align))
		return ChicShared_AllocationFailed;
	if (align < _Alignof(struct shared))
		align = _Alignof(struct shared);
	if (!block_size(size, align, &bytes))
		return ChicShared_Overflow;
	block = (struct shared *)rt_get(bytes, align);
	if (!block)
		return ChicShared_AllocationFailed;
	rt_count_taken();
	atomic_init(&block->strong, 1);
	atomic_init(&block->weak, 1);
	block->size = size;
	block->align = align;
	block->drop_fn = drop_fn;
	block->type_id = type_id;
	rt_copy(shared_value(block), src, size);
	*dest = block;
	return ChicShared_Success;
}

void shared_end_value(struct shared *block)
{
	rt_drop(block->drop_fn, shared_value(block));
}

void shared_free(struct shared *block)
{
	rt_put((uint8_t *)block, value_offset(block->align) + block->size, block->align);
	rt_count_given_back();
}
