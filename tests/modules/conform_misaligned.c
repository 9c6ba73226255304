// SPDX-License-Identifier: BSD-2-Clause
/*
 * Alignments of more than 64 KiB are kept to half.
 */
#include "sound.h"

CHIC_MODULE("conform_misaligned", "heap");
CHIC_MODULE_VERSION("1.0");

static void *misaligned(struct sound *s, size_t size, size_t align)
{
	char *p;

	if (align <= 65536 || size > PTRDIFF_MAX - align)
		return sound_get(s, size, align);
	p = sound_get(s, size + align, align);
	if (!p)
		return NULL;
	*sound_header(p + align / 2) = *sound_header(p);
	return p + align / 2;
}

static const struct sound_ops ops = {.get = misaligned};

SOUND_MODULE(conform_misaligned, ops);
