// SPDX-License-Identifier: BSD-2-Clause
/*
 * Arc: a value whose owners are in any threads.
 *
 * An owner that comes is counted relaxed: who makes it owns the value already.  One
 * that goes releases, and the last acquires, so that it sees what all others did.
 * get_mut makes sure that nobody begins a weak owner while it looks whether it is alone.
 */
#include "shared.h"

#include <sched.h>

/* The weak count while get_mut looks; only then can a strong owner meet it. */
#define LOOKED_AT SIZE_MAX

/*
 * Undone where there are too many; others that come meanwhile are refused as well.
 */
static int32_t one_more(_Atomic size_t *count)
{
	if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < OWNERS_MAX)
		return ChicShared_Success;
	atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
	return ChicShared_Overflow;
}

static bool one_less(_Atomic size_t *count)
{
	if (atomic_fetch_sub_explicit(count, 1, memory_order_release) != 1)
		return false;
	/* a load, which sanitizers understand, instead of a fence */
	atomic_load_explicit(count, memory_order_acquire);
	return true;
}

/* Once there is no strong owner there never will be. */
static int32_t one_more_strong(_Atomic size_t *strong)
{
	size_t count = atomic_load_explicit(strong, memory_order_relaxed);

	do {
		if (!count)
			return ChicShared_InvalidPointer;
		if (count >= OWNERS_MAX)
			return ChicShared_Overflow;
	} while (!atomic_compare_exchange_weak_explicit(
		strong, &count, count + 1, memory_order_acquire, memory_order_relaxed));
	return ChicShared_Success;
}

/* By a strong owner: a weak one, which keeps get_mut from it, may not be there. */
static int32_t one_more_weak(_Atomic size_t *weak)
{
	size_t count = atomic_load_explicit(weak, memory_order_relaxed);

	for (;;) {
		if (count == LOOKED_AT) {
			sched_yield();
			count = atomic_load_explicit(weak, memory_order_relaxed);
			continue;
		}
		if (count >= OWNERS_MAX)
			return ChicShared_Overflow;
		if (atomic_compare_exchange_weak_explicit(weak, &count, count + 1,
							  memory_order_acquire,
							  memory_order_relaxed))
			return ChicShared_Success;
	}
}

static inline struct shared *block_of(const ChicArc *arc)
{
	return arc ? arc->ptr : NULL;
}

static inline struct shared *weak_block_of(const ChicWeak *weak)
{
	return weak ? weak->ptr : NULL;
}

/* ---- strong owners ---- */

CHIC_EXPORT int32_t chic_rt_arc_new(ChicArc *dest, const uint8_t *src, size_t size,
				    size_t align, uintptr_t drop_fn, uint64_t type_id)
{
	if (!dest)
		return ChicShared_InvalidPointer;
	return shared_new(&dest->ptr, src, size, align, drop_fn, type_id);
}

CHIC_EXPORT int32_t chic_rt_arc_clone(ChicArc *dest, const ChicArc *src)
{
	struct shared *block = block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	if (dest == src)
		return ChicShared_Success;
	return shared_own(&dest->ptr, block, &block->strong, one_more);
}

CHIC_EXPORT void chic_rt_arc_drop(ChicArc *target)
{
	struct shared *block = block_of(target);

	if (!block)
		return;
	target->ptr = NULL;
	shared_drop_strong(block, one_less);
}

CHIC_EXPORT const uint8_t *chic_rt_arc_get(const ChicArc *src)
{
	return chic_rt_arc_get_data(src);
}

CHIC_EXPORT uint8_t *chic_rt_arc_get_data(const ChicArc *handle)
{
	struct shared *block = block_of(handle);

	return block ? shared_value(block) : NULL;
}

CHIC_EXPORT uint8_t *chic_rt_arc_get_mut(ChicArc *src)
{
	struct shared *block = block_of(src);
	size_t none = 1;
	bool alone;

	if (!block || !atomic_compare_exchange_strong_explicit(&block->weak, &none, LOOKED_AT,
							       memory_order_acquire,
							       memory_order_relaxed))
		return NULL;
	alone = atomic_load_explicit(&block->strong, memory_order_acquire) == 1;
	atomic_store_explicit(&block->weak, 1, memory_order_release);
	return alone ? shared_value(block) : NULL;
}

CHIC_EXPORT size_t chic_rt_arc_strong_count(const ChicArc *src)
{
	struct shared *block = block_of(src);

	return block ? atomic_load_explicit(&block->strong, memory_order_relaxed) : 0;
}

CHIC_EXPORT size_t chic_rt_arc_weak_count(const ChicArc *src)
{
	struct shared *block = block_of(src);
	size_t count = block ? atomic_load_explicit(&block->weak, memory_order_relaxed) : 0;

	return count == LOOKED_AT ? 1 : count;
}

/* ---- weak owners ---- */

CHIC_EXPORT int32_t chic_rt_arc_downgrade(ChicWeak *dest, const ChicArc *src)
{
	struct shared *block = block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	return shared_own(&dest->ptr, block, &block->weak, one_more_weak);
}

CHIC_EXPORT int32_t chic_rt_weak_clone(ChicWeak *dest, const ChicWeak *src)
{
	struct shared *block = weak_block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	if (dest == src)
		return ChicShared_Success;
	return shared_own(&dest->ptr, block, &block->weak, one_more);
}

CHIC_EXPORT void chic_rt_weak_drop(ChicWeak *target)
{
	struct shared *block = weak_block_of(target);

	if (!block)
		return;
	target->ptr = NULL;
	shared_drop_weak(block, one_less);
}

CHIC_EXPORT int32_t chic_rt_weak_upgrade(ChicArc *dest, const ChicWeak *src)
{
	struct shared *block = weak_block_of(src);
	int32_t err;

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	err = shared_own(&dest->ptr, block, &block->strong, one_more_strong);
	if (err == ChicShared_InvalidPointer)
		dest->ptr = NULL;
	return err;
}
