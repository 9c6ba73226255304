// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings: text put in, copied, cut off, and looked at.
 */
#include "string_data.h"
#include "text.h"
#include "utf8.h"

CHIC_EXPORT int32_t chic_rt_string_push_slice(ChicString *target, ChicStr slice)
{
	return chic_rt_string_append_slice(target, slice, 0, 0);
}

CHIC_EXPORT int32_t chic_rt_string_clone_slice(ChicString *dest, ChicStr slice)
{
	ChicString copy = chic_rt_string_new();
	int32_t err;

	if (!dest)
		return ChicString_InvalidPointer;
	err = chic_rt_string_push_slice(&copy, slice);
	if (!err)
		*dest = copy;
	return err;
}

CHIC_EXPORT int32_t chic_rt_string_clone(ChicString *dest, const ChicString *src)
{
	if (!src || !dest)
		return ChicString_InvalidPointer;
	if (dest == src)
		return ChicString_Success;
	return chic_rt_string_clone_slice(dest, chic_rt_string_as_slice(src));
}

CHIC_EXPORT ChicString chic_rt_string_from_slice(ChicStr slice)
{
	ChicString s = chic_rt_string_new();

	chic_rt_string_push_slice(&s, slice);
	return s;
}

CHIC_EXPORT ChicString chic_rt_string_from_char(chic_char value)
{
	ChicString s = chic_rt_string_new();

	s.len = utf8_write(value, s.inline_data);
	return s;
}

CHIC_EXPORT int32_t chic_rt_string_truncate(ChicString *target, size_t new_len)
{
	size_t len;

	if (!target)
		return ChicString_InvalidPointer;
	len = string_length(target);
	if (new_len > len)
		return ChicString_OutOfBounds;
	if (new_len < len && utf8_goes_on(string_bytes(target)[new_len]))
		return ChicString_Utf8;
	target->len = new_len;
	return ChicString_Success;
}

CHIC_EXPORT ChicStr chic_rt_string_as_slice(const ChicString *source)
{
	return source ? (ChicStr){string_bytes(source), string_length(source)}
		      : (ChicStr){NULL, 0};
}

/* ---- UTF-16 ---- */

static size_t units_of(uint32_t c)
{
	return c > 0xffff ? 2 : 1;
}

static chic_char *put_units(chic_char *p, uint32_t c)
{
	if (c > 0xffff) {
		*p++ = 0xd800 + ((c - 0x10000) >> 10);
		c = 0xdc00 + (c & 0x3ff);
	}
	*p++ = c;
	return p;
}

/* False where the text is no UTF-8. */
static bool count_units(ChicStr slice, size_t *units)
{
	size_t size;
	uint32_t c;

	*units = 0;
	for (size_t i = 0; i < slice.len; i += size) {
		size = utf8_read(slice.ptr + i, slice.len - i, &c);
		if (!size)
			return false;
		*units += units_of(c);
	}
	return true;
}

CHIC_EXPORT ChicCharSpan chic_rt_str_as_chars(ChicStr slice)
{
	chic_char *first = NULL, *p;
	size_t units, bytes;
	uint32_t c;

	if (!slice_is_bad(slice) && count_units(slice, &units) && units &&
	    rt_bytes(units, sizeof(*p), &bytes))
		first = (chic_char *)rt_get(bytes, sizeof(*p));
	if (!first)
		return (ChicCharSpan){NULL, 0};
	p = first;
	for (size_t i = 0; i < slice.len; p = put_units(p, c))
		i += utf8_read(slice.ptr + i, slice.len - i, &c);
	return (ChicCharSpan){first, units};
}

CHIC_EXPORT ChicCharSpan chic_rt_string_as_chars(const ChicString *source)
{
	return chic_rt_str_as_chars(chic_rt_string_as_slice(source));
}

CHIC_EXPORT void chic_rt_chars_drop(ChicCharSpan chars)
{
	rt_put((uint8_t *)chars.ptr, chars.len * sizeof(*chars.ptr), sizeof(*chars.ptr));
}
