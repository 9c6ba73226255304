// SPDX-License-Identifier: BSD-2-Clause
/*
 * Every program of the machine: a line in the dynamic linker's /etc/ld.so.preload.
 *
 * A mistake here is one that every program makes, the shell and the login of who
 * would repair it among them.  So the library must be where only root can change
 * it and where it is as long as programs are, the file is replaced whole, and the
 * new text is read as the linker reads it before it is written.
 *
 * No mark can stand beside the line: glibc (2.36 and before) overlooks comments
 * that follow another one.  Blanks at its end tell what else there is to undo.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIBRARY "libchic_alloc_preload.so"
#define SEPARATORS ": \t\n"

/* Blanks behind the path. */
enum { MADE_FILE = 0, FILE_WAS_THERE = 1, NEWLINE_WAS_NOT = 2 };

/* Not there early, not there for all, or anybody's. */
static const char *const unfit[] = {
	"/home/", "/root/", "/tmp/", "/var/", "/run/",
	"/dev/",  "/proc/", "/sys/", "/mnt/", "/media/",
};

int ldso_check(const struct tree *tree, const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(unfit); i++)
		if (strncmp(path, unfit[i], strlen(unfit[i])) == 0)
			return message_set(
				-EINVAL,
				"%s: is below %.*s, expected the preload library in a "
				"system folder that all programs see from the start",
				path, (int)strlen(unfit[i]) - 1, unfit[i]);
	return tree_trusted(tree, path);
}

static int out_of_memory(void)
{
	return message_set(-ENOMEM, LDSO_FILE ": out of memory");
}

/* --------------------------------------------------- the linker's view --- */

/* As glibc does it: where a comment was, the search begins at the front again, but
 * for so much less. */
static void blank_comments(char *text, size_t len)
{
	char *comment;

	while (len && (comment = memchr(text, '#', len))) {
		len -= (size_t)(comment - text);
		do
			*comment = ' ';
		while (--len && *++comment != '\n');
	}
}

/* The libraries that the linker sees, each behind a newline; to be freed. */
static char *libraries_in(const char *text, size_t len)
{
	char *copy = strndup(text, len), *rest = copy, *word, *all = NULL;
	size_t n = 0;

	if (copy)
		all = calloc(2 * len + 2, 1);
	if (copy && all) {
		blank_comments(copy, strlen(copy));
		while ((word = strsep(&rest, SEPARATORS)))
			if (*word)
				n += (size_t)sprintf(all + n, "\n%s", word);
	}
	free(copy);
	return all;
}

/* Whether the linker sees in text what it sees in first and then in second: 1, 0, <0 */
static int reads_as(const struct edit *edit, const char *first, const char *second)
{
	char *seen = libraries_in(edit->text, edit->len);
	char *front = libraries_in(first, strlen(first));
	char *back = libraries_in(second, strlen(second));
	size_t len;
	int same = -ENOMEM;

	if (seen && front && back) {
		len = strlen(front);
		same = strncmp(seen, front, len) == 0 && strcmp(seen + len, back) == 0;
	}
	free(back);
	free(front);
	free(seen);
	return same < 0 ? out_of_memory() : same;
}

/* ------------------------------------------------------------ our line --- */

struct line {
	const char *start, *end; /* in the text, its newline included */
	size_t path; /* length of the path */
	unsigned blanks;
};

static bool is_library(const char *path, size_t len)
{
	size_t n = strlen("/" LIBRARY);

	return len > n && memcmp(path + len - n, "/" LIBRARY, n) == 0;
}

/* A line that is a path of our library, whatever folder that was in, and nothing else. */
static bool find_line(const char *text, struct line *out)
{
	for (const char *p = text, *end; *p; p = end) {
		end = strchrnul(p, '\n');
		out->start = p;
		out->path = strcspn(p, SEPARATORS);
		out->blanks = (unsigned)strspn(p + out->path, " ");
		if (p + out->path + out->blanks == end && is_library(p, out->path)) {
			out->end = end + (*end == '\n');
			return true;
		}
		end += *end == '\n';
	}
	return false;
}

/* The text without the line, to be freed. */
static char *without_line(const char *text, const struct line *line)
{
	size_t front = (size_t)(line->start - text);
	char *rest;

	if (line->blanks == NEWLINE_WAS_NOT && front && !*line->end)
		front--;
	return asprintf(&rest, "%.*s%s", (int)front, text, line->end) < 0 ? NULL : rest;
}

