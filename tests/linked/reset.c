// SPDX-License-Identifier: BSD-2-Clause
/* A linked program that drops what it has: prints what became of it. */
#include <chic_alloc.h>
#include <stdio.h>

int main(void)
{
	size_t dropped = 0;
	int err;

	for (int i = 0; i < 1000; i++)
		chic_rt_alloc(100, 8);
	err = chic_alloc_reset(&dropped);
	printf("%d, dropped %zu\n%s", err, dropped, chic_alloc_message());
	return 0;
}
