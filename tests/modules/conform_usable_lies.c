// SPDX-License-Identifier: BSD-2-Clause
/*
 * usable_size counts what the class of the block has and forgets the header.
 */
#include "sound.h"

CHIC_MODULE("conform_usable_lies", "heap");
CHIC_MODULE_VERSION("1.0");

static size_t lie(const void *p)
{
	const struct sound_header *h = sound_header(p);

	return h->size < 4096 ? (size_t)1 << h->order : h->size;
}

static const struct sound_ops ops = {.usable = lie};

SOUND_MODULE(conform_usable_lies, ops);
