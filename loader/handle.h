/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles as they are answered by value.
 *
 * ptr and size go out in one store of two words.  Written as two, a client that
 * copies the handle with a 16-byte load waits for both to leave the store
 * buffer: about 9 ns, more than the allocation.
 */
#ifndef CHIC_HANDLE_H
#define CHIC_HANDLE_H

#include "chic_rt.h"

typedef uintptr_t chic_two_words __attribute__((vector_size(2 * sizeof(uintptr_t))));

static inline ValueMutPtr handle(void *p, size_t size, size_t align)
{
	chic_two_words first = {(uintptr_t)p, size};
	ValueMutPtr h;

	__builtin_memcpy(&h, &first, sizeof(first));
	h.align = align;
	return h;
}

#endif /* CHIC_HANDLE_H */
