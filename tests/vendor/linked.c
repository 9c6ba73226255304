// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a linked program can observe of chic_rt_alloc and its kin, one line per
 * fact, for the same comparison as semantics.c.  Says on standard error which layers
 * serve it.
 */
#include <chic_alloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ALIGN ((size_t)1 << 21)

static const size_t impossible[] = {SIZE_MAX, SIZE_MAX - 4096, (size_t)PTRDIFF_MAX + 1,
				    PTRDIFF_MAX, (size_t)1 << 62};

static void fact(const char *what, bool holds, size_t size, size_t align)
{
	if (holds)
		printf("%-44s yes\n", what);
	else
		printf("%-44s no: size %zu, alignment %zu\n", what, size, align);
}

static bool as_asked(ValueMutPtr block, size_t size, size_t align)
{
	return block.ptr && block.size == size && block.align == align &&
	       ((uintptr_t)block.ptr & (align - 1)) == 0;
}

static bool all_are(const uint8_t *p, size_t n, uint8_t byte)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

/* The three ways to a block; several are kept, for the first is aligned by accident. */
static bool aligned(size_t size, size_t align)
{
	enum { KEPT = 5 };
	size_t seen = size < 4096 ? size : 4096;
	ValueMutPtr blocks[3 * KEPT];
	bool good = true;

	for (int i = 0; i < 3 * KEPT; i += 3) {
		blocks[i] = chic_rt_alloc(size, align);
		memset(blocks[i].ptr, 1, seen);
		blocks[i + 1] = chic_rt_alloc_zeroed(size, align);
		good = good && all_are(blocks[i + 1].ptr, seen, 0);
		memset(blocks[i + 1].ptr, 2, seen);
		blocks[i + 2] = chic_rt_alloc(1, 1);
		*blocks[i + 2].ptr = 3;
		blocks[i + 2] = chic_rt_realloc(blocks[i + 2], 1, size, align);
		good = good && *blocks[i + 2].ptr == 3;
	}
	for (int i = 0; i < 3 * KEPT; i++) {
		good = good && as_asked(blocks[i], size, align);
		good = good && (i % 3 == 2 || all_are(blocks[i].ptr, seen, 1 + i % 3));
		chic_rt_free(blocks[i]);
	}
	return good;
}

/* The smallest size that is not, 0 if all are. */
static size_t misaligned(size_t align)
{
	const size_t around[] = {align, align + 1, 2 * align};

	for (int i = 0; i < 3; i++)
		if (!aligned(around[i], align))
			return around[i];
	for (size_t size = 1; size <= 2 * align || size < 100; size += size < 40 ? 1 : size / 2)
		if (!aligned(size, align))
			return size;
	return 0;
}

static void alignments(void)
{
	for (size_t align = 1; align <= MOST_ALIGN; align *= align < 8192 ? 2 : 16) {
		size_t bad = misaligned(align);
		char text[64];

		snprintf(text, sizeof(text), "alignment %zu is kept", align);
		fact(text, !bad, bad, align);
	}
}

static void contents(void)
{
	size_t align = 1, before = 1;
	ValueMutPtr block = chic_rt_alloc(1, 1);
	bool kept = true;

	*block.ptr = 5;
	for (size_t size = 2; size < 4000000; size = size * 3 + 1) {
		align = align == 4096 ? 1 : align * 4;
		block = chic_rt_realloc(block, before, size, align);
		kept = kept && as_asked(block, size, align) && all_are(block.ptr, before, 5);
		memset(block.ptr, 5, size);
		before = size;
	}
	block = chic_rt_realloc(block, before, 10, 64);
	kept = kept && as_asked(block, 10, 64) && all_are(block.ptr, 10, 5);
	chic_rt_free(block);
	fact("realloc keeps content and alignment", kept, 0, 0);
}

static void show(const char *what, ValueMutPtr block)
{
	printf("%-44s %s, size %zu, align %zu\n", what, block.ptr ? "block" : "null",
	       block.size, block.align);
	chic_rt_free(block);
}

static void edges(void)
{
	ValueMutPtr none = {NULL, 0, 0};

	show("alloc of 0", chic_rt_alloc(0, 8));
	show("alloc with alignment 0", chic_rt_alloc(8, 0));
	show("alloc with alignment 24", chic_rt_alloc(8, 24));
	show("alloc_zeroed with alignment 3", chic_rt_alloc_zeroed(8, 3));
	show("realloc of nothing", chic_rt_realloc(none, 0, 8, 8));
	show("realloc to 0", chic_rt_realloc(chic_rt_alloc(8, 8), 8, 0, 8));
	chic_rt_free(none);
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		static const size_t aligns[] = {1, 16, 4096};

		for (size_t a = 0; a < 3; a++) {
			size_t n = impossible[i], align = aligns[a];
			ValueMutPtr old = chic_rt_alloc(100, align);

			memset(old.ptr, 4, 100);
			show("too much", chic_rt_alloc(n, align));
			show("too much zeroed", chic_rt_alloc_zeroed(n, align));
			show("too much by realloc", chic_rt_realloc(old, 100, n, align));
			fact("which leaves the old block", all_are(old.ptr, 100, 4), n, align);
			chic_rt_free(old);
		}
	}
}

static void counters(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats();

	printf("alloc %zu/%zu zeroed %zu/%zu realloc %zu/%zu free %zu/%zu\n", t.alloc_calls,
	       t.alloc_bytes, t.alloc_zeroed_calls, t.alloc_zeroed_bytes, t.realloc_calls,
	       t.realloc_bytes, t.free_calls, t.freed_bytes);
}

static int layer(const struct chic_alloc_info *info, void *arg)
{
	(void)arg;
	fprintf(stderr, "layer %s %s\n", info->name, info->path);
	return 0;
}

int main(void)
{
	edges();
	contents();
	alignments();
	counters();
	return chic_alloc_each(layer, NULL);
}
