// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors: elements put in and taken out.
 */
#include "vec.h"

/* The value's bytes may be those of an element, which growth moves. */
static bool is_inside(const ChicVec *vec, const uint8_t *p, size_t *offset)
{
	uintptr_t from = (uintptr_t)vec_elements(vec);

	*offset = (uintptr_t)p - from;
	return *offset < vec->len * vec->elem_size;
}

/* Room at index for the value, and the value in it. */
static int32_t put(ChicVec *vec, size_t index, const uint8_t *value)
{
	size_t offset, at = index * vec->elem_size;
	bool inside = is_inside(vec, value, &offset);
	uint8_t *place;
	int32_t err;

	err = chic_rt_vec_reserve(vec, 1);
	if (err)
		return err;
	place = vec_element(vec, index);
	if (inside)
		value = vec_elements(vec) + offset + (offset >= at ? vec->elem_size : 0);
	if (vec->elem_size && index < vec->len)
		memmove(place + vec->elem_size, place, (vec->len - index) * vec->elem_size);
	rt_copy(place, value, vec->elem_size);
	vec->len++;
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_push(ChicVec *vec, const ValueConstPtr *value)
{
	if (unlikely(!vec || !value || (!value->ptr && vec->elem_size)))
		return ChicVec_InvalidPointer;
	if (unlikely(vec->len >= vec->cap || vec->uses_inline || region_is_some(vec->region))) {
		vec_refresh(vec);
		return put(vec, vec->len, value->ptr);
	}
	rt_copy(vec->ptr + vec->len * vec->elem_size, value->ptr, vec->elem_size);
	vec->len++;
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_insert(ChicVec *vec, size_t index, const ValueConstPtr *value)
{
	if (!vec || !value || (!value->ptr && vec->elem_size) || value->size != vec->elem_size)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (index > vec->len)
		return ChicVec_OutOfBounds;
	return put(vec, index, value->ptr);
}

/* Move the element to out, or end its life; its place then holds nothing. */
static int32_t take(ChicVec *vec, size_t index, const ValueMutPtr *out)
{
	uint8_t *element = vec_element(vec, index);

	if (!out) {
		rt_drop(vec->drop_fn, element);
		return ChicVec_Success;
	}
	if (vec->elem_size && !rt_place(out, vec->elem_size))
		return ChicVec_InvalidPointer;
	rt_copy(out->ptr, element, vec->elem_size);
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_pop(ChicVec *vec, const ValueMutPtr *out)
{
	int32_t err;

	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (!vec->len)
		return ChicVec_OutOfBounds;
	err = take(vec, vec->len - 1, out);
	if (!err)
		vec->len--;
	return err;
}

CHIC_EXPORT int32_t chic_rt_vec_remove(ChicVec *vec, size_t index, const ValueMutPtr *out)
{
	uint8_t *place;
	int32_t err;

	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (index >= vec->len)
		return ChicVec_OutOfBounds;
	err = take(vec, index, out);
	if (err)
		return err;
	vec->len--;
	place = vec_element(vec, index);
	if (vec->elem_size && index < vec->len)
		memmove(place, place + vec->elem_size, (vec->len - index) * vec->elem_size);
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_swap_remove(ChicVec *vec, size_t index, const ValueMutPtr *out)
{
	int32_t err;

	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (index >= vec->len)
		return ChicVec_OutOfBounds;
	err = take(vec, index, out);
	if (err)
		return err;
	vec->len--;
	if (index < vec->len)
		rt_copy(vec_element(vec, index), vec_element(vec, vec->len), vec->elem_size);
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_truncate(ChicVec *vec, size_t new_len)
{
	size_t len;

	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	len = vec->len;
	if (new_len >= len)
		return ChicVec_Success;
	/* before the callbacks: one that looks at the vector finds what is left */
	vec->len = new_len;
	for (size_t i = new_len; vec->drop_fn && i < len; i++)
		rt_drop(vec->drop_fn, vec_element(vec, i));
	return ChicVec_Success;
}

CHIC_EXPORT int32_t chic_rt_vec_clear(ChicVec *vec)
{
	return chic_rt_vec_truncate(vec, 0);
}

CHIC_EXPORT int32_t chic_rt_vec_set_len(ChicVec *vec, size_t new_len)
{
	if (!vec)
		return ChicVec_InvalidPointer;
	vec_refresh(vec);
	if (new_len > vec_capacity(vec))
		return ChicVec_LengthOverflow;
	vec->len = new_len;
	return ChicVec_Success;
}
