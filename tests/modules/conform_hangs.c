// SPDX-License-Identifier: BSD-2-Clause
/*
 * A request for 32 MiB never comes back.
 */
#include <unistd.h>

#include "sound.h"

CHIC_MODULE("conform_hangs", "heap");
CHIC_MODULE_VERSION("1.0");

static void *hang(struct sound *s, size_t size, size_t align)
{
	while (size == (size_t)32 << 20)
		pause();
	return sound_get(s, size, align);
}

static const struct sound_ops ops = {.get = hang};

SOUND_MODULE(conform_hangs, ops);
