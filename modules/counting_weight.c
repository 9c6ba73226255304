// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arithmetic of sampling.  Each byte is drawn with the same small chance, so
 * that the way from one to the next is exponentially distributed, and a block is
 * taken with the chance 1 - exp(-size / period) that one of its bytes is.  What is
 * taken counts for one divided by that: sums over the sample are then on average
 * those over all blocks, whatever their sizes.
 *
 * Without the mathematical library, which no other program should have to load.
 */
#include "counting.h"

#define LN2 0.69314718055994530942

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* ln(m) for m in [1, 2): the series of the inverse hyperbolic tangent, to 1e-12. */
static double ln_of(double m)
{
	double z = (m - 1) / (m + 1), power = z, sum = 0;

	for (int i = 1; i < 24; i += 2, power *= z * z)
		sum += power / i;
	return 2 * sum;
}

/* -ln(u) of a random u in (0, 1]; its exponent and its mantissa apart. */
static double exponential(uint64_t *random)
{
	uint64_t u = random_next(random) | 1;
	int zeros = __builtin_clzll(u);
	double mantissa = (double)(u << zeros) / 9223372036854775808.0;

	return (zeros + 1) * LN2 - ln_of(mantissa);
}

/* 1 - exp(-x) for x >= 0, also where that is tiny: halved, a series, doubled again. */
static double chance(double x)
{
	double term, sum;
	int halved = 0;

	if (x > 40)
		return 1;
	for (; x > 0.25; x /= 2)
		halved++;
	term = sum = x;
	for (int i = 2; i < 12; i++) {
		term *= -x / i;
		sum += term;
	}
	for (; halved; halved--)
		sum *= 2 - sum;
	return sum;
}

int64_t counting_draw(uint64_t *random, uint64_t period)
{
	double bytes = exponential(random) * (double)period;

	return bytes < (double)COUNTING_NEVER ? (int64_t)bytes : COUNTING_NEVER;
}

static double weight(size_t size, uint64_t period)
{
	return size && period ? 1 / chance((double)size / (double)period) : 1;
}

uint64_t counting_weight(size_t size, uint64_t period)
{
	return (uint64_t)(weight(size, period) * COUNTING_WEIGHT_ONE + 0.5);
}

uint64_t counting_weight_bytes(size_t size, uint64_t period)
{
	return (uint64_t)(weight(size, period) * (double)size + 0.5);
}
