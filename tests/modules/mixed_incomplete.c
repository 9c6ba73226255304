// SPDX-License-Identifier: BSD-2-Clause
/* A mixed module that cannot tell which blocks are its own. */
#include "fixture.h"

CHIC_MODULE("mixed_incomplete", "mixed");

FIXTURE_HEAP(mixed_incomplete)
