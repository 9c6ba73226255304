// SPDX-License-Identifier: BSD-2-Clause
/*
 * A realloc moves at most 128 KiB of the contents.
 */
#include "sound.h"

CHIC_MODULE("conform_realloc_loses", "heap");
CHIC_MODULE_VERSION("1.0");

#define MOST (128 * 1024)

static void *lose(struct sound *s, void *p, size_t size, size_t align)
{
	void *q;
	size_t n;

	if (!p || sound_usable(p) <= MOST || size <= MOST)
		return sound_resize(s, p, size, align);
	q = sound_get(s, size, align);
	if (!q)
		return NULL;
	n = sound_usable(p) < MOST ? sound_usable(p) : MOST;
	memcpy(q, p, n);
	sound_put(s, p);
	return q;
}

static const struct sound_ops ops = {.resize = lose};

SOUND_MODULE(conform_realloc_loses, ops);
