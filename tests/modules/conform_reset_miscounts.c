// SPDX-License-Identifier: BSD-2-Clause
/*
 * reset answers whether anything was live, not how much.
 */
#include "sound.h"

CHIC_MODULE("conform_reset_miscounts", "heap");
CHIC_MODULE_VERSION("1.0");

static size_t miscount(struct sound *s)
{
	return sound_reset(s) ? 1 : 0;
}

static const struct sound_ops ops = {.reset = miscount};

SOUND_MODULE(conform_reset_miscounts, ops);
