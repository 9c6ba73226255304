// SPDX-License-Identifier: BSD-2-Clause
/* A linked program that says no to the configuration, then loads it by itself. */
#include <chic_alloc.h>
#include <stdio.h>

CHIC_ALLOC_MANUAL();

static int print_layer(const struct chic_alloc_info *info, void *arg)
{
	printf("%s %s\n", (const char *)arg, info->name);
	return 0;
}

int main(void)
{
	chic_rt_free(chic_rt_alloc(10, 1));
	chic_alloc_each(print_layer, "before");
	if (chic_alloc_load(NULL) != 0) {
		printf("refused: %s\n", chic_alloc_message());
		return 1;
	}
	chic_alloc_each(print_layer, "after");
	return 0;
}
