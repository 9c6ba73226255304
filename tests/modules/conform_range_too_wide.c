// SPDX-License-Identifier: BSD-2-Clause
/*
 * A parameter's range promises values that init refuses.
 */
#include "sound.h"

CHIC_MODULE("conform_range_too_wide", "heap");
CHIC_MODULE_VERSION("1.0");
CHIC_MODULE_PARM("slab", "size", "64K", "4K-1G", "must be at most half of it");

static int refuse(const struct chic_module_args *args, struct sound *s)
{
	if (chic_param_number(args, "slab") > (size_t)1 << 29) {
		args->fail("slab: expected at most 512M");
		return -EINVAL;
	}
	return sound_open(args, s);
}

static const struct sound_ops ops = {.open = refuse};

SOUND_MODULE(conform_range_too_wide, ops);
