// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is in blocks, and what the module says of them: contents under random
 * lifetimes, zeros, usable sizes, ownership.
 */
#include "conform.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---------------------------------------------------------- lifetimes --- */

/* Many small blocks, then fewer that are larger. */
void case_lifetimes(struct subject *s)
{
	static struct churn c;

	churn_begin(&c, s, 1);
	c.live = 400;
	c.max = 4096;
	churn_for(&c, 0.5, 600);
	churn_begin(&c, s, 2);
	c.live = 60;
	c.max = 1 << 20;
	churn_for(&c, 0.5, 200);
}

/* ------------------------------------------------------------- zeroed --- */

#define DIRTY 0xdb

static size_t first_not(const unsigned char *p, size_t size, unsigned char byte)
{
	size_t i;

	for (i = 0; i < size && p[i] == byte; i++)
		;
	return i;
}

struct request {
	enum way way;
	size_t size;
	size_t align;
};

/* Contents whole, which blocks.c does not put in large ones. */
static void *ask_for(const struct subject *s, const struct request *r)
{
	void *p;

	if (r->way == WAY_CALLOC)
		p = r->size % 8 ? twin_calloc(s, 1, r->size) : twin_calloc(s, r->size / 8, 8);
	else if (r->way == WAY_MALLOC)
		p = twin_malloc(s, r->size);
	else if (r->way == WAY_ALLOC)
		p = hook_alloc(s, r->size, r->align);
	else
		p = hook_alloc_zeroed(s, r->size, r->align);
	if (!p)
		case_fail("a request of %zu bytes: answered null, expected a block", r->size);
	return p;
}

static void give_back(const struct subject *s, const struct request *r, void *p)
{
	if (way_is_twin(r->way))
		twin_mfree(s, p);
	else
		hook_free(s, p, r->size, r->align);
}

static void check_zero(const struct request *r, const unsigned char *p)
{
	size_t at = first_not(p, r->size, 0);

	if (at < r->size)
		case_fail("%s of %zu bytes with align %zu at %p: byte %zu is 0x%02x, expected "
			  "0%s",
			  r->way == WAY_CALLOC ? "calloc" : "alloc_zeroed", r->size, r->align,
			  (const void *)p, at, p[at],
			  p[at] == DIRTY ? ": it is what an earlier block left there" : "");
}

#define AT_A_TIME 8

/* Dirty blocks go back, and zeroed ones of that size come in their place. */
static void zeroed_after_dirty(const struct subject *s, struct request r)
{
	enum way zeroed = r.way;
	unsigned n = r.size > 65536 ? 2 : AT_A_TIME;
	void *p[AT_A_TIME];

	r.way = way_is_twin(zeroed) ? WAY_MALLOC : WAY_ALLOC;
	for (unsigned i = 0; i < n; i++)
		memset(p[i] = ask_for(s, &r), DIRTY, r.size);
	for (unsigned i = 0; i < n; i++)
		give_back(s, &r, p[i]);
	r.way = zeroed;
	for (unsigned i = 0; i < n; i++)
		check_zero(&r, p[i] = ask_for(s, &r));
	for (unsigned i = 0; i < n; i++) {
		memset(p[i], DIRTY, r.size);
		give_back(s, &r, p[i]);
	}
}

static void zeroed_both(struct subject *s, size_t size, size_t align)
{
	zeroed_after_dirty(s, (struct request){WAY_ALLOC_ZEROED, size, align});
	if (has_twins(s))
		zeroed_after_dirty(s, (struct request){WAY_CALLOC, size, CHIC_MALLOC_ALIGN});
}

void case_zeroed(struct subject *s)
{
	static const size_t sizes[] = {1,    7,	   16,	  17,	 100,	 1000,	 4080,
				       4096, 4097, 16384, 65536, 100000, 300000, 3000000};
	size_t size = 1;
	struct work w;
	struct rng rng;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		zeroed_both(s, sizes[i], 8);
		zeroed_both(s, sizes[i], 4096);
	}
	rng_begin(&rng, s, 1);
	work_begin(&w, s, 0.5, 50);
	while (work_left(&w, 4 * AT_A_TIME * size)) {
		size = rng_size(&rng, 1 << 17);
		zeroed_both(s, size, 8);
	}
}

/* -------------------------------------------------------- usable_size --- */

static size_t checked_usable_size(const struct subject *s, const struct block *b)
{
	size_t usable = usable_size(s, b->p), again = usable_size(s, b->p);
	char text[BLOCK_TEXT];

	if (usable < b->size)
		case_fail("%s: usable_size answered %zu, expected at least the size",
			  block_text(b, text), usable);
	if (again != usable)
		case_fail("%s: usable_size answered %zu, then %zu", block_text(b, text), usable,
			  again);
	return usable;
}

