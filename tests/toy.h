/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Toy layers for tests of completion and dispatch.
 *
 * A toy heap hands out blocks from a buffer of its own, so that an address says
 * which heap a block came from, and dies (a failed check) when it is given a
 * block or a context that is not its own.  A toy filter forwards to its lower
 * and counts.  Every function counts its calls in its context.
 */
#ifndef TOY_H
#define TOY_H

#include <check.h>
#include <string.h>

#include "internal.h"

#define TOY_BYTES (256 * 1024)
#define TOY_MAGIC 0x70700001u

struct toy {
	unsigned magic;
	const struct chic_layer *lower; /* filters only */
	unsigned calls[OP_COUNT];
	unsigned twin_calls;
	size_t used;
	long live;
	bool fails; /* the next requests fail */
	_Alignas(4096) char buffer[TOY_BYTES];
};

static inline struct toy *toy_of(void *ctx)
{
	struct toy *t = ctx;

	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(t->magic, TOY_MAGIC);
	return t;
}

static inline bool toy_has(const struct toy *t, const void *p)
{
	return (const char *)p >= t->buffer && (const char *)p < t->buffer + TOY_BYTES;
}

/* Fresh memory is dirty, and its size stands in front of it. */
static inline void *toy_get(struct toy *t, size_t size, size_t align)
{
	size_t at = t->used + sizeof(size_t);

	if (align < 16)
		align = 16;
	at = (at + align - 1) & ~(align - 1);
	if (t->fails || at + size > TOY_BYTES)
		return NULL;
	memset(t->buffer + at, 0xdd, size);
	memcpy(t->buffer + at - sizeof(size), &size, sizeof(size));
	t->used = at + size;
	t->live++;
	return t->buffer + at;
}

static inline size_t toy_size(const void *p)
{
	size_t size;

	memcpy(&size, (const char *)p - sizeof(size), sizeof(size));
	return size;
}

static inline ValueMutPtr toy_alloc(void *ctx, size_t size, size_t align)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_ALLOC]++;
	return (ValueMutPtr){toy_get(t, size, align), size, align};
}

static inline ValueMutPtr toy_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct toy *t = toy_of(ctx);
	void *p = toy_get(t, size, align);

	t->calls[OP_ALLOC_ZEROED]++;
	if (p)
		memset(p, 0, size);
	return (ValueMutPtr){p, size, align};
}

static inline void toy_give_back(struct toy *t, void *p)
{
	ck_assert_msg(toy_has(t, p), "a block of another heap");
	memset(p, 0xee, toy_size(p));
	t->live--;
}

static inline ValueMutPtr toy_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				      size_t align)
{
	struct toy *t = toy_of(ctx);
	void *p = toy_get(t, size, align);

	t->calls[OP_REALLOC]++;
	if (p && old.ptr) {
		memcpy(p, old.ptr, old_size < size ? old_size : size);
		toy_give_back(t, old.ptr);
	}
	return (ValueMutPtr){p, size, align};
}

static inline void toy_free(void *ctx, ValueMutPtr block)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_FREE]++;
	toy_give_back(t, block.ptr);
}

static inline size_t toy_usable_size(void *ctx, const void *p)
{
	ck_assert(toy_has(toy_of(ctx), p));
	return toy_size(p);
}

static inline bool toy_owns(void *ctx, const void *p)
{
	return toy_has(toy_of(ctx), p);
}

static inline void *toy_malloc(void *ctx, size_t size)
{
	toy_of(ctx)->twin_calls++;
	return toy_get(ctx, size, CHIC_MALLOC_ALIGN);
}

static inline size_t toy_mfree(void *ctx, void *p)
{
	size_t size = toy_size(p);

	toy_of(ctx)->twin_calls++;
	toy_give_back(ctx, p);
	return size;
}

/* ---- a filter ---- */

static inline ValueMutPtr sieve_alloc(void *ctx, size_t size, size_t align)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_ALLOC]++;
	return t->lower->alloc.fn(t->lower->alloc.ctx, size, align);
}

static inline ValueMutPtr sieve_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_ALLOC_ZEROED]++;
	return t->lower->alloc_zeroed.fn(t->lower->alloc_zeroed.ctx, size, align);
}

static inline ValueMutPtr sieve_realloc(void *ctx, ValueMutPtr old, size_t old_size,
					size_t size, size_t align)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_REALLOC]++;
	return t->lower->realloc.fn(t->lower->realloc.ctx, old, old_size, size, align);
}

static inline void sieve_free(void *ctx, ValueMutPtr block)
{
	struct toy *t = toy_of(ctx);

	t->calls[OP_FREE]++;
	t->lower->free.fn(t->lower->free.ctx, block);
}

static inline void toy_init(struct toy *t)
{
	memset(t, 0, offsetof(struct toy, buffer));
	t->magic = TOY_MAGIC;
}

/* The toy heap as a complete lower layer, twins made by completion. */
static inline void toy_layer(struct toy *t, struct completion *c)
{
	static const struct module_exports all = {
		.alloc = toy_alloc,
		.alloc_zeroed = toy_alloc_zeroed,
		.realloc = toy_realloc,
		.free = toy_free,
		.usable_size = toy_usable_size,
		.owns = toy_owns,
	};

	vtable_complete(&all, KIND_HEAP, t, NULL, c);
}

#endif /* TOY_H */
