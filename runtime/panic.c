// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of a program that asked for it.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

void rt_panic(const char *message)
{
	fprintf(stderr, "chic-alloc: %s\n", message);
	abort();
}
