/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of WebAssembly builds: blocks out of a linear memory that only grows.
 *
 * It knows nothing of WebAssembly: memory comes from heap_more(), which whoever
 * links it defines, so that tests run it on any machine.  One thread at a time.
 *
 * Sizes and alignments are bytes.  A null answer means that there is no room; no
 * request traps.
 */
#ifndef CHIC_HEAP_H
#define CHIC_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

/* Alignment of every block, and the unit of sizes: 16 where words have 32 bits. */
#define HEAP_GRAIN (4 * sizeof(size_t))

/* align is a power of two; up to HEAP_GRAIN it costs nothing. */
void *heap_alloc(size_t size, size_t align);
void heap_free(void *p);

/*
 * In place where the memory behind the block allows it and p is aligned to align.
 * Null leaves the block as it is.  p is a block of the heap, never null.
 */
void *heap_realloc(void *p, size_t size, size_t align);

/* Bytes of the block that may be used, at least those that were asked for. */
size_t heap_usable_size(const void *p);

/*
 * Give the heap memory that nothing else uses, of any alignment.  The answer is whether
 * it was enough to be of use.  Memory that begins where the last range ended becomes
 * one with it.
 */
bool heap_add(uintptr_t start, size_t bytes);

/*
 * More memory, at least so many bytes: where it begins, and how much it is.  Called
 * when nothing that is free will do.  False: there is no more.
 */
bool heap_more(size_t bytes, uintptr_t *start, size_t *got);

#pragma GCC visibility pop

#endif /* CHIC_HEAP_H */
