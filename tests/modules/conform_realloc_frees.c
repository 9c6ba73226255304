// SPDX-License-Identifier: BSD-2-Clause
/*
 * A realloc that fails gives the old block back all the same.
 */
#include "sound.h"

CHIC_MODULE("conform_realloc_frees", "heap");
CHIC_MODULE_VERSION("1.0");

static void *drop(struct sound *s, void *p, size_t size, size_t align)
{
	void *q = sound_resize(s, p, size, align);

	if (!q && p) {
		memset(p, 0xdd, sound_usable(p) < 4096 ? sound_usable(p) : 4096);
		sound_put(s, p);
	}
	return q;
}

static const struct sound_ops ops = {.resize = drop};

SOUND_MODULE(conform_realloc_frees, ops);
