// SPDX-License-Identifier: BSD-2-Clause
/* One parameter more than the 32 that are allowed. */
#include "fixture.h"
#include "must_not_run.h"

#define FOUR(n)                                                                                \
	CHIC_MODULE_PARM(n "a", "bool", "no", "", "");                                         \
	CHIC_MODULE_PARM(n "b", "bool", "no", "", "");                                         \
	CHIC_MODULE_PARM(n "c", "bool", "no", "", "");                                         \
	CHIC_MODULE_PARM(n "d", "bool", "no", "", "")

CHIC_MODULE("too_many_parms", "heap");
FOUR("p1");
FOUR("p2");
FOUR("p3");
FOUR("p4");
FOUR("p5");
FOUR("p6");
FOUR("p7");
FOUR("p8");
CHIC_MODULE_PARM("straw", "bool", "no", "", "");

FIXTURE_HEAP(too_many_parms)
