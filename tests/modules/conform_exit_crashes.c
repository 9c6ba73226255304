// SPDX-License-Identifier: BSD-2-Clause
/*
 * exit goes through memory that it has given back.
 */
#include "sound.h"

CHIC_MODULE("conform_exit_crashes", "heap");
CHIC_MODULE_VERSION("1.0");

static void crash(struct sound *s)
{
	sound_close(s);
	*(volatile char *)s->base = 0;
}

static const struct sound_ops ops = {.close = crash};

SOUND_MODULE(conform_exit_crashes, ops);
