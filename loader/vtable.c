// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a module exports, completed to a full layer.
 *
 * "Falls back to the default for missing symbols" must never put one heap's
 * block into another heap, so a heap's missing hooks are made of its own
 * present ones, a filter's are its lower's, and a set that can be made whole in
 * neither way is refused.  Every entry gets the context that belongs to it.
 *
 * Part of the core: no libc but memcpy and memset.
 */
#include "core.h"

#include <string.h>

/* ---- a heap's missing hooks, made of its own; ctx is its completion ---- */

static ValueMutPtr made_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	const struct completion *c = ctx;
	ValueMutPtr block = c->alloc(c->ctx, size, align);

	if (block.ptr)
		memset(block.ptr, 0, size);
	return block;
}

static void made_free(void *ctx, ValueMutPtr block)
{
	/* frees=no: the heap takes single blocks back never */
	(void)ctx;
	(void)block;
}

static ValueMutPtr made_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	const struct completion *c = ctx;
	ValueMutPtr block = c->alloc(c->ctx, size, align);

	if (!block.ptr || !old.ptr)
		return block;
	memcpy(block.ptr, old.ptr, old_size < size ? old_size : size);
	old.size = old_size;
	c->ops.free.fn(c->ops.free.ctx, old);
	return block;
}

/* ---- twins made of the layer's hooks; ctx is its completion ---- */

static ValueMutPtr block_of(const struct completion *c, void *p)
{
	ValueMutPtr block = {.ptr = p, .size = 0, .align = 0};

	block.size = c->ops.usable_size.fn(c->ops.usable_size.ctx, p);
	return block;
}

static void *made_malloc(void *ctx, size_t size)
{
	const struct completion *c = ctx;

	return c->ops.alloc.fn(c->ops.alloc.ctx, size, CHIC_MALLOC_ALIGN).ptr;
}

static void *made_calloc(void *ctx, size_t n, size_t size)
{
	const struct completion *c = ctx;

	return c->ops.alloc_zeroed.fn(c->ops.alloc_zeroed.ctx, n * size, CHIC_MALLOC_ALIGN).ptr;
}

static void *made_memalign(void *ctx, size_t align, size_t size)
{
	const struct completion *c = ctx;

	return c->ops.alloc.fn(c->ops.alloc.ctx, size, align).ptr;
}

static void *made_remalloc(void *ctx, void *p, size_t size)
{
	const struct completion *c = ctx;
	ValueMutPtr old = block_of(c, p);

	return c->ops.realloc.fn(c->ops.realloc.ctx, old, old.size, size, CHIC_MALLOC_ALIGN)
		.ptr;
}

static size_t made_mfree(void *ctx, void *p)
{
	const struct completion *c = ctx;
	ValueMutPtr block = block_of(c, p);

	c->ops.free.fn(c->ops.free.ctx, block);
	return block.size;
}

/* ---- refusal ---- */

static bool any_hook(const struct module_exports *e)
{
	return e->alloc || e->alloc_zeroed || e->realloc || e->free;
}

static bool any_twin(const struct module_exports *e)
{
	return e->malloc || e->calloc || e->memalign || e->remalloc || e->mfree;
}

static const char *refuse_heap(const struct module_exports *e, bool frees_no)
{
	if (!any_hook(e))
		return any_twin(e) ? "a heap that exports twins must export alloc and free"
				   : NULL;
	if (!e->alloc)
		return "a heap that exports any hook must export alloc";
	if (!e->free && !frees_no)
		return "a heap that exports alloc must export free, or say frees=no";
	return NULL;
}

/* A twin beside a missing hook would let one half of the blocks pass unseen. */
static const char *refuse_filter(const struct module_exports *e)
{
	if ((e->malloc || e->memalign) && !e->alloc)
		return "a filter that exports malloc or memalign must export alloc";
	if (e->calloc && !e->alloc_zeroed)
		return "a filter that exports calloc must export alloc_zeroed";
	if (e->remalloc && !e->realloc)
		return "a filter that exports remalloc must export realloc";
	if (e->mfree && !e->free)
		return "a filter that exports mfree must export free";
	return NULL;
}

static const char *refuse_mixed(const struct module_exports *e, const struct chic_layer *lower)
{
	if (!e->alloc || !e->alloc_zeroed || !e->realloc || !e->free || !e->usable_size ||
	    !e->owns)
		return "a mixed module must export alloc, alloc_zeroed, realloc, free, "
		       "usable_size and owns";
	if (!lower->usable_size.fn)
		return "a mixed module needs a lower layer that has usable_size";
	return NULL;
}

const char *vtable_refusal(const struct module_exports *exports, enum module_kind kind,
			   bool frees_no, const struct chic_layer *lower)
{
	if (exports->init && !exports->exit)
		return "it exports init without exit";
	if (exports->exit && !exports->init)
		return "it exports exit without init";
	switch (kind) {
	case KIND_HEAP:
		return refuse_heap(exports, frees_no);
	case KIND_FILTER:
		return refuse_filter(exports);
	default:
		return refuse_mixed(exports, lower);
	}
}

