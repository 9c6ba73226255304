// SPDX-License-Identifier: BSD-2-Clause
/* Good: a heap that does not free, and says so. */
#include "fixture.h"

CHIC_MODULE("heap_frees_no", "heap");
CHIC_MODULE_FREES_NO();

FIXTURE_ALLOC(heap_frees_no)
FIXTURE_USABLE_SIZE(heap_frees_no)
