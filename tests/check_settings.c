// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_settings.c - which sections, keys and values are allowed, and how a
 * later file's settings replace an earlier one's.
 */
#include "check_support.h"
#include "internal.h"

#include "fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int take(struct config *config, const char *file, const char *text)
{
	return ini_text(file, text, strlen(text), settings_take, config);
}

static const char *value_of(const struct config *config, const char *section, const char *key)
{
	const struct setting *s = settings_find(config, section, key);

	return s ? s->value : "(none)";
}

static const char *const good[] = {
	"[allocator]\nmodule =\nfilters =\non_error = fail\ntelemetry = full\nlog = auto\n",
	"[allocator]\nmodule = counting, libmimalloc.so.2\nlog = /var/log/a b.log\n",
	"[program java]\nmatch = /usr/lib/jvm/*/bin/java, java\nmodule = jemalloc\n",
	"[program quiet]\nlog = none\n",
	"[program any text: (even this)]\nmatch = x\n",
	"[module guard]\nanything = goes ; until the module is known\n",
	"[module mimalloc]\npath = libmimalloc.so.2, /opt/lib/libmimalloc.so\nprefix = mi_\n",
	"[module je]\nprefix =\n",
	"[module   spaced]\n",
	"[program x]\n[program x]\n",
};

START_TEST(good_settings)
{
	struct config config = {0};

	ck_assert_msg(take(&config, "f", good[_i]) == 0, "%s", message_get());
	config_free(&config);
}
END_TEST

static const struct {
	const char *text, *message;
} bad[] = {
	{"[alocator]\nmodule = x\n",
	 "f:1: unknown section, got '[alocator]', expected [allocator], "
	 "[module NAME] or [program LABEL]"},
	{"[allocator x]\n", "f:1: unknown section, got '[allocator x]'"},
	{"[module]\n", "f:1: unknown section, got '[module]'"},
	{"[program]\n", "f:1: unknown section, got '[program]'"},
	{"[modules guard]\n", "f:1: unknown section"},
	{"\n[module a b]\n", "f:2: bad module name, got 'a b', expected letters, digits"},
	{"[module default]\n", "f:1: bad module name, got 'default'"},
	{"[module allocator]\n", "f:1: bad module name, got 'allocator'"},
	{"[allocator]\nmodul = x\n",
	 "f:2: unknown key of [allocator], got 'modul', expected one of "
	 "module, filters, on_error, telemetry, log"},
	{"[allocator]\nmatch = x\n", "f:2: unknown key of [allocator], got 'match'"},
	{"[program x]\npath = x\n",
	 "f:2: unknown key of [program x], got 'path', expected one of "
	 "match, module, filters, on_error, telemetry, log"},
	{"[allocator]\non_error = abort\n",
	 "f:2: on_error: bad value, got 'abort', expected default or fail"},
	{"[allocator]\non_error =\n", "f:2: on_error: bad value, got ''"},
	{"[allocator]\ntelemetry = on\n",
	 "f:2: telemetry: bad value, got 'on', expected full, calls or off"},
	{"[allocator]\nlog = log.txt\n", "f:2: log: bad value, got 'log.txt', expected auto, "
					 "stderr, syslog, none or an absolute path"},
	{"[allocator]\nlog =\n", "f:2: log: bad value, got ''"},
	{"[allocator]\nlog = /\n", "f:2: log: bad value, got '/'"},
	{"[allocator]\nmodule = a, , b\n", "f:2: module: empty entry, got ' , b'"},
	{"[allocator]\nmodule = a, b, a\n", "f:2: module: repeated module, got 'a' again"},
	{"[allocator]\nmodule = guard # on\n", "f:2: module: bad entry, got 'guard # on'"},
	{"[allocator]\nfilters = default\n", "f:2: filters: 'default' among filters"},
	{"[program x]\nmatch = a/b\n", "f:2: match: relative path, got 'a/b'"},
	{"[program x]\nmatch =\n", "f:2: match: empty glob"},
	{"[module x]\npath = x\n", "f:2: path: bad value, got 'x', expected an absolute path"},
	{"[module x]\npath =\n", "f:2: path: bad value, got ''"},
	{"[module x]\npath = ./x.so\n", "f:2: path: bad entry, got './x.so'"},
	{"[module x]\nprefix = mi-\n", "f:2: prefix: bad value, got 'mi-', expected letters"},
	{"[allocator]\nlog = auto\n\nlog = none\n",
	 "f:4: duplicate key, got 'log' of [allocator] "
	 "again, expected it once (first at line 2)"},
	{"[module a-b]\nk = 1\n[module a_b]\nk = 2\n",
	 "f:4: duplicate key, got 'k' of [module a_b]"},
	{"[program x]\nlog = none\n[allocator]\n[program x]\nlog = auto\n",
	 "f:5: duplicate key, got 'log' of [program x]"},
};

