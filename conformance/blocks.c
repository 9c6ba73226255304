// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks with known contents, so that whoever writes to another's memory, loses a
 * byte or hands memory out twice is found out.
 */
#include "conform.h"

#include <string.h>

/*
 * Larger blocks are filled in part, both ends and stripes between: memory that is
 * never touched costs nothing.
 */
#define WHOLE_MAX (64 * 1024)
#define EDGE 4096
#define STRIPE 16
#define STRIPES 64

/* ----------------------------------------------------------- contents --- */

static unsigned char content(size_t at, unsigned key)
{
	return (unsigned char)(key + at * 197 + (at >> 8));
}

/* The next range at or behind *from of those that are filled; false behind the last. */
static bool next_range(size_t size, size_t *from, size_t *to)
{
	size_t stride = size / STRIPES;

	if (*from >= size)
		return false;
	if (size <= WHOLE_MAX) {
		*to = size;
	} else if (*from < EDGE) {
		*to = EDGE;
	} else {
		*from = (*from + stride - 1) / stride * stride;
		if (*from > size - EDGE)
			*from = size - EDGE;
		*to = *from == size - EDGE ? size : *from + STRIPE;
	}
	return true;
}

void contents_put(void *p, size_t size, unsigned key)
{
	unsigned char *bytes = p;

	case_doing("the program writes to the %zu bytes at %#zx", size, (size_t)p, 0);
	for (size_t from = 0, to; next_range(size, &from, &to); from = to)
		for (size_t i = from; i < to; i++)
			bytes[i] = content(i, key);
	case_done();
}

size_t contents_differ(const void *p, size_t size, unsigned key, size_t limit)
{
	const unsigned char *bytes = p;
	size_t differs = limit;

	case_doing("the program reads the %zu bytes at %#zx", size, (size_t)p, 0);
	for (size_t from = 0, to; next_range(size, &from, &to) && from < differs; from = to)
		for (size_t i = from; i < to && i < differs; i++)
			if (bytes[i] != content(i, key))
				differs = i;
	case_done();
	return differs;
}

/* ---------------------------------------------------------- one block --- */

static const char *const way_names[] = {
	[WAY_ALLOC] = "alloc",	 [WAY_ALLOC_ZEROED] = "alloc_zeroed", [WAY_MALLOC] = "malloc",
	[WAY_CALLOC] = "calloc", [WAY_MEMALIGN] = "memalign",
};

const char *way_name(enum way way)
{
	return way_names[way];
}

const char *block_text(const struct block *b, char out[BLOCK_TEXT])
{
	snprintf(out, BLOCK_TEXT, "block of %zu bytes at %p, from %s with align %zu", b->size,
		 (void *)b->p, way_names[b->way], b->align);
	return out;
}

bool way_is_twin(enum way way)
{
	return way >= WAY_MALLOC;
}

unsigned ways_of(const struct subject *s)
{
	return has_twins(s) ? WAYS : WAY_MALLOC;
}

static bool way_aligns(enum way way)
{
	return way != WAY_MALLOC && way != WAY_CALLOC;
}

/*
 * What malloc promises for a block of this size: all of CHIC_MALLOC_ALIGN where
 * chic_module.h is the contract; by the C standard what fits into the block, which
 * stock libraries make use of.
 */
static size_t malloc_align(const struct subject *s, size_t size)
{
	size_t align = CHIC_MALLOC_ALIGN;

	if (s->any_align)
		return 1;
	while (!subject_is_native(s) && align > size)
		align /= 2;
	return align;
}

static void *ask(const struct subject *s, enum way way, size_t size, size_t align)
{
	switch (way) {
	case WAY_ALLOC:
		return hook_alloc(s, size, align);
	case WAY_ALLOC_ZEROED:
		return hook_alloc_zeroed(s, size, align);
	case WAY_MALLOC:
		return twin_malloc(s, size);
	case WAY_CALLOC:
		return twin_calloc(s, 1, size);
	default:
		return twin_memalign(s, align, size);
	}
}

static void check_align(const struct block *b, const char *after)
{
	char text[BLOCK_TEXT];

	if ((uintptr_t)b->p & (b->align - 1))
		case_fail("%s%s: expected a multiple of %zu", block_text(b, text), after,
			  b->align);
}

