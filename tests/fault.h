/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault injection: every allocation of the code under test fails in turn.
 *
 * A program that uses it links fault.c, the code under test statically, and the
 * linker flags $(FAULT_LDFLAGS) of Makefile.am, which send the wrapped calls
 * here.  The pattern:
 *
 *	for (n = 1;; n++) {
 *		fault_start(n);
 *		err = thing_under_test();
 *		if (!fault_stop())
 *			break;			(fewer than n allocations: all were tried)
 *		ck_assert_int_lt(err, 0);	(and state is as before)
 *	}
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>

/* From now on the nth allocation fails, and it alone. */
void fault_start(unsigned n);
/* End the injection; whether the nth allocation was reached. */
bool fault_stop(void);

#endif /* FAULT_H */
