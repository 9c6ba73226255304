// SPDX-License-Identifier: BSD-2-Clause
/* The platform heap as a layer: hooks and twins over malloc and its kin. */
#define _GNU_SOURCE
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

CHIC_ALLOC_MANUAL();

static const struct chic_layer *l;

static void setup(void)
{
	l = platform_layer();
}

static void check_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(p[i], 0);
}

START_TEST(hooks_keep_content_and_alignment)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr a = l->alloc.fn(l->alloc.ctx, 100, align);
	ValueMutPtr z;

	memset(a.ptr, 0xff, 100);
	l->free.fn(l->free.ctx, a);
	z = l->alloc_zeroed.fn(l->alloc_zeroed.ctx, 100, align);
	check_zero(z.ptr, 100);
	ck_assert_uint_eq((uintptr_t)z.ptr % align, 0);
	memset(z.ptr, 0x21, 100);
	for (size_t size = 100; size < 3000000; size *= 7) {
		z = l->realloc.fn(l->realloc.ctx, z, 100, size, align);
		ck_assert_ptr_nonnull(z.ptr);
		ck_assert_uint_eq((uintptr_t)z.ptr % align, 0);
		for (int i = 0; i < 100; i++)
			ck_assert_uint_eq(z.ptr[i], 0x21);
	}
	z = l->realloc.fn(l->realloc.ctx, z, 2000000, 10, align);
	ck_assert_uint_eq(z.ptr[9], 0x21);
	l->free.fn(l->free.ctx, z);
}
END_TEST

START_TEST(realloc_of_null_allocates)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr h = l->realloc.fn(l->realloc.ctx, (ValueMutPtr){0}, 0, 64, align);

	ck_assert_ptr_nonnull(h.ptr);
	ck_assert_uint_eq((uintptr_t)h.ptr % align, 0);
	l->free.fn(l->free.ctx, h);
}
END_TEST

START_TEST(failed_realloc_leaves_the_old_block)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr h = l->alloc.fn(l->alloc.ctx, 64, align);

	memset(h.ptr, 9, 64);
	ck_assert_ptr_null(l->realloc.fn(l->realloc.ctx, h, 64, IMPOSSIBLE_SIZE, align).ptr);
	ck_assert_uint_eq(h.ptr[63], 9);
	l->free.fn(l->free.ctx, h);
}
END_TEST

START_TEST(twins_are_the_family)
{
	char *p = l->malloc.fn(l->malloc.ctx, 30);
	char *z = l->calloc.fn(l->calloc.ctx, 3, 10);
	char *m = l->memalign.fn(l->memalign.ctx, 4096, 10);
	size_t size;

	check_zero((uint8_t *)z, 30);
	ck_assert_uint_eq((uintptr_t)m % 4096, 0);
	size = l->usable_size.fn(l->usable_size.ctx, p);
	ck_assert_uint_eq(size, malloc_usable_size(p));
	p = l->remalloc.fn(l->remalloc.ctx, p, 3000);
	size = malloc_usable_size(p);
	ck_assert_uint_eq(l->mfree.fn(l->mfree.ctx, p), size);
	ck_assert_uint_ge(l->mfree.fn(l->mfree.ctx, z), 30);
	ck_assert_uint_ge(l->mfree.fn(l->mfree.ctx, m), 10);
}
END_TEST

START_TEST(a_family_without_usable_size_has_no_twins)
{
	struct chic_malloc_family f = *platform_family();
	struct chic_layer layer;

	f.usable_size = NULL;
	family_layer(&f, &layer);
	ck_assert_ptr_null(layer.usable_size.fn);
	ck_assert_ptr_null(layer.malloc.fn);
	ck_assert_ptr_null(layer.mfree.fn);
	ck_assert_ptr_nonnull(layer.alloc.fn);
	ck_assert_ptr_eq(layer.family, &f);
}
END_TEST

/* ---- a heap that keeps no more than malloc must, and not always memalign ---- */

static unsigned memaligns, frees;
static size_t spoiled; /* requests of up to this size come out misaligned */

/* Aligned for what fits into the size, as C asks, and for nothing greater. */
static void *lazy_place(size_t size, size_t align)
{
	char *p = aligned_alloc(1 << 16, 1 << 17);

	while (align > size)
		align /= 2;
	return p + align;
}

static void *lazy_malloc(size_t size)
{
	return lazy_place(size, 16);
}

static void *lazy_calloc(size_t n, size_t size)
{
	return memset(lazy_place(n * size, 16), 0, n * size);
}

/* Whose blocks begin in the middle of the C library's. */
static void lazy_free(void *p)
{
	frees++;
	free((void *)((uintptr_t)p & ~(uintptr_t)0xffff));
}

static void *lazy_realloc(void *p, size_t size)
{
	void *now = lazy_place(size, 16);

	if (p)
		memcpy(now, p, 1);
	if (p)
		lazy_free(p);
	return now;
}

static void *lazy_memalign(size_t align, size_t size)
{
	char *p = aligned_alloc(1 << 16, 1 << 17);

	memaligns++;
	return size <= spoiled ? p + align / 2 : p + align;
}

static size_t lazy_usable_size(void *p)
{
	return p ? 1 : 0;
}

static struct chic_malloc_family lazy = {
	.malloc = lazy_malloc,
	.free = lazy_free,
	.calloc = lazy_calloc,
	.realloc = lazy_realloc,
	.memalign = lazy_memalign,
	.usable_size = lazy_usable_size,
};

