// SPDX-License-Identifier: BSD-2-Clause
/*
 * A small JSON writer: nesting, commas and escaped strings, nothing more.
 *
 * JSON is UTF-8.  File names need not be: a byte that belongs to no UTF-8
 * sequence is written as U+FFFD, so that the output always parses.
 */
#define _GNU_SOURCE
#include "../runtime/utf8.h"
#include "cli.h"

#include <math.h>

static void put_ascii(FILE *out, unsigned char c)
{
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", c);
	else if (c < 0x20 || c == 0x7f)
		fprintf(out, "\\u%04x", c);
	else
		fputc(c, out);
}

static void put_string(FILE *out, const char *text)
{
	size_t length;

	fputc('"', out);
	for (; *text; text += length ? length : 1) {
		length = utf8_length(text);
		if (length == 1)
			put_ascii(out, (unsigned char)*text);
		else if (length)
			fwrite(text, 1, length, out);
		else
			fputs("\\ufffd", out);
	}
	fputc('"', out);
}

/* Comma, new line, indentation and key: what stands before any value. */
static void begin_value(struct json *json, const char *key)
{
	if (json->comma)
		fputc(',', json->out);
	if (json->depth)
		fprintf(json->out, "\n%*s", (int)json->depth * 2, "");
	if (key) {
		put_string(json->out, key);
		fputs(": ", json->out);
	}
	json->comma = true;
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->comma)
		fprintf(json->out, "\n%*s", (int)json->depth * 2, "");
	fputc(bracket, json->out);
	json->comma = true;
	if (json->depth == 0)
		fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *value)
{
	begin_value(json, key);
	if (value)
		put_string(json->out, value);
	else
		fputs("null", json->out);
}

void json_number(struct json *json, const char *key, unsigned long long value)
{
	begin_value(json, key);
	fprintf(json->out, "%llu", value);
}

void json_real(struct json *json, const char *key, double value)
{
	begin_value(json, key);
	if (isfinite(value))
		fprintf(json->out, "%.15g", value);
	else
		fputs("null", json->out);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->out);
}
