// SPDX-License-Identifier: BSD-2-Clause
/* A kind that does not exist. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("bad_kind", "sponge");

FIXTURE_HEAP(bad_kind)
