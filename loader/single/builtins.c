// SPDX-License-Identifier: BSD-2-Clause
/*
 * The modules that are linked in, where the firmware names no others.
 */
#include "chic_freestanding.h"

__attribute__((weak)) const struct chic_builtin *const chic_builtins[] = {
	&chic_builtin_arena,
	NULL,
};
