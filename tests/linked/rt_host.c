// SPDX-License-Identifier: BSD-2-Clause
/*
 * A host whose own runtime defines chic_rt_alloc and the rest, and that links
 * libchic_rt: no clash, and the containers use the host's.
 */
#include <chic_alloc.h>
#include <stdio.h>

static ChicAllocatorVTable own;
static unsigned own_calls;

ValueMutPtr chic_rt_alloc(size_t size, size_t align)
{
	own_calls++;
	return own.alloc(own.context, size, align);
}

ValueMutPtr chic_rt_alloc_zeroed(size_t size, size_t align)
{
	own_calls++;
	return own.alloc_zeroed(own.context, size, align);
}

ValueMutPtr chic_rt_realloc(ValueMutPtr old, size_t old_size, size_t size, size_t align)
{
	own_calls++;
	return own.realloc(own.context, old, old_size, size, align);
}

void chic_rt_free(ValueMutPtr block)
{
	own_calls++;
	own.free(own.context, block);
}

static int print_layer(const struct chic_alloc_info *info, void *arg)
{
	(void)arg;
	printf("layer %s\n", info->name);
	return 0;
}

int main(void)
{
	RegionHandle region;
	ChicVec vec;

	if (chic_alloc_table(NULL, &own) != 0) {
		printf("refused: %s\n", chic_alloc_message());
		return 1;
	}
	vec = chic_rt_vec_new(sizeof(int), _Alignof(int), 0);
	for (int i = 0; i < 50; i++) /* in the struct, 32, 64 */
		chic_vec_push(&vec, &i, sizeof(i));
	chic_rt_vec_drop(&vec);
	region = chic_rt_region_enter(1);
	chic_rt_region_alloc(region, 10, 8);
	chic_rt_region_exit(region);
	chic_alloc_each(print_layer, NULL);
	printf("own calls %u, the library's %zu\n", own_calls,
	       chic_rt_alloc_stats().alloc_calls);
	return 0;
}
