/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heap of loader/wasm over a memory that a test makes: what is in it can be walked,
 * and every block's bytes are known.
 */
#ifndef HEAP_SUPPORT_H
#define HEAP_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../loader/wasm/heap.c"

#define PAGE ((size_t)64 * 1024)
#define PAGES_MAX 512
#define RANGES_MAX (PAGES_MAX + 2)

static char *fake_memory; /* PAGES_MAX pages */
static size_t fake_pages; /* so many of them are somebody's */
static size_t fake_limit; /* so many there can be */
static size_t fake_gap; /* so many somebody else takes before each growth */
static unsigned fake_growths;
static struct chunk *ranges[RANGES_MAX];
static size_t range_count;

static void heap_must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "heap: %s\n", what);
	abort();
}

static void note_range(uintptr_t start)
{
	if (last_end && start == (uintptr_t)block_of(last_end))
		return;
	heap_must(range_count < RANGES_MAX, "more ranges than pages");
	ranges[range_count++] = chunk_of((void *)round_up(start + HEAD_BYTES, HEAP_GRAIN));
}

/* What memory.grow does. */
bool heap_more(size_t bytes, uintptr_t *start, size_t *got)
{
	size_t pages = bytes / PAGE + (bytes % PAGE != 0);

	fake_growths++;
	if (fake_pages + fake_gap > fake_limit || pages > fake_limit - fake_pages - fake_gap)
		return false;
	fake_pages += fake_gap;
	*start = (uintptr_t)(fake_memory + fake_pages * PAGE);
	*got = pages * PAGE;
	fake_pages += pages;
	note_range(*start);
	return true;
}

/* An empty heap over an empty memory. */
static void fake_begin(size_t limit, size_t gap)
{
	if (!fake_memory)
		fake_memory = aligned_alloc(PAGE, PAGES_MAX * PAGE);
	heap_must(fake_memory != NULL, "no memory for the test");
	fake_pages = 0;
	fake_growths = 0;
	fake_limit = limit;
	fake_gap = gap;
	range_count = 0;
	last_end = NULL;
	victim = NULL;
	memset(bins, 0, sizeof(bins));
	memset(bins_map, 0, sizeof(bins_map));
	bins_words = 0;
}

/* ---- what is in it ---- */

static bool in_its_bin(const struct chunk *c)
{
	unsigned i = bin_of(chunk_size(c));
	const struct chunk *ring = bin_ring(i), *at;

	if (!(bins_map[i / 32] >> i % 32 & 1))
		return false;
	for (at = ring->next; at != ring; at = at->next)
		if (at == c)
			return at->next->prev == at && at->prev->next == at;
	return false;
}

/* Chunks that bins hold; a bin's bit and its ring have to agree. */
static size_t count_in_bins(void)
{
	size_t n = 0;

	for (unsigned i = 0; i < BIN_COUNT; i++) {
		const struct chunk *ring = bin_ring(i);
		size_t before = n;

		heap_must(!bins_map[i / 32] == !(bins_words >> i / 32 & 1), "a word's bit");
		if (!(bins_map[i / 32] >> i % 32 & 1))
			continue;
		for (const struct chunk *c = ring->next; c != ring; c = c->next)
			n++;
		heap_must(n > before, "the bit of an empty bin");
	}
	return n;
}

/* Every rule that the heap keeps; the answer is the bytes of free chunks. */
static size_t heap_walk(void)
{
	size_t n = 0, bytes = 0;

	for (size_t i = 0; i < range_count; i++) {
		bool before_free = false;
		struct chunk *c;

		for (c = ranges[i]; chunk_size(c); c = chunk_at(c, chunk_size(c))) {
			bool is_free = c->head & CHUNK_FREE;

			heap_must((uintptr_t)block_of(c) % HEAP_GRAIN == 0,
				  "a misaligned chunk");
			heap_must(chunk_size(c) % HEAP_GRAIN == 0,
				  "a chunk of parts of grains");
			heap_must(before_free == !!(c->head & CHUNK_BEFORE_FREE),
				  "before's flag");
			heap_must(!(is_free && before_free), "two free chunks in a row");
			if (is_free) {
				heap_must(chunk_at(c, chunk_size(c))->before == chunk_size(c),
					  "the size behind a free chunk");
				heap_must(c == victim || in_its_bin(c),
					  "a free chunk that is in no bin");
				n++;
				bytes += chunk_size(c);
			}
			before_free = is_free;
		}
		heap_must(before_free == !!(c->head & CHUNK_BEFORE_FREE), "the end's flag");
	}
	heap_must(n == count_in_bins() + !!victim, "bins hold what is not free");
	return bytes;
}

/* ---- blocks whose bytes are known ---- */

#define MODEL_SLOTS 64

struct known {
	unsigned char *p;
	size_t size, align;
	unsigned char byte;
};

static struct known model[MODEL_SLOTS];

static void known_fill(const struct known *k, size_t from)
{
	for (size_t i = from; i < k->size; i++)
		k->p[i] = (unsigned char)(k->byte + i);
}

static void known_check(const struct known *k, size_t size)
{
	for (size_t i = 0; i < size; i++)
		heap_must(k->p[i] == (unsigned char)(k->byte + i), "a block's bytes");
}

static void known_place(const struct known *k)
{
	heap_must((uintptr_t)k->p % k->align == 0, "a misaligned block");
	heap_must(heap_usable_size(k->p) >= k->size, "a block that is too small");
}

static void model_get(struct known *k, size_t size, size_t align, unsigned char byte)
{
	*k = (struct known){heap_alloc(size, align), size, align, byte};
	if (!k->p)
		return;
	known_place(k);
	known_fill(k, 0);
}

static void model_put(struct known *k)
{
	known_check(k, k->size);
	heap_free(k->p);
	k->p = NULL;
}

static void model_resize(struct known *k, size_t size, size_t align)
{
	void *p = heap_realloc(k->p, size, align);
	size_t kept = size < k->size ? size : k->size;

	if (!p) {
		known_check(k, k->size);
		return;
	}
	*k = (struct known){p, size, align, k->byte};
	known_place(k);
	known_check(k, kept);
	known_fill(k, kept);
}

/* One operation by four numbers: which block, what, how large, how aligned. */
static void model_step(unsigned slot, unsigned what, size_t size, unsigned align_log)
{
	struct known *k = &model[slot % MODEL_SLOTS];
	size_t align = (size_t)1 << align_log;

	if (!k->p)
		model_get(k, size, align, (unsigned char)(slot + size));
	else if (what & 1)
		model_resize(k, size, align);
	else
		model_put(k);
}

static void model_end(void)
{
	for (size_t i = 0; i < MODEL_SLOTS; i++)
		if (model[i].p)
			model_put(&model[i]);
}

#endif /* HEAP_SUPPORT_H */
