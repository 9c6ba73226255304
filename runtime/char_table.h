/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: what is known of characters, in tables that are in order.
 */
#ifndef CHIC_RUNTIME_CHAR_TABLE_H
#define CHIC_RUNTIME_CHAR_TABLE_H

#include "internal.h"

#pragma GCC visibility push(hidden)

struct char_range {
	chic_char first, last;
};

/* first is mapped to to, each step after it as far away. */
struct char_mapping {
	chic_char first, last, to, step;
};

/* A character whose case takes more than one: the first of these. */
struct char_first {
	chic_char c, first;
};

extern const struct char_range char_letters[], char_numbers[];
extern const struct char_mapping char_uppers[], char_lowers[];
extern const struct char_first char_long_uppers[], char_long_lowers[];
extern const size_t char_letters_rows, char_numbers_rows, char_uppers_rows, char_lowers_rows,
	char_long_uppers_rows, char_long_lowers_rows;

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_CHAR_TABLE_H */
