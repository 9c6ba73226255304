// SPDX-License-Identifier: BSD-2-Clause
/* A filter that exports no hook: whatever is below it serves, as it is. */
#include "fixture.h"

CHIC_MODULE("filter_empty", "filter");

EXPORT int filter_empty_here;
