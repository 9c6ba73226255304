// SPDX-License-Identifier: BSD-2-Clause
/* A parameter whose range ends before it begins. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("bad_parm_range", "heap");
CHIC_MODULE_PARM("count", "uint", "7", "100-1", "a number");

FIXTURE_HEAP(bad_parm_range)
