// SPDX-License-Identifier: BSD-2-Clause
/* An init that says no, and why; its exit must not be called then. */
#include "fixture.h"
#include <stdlib.h>

CHIC_MODULE("init_fails", "heap");

FIXTURE_HEAP(init_fails)

EXPORT int init_fails_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx);
EXPORT int init_fails_init(const struct chic_module_args *args, const struct chic_layer *lower,
			   void **ctx)
{
	(void)lower;
	(void)ctx;
	args->fail("no device");
	return -ENODEV;
}

EXPORT void init_fails_exit(void *ctx);
EXPORT void init_fails_exit(void *ctx)
{
	(void)ctx;
	abort();
}
