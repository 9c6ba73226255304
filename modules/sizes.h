/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arithmetic of sizes, and what is likely.
 */
#ifndef CHIC_MODULES_SIZES_H
#define CHIC_MODULES_SIZES_H

#include <stddef.h>

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* to is a power of two */
static inline size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

#endif /* CHIC_MODULES_SIZES_H */
