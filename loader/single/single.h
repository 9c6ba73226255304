/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/: the core on one processor without threads of its own.
 *
 * There is one struct of counters and one table that an install writes.  What may
 * come in between is an interrupt, or another task of a kernel that switches them;
 * irq_save() of the platform's platform.h keeps both out while a few words are
 * written.  A reader takes the words that it needs and looks whether the table is
 * still the one that it began with, so that it sees the old one or the new one.
 */
#ifndef CHIC_LOADER_SINGLE_H
#define CHIC_LOADER_SINGLE_H

#include "core.h"
#include "handle.h"

#pragma GCC visibility push(hidden)

/* Each entry with the context that belongs to it; none is null. */
struct table {
	struct {
		chic_alloc_fn fn;
		void *ctx;
	} alloc, alloc_zeroed;
	struct {
		chic_realloc_fn fn;
		void *ctx;
	} realloc;
	struct {
		chic_free_fn fn;
		void *ctx;
	} free;
};

struct table_copy {
	struct table table;
};

union counters {
	AllocationTelemetry t;
	size_t word[2 * OP_COUNT]; /* calls by operation, then bytes by operation */
};

/* What serves where nothing is installed; supplied by the platform. */
extern const struct table platform_table;

/* publish.c */

extern const struct table *volatile hooks_table;
extern volatile unsigned hooks_installs;
/* What null entries fall back to from now on; the table must stay valid. */
void hooks_set_default(const struct table *table);

/* telemetry.c */

void telemetry_count(unsigned op, size_t bytes);
void telemetry_count_realloc(size_t bytes, size_t freed);

#pragma GCC visibility pop

/* A copy of which the compiler keeps what the caller uses. */
static inline const struct table *table_in_force(struct table_copy *copy)
{
	unsigned installs;

	do {
		installs = hooks_installs;
		__asm__ volatile("" ::: "memory");
		copy->table = *hooks_table;
		__asm__ volatile("" ::: "memory");
	} while (unlikely(installs != hooks_installs));
	return &copy->table;
}

static inline const struct chic_malloc_family *table_family(const struct table *t)
{
	(void)t;
	return NULL;
}

/* Nobody lends windows. */
#define APART inline

static inline void *window_alloc(size_t size, size_t align)
{
	(void)size;
	(void)align;
	return NULL;
}

static inline void count(const struct table *t, unsigned op, size_t bytes)
{
	(void)t;
	telemetry_count(op, bytes);
}

static inline void count_realloc(const struct table *t, size_t bytes, size_t freed, bool fresh)
{
	(void)t;
	(void)fresh;
	telemetry_count_realloc(bytes, freed);
}

static inline ValueMutPtr answer(const struct table *t, unsigned op, void *p, size_t size,
				 size_t align)
{
	if (likely(p))
		count(t, op, size);
	return handle(p, size, align);
}

#endif /* CHIC_LOADER_SINGLE_H */
