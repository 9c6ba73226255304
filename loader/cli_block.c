// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is ours in a file: lines between two marks.
 *
 *	# begin chic-alloc enable 5f3a9c01 made-file
 *	# Taken out by "chic-alloc disable NAME.service"; not to be edited.
 *	...
 *	# end chic-alloc enable
 *
 * The number is a sum over the rest of the first line and the lines between, by
 * which an edited block is known.  The words say what else there was to do, so
 * that it can be undone: made-file, made-folder, and added-newline where the
 * last line before had none.  It is for files that have comments with '#'.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "# begin chic-alloc enable "
#define END "# end chic-alloc enable\n"
#define SUM_DIGITS 8

enum { MADE_FILE = 1, MADE_FOLDER = 2, ADDED_NEWLINE = 4 };

static const struct {
	unsigned flag;
	const char *word;
} words[] = {
	{MADE_FILE, " made-file"},
	{MADE_FOLDER, " made-folder"},
	{ADDED_NEWLINE, " added-newline"},
};

struct block {
	size_t begin, end; /* the bytes of the text that are ours */
	unsigned flags;
	bool intact;
};

/* FNV-1a: it is to notice an editor, not an enemy. */
static unsigned sum_of(const char *text, size_t len)
{
	unsigned sum = 2166136261u;

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)text[i]) * 16777619u;
	return sum;
}

/* The first place at the beginning of a line. */
static const char *find_line(const char *text, size_t len, const char *line)
{
	const char *end = text + len, *p = text;
	size_t n = strlen(line);

	while ((p = memmem(p, (size_t)(end - p), line, n))) {
		if (p == text || p[-1] == '\n')
			return p;
		p++;
	}
	return NULL;
}

static unsigned flags_of(const char *line, size_t len)
{
	unsigned flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(line, len, words[i].word, strlen(words[i].word)))
			flags |= words[i].flag;
	return flags;
}

/* 1, 0 if there is none, -EINVAL if there is half of one, or more than one. */
static int find_block(const char *text, size_t len, struct block *out)
{
	const char *begin = find_line(text, len, BEGIN), *end, *rest;
	char sum[SUM_DIGITS + 1];

	if (!begin)
		return find_line(text, len, END) ? -EINVAL : 0;
	rest = begin + strlen(BEGIN) + SUM_DIGITS;
	end = find_line(text, len, END);
	if (!end || end < rest)
		return -EINVAL;
	*out = (struct block){
		.begin = (size_t)(begin - text),
		.end = (size_t)(end - text) + strlen(END),
		.flags = flags_of(rest, strcspn(rest, "\n")),
	};
	snprintf(sum, sizeof(sum), "%08x", sum_of(rest, (size_t)(end - rest)));
	out->intact = memcmp(sum, rest - SUM_DIGITS, SUM_DIGITS) == 0;
	if (find_line(text + out->end, len - out->end, BEGIN))
		return -EINVAL;
	return 1;
}

int marked_there(const char *text, size_t len)
{
	struct block block;
	int found = find_block(text, len, &block);

	return found < 0 || (found && !block.intact) ? -EEXIST : found;
}

/* What can be taken out or replaced: 1, 0 if there is none, an error with a message. */
static int find_intact(const struct edit *edit, struct block *out)
{
	int found = edit->existed ? find_block(edit->old, edit->old_len, out) : 0;

	if (!found)
		*out = (struct block){.begin = edit->old_len, .end = edit->old_len};
	if (found < 0 || (found && !out->intact))
		return message_set(
			-EEXIST,
			"%s%s: what enable wrote was edited since, expected it as it "
			"was: take the lines from '# begin chic-alloc enable' to "
			"'# end chic-alloc enable' out by hand",
			edit->root, edit->path);
	return found;
}

/* The text before and behind the block; a newline that was added goes with it. */
static int take_out(const struct edit *edit, const struct block *block, char **text,
		    size_t *len)
{
	size_t before = block->begin, behind = edit->old_len - block->end;
	char *base = malloc(edit->old_len + 1);

	if (!base)
		return message_set(-ENOMEM, "%s: out of memory", edit->path);
	if ((block->flags & ADDED_NEWLINE) && !behind && before)
		before--;
	if (edit->existed) {
		memcpy(base, edit->old, before);
		memcpy(base + before, edit->old + block->end, behind);
	}
	base[before + behind] = '\0';
	*text = base;
	*len = before + behind;
	return 0;
}

