// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two views of a layer: its hooks, as chic_rt_alloc and its kin call them, and
 * its twins, as the malloc family of the preload library does.  What is called is
 * noted down first, for the case that it does not come back.
 */
#include "conform.h"

/* The answer of a call, which is over now. */
#define CALL(answer)                                                                           \
	({                                                                                     \
		__auto_type result_ = (answer);                                                \
		case_done();                                                                   \
		result_;                                                                       \
	})

static bool lends_windows(const struct subject *s)
{
	return s->layer && s->layer->module->info.window &&
	       s->ops->alloc.ctx == s->layer->ctx &&
	       s->ops->alloc.fn == s->layer->module->exports.alloc;
}

/* As the loader does, but for every second request: the others are the module's. */
static void *window_cut(const struct subject *s, size_t size, size_t align)
{
	static unsigned turn;
	void **word;
	void *p;

	if (!lends_windows(s) || size > CHIC_WINDOW_MAX || align > CHIC_MALLOC_ALIGN ||
	    __atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 2)
		return NULL;
	case_doing("cutting from its window (size %zu, align %zu)", size, align, 0);
	word = thread_word(s->layer->word);
	p = word && *word ? chic_window_cut(*word, size) : NULL;
	case_done();
	return p;
}

void *hook_alloc(const struct subject *s, size_t size, size_t align)
{
	void *p = window_cut(s, size, align);

	if (p)
		return p;
	case_doing("alloc(size %zu, align %zu)", size, align, 0);
	return CALL(s->ops->alloc.fn(s->ops->alloc.ctx, size, align).ptr);
}

void *hook_alloc_zeroed(const struct subject *s, size_t size, size_t align)
{
	case_doing("alloc_zeroed(size %zu, align %zu)", size, align, 0);
	return CALL(s->ops->alloc_zeroed.fn(s->ops->alloc_zeroed.ctx, size, align).ptr);
}

/* old_size is what counts: the handle's own size says nothing here, as may be. */
void *hook_realloc(const struct subject *s, void *p, size_t old_size, size_t size, size_t align)
{
	ValueMutPtr old = {.ptr = p, .size = 0, .align = align};

	case_doing("realloc(old_size %zu, size %zu, align %zu)", old_size, size, align);
	return CALL(s->ops->realloc.fn(s->ops->realloc.ctx, old, old_size, size, align).ptr);
}

void hook_free(const struct subject *s, void *p, size_t size, size_t align)
{
	ValueMutPtr block = {.ptr = p, .size = size, .align = align};

	case_doing("free(block at %#zx, size %zu, align %zu)", (size_t)p, size, align);
	s->ops->free.fn(s->ops->free.ctx, block);
	case_done();
}

bool has_twins(const struct subject *s)
{
	return s->ops->malloc.fn;
}

void *twin_malloc(const struct subject *s, size_t size)
{
	case_doing("malloc(%zu)", size, 0, 0);
	return CALL(s->ops->malloc.fn(s->ops->malloc.ctx, size));
}

void *twin_calloc(const struct subject *s, size_t n, size_t size)
{
	case_doing("calloc(%zu, %zu)", n, size, 0);
	return CALL(s->ops->calloc.fn(s->ops->calloc.ctx, n, size));
}

void *twin_memalign(const struct subject *s, size_t align, size_t size)
{
	case_doing("memalign(align %zu, size %zu)", align, size, 0);
	return CALL(s->ops->memalign.fn(s->ops->memalign.ctx, align, size));
}

void *twin_remalloc(const struct subject *s, void *p, size_t size)
{
	case_doing("remalloc(block at %#zx, %zu)", (size_t)p, size, 0);
	return CALL(s->ops->remalloc.fn(s->ops->remalloc.ctx, p, size));
}

size_t twin_mfree(const struct subject *s, void *p)
{
	case_doing("mfree(block at %#zx)", (size_t)p, 0, 0);
	return CALL(s->ops->mfree.fn(s->ops->mfree.ctx, p));
}

size_t usable_size(const struct subject *s, const void *p)
{
	case_doing("usable_size(%#zx)", (size_t)p, 0, 0);
	return CALL(s->ops->usable_size.fn(s->ops->usable_size.ctx, p));
}

bool owns(const struct subject *s, const void *p)
{
	case_doing("owns(%#zx)", (size_t)p, 0, 0);
	return CALL(s->ops->owns.fn(s->ops->owns.ctx, p));
}
