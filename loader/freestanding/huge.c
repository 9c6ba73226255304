// SPDX-License-Identifier: BSD-2-Clause
/*
 * Without an operating system all memory is one piece.
 */
#include <stddef.h>
#include <stdint.h>

void rt_advise_huge(uint8_t *p, size_t size) __attribute__((visibility("hidden")));

void rt_advise_huge(uint8_t *p, size_t size)
{
	(void)p;
	(void)size;
}
