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

/* Null where there is no memory, or *err says why. */
struct shared *shared_new(const uint8_t *src, size_t size, size_t align, uintptr_t drop_fn,
			  uint64_t type_id, int32_t *err);
/* The value's end; the block stays. */
void shared_end_value(struct shared *block);
void shared_free(struct shared *block);

static inline uint8_t *shared_value(struct shared *block)
{
	return (uint8_t *)block + ((sizeof(*block) + block->align - 1) & -block->align);
}

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_SHARED_H */
