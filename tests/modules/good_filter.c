// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is wrong with this filter: it hands everything to its lower and counts
 * the calls, those of all instances together in good_filter_calls.
 */
#include <stdlib.h>

#include "fixture.h"

CHIC_MODULE("good_filter", "filter");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_DESCRIPTION("filter of the tests");

EXPORT atomic_size_t good_filter_calls;

struct filter {
	const struct chic_layer *lower;
	atomic_size_t calls;
};

EXPORT int good_filter_init(const struct chic_module_args *args, const struct chic_layer *lower,
			    void **ctx);
EXPORT void good_filter_exit(void *ctx);
EXPORT ValueMutPtr good_filter_alloc(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_filter_alloc_zeroed(void *ctx, size_t size, size_t align);
EXPORT ValueMutPtr good_filter_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				       size_t align);
EXPORT void good_filter_free(void *ctx, ValueMutPtr block);
EXPORT size_t good_filter_usable_size(void *ctx, const void *p);
EXPORT bool good_filter_owns(void *ctx, const void *p);
EXPORT void *good_filter_malloc(void *ctx, size_t size);
EXPORT void *good_filter_calloc(void *ctx, size_t n, size_t size);
EXPORT void *good_filter_memalign(void *ctx, size_t align, size_t size);
EXPORT void *good_filter_remalloc(void *ctx, void *p, size_t size);
EXPORT size_t good_filter_mfree(void *ctx, void *p);

int good_filter_init(const struct chic_module_args *args, const struct chic_layer *lower,
		     void **ctx)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f) {
		args->fail("out of memory");
		return -ENOMEM;
	}
	f->lower = lower;
	*ctx = f;
	return 0;
}

void good_filter_exit(void *ctx)
{
	free(ctx);
}

static const struct chic_layer *count(void *ctx)
{
	struct filter *f = ctx;

	atomic_fetch_add_explicit(&f->calls, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&good_filter_calls, 1, memory_order_relaxed);
	return f->lower;
}

ValueMutPtr good_filter_alloc(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *lower = count(ctx);

	return lower->alloc.fn(lower->alloc.ctx, size, align);
}

ValueMutPtr good_filter_alloc_zeroed(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *lower = count(ctx);

	return lower->alloc_zeroed.fn(lower->alloc_zeroed.ctx, size, align);
}

ValueMutPtr good_filter_realloc(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				size_t align)
{
	const struct chic_layer *lower = count(ctx);

	return lower->realloc.fn(lower->realloc.ctx, old, old_size, size, align);
}

void good_filter_free(void *ctx, ValueMutPtr block)
{
	const struct chic_layer *lower = count(ctx);

	lower->free.fn(lower->free.ctx, block);
}

size_t good_filter_usable_size(void *ctx, const void *p)
{
	const struct chic_layer *lower = ((struct filter *)ctx)->lower;

	return lower->usable_size.fn(lower->usable_size.ctx, p);
}

/* A lower that cannot tell owns nothing that is known. */
bool good_filter_owns(void *ctx, const void *p)
{
	const struct chic_layer *lower = ((struct filter *)ctx)->lower;

	return lower->owns.fn && lower->owns.fn(lower->owns.ctx, p);
}

void *good_filter_malloc(void *ctx, size_t size)
{
	const struct chic_layer *lower = count(ctx);

	return lower->malloc.fn(lower->malloc.ctx, size);
}

void *good_filter_calloc(void *ctx, size_t n, size_t size)
{
	const struct chic_layer *lower = count(ctx);

	return lower->calloc.fn(lower->calloc.ctx, n, size);
}

void *good_filter_memalign(void *ctx, size_t align, size_t size)
{
	const struct chic_layer *lower = count(ctx);

	return lower->memalign.fn(lower->memalign.ctx, align, size);
}

void *good_filter_remalloc(void *ctx, void *p, size_t size)
{
	const struct chic_layer *lower = count(ctx);

	return lower->remalloc.fn(lower->remalloc.ctx, p, size);
}

size_t good_filter_mfree(void *ctx, void *p)
{
	const struct chic_layer *lower = count(ctx);

	return lower->mfree.fn(lower->mfree.ctx, p);
}
