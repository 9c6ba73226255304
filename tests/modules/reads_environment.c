// SPDX-License-Identifier: BSD-2-Clause
/*
 * A vendor's allocator that reads one option when it is opened and another at the
 * first request, and tells which it found.
 */
#define FAMILY(x) re_##x
#define re_malloc re_inner_malloc
#include "plain_malloc_family.c"
#undef re_malloc

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

EXPORT void *re_malloc(size_t size);

EXPORT char re_at_open[64], re_at_malloc[64];

static void copy(char out[64], const char *name)
{
	const char *value = getenv(name);

	snprintf(out, 64, "%s", value ? value : "none");
}

__attribute__((constructor)) static void look(void)
{
	copy(re_at_open, "RE_AT_OPEN");
}

void *re_malloc(size_t size)
{
	static bool looked;

	if (!looked)
		copy(re_at_malloc, "RE_AT_MALLOC");
	looked = true;
	return re_inner_malloc(size);
}
