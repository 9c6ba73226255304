/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/: the core in WebAssembly, where nothing interrupts.  One thread:
 * an instance is called by the one that made it.
 */
#ifndef CHIC_LOADER_PLATFORM_H
#define CHIC_LOADER_PLATFORM_H

#include <stdint.h>

static inline uintptr_t irq_save(void)
{
	return 0;
}

static inline void irq_restore(uintptr_t state)
{
	(void)state;
}

#include "single.h"

#endif /* CHIC_LOADER_PLATFORM_H */
