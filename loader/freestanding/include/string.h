/* SPDX-License-Identifier: BSD-2-Clause */
/* For builds without a C library: what memory.c has of its <string.h>. */
#ifndef CHIC_FREESTANDING_STRING_H
#define CHIC_FREESTANDING_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *at, int value, size_t n);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);

#endif /* CHIC_FREESTANDING_STRING_H */
