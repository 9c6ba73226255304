// SPDX-License-Identifier: BSD-2-Clause
/*
 * Binary fractions as decimal digits, exactly.
 *
 * The value is a row of words of nine digits each, of which those before the point are
 * an integer.  A power of two is multiplied in, or divided by, a few bits at a time:
 * 10^9 is divisible by 2^9, so that nothing is ever lost.
 */
#include "decimal.h"

enum { BASE = 1000000000, WORD_DIGITS = 9, TIMES_BITS = 29, HALVES_BITS = 9 };

/* Words begin to end; those before point are the integer's. */
struct row {
	uint32_t *word;
	int begin, point, end;
};

static void put_integer(struct row *r, struct uint128 v)
{
	while (!uint128_is_zero(v))
		r->word[--r->begin] = uint128_divide(&v, BASE);
}

static void times(struct row *r, int bits)
{
	uint64_t carry = 0;

	for (int i = r->end; i-- > r->begin;) {
		carry += (uint64_t)r->word[i] << bits;
		r->word[i] = carry % BASE;
		carry /= BASE;
	}
	if (carry)
		r->word[--r->begin] = carry;
}

static void halve(struct row *r, int bits)
{
	uint32_t carry = 0;

	for (int i = r->begin; i < r->end; i++) {
		uint32_t word = r->word[i];

		r->word[i] = (word >> bits) + carry;
		carry = (word & ((1u << bits) - 1)) * ((uint32_t)BASE >> bits);
	}
	if (carry)
		r->word[r->end++] = carry;
	while (r->begin < r->end && !r->word[r->begin])
		r->begin++;
}

/* ---- the row's digits ---- */

static void put_digit(struct decimal *d, int most, char digit)
{
	if (d->digits < most)
		d->digit[d->digits++] = digit;
	else
		d->more |= digit != '0';
}

static void put_word(struct decimal *d, int most, uint32_t word)
{
	char text[WORD_DIGITS];
	int i = WORD_DIGITS, first = 0;

	while (i--) {
		text[i] = '0' + word % 10;
		word /= 10;
	}
	if (!d->digits)
		while (first < WORD_DIGITS - 1 && text[first] == '0')
			first++;
	if (!d->digits)
		d->exponent += WORD_DIGITS - 1 - first;
	for (i = first; i < WORD_DIGITS; i++)
		put_digit(d, most, text[i]);
}

static void trim(struct decimal *d)
{
	while (!d->more && d->digits && d->digit[d->digits - 1] == '0')
		d->digits--;
}

static void read_row(const struct row *r, int most, struct decimal *d)
{
	d->digits = 0;
	d->exponent = WORD_DIGITS * (r->point - 1 - r->begin);
	d->more = false;
	for (int i = r->begin; i < r->end && !(d->digits == most && d->more); i++)
		put_word(d, most, r->word[i]);
	trim(d);
}

void decimal_of(struct binary v, struct decimal_room room, int most, struct decimal *out)
{
	int point;
	struct row r;

	while (!uint128_is_zero(v.significand) && !uint128_bit(v.significand, 0)) {
		v.significand = uint128_shift_right(v.significand, 1);
		v.exponent++;
	}
	point = v.exponent > 0 ? room.words : 5; /* 128 bits are five words */
	r = (struct row){room.word, point, point, point};
	put_integer(&r, v.significand);
	for (int e = v.exponent; e > 0 && r.begin < r.end; e -= TIMES_BITS)
		times(&r, e < TIMES_BITS ? e : TIMES_BITS);
	for (int e = -v.exponent; e > 0 && r.begin < r.end; e -= HALVES_BITS)
		halve(&r, e < HALVES_BITS ? e : HALVES_BITS);
	if (r.begin == r.end)
		*out = (struct decimal){out->digit, 0, 0, false};
	else
		read_row(&r, most, out);
}

/* ---- what is done with digits ---- */

/* Whether what is cut off after so many digits makes the last one larger. */
static bool rounds_up(const struct decimal *d, int digits)
{
	char next = d->digit[digits];

	if (next != '5' || digits + 1 < d->digits || d->more)
		return next >= '5';
	return digits && (d->digit[digits - 1] & 1);
}

void decimal_round(struct decimal *d, int digits)
{
	bool up;

	if (digits >= d->digits)
		return;
	up = rounds_up(d, digits);
	d->digits = digits;
	d->more = false;
	if (!up) {
		trim(d);
		return;
	}
	while (d->digits && d->digit[d->digits - 1] == '9')
		d->digits--;
	if (d->digits) {
		d->digit[d->digits - 1]++;
		return;
	}
	d->digit[d->digits++] = '1';
	d->exponent++;
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
	int common = a->digits < b->digits ? a->digits : b->digits, order;

	if (!a->digits || !b->digits)
		return a->digits - b->digits;
	if (a->exponent != b->exponent)
		return a->exponent - b->exponent;
	order = memcmp(a->digit, b->digit, common);
	if (order)
		return order;
	return a->digits != b->digits ? a->digits - b->digits : a->more - b->more;
}
