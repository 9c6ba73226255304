// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_ini.c - the INI reader: what it hands on, and what it refuses where.
 */
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* inih as every distribution builds it. */
#define INI_MAX_LINE_BYTES 199
#define FORTY_NINE "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghi"

/* What was handed on, one line a call: "LINE [SECTION]" or "LINE SECTION.KEY=VALUE". */
struct log {
	char text[4096];
	size_t len;
	unsigned refuse_line; /* the handler refuses this line */
};

static int note(void *arg, const char *section, const char *key, const char *value,
		const char *file, unsigned line)
{
	struct log *log = arg;
	char *out = log->text + log->len;
	size_t room = sizeof(log->text) - log->len;

	if (line == log->refuse_line)
		return message_set(-EPERM, "%s:%u: refused", file, line);
	if (key)
		log->len += snprintf(out, room, "%u %s.%s=%s\n", line, section, key, value);
	else
		log->len += snprintf(out, room, "%u [%s]\n", line, section);
	return 0;
}

/* The text in a block of just its size, so that a byte read beyond it shows. */
static int parse_bytes(struct log *log, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int err;

	memcpy(copy, text, len);
	err = ini_text("f.conf", copy, len, note, log);
	free(copy);
	return err;
}

static int parse(struct log *log, const char *text)
{
	return parse_bytes(log, text, strlen(text));
}

static const struct {
	const char *text, *handed_on;
} good[] = {
	{"", ""},
	{"\n\n", ""},
	{"[a]", "1 [a]\n"},
	{"[a]\nk = v", "1 [a]\n2 a.k=v\n"},
	{"[a]\nk=v\n\n[b c]\nk: v w\n", "1 [a]\n2 a.k=v\n4 [b c]\n5 b c.k=v w\n"},
	{"[a]\r\nk = v\r\n", "1 [a]\n2 a.k=v\n"},
	{"\xef\xbb\xbf[a]\nk=v", "1 [a]\n2 a.k=v\n"},
	{"; x\n# y\n[a] ; z\nk = v ; w\n", "3 [a]\n4 a.k=v\n"},
	{"[a] # z\n[ b ]\nk=v\n", "1 [a]\n2 [b]\n3 b.k=v\n"},
	/* what inih would take for a continuation of the key before it */
	{"[a]\nk=v\n  l=w\n\tm=x\n", "1 [a]\n2 a.k=v\n3 a.l=w\n4 a.m=x\n"},
	{"[a]\nk=v\n  [b]\n  l=w\n", "1 [a]\n2 a.k=v\n3 [b]\n4 b.l=w\n"},
	{"[a]\nk=\nl =  \n", "1 [a]\n2 a.k=\n3 a.l=\n"},
	{"[a]\nk=a=b:c\n", "1 [a]\n2 a.k=a=b:c\n"},
	{"[a]\nk=x;y ;z\n", "1 [a]\n2 a.k=x;y\n"},
	{"[a]\nk = h\xc3\xb6he\n", "1 [a]\n2 a.k=h\xc3\xb6he\n"},
	{"[" FORTY_NINE "]\n" FORTY_NINE "=1\n",
	 "1 [" FORTY_NINE "]\n2 " FORTY_NINE "." FORTY_NINE "=1\n"},
};

START_TEST(hands_on_sections_and_keys_with_their_lines)
{
	struct log log = {0};

	ck_assert_int_eq(parse(&log, good[_i].text), 0);
	ck_assert_str_eq(log.text, good[_i].handed_on);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{"[a]\nhello\n",
	 "f.conf:2: line without '=', got 'hello', expected KEY = VALUE or [SECTION]"},
	{"[a]\nhello ; k = v\n", "f.conf:2: line without '=', got 'hello ; k = v'"},
	{"\n[a\n", "f.conf:2: section without an end, got '[a', expected [SECTION]"},
	{"[a ; ]\n", "f.conf:1: section without an end"},
	{"[]\n", "f.conf:1: section without a name, got '[]'"},
	{"[  ]\n", "f.conf:1: section without a name"},
	{"[a] k = v\n",
	 "f.conf:1: text after a section, got 'k = v', expected the end of the line"},
	{"[a]]\n", "f.conf:1: text after a section, got ']'"},
	{"[a]\n\n = v\n", "f.conf:3: value without a key, got '= v'"},
	{"k = v\n[a]\n", "f.conf:1: key before any section, got 'k', expected a [SECTION]"},
	{"[a]\nk = \x1b[31m\n", "f.conf:2: control character, got 'k = \\x1b[31m'"},
	{"[a]\nk = a\rb\n", "f.conf:2: control character"},
	{"[a]\n; \x7f\n", "f.conf:2: control character"},
	{"[" FORTY_NINE "x]\n", "f.conf:1: section name too long, got 'abcdefghij"},
	{"[a]\n" FORTY_NINE "x=1\n", "f.conf:2: key too long, got 'abcdefghij"},
};