static struct chic_layer lazy_layer;

static void setup_lazy(void)
{
	family_layer(&lazy, &lazy_layer);
	l = &lazy_layer;
	memaligns = frees = 0;
	spoiled = 0;
}

START_TEST(small_blocks_have_the_alignment_asked_for)
{
	size_t align = (size_t)1 << _i;
	ValueMutPtr h;

	for (size_t size = 1; size <= 32; size++) {
		h = l->alloc.fn(l->alloc.ctx, size, align);
		ck_assert_uint_eq((uintptr_t)h.ptr % align, 0);
		ck_assert_uint_eq(h.size, size);
		h = l->realloc.fn(l->realloc.ctx, h, size, size, align);
		ck_assert_uint_eq((uintptr_t)h.ptr % align, 0);
		ck_assert_uint_eq(h.size, size);
		l->free.fn(l->free.ctx, h);
		h = l->alloc_zeroed.fn(l->alloc_zeroed.ctx, size, align);
		ck_assert_uint_eq((uintptr_t)h.ptr % align, 0);
		ck_assert_uint_eq(h.size, size);
		l->free.fn(l->free.ctx, h);
	}
}
END_TEST

START_TEST(a_misaligned_block_goes_back_and_another_comes)
{
	void *p;

	spoiled = 256;
	p = l->memalign.fn(l->memalign.ctx, 256, 256);
	ck_assert_uint_eq((uintptr_t)p % 256, 0);
	ck_assert_uint_eq(memaligns, 2);
	ck_assert_uint_eq(frees, 1);
	lazy_free(p);
	p = l->alloc.fn(l->alloc.ctx, 200, 128).ptr;
	ck_assert_uint_eq((uintptr_t)p % 128, 0);
	lazy_free(p);
	p = l->alloc_zeroed.fn(l->alloc_zeroed.ctx, 200, 128).ptr;
	ck_assert_uint_eq((uintptr_t)p % 128, 0);
	p = l->realloc.fn(l->realloc.ctx, (ValueMutPtr){.ptr = p}, 1, 200, 128).ptr;
	ck_assert_uint_eq((uintptr_t)p % 128, 0);
	lazy_free(p);
}
END_TEST

START_TEST(a_greater_alignment_is_tried_as_well)
{
	void *p;

	spoiled = 10000; /* where twice the alignment is misaligned, once is not */
	p = family_aligned(&lazy, 256, 256);
	ck_assert_uint_eq((uintptr_t)p % 256, 0);
	ck_assert_uint_eq(memaligns, 3);
	ck_assert_uint_eq(frees, 2);
	lazy_free(p);
}
END_TEST

static void *never_aligned(size_t align, size_t size)
{
	(void)align;
	(void)size;
	return (char *)aligned_alloc(1 << 16, 1 << 17) + 8;
}

START_TEST(a_block_that_is_never_aligned_is_none)
{
	struct chic_malloc_family hopeless = lazy;

	hopeless.memalign = never_aligned;
	errno = 0;
	ck_assert_ptr_null(family_aligned(&hopeless, 64, 100));
	ck_assert_int_eq(errno, ENOMEM);
	ck_assert_uint_eq(frees, 3);
}
END_TEST

static void *never_there(size_t align, size_t size)
{
	(void)align;
	(void)size;
	memaligns++;
	return NULL;
}

/* As C11 had it. */
static void *strictly_aligned(size_t align, size_t size)
{
	memaligns++;
	if (size % align == 0)
		return lazy_memalign(align, size);
	errno = EINVAL;
	return NULL;
}

START_TEST(a_size_that_is_no_multiple_is_rounded_up)
{
	struct chic_malloc_family strict = lazy;
	void *p;

	strict.memalign = strictly_aligned;
	p = family_aligned(&strict, 64, 100);
	ck_assert_ptr_nonnull(p);
	ck_assert_uint_eq((uintptr_t)p % 64, 0);
	lazy_free(p);
	memaligns = 0;
	strict.memalign = never_there;
	ck_assert_ptr_null(family_aligned(&strict, 64, 128));
	ck_assert_uint_eq(memaligns, 1);
	ck_assert_ptr_null(family_aligned(&strict, 64, SIZE_MAX - 1));
	ck_assert_uint_eq(memaligns, 2);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("family");
	TCase *t = tcase_create("platform");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, hooks_keep_content_and_alignment, 0, 17);
	tcase_add_loop_test(t, realloc_of_null_allocates, 0, 13);
	tcase_add_loop_test(t, failed_realloc_leaves_the_old_block, 0, 13);
	tcase_add_test(t, twins_are_the_family);
	tcase_add_test(t, a_family_without_usable_size_has_no_twins);
	suite_add_tcase(s, t);
	t = tcase_create("lazy");
	tcase_add_checked_fixture(t, setup_lazy, NULL);
	tcase_add_loop_test(t, small_blocks_have_the_alignment_asked_for, 0, 5);
	tcase_add_test(t, a_misaligned_block_goes_back_and_another_comes);
	tcase_add_test(t, a_greater_alignment_is_tried_as_well);
	tcase_add_test(t, a_block_that_is_never_aligned_is_none);
	tcase_add_test(t, a_size_that_is_no_multiple_is_rounded_up);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
