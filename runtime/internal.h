/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: the one way to memory, and what the files share.
 *
 * Every block comes from here and goes back here with the size and alignment it was
 * asked for.  The hooks are called by their public names, so that a host which
 * defines them itself serves the runtime as well.
 */
#ifndef CHIC_RUNTIME_INTERNAL_H
#define CHIC_RUNTIME_INTERNAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "chic_rt.h"
#include "handle.h"

#pragma GCC visibility push(hidden)

#define CHIC_EXPORT __attribute__((visibility("default")))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* No object is larger: the difference of two pointers into it must fit. */
#define RT_SIZE_MAX ((size_t)PTRDIFF_MAX)

/* ---- memory ---- */

static inline uint8_t *rt_get(size_t size, size_t align)
{
	return chic_rt_alloc(size, align).ptr;
}

static inline uint8_t *rt_get_zeroed(size_t size, size_t align)
{
	return chic_rt_alloc_zeroed(size, align).ptr;
}

/*
 * Null leaves the old block as it is.  p is never null: a block that began by
 * realloc would be none in the counters of calls.
 */
static inline uint8_t *rt_resize(uint8_t *p, size_t old_size, size_t size, size_t align)
{
	return chic_rt_realloc((ValueMutPtr){p, old_size, align}, old_size, size, align).ptr;
}

static inline void rt_put(uint8_t *p, size_t size, size_t align)
{
	chic_rt_free((ValueMutPtr){p, size, align});
}

/* Bytes of n elements; false above RT_SIZE_MAX. */
static inline bool rt_bytes(size_t n, size_t elem_size, size_t *out)
{
	return !__builtin_mul_overflow(n, elem_size, out) && *out <= RT_SIZE_MAX;
}

static inline bool rt_power_of_two(size_t n)
{
	return n && !(n & (n - 1));
}

static inline void rt_copy(void *dst, const void *src, size_t n)
{
	if (n)
		memcpy(dst, src, n);
}

/* ---- callbacks and places ---- */

typedef void (*rt_drop_fn)(uint8_t *value);
typedef int32_t (*rt_eq_fn)(const void *a, const void *b);
typedef uint64_t (*rt_hash_fn)(const void *value);

static inline void rt_drop(uintptr_t drop_fn, uint8_t *value)
{
	if (drop_fn)
		((rt_drop_fn)drop_fn)(value);
}

/* A handle's place for size bytes; null where the handle is none, or smaller. */
static inline uint8_t *rt_place(const ValueMutPtr *out, size_t size)
{
	return out && out->ptr && out->size >= size ? out->ptr : NULL;
}

/* ---- counts.c: blocks taken and given back ---- */

void rt_count_taken(void);
void rt_count_given_back(void);
void string_count_taken(void);
void string_count_given_back(void);

/* ---- panic.c, which each platform has its own of ---- */

_Noreturn void rt_panic(const char *message);

/* ---- region.c ---- */

/* None is the ordinary heap. */
static inline bool region_is_some(RegionHandle region)
{
	return region.ptr != NULL;
}

bool region_is_live(RegionHandle region);

/* Grow the region's last block in place; false where it is not the last, or full. */
bool region_grow(RegionHandle region, const uint8_t *p, size_t old_size, size_t size);

/*
 * What regions that live have of a profile, added to sum.  False: one of them is on
 * its way to those that ended.
 */
bool region_sum_live(uint64_t profile, RegionTelemetry *sum);

/* How many regions ever went that way. */
size_t region_moves(void);

/* ---- region_profile.c ---- */

/* A region ended: its counters stay with its profile. */
void profile_add(uint64_t profile, const RegionTelemetry *t);

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_INTERNAL_H */
