// SPDX-License-Identifier: BSD-2-Clause
/* Half of the pair. */
#include "fixture.h"

CHIC_MODULE("init_without_exit", "heap");

FIXTURE_HEAP(init_without_exit)

EXPORT int init_without_exit_init(const struct chic_module_args *args,
				  const struct chic_layer *lower, void **ctx);
EXPORT int init_without_exit_init(const struct chic_module_args *args,
				  const struct chic_layer *lower, void **ctx)
{
	(void)args;
	(void)lower;
	*ctx = NULL;
	return 0;
}
