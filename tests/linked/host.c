// SPDX-License-Identifier: BSD-2-Clause
/*
 * A host whose own runtime defines chic_rt_alloc and the rest.  It links the
 * library without clash, keeps its own, and gets its table by chic_alloc_table.
 */
#include <chic_alloc.h>
#include <stdio.h>
#include <string.h>

static ChicAllocatorVTable own;
static unsigned own_calls;

void chic_rt_allocator_install(ChicAllocatorVTable table)
{
	own = table;
}

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
	ChicAllocatorVTable table;
	ValueMutPtr h;

	if (chic_alloc_table(NULL, &table) != 0) {
		printf("refused: %s\n", chic_alloc_message());
		return 1;
	}
	if (own_calls)
		printf("the library called the host's hooks %u times\n", own_calls);
	chic_rt_allocator_install(table);
	h = chic_rt_alloc(100, 8);
	memset(h.ptr, 1, 100);
	h = chic_rt_realloc(h, 100, 200, 8);
	chic_rt_free(h);
	chic_alloc_each(print_layer, NULL);
	printf("own calls %u\n", own_calls);
	return 0;
}
