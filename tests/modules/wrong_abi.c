// SPDX-License-Identifier: BSD-2-Clause
/* A module for an ABI that does not exist yet. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE_INFO("name", "wrong_abi");
CHIC_MODULE_INFO("abi", "2");
CHIC_MODULE_INFO("kind", "sponge");

FIXTURE_HEAP(wrong_abi)
