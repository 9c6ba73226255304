// SPDX-License-Identifier: BSD-2-Clause
/*
 * settings.c - which sections and keys there are, what their values may be, and
 * those that were set.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than any machine needs; keeps searching by comparison cheap. */
#define SETTINGS_MAX 4096
/* A section in its canonical form: "module " and a name, or what inih can hold. */
#define SECTION_MAX 64

enum {
	IN_ALLOCATOR = 1 << 0,
	IN_MODULE = 1 << 1,
	IN_PROGRAM = 1 << 2,
};

struct key {
	const char *name;
	unsigned where;
	/* Checks the value, with a message; or it must be one of words. */
	int (*check)(const struct key *key, const char *value);
	const char *const *words;
	const char *expected;
};

static int check_stack(const struct key *key, const char *value);
static int check_filters(const struct key *key, const char *value);
static int check_word(const struct key *key, const char *value);
static int check_log(const struct key *key, const char *value);
static int check_match(const struct key *key, const char *value);
static int check_path(const struct key *key, const char *value);
static int check_prefix(const struct key *key, const char *value);
static int check_env(const struct key *key, const char *value);

static const char *const on_error_words[] = {
	[ON_ERROR_DEFAULT] = "default",
	[ON_ERROR_FAIL] = "fail",
	NULL,
};

static const char *const telemetry_words[] = {
	[CHIC_TELEMETRY_OFF] = "off",
	[CHIC_TELEMETRY_CALLS] = "calls",
	[CHIC_TELEMETRY_FULL] = "full",
	NULL,
};

static const char *const log_words[] = {
	[LOG_TO_AUTO] = "auto", /* standard error or syslog */
	[LOG_TO_STDERR] = "stderr", /* always */
	[LOG_TO_SYSLOG] = "syslog", /* always */
	[LOG_TO_FILE] = "", /* told by its path instead */
	[LOG_TO_NONE] = "none", /* nowhere */
	NULL,
};

static const struct key keys[] = {
	{.name = "match", .where = IN_PROGRAM, .check = check_match},
	{.name = "module", .where = IN_ALLOCATOR | IN_PROGRAM, .check = check_stack},
	{.name = "filters", .where = IN_ALLOCATOR | IN_PROGRAM, .check = check_filters},
	{.name = "on_error",
	 .where = IN_ALLOCATOR | IN_PROGRAM,
	 .check = check_word,
	 .words = on_error_words,
	 .expected = "default or fail"},
	{.name = "telemetry",
	 .where = IN_ALLOCATOR | IN_PROGRAM,
	 .check = check_word,
	 .words = telemetry_words,
	 .expected = "full, calls or off"},
	{.name = "log",
	 .where = IN_ALLOCATOR | IN_PROGRAM,
	 .check = check_log,
	 .words = log_words,
	 .expected = "auto, stderr, syslog, none or an absolute path"},
	{.name = "path", .where = IN_MODULE, .check = check_path},
	{.name = "prefix", .where = IN_MODULE, .check = check_prefix},
	{.name = "env", .where = IN_MODULE, .check = check_env},
};

static const struct section_type {
	const char *word;
	unsigned where;
} section_types[] = {
	{"allocator", IN_ALLOCATOR},
	{"module", IN_MODULE},
	{"program", IN_PROGRAM},
};

/* ---------------------------------------------------------- values --- */

static int bad_value(const char *value, const char *expected)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL, "bad value, got '%s', expected %s",
			   ini_shown(shown, value, strlen(value)), expected);
}

static int check_stack(const struct key *key, const char *value)
{
	(void)key;
	return name_check_list(value, true);
}

static int check_filters(const struct key *key, const char *value)
{
	(void)key;
	return name_check_list(value, false);
}

static int word_index(const struct key *key, const char *value)
{
	int i;

	for (i = 0; key->words[i]; i++) {
		if (value[0] && strcmp(key->words[i], value) == 0)
			return i;
	}
	return -1;
}

