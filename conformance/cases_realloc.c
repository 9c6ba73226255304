// SPDX-License-Identifier: BSD-2-Clause
/*
 * The realloc matrix: from every size to every other, what is kept, what is aligned,
 * and what is left when it fails.
 */
#include "conform.h"

#include <string.h>

static const size_t sizes[] = {1,    15,   16,	 17,	63,    100,    1000,
			       4080, 4096, 4097, 20000, 65536, 200000, 3000000};

/* Neighbours on both sides, whose contents a realloc that copies too much changes. */
static void one(const struct subject *s, enum way way, size_t from, size_t to, size_t align)
{
	struct block before, b, after;
	char text[BLOCK_TEXT];

	block_get(s, &before, way, from, align);
	block_get(s, &b, way, from, align);
	block_get(s, &after, way, from, align);
	if (!block_resize(s, &b, to, align))
		case_fail("realloc to %zu bytes with align %zu: answered null for a %s", to,
			  align, block_text(&b, text));
	block_put(s, &before);
	block_put(s, &after);
	block_put(s, &b);
}

static void matrix(const struct subject *s, enum way way, size_t align)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; k < ARRAY_SIZE(sizes); k++)
			one(s, way, sizes[i], sizes[k], align);
}

/* A small alignment may become a large one, and the other way round. */
static void to_other_alignments(const struct subject *s)
{
	static const size_t aligns[] = {1, 64, 8192, 16, 4096, 1 << 16, 1};
	struct block b;
	char text[BLOCK_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		block_get(s, &b, WAY_ALLOC, sizes[i], 8);
		for (size_t k = 0; k < ARRAY_SIZE(aligns); k++)
			if (!block_resize(s, &b, sizes[i] + k % 3, aligns[k]))
				case_fail("realloc with align %zu: answered null for a %s",
					  aligns[k], block_text(&b, text));
		block_put(s, &b);
	}
}

static void from_null(const struct subject *s, size_t align)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned char *p = hook_realloc(s, NULL, 0, sizes[i], align);

		if (!p || (uintptr_t)p & (align - 1))
			case_fail("realloc of a null block to %zu bytes: answered %p, expected "
				  "a block aligned to %zu",
				  sizes[i], (void *)p, align);
		memset(p, 0x5a, sizes[i]);
		hook_free(s, p, sizes[i], align);
	}
}

/* The loader makes it a free: the hook never sees a size of 0. */
static void to_nothing(void)
{
	ValueMutPtr block = chic_rt_alloc(100, 16), none;

	if (!block.ptr)
		case_fail("chic_rt_alloc(100, 16): answered null");
	none = chic_rt_realloc(block, 100, 0, 16);
	if (none.ptr || none.size || none.align != 16)
		case_fail("chic_rt_realloc to 0 bytes: answered {%p, %zu, %zu}, expected "
			  "{null, 0, 16}",
			  (void *)none.ptr, none.size, none.align);
}

/* block_resize() looks at the old block after the failure, block_put() gives it back. */
static void fails(const struct subject *s, enum way way, size_t size)
{
	struct block b;
	char text[BLOCK_TEXT];

	block_get(s, &b, way, size, 16);
	if (block_resize(s, &b, PTRDIFF_MAX - 65536, 16))
		case_fail("realloc to %zu bytes: answered a %s, expected null",
			  (size_t)PTRDIFF_MAX - 65536, block_text(&b, text));
	if (!block_resize(s, &b, size + 10, 16))
		case_fail("realloc to %zu bytes after one that failed: answered null for a %s",
			  size + 10, block_text(&b, text));
	block_put(s, &b);
}

void case_realloc(struct subject *s)
{
	matrix(s, WAY_ALLOC, 16);
	matrix(s, WAY_ALLOC_ZEROED, 4096);
	if (has_twins(s)) {
		matrix(s, WAY_MALLOC, 16);
		matrix(s, WAY_MEMALIGN, 256);
	}
	to_other_alignments(s);
	from_null(s, 1);
	from_null(s, 64);
	to_nothing();
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		fails(s, WAY_ALLOC, sizes[i]);
		if (has_twins(s))
			fails(s, WAY_MALLOC, sizes[i]);
	}
}
