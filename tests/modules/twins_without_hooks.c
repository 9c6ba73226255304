// SPDX-License-Identifier: BSD-2-Clause
/* Twins, but not the hooks that they stand beside. */
#include "fixture.h"

CHIC_MODULE("twins_without_hooks", "heap");

FIXTURE_USABLE_SIZE(twins_without_hooks)

EXPORT void *twins_without_hooks_malloc(void *ctx, size_t size);
EXPORT void *twins_without_hooks_malloc(void *ctx, size_t size)
{
	struct bump *b = fixture_bump();

	(void)ctx;
	return b ? bump_get(b, size, CHIC_MALLOC_ALIGN) : NULL;
}

EXPORT size_t twins_without_hooks_mfree(void *ctx, void *p);
EXPORT size_t twins_without_hooks_mfree(void *ctx, void *p)
{
	size_t size = *bump_size(p);

	(void)ctx;
	bump_put(fixture_bump(), p);
	return size;
}
