// SPDX-License-Identifier: BSD-2-Clause
/*
 * Zeroed blocks are zero as long as the memory is fresh from the system.
 */
#include "sound.h"

CHIC_MODULE("conform_zeroed_dirty", "heap");
CHIC_MODULE_VERSION("1.0");

static const struct sound_ops ops = {.zeroed = sound_get};

SOUND_MODULE(conform_zeroed_dirty, ops);
