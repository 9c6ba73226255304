// SPDX-License-Identifier: BSD-2-Clause
/*
 * The syntax of systemd's units, as systemd.syntax(7) has it: sections, keys,
 * lines that a backslash continues, comments in between, and values that are
 * words with quotes and escapes.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

struct parser {
	const char *file;
	const char *rest;
	unsigned line; /* where the present setting begins */
	unsigned lines;
	char *section;
	char *text; /* one setting, its lines joined */
	size_t len;
};

/* A line without the blanks in front; its own end is put in *end. */
static const char *next_line(struct parser *parser, const char **end)
{
	const char *line = parser->rest, *stop = strchrnul(line, '\n');

	parser->rest = *stop ? stop + 1 : stop;
	parser->lines++;
	line += strspn(line, " \t");
	*end = stop > line && stop[-1] == '\r' ? stop - 1 : stop;
	return *end < line ? *end : line;
}

/* A backslash at the end that is not itself escaped. */
static bool continues(const char *line, const char *end)
{
	const char *p = end;

	while (p > line && p[-1] == '\\')
		p--;
	return (end - p) % 2;
}

static int append(struct parser *parser, const char *from, const char *to)
{
	size_t more = (size_t)(to - from);
	char *grown = realloc(parser->text, parser->len + more + 2);

	if (!grown)
		return message_set(-ENOMEM, "%s: out of memory", parser->file);
	memcpy(grown + parser->len, from, more);
	parser->len += more;
	grown[parser->len] = '\0';
	parser->text = grown;
	return 0;
}

static bool is_comment(const char *line, const char *end)
{
	return line < end && (*line == '#' || *line == ';');
}

/* One setting or section into parser->text: 1, or 0 at the end. */
static int next_setting(struct parser *parser)
{
	static const char blank[] = " ";
	bool more = true;
	const char *line, *end;

	parser->len = 0;
	while (more && *parser->rest) {
		line = next_line(parser, &end);
		if (is_comment(line, end) || (line == end && !parser->len))
			continue;
		if (!parser->len)
			parser->line = parser->lines;
		more = continues(line, end);
		if (append(parser, line, more ? end - 1 : end) ||
		    (more && append(parser, blank, blank + 1)))
			return -ENOMEM;
	}
	return parser->len > 0;
}

static int take_section(struct parser *parser)
{
	char *close = strrchr(parser->text, ']');

	free(parser->section);
	parser->section = strndup(parser->text + 1, close ? (size_t)(close - parser->text) - 1
							  : strlen(parser->text) - 1);
	return parser->section ? 0 : message_set(-ENOMEM, "%s: out of memory", parser->file);
}

static void trim_end(char *text, char *end)
{
	while (end > text && strchr(BLANKS, end[-1]))
		*--end = '\0';
}

static int take_setting(struct parser *parser, unitfile_fn fn, void *arg)
{
	char *key = parser->text, *value = strchr(key, '=');

	/* systemd ignores it as well, and says so */
	if (!value)
		return 0;
	*value = '\0';
	trim_end(key, value);
	value++;
	value += strspn(value, BLANKS);
	trim_end(value, value + strlen(value));
	return fn(arg, parser->section ? parser->section : "", key, value, parser->file,
		  parser->line);
}

int unitfile_parse(const char *file, const char *text, unitfile_fn fn, void *arg)
{
	struct parser parser = {.file = file, .rest = text};
	int err;

	while ((err = next_setting(&parser)) > 0) {
		err = *parser.text == '[' ? take_section(&parser)
					  : take_setting(&parser, fn, arg);
		if (err)
			break;
	}
	free(parser.section);
	free(parser.text);
	return err;
}

/* ------------------------------------------------------------- words --- */

/* A number of n digits to a base; -1 if they are not there. */
static int digits(const char *p, int base, int n)
{
	char text[4] = "", *end;
	long value;

	memcpy(text, p, strnlen(p, (size_t)n));
	value = strtol(text, &end, base);
	return end == text + n && value > 0 && value < 256 ? (int)value : -1;
}

/* The byte that an escape stands for; *p is behind the backslash.  -1 if none. */
static int unescape(const char **p)
{
	static const char letters[] = "abfnrtvs\\\"'", bytes[] = "\a\b\f\n\r\t\v \\\"'";
	const char *letter = **p ? strchr(letters, **p) : NULL;
	int byte;

	if (letter) {
		(*p)++;
		return (unsigned char)bytes[letter - letters];
	}
	if (**p == 'x') {
		byte = digits(*p + 1, 16, 2);
		*p += byte < 0 ? 0 : 3;
	} else {
		byte = digits(*p, 8, 3);
		*p += byte < 0 ? 0 : 3;
	}
	return byte;
}

/*
 * Undo quotes and escapes where the word stands: it only becomes shorter.  Answers
 * what is behind it, or null if it cannot be understood.
 */
static char *copy_word(char *p, char *out)
{
	char quote = '\0';
	const char *escape;
	int byte;

	while (*p && (quote || !strchr(BLANKS, *p))) {
		if (quote ? *p == quote : *p == '"' || *p == '\'') {
			quote = quote ? '\0' : *p;
			p++;
		} else if (*p == '\\') {
			escape = p + 1;
			byte = unescape(&escape);
			if (byte < 0)
				return NULL;
			p += escape - p;
			*out++ = (char)byte;
		} else {
			*out++ = *p++;
		}
	}
	if (quote)
		return NULL;
	p += *p != '\0';
	*out = '\0';
	return p;
}

char *unitfile_word(char **value)
{
	char *word = *value + strspn(*value, BLANKS), *behind;

	behind = *word ? copy_word(word, word) : NULL;
	if (!behind)
		return NULL;
	*value = behind;
	return word;
}

char *unitfile_quote(const char *word)
{
	char *quoted = malloc(4 * strlen(word) + 3), *out = quoted;

	if (!quoted)
		return NULL;
	*out++ = '"';
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			out += sprintf(out, "\\%c", *word);
		else if ((unsigned char)*word < 0x20)
			out += sprintf(out, "\\x%02x", *word);
		else
			*out++ = *word;
	}
	strcpy(out, "\"");
	return quoted;
}
