// SPDX-License-Identifier: BSD-2-Clause
/* A line break in a value would make two lines of a message. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("control_modinfo", "heap");
CHIC_MODULE_VERSION("1.0\n2.0");

FIXTURE_HEAP(control_modinfo)
