// SPDX-License-Identifier: BSD-2-Clause
/*
 * Nothing is wrong with this heap: what the other conform_*.c are but for one thing.
 */
#include "sound.h"

CHIC_MODULE("conform_sound", "heap");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_PARM("slabs", "size", "64K", "4K-1G", "of nothing");
CHIC_MODULE_PARM("order", "enum", "first", "first|last", "of nothing");
CHIC_MODULE_PARM("careful", "bool", "no", "", "of nothing");

static const struct sound_ops ops;

SOUND_MODULE(conform_sound, ops);