/* All that is said to be usable is used: the block is as large as it says now. */
static void use_all(const struct subject *s, struct block *b)
{
	size_t usable = checked_usable_size(s, b);

	block_check(b);
	b->size = usable;
	contents_put(b->p, usable, b->key);
}

/* A twin's block goes back by what usable_size says; a hook's by the size it has. */
static void put_used(const struct subject *s, struct block *b, size_t asked)
{
	char text[BLOCK_TEXT];
	size_t usable = b->size, freed;

	block_check(b);
	if (!way_is_twin(b->way)) {
		hook_free(s, b->p, asked, b->align);
		return;
	}
	freed = twin_mfree(s, b->p);
	if (freed != usable)
		case_fail("%s: mfree answered %zu, expected what usable_size did, %zu",
			  block_text(b, text), freed, usable);
}

static void usable_way(const struct subject *s, enum way way, size_t size, size_t align)
{
	static struct blocks set;
	size_t n = size > 65536 ? 3 : 24;

	for (size_t i = 0; i < n; i++)
		blocks_get(s, &set, way, size, align);
	for (size_t i = 0; i < n; i++)
		use_all(s, &set.list[i]);
	while (set.n)
		put_used(s, &set.list[--set.n], size);
}

/* What realloc answers has a usable size as well. */
static void usable_after_realloc(const struct subject *s, enum way way)
{
	static const size_t sizes[] = {10, 500, 60, 70000, 5, 400000, 33};
	struct block b;

	block_get(s, &b, way, 100, 16);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (!block_resize(s, &b, sizes[i], 16))
			case_fail("realloc to %zu bytes: answered null", sizes[i]);
		checked_usable_size(s, &b);
	}
	block_put(s, &b);
}

void case_usable_size(struct subject *s)
{
	static const size_t sizes[] = {1,   8,	  15,	16,   17,    24,    31,	    33,
				       100, 1000, 4000, 4096, 10000, 40000, 100000, 1000000};

	if (!s->ops->usable_size.fn)
		case_skip("it exports no usable_size and serves linked programs only");
	for (unsigned way = 0; way < ways_of(s); way++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			usable_way(s, way, sizes[i], 16);
			usable_way(s, way, sizes[i], 256);
		}
		usable_after_realloc(s, way);
	}
}

/* --------------------------------------------------------------- owns --- */

static const char constant[] = "a constant";
static char variable[64];

static void must_not_own(const struct subject *s, const void *p, const char *what)
{
	if (owns(s, p))
		case_fail("owns answered true for %s, %p, expected false", what, p);
}

static void owns_nothing_else(const struct subject *s)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *gone = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *small = malloc(100), *large = malloc(1 << 20);
	int local = 0;

	if (gone == MAP_FAILED || !small || !large)
		case_fail("no memory for the case itself");
	must_not_own(s, small, "a block of the platform heap");
	must_not_own(s, large, "a large block of the platform heap");
	must_not_own(s, &local, "a variable on the stack");
	must_not_own(s, variable, "a static variable");
	must_not_own(s, constant, "a constant");
	must_not_own(s, (const void *)(uintptr_t)owns_nothing_else, "a function");
	must_not_own(s, gone, "a page without access");
	munmap(gone, 2 * page);
	must_not_own(s, gone, "a page that is not mapped");
	must_not_own(s, NULL, "null");
	must_not_own(s, (const void *)1, "an odd address");
	must_not_own(s, (const void *)UINTPTR_MAX, "the last address");
	must_not_own(s, (const void *)(UINTPTR_MAX / 2 + 1), "an address that cannot be");
	free(large);
	free(small);
}

/* A mixed module may say no: which of its blocks are its own is the case `kind`. */
static void owns_its_own(const struct subject *s)
{
	static struct blocks set;
	char text[BLOCK_TEXT];

	for (unsigned way = 0; way < ways_of(s); way++)
		for (size_t size = 1; size <= ((size_t)16 << 20); size *= 4)
			blocks_get(s, &set, way, size, size < 4096 ? 16 : 4096);
	for (size_t i = 0; subject_is_heap(s) && i < set.n; i++)
		if (!owns(s, set.list[i].p))
			case_fail("owns answered false for a %s, expected true: a heap's "
				  "blocks are its own",
				  block_text(&set.list[i], text));
	owns_nothing_else(s);
	blocks_put_all(s, &set);
}

void case_owns(struct subject *s)
{
	if (!s->ops->owns.fn)
		case_skip("%s", subject_exports(s)->owns ? "the platform heap below has none"
				: subject_is_native(s)	 ? "it exports no owns"
							 : "a malloc family has no owns");
	owns_its_own(s);
	owns_nothing_else(s);
}