START_TEST(bad_settings)
{
	struct config config = {0};

	ck_assert_int_eq(take(&config, "f", bad[_i].text), -EINVAL);
	ck_assert_msg(strncmp(message_get(), bad[_i].message, strlen(bad[_i].message)) == 0,
		      "%s", message_get());
	config_free(&config);
}
END_TEST

START_TEST(a_later_file_replaces_key_by_key)
{
	static const char *const first = "a.conf", *const second = "b.conf";
	struct config config = {0};
	const struct setting *s;

	ck_assert_int_eq(take(&config, first, "[allocator]\nmodule = a\nlog = none\n"), 0);
	ck_assert_int_eq(take(&config, second, "[allocator]\n\nmodule = b\n"), 0);

	s = settings_find(&config, "allocator", "module");
	ck_assert_str_eq(s->value, "b");
	ck_assert_ptr_eq(s->file, second);
	ck_assert_uint_eq(s->line, 3);
	ck_assert_str_eq(value_of(&config, "allocator", "log"), "none");
	ck_assert_uint_eq(config.n_settings, 2);
	ck_assert_ptr_eq(s, &config.settings[1]);
	config_free(&config);
}
END_TEST

START_TEST(dashes_and_underscores_are_one_in_modules_only)
{
	struct config config = {0};

	ck_assert_int_eq(take(&config, "a",
			      "[module my-heap]\nthe-key = 1\n[program p-q]\n"
			      "log = none\n"),
			 0);
	ck_assert_int_eq(take(&config, "b",
			      "[module my_heap]\nthe_key = 2\n[program p_q]\n"
			      "log = auto\n"),
			 0);

	ck_assert_str_eq(config_module_setting(&config, "my-heap", "the-key")->value, "2");
	ck_assert_str_eq(value_of(&config, "program p-q", "log"), "none");
	ck_assert_str_eq(value_of(&config, "program p_q", "log"), "auto");
	ck_assert_ptr_null(config_module_setting(&config, "my-heap", "other"));
	config_free(&config);
}
END_TEST

static const struct {
	const char *key, *value;
	int word;
} words[] = {
	{"on_error", "default", ON_ERROR_DEFAULT},
	{"on_error", "fail", ON_ERROR_FAIL},
	{"telemetry", "off", CHIC_TELEMETRY_OFF},
	{"telemetry", "calls", CHIC_TELEMETRY_CALLS},
	{"telemetry", "full", CHIC_TELEMETRY_FULL},
	{"log", "auto", LOG_TO_AUTO},
	{"log", "stderr", LOG_TO_STDERR},
	{"log", "syslog", LOG_TO_SYSLOG},
	{"log", "/tmp/x", LOG_TO_FILE},
	{"log", "none", LOG_TO_NONE},
};

START_TEST(words_have_their_values)
{
	struct config config = {0};

	ck_assert_int_eq(
		settings_take(&config, "allocator", words[_i].key, words[_i].value, "f", 1), 0);
	ck_assert_int_eq(settings_word(&config.settings[0]), words[_i].word);
	config_free(&config);
}
END_TEST

START_TEST(there_is_a_limit_to_settings)
{
	struct config config = {0};
	char key[16];
	int i, err = 0;

	for (i = 0; i <= 4096 && !err; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		err = settings_take(&config, "module m", key, "v", "f", i + 1);
	}

	ck_assert_int_eq(err, -EINVAL);
	ck_assert_str_eq(message_get(), "f:4097: too many settings, expected at most 4096");
	config_free(&config);
}
END_TEST

/* A setting that cannot be stored leaves the one before it in place. */
START_TEST(survives_lack_of_memory)
{
	struct config config = {0};
	unsigned n;
	int err;

	ck_assert_int_eq(take(&config, "a", "[allocator]\nlog = none\n"), 0);
	for (n = 1;; n++) {
		fault_start(n);
		err = settings_take(&config, "allocator", "log", "auto", "b", 1);
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_str_eq(message_get(), "b:1: out of memory");
		ck_assert_str_eq(value_of(&config, "allocator", "log"), "none");
	}

	ck_assert_uint_gt(n, 1);
	ck_assert_str_eq(value_of(&config, "allocator", "log"), "auto");
	config_free(&config);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("settings");
	TCase *t = tcase_create("settings");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, good_settings, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(t, bad_settings, 0, ARRAY_SIZE(bad));
	tcase_add_test(t, a_later_file_replaces_key_by_key);
	tcase_add_test(t, dashes_and_underscores_are_one_in_modules_only);
	tcase_add_loop_test(t, words_have_their_values, 0, ARRAY_SIZE(words));
	tcase_add_test(t, there_is_a_limit_to_settings);
	tcase_add_test(t, survives_lack_of_memory);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