static int check_word(const struct key *key, const char *value)
{
	return word_index(key, value) >= 0 ? 0 : bad_value(value, key->expected);
}

static int check_log(const struct key *key, const char *value)
{
	return value[0] == '/' && value[1] ? 0 : check_word(key, value);
}

static int check_match(const struct key *key, const char *value)
{
	(void)key;
	return match_check(value);
}

/* One or more candidates, of which the first that exists is taken. */
static int check_path(const struct key *key, const char *value)
{
	char entry[PATH_MAX];
	int n;

	(void)key;
	if (!value[0])
		return bad_value(value, "an absolute path to a .so, or a soname");
	while ((n = name_next(&value, entry, sizeof(entry))) == 1) {
		if (!name_is_library(entry))
			return bad_value(entry, "an absolute path to a .so, or a soname");
	}
	return n;
}

static int check_prefix(const struct key *key, const char *value)
{
	(void)key;
	if (value[strspn(value, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")])
		return bad_value(value, "letters, digits and '_', or nothing");
	return 0;
}

static int check_env(const struct key *key, const char *value)
{
	(void)key;
	return stock_options_check_form(value);
}

/* ------------------------------------------------ sections and keys --- */

static int refuse_section(const char *section)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL,
			   "unknown section, got '[%s]', expected [allocator], [module NAME] "
			   "or [program LABEL]",
			   ini_shown(shown, section, strlen(section)));
}

static int check_title(unsigned where, const char *title)
{
	char shown[SHOWN_MAX];

	if (where != IN_MODULE || name_valid(title))
		return 0;
	return message_set(-EINVAL,
			   "bad module name, got '%s', expected letters, digits, '-' and '_', "
			   "at most %d, not 'allocator' nor 'default'",
			   ini_shown(shown, title, strlen(title)), NAME_MAX_LEN);
}

static const struct section_type *type_of(const char *section, size_t word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(section_types); i++) {
		if (strlen(section_types[i].word) == word &&
		    memcmp(section_types[i].word, section, word) == 0)
			return &section_types[i];
	}
	return NULL;
}

/* "module   guard" becomes "module guard"; answers where its keys are, or an error. */
static int parse_section(const char *section, char out[SECTION_MAX])
{
	size_t word = strcspn(section, " \t");
	const char *title = section + word + strspn(section + word, " \t");
	const struct section_type *type = type_of(section, word);
	int err;

	if (!type || (type->where == IN_ALLOCATOR) != (*title == '\0'))
		return refuse_section(section);
	err = check_title(type->where, title);
	if (err)
		return err;
	if (strlen(type->word) + strlen(title) + 2 > SECTION_MAX)
		return refuse_section(section);
	strcpy(stpcpy(stpcpy(out, type->word), *title ? " " : ""), title);
	return type->where;
}

static const struct key *find_key(unsigned where, const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if ((keys[i].where & where) && strcmp(keys[i].name, name) == 0)
			return &keys[i];
	}
	return NULL;
}

static int refuse_key(unsigned where, const char *section, const char *name)
{
	char shown[SHOWN_MAX], list[128] = "";
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].where & where)
			n += snprintf(list + n, sizeof(list) - n, "%s%s", n ? ", " : "",
				      keys[i].name);
	}
	return message_set(-EINVAL, "unknown key of [%s], got '%s', expected one of %s",
			   section, ini_shown(shown, name, strlen(name)), list);
}

/* Parameters of modules are checked when the module is known. */
static int check_setting(unsigned where, const char *section, const char *name,
			 const char *value)
{
	const struct key *key = find_key(where, name);
	int err;

	if (!key)
		return where == IN_MODULE ? 0 : refuse_key(where, section, name);
	err = key->check(key, value);
	return err ? message_prefix(err, "%s", name) : 0;
}

/* ----------------------------------------------------------- store --- */

static bool same_section(const char *a, const char *b)
{
	const size_t len = strlen("module ");

	if (strncmp(a, "module ", len) == 0 && strncmp(b, "module ", len) == 0)
		return name_equal(a + len, b + len);
	return strcmp(a, b) == 0;
}

