/* SPDX-License-Identifier: BSD-2-Clause */
/* What the ledger takes its memory from where there is no C library: see libc.c. */
#ifndef FREESTANDING_STDLIB_H
#define FREESTANDING_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void free(void *p);
int posix_memalign(void **p, size_t align, size_t size);

#endif /* FREESTANDING_STDLIB_H */
