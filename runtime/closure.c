// SPDX-License-Identifier: BSD-2-Clause
/*
 * Environments of closures.  Sizes travel as 64 bits on every machine.
 */
#include "internal.h"

static bool fits(uint64_t size, uint64_t align)
{
	return size <= RT_SIZE_MAX && align <= RT_SIZE_MAX;
}

CHIC_EXPORT uint8_t *chic_rt_closure_env_alloc(uint64_t size, uint64_t align)
{
	return fits(size, align) ? rt_get(size, align) : NULL;
}

CHIC_EXPORT uint8_t *chic_rt_closure_env_clone(const uint8_t *src, uint64_t size,
					       uint64_t align)
{
	uint8_t *copy = src ? chic_rt_closure_env_alloc(size, align) : NULL;

	if (copy)
		memcpy(copy, src, size);
	return copy;
}

CHIC_EXPORT void chic_rt_closure_env_free(uint8_t *ptr, uint64_t size, uint64_t align)
{
	rt_put(ptr, size, align + !align);
}
