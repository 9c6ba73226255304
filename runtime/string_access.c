// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings: the raw fields, where what is set is believed, and the texts of statuses.
 */
#include "string_data.h"

CHIC_EXPORT uint8_t *chic_rt_string_get_ptr(const ChicString *s)
{
	return s ? string_bytes(s) : NULL;
}

CHIC_EXPORT void chic_rt_string_set_ptr(ChicString *s, uint8_t *ptr)
{
	if (s)
		s->ptr = ptr;
}

CHIC_EXPORT size_t chic_rt_string_get_len(const ChicString *s)
{
	return s ? string_length(s) : 0;
}

CHIC_EXPORT void chic_rt_string_set_len(ChicString *s, size_t len)
{
	if (s)
		s->len = len;
}

CHIC_EXPORT size_t chic_rt_string_get_cap(const ChicString *s)
{
	return s ? s->cap & ~STRING_INLINE : 0;
}

CHIC_EXPORT void chic_rt_string_set_cap(ChicString *s, size_t cap)
{
	if (s)
		s->cap = (s->cap & STRING_INLINE) | (cap & ~STRING_INLINE);
}

CHIC_EXPORT uint8_t *chic_rt_string_inline_ptr(ChicString *s)
{
	return s ? s->inline_data : NULL;
}

CHIC_EXPORT size_t chic_rt_string_inline_capacity(void)
{
	return CHIC_RT_STRING_INLINE_CAPACITY;
}

#define MESSAGE(text)                                                                          \
	{                                                                                      \
		(const uint8_t *)(text), sizeof(text) - 1                                      \
	}

CHIC_EXPORT ChicStr chic_rt_string_error_message(int32_t code)
{
	static const ChicStr message[] = {
		[ChicString_Utf8] = MESSAGE("operation would result in invalid UTF-8"),
		[ChicString_CapacityOverflow] = MESSAGE("capacity overflow"),
		[ChicString_AllocationFailed] = MESSAGE("allocation failed"),
		[ChicString_InvalidPointer] = MESSAGE("invalid pointer"),
		[ChicString_OutOfBounds] = MESSAGE("out of bounds"),
	};

	if (code < 0 || (size_t)code >= ARRAY_SIZE(message))
		return (ChicStr){NULL, 0};
	return message[code];
}
