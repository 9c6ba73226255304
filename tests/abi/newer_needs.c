// SPDX-License-Identifier: BSD-2-Clause
/* A heap of a later release that cannot do without a symbol which that one calls. */
#include "../modules/fixture.h"
#include "../modules/must_not_run.h"

CHIC_MODULE("newer_needs", "heap");
CHIC_MODULE_NEEDS("usable_size");
CHIC_MODULE_NEEDS("future_hook");

FIXTURE_HEAP(newer_needs)

EXPORT void newer_needs_future_hook(void *ctx);
void newer_needs_future_hook(void *ctx)
{
	(void)ctx;
}
