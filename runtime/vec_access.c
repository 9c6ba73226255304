// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors: looking at them, iterating, and the raw fields.
 */
#include "vec.h"

CHIC_EXPORT size_t chic_rt_vec_len(const ChicVec *vec)
{
	return vec ? vec_length(vec) : 0;
}

CHIC_EXPORT size_t chic_rt_vec_capacity(const ChicVec *vec)
{
	return vec ? vec_capacity(vec) : 0;
}

CHIC_EXPORT int32_t chic_rt_vec_is_empty(const ChicVec *vec)
{
	return !vec || !vec_length(vec);
}

static ChicVecView view_of(const ChicVec *vec)
{
	if (!vec)
		return (ChicVecView){0};
	return (ChicVecView){vec_elements(vec), vec_length(vec), vec->elem_size,
			     vec->elem_align};
}

CHIC_EXPORT int32_t chic_rt_vec_view(const ChicVec *vec, ChicVecView *out)
{
	if (!vec || !out)
		return ChicVec_InvalidPointer;
	*out = view_of(vec);
	return ChicVec_Success;
}

CHIC_EXPORT ValueMutPtr chic_rt_vec_data_mut(ChicVec *vec)
{
	return vec ? handle(vec_elements(vec), vec->elem_size, vec->elem_align)
		   : handle(NULL, 0, 0);
}

CHIC_EXPORT ValueConstPtr chic_rt_vec_data(const ChicVec *vec)
{
	ValueMutPtr data = chic_rt_vec_data_mut((ChicVec *)vec);

	return (ValueConstPtr){data.ptr, data.size, data.align};
}

CHIC_EXPORT ValueMutPtr chic_rt_vec_ptr_at(const ChicVec *vec, size_t index)
{
	ValueMutPtr at = chic_rt_vec_data_mut((ChicVec *)vec);

	if (!vec || index >= vec_length(vec))
		at.ptr = NULL;
	else
		at.ptr = vec_element(vec, index);
	return at;
}

CHIC_EXPORT ChicVecView chic_rt_array_view(const ChicVec *array)
{
	return view_of(array);
}

CHIC_EXPORT ValueConstPtr chic_rt_array_data(const ChicVec *array)
{
	return chic_rt_vec_data(array);
}

CHIC_EXPORT size_t chic_rt_array_len(const ChicVec *array)
{
	return chic_rt_vec_len(array);
}

CHIC_EXPORT int32_t chic_rt_array_is_empty(const ChicVec *array)
{
	return chic_rt_vec_is_empty(array);
}

CHIC_EXPORT ValueMutPtr chic_rt_array_ptr_at(const ChicVec *array, size_t index)
{
	return chic_rt_vec_ptr_at(array, index);
}

/* ---- iteration ---- */

CHIC_EXPORT ChicVecIter chic_rt_vec_iter(const ChicVec *vec)
{
	if (!vec)
		return (ChicVecIter){0};
	return (ChicVecIter){
		.data = vec_elements(vec),
		.len = vec_length(vec),
		.elem_size = vec->elem_size,
		.elem_align = vec->elem_align,
	};
}

CHIC_EXPORT ValueConstPtr chic_rt_vec_iter_next_ptr(ChicVecIter *iter)
{
	if (!iter)
		return (ValueConstPtr){NULL, 0, 0};
	if (iter->index >= iter->len)
		return (ValueConstPtr){NULL, iter->elem_size, iter->elem_align};
	return (ValueConstPtr){iter->data + iter->index++ * iter->elem_size, iter->elem_size,
			       iter->elem_align};
}

CHIC_EXPORT int32_t chic_rt_vec_iter_next(ChicVecIter *iter, const ValueMutPtr *out)
{
	if (!iter || !out || (iter->elem_size && !rt_place(out, iter->elem_size)))
		return ChicVec_InvalidPointer;
	if (iter->index >= iter->len)
		return ChicVec_IterationComplete;
	rt_copy(out->ptr, iter->data + iter->index++ * iter->elem_size, iter->elem_size);
	return ChicVec_Success;
}

/* ---- raw access: what is set is believed ---- */

CHIC_EXPORT size_t chic_rt_vec_elem_size(const ChicVec *vec)
{
	return vec ? vec->elem_size : 0;
}

CHIC_EXPORT size_t chic_rt_vec_elem_align(const ChicVec *vec)
{
	return vec ? vec->elem_align : 0;
}

CHIC_EXPORT size_t chic_rt_vec_inline_capacity(const ChicVec *vec)
{
	return vec ? vec_inline_capacity(vec) : 0;
}

CHIC_EXPORT ValueMutPtr chic_rt_vec_inline_ptr(ChicVec *vec)
{
	return vec ? handle(vec->inline_storage.bytes, vec->elem_size, vec->elem_align)
		   : handle(NULL, 0, 0);
}

CHIC_EXPORT int32_t chic_rt_vec_uses_inline(const ChicVec *vec)
{
	return vec && vec->uses_inline;
}

CHIC_EXPORT void chic_rt_vec_mark_inline(ChicVec *vec, int32_t uses_inline)
{
	if (vec)
		vec->uses_inline = uses_inline != 0;
}

CHIC_EXPORT ValueMutPtr chic_rt_vec_get_ptr(const ChicVec *vec)
{
	return chic_rt_vec_data_mut((ChicVec *)vec);
}

CHIC_EXPORT void chic_rt_vec_set_ptr(ChicVec *vec, const ValueMutPtr *ptr)
{
	if (vec)
		vec->ptr = ptr ? ptr->ptr : NULL;
}

CHIC_EXPORT void chic_rt_vec_set_cap(ChicVec *vec, size_t cap)
{
	if (vec)
		vec->cap = cap;
}

CHIC_EXPORT void chic_rt_vec_set_elem_size(ChicVec *vec, size_t size)
{
	if (vec)
		vec->elem_size = size;
}

CHIC_EXPORT void chic_rt_vec_set_elem_align(ChicVec *vec, size_t align)
{
	if (vec)
		vec->elem_align = align + !align;
}

CHIC_EXPORT uintptr_t chic_rt_vec_get_drop(const ChicVec *vec)
{
	return vec ? vec->drop_fn : 0;
}

CHIC_EXPORT void chic_rt_vec_set_drop(ChicVec *vec, uintptr_t drop_fn)
{
	if (vec)
		vec->drop_fn = drop_fn;
}
