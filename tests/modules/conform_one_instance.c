// SPDX-License-Identifier: BSD-2-Clause
/*
 * All instances share the memory of the last one that was made.
 */
#include "sound.h"

CHIC_MODULE("conform_one_instance", "heap");
CHIC_MODULE_VERSION("1.0");

static struct sound *newest;

static int replace(const struct chic_module_args *args, struct sound *s)
{
	newest = s;
	return sound_open(args, s);
}

static void *from_newest(struct sound *s, size_t size, size_t align)
{
	(void)s;
	return sound_get(newest, size, align);
}

static void to_newest(struct sound *s, void *p)
{
	(void)s;
	sound_put(newest, p);
}

static void close_newest(struct sound *s)
{
	(void)s;
	if (newest)
		sound_close(newest);
	newest = NULL;
}

static const struct sound_ops ops = {
	.open = replace, .get = from_newest, .put = to_newest, .close = close_newest};

SOUND_MODULE(conform_one_instance, ops);
