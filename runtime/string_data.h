/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: where a string's bytes are.
 *
 * Inside the struct while the top bit of cap is set, by the struct's own address:
 * strings are moved bytewise.  Otherwise at ptr, in a block of cap bytes; with a cap
 * of 0 they are somebody else's, to be read only.  Without a ptr there are none, so
 * that a struct of zeros is an empty string.
 */
#ifndef CHIC_RUNTIME_STRING_DATA_H
#define CHIC_RUNTIME_STRING_DATA_H

#include "internal.h"

#pragma GCC visibility push(hidden)

#define STRING_INLINE ((size_t)1 << (8 * sizeof(size_t) - 1))

static inline bool string_is_inline(const ChicString *s)
{
	return s->cap & STRING_INLINE;
}

static inline bool string_has_block(const ChicString *s)
{
	return !string_is_inline(s) && s->ptr && s->cap;
}

static inline uint8_t *string_bytes(const ChicString *s)
{
	return string_is_inline(s) ? (uint8_t *)s->inline_data : s->ptr;
}

static inline size_t string_length(const ChicString *s)
{
	return string_bytes(s) ? s->len : 0;
}

/* What can be written without a block more. */
static inline size_t string_room(const ChicString *s)
{
	if (string_is_inline(s))
		return CHIC_RT_STRING_INLINE_CAPACITY;
	return s->ptr ? s->cap : 0;
}

/* A slice that can be looked at. */
static inline bool slice_is_bad(ChicStr slice)
{
	return slice.len && !slice.ptr;
}

/* string_memory.c: for more bytes than there is room. */
int32_t string_grow(ChicString *s, size_t needed);

/* Room for so many bytes in all; a status. */
static inline int32_t string_hold(ChicString *s, size_t needed)
{
	return likely(needed <= string_room(s)) ? ChicString_Success : string_grow(s, needed);
}

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_STRING_DATA_H */
