// SPDX-License-Identifier: BSD-2-Clause
/*
 * The syntax of an EnvironmentFile= of systemd: lines of NAME=VALUE with blanks
 * around either, comments, quotes in front, which may hold newlines, and lines that
 * a backslash continues.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t"
#define NEWLINES "\n\r"

struct parser {
	const char *p;
	unsigned line;
	char *out; /* the value grows here, never faster than the text is read */
};

static void skip(struct parser *parser)
{
	parser->line += *parser->p == '\n';
	parser->p++;
}

static void take(struct parser *parser)
{
	*parser->out++ = *parser->p;
	skip(parser);
}

static bool ends(const struct parser *parser)
{
	return !*parser->p || strchr(NEWLINES, *parser->p);
}

/* Behind a backslash, which stays where it means nothing. */
static void take_escaped(struct parser *parser, bool quoted)
{
	if (*parser->p == '\n') {
		skip(parser);
		return;
	}
	if (quoted && *parser->p && !strchr("\"\\`$", *parser->p))
		*parser->out++ = '\\';
	if (*parser->p)
		take(parser);
}

static void take_quoted(struct parser *parser)
{
	char quote = *parser->p;

	skip(parser);
	while (*parser->p && *parser->p != quote) {
		if (*parser->p == '\\' && quote == '"') {
			skip(parser);
			take_escaped(parser, true);
		} else {
			take(parser);
		}
	}
	if (*parser->p)
		skip(parser);
}

static void take_value(struct parser *parser, char *value)
{
	char *end;

	parser->out = value;
	for (;;) {
		parser->p += strspn(parser->p, BLANKS);
		if (*parser->p != '"' && *parser->p != '\'')
			break;
		take_quoted(parser);
	}
	/* without the blanks at its end */
	for (end = parser->out; !ends(parser); end = parser->out) {
		if (*parser->p == '\\') {
			skip(parser);
			take_escaped(parser, false);
			continue;
		}
		while (*parser->p && strchr(BLANKS, *parser->p))
			take(parser);
		if (ends(parser))
			break;
		if (*parser->p != '\\')
			take(parser);
	}
	*end = '\0';
}

static void skip_comment(struct parser *parser)
{
	while (!ends(parser)) {
		if (*parser->p == '\\' && parser->p[1])
			skip(parser);
		skip(parser);
	}
}

/* One line, whatever is on it. */
static int take_line(struct parser *parser, char *value, envfile_fn fn, void *arg)
{
	const char *name = parser->p + strspn(parser->p, BLANKS NEWLINES);
	size_t len = strcspn(name, "=" NEWLINES);
	unsigned line;

	while (parser->p < name)
		skip(parser);
	if (*name == '#' || *name == ';') {
		skip_comment(parser);
		return 0;
	}
	line = parser->line;
	parser->p += len;
	if (*parser->p != '=')
		return 0;
	skip(parser);
	while (len && strchr(BLANKS, name[len - 1]))
		len--;
	take_value(parser, value);
	return fn(arg, name, len, value, line);
}

int envfile_parse(const char *text, envfile_fn fn, void *arg)
{
	struct parser parser = {.p = text, .line = 1};
	char *value = malloc(strlen(text) + 1);
	int err = value ? 0 : -ENOMEM;

	while (!err && *parser.p)
		err = take_line(&parser, value, fn, arg);
	free(value);
	return err;
}
