// SPDX-License-Identifier: BSD-2-Clause
/* A parameter of a type that does not exist. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("bad_parm_type", "heap");
CHIC_MODULE_PARM("ratio", "float", "0.5", "", "a fraction");

FIXTURE_HEAP(bad_parm_type)
