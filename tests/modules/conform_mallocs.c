// SPDX-License-Identifier: BSD-2-Clause
/*
 * A hook calls malloc, which in an unmodified program is the hook.
 */
#include "sound.h"

CHIC_MODULE("conform_mallocs", "heap");
CHIC_MODULE_VERSION("1.0");

static void *with_a_note(struct sound *s, size_t size, size_t align)
{
	void *volatile note = malloc(24);

	free(note);
	return sound_get(s, size, align);
}

static const struct sound_ops ops = {.get = with_a_note};

SOUND_MODULE(conform_mallocs, ops);
