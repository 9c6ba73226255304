// SPDX-License-Identifier: BSD-2-Clause
/* The other half of the pair. */
#include "fixture.h"

CHIC_MODULE("exit_without_init", "heap");

FIXTURE_HEAP(exit_without_init)

EXPORT void exit_without_init_exit(void *ctx);
EXPORT void exit_without_init_exit(void *ctx)
{
	(void)ctx;
}
