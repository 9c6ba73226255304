/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Assertions of the compiler about layouts, in machine words.
 */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#include <stddef.h>

#define WORD sizeof(void *)
#define SIZE_IS(type, words) _Static_assert(sizeof(type) == (words)*WORD, "size of " #type)
#define FIELD_IS(type, field, word)                                                            \
	_Static_assert(offsetof(type, field) == (word)*WORD, #type "." #field)

#endif /* ABI_LAYOUT_H */
