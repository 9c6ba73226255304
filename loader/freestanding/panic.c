// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end of firmware that asked for it.
 */
#include "chic_freestanding.h"

void rt_panic(const char *message) __attribute__((noreturn, visibility("hidden")));

__attribute__((weak)) void chic_panic(const char *message)
{
	(void)message;
	__builtin_trap();
}

void rt_panic(const char *message)
{
	chic_panic(message);
}
