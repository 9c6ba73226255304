// SPDX-License-Identifier: BSD-2-Clause
/* A heap that serves well, and takes its time: each allocation burns microseconds. */
#include "fixture.h"

CHIC_MODULE("slow_heap", "heap");
CHIC_MODULE_DESCRIPTION("slow heap of the tests");

/* More than 10 microseconds, tens of times what any real allocation takes. */
static void burn(void)
{
	for (volatile unsigned i = 0; i < 20000; i++)
		;
}

EXPORT ValueMutPtr slow_heap_alloc(void *ctx, size_t size, size_t align);
ValueMutPtr slow_heap_alloc(void *ctx, size_t size, size_t align)
{
	struct bump *b = fixture_bump();

	(void)ctx;
	burn();
	return fixture_handle(b ? bump_get(b, size, align) : NULL, size, align);
}

FIXTURE_FREE(slow_heap)
FIXTURE_USABLE_SIZE(slow_heap)
