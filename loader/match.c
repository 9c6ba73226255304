// SPDX-License-Identifier: BSD-2-Clause
/*
 * match.c - does a [program] section apply to a program?
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>

#define BLANKS " \t"

enum { NO_MATCH, GLOB_BASENAME, BASENAME, GLOB_PATH, PATH };

/* Take the next glob of a list, trimmed; false at the end.  Cut to size. */
static bool next_glob(const char **list, char *out, size_t size)
{
	const char *start, *comma;
	size_t len;

	if (!*list)
		return false;
	start = *list + strspn(*list, BLANKS);
	comma = strchrnul(start, ',');
	len = comma - start;
	while (len && strchr(BLANKS, start[len - 1]))
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, start, len);
	out[len] = '\0';
	*list = *comma ? comma + 1 : NULL;
	return true;
}

static bool is_glob(const char *text)
{
	return strpbrk(text, "*?[\\");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* How well one glob meets one path of the program. */
static int score(const char *glob, const char *path)
{
	bool is_path = strchr(glob, '/');
	const char *text = is_path ? path : base_name(path);

	if (!path[0] || (is_path && path[0] != '/'))
		return NO_MATCH;
	if (strcmp(glob, text) == 0)
		return is_path ? PATH : BASENAME;
	if (is_glob(glob) && fnmatch(glob, text, FNM_PATHNAME) == 0)
		return is_path ? GLOB_PATH : GLOB_BASENAME;
	return NO_MATCH;
}

/* How well one glob meets the program, as started or as what that resolves to. */
static int score_program(const char *glob, const struct program *program)
{
	int started = program->execfn ? score(glob, program->execfn) : NO_MATCH;
	int resolved = program->exe ? score(glob, program->exe) : NO_MATCH;

	return started > resolved ? started : resolved;
}

int match_program(const char *globs, const struct program *program)
{
	char glob[PATH_MAX];
	int best = NO_MATCH;

	while (next_glob(&globs, glob, sizeof(glob))) {
		int now = score_program(glob, program);

		if (now > best)
			best = now;
	}
	return best;
}

bool match_names(const char *globs, const struct program *program)
{
	char glob[PATH_MAX];

	while (next_glob(&globs, glob, sizeof(glob)))
		if (!is_glob(glob) && score_program(glob, program) != NO_MATCH)
			return true;
	return false;
}

int match_check(const char *globs)
{
	char glob[PATH_MAX], shown[SHOWN_MAX];

	while (next_glob(&globs, glob, sizeof(glob))) {
		if (!glob[0])
			return message_set(-EINVAL,
					   "empty glob, expected globs separated by commas");
		if (glob[0] != '/' && strchr(glob, '/'))
			return message_set(-EINVAL,
					   "relative path, got '%s', expected a basename or "
					   "a path that begins with '/'",
					   ini_shown(shown, glob, strlen(glob)));
	}
	return 0;
}
