/* SPDX-License-Identifier: BSD-2-Clause */
/* For builds without a C library: a task that waits for another. */
#ifndef CHIC_FREESTANDING_SCHED_H
#define CHIC_FREESTANDING_SCHED_H

#include "chic_freestanding.h"

static inline int sched_yield(void)
{
	chic_yield();
	return 0;
}

#endif /* CHIC_FREESTANDING_SCHED_H */
