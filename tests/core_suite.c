// SPDX-License-Identifier: BSD-2-Clause
/* The tests of core.h together, and how counters are told. */
#include "core.h"

#include "chic_rt.h"

void core_counters(const char *name)
{
	AllocationTelemetry t = chic_rt_alloc_stats();

	core_print("%s calls %zu %zu %zu %zu\n", name, t.alloc_calls, t.alloc_zeroed_calls,
		   t.realloc_calls, t.free_calls);
	core_print("%s bytes %zu %zu %zu %zu\n", name, t.alloc_bytes, t.alloc_zeroed_bytes,
		   t.realloc_bytes, t.freed_bytes);
}

Suite *make_suite(void)
{
	Suite *suite = suite_create("core");

	core_first(suite);
	suite_add_tcase(suite, hooks_tcase());
	suite_add_tcase(suite, paths_tcase());
	core_last(suite);
	return suite;
}
