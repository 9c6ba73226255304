// SPDX-License-Identifier: BSD-2-Clause
/*
 * Characters of one UTF-16 unit: what they are, and their case, in every locale.
 */
#include "char_table.h"
#include "utf8.h"

enum { NO_SCALAR = -1 };

/*
 * The last row that begins at c or before; null for none.  Rows of all tables begin
 * with a character.
 */
static const void *find_row(const void *table, size_t rows, size_t size, chic_char c)
{
	const uint8_t *row = table;
	chic_char first;

	while (rows) {
		size_t half = (rows + 1) / 2;

		memcpy(&first, row + (half - 1) * size, sizeof(first));
		if (first <= c)
			row += half * size;
		rows = first <= c ? rows - half : half - 1;
	}
	return row == table ? NULL : row - size;
}

#define FIND(table, c) find_row(table, table##_rows, sizeof((table)[0]), c)

static int32_t is_in(const struct char_range *range, chic_char c)
{
	return range && c <= range->last;
}

CHIC_EXPORT int32_t chic_rt_char_is_scalar(chic_char c)
{
	return !utf8_is_surrogate(c);
}

CHIC_EXPORT int32_t chic_rt_char_is_digit(chic_char c)
{
	return utf8_is_surrogate(c) ? NO_SCALAR : is_in(FIND(char_numbers, c), c);
}

CHIC_EXPORT int32_t chic_rt_char_is_letter(chic_char c)
{
	return utf8_is_surrogate(c) ? NO_SCALAR : is_in(FIND(char_letters, c), c);
}

CHIC_EXPORT int32_t chic_rt_char_is_whitespace(chic_char c)
{
	static const struct char_range spaces[] = {
		{'\t', '\r'},	  {' ', ' '},	    {0x85, 0x85},     {0xa0, 0xa0},
		{0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
		{0x205f, 0x205f}, {0x3000, 0x3000},
	};

	if (utf8_is_surrogate(c))
		return NO_SCALAR;
	return is_in(find_row(spaces, ARRAY_SIZE(spaces), sizeof(spaces[0]), c), c);
}

/* ---- what goes with a status ---- */

static uint64_t pack(CharError status, chic_char c)
{
	return (uint64_t)status << 32 | c;
}

static uint64_t map(chic_char c, const struct char_mapping *run, const struct char_first *more)
{
	if (utf8_is_surrogate(c))
		return pack(ChicChar_InvalidScalar, 0);
	if (more && more->c == c)
		return pack(ChicChar_ComplexMapping, more->first);
	if (run && c <= run->last && (c - run->first) % run->step == 0)
		c += run->to - run->first;
	return pack(ChicChar_Success, c);
}

CHIC_EXPORT uint64_t chic_rt_char_to_upper(chic_char c)
{
	return map(c, FIND(char_uppers, c), FIND(char_long_uppers, c));
}

CHIC_EXPORT uint64_t chic_rt_char_to_lower(chic_char c)
{
	return map(c, FIND(char_lowers, c), FIND(char_long_lowers, c));
}

CHIC_EXPORT uint64_t chic_rt_char_from_codepoint(uint32_t value)
{
	if (value > 0xffff || utf8_is_surrogate(value))
		return pack(ChicChar_InvalidScalar, 0);
	return pack(ChicChar_Success, value);
}

CHIC_EXPORT int32_t chic_rt_char_status(uint64_t packed)
{
	return packed >> 32;
}

CHIC_EXPORT chic_char chic_rt_char_value(uint64_t packed)
{
	return packed;
}
