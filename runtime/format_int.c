// SPDX-License-Identifier: BSD-2-Clause
/*
 * Integers of up to 128 bits, in two halves, as text.
 */
#include "string_data.h"
#include "text.h"
#include "uint128.h"

enum { DIGITS_MOST = 39 };

static char *put_hex(struct uint128 v, bool upper, char *end)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";

	do {
		*--end = digits[v.low & 15];
		v = uint128_shift_right(v, 4);
	} while (v.low || v.high);
	return end;
}

static char *put_small(uint64_t v, char *end)
{
	do {
		*--end = '0' + v % 10;
		v /= 10;
	} while (v);
	return end;
}

static char *put_decimal(struct uint128 v, char *end)
{
	while (v.high) {
		char *next = end - 9;
		char *first = put_small(uint128_divide(&v, 1000000000), end);

		while (first > next)
			*--first = '0';
		end = next;
	}
	return put_small(v.low, end);
}

/* The value's digits, after sign; a format with x has the sign in its digits. */
static int32_t append(ChicString *target, struct uint128 v, const char *sign,
		      const struct format *format, struct padding padding)
{
	char digits[DIGITS_MOST], *end = digits + sizeof(digits), *first;
	struct text text = {0};
	size_t n;

	text_add(&text, sign, strlen(sign));
	first = format->letter == 'x' ? put_hex(v, format->upper, end) : put_decimal(v, end);
	n = end - first;
	if (format->letter == 'x' && format->number > n)
		text_zeros(&text, format->number - n);
	text_add(&text, first, n);
	return text_append(target, &text, padding);
}

/* How many bits count; all where none do, or more than there are. */
static unsigned bits_of(uint32_t bits)
{
	return bits && bits < 128 ? bits : 128;
}

CHIC_EXPORT int32_t chic_rt_string_append_unsigned(ChicString *target, uint64_t low,
						   uint64_t high, uint32_t bits,
						   int32_t alignment, int32_t has_alignment,
						   ChicStr format)
{
	struct uint128 v = uint128_lowest((struct uint128){high, low}, bits_of(bits));
	struct format spec;
	int32_t err;

	err = target ? format_read(format, &spec) : ChicString_InvalidPointer;
	if (err)
		return err;
	return append(target, v, "", &spec, (struct padding){alignment, has_alignment});
}

/* Without bits a number of hexadecimal digits says how many of a negative count. */
static unsigned hex_bits(uint32_t bits, const struct format *format)
{
	if (!bits && format->number && format->number < 32)
		return 4 * format->number;
	return bits_of(bits);
}

CHIC_EXPORT int32_t chic_rt_string_append_signed(ChicString *target, uint64_t low,
						 uint64_t high, uint32_t bits,
						 int32_t alignment, int32_t has_alignment,
						 ChicStr format)
{
	struct padding padding = {alignment, has_alignment};
	struct uint128 v = {high, low};
	const char *sign = "";
	struct format spec;
	int32_t err;

	err = target ? format_read(format, &spec) : ChicString_InvalidPointer;
	if (err)
		return err;
	if (spec.letter == 'x') {
		v = uint128_lowest(v, hex_bits(bits, &spec));
	} else {
		v = uint128_lowest(v, bits_of(bits));
		if (uint128_bit(v, bits_of(bits) - 1)) {
			v = uint128_lowest(uint128_negate(v), bits_of(bits));
			sign = "-";
		}
	}
	return append(target, v, sign, &spec, padding);
}
