// SPDX-License-Identifier: BSD-2-Clause
/* More metadata than a reader should be asked to take. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("oversized_modinfo", "heap");

static const char padding[70000]
	__attribute__((used, retain, section(".modinfo"), aligned(1))) = "version=1.0";

FIXTURE_HEAP(oversized_modinfo)
