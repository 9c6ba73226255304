/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to guard: its state, the slots that guarded blocks lie in, and what is
 * said about a damaged heap.
 *
 * Addresses.  One range of pages without access is cut into slots of a power of
 * two of pages.  A block lies at the end of the first pages of its slot, which
 * alone are accessible; at least one page of the slot behind it never is.
 *
 *	slot: | .......block | none ... |	the next slot begins here
 *
 * A block that is aligned to more than a page begins at the first such address
 * of a slot that is larger by as much.
 *
 * Each page has a record outside the range; that of the block's first page leads
 * to that of the slot's first page, which describes the block.
 *
 * Mappings.  A live block costs two (its own pages, and those behind that are cut
 * off), a freed one none.  The system allows a process so many.
 */
#ifndef CHIC_MODULES_GUARD_H
#define CHIC_MODULES_GUARD_H

#include <pthread.h>

#include "internal.h"

#define GUARD_ALIGN 16
#define GUARD_ORDERS 40
/* Fills the bytes between the end of a block and the end of its page. */
#define GUARD_CANARY 0xc5

enum guard_state {
	GUARD_UNUSED, /* no block was ever in this slot, or no slot begins here */
	GUARD_LIVE,
	GUARD_FREED,
};

struct guard_record {
	char *p; /* the block that is here, or was here last */
	size_t size;
	uint32_t first; /* page where the slot begins: its record counts */
	uint32_t next; /* page of the next slot in the quarantine or the free list */
	uint32_t pages; /* accessible pages */
	uint8_t order; /* the slot has 2^order pages */
	uint8_t state;
	bool dirty; /* memory could not be given back */
};

struct guard {
	const struct chic_module_args *args;
	const struct chic_layer *lower;
	/* fixed after init */
	char *base;
	size_t range; /* bytes of addresses, 0 if none could be had */
	size_t page;
	struct guard_record *records; /* by page of the range */
	size_t quarantine;
	size_t limit; /* most live guarded blocks */
	unsigned sample;
	bool byte_aligned;
	/* changing, under lock */
	pthread_mutex_t lock;
	bool locked_to_fork;
	size_t live;
	_Atomic size_t pages_cut; /* page 0 is never cut: a record's 0 means none */
	size_t pages_recorded; /* records of these are accessible */
	size_t quarantined; /* bytes */
	uint32_t oldest, newest; /* the quarantine */
	uint32_t free[GUARD_ORDERS];
	/* changing, without lock */
	_Atomic size_t turn; /* for sampling */
	_Atomic size_t guarded;
	_Atomic size_t unguarded;
	struct guard *next_reporting;
};

/* Reserve at most range bytes of addresses: g->range says how many. */
void guard_reserve(struct guard *g, size_t range);
void guard_unreserve(struct guard *g);

/* A guarded block, or null where none can be had. */
void *guard_block_new(struct guard *g, size_t size, size_t align, bool zeroed);
/*
 * Give a guarded block back, and answer its size.  One that is not live or is
 * damaged ends the process; what names the operation in the message.
 */
size_t guard_block_free(struct guard *g, void *p, const char *what);
/* Size of a live block of ours; 0 if it is none. */
size_t guard_block_size(const struct guard *g, const void *p);

static inline bool guard_has(const struct guard *g, const void *p)
{
	return (uintptr_t)p - (uintptr_t)g->base < g->range;
}

/* Say what is wrong with a pointer that is no live block, and end the process. */
_Noreturn void guard_die_bad_pointer(const struct guard *g, const char *p, const char *what);
_Noreturn void guard_die_overrun(const struct guard_record *r, const unsigned char *at);

/* Have a line written when the process exits: 0, or -errno and fail() called. */
int guard_summary_start(struct guard *g);
/* A summary that was not started may be stopped. */
void guard_summary_stop(const struct guard *g);

#endif /* CHIC_MODULES_GUARD_H */
