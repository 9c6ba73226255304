// SPDX-License-Identifier: BSD-2-Clause
/*
 * ini.c - one INI file, line by line, over inih.
 *
 * inih splits a line into key and value and knows comments.  It cuts long lines
 * and names, takes an indented line for a continuation, goes on after an error
 * and tells no line number; so it gets its lines one at a time from here, only
 * such as it cannot misread, and none after the first error.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

/* inih keeps names in 50 bytes. */
#define INI_NAME_MAX 49

#define BLANKS " \t\r"

struct reader {
	const char *file;
	const char *next;
	const char *end;
	unsigned line;
	int err;
	ini_setting_fn fn;
	void *arg;
	char section[INI_NAME_MAX + 1];
};

/* A part of the text; not NUL-terminated. */
struct span {
	const char *s;
	size_t len;
};

const char *ini_shown(char out[SHOWN_MAX], const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t i, n = 0;

	for (i = 0; i < len && n < SHOWN_MAX - 8; i++) {
		unsigned char c = text[i];

		if (c >= ' ' && c < 0x7f) {
			out[n++] = c;
			continue;
		}
		out[n++] = '\\';
		out[n++] = 'x';
		out[n++] = hex[c >> 4];
		out[n++] = hex[c & 15];
	}
	strcpy(out + n, i < len ? "..." : "");
	return out;
}

static int refuse(struct reader *r, const char *what, struct span got, const char *expected)
{
	char shown[SHOWN_MAX];

	r->err = message_set(-EINVAL, "%s:%u: %s, got '%s', expected %s", r->file, r->line,
			     what, ini_shown(shown, got.s, got.len), expected);
	return r->err;
}

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

static struct span trim(struct span text)
{
	while (text.len && is_blank(text.s[0])) {
		text.s++;
		text.len--;
	}
	while (text.len && is_blank(text.s[text.len - 1]))
		text.len--;
	return text;
}

/* Take the next line, trimmed; false at the end of the text. */
static bool take_line(struct reader *r, struct span *line)
{
	const char *newline;

	if (r->next == r->end)
		return false;
	newline = memchr(r->next, '\n', r->end - r->next);
	line->s = r->next;
	line->len = (newline ? newline : r->end) - r->next;
	r->next = newline ? newline + 1 : r->end;
	r->line++;
	*line = trim(*line);
	return true;
}

static int check_bytes(struct reader *r, struct span line)
{
	size_t i;

	for (i = 0; i < line.len; i++) {
		unsigned char c = line.s[i];

		if (c == '\0')
			return refuse(r, "NUL byte", line, "text");
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(r, "control character", line, "text");
	}
	return 0;
}

static bool is_comment(struct span line)
{
	return line.len == 0 || line.s[0] == ';' || line.s[0] == '#';
}

/* Where inih sees one of chars, which is not in a comment; line.len if nowhere. */
static size_t find(struct span line, size_t from, const char *chars)
{
	size_t i;

	for (i = from; i < line.len; i++) {
		if (strchr(chars, line.s[i]))
			return i;
		if (line.s[i] == ';' && i > from && is_blank(line.s[i - 1]))
			break;
	}
	return line.len;
}

static int check_section(struct reader *r, struct span line)
{
	size_t close = find(line, 1, "]");
	struct span name, rest;

	if (close == line.len)
		return refuse(r, "section without an end", line, "[SECTION]");
	name = trim((struct span){line.s + 1, close - 1});
	rest = trim((struct span){line.s + close + 1, line.len - close - 1});
	if (name.len == 0)
		return refuse(r, "section without a name", line, "[SECTION]");
	if (name.len > INI_NAME_MAX)
		return refuse(r, "section name too long", name, "at most 49 bytes");
	if (!is_comment(rest))
		return refuse(r, "text after a section", rest,
			      "the end of the line or a comment");

	memcpy(r->section, name.s, name.len);
	r->section[name.len] = '\0';
	r->err = r->fn(r->arg, r->section, NULL, NULL, r->file, r->line);
	return r->err;
}

static int check_key(struct reader *r, struct span line)
{
	size_t equals = find(line, 0, "=:");
	struct span key;

	if (equals == line.len)
		return refuse(r, "line without '='", line, "KEY = VALUE or [SECTION]");
	key = trim((struct span){line.s, equals});
	if (key.len == 0)
		return refuse(r, "value without a key", line, "KEY = VALUE");
	if (key.len > INI_NAME_MAX)
		return refuse(r, "key too long", key, "at most 49 bytes");
	if (!r->section[0])
		return refuse(r, "key before any section", key, "a [SECTION] above it");
	return 0;
}

static int check_length(struct reader *r, struct span line, size_t max)
{
	char shown[SHOWN_MAX];

	if (line.len <= max)
		return 0;
	r->err = message_set(
		-EINVAL, "%s:%u: line too long, got %zu bytes '%s', expected at most %zu",
		r->file, r->line, line.len, ini_shown(shown, line.s, line.len), max);
	return r->err;
}

static int check_line(struct reader *r, struct span line, size_t max)
{
	int err = check_length(r, line, max);

	if (err)
		return err;
	return line.s[0] == '[' ? check_section(r, line) : check_key(r, line);
}

/* inih's reader, like fgets(): the next line that means something. */
static char *read_line(char *out, int size, void *arg)
{
	struct reader *r = arg;
	struct span line;

	while (!r->err && take_line(r, &line)) {
		if (check_bytes(r, line))
			break;
		if (is_comment(line))
			continue;
		if (check_line(r, line, size - 1))
			break;
		memcpy(out, line.s, line.len);
		out[line.len] = '\0';
		return out;
	}
	return NULL;
}

/* inih's handler; some builds call it for sections too, with a null key. */
static int handle(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;

	(void)section;
	if (key && !r->err)
		r->err = r->fn(r->arg, r->section, key, value, r->file, r->line);
	return r->err == 0;
}

static void skip_bom(struct reader *r)
{
	if (r->end - r->next >= 3 && memcmp(r->next, "\xef\xbb\xbf", 3) == 0)
		r->next += 3;
}

int ini_text(const char *file, const char *text, size_t len, ini_setting_fn fn, void *arg)
{
	struct reader r = {.file = file, .next = text, .end = text + len, .fn = fn, .arg = arg};
	int ret;

	if (len == 0)
		return 0;
	skip_bom(&r);
	ret = ini_parse_stream(read_line, &r, handle, &r);
	if (r.err)
		return r.err;
	if (ret < 0)
		return message_set(-ENOMEM, "%s: out of memory", file);
	if (ret > 0)
		return message_set(-EINVAL,
				   "%s:%u: not an INI file for inih, expected KEY = VALUE",
				   file, r.line);
	return 0;
}