START_TEST(refuses_with_file_and_line)
{
	struct log log = {0};

	ck_assert_int_eq(parse(&log, bad[_i].text), -EINVAL);
	ck_assert_msg(strncmp(message_get(), bad[_i].message, strlen(bad[_i].message)) == 0,
		      "%s", message_get());
}
END_TEST

START_TEST(refuses_nul_bytes)
{
	static const char text[] = "[a]\nk = v\0w\n";
	struct log log = {0};

	ck_assert_int_eq(parse_bytes(&log, text, sizeof(text) - 1), -EINVAL);
	ck_assert_str_eq(message_get(), "f.conf:2: NUL byte, got 'k = v\\x00w', expected text");
	ck_assert_str_eq(log.text, "1 [a]\n");
}
END_TEST

/* A line of n bytes, "k=xxx", after a section. */
static char *long_line(size_t n)
{
	char *text = malloc(n + 8);

	memcpy(text, "[a]\nk=", 6);
	memset(text + 6, 'x', n - 2);
	memcpy(text + 4 + n, "\n", 2);
	return text;
}

START_TEST(takes_a_line_as_long_as_inih_can_and_no_longer)
{
	struct log log = {0};
	char *fits = long_line(INI_MAX_LINE_BYTES),
	     *too_long = long_line(INI_MAX_LINE_BYTES + 1);

	ck_assert_int_eq(parse(&log, fits), 0);
	ck_assert_uint_eq(log.len, strlen("1 [a]\n2 a.") + INI_MAX_LINE_BYTES + 1);
	ck_assert_int_eq(parse(&log, too_long), -EINVAL);
	ck_assert_ptr_nonnull(
		strstr(message_get(), "f.conf:2: line too long, got 200 bytes 'k=xx"));
	ck_assert_ptr_nonnull(strstr(message_get(), "expected at most 199"));
	free(fits);
	free(too_long);
}
END_TEST

START_TEST(refuses_a_line_of_a_megabyte)
{
	struct log log = {0};
	char *text = long_line(1 << 20);

	ck_assert_int_eq(parse(&log, text), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message_get(), "line too long, got 1048576 bytes"));
	free(text);
}
END_TEST

START_TEST(stops_at_the_first_error)
{
	struct log log = {0};

	ck_assert_int_eq(parse(&log, "[a]\nk=v\noops\nl=w\nbad\n"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message_get(), "f.conf:3: "));
	ck_assert_str_eq(log.text, "1 [a]\n2 a.k=v\n");
}
END_TEST

START_TEST(answers_what_the_handler_answers)
{
	struct log at_section = {.refuse_line = 1}, at_key = {.refuse_line = 3};

	ck_assert_int_eq(parse(&at_section, "[a]\nk=v\n"), -EPERM);
	ck_assert_str_eq(at_section.text, "");
	ck_assert_int_eq(parse(&at_key, "[a]\nk=v\nl=w\nm=x\n"), -EPERM);
	ck_assert_str_eq(at_key.text, "1 [a]\n2 a.k=v\n");
	ck_assert_str_eq(message_get(), "f.conf:3: refused");
}
END_TEST

START_TEST(shows_foreign_text_short_and_printable)
{
	char out[SHOWN_MAX], text[300];

	ck_assert_str_eq(ini_shown(out, "guard", 5), "guard");
	ck_assert_str_eq(ini_shown(out, "a\n\0\xff", 4), "a\\x0a\\x00\\xff");
	memset(text, '\n', sizeof(text));
	ini_shown(out, text, sizeof(text));
	ck_assert_uint_lt(strlen(out), SHOWN_MAX);
	ck_assert_str_eq(out + strlen(out) - 3, "...");
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ini");
	TCase *t = tcase_create("ini");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, hands_on_sections_and_keys_with_their_lines, 0,
			    ARRAY_SIZE(good));
	tcase_add_loop_test(t, refuses_with_file_and_line, 0, ARRAY_SIZE(bad));
	tcase_add_test(t, refuses_nul_bytes);
	tcase_add_test(t, takes_a_line_as_long_as_inih_can_and_no_longer);
	tcase_add_test(t, refuses_a_line_of_a_megabyte);
	tcase_add_test(t, stops_at_the_first_error);
	tcase_add_test(t, answers_what_the_handler_answers);
	tcase_add_test(t, shows_foreign_text_short_and_printable);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
