// SPDX-License-Identifier: BSD-2-Clause
/* A parameter that lacks half of its declaration. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("bad_parm", "heap");
CHIC_MODULE_INFO("parm", "half:uint:7");

FIXTURE_HEAP(bad_parm)
