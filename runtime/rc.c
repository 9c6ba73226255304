// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rc: a value whose owners are all in one thread.
 */
#include "shared.h"

/* Plain loads and stores of the words that Arc changes atomically. */
static inline size_t get(_Atomic size_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static inline void set(_Atomic size_t *count, size_t value)
{
	atomic_store_explicit(count, value, memory_order_relaxed);
}

static int32_t one_more(_Atomic size_t *count)
{
	if (get(count) >= OWNERS_MAX)
		return ChicShared_Overflow;
	set(count, get(count) + 1);
	return ChicShared_Success;
}

static bool one_less(_Atomic size_t *count)
{
	set(count, get(count) - 1);
	return !get(count);
}

static inline struct shared *block_of(const ChicRc *rc)
{
	return rc ? rc->ptr : NULL;
}

static inline struct shared *weak_block_of(const ChicWeakRc *weak)
{
	return weak ? weak->ptr : NULL;
}

/* ---- strong owners ---- */

CHIC_EXPORT int32_t chic_rt_rc_new(ChicRc *dest, const uint8_t *src, size_t size, size_t align,
				   uintptr_t drop_fn, uint64_t type_id)
{
	if (!dest)
		return ChicShared_InvalidPointer;
	return shared_new(&dest->ptr, src, size, align, drop_fn, type_id);
}

CHIC_EXPORT int32_t chic_rt_rc_clone(ChicRc *dest, const ChicRc *src)
{
	struct shared *block = block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	if (dest == src)
		return ChicShared_Success;
	return shared_own(&dest->ptr, block, &block->strong, one_more);
}

CHIC_EXPORT void chic_rt_rc_drop(ChicRc *target)
{
	struct shared *block = block_of(target);

	if (!block)
		return;
	target->ptr = NULL;
	shared_drop_strong(block, one_less);
}

CHIC_EXPORT const uint8_t *chic_rt_rc_get(const ChicRc *src)
{
	struct shared *block = block_of(src);

	return block ? shared_value(block) : NULL;
}

CHIC_EXPORT uint8_t *chic_rt_rc_get_mut(ChicRc *src)
{
	struct shared *block = block_of(src);

	if (!block || get(&block->strong) != 1 || get(&block->weak) != 1)
		return NULL;
	return shared_value(block);
}

CHIC_EXPORT size_t chic_rt_rc_strong_count(const ChicRc *src)
{
	struct shared *block = block_of(src);

	return block ? get(&block->strong) : 0;
}

CHIC_EXPORT size_t chic_rt_rc_weak_count(const ChicRc *src)
{
	struct shared *block = block_of(src);

	return block ? get(&block->weak) : 0;
}

/* ---- weak owners ---- */

CHIC_EXPORT int32_t chic_rt_rc_downgrade(ChicWeakRc *dest, const ChicRc *src)
{
	struct shared *block = block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	return shared_own(&dest->ptr, block, &block->weak, one_more);
}

CHIC_EXPORT int32_t chic_rt_weak_rc_clone(ChicWeakRc *dest, const ChicWeakRc *src)
{
	struct shared *block = weak_block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	if (dest == src)
		return ChicShared_Success;
	return shared_own(&dest->ptr, block, &block->weak, one_more);
}

CHIC_EXPORT void chic_rt_weak_rc_drop(ChicWeakRc *target)
{
	struct shared *block = weak_block_of(target);

	if (!block)
		return;
	target->ptr = NULL;
	shared_drop_weak(block, one_less);
}

CHIC_EXPORT int32_t chic_rt_weak_rc_upgrade(ChicRc *dest, const ChicWeakRc *src)
{
	struct shared *block = weak_block_of(src);

	if (!dest || !block)
		return ChicShared_InvalidPointer;
	if (!get(&block->strong)) {
		dest->ptr = NULL;
		return ChicShared_InvalidPointer;
	}
	return shared_own(&dest->ptr, block, &block->strong, one_more);
}
