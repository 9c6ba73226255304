// SPDX-License-Identifier: BSD-2-Clause
/* Metadata that names two kinds. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("duplicate_key", "heap");
CHIC_MODULE_INFO("kind", "filter");

FIXTURE_HEAP(duplicate_key)
