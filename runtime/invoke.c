// SPDX-License-Identifier: BSD-2-Clause
/*
 * Callbacks called for those that have them as numbers.
 */
#include "internal.h"

CHIC_EXPORT uint64_t chic_rt_hash_invoke(uintptr_t func, const void *value)
{
	return func ? ((rt_hash_fn)func)(value) : 0;
}

CHIC_EXPORT int32_t chic_rt_eq_invoke(uintptr_t func, const void *left, const void *right)
{
	return func ? ((rt_eq_fn)func)(left, right) : 0;
}