int marked_base(const struct edit *edit, char **text)
{
	struct block block;
	int found = find_intact(edit, &block);
	size_t len;

	return found < 0 ? found : take_out(edit, &block, text, &len);
}

bool marked_made_file(const struct edit *edit)
{
	struct block block;

	return edit->existed && find_block(edit->old, edit->old_len, &block) > 0 &&
	       (block.flags & MADE_FILE);
}

static char *make_block(unsigned flags, const char *undo, const char *lines)
{
	char *rest, *block = NULL, marks[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (flags & words[i].flag)
			strcat(marks, words[i].word);
	if (asprintf(&rest,
		     "%s\n# Taken out by \"chic-alloc disable %s\"; not to be edited.\n%s",
		     marks, undo, lines) < 0)
		return NULL;
	if (asprintf(&block, BEGIN "%08x%s" END, sum_of(rest, strlen(rest)), rest) < 0)
		block = NULL;
	free(rest);
	return block;
}

static unsigned new_flags(const struct edit *edit, int found, const struct block *block,
			  bool needs_newline)
{
	unsigned flags = found ? block->flags & (MADE_FILE | MADE_FOLDER) : 0;

	if (!edit->existed)
		flags |= MADE_FILE;
	if (edit_makes_folder(edit))
		flags |= MADE_FOLDER;
	return needs_newline ? flags | ADDED_NEWLINE : flags;
}

static int foreign(const struct edit *edit)
{
	return message_set(-EEXIST, "%s%s: has lines that enable did not write, expected none",
			   edit->root, edit->path);
}

/* Two texts, which may hold anything, in this order. */
static int set_joined(struct edit *edit, const char *first, size_t first_len,
		      const char *second, size_t second_len)
{
	char *text = malloc(first_len + second_len + 1);

	if (!text)
		return message_set(-ENOMEM, "%s: out of memory", edit->path);
	memcpy(text, first, first_len);
	memcpy(text + first_len, second, second_len);
	text[first_len + second_len] = '\0';
	edit_set(edit, text, first_len + second_len);
	return 0;
}

int marked_put(struct edit *edit, enum block_at at, const char *undo, const char *lines)
{
	char *base, *ours;
	struct block block;
	bool needs_newline;
	int found = find_intact(edit, &block), err;
	size_t len;

	err = found < 0 ? found : take_out(edit, &block, &base, &len);
	if (err)
		return err;
	needs_newline = at == BLOCK_LAST && len && base[len - 1] != '\n';
	ours = make_block(new_flags(edit, found, &block, needs_newline), undo, lines);
	if (at == BLOCK_WHOLE && len)
		err = foreign(edit);
	else if (!ours)
		err = message_set(-ENOMEM, "%s: out of memory", edit->path);
	else if (at != BLOCK_LAST)
		err = set_joined(edit, ours, strlen(ours), base, len);
	else {
		/* the NUL's place holds the newline */
		base[len] = '\n';
		err = set_joined(edit, base, len + needs_newline, ours, strlen(ours));
	}
	free(ours);
	free(base);
	return err;
}

int marked_remove(struct edit *edit, enum block_at at)
{
	struct block block;
	char *base;
	size_t len;
	int found = find_intact(edit, &block), err;

	if (found < 0)
		return found;
	if (!found)
		return at == BLOCK_WHOLE && edit->existed ? foreign(edit) : 0;
	err = take_out(edit, &block, &base, &len);
	if (err)
		return err;
	if (at == BLOCK_WHOLE && len) {
		free(base);
		return foreign(edit);
	}
	if (!len && (block.flags & MADE_FILE)) {
		free(base);
		edit->drops_folder = block.flags & MADE_FOLDER;
		edit_set(edit, NULL, 0);
		return 0;
	}
	edit_set(edit, base, len);
	return 0;
}
