// SPDX-License-Identifier: BSD-2-Clause
/* A heap with none of the four hooks. */
#include "fixture.h"

CHIC_MODULE("heap_empty", "heap");

EXPORT int heap_empty_here;
