// SPDX-License-Identifier: BSD-2-Clause
/* A string of the metadata that is not KEY=VALUE. */
#include "fixture.h"
#include "must_not_run.h"

CHIC_MODULE("no_value_modinfo", "heap");

static const char stray[]
	__attribute__((used, retain, section(".modinfo"), aligned(1))) = "stray";

FIXTURE_HEAP(no_value_modinfo)
