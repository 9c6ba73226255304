// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks that strings, and shared owners and objects, took and gave back since
 * the process began.
 */
#include "internal.h"

static struct {
	_Alignas(64) _Atomic size_t taken, given_back;
} counts[RT_FAMILIES];

static size_t value(const _Atomic size_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

void rt_count_taken(enum rt_family family)
{
	atomic_fetch_add_explicit(&counts[family].taken, 1, memory_order_relaxed);
}

void rt_count_given_back(enum rt_family family)
{
	atomic_fetch_add_explicit(&counts[family].given_back, 1, memory_order_relaxed);
}

CHIC_EXPORT size_t chic_rt_string_allocations(void)
{
	return value(&counts[RT_STRING].taken);
}

CHIC_EXPORT size_t chic_rt_string_frees(void)
{
	return value(&counts[RT_STRING].given_back);
}

CHIC_EXPORT size_t chic_rt_shared_allocations(void)
{
	return value(&counts[RT_SHARED].taken);
}

CHIC_EXPORT size_t chic_rt_shared_frees(void)
{
	return value(&counts[RT_SHARED].given_back);
}
