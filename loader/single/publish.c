// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which table is in force, on one processor: the platform's, or the one that was
 * installed, with the platform's entries in place of its null ones.
 */
#include "platform.h"

const struct table *volatile hooks_table = &platform_table;
volatile unsigned hooks_installs;

static struct table installed;

/* Each entry is the installed one with its context, or the platform's with its own. */
#define CHOOSE(entry)                                                                          \
	do {                                                                                   \
		if (v->entry) {                                                                \
			t.entry.fn = v->entry;                                                 \
			t.entry.ctx = v->context;                                              \
		}                                                                              \
	} while (0)

static void install(const ChicAllocatorVTable *v)
{
	struct table t = platform_table;
	uintptr_t irq;

	CHOOSE(alloc);
	CHOOSE(alloc_zeroed);
	CHOOSE(realloc);
	CHOOSE(free);
	irq = irq_save();
	installed = t;
	hooks_table = &installed;
	hooks_installs++;
	irq_restore(irq);
}

CHIC_EXPORT void chic_rt_allocator_install(ChicAllocatorVTable table)
{
	install(&table);
}

CHIC_EXPORT void chic_rt_allocator_reset(void)
{
	const ChicAllocatorVTable none = {0};

	install(&none);
}
