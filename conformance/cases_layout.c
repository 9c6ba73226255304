// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where blocks lie: alignments, sizes, and sizes that cannot be.
 */
#include "conform.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN_MAX ((size_t)2 << 20)
#define SIZE_MAX_SERVED ((size_t)1 << 30)

/* ---------------------------------------------------------- alignment --- */

/* Several of each: the first of a fresh page is often aligned by chance. */
static void align_way(struct subject *s, enum way way, size_t align)
{
	const size_t sizes[] = {1, 24, 100, align, align + 1, align + align / 2};
	static struct blocks set;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned k = 0; k < 4; k++)
			blocks_get(s, &set, way, sizes[i], align);
	blocks_check(&set);
	blocks_put_all(s, &set);
}

/* The malloc family rounds small alignments up; a stock library knows only what is left. */
static size_t least_align(const struct subject *s, enum way way)
{
	return way == WAY_MEMALIGN && !subject_is_native(s) ? CHIC_MALLOC_ALIGN : 1;
}

void case_alignment(struct subject *s)
{
	static const enum way ways[] = {WAY_ALLOC, WAY_ALLOC_ZEROED, WAY_MEMALIGN};

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (way_is_twin(ways[i]) && !has_twins(s))
			continue;
		for (size_t align = least_align(s, ways[i]); align <= ALIGN_MAX; align *= 2)
			align_way(s, ways[i], align);
	}
}

/* -------------------------------------------------------------- sizes --- */

static void sizes_around(struct subject *s, enum way way, size_t size)
{
	static struct blocks set;

	for (size_t n = size - 1; n <= size + 1; n++)
		blocks_get(s, &set, way, n, CHIC_MALLOC_ALIGN);
	blocks_put_all(s, &set);
}

static void every_small_size(struct subject *s, enum way way)
{
	static struct blocks set;

	for (size_t n = 1; n <= 1040; n++) {
		blocks_get(s, &set, way, n, 1);
		if (set.n == 32)
			blocks_put_all(s, &set);
	}
	blocks_put_all(s, &set);
}

/* A machine that has no such room for anybody is not the module's fault. */
static bool system_has(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return false;
	munmap(p, size);
	return true;
}

/* Two bytes of it are touched; what is zeroed would be in memory as a whole. */
static void one_large(struct subject *s, enum way way, size_t size)
{
	struct block b = {.size = size, .align = CHIC_MALLOC_ALIGN, .way = way};
	char text[BLOCK_TEXT];

	b.p = way == WAY_ALLOC ? hook_alloc(s, size, b.align) : twin_malloc(s, size);
	if (!b.p && system_has(size))
		case_fail("%s of %zu bytes: answered null, expected a block: the system has as "
			  "much",
			  way == WAY_ALLOC ? "alloc" : "malloc", size);
	if (!b.p)
		return;
	b.p[0] = 1;
	b.p[size - 1] = 2;
	if (b.p[0] != 1 || b.p[size - 1] != 2)
		case_fail("%s: the ends are not there", block_text(&b, text));
	if (way == WAY_ALLOC)
		hook_free(s, b.p, size, b.align);
	else
		twin_mfree(s, b.p);
}

/* The loader answers for a module: it never sees such a request. */
static void nothing(void)
{
	ValueMutPtr none = chic_rt_alloc(0, 8), zeroed = chic_rt_alloc_zeroed(0, 8);

	if (none.ptr || zeroed.ptr || none.align != 8)
		case_fail("chic_rt_alloc(0, 8): answered {%p, %zu, %zu}, expected "
			  "{null, 0, 8}",
			  (void *)none.ptr, none.size, none.align);
	chic_rt_free(none);
}

void case_sizes(struct subject *s)
{
	static const enum way ways[] = {WAY_ALLOC, WAY_MALLOC};

	nothing();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (way_is_twin(ways[i]) && !has_twins(s))
			continue;
		every_small_size(s, ways[i]);
		for (size_t size = 2048; size <= ((size_t)8 << 20); size *= 2)
			sizes_around(s, ways[i], size);
		for (size_t size = (size_t)16 << 20; size <= SIZE_MAX_SERVED; size *= 2)
			one_large(s, ways[i], size);
	}
}

/* ----------------------------------------------------------- overflow --- */

static void must_be_null(const void *p, const char *what, size_t size, size_t align)
{
	if (p)
		case_fail("%s(size %zu, align %zu): answered %p, expected null: no system has "
			  "as much",
			  what, size, align, p);
}

static void overflow_hooks(struct subject *s, size_t size, size_t align)
{
	struct block b;
	char text[BLOCK_TEXT];
	void *p;

	must_be_null(hook_alloc(s, size, align), "alloc", size, align);
	must_be_null(hook_alloc_zeroed(s, size, align), "alloc_zeroed", size, align);
	block_get(s, &b, WAY_ALLOC, 100, 16);
	p = hook_realloc(s, b.p, b.size, size, align);
	if (p)
		case_fail("realloc of a %s to %zu bytes with align %zu: answered %p, expected "
			  "null",
			  block_text(&b, text), size, align, p);
	block_put(s, &b);
}

/* What the preload library lets through: no more than PTRDIFF_MAX, no product too large. */
static void overflow_twins(struct subject *s)
{
	struct block b;
	char text[BLOCK_TEXT];
	void *p;

	must_be_null(twin_malloc(s, PTRDIFF_MAX), "malloc", PTRDIFF_MAX, 0);
	must_be_null(twin_calloc(s, 1, PTRDIFF_MAX), "calloc", PTRDIFF_MAX, 0);
	must_be_null(twin_calloc(s, PTRDIFF_MAX / 16, 16), "calloc", PTRDIFF_MAX, 0);
	must_be_null(twin_memalign(s, 4096, PTRDIFF_MAX - 4096), "memalign", PTRDIFF_MAX - 4096,
		     4096);
	block_get(s, &b, WAY_MALLOC, 100, 16);
	p = twin_remalloc(s, b.p, PTRDIFF_MAX);
	if (p)
		case_fail("remalloc of a %s to %zu bytes: answered %p, expected null",
			  block_text(&b, text), (size_t)PTRDIFF_MAX, p);
	block_put(s, &b);
}

void case_overflow(struct subject *s)
{
	static const size_t sizes[] = {
		PTRDIFF_MAX - 4096,
		PTRDIFF_MAX,
		(size_t)PTRDIFF_MAX + 1,
		SIZE_MAX - (16 << 20),
		SIZE_MAX - 4096,
		SIZE_MAX - 4095,
		SIZE_MAX - 64,
		SIZE_MAX - 32,
		SIZE_MAX - 16,
		SIZE_MAX - 15,
		SIZE_MAX - 8,
		SIZE_MAX - 1,
		SIZE_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t align = 1; align <= ALIGN_MAX; align *= 8)
			overflow_hooks(s, sizes[i], align);
	overflow_hooks(s, 1, SIZE_MAX / 2 + 1);
	overflow_hooks(s, 100, SIZE_MAX / 4 + 1);
	if (has_twins(s))
		overflow_twins(s);
	churn_serve(s, 1);
}
