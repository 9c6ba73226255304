// SPDX-License-Identifier: BSD-2-Clause
/* A linked program that says nothing: prints its layers and exact counters. */
#include <chic_alloc.h>
#include <stdio.h>

static int print_layer(const struct chic_alloc_info *info, void *arg)
{
	(void)arg;
	if (info->is_default)
		printf("layer %s\n", info->name);
	return 0;
}

int main(void)
{
	ValueMutPtr h = chic_rt_alloc(100, 8);
	AllocationTelemetry t;

	h = chic_rt_realloc(h, 100, 300, 8);
	chic_rt_free(h);
	t = chic_rt_alloc_stats();
	chic_alloc_each(print_layer, NULL);
	printf("alloc %zu/%zu realloc %zu/%zu free %zu/%zu\n", t.alloc_calls, t.alloc_bytes,
	       t.realloc_calls, t.realloc_bytes, t.free_calls, t.freed_bytes);
	return 0;
}
