// SPDX-License-Identifier: BSD-2-Clause
/*
 * The names that Chic's compiler imports from module chic_rt, without the prefix.
 *
 * They differ from the C functions: what answers a handle takes the place for it and
 * answers that place again, and the copies take addresses where chic_rt_memcpy and
 * its kin take handles.
 */
#include "core.h"

#define EXPORT_AS(name) __attribute__((export_name(name)))

/* Nothing in C calls them. */
#pragma clang diagnostic ignored "-Wmissing-prototypes"

EXPORT_AS("alloc")
ValueMutPtr *short_alloc(ValueMutPtr *out, size_t size, size_t align)
{
	*out = chic_rt_alloc(size, align);
	return out;
}

EXPORT_AS("alloc_zeroed")
ValueMutPtr *short_alloc_zeroed(ValueMutPtr *out, size_t size, size_t align)
{
	*out = chic_rt_alloc_zeroed(size, align);
	return out;
}

EXPORT_AS("realloc")
ValueMutPtr *short_realloc(ValueMutPtr *out, const ValueMutPtr *old, size_t old_size,
			   size_t new_size, size_t align)
{
	*out = chic_rt_realloc(*old, old_size, new_size, align);
	return out;
}

EXPORT_AS("free")
void short_free(const ValueMutPtr *block)
{
	chic_rt_free(*block);
}

EXPORT_AS("memcpy")
void short_memcpy(void *dst, const void *src, size_t len)
{
	if (dst && src)
		__builtin_memcpy(dst, src, len);
}

EXPORT_AS("memmove")
void short_memmove(void *dst, const void *src, size_t len)
{
	if (dst && src)
		__builtin_memmove(dst, src, len);
}

EXPORT_AS("memset")
void short_memset(void *dst, int value, size_t len)
{
	if (dst)
		__builtin_memset(dst, value, len);
}

EXPORT_AS("allocator_install")
void short_allocator_install(const ChicAllocatorVTable *table)
{
	chic_rt_allocator_install(*table);
}

EXPORT_AS("allocator_reset")
void short_allocator_reset(void)
{
	chic_rt_allocator_reset();
}

EXPORT_AS("alloc_stats")
AllocationTelemetry *short_alloc_stats(AllocationTelemetry *out)
{
	chic_rt_alloc_stats_fill(out);
	return out;
}

EXPORT_AS("reset_alloc_stats")
void short_reset_alloc_stats(void)
{
	chic_rt_reset_alloc_stats();
}
