// SPDX-License-Identifier: BSD-2-Clause
/*
 * Texts put at a string's end, with spaces before or after: slices, and what the
 * format_*.c make.
 */
#include "text.h"
#include "string_data.h"
#include "utf8.h"

/* Spaces on both sides, one of which has none. */
struct spaces {
	size_t before, after;
};

static struct spaces spaces_around(size_t chars, struct padding p)
{
	size_t width = p.alignment < 0 ? -(uint32_t)p.alignment : (uint32_t)p.alignment;
	size_t n = p.has_alignment && width > chars ? width - chars : 0;

	return p.alignment > 0 ? (struct spaces){n, 0} : (struct spaces){0, n};
}

static int32_t hold(ChicString *target, size_t bytes, struct spaces spaces)
{
	size_t needed = string_length(target);

	if (__builtin_add_overflow(needed, bytes, &needed) ||
	    __builtin_add_overflow(needed, spaces.before + spaces.after, &needed))
		return ChicString_CapacityOverflow;
	return string_hold(target, needed);
}

static uint8_t *fill(uint8_t *p, char c, size_t n)
{
	if (n)
		memset(p, c, n);
	return p + n;
}

CHIC_EXPORT int32_t chic_rt_string_append_slice(ChicString *target, ChicStr slice,
						int32_t alignment, int32_t has_alignment)
{
	struct padding padding = {alignment, has_alignment};
	struct spaces spaces = {0, 0};
	size_t len, offset;
	uint8_t *p;
	int32_t err;

	if (!target || slice_is_bad(slice))
		return ChicString_InvalidPointer;
	if (slice.len > RT_SIZE_MAX)
		return ChicString_CapacityOverflow;
	if (!utf8_is_good(slice.ptr, slice.len))
		return ChicString_Utf8;
	if (has_alignment)
		spaces = spaces_around(utf8_count(slice.ptr, slice.len), padding);
	if (!slice.len && !spaces.before && !spaces.after)
		return ChicString_Success;
	/* it may be part of the text, which growth moves */
	len = string_length(target);
	offset = (uintptr_t)slice.ptr - (uintptr_t)string_bytes(target);
	err = hold(target, slice.len, spaces);
	if (err)
		return err;
	if (offset < len)
		slice.ptr = string_bytes(target) + offset;
	p = fill(string_bytes(target) + len, ' ', spaces.before);
	rt_copy(p, slice.ptr, slice.len);
	fill(p + slice.len, ' ', spaces.after);
	target->len = len + spaces.before + slice.len + spaces.after;
	return ChicString_Success;
}

static uint8_t *put_piece(uint8_t *p, const struct piece *piece)
{
	if (!piece->bytes)
		return fill(p, '0', piece->n);
	memcpy(p, piece->bytes, piece->n);
	return p + piece->n;
}

int32_t text_append(ChicString *target, const struct text *text, struct padding padding)
{
	struct spaces spaces;
	size_t bytes = 0, len;
	uint8_t *p;
	int32_t err;

	for (unsigned i = 0; i < text->pieces; i++)
		if (__builtin_add_overflow(bytes, text->piece[i].n, &bytes))
			return ChicString_CapacityOverflow;
	spaces = spaces_around(bytes, padding);
	len = string_length(target);
	err = hold(target, bytes, spaces);
	if (err)
		return err;
	p = fill(string_bytes(target) + len, ' ', spaces.before);
	for (unsigned i = 0; i < text->pieces; i++)
		p = put_piece(p, &text->piece[i]);
	fill(p, ' ', spaces.after);
	target->len = len + spaces.before + bytes + spaces.after;
	return ChicString_Success;
}
