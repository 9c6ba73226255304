// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks that Rc, Arc and objects, and strings, took and gave back since the process
 * began.
 */
#include "internal.h"

static _Atomic size_t taken, given_back;

void rt_count_taken(void)
{
	atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
}

void rt_count_given_back(void)
{
	atomic_fetch_add_explicit(&given_back, 1, memory_order_relaxed);
}

CHIC_EXPORT size_t chic_rt_shared_allocations(void)
{
	return atomic_load_explicit(&taken, memory_order_relaxed);
}

CHIC_EXPORT size_t chic_rt_shared_frees(void)
{
	return atomic_load_explicit(&given_back, memory_order_relaxed);
}

/* ---- strings ---- */

static _Atomic size_t string_taken, string_given_back;

void string_count_taken(void)
{
	atomic_fetch_add_explicit(&string_taken, 1, memory_order_relaxed);
}

void string_count_given_back(void)
{
	atomic_fetch_add_explicit(&string_given_back, 1, memory_order_relaxed);
}

CHIC_EXPORT size_t chic_rt_string_allocations(void)
{
	return atomic_load_explicit(&string_taken, memory_order_relaxed);
}

CHIC_EXPORT size_t chic_rt_string_frees(void)
{
	return atomic_load_explicit(&string_given_back, memory_order_relaxed);
}
