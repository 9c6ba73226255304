// SPDX-License-Identifier: BSD-2-Clause
/*
 * The twins answer null and leave errno as it was.
 */
#include "sound.h"

CHIC_MODULE("conform_no_errno", "heap");
CHIC_MODULE_VERSION("1.0");

static void nothing(void)
{
}

static const struct sound_ops ops = {.no_memory = nothing};

SOUND_MODULE(conform_no_errno, ops);
