/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the shipped modules share: prototypes of their exports, handles, pages,
 * and calls to the layer below with the context that belongs to each entry.
 */
#ifndef CHIC_MODULES_INTERNAL_H
#define CHIC_MODULES_INTERNAL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "chic_module.h"
#include "sizes.h"

CHIC_MODULE_EXPORTS(arena);
CHIC_MODULE_EXPORTS(counting);
CHIC_MODULE_EXPORTS(guard);

/* A parameter of type size: what is more than addresses reach is as much as they do. */
static inline size_t param_size(const struct chic_module_args *args, const char *name)
{
	uint64_t n = chic_param_number(args, name);

	return n < PTRDIFF_MAX ? n : PTRDIFF_MAX;
}

/*
 * ptr and size go out in one store of two words: a caller that copies the handle with
 * one load waits for two stores to leave the store buffer, longer than an allocation.
 */
static inline ValueMutPtr handle(void *p, size_t size, size_t align)
{
	typedef uintptr_t two_words __attribute__((vector_size(2 * sizeof(uintptr_t))));
	two_words first = {(uintptr_t)p, size};
	ValueMutPtr h;

	memcpy(&h, &first, sizeof(first));
	h.align = align;
	return h;
}

/* Pages of zeros for the module itself, or null; errno is left alone. */
static inline void *pages_new(size_t size)
{
	int saved = errno;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

/* Addresses without memory behind them, or null; errno is left alone. */
static inline void *addresses_new(size_t size)
{
	int saved = errno;
	void *p =
		mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

/*
 * At most *size bytes of addresses, at least `least`: half as much, and half
 * again, where the system does not give all; and then half of that, which leaves
 * the program as much as is taken.  Both are whole pages.  *size says how many.
 */
static inline void *addresses_reserve(size_t *size, size_t least, size_t page)
{
	size_t n = *size, half;
	char *p = addresses_new(n);

	for (; !p && n / 2 >= least; p = addresses_new(n))
		n = (n / 2) & ~(page - 1);
	half = (n / 2) & ~(page - 1);
	if (p && n < *size && half >= least) {
		munmap(p + half, n - half);
		n = half;
	}
	*size = p ? n : 0;
	return p;
}

/* Let a part of addresses_new() be used; errno is left alone. */
static inline bool addresses_open(void *p, size_t size)
{
	int saved = errno;
	bool ok = mprotect(p, size, PROT_READ | PROT_WRITE) == 0;

	errno = saved;
	return ok;
}

/*
 * Give the memory of a part of addresses_new() back and forbid its use.  A new
 * mapping does both at once, also where the memory is locked, and merges with
 * its neighbours, which pages that were once in use do not.
 */
static inline bool addresses_close(void *p, size_t size)
{
	int saved = errno;
	void *q = mmap(p, size, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);

	errno = saved;
	return q != MAP_FAILED;
}

static inline size_t lower_usable_size(const struct chic_layer *lower, const void *p)
{
	return lower->usable_size.fn(lower->usable_size.ctx, p);
}

static inline ValueMutPtr lower_alloc(const struct chic_layer *lower, size_t size, size_t align,
				      bool zeroed)
{
	if (zeroed)
		return lower->alloc_zeroed.fn(lower->alloc_zeroed.ctx, size, align);
	return lower->alloc.fn(lower->alloc.ctx, size, align);
}

static inline ValueMutPtr lower_realloc(const struct chic_layer *lower, ValueMutPtr old,
					size_t old_size, size_t size, size_t align)
{
	return lower->realloc.fn(lower->realloc.ctx, old, old_size, size, align);
}

static inline void lower_free(const struct chic_layer *lower, ValueMutPtr block)
{
	lower->free.fn(lower->free.ctx, block);
}

static inline void *lower_malloc(const struct chic_layer *lower, size_t size)
{
	return lower->malloc.fn(lower->malloc.ctx, size);
}

static inline void *lower_calloc(const struct chic_layer *lower, size_t n, size_t size)
{
	return lower->calloc.fn(lower->calloc.ctx, n, size);
}

static inline void *lower_memalign(const struct chic_layer *lower, size_t align, size_t size)
{
	return lower->memalign.fn(lower->memalign.ctx, align, size);
}

static inline void *lower_remalloc(const struct chic_layer *lower, void *p, size_t size)
{
	return lower->remalloc.fn(lower->remalloc.ctx, p, size);
}

static inline size_t lower_mfree(const struct chic_layer *lower, void *p)
{
	return lower->mfree.fn(lower->mfree.ctx, p);
}

#endif /* CHIC_MODULES_INTERNAL_H */
