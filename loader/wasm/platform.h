/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/: the core in WebAssembly, where nothing interrupts.  One thread:
 * an instance is called by the one that made it.
 */
#ifndef CHIC_LOADER_PLATFORM_H
#define CHIC_LOADER_PLATFORM_H

#include "chic_freestanding.h"

static inline uintptr_t irq_save(void)
{
	return 0;
}

static inline void irq_restore(uintptr_t state)
{
	(void)state;
}

#include "single.h"

/* default.c: the heap without handles */
extern const struct chic_malloc_family platform_family __attribute__((visibility("hidden")));

/* Since nothing comes in between, a table is read where it is. */
static inline const struct table *wasm_table_in_force(struct table_copy *none)
{
	(void)none;
	return hooks_table;
}

/* Handles in memory and calls by a table's index cost as much as the heap does. */
static inline const struct chic_malloc_family *wasm_table_family(const struct table *t)
{
	return t == &platform_table ? &platform_family : NULL;
}

#define table_in_force wasm_table_in_force
#define table_family wasm_table_family

#endif /* CHIC_LOADER_PLATFORM_H */