bool vtable_is_empty_heap(const struct module_exports *exports, enum module_kind kind)
{
	return kind == KIND_HEAP && !any_hook(exports);
}

/* ---- completion ---- */

/* entry = the module's own if it has one, else the other function and context. */
#define FILL(entry, own, own_ctx, other, other_ctx)                                            \
	do {                                                                                   \
		ops->entry.fn = (own) ? (own) : (other);                                       \
		ops->entry.ctx = (own) ? (own_ctx) : (other_ctx);                              \
	} while (0)

static void complete_own_hooks(const struct module_exports *e, struct completion *out)
{
	struct chic_layer *ops = &out->ops;

	FILL(alloc, e->alloc, out->ctx, NULL, NULL);
	FILL(alloc_zeroed, e->alloc_zeroed, out->ctx, made_alloc_zeroed, out);
	FILL(realloc, e->realloc, out->ctx, made_realloc, out);
	FILL(free, e->free, out->ctx, made_free, out);
	FILL(usable_size, e->usable_size, out->ctx, NULL, NULL);
	FILL(owns, e->owns, out->ctx, NULL, NULL);
}

static void complete_own_twins(const struct module_exports *e, struct completion *out)
{
	struct chic_layer *ops = &out->ops;

	if (!ops->usable_size.fn)
		return;
	FILL(malloc, e->malloc, out->ctx, made_malloc, out);
	FILL(calloc, e->calloc, out->ctx, made_calloc, out);
	FILL(memalign, e->memalign, out->ctx, made_memalign, out);
	FILL(remalloc, e->remalloc, out->ctx, made_remalloc, out);
	FILL(mfree, e->mfree, out->ctx, made_mfree, out);
}

static void complete_filter_hooks(const struct module_exports *e,
				  const struct chic_layer *lower, struct completion *out)
{
	struct chic_layer *ops = &out->ops;

	FILL(alloc, e->alloc, out->ctx, lower->alloc.fn, lower->alloc.ctx);
	FILL(alloc_zeroed, e->alloc_zeroed, out->ctx, lower->alloc_zeroed.fn,
	     lower->alloc_zeroed.ctx);
	FILL(realloc, e->realloc, out->ctx, lower->realloc.fn, lower->realloc.ctx);
	FILL(free, e->free, out->ctx, lower->free.fn, lower->free.ctx);
	/* of the lower's blocks a filter can tell no more than the lower itself */
	if (lower->usable_size.fn)
		FILL(usable_size, e->usable_size, out->ctx, lower->usable_size.fn,
		     lower->usable_size.ctx);
	if (lower->owns.fn)
		FILL(owns, e->owns, out->ctx, lower->owns.fn, lower->owns.ctx);
}

/* A filter's missing twin: made of its hook if it has that, else the lower's. */
#define FILL_TWIN(entry, hook, made)                                                           \
	FILL(entry, e->entry, out->ctx,                                                        \
	     e->hook || !lower->entry.fn ? (made) : lower->entry.fn,                           \
	     e->hook || !lower->entry.fn ? (void *)out : lower->entry.ctx)

static void complete_filter_twins(const struct module_exports *e,
				  const struct chic_layer *lower, struct completion *out)
{
	struct chic_layer *ops = &out->ops;

	if (!ops->usable_size.fn)
		return;
	FILL_TWIN(malloc, alloc, made_malloc);
	FILL_TWIN(calloc, alloc_zeroed, made_calloc);
	FILL_TWIN(memalign, alloc, made_memalign);
	FILL_TWIN(remalloc, realloc, made_remalloc);
	FILL_TWIN(mfree, free, made_mfree);
}

/* Whether a filter leaves everything as it is: the lower but for what is not told. */
static bool leaves_all(const struct chic_layer *ops, const struct chic_layer *lower)
{
	return memcmp(&ops->alloc, &lower->alloc,
		      offsetof(struct chic_layer, family) -
			      offsetof(struct chic_layer, alloc)) == 0;
}

void vtable_complete(const struct module_exports *exports, enum module_kind kind, void *ctx,
		     const struct chic_layer *lower, struct completion *out)
{
	memset(out, 0, sizeof(*out));
	if (vtable_is_empty_heap(exports, kind)) {
		out->ops = *lower;
		out->ops.size = sizeof(out->ops);
		return;
	}
	out->ops.size = sizeof(out->ops);
	out->ctx = ctx;
	out->alloc = exports->alloc;
	if (kind == KIND_FILTER) {
		complete_filter_hooks(exports, lower, out);
		complete_filter_twins(exports, lower, out);
		if (leaves_all(&out->ops, lower))
			out->ops.family = lower->family;
	} else {
		complete_own_hooks(exports, out);
		complete_own_twins(exports, out);
	}
}
