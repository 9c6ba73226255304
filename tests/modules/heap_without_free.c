// SPDX-License-Identifier: BSD-2-Clause
/* A heap that cannot free, and does not say so. */
#include "fixture.h"

CHIC_MODULE("heap_without_free", "heap");

FIXTURE_ALLOC(heap_without_free)
FIXTURE_USABLE_SIZE(heap_without_free)
