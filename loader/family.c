// SPDX-License-Identifier: BSD-2-Clause
/*
 * A malloc family (the platform heap, a vendor's library) as a layer: the hooks
 * and twins of chic_module.h in terms of malloc, free and the rest.  The context
 * of every entry is the family.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static ValueMutPtr handle(void *p, size_t size, size_t align)
{
	return (ValueMutPtr){.ptr = p, .size = size, .align = align};
}

static bool aligned(const void *p, size_t align)
{
	return likely(!((uintptr_t)p & (align - 1)));
}

/*
 * mimalloc 2.0 takes a size of 256, 512 or 1024 that is a multiple of the alignment
 * for aligned already, which its pages are not.  Another size, or a greater
 * alignment, goes another way there.
 */
__attribute__((cold, noinline)) static void *align_again(const struct chic_malloc_family *f,
							 void *misaligned, size_t align,
							 size_t size)
{
	void *p;

	f->free(misaligned);
	for (int i = 1; i <= 2; i++) {
		p = f->memalign(i * align, size + 1);
		if (aligned(p, align))
			return p;
		f->free(p);
	}
	errno = ENOMEM;
	return NULL;
}

/*
 * An aligned_alloc() may insist on a size that is a multiple of the alignment.  More
 * than PTRDIFF_MAX has no heap.
 */
__attribute__((cold, noinline)) static void *align_multiple(const struct chic_malloc_family *f,
							    size_t align, size_t size)
{
	size_t rest = size & (align - 1);

	if (!rest || align > PTRDIFF_MAX || size > PTRDIFF_MAX - align)
		return NULL;
	return f->memalign(align, size - rest + align);
}

void *family_aligned(const struct chic_malloc_family *f, size_t align, size_t size)
{
	void *p = f->memalign(align, size);

	if (unlikely(!p))
		p = align_multiple(f, align, size);
	return aligned(p, align) ? p : align_again(f, p, align, size);
}

/*
 * malloc aligns for what fits into the size and not more, in most heaps but the C
 * library's: a size below the alignment is made as large.
 */
static void *family_get(const struct chic_malloc_family *f, size_t size, size_t align)
{
	return align <= CHIC_MALLOC_ALIGN ? f->malloc(family_size(size, align))
					  : family_aligned(f, align, size);
}

static ValueMutPtr family_alloc(void *ctx, size_t size, size_t align)
{
	return handle(family_get(ctx, size, align), size, align);
}

static ValueMutPtr family_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	const struct chic_malloc_family *f = ctx;
	void *p;

	if (align <= CHIC_MALLOC_ALIGN)
		return handle(f->calloc(1, family_size(size, align)), size, align);
	p = family_aligned(f, align, size);
	if (p)
		memset(p, 0, size);
	return handle(p, size, align);
}

/* A family's realloc keeps only malloc's alignment; anything above is moved. */
static ValueMutPtr family_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				  size_t align)
{
	const struct chic_malloc_family *f = ctx;
	void *p;

	if (align <= CHIC_MALLOC_ALIGN)
		return handle(f->realloc(old.ptr, family_size(size, align)), size, align);
	p = family_aligned(f, align, size);
	if (p && old.ptr) {
		memcpy(p, old.ptr, old_size < size ? old_size : size);
		f->free(old.ptr);
	}
	return handle(p, size, align);
}

static void family_free(void *ctx, ValueMutPtr block)
{
	const struct chic_malloc_family *f = ctx;

	f->free(block.ptr);
}

static size_t family_usable_size(void *ctx, const void *p)
{
	const struct chic_malloc_family *f = ctx;

	return f->usable_size((void *)p);
}

static void *family_malloc(void *ctx, size_t size)
{
	const struct chic_malloc_family *f = ctx;

	return f->malloc(size);
}

static void *family_calloc(void *ctx, size_t n, size_t size)
{
	const struct chic_malloc_family *f = ctx;

	return f->calloc(n, size);
}

static void *family_memalign(void *ctx, size_t align, size_t size)
{
	const struct chic_malloc_family *f = ctx;

	return family_aligned(f, align, size);
}

static void *family_remalloc(void *ctx, void *p, size_t size)
{
	const struct chic_malloc_family *f = ctx;

	return f->realloc(p, size);
}

static size_t family_mfree(void *ctx, void *p)
{
	const struct chic_malloc_family *f = ctx;
	size_t size = f->usable_size(p);

	f->free(p);
	return size;
}

void family_layer(const struct chic_malloc_family *family, struct chic_layer *out)
{
	void *ctx = (void *)family;

	*out = (struct chic_layer){
		.size = sizeof(*out),
		.alloc = {family_alloc, ctx},
		.alloc_zeroed = {family_alloc_zeroed, ctx},
		.realloc = {family_realloc, ctx},
		.free = {family_free, ctx},
		.family = family,
	};
	if (!family->usable_size)
		return;
	out->usable_size.fn = family_usable_size;
	out->usable_size.ctx = ctx;
	out->malloc.fn = family_malloc;
	out->malloc.ctx = ctx;
	out->calloc.fn = family_calloc;
	out->calloc.ctx = ctx;
	out->memalign.fn = family_memalign;
	out->memalign.ctx = ctx;
	out->remalloc.fn = family_remalloc;
	out->remalloc.ctx = ctx;
	out->mfree.fn = family_mfree;
	out->mfree.ctx = ctx;
}

/*
 * The platform heap of a linked program is the malloc it calls, be it the C
 * library's or one that somebody preloaded.  Through posix_memalign, because
 * memalign is not everywhere.
 */
static void *platform_memalign(size_t align, size_t size)
{
	void *p = NULL;
	int err = posix_memalign(&p, align < sizeof(void *) ? sizeof(void *) : align, size);

	if (err)
		errno = err;
	return err ? NULL : p;
}

static struct chic_malloc_family platform = {
	.malloc = malloc,
	.free = free,
	.calloc = calloc,
	.realloc = realloc,
	.memalign = platform_memalign,
	.usable_size = malloc_usable_size,
};

static struct chic_layer platform_ops;

const struct chic_malloc_family *platform_family(void)
{
	return &platform;
}

/* First called under the loader's lock, before anything is published. */
const struct chic_layer *platform_layer(void)
{
	if (!platform_ops.size)
		family_layer(&platform, &platform_ops);
	return &platform_ops;
}

void platform_set_family(const struct chic_malloc_family *family)
{
	platform = *family;
	platform_ops.size = 0; /* to be made anew */
}
