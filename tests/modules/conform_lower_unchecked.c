// SPDX-License-Identifier: BSD-2-Clause
/*
 * A filter that never saw its lower layer fail.
 */
#include "fixture.h"

CHIC_MODULE("conform_lower_unchecked", "filter");
CHIC_MODULE_VERSION("1.0");

EXPORT int conform_lower_unchecked_init(const struct chic_module_args *args,
					const struct chic_layer *lower, void **ctx);
EXPORT void conform_lower_unchecked_exit(void *ctx);
EXPORT ValueMutPtr conform_lower_unchecked_alloc(void *ctx, size_t size, size_t align);

int conform_lower_unchecked_init(const struct chic_module_args *args,
				 const struct chic_layer *lower, void **ctx)
{
	(void)args;
	*ctx = (void *)lower;
	return 0;
}

void conform_lower_unchecked_exit(void *ctx)
{
	(void)ctx;
}

/* What cannot be had anyway is not asked for, so that only failures of the system show. */
ValueMutPtr conform_lower_unchecked_alloc(void *ctx, size_t size, size_t align)
{
	const struct chic_layer *l = ctx;
	ValueMutPtr block = l->alloc.fn(l->alloc.ctx, size, align);

	if (size < (size_t)1 << 22 && align < (size_t)1 << 22)
		*(volatile char *)block.ptr = 0;
	return block;
}
