// SPDX-License-Identifier: BSD-2-Clause
/*
 * Spans: runs of elements somewhere else, with their bounds and stride checked.
 */
#include "internal.h"

/*
 * Whether elements of a span may be touched.  Where there are none, or where they
 * have no size, any handle will do, a failed one as well.
 */
static int32_t check(const uint8_t *p, size_t len, size_t elem_size, size_t elem_align)
{
	size_t bytes;

	if (!len || !elem_size)
		return ChicSpan_Success;
	if (!p)
		return ChicSpan_NullPointer;
	if (!rt_bytes(len, elem_size, &bytes))
		return ChicSpan_OutOfBounds;
	if (!rt_power_of_two(elem_align) || (uintptr_t)p & (elem_align - 1))
		return ChicSpan_InvalidStride;
	return len > 1 && elem_size & (elem_align - 1) ? ChicSpan_InvalidStride
						       : ChicSpan_Success;
}

static int32_t check_const(const ChicReadOnlySpan *span)
{
	return check(span->data.ptr, span->len, span->elem_size, span->elem_align);
}

static int32_t check_mut(const ChicSpan *span)
{
	return check(span->data.ptr, span->len, span->elem_size, span->elem_align);
}

static bool within(size_t start, size_t length, size_t len)
{
	return start <= len && length <= len - start;
}

static uint8_t *moved(uint8_t *p, size_t bytes)
{
	return p ? p + bytes : NULL;
}

CHIC_EXPORT ChicSpan chic_rt_span_from_raw_mut(const ValueMutPtr *data, size_t len)
{
	return data ? (ChicSpan){*data, len, data->size, data->align} : (ChicSpan){0};
}

CHIC_EXPORT ChicReadOnlySpan chic_rt_span_from_raw_const(const ValueConstPtr *data, size_t len)
{
	return data ? (ChicReadOnlySpan){*data, len, data->size, data->align}
		    : (ChicReadOnlySpan){0};
}

CHIC_EXPORT ChicReadOnlySpan chic_rt_span_to_readonly(const ChicSpan *span)
{
	if (!span)
		return (ChicReadOnlySpan){0};
	return (ChicReadOnlySpan){
		.data = {span->data.ptr, span->data.size, span->data.align},
		.len = span->len,
		.elem_size = span->elem_size,
		.elem_align = span->elem_align,
	};
}

CHIC_EXPORT int32_t chic_rt_span_slice_mut(const ChicSpan *source, size_t start, size_t length,
					   ChicSpan *dest)
{
	ChicSpan slice;
	int32_t err;

	if (!source || !dest)
		return ChicSpan_NullPointer;
	if (!within(start, length, source->len))
		return ChicSpan_OutOfBounds;
	err = check_mut(source);
	if (err)
		return err;
	slice = *source;
	slice.data.ptr = moved(slice.data.ptr, start * slice.elem_size);
	slice.len = length;
	*dest = slice;
	return ChicSpan_Success;
}

CHIC_EXPORT int32_t chic_rt_span_slice_readonly(const ChicReadOnlySpan *source, size_t start,
						size_t length, ChicReadOnlySpan *dest)
{
	ChicReadOnlySpan slice;
	int32_t err;

	if (!source || !dest)
		return ChicSpan_NullPointer;
	if (!within(start, length, source->len))
		return ChicSpan_OutOfBounds;
	err = check_const(source);
	if (err)
		return err;
	slice = *source;
	slice.data.ptr = moved((uint8_t *)slice.data.ptr, start * slice.elem_size);
	slice.len = length;
	*dest = slice;
	return ChicSpan_Success;
}

CHIC_EXPORT int32_t chic_rt_span_copy_to(const ChicReadOnlySpan *source, const ChicSpan *dest)
{
	int32_t err;

	if (!source || !dest)
		return ChicSpan_NullPointer;
	if (source->len > dest->len)
		return ChicSpan_OutOfBounds;
	if (source->elem_size != dest->elem_size)
		return ChicSpan_InvalidStride;
	err = check_const(source);
	if (!err)
		err = check_mut(dest);
	if (!err && source->len && source->elem_size)
		memmove(dest->data.ptr, source->data.ptr, source->len * source->elem_size);
	return err;
}

/* What is written is copied on, twice as much each time. */
static void repeat(uint8_t *first, size_t size, size_t bytes)
{
	for (size_t done = size; done < bytes; done *= 2)
		memcpy(first + done, first, done < bytes - done ? done : bytes - done);
}

CHIC_EXPORT int32_t chic_rt_span_fill(const ChicSpan *dest, const ValueConstPtr *value)
{
	int32_t err;

	if (!dest || !value || (!value->ptr && dest->elem_size))
		return ChicSpan_NullPointer;
	if (value->size != dest->elem_size)
		return ChicSpan_InvalidStride;
	err = check_mut(dest);
	if (err || !dest->len || !dest->elem_size)
		return err;
	memmove(dest->data.ptr, value->ptr, dest->elem_size);
	repeat(dest->data.ptr, dest->elem_size, dest->len * dest->elem_size);
	return ChicSpan_Success;
}

CHIC_EXPORT uint8_t *chic_rt_span_ptr_at_mut(const ChicSpan *span, size_t index)
{
	if (!span || index >= span->len || check_mut(span))
		return NULL;
	return moved(span->data.ptr, index * span->elem_size);
}

CHIC_EXPORT const uint8_t *chic_rt_span_ptr_at_readonly(const ChicReadOnlySpan *span,
							size_t index)
{
	if (!span || index >= span->len || check_const(span))
		return NULL;
	return moved((uint8_t *)span->data.ptr, index * span->elem_size);
}
