// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings: how they begin, grow and end.  The first block has 64 bytes at least, and
 * each that follows twice as many as the one before.
 */
#include "string_data.h"

enum { BLOCK_LEAST = 2 * CHIC_RT_STRING_INLINE_CAPACITY };

CHIC_EXPORT ChicString chic_rt_string_new(void)
{
	return (ChicString){.cap = STRING_INLINE | CHIC_RT_STRING_INLINE_CAPACITY};
}

/* A block of so many bytes with the text in it. */
static int32_t use_block(ChicString *s, size_t size)
{
	bool had = string_has_block(s);
	uint8_t *p = had ? rt_resize(s->ptr, s->cap, size, 1) : rt_get(size, 1);

	if (!p)
		return ChicString_AllocationFailed;
	if (!had) {
		rt_copy(p, string_bytes(s), string_length(s));
		string_count_taken();
	}
	s->ptr = p;
	s->cap = size;
	return ChicString_Success;
}

int32_t string_grow(ChicString *s, size_t needed)
{
	size_t size = BLOCK_LEAST;

	if (needed > RT_SIZE_MAX)
		return ChicString_CapacityOverflow;
	if (needed <= CHIC_RT_STRING_INLINE_CAPACITY && !s->ptr) {
		*s = chic_rt_string_new();
		return ChicString_Success;
	}
	if (string_has_block(s))
		size = s->cap <= RT_SIZE_MAX / 2 ? 2 * s->cap : needed;
	return use_block(s, size > needed ? size : needed);
}

CHIC_EXPORT ChicString chic_rt_string_with_capacity(size_t capacity)
{
	ChicString s = chic_rt_string_new();

	if (capacity > CHIC_RT_STRING_INLINE_CAPACITY && capacity <= RT_SIZE_MAX)
		use_block(&s, capacity);
	return s;
}

CHIC_EXPORT int32_t chic_rt_string_reserve(ChicString *s, size_t additional)
{
	size_t needed;

	if (!s)
		return ChicString_InvalidPointer;
	if (!additional)
		return ChicString_Success;
	if (__builtin_add_overflow(string_length(s), additional, &needed))
		return ChicString_CapacityOverflow;
	return string_hold(s, needed);
}

CHIC_EXPORT void chic_rt_string_drop(ChicString *s)
{
	if (!s)
		return;
	if (string_has_block(s)) {
		rt_put(s->ptr, s->cap, 1);
		string_count_given_back();
	}
	*s = chic_rt_string_new();
}
