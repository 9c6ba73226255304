/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For fixtures that must be refused by what their file says: if any of their
 * code runs, the process dies.
 */
#ifndef MUST_NOT_RUN_H
#define MUST_NOT_RUN_H

#include <stdlib.h>

__attribute__((constructor)) static void must_not_run(void)
{
	abort();
}

#endif /* MUST_NOT_RUN_H */
