/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UTF-8 read, written and checked, for runtime/ and for whoever writes JSON.  What is
 * not the shortest form, a surrogate, or above U+10FFFF is no UTF-8.
 */
#ifndef CHIC_RUNTIME_UTF8_H
#define CHIC_RUNTIME_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { UTF8_MOST = 4 }; /* bytes of one character */

static inline bool utf8_is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/* A byte that goes on with a character. */
static inline bool utf8_goes_on(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The character at p, of which n bytes are there; how many it has, 0 for bad ones. */
size_t utf8_read(const uint8_t *p, size_t n, uint32_t *c);
/* Bytes of the character at the start of a text that ends in NUL, 0 for bad ones. */
size_t utf8_length(const char *text);
/* How many bytes were written; 0 for what is no character. */
size_t utf8_write(uint32_t c, uint8_t *p);
bool utf8_is_good(const uint8_t *p, size_t n);
/* Characters of good UTF-8. */
size_t utf8_count(const uint8_t *p, size_t n);

#pragma GCC visibility pop

#endif /* CHIC_RUNTIME_UTF8_H */
