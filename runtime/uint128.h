/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: the little arithmetic of 128 bits that formats need, also for
 * compilers that have no such type.
 */
#ifndef CHIC_RUNTIME_UINT128_H
#define CHIC_RUNTIME_UINT128_H

#include <stdbool.h>
#include <stdint.h>

struct uint128 {
	uint64_t high, low;
};

static inline bool uint128_is_zero(struct uint128 v)
{
	return !v.high && !v.low;
}

static inline bool uint128_bit(struct uint128 v, unsigned i)
{
	return (i < 64 ? v.low >> i : v.high >> (i - 64)) & 1;
}

/* The lowest bits of it, 1 to 128. */
static inline struct uint128 uint128_lowest(struct uint128 v, unsigned bits)
{
	if (bits < 64)
		return (struct uint128){0, v.low & ((UINT64_C(1) << bits) - 1)};
	if (bits < 128)
		v.high &= (UINT64_C(1) << (bits - 64)) - 1;
	return v;
}

/* By 1 to 63 bits. */
static inline struct uint128 uint128_shift_right(struct uint128 v, unsigned bits)
{
	return (struct uint128){v.high >> bits, v.low >> bits | v.high << (64 - bits)};
}

static inline struct uint128 uint128_shift_left(struct uint128 v, unsigned bits)
{
	return (struct uint128){v.high << bits | v.low >> (64 - bits), v.low << bits};
}

static inline struct uint128 uint128_negate(struct uint128 v)
{
	return (struct uint128){~v.high + !v.low, -v.low};
}

/* Divided in place; the remainder. */
static inline uint32_t uint128_divide(struct uint128 *v, uint32_t by)
{
	uint32_t part[] = {v->high >> 32, v->high, v->low >> 32, v->low};
	uint64_t rest = 0;

	for (int i = 0; i < 4; i++) {
		rest = rest << 32 | part[i];
		part[i] = rest / by;
		rest %= by;
	}
	*v = (struct uint128){(uint64_t)part[0] << 32 | part[1],
			      (uint64_t)part[2] << 32 | part[3]};
	return rest;
}

#endif /* CHIC_RUNTIME_UINT128_H */
