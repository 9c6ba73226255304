// SPDX-License-Identifier: BSD-2-Clause
/* A module that does not say for which ABI it is. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE_INFO("name", "no_abi");
CHIC_MODULE_INFO("kind", "heap");

FIXTURE_HEAP(no_abi)