static char *base_of(const struct edit *edit, struct line *line, bool *there)
{
	const char *text = edit->existed ? edit->old : "";

	*there = find_line(text, line);
	return *there ? without_line(text, line) : strdup(text);
}

/* Whether the linker would still find a library of ours in the text. */
static bool names_library(const char *text)
{
	char *all = libraries_in(text, strlen(text));
	bool there = all && (strstr(all, "/" LIBRARY "\n") ||
			     (strlen(all) > strlen(LIBRARY) && is_library(all, strlen(all))));

	free(all);
	return there;
}

/* ----------------------------------------------------- enable, disable --- */

/* In front, so that its malloc is the first. */
static int put_first(struct edit *edit, const char *base, unsigned blanks)
{
	char *text;
	int n = asprintf(&text, "%s%*s\n%s", cli_preload_path(), (int)blanks, "", base);

	if (n < 0)
		return out_of_memory();
	edit_set(edit, text, (size_t)n);
	return reads_as(edit, cli_preload_path(), base);
}

static int put_last(struct edit *edit, const char *base)
{
	size_t len = strlen(base);
	bool newline = len && base[len - 1] != '\n';
	char *text;
	int n = asprintf(&text, "%s%s%s%*s\n", base, newline ? "\n" : "", cli_preload_path(),
			 newline ? NEWLINE_WAS_NOT : FILE_WAS_THERE, "");

	if (n < 0)
		return out_of_memory();
	edit_set(edit, text, (size_t)n);
	return reads_as(edit, base, cli_preload_path());
}

static int put(struct edit *edit, const char *base, unsigned blanks)
{
	int good = put_first(edit, base, blanks);

	if (!good)
		good = put_last(edit, base);
	if (good)
		return good < 0 ? good : 0;
	return message_set(-EINVAL,
			   "%s" LDSO_FILE
			   ": has comments that the linker would take for libraries "
			   "behind one more line, expected none",
			   edit->root);
}

static struct edit *add_edit(struct edits *edits)
{
	struct edit *edit = edits_add(edits, LDSO_FILE);

	if (!edit || !edit->existed || strlen(edit->old) == edit->old_len)
		return edit;
	message_set(-EINVAL, "%s" LDSO_FILE ": has a NUL byte, expected text", edit->root);
	return NULL;
}

int ldso_enable(struct edits *edits, bool *by_hand)
{
	struct edit *edit = add_edit(edits);
	struct line line;
	bool there;
	char *base;
	int err = 0;

	*by_hand = false;
	if (!edit)
		return -EIO;
	base = base_of(edit, &line, &there);
	if (!base)
		return out_of_memory();
	/* where it stands it is good, unless the library has moved */
	if (there && line.path == strlen(cli_preload_path()) &&
	    memcmp(line.start, cli_preload_path(), line.path) == 0)
		goto out_base;
	*by_hand = names_library(base);
	if (!*by_hand)
		err = put(edit, base,
			  edit->existed && !there ? FILE_WAS_THERE
			  : there		  ? !!line.blanks
						  : MADE_FILE);
out_base:
	free(base);
	return err;
}

/* What somebody wrote there otherwise is not ours to take away, but to be told. */
int ldso_disable(struct edits *edits)
{
	struct edit *edit = add_edit(edits);
	struct line line;
	bool there;
	char *base;

	if (!edit)
		return -EIO;
	base = base_of(edit, &line, &there);
	if (!base)
		return out_of_memory();
	if (names_library(base)) {
		free(base);
		return message_set(-EEXIST,
				   "%s" LDSO_FILE ": names " LIBRARY
				   " in a line with something "
				   "else, take it out by hand",
				   edit->root);
	}
	if (!there || *base || line.blanks != MADE_FILE) {
		edit_set(edit, base, strlen(base));
		edit->changed = there;
		return 0;
	}
	free(base);
	edit_set(edit, NULL, 0);
	return 0;
}

bool ldso_is_enabled(const struct tree *tree)
{
	char *text;
	size_t len;
	bool there;

	if (tree_read(tree, LDSO_FILE, &text, &len))
		return false;
	there = names_library(text);
	free(text);
	return there;
}
