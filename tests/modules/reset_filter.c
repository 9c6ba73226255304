// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter that counts live blocks, in reset_filter_live, and forgets them when it is
 * told that they are gone.
 */
#include "fixture.h"

CHIC_MODULE("reset_filter", "filter");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_DESCRIPTION("filter of the tests that can be reset");
CHIC_MODULE_EXPORTS(reset_filter);

EXPORT atomic_size_t reset_filter_live;
static const struct chic_layer *below;

int reset_filter_init(const struct chic_module_args *args, const struct chic_layer *lower,
		      void **ctx)
{
	(void)args;
	below = lower;
	*ctx = NULL;
	return 0;
}

void reset_filter_exit(void *ctx)
{
	(void)ctx;
}

ValueMutPtr reset_filter_alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	reset_filter_live++;
	return below->alloc.fn(below->alloc.ctx, size, align);
}

void reset_filter_free(void *ctx, ValueMutPtr block)
{
	(void)ctx;
	reset_filter_live--;
	below->free.fn(below->free.ctx, block);
}

size_t reset_filter_reset(void *ctx)
{
	(void)ctx;
	return atomic_exchange(&reset_filter_live, 0);
}
