// SPDX-License-Identifier: BSD-2-Clause
/*
 * Floating point of 16 to 128 bits as text, rounded exactly: half to even, like
 * printf, but without a locale and without memory.
 *
 * Without a format it is the shortest text that reads back as the value.
 */
#include "decimal.h"
#include "string_data.h"
#include "text.h"

/* A kind of floating point, by the bits that its parts have. */
struct kind {
	int bits, fraction_bits;
	bool nan_has_bits;
};

static const struct kind binary16 = {16, 10, false};
static const struct kind binary32 = {32, 23, false};
static const struct kind binary64 = {64, 52, false};

/* The least exponent of a unit in the last place, but for its sign, and half of it. */
#define EXPONENT_LEAST_64 (1074 + 2)
#define EXPONENT_LEAST_128 (16494 + 2)
/* More digits no value has: all that its least unit's power of two does. */
#define DIGITS_MOST_64 (EXPONENT_LEAST_64 + 8)
#define DIGITS_MOST_128 (EXPONENT_LEAST_128 + 8)

struct room {
	struct decimal_room words;
	char *digit;
	int digits;
};

struct number {
	const struct kind *kind;
	struct uint128 bits;
	struct uint128 fraction;
	int biased; /* the exponent's field */
	bool negative;
};

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int exponent_bits(const struct kind *k)
{
	return k->bits - 1 - k->fraction_bits;
}

static int exponent_field_most(const struct kind *k)
{
	return (1 << exponent_bits(k)) - 1;
}

static struct uint128 shift_right(struct uint128 v, int bits)
{
	for (; bits > 63; bits -= 63)
		v = uint128_shift_right(v, 63);
	return uint128_shift_right(v, bits);
}

static struct number take_apart(struct uint128 bits, const struct kind *k)
{
	return (struct number){
		.kind = k,
		.bits = bits,
		.fraction = uint128_lowest(bits, k->fraction_bits),
		.biased = shift_right(bits, k->fraction_bits).low & exponent_field_most(k),
		.negative = uint128_bit(bits, k->bits - 1),
	};
}

static struct binary value_of(const struct number *n)
{
	int bias = exponent_field_most(n->kind) >> 1, fraction_bits = n->kind->fraction_bits;
	struct uint128 significand = n->fraction;

	if (!n->biased)
		return (struct binary){significand, 1 - bias - fraction_bits};
	if (fraction_bits < 64)
		significand.low |= UINT64_C(1) << fraction_bits;
	else
		significand.high |= UINT64_C(1) << (fraction_bits - 64);
	return (struct binary){significand, n->biased - bias - fraction_bits};
}

/* Below a power of two values are twice as close, but for the least ones. */
static bool has_close_below(const struct number *n)
{
	return uint128_is_zero(n->fraction) && n->biased > 1;
}

/* ---- digits as text ---- */

/* Digits from to to, of which some may be zeros that are not stored. */
static void add_digits(struct text *text, const struct decimal *d, int64_t from, int64_t to)
{
	int64_t stored = to < d->digits ? to : d->digits;

	if (from < stored)
		text_add(text, d->digit + from, stored - from);
	else
		stored = from;
	text_zeros(text, to - stored);
}

/* The digit before the point has the exponent 0; so many digits follow it. */
static void put_fixed(struct text *text, const struct decimal *d, uint32_t after)
{
	int64_t whole = d->digits ? max(d->exponent + 1, 0) : 0;
	int64_t gap = d->digits ? max(-1 - d->exponent, 0) : after;

	if (whole)
		add_digits(text, d, 0, whole);
	else
		text_zeros(text, 1);
	if (!after)
		return;
	text_add(text, ".", 1);
	text_zeros(text, gap);
	add_digits(text, d, whole, whole + after - gap);
}

struct exponent_text {
	char bytes[8];
};

/* A sign and two digits at least. */
static void put_exponent(struct text *text, struct exponent_text *room, int exponent,
			 bool upper)
{
	char *end = room->bytes + sizeof(room->bytes), *p = end;
	unsigned n = exponent < 0 ? -exponent : exponent;

	do {
		*--p = '0' + n % 10;
		n /= 10;
	} while (n || p > end - 2);
	*--p = exponent < 0 ? '-' : '+';
	*--p = upper ? 'E' : 'e';
	text_add(text, p, end - p);
}

static void put_scientific(struct text *text, const struct decimal *d, uint32_t after,
			   struct exponent_text *room, bool upper)
{
	add_digits(text, d, 0, 1);
	if (after) {
		text_add(text, ".", 1);
		add_digits(text, d, 1, 1 + (int64_t)after);
	}
	put_exponent(text, room, d->digits ? d->exponent : 0, upper);
}

/* As short as can be, and yet one sees that it is no integer. */
static void put_shortest(struct text *text, const struct decimal *d, struct exponent_text *room)
{
	if (d->digits && (d->exponent < -4 || d->exponent > 15))
		put_scientific(text, d, d->digits - 1, room, false);
	else
		put_fixed(text, d, d->digits ? max(d->digits - 1 - d->exponent, 1) : 1);
}

/* ---- all of it ---- */

