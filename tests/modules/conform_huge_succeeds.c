// SPDX-License-Identifier: BSD-2-Clause
/*
 * The room for the header is added without a look at whether it fits: a huge request
 * becomes a small one.
 */
#include "sound.h"

CHIC_MODULE("conform_huge_succeeds", "heap");
CHIC_MODULE_VERSION("1.0");

static void *wrap(struct sound *s, size_t size, size_t align)
{
	if (size > SIZE_MAX - 64)
		size += 64;
	return sound_get(s, size, align);
}

static const struct sound_ops ops = {.get = wrap};

SOUND_MODULE(conform_huge_succeeds, ops);
