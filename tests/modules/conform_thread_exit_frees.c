// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a thread allocated goes when it ends, also what others still use.
 */
#include "sound.h"

CHIC_MODULE("conform_thread_exit_frees", "heap");
CHIC_MODULE_VERSION("1.0");

static const struct chic_module_args *args;

static int remember(const struct chic_module_args *a, struct sound *s)
{
	args = a;
	return sound_open(a, s);
}

/* The word is the thread's first block of such a size. */
static void *note(struct sound *s, size_t size, size_t align)
{
	void **word = chic_thread_word(args);
	void *p = sound_get(s, size, align);

	if (word && !*word && p && size > 600 && size < 1000)
		*word = p;
	return p;
}

static void wipe(struct sound *s, void *word)
{
	(void)s;
	memset(word, 0xdd, sound_usable(word));
}

static const struct sound_ops ops = {.open = remember, .get = note, .thread_ends = wipe};

SOUND_MODULE(conform_thread_exit_frees, ops);
