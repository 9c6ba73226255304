// SPDX-License-Identifier: BSD-2-Clause
/* A module whose metadata has another name than its file. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("other_name", "heap");

FIXTURE_HEAP(other_name)
