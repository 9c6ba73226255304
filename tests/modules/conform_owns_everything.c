// SPDX-License-Identifier: BSD-2-Clause
/*
 * owns answers true for whatever is not null.
 */
#include "sound.h"

CHIC_MODULE("conform_owns_everything", "heap");
CHIC_MODULE_VERSION("1.0");

static bool own(const struct sound *s, const void *p)
{
	(void)s;
	return p;
}

static const struct sound_ops ops = {.owns = own};

SOUND_MODULE(conform_owns_everything, ops);
