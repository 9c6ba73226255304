// SPDX-License-Identifier: BSD-2-Clause
/* Hooks without metadata: neither a module nor a malloc family. */
#include "fixture.h"
#include "must_not_run.h"

FIXTURE_HEAP(no_modinfo)
