// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a format asks for, and the values that need little of it: bool and char.
 */
#include "string_data.h"
#include "text.h"
#include "utf8.h"

/* Digits to the end; too large is the largest. */
static bool read_number(ChicStr digits, uint32_t *number)
{
	uint64_t n = 0;

	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
		n = 10 * n + (digits.ptr[i] - '0');
		if (n > INT32_MAX)
			n = INT32_MAX;
	}
	*number = n;
	return true;
}

int32_t format_read(ChicStr format, struct format *out)
{
	char letter;

	*out = (struct format){0};
	if (slice_is_bad(format))
		return ChicString_InvalidPointer;
	letter = format.len ? *format.ptr | 0x20 : 0;
	if (!letter || !memchr("xefg", letter, 4))
		return ChicString_Success;
	out->letter = letter;
	out->upper = *format.ptr != (uint8_t)letter;
	out->has_number = format.len > 1;
	return read_number((ChicStr){format.ptr + 1, format.len - 1}, &out->number)
		       ? ChicString_Success
		       : ChicString_InvalidPointer;
}

/* ---- bool ---- */

/* The first letter that is no space, in lower case; 0 for none. */
static char first_letter(ChicStr format)
{
	size_t i = 0;

	while (i < format.len && format.ptr[i] == ' ')
		i++;
	return i < format.len ? format.ptr[i] | 0x20 : 0;
}

static const char *bool_name(bool value, char letter)
{
	switch (letter) {
	case 'u':
		return value ? "TRUE" : "FALSE";
	case 'l':
		return value ? "true" : "false";
	default:
		return value ? "True" : "False";
	}
}

CHIC_EXPORT int32_t chic_rt_string_append_bool(ChicString *target, bool value,
					       int32_t alignment, int32_t has_alignment,
					       ChicStr format)
{
	struct text text = {0};
	const char *name;

	if (!target || slice_is_bad(format))
		return ChicString_InvalidPointer;
	name = bool_name(value, first_letter(format));
	text_add(&text, name, strlen(name));
	return text_append(target, &text, (struct padding){alignment, has_alignment});
}

/* ---- char ---- */

CHIC_EXPORT int32_t chic_rt_string_append_char(ChicString *target, chic_char value,
					       int32_t alignment, int32_t has_alignment,
					       ChicStr format)
{
	uint8_t bytes[UTF8_MOST];
	size_t n = utf8_write(value, bytes);

	if (!target || slice_is_bad(format))
		return ChicString_InvalidPointer;
	if (!n)
		return ChicString_Utf8;
	return chic_rt_string_append_slice(target, (ChicStr){bytes, n}, alignment,
					   has_alignment);
}
