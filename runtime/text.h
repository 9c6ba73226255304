/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to runtime/: texts made of pieces, and how they come to a string's end.
 *
 * A number's zeros are counted, not stored, so that any precision can be asked for.
 */
#ifndef CHIC_RUNTIME_TEXT_H
#define CHIC_RUNTIME_TEXT_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Bytes, or so many zeros where there is no place. */
struct piece {
	const char *bytes;
	size_t n;
};

enum { TEXT_PIECES = 8 };

struct text {
	struct piece piece[TEXT_PIECES];
	unsigned pieces;
};

/* A width that is always given, as the ABI's calls have it. */
struct padding {
	int32_t alignment;
	int32_t has_alignment;
};

static inline void text_add(struct text *text, const char *bytes, size_t n)
{
	if (n)
		text->piece[text->pieces++] = (struct piece){bytes, n};
}

static inline void text_zeros(struct text *text, size_t n)
{
	text_add(text, NULL, n);
}

/* ASCII, at the end of target; a status. */
int32_t text_append(ChicString *target, const struct text *text, struct padding padding);

/* ---- formats: a letter and a number ---- */

struct format {
	char letter; /* x, e, f, g; 0: none that is known */
	bool upper;
	bool has_number;
	uint32_t number; /* no more than INT32_MAX */
};

int32_t format_read(ChicStr format, struct format *out);

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_TEXT_H */
