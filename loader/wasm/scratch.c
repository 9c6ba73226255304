// SPDX-License-Identifier: BSD-2-Clause
/*
 * A place for the handles of a caller that has no stack in this memory, as JavaScript.
 */
#include "core.h"

enum { SCRATCH_WORDS = 32 };

CHIC_EXPORT size_t *chic_alloc_scratch(void);

size_t *chic_alloc_scratch(void)
{
	static _Alignas(8) size_t words[SCRATCH_WORDS];

	return words;
}
