/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to vec*.c: where a vector's elements are, and whether they still are.
 *
 * A vector that lives longer than its region holds nothing any more.  What changes a
 * vector calls vec_refresh() before it looks at the fields; what only looks asks
 * vec_length() and its kin.
 */
#ifndef CHIC_RUNTIME_VEC_H
#define CHIC_RUNTIME_VEC_H

#include "internal.h"

/* A handle that no region has: of a region that could not be begun. */
#define NO_REGION ((void *)2)

static inline bool vec_has_block(const ChicVec *vec)
{
	return vec->ptr && vec->cap && vec->elem_size && !vec->uses_inline;
}

static inline bool vec_is_gone(const ChicVec *vec)
{
	return unlikely(region_is_some(vec->region)) && vec_has_block(vec) &&
	       !region_is_live(vec->region);
}

static inline void vec_refresh(ChicVec *vec)
{
	if (!vec_is_gone(vec))
		return;
	vec->ptr = NULL;
	vec->len = vec->cap = 0;
}

static inline size_t vec_length(const ChicVec *vec)
{
	return vec_is_gone(vec) ? 0 : vec->len;
}

static inline size_t vec_capacity(const ChicVec *vec)
{
	if (!vec->elem_size)
		return SIZE_MAX;
	return vec_is_gone(vec) ? 0 : vec->cap;
}

/*
 * The struct itself, by its own address: vectors are moved bytewise.  Also where
 * elements of no size are said to be, because a null place means none.
 */
static inline bool vec_is_inline(const ChicVec *vec)
{
	return vec->uses_inline || !vec->elem_size;
}

static inline uint8_t *vec_elements(const ChicVec *vec)
{
	if (vec_is_inline(vec))
		return (uint8_t *)vec->inline_storage.bytes;
	return vec_is_gone(vec) ? NULL : vec->ptr;
}

/* A vector is aligned like a pointer, and so is what it holds. */
static inline size_t vec_inline_capacity(const ChicVec *vec)
{
	if (!vec->elem_size || vec->elem_align > sizeof(void *) ||
	    !rt_power_of_two(vec->elem_align))
		return 0;
	return CHIC_RT_VEC_INLINE_BYTES / vec->elem_size;
}

/* Of a vector that was refreshed. */
static inline uint8_t *vec_element(const ChicVec *vec, size_t index)
{
	uint8_t *own = (uint8_t *)vec->inline_storage.bytes;

	return (vec_is_inline(vec) ? own : vec->ptr) + index * vec->elem_size;
}

#endif /* CHIC_RUNTIME_VEC_H */