/* The value's digits, as many as a format of this letter can ask for. */
static struct decimal digits_of(const struct number *n, char letter, uint32_t after,
				struct room *room)
{
	struct decimal d = {.digit = room->digit};
	int most = letter ? room->digits : DECIMAL_SHORTEST;

	if (letter == 'e')
		most = min(most, min(after, room->digits) + 2);
	decimal_of(value_of(n), room->words, most, &d);
	return d;
}

/* Fixed, so many digits after the point. */
static void round_fixed(struct decimal *d, uint32_t after)
{
	int64_t digits = d->exponent + 1 + (int64_t)after;

	if (digits < 0)
		d->digits = 0;
	else if (digits < d->digits)
		decimal_round(d, digits);
}

static void put_finite(struct text *text, const struct number *n, const struct format *format,
		       struct room *room, struct exponent_text *exponent)
{
	char letter = format->letter == 'x' ? 0 : format->letter;
	uint32_t after = format->has_number ? format->number : letter == 'f' ? 2 : 6;
	struct decimal d = digits_of(n, letter, after, room);

	if (!letter) {
		decimal_shorten(value_of(n), has_close_below(n), room->words, &d);
		put_shortest(text, &d, exponent);
		return;
	}
	if (letter == 'g')
		letter = d.digits && (d.exponent < -4 || d.exponent > (int64_t)after) ? 'e'
										      : 'f';
	if (letter == 'f') {
		round_fixed(&d, after);
		put_fixed(text, &d, after);
		return;
	}
	if (after < (uint32_t)room->digits)
		decimal_round(&d, after + 1);
	put_scientific(text, &d, after, exponent, format->upper);
}

/* A NaN of 128 bits shows which one it is. */
static void put_nan(struct text *text, const struct number *n, char *room)
{
	struct uint128 v = n->bits;

	if (!n->kind->nan_has_bits) {
		text_add(text, "nan", 3);
		return;
	}
	for (int i = 32; i--; v = uint128_shift_right(v, 4))
		room[i] = "0123456789abcdef"[v.low & 15];
	text_add(text, "nan(0x", 6);
	text_add(text, room, 32);
	text_add(text, ")", 1);
}

static int32_t append(ChicString *target, const struct number *n, struct padding padding,
		      ChicStr format, struct room *room)
{
	struct exponent_text exponent;
	struct text text = {0};
	struct format spec;
	int32_t err;

	err = target ? format_read(format, &spec) : ChicString_InvalidPointer;
	if (err)
		return err;
	if (spec.letter == 'x' && spec.number && !padding.has_alignment)
		padding = (struct padding){spec.number, 1};
	if (n->biased == exponent_field_most(n->kind) && !uint128_is_zero(n->fraction)) {
		put_nan(&text, n, room->digit);
		return text_append(target, &text, padding);
	}
	if (n->negative)
		text_add(&text, "-", 1);
	if (n->biased == exponent_field_most(n->kind))
		text_add(&text, "inf", 3);
	else
		put_finite(&text, n, &spec, room, &exponent);
	return text_append(target, &text, padding);
}

/* What is no larger than 64 bits. */
static int32_t append_small(ChicString *target, uint64_t bits, const struct kind *kind,
			    struct padding padding, ChicStr format)
{
	uint32_t words[DECIMAL_WORDS(EXPONENT_LEAST_64)];
	char digits[DIGITS_MOST_64];
	struct room room = {{words, ARRAY_SIZE(words)}, digits, sizeof(digits)};
	struct number n = take_apart((struct uint128){0, bits}, kind);

	return append(target, &n, padding, format, &room);
}

CHIC_EXPORT int32_t chic_rt_string_append_f16(ChicString *target, uint16_t bits,
					      int32_t alignment, int32_t has_alignment,
					      ChicStr format)
{
	return append_small(target, bits, &binary16, (struct padding){alignment, has_alignment},
			    format);
}

CHIC_EXPORT int32_t chic_rt_string_append_f32(ChicString *target, float value,
					      int32_t alignment, int32_t has_alignment,
					      ChicStr format)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return append_small(target, bits, &binary32, (struct padding){alignment, has_alignment},
			    format);
}

CHIC_EXPORT int32_t chic_rt_string_append_f64(ChicString *target, double value,
					      int32_t alignment, int32_t has_alignment,
					      ChicStr format)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return append_small(target, bits, &binary64, (struct padding){alignment, has_alignment},
			    format);
}

#ifdef __SIZEOF_INT128__
static const struct kind binary128 = {128, 112, true};

CHIC_EXPORT int32_t chic_rt_string_append_f128(ChicString *target, unsigned __int128 bits,
					       int32_t alignment, int32_t has_alignment,
					       ChicStr format)
{
	uint32_t words[DECIMAL_WORDS(EXPONENT_LEAST_128)];
	char digits[DIGITS_MOST_128];
	struct room room = {{words, ARRAY_SIZE(words)}, digits, sizeof(digits)};
	struct number n = take_apart((struct uint128){bits >> 64, bits}, &binary128);

	return append(target, &n, (struct padding){alignment, has_alignment}, format, &room);
}
#endif
