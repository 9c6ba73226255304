// SPDX-License-Identifier: BSD-2-Clause
/*
 * What compilers call even where there is no C library, and what runtime/ needs of
 * one.  Weak: where a C library has them too, its own are taken.
 *
 * The empty assembler in the loops keeps compilers from making of a loop the call of
 * the very function that it is in.
 */
#include <stdint.h>
#include <string.h>

#define WEAK __attribute__((weak))
#define OPAQUE(p) __asm__("" : "+r"(p))

WEAK void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	const unsigned char *s = from;
	unsigned char *d = to;

	while (n--) {
		OPAQUE(s);
		*d++ = *s++;
	}
	return to;
}

/* Not by memcpy, which may be another one. */
WEAK void *memmove(void *to, const void *from, size_t n)
{
	const unsigned char *s = from;
	unsigned char *d = to;

	if ((uintptr_t)d - (uintptr_t)s >= n) {
		while (n--) {
			OPAQUE(s);
			*d++ = *s++;
		}
		return to;
	}
	while (n--) {
		OPAQUE(s);
		d[n] = s[n];
	}
	return to;
}

WEAK void *memset(void *to, int value, size_t n)
{
	unsigned char *d = to;

	while (n--) {
		OPAQUE(d);
		*d++ = (unsigned char)value;
	}
	return to;
}

WEAK int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a, *q = b;

	for (; n; n--, p++, q++) {
		OPAQUE(p);
		if (*p != *q)
			return *p - *q;
	}
	return 0;
}

WEAK void *memchr(const void *at, int value, size_t n)
{
	const unsigned char *p = at;

	for (; n; n--, p++) {
		OPAQUE(p);
		if (*p == (unsigned char)value)
			return (void *)p;
	}
	return NULL;
}

WEAK size_t strnlen(const char *text, size_t most)
{
	size_t n = 0;

	for (; n < most && text[n]; n++)
		OPAQUE(text);
	return n;
}

WEAK size_t strlen(const char *text)
{
	return strnlen(text, PTRDIFF_MAX);
}
