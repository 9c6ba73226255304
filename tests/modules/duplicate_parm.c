// SPDX-License-Identifier: BSD-2-Clause
/* Two parameters of one name, but for '-' and '_'. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("duplicate_parm", "heap");
CHIC_MODULE_PARM("two_words", "bool", "no", "", "one");
CHIC_MODULE_PARM("two-words", "bool", "no", "", "the other");

FIXTURE_HEAP(duplicate_parm)
