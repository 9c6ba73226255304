// SPDX-License-Identifier: BSD-2-Clause
/*
 * There are no pages here, so none that could be huger.
 */
#include "internal.h"

void rt_advise_huge(uint8_t *p, size_t size)
{
	(void)p;
	(void)size;
}
