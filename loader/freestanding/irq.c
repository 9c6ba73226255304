// SPDX-License-Identifier: BSD-2-Clause
/*
 * What firmware says about interrupts, where it says nothing: none of them allocates.
 */
#include "chic_freestanding.h"

__attribute__((weak)) uintptr_t chic_irq_save(void)
{
	return 0;
}

__attribute__((weak)) void chic_irq_restore(uintptr_t state)
{
	(void)state;
}

__attribute__((weak)) void chic_yield(void)
{
}
