// SPDX-License-Identifier: BSD-2-Clause
/*
 * Blocks of more than 8 KiB are not used again.
 */
#include "sound.h"

CHIC_MODULE("conform_leaks", "heap");
CHIC_MODULE_VERSION("1.0");

static void leak(struct sound *s, void *p)
{
	if (sound_usable(p) <= 8192)
		sound_put(s, p);
}

static const struct sound_ops ops = {.put = leak};

SOUND_MODULE(conform_leaks, ops);
