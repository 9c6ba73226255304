// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which table is in force, on one processor: the one that was installed, with the
 * default's entries in place of its null ones.  The default is the platform's until a
 * stack is built.
 */
#include "platform.h"

const struct table *volatile hooks_table = &platform_table;
volatile unsigned hooks_installs;

static const struct table *base = &platform_table;
static ChicAllocatorVTable installed;
static struct table in_force;

/* Each entry is the installed one with its context, or the default's with its own. */
#define CHOOSE(entry)                                                                          \
	do {                                                                                   \
		if (installed.entry) {                                                         \
			in_force.entry.fn = installed.entry;                                   \
			in_force.entry.ctx = installed.context;                                \
		}                                                                              \
	} while (0)

/* Interrupts are kept out. */
static void publish(void)
{
	in_force = *base;
	CHOOSE(alloc);
	CHOOSE(alloc_zeroed);
	CHOOSE(realloc);
	CHOOSE(free);
	hooks_table = &in_force;
	hooks_installs++;
}

void hooks_set_default(const struct table *table)
{
	uintptr_t irq = irq_save();

	base = table;
	publish();
	irq_restore(irq);
}

static void install(const ChicAllocatorVTable *vtable)
{
	uintptr_t irq = irq_save();

	installed = *vtable;
	publish();
	irq_restore(irq);
}

CHIC_EXPORT void chic_rt_allocator_install(ChicAllocatorVTable table)
{
	install(&table);
}

CHIC_EXPORT void chic_rt_allocator_reset(void)
{
	uintptr_t irq = irq_save();

	installed = (ChicAllocatorVTable){0};
	hooks_table = base;
	hooks_installs++;
	irq_restore(irq);
}
