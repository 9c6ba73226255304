/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/: the core in firmware, on one processor.  What keeps interrupts
 * out is the firmware's to say, see chic_freestanding.h.
 */
#ifndef CHIC_LOADER_PLATFORM_H
#define CHIC_LOADER_PLATFORM_H

#include "chic_freestanding.h"

static inline uintptr_t irq_save(void)
{
	return chic_irq_save();
}

static inline void irq_restore(uintptr_t state)
{
	chic_irq_restore(state);
}

#include "single.h"

#endif /* CHIC_LOADER_PLATFORM_H */
