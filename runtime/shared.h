/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to shared.c, rc.c and arc.c: the block that owners of a value share.
 *
 * Counts first, then what is needed to end the value and the block, then the value.
 * All strong owners together hold one weak count; the block goes with the last.
 */
#ifndef CHIC_RUNTIME_SHARED_H
#define CHIC_RUNTIME_SHARED_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Arc counts with atomic operations, Rc with plain ones of the same words. */
struct shared {
	_Atomic size_t strong;
	_Atomic size_t weak;
	size_t size; /* of the value */
	size_t align; /* of the block */
	uintptr_t drop_fn;
	uint64_t type_id;
};

/* More owners are refused: what is left above is for threads that find out together. */
#define OWNERS_MAX ((size_t)PTRDIFF_MAX)

/*
 * What Rc and Arc differ in: how an owner is counted.  more answers a status, less
 * whether that was the last.
 */
typedef int32_t shared_more_fn(_Atomic size_t *count);
typedef bool shared_less_fn(_Atomic size_t *count);

/* The first owner into *dest, which is left alone on failure. */
int32_t shared_new(void **dest, const uint8_t *src, size_t size, size_t align,
		   uintptr_t drop_fn, uint64_t type_id);
/* The value's end; the block stays. */
void shared_end_value(struct shared *block);
void shared_free(struct shared *block);

static inline uint8_t *shared_value(struct shared *block)
{
	return (uint8_t *)block + ((sizeof(*block) + block->align - 1) & -block->align);
}

/* One more owner into *dest, which is left alone on failure. */
static inline int32_t shared_own(void **dest, struct shared *block, _Atomic size_t *count,
				 shared_more_fn *more)
{
	int32_t err = more(count);

	if (!err)
		*dest = block;
	return err;
}

static inline void shared_drop_weak(struct shared *block, shared_less_fn *less)
{
	if (less(&block->weak))
		shared_free(block);
}

static inline void shared_drop_strong(struct shared *block, shared_less_fn *less)
{
	if (!less(&block->strong))
		return;
	shared_end_value(block);
	shared_drop_weak(block, less);
}

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_SHARED_H */
