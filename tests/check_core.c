// SPDX-License-Identifier: BSD-2-Clause
/* The tests of core.h in a process; counters go to the standard output. */
#include "check_support.h"
#include "core.h"

#include <stdarg.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

void core_first(Suite *suite)
{
	(void)suite;
}

void core_last(Suite *suite)
{
	(void)suite;
}

/* Each test may be a process of its own. */
void core_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

CHECK_MAIN(make_suite)
