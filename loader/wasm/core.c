// SPDX-License-Identifier: BSD-2-Clause
/*
 * The core and the heap in one unit, so that compilers see a request's whole way.
 */
#include "heap.c"

#include "default.c"

#include "../hooks.c"

#include "../single/publish.c"

#include "../single/telemetry.c"
