// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hooks and twins are two views of one heap: each takes the other's blocks.  And
 * what only twins have: malloc's alignment, errno, and an answer of mfree.
 */
#include "conform.h"

#include <errno.h>

static const size_t sizes[] = {1, 16, 24, 100, 1000, 5000, 70000, 300000};

/* ---- interchange ---- */

enum resizer { RESIZE_NONE, RESIZE_HOOK, RESIZE_TWIN, RESIZERS };

static const char *const resizer_names[] = {"no realloc", "realloc", "remalloc"};

/* By either view.  A hook that serves the malloc family knows no alignment. */
static void *resize(const struct subject *s, enum resizer resizer, void *p, size_t size)
{
	if (resizer == RESIZE_HOOK)
		return hook_realloc(s, p, usable_size(s, p), size, CHIC_MALLOC_ALIGN);
	return twin_remalloc(s, p, size);
}

static void check_kept(const struct block *b, enum resizer resizer, size_t kept)
{
	size_t at = contents_differ(b->p, kept, b->key, kept);
	char text[BLOCK_TEXT];

	if (at < kept)
		case_fail("%s after %s: byte %zu was not kept", block_text(b, text),
			  resizer_names[resizer], at);
}

static void give_back(const struct subject *s, bool by_twin, void *p)
{
	size_t usable = usable_size(s, p), freed;

	if (!by_twin) {
		hook_free(s, p, usable, 0);
		return;
	}
	freed = twin_mfree(s, p);
	if (freed != usable)
		case_fail("mfree answered %zu, expected what usable_size did, %zu", freed,
			  usable);
}

static void one_way(const struct subject *s, enum way way, enum resizer resizer, bool by_twin,
		    size_t size)
{
	size_t other = size * 3 + 1;
	struct block b;
	char text[BLOCK_TEXT];

	block_get(s, &b, way, size, CHIC_MALLOC_ALIGN);
	/* so that nothing of it depends on what the larger block is filled with */
	contents_put(b.p, size, b.key);
	if (resizer != RESIZE_NONE) {
		void *p = resize(s, resizer, b.p, other);

		if (!p)
			case_fail("%s to %zu bytes: answered null for a %s",
				  resizer_names[resizer], other, block_text(&b, text));
		b.p = p;
	}
	if (size <= 65536)
		check_kept(&b, resizer, size);
	give_back(s, by_twin, b.p);
}

static void interchange(const struct subject *s)
{
	for (unsigned way = 0; way < WAYS; way++)
		for (unsigned resizer = 0; resizer < RESIZERS; resizer++)
			for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
				case_stage("a block from %s, then %s", way_name(way),
					   resizer_names[resizer]);
				one_way(s, way, resizer, false, sizes[i]);
				one_way(s, way, resizer, true, sizes[i]);
			}
	case_stage("%s", "");
}

/* ---- errno ---- */

static void check_errno(const char *what, int expected, const char *why)
{
	if (errno != expected)
		case_fail("%s: errno is %d, expected %d: %s", what, errno, expected, why);
}

static void fails_with_enomem(const char *what, void *p)
{
	if (p)
		case_fail("%s: answered %p, expected null", what, p);
	check_errno(what, ENOMEM, "ENOMEM goes with null");
}

/* Hooks know no errno, and so twins that the loader makes of them do not either. */
static void errno_of_failures(const struct subject *s, const struct module_exports *exports)
{
	struct block b;

	errno = 0;
	if (exports->malloc)
		fails_with_enomem("malloc(PTRDIFF_MAX)", twin_malloc(s, PTRDIFF_MAX));
	errno = 0;
	if (exports->calloc)
		fails_with_enomem("calloc(1, PTRDIFF_MAX)", twin_calloc(s, 1, PTRDIFF_MAX));
	errno = 0;
	if (exports->memalign)
		fails_with_enomem("memalign(64, PTRDIFF_MAX - 64)",
				  twin_memalign(s, 64, PTRDIFF_MAX - 64));
	if (!exports->remalloc)
		return;
	block_get(s, &b, WAY_MALLOC, 100, 16);
	errno = 0;
	fails_with_enomem("remalloc(p, PTRDIFF_MAX)", twin_remalloc(s, b.p, PTRDIFF_MAX));
	block_put(s, &b);
}

#define KEPT EDOM

static void *served(const char *what, void *p)
{
	if (!p)
		case_fail("%s: answered null", what);
	check_errno(what, KEPT, "a request that was served leaves it alone");
	return p;
}

static void errno_of_successes(const struct subject *s, const struct module_exports *exports,
			       size_t size)
{
	void *p;

	errno = KEPT;
	if (exports->malloc)
		twin_mfree(s, served("malloc", twin_malloc(s, size)));
	errno = KEPT;
	if (exports->calloc)
		twin_mfree(s, served("calloc", twin_calloc(s, 1, size)));
	errno = KEPT;
	if (exports->memalign)
		twin_mfree(s, served("memalign", twin_memalign(s, 4096, size)));
	errno = KEPT;
	if (exports->malloc && exports->remalloc) {
		p = served("malloc", twin_malloc(s, size));
		twin_mfree(s, served("remalloc", twin_remalloc(s, p, 2 * size)));
	}
	if (exports->malloc && exports->mfree)
		check_errno("mfree", KEPT, "a free leaves it alone");
}

void case_twins(struct subject *s)
{
	const struct module_exports *exports = subject_exports(s);

	if (!has_twins(s))
		case_skip("it exports no usable_size and serves linked programs only");
	interchange(s);
	if (!subject_is_native(s))
		return;
	errno_of_failures(s, exports);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		errno_of_successes(s, exports, sizes[i]);
	errno_of_successes(s, exports, (size_t)20 << 20);
}
