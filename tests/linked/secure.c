// SPDX-License-Identifier: BSD-2-Clause
/* A linked program that may be started setuid: prints whether it was, and its layers. */
#include <chic_alloc.h>
#include <stdio.h>
#include <sys/auxv.h>

static int print_layer(const struct chic_alloc_info *info, void *arg)
{
	(void)arg;
	if (info->is_default)
		printf("layer %s\n", info->name);
	return 0;
}

int main(int argc, char **argv)
{
	printf("secure %lu\n", getauxval(AT_SECURE));
	chic_rt_free(chic_rt_alloc(100, 8));
	chic_alloc_each(print_layer, NULL);
	if (argc > 1)
		printf("named %d\n", chic_alloc_load(argv[1]));
	return 0;
}
