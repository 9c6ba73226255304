// SPDX-License-Identifier: BSD-2-Clause
/*
 * That the system has no memory left is not thought of.
 */
#include "sound.h"

CHIC_MODULE("conform_limit_crashes", "heap");
CHIC_MODULE_VERSION("1.0");

static void *sure(struct sound *s, size_t size, size_t align)
{
	char *p = sound_get(s, size, align);

	if (size < (size_t)1 << 31 && align < (size_t)1 << 31)
		p[0] = 0;
	return p;
}

static const struct sound_ops ops = {.get = sure};

SOUND_MODULE(conform_limit_crashes, ops);
