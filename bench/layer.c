// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter that does nothing but forward: what a layer costs that is code.  LAYER is its
 * name, so that several of them can be stacked.
 */
#include "chic_module.h"

#define NAME CHIC_MODINFO_STRING(LAYER)
#define OWN(word) CHIC_MODINFO_PASTE(LAYER, word)

CHIC_MODULE(NAME, "filter");
CHIC_MODULE_VERSION("0.1");
CHIC_MODULE_LICENSE("BSD-2-Clause");
CHIC_MODULE_DESCRIPTION("forwards to the layer below");
CHIC_MODULE_EXPORTS(LAYER);

int OWN(_init)(const struct chic_module_args *args, const struct chic_layer *lower, void **ctx)
{
	(void)args;
	memcpy(ctx, &lower, sizeof(lower));
	return 0;
}

void OWN(_exit)(void *ctx)
{
	(void)ctx;
}

ValueMutPtr OWN(_alloc)(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *lower = ctx;

	return lower->alloc.fn(lower->alloc.ctx, size, align);
}

void OWN(_free)(void *ctx, ValueMutPtr block)
{
	const struct chic_layer *lower = ctx;

	lower->free.fn(lower->free.ctx, block);
}

void *OWN(_malloc)(void *ctx, size_t size)
{
	const struct chic_layer *lower = ctx;

	return lower->malloc.fn(lower->malloc.ctx, size);
}

size_t OWN(_mfree)(void *ctx, void *p)
{
	const struct chic_layer *lower = ctx;

	return lower->mfree.fn(lower->mfree.ctx, p);
}
