/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: binary fractions as decimal digits, exactly.
 */
#ifndef CHIC_RUNTIME_DECIMAL_H
#define CHIC_RUNTIME_DECIMAL_H

#include "internal.h"
#include "uint128.h"

#pragma GCC visibility push(hidden)

/* significand * 2^exponent */
struct binary {
	struct uint128 significand;
	int exponent;
};

/*
 * d.ddd * 10^exponent, the digits as characters, without zeros before or after.  None
 * is zero.  more: what follows the last digit is not nothing.
 */
struct decimal {
	char *digit;
	int digits;
	int exponent;
	bool more;
};

/*
 * Room that the digits of any value of so many exponents take, half of a width above
 * the value as well: words of nine decimal digits, to work with.
 */
#define DECIMAL_WORDS(exponent_least) (((exponent_least) + 8) / 9 + 16)

struct decimal_room {
	uint32_t *word;
	int words;
};

/* Digits of the value, most at most; *out has room for them. */
void decimal_of(struct binary value, struct decimal_room room, int most, struct decimal *out);

/* To so many digits, 0 as well, half to even; one may come before the first. */
void decimal_round(struct decimal *d, int digits);

/* <0, 0, >0 */
int decimal_compare(const struct decimal *a, const struct decimal *b);

/* ---- decimal_shortest.c ---- */

/* Digits that are enough for it to begin with. */
enum { DECIMAL_SHORTEST = 40 };

/*
 * To the fewest digits that read back as the value, whose neighbours are one unit of
 * its significand away, the one below half a unit where it is close.  *d is the value.
 */
void decimal_shorten(struct binary value, bool close_below, struct decimal_room room,
		     struct decimal *d);

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_DECIMAL_H */
