// SPDX-License-Identifier: BSD-2-Clause
/*
 * The fewest digits that read back as a value: those of it, rounded, that are nearer
 * to it than to either of its neighbours.
 */
#include "decimal.h"

struct bounds {
	char low_digit[DECIMAL_SHORTEST], high_digit[DECIMAL_SHORTEST];
	struct decimal low, high;
	bool inclusive;
};

/* Half way to a neighbour: a half or, where that one is close, a quarter of a unit. */
static struct binary half_way(struct binary v, bool above, bool close)
{
	int bits = close ? 2 : 1;

	v.significand = uint128_shift_left(v.significand, bits);
	v.exponent -= bits;
	if (above)
		v.significand.high += !++v.significand.low;
	else
		v.significand.high -= !v.significand.low--;
	return v;
}

/* What is half way reads back as the value whose last bit is 0. */
static void find_bounds(struct binary v, bool close_below, struct decimal_room room,
			struct bounds *b)
{
	b->low.digit = b->low_digit;
	b->high.digit = b->high_digit;
	decimal_of(half_way(v, false, close_below), room, DECIMAL_SHORTEST, &b->low);
	decimal_of(half_way(v, true, false), room, DECIMAL_SHORTEST, &b->high);
	b->inclusive = !uint128_bit(v.significand, 0);
}

static bool reads_back(const struct decimal *d, const struct bounds *b)
{
	int below = decimal_compare(&b->low, d), above = decimal_compare(d, &b->high);

	return b->inclusive ? below <= 0 && above <= 0 : below < 0 && above < 0;
}

/* What lies between two numbers begins with the digits that both begin with. */
static int digits_in_common(const struct decimal *a, const struct decimal *b)
{
	int n = 0;

	while (a->exponent == b->exponent && n < a->digits && n < b->digits &&
	       a->digit[n] == b->digit[n])
		n++;
	return n;
}

void decimal_shorten(struct binary value, bool close_below, struct decimal_room room,
		     struct decimal *d)
{
	char exact[DECIMAL_SHORTEST];
	struct decimal full = *d;
	struct bounds bounds;
	int digits;

	if (!d->digits)
		return;
	memcpy(exact, d->digit, full.digits);
	find_bounds(value, close_below, room, &bounds);
	digits = digits_in_common(&bounds.low, &bounds.high);
	if (!digits)
		digits = 1;
	do {
		*d = full;
		memcpy(d->digit, exact, full.digits);
		decimal_round(d, digits);
	} while (!reads_back(d, &bounds) && ++digits < DECIMAL_SHORTEST);
}