/* Different from block to block, and not the 0 of fresh memory. */
static unsigned next_key(void)
{
	static unsigned last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) * 2654435761u >> 8 | 1;
}

bool block_try(const struct subject *s, struct block *b, enum way way, size_t size,
	       size_t align)
{
	if (!way_aligns(way))
		align = malloc_align(s, size);
	*b = (struct block){
		.p = ask(s, way, size, align), .size = size, .align = align, .way = way};
	if (!b->p)
		return false;
	check_align(b, "");
	b->key = next_key();
	contents_put(b->p, size, b->key);
	return true;
}

void block_get(const struct subject *s, struct block *b, enum way way, size_t size,
	       size_t align)
{
	if (!block_try(s, b, way, size, align))
		case_fail("%s of %zu bytes with align %zu: answered null, expected a block",
			  way_names[way], size, b->align);
}

static void check_contents(const struct block *b, size_t size, unsigned key, size_t limit,
			   const char *why)
{
	size_t at = contents_differ(b->p, size, key, limit);
	char text[BLOCK_TEXT];

	if (at < limit)
		case_fail("%s: byte %zu is 0x%02x, expected 0x%02x: %s", block_text(b, text),
			  at, b->p[at], content(at, key), why);
}

void block_check(const struct block *b)
{
	check_contents(b, b->size, b->key, b->size, "it was changed by somebody else");
}

static void *resize(const struct subject *s, const struct block *b, size_t size)
{
	if (way_is_twin(b->way))
		return twin_remalloc(s, b->p, size);
	return hook_realloc(s, b->p, b->size, size, b->align);
}

bool block_resize(const struct subject *s, struct block *b, size_t size, size_t align)
{
	size_t old_size = b->size;
	void *p;

	block_check(b);
	/* remalloc keeps malloc's alignment only */
	b->align = way_is_twin(b->way) ? malloc_align(s, size) : align;
	p = resize(s, b, size);
	if (!p) {
		check_contents(b, old_size, b->key, old_size,
			       "it was changed by a realloc that failed");
		return false;
	}
	b->p = p;
	b->size = size;
	check_align(b, " and realloc");
	check_contents(b, old_size, b->key, old_size < size ? old_size : size,
		       "realloc did not keep it");
	b->key = next_key();
	contents_put(p, size, b->key);
	return true;
}

void block_put(const struct subject *s, struct block *b)
{
	block_check(b);
	if (way_is_twin(b->way))
		twin_mfree(s, b->p);
	else
		hook_free(s, b->p, b->size, b->align);
	b->p = NULL;
}

/* ----------------------------------------------------------- several --- */

void blocks_check_apart(const struct blocks *set)
{
	const struct block *b = &set->list[set->n - 1];
	char text[BLOCK_TEXT], other[BLOCK_TEXT];

	for (size_t i = 0; i + 1 < set->n; i++) {
		const struct block *o = &set->list[i];

		if (b->p < o->p + o->size && o->p < b->p + b->size)
			case_fail("%s: lies over a live %s", block_text(b, text),
				  block_text(o, other));
	}
}

/* What it lies over is overwritten by then; where it lies is told all the same. */
bool blocks_try(const struct subject *s, struct blocks *set, enum way way, size_t size,
		size_t align)
{
	if (set->n == BLOCKS_MAX)
		case_fail("the case holds too many blocks");
	if (!block_try(s, &set->list[set->n], way, size, align))
		return false;
	set->n++;
	blocks_check_apart(set);
	return true;
}

struct block *blocks_get(const struct subject *s, struct blocks *set, enum way way, size_t size,
			 size_t align)
{
	if (!blocks_try(s, set, way, size, align))
		case_fail("%s of %zu bytes with align %zu: answered null, expected a block",
			  way_names[way], size, align);
	return &set->list[set->n - 1];
}

void blocks_check(const struct blocks *set)
{
	for (size_t i = 0; i < set->n; i++)
		block_check(&set->list[i]);
}

/* The last one takes its place. */
void blocks_put(const struct subject *s, struct blocks *set, size_t at)
{
	block_put(s, &set->list[at]);
	set->list[at] = set->list[--set->n];
}

void blocks_put_all(const struct subject *s, struct blocks *set)
{
	while (set->n)
		blocks_put(s, set, set->n - 1);
}
