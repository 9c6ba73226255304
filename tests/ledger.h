/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of hooks that keeps a ledger, for tests of what allocates through the hooks.
 *
 * Every block knows its size and alignment; one that comes back with others, or that
 * is not live, or that was written past its end, is a failed check.  Fresh memory is
 * dirty, freed memory is overwritten.  Requests may be made to fail.  Threads may use
 * it together.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include <check.h>

#include "chic_rt.h"

/* ck_assert for loops of many thousands: libcheck hears of it only when it fails. */
#define MUST(condition)                                                                        \
	do {                                                                                   \
		if (!(condition))                                                              \
			ck_abort_msg("expected %s", #condition);                               \
	} while (0)

enum {
	LEDGER_ALLOC = 1,
	LEDGER_ZEROED = 2,
	LEDGER_REALLOC = 4,
	LEDGER_FREE = 8,
	LEDGER_ALL = 15
};

/* Begin a new ledger and install it; counters of the runtime begin at 0 as well. */
void ledger_install(void);
/*
 * Install these hooks alone, of functions that only count calls: the default serves
 * the other entries, and blocks of both mix.
 */
void ledger_install_partial(unsigned hooks);
/* Back to the default. */
void ledger_remove(void);

/* The nth request from now fails, and it alone or all that follow; 0: none. */
void ledger_fail(size_t n, bool for_good);
/* End that; whether a request failed. */
bool ledger_failed(void);

/* Calls of hooks that want memory, and of the one that gives it back. */
size_t ledger_requests(void);
size_t ledger_frees(void);
size_t ledger_live_blocks(void);
size_t ledger_live_bytes(void);
/* A failed check where a block is live, or where the eight counters say so. */
void ledger_nothing_left(void);

#endif /* LEDGER_H */