const struct setting *settings_find(const struct config *config, const char *section,
				    const char *key)
{
	size_t i;

	for (i = 0; i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];

		if (same_section(s->section, section) && (!key || name_equal(s->key, key)))
			return s;
	}
	return NULL;
}

/* All three strings in one block, which section begins. */
static int fill(struct setting *s, const char *section, const char *key, const char *value)
{
	s->section = malloc(strlen(section) + strlen(key) + strlen(value) + 3);
	if (!s->section)
		return message_set(-ENOMEM, "out of memory");
	s->key = stpcpy(s->section, section) + 1;
	s->value = stpcpy(s->key, key) + 1;
	strcpy(s->value, value);
	return 0;
}

/* Room for one more; sixteen at a time, never given back by drop(). */
static int grow(struct config *config)
{
	struct setting *settings = config->settings;

	if (config->n_settings == SETTINGS_MAX)
		return message_set(-EINVAL, "too many settings, expected at most %d",
				   SETTINGS_MAX);
	if (config->n_settings % 16)
		return 0;
	settings = reallocarray(settings, config->n_settings + 16, sizeof(*settings));
	if (!settings)
		return message_set(-ENOMEM, "out of memory");
	config->settings = settings;
	return 0;
}

/* What a later file sets goes to the end: the order is that of reading. */
static void drop(struct config *config, const struct setting *old)
{
	size_t i = old - config->settings;

	free(old->section);
	config->n_settings--;
	memmove(&config->settings[i], &config->settings[i + 1],
		(config->n_settings - i) * sizeof(*config->settings));
}

static int store(struct config *config, struct setting s)
{
	const struct setting *old = settings_find(config, s.section, s.key);
	int err;

	if (config->presets && old && old < config->settings + config->n_own)
		return 0;
	if (old && s.line && old->file == s.file)
		return message_set(-EINVAL,
				   "duplicate key, got '%s' of [%s] again, expected it once "
				   "(first at line %u)",
				   s.key, s.section, old->line);
	if (!old) {
		err = grow(config);
		if (err)
			return err;
	}
	err = fill(&s, s.section, s.key, s.value);
	if (err)
		return err;
	if (old)
		drop(config, old);
	config->settings[config->n_settings++] = s;
	return 0;
}

/* Installing a package must not decide what programs run with. */
static int refuse_preset(const char *section)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL,
			   "section of a preset, got '[%s]', expected [module NAME]: presets "
			   "say what modules are, not who uses them",
			   ini_shown(shown, section, strlen(section)));
}

int settings_take(void *arg, const char *section, const char *key, const char *value,
		  const char *file, unsigned line)
{
	const struct config *config = arg;
	char name[SECTION_MAX];
	int where, err;

	where = parse_section(section, name);
	if (where >= 0 && config->presets && where != IN_MODULE)
		where = refuse_preset(section);
	if (where < 0)
		return settings_blame(where, file, line);
	if (!key)
		return 0;
	err = check_setting(where, name, key, value);
	if (!err)
		err = store(arg,
			    (struct setting){name, (char *)key, (char *)value, file, line});
	return err ? settings_blame(err, file, line) : 0;
}

int settings_blame(int err, const char *file, unsigned line)
{
	if (line)
		return message_prefix(err, "%s:%u", file, line);
	return message_prefix(err, "%s", file);
}

bool settings_is(const struct setting *setting, const char *type)
{
	size_t len = strlen(type);

	return strncmp(setting->section, type, len) == 0 && setting->section[len] == ' ';
}

int settings_word(const struct setting *setting)
{
	const struct key *key = find_key(IN_ALLOCATOR, setting->key);

	return key->words == log_words && setting->value[0] == '/'
		       ? LOG_TO_FILE
		       : word_index(key, setting->value);
}

void settings_free(struct config *config)
{
	while (config->n_settings)
		free(config->settings[--config->n_settings].section);
	free(config->settings);
	config->settings = NULL;
}
