// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ledger of ledger.h: a header before each block, a canary behind it.
 */
#define _GNU_SOURCE
#include "ledger.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LIVE 0x1ed6e211u
#define CANARY 0x5c
#define CANARIES 16

struct header {
	void *raw;
	size_t size, align;
	unsigned magic;
};

static struct {
	size_t requests, frees, blocks, bytes;
	size_t countdown;
	bool for_good, hit;
} ledger;

static void add(size_t *word, size_t n)
{
	__atomic_fetch_add(word, n, __ATOMIC_RELAXED);
}

static size_t value(const size_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

/* Injection is for tests with one thread. */
static bool refused(void)
{
	add(&ledger.requests, 1);
	if (!value(&ledger.countdown) || --ledger.countdown)
		return false;
	ledger.hit = true;
	ledger.countdown = ledger.for_good;
	return true;
}

static struct header *header_of(void *p)
{
	return (struct header *)p - 1;
}

static void *get(size_t size, size_t align)
{
	size_t room = (sizeof(struct header) + 15) & ~(size_t)15;
	struct header *h;
	char *raw, *p;

	MUST(size > 0 && align > 0 && !(align & (align - 1)));
	if (align > 16)
		room += align;
	if (refused() || size > PTRDIFF_MAX - room - CANARIES)
		return NULL;
	raw = malloc(room + size + CANARIES);
	if (!raw)
		return NULL;
	p = raw + room - (align > 16 ? ((uintptr_t)raw + room) % align : 0);
	memset(p, 0xdd, size);
	memset(p + size, CANARY, CANARIES);
	h = header_of(p);
	*h = (struct header){raw, size, align, LIVE};
	add(&ledger.blocks, 1);
	add(&ledger.bytes, size);
	return p;
}

static void put(void *p, size_t size, size_t align)
{
	struct header *h = header_of(p);

	MUST(h->magic == LIVE);
	if (h->size != size || h->align != align)
		ck_abort_msg("a block of %zu bytes aligned to %zu came back as %zu, %zu",
			     h->size, h->align, size, align);
	for (size_t i = 0; i < CANARIES; i++)
		if (((unsigned char *)p)[size + i] != CANARY)
			ck_abort_msg("offset %zu of a block of %zu bytes was written", size + i,
				     size);
	add(&ledger.blocks, -(size_t)1);
	add(&ledger.bytes, -size);
	memset(p, 0xee, size);
	h->magic = 0;
	free(h->raw);
}

static ValueMutPtr hook_alloc(void *ctx, size_t size, size_t align)
{
	MUST(ctx == &ledger);
	return (ValueMutPtr){get(size, align), size, align};
}

static ValueMutPtr hook_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr h = hook_alloc(ctx, size, align);

	if (h.ptr)
		memset(h.ptr, 0, size);
	return h;
}

static ValueMutPtr hook_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	ValueMutPtr h = hook_alloc(ctx, size, align);

	MUST(old.ptr);
	if (!h.ptr)
		return h;
	memcpy(h.ptr, old.ptr, old_size < size ? old_size : size);
	put(old.ptr, old_size, align);
	return h;
}

static void hook_free(void *ctx, ValueMutPtr block)
{
	MUST(ctx == &ledger);
	add(&ledger.frees, 1);
	put(block.ptr, block.size, block.align);
}

void ledger_install(void)
{
	memset(&ledger, 0, sizeof(ledger));
	chic_rt_allocator_install((ChicAllocatorVTable){&ledger, hook_alloc, hook_alloc_zeroed,
							hook_realloc, hook_free});
	chic_rt_reset_alloc_stats();
}

/* ---- partial tables: over malloc, as the default is in tests ---- */

static void *plain_get(size_t size, size_t align)
{
	void *p = NULL;

	add(&ledger.requests, 1);
	if (align <= 16)
		return malloc(size);
	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static ValueMutPtr plain_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	return (ValueMutPtr){plain_get(size, align), size, align};
}

static ValueMutPtr plain_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	ValueMutPtr h = plain_alloc(ctx, size, align);

	if (h.ptr)
		memset(h.ptr, 0, size);
	return h;
}

static void plain_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	add(&ledger.frees, 1);
	free(block.ptr);
}

static ValueMutPtr plain_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				 size_t align)
{
	ValueMutPtr h = plain_alloc(ctx, size, align);

	if (h.ptr && old.ptr) {
		memcpy(h.ptr, old.ptr, old_size < size ? old_size : size);
		free(old.ptr);
	}
	return h;
}

void ledger_install_partial(unsigned hooks)
{
	memset(&ledger, 0, sizeof(ledger));
	chic_rt_allocator_install((ChicAllocatorVTable){
		.context = &ledger,
		.alloc = hooks & LEDGER_ALLOC ? plain_alloc : NULL,
		.alloc_zeroed = hooks & LEDGER_ZEROED ? plain_alloc_zeroed : NULL,
		.realloc = hooks & LEDGER_REALLOC ? plain_realloc : NULL,
		.free = hooks & LEDGER_FREE ? plain_free : NULL,
	});
	chic_rt_reset_alloc_stats();
}

void ledger_remove(void)
{
	chic_rt_allocator_reset();
}

/* ---- injection and questions ---- */

void ledger_fail(size_t n, bool for_good)
{
	ledger.hit = false;
	ledger.for_good = for_good;
	ledger.countdown = n;
}

bool ledger_failed(void)
{
	ledger.countdown = 0;
	return ledger.hit;
}

size_t ledger_requests(void)
{
	return value(&ledger.requests);
}

size_t ledger_frees(void)
{
	return value(&ledger.frees);
}

size_t ledger_live_blocks(void)
{
	return value(&ledger.blocks);
}

size_t ledger_live_bytes(void)
{
	return value(&ledger.bytes);
}

void ledger_nothing_left(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats();

	ck_assert_uint_eq(ledger_live_blocks(), 0);
	ck_assert_uint_eq(ledger_live_bytes(), 0);
	ck_assert_uint_eq(t.alloc_calls + t.alloc_zeroed_calls, t.free_calls);
	ck_assert_uint_eq(t.alloc_bytes + t.alloc_zeroed_bytes + t.realloc_bytes,
			  t.freed_bytes);
}
