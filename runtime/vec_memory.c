// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors: how they begin, grow, shrink, are copied and end.
 *
 * Elements are inside the struct while they fit, then in a block of the hooks, or
 * of the vector's region, which never takes single blocks back.
 */
#include "vec.h"

CHIC_EXPORT ChicVec chic_rt_vec_new(size_t elem_size, size_t elem_align, uintptr_t drop_fn)
{
	return (ChicVec){
		.elem_size = elem_size,
		.elem_align = elem_align + !elem_align,
		.drop_fn = drop_fn,
	};
}

CHIC_EXPORT ChicVec chic_rt_vec_new_in_region(size_t elem_size, size_t elem_align,
					      uintptr_t drop_fn, RegionHandle region)
{
	ChicVec vec = chic_rt_vec_new(elem_size, elem_align, drop_fn);

	vec.region.ptr = region.ptr ? region.ptr : NO_REGION;
	return vec;
}

/* ---- memory ---- */

static void put_block(ChicVec *vec)
{
	if (vec_has_block(vec) && !region_is_some(vec->region))
		rt_put(vec->ptr, vec->cap * vec->elem_size, vec->elem_align);
}

/* Empty, as it was made. */
static void forget(ChicVec *vec)
{
	ChicVec empty = chic_rt_vec_new(vec->elem_size, vec->elem_align, vec->drop_fn);

	empty.region = vec->region;
	*vec = empty;
}

static uint8_t *fresh_block(ChicVec *vec, size_t bytes)
{
	uint8_t *p = region_is_some(vec->region)
			     ? chic_rt_region_alloc(vec->region, bytes, vec->elem_align).ptr
			     : rt_get(bytes, vec->elem_align);

	if (p)
		rt_copy(p, vec_elements(vec), vec->len * vec->elem_size);
	return p;
}

/* A block of so many bytes with the elements in it; the former one is gone. */
static uint8_t *larger_block(ChicVec *vec, size_t bytes)
{
	size_t now = vec->cap * vec->elem_size;

	if (!vec_has_block(vec))
		return fresh_block(vec, bytes);
	if (!region_is_some(vec->region))
		return rt_resize(vec->ptr, now, bytes, vec->elem_align);
	return region_grow(vec->region, vec->ptr, now, bytes) ? vec->ptr
							      : fresh_block(vec, bytes);
}

static int32_t set_capacity(ChicVec *vec, size_t cap)
{
	size_t bytes;
	uint8_t *p;

	if (!rt_bytes(cap, vec->elem_size, &bytes))
		return ChicVec_CapacityOverflow;
	p = larger_block(vec, bytes);
	if (!p)
		return ChicVec_AllocationFailed;
	vec->ptr = p;
	vec->cap = cap;
	vec->uses_inline = false;
	return ChicVec_Success;
}

static void use_inline(ChicVec *vec)
{
	vec->cap = vec_inline_capacity(vec);
	vec->uses_inline = true;
	vec->ptr = vec->inline_storage.bytes;
}

/* Whether needed elements have room without a block; not once the region is gone. */
static bool fits(ChicVec *vec, size_t needed)
{
	if (!vec->elem_size || needed <= vec->cap)
		return true;
	if (vec_has_block(vec) || needed > vec_inline_capacity(vec))
		return false;
	if (region_is_some(vec->region) && !region_is_live(vec->region))
		return false;
	use_inline(vec);
	return true;
}

/* Room for needed elements in all, and no more than that. */
static int32_t make_room(ChicVec *vec, size_t needed)
{
	return fits(vec, needed) ? ChicVec_Success : set_capacity(vec, needed);
}

CHIC_EXPORT int32_t chic_rt_vec_reserve(ChicVec *vec, size_t additional)
{
	size_t needed, twice, bytes;

	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (__builtin_add_overflow(vec->len, additional, &needed))
		return ChicVec_CapacityOverflow;
	if (fits(vec, needed))
		return ChicVec_Success;
	if (!__builtin_mul_overflow(vec->cap, 2, &twice) && twice > needed &&
	    rt_bytes(twice, vec->elem_size, &bytes))
		needed = twice;
	return set_capacity(vec, needed);
}

CHIC_EXPORT ChicVec chic_rt_vec_with_capacity(size_t elem_size, size_t elem_align,
					      size_t capacity, uintptr_t drop_fn)
{
	ChicVec vec = chic_rt_vec_new(elem_size, elem_align, drop_fn);

	make_room(&vec, capacity);
	return vec;
}

CHIC_EXPORT ChicVec chic_rt_vec_with_capacity_in_region(size_t elem_size, size_t elem_align,
							size_t capacity, uintptr_t drop_fn,
							RegionHandle region)
{
	ChicVec vec = chic_rt_vec_new_in_region(elem_size, elem_align, drop_fn, region);

	make_room(&vec, capacity);
	return vec;
}

/* What a block holds, back into the struct. */
static void shrink_inline(ChicVec *vec)
{
	ChicVec former = *vec;

	use_inline(vec);
	rt_copy(vec->inline_storage.bytes, former.ptr, former.len * former.elem_size);
	put_block(&former);
}

CHIC_EXPORT int32_t chic_rt_vec_shrink_to_fit(ChicVec *vec)
{
	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (!vec_has_block(vec) || vec->cap == vec->len)
		return ChicVec_Success;
	if (!vec->len) {
		put_block(vec);
		forget(vec);
	} else if (vec->len <= vec_inline_capacity(vec)) {
		shrink_inline(vec);
	} else if (region_is_some(vec->region)) {
		vec->cap = vec->len;
	} else {
		return set_capacity(vec, vec->len);
	}
	return ChicVec_Success;
}

/* ---- the end, and copies ---- */

CHIC_EXPORT void chic_rt_vec_drop(ChicVec *vec)
{
	if (!vec)
		return;
	chic_rt_vec_clear(vec);
	put_block(vec);
	forget(vec);
}

CHIC_EXPORT int32_t chic_rt_vec_clone(ChicVec *dest, const ChicVec *src)
{
	ChicVec copy;
	int32_t err;

	if (!dest || !src)
		return ChicVec_InvalidPointer;
	if (dest == src)
		return ChicVec_Success;
	copy = chic_rt_vec_new(src->elem_size, src->elem_align, src->drop_fn);
	copy.region = src->region;
	err = make_room(&copy, vec_length(src));
	if (err)
		return err;
	copy.len = vec_length(src);
	rt_copy(vec_elements(&copy), vec_elements(src), copy.len * copy.elem_size);
	*dest = copy;
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_copy_to_array(ChicVec *dest, const ChicVec *src)
{
	return chic_rt_vec_clone(dest, src);
}

CHIC_EXPORT int32_t chic_rt_array_copy_to_vec(ChicVec *dest, const ChicVec *src)
{
	return chic_rt_vec_clone(dest, src);
}

CHIC_EXPORT int32_t chic_rt_array_into_vec(ChicVec *dest, ChicVec *src)
{
	if (!dest || !src)
		return ChicVec_InvalidPointer;
	vec_refresh(src);
	if (dest == src)
		return ChicVec_Success;
	*dest = *src;
	forget(src);
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_into_array(ChicVec *dest, ChicVec *src)
{
	int32_t err;

	if (!dest || !src)
		return ChicVec_InvalidPointer;
	err = chic_rt_vec_shrink_to_fit(src);
	return err ? err : chic_rt_array_into_vec(dest, src);
}
