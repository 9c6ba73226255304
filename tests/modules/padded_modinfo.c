// SPDX-License-Identifier: BSD-2-Clause
/*
 * Good: runs of NULs between the strings, as sanitizers put them there, and a key
 * that a later release may know.
 */
#include "fixture.h"

CHIC_MODULE_INFO("name", "padded_modinfo");
CHIC_MODULE_INFO("future", "yes");
CHIC_MODULE_INFO("abi", "1\0\0\0\0\0\0\0\0\0\0\0\0");
CHIC_MODULE_INFO("kind", "heap");

FIXTURE_HEAP(padded_modinfo)
