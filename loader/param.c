// SPDX-License-Identifier: BSD-2-Clause
/*
 * param.c - values of modules' parameters, checked against their declaration.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* What to tell a user who wrote something else. */
static const char *const expected[] = {
	[PARAM_BOOL] = "yes, no, true, false, on, off, 1 or 0",
	[PARAM_UINT] = "a decimal number",
	[PARAM_SIZE] = "a decimal number of bytes, also with K, M, G or T",
	[PARAM_STRING] = "text",
	[PARAM_ENUM] = "one",
};

/* Decimal digits only: no sign, no blanks, no other base.  *end is after them. */
static int parse_digits(const char *text, uint64_t *out, const char **end)
{
	uint64_t n = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			return -ERANGE;
	}
	*out = n;
	*end = p;
	return p > text ? 0 : -EINVAL;
}

/* A size up to where it ends, which is for the caller to judge. */
static int parse_scaled(const char *text, uint64_t *out, const char **end)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	int err = parse_digits(text, out, end);

	if (err || !**end)
		return err;
	suffix = strchr(suffixes, **end);
	if (!suffix)
		return 0;
	(*end)++;
	if (__builtin_mul_overflow(*out, UINT64_C(1) << (10 * (suffix - suffixes + 1)), out))
		return -ERANGE;
	return 0;
}

int param_parse_size(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t n;
	int err = parse_scaled(text, &n, &end);

	if (err)
		return err;
	if (*end)
		return -EINVAL;
	*out = n;
	return 0;
}

static int parse_uint(const char *text, uint64_t *out)
{
	const char *end;
	int err = parse_digits(text, out, &end);

	return err ?: (*end ? -EINVAL : 0);
}

static int parse_bool(const char *text, uint64_t *out)
{
	static const char *const words[] = {"no",  "yes", "false", "true",
					    "off", "on",  "0",	   "1"};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i & 1;
			return 0;
		}
	}
	return -EINVAL;
}

/* Whether text is one of "one|two|three". */
static int parse_enum(const char *range, const char *text)
{
	size_t len = strlen(text), word;

	for (;; range += word + 1) {
		word = strcspn(range, "|");
		if (word == len && len && memcmp(range, text, len) == 0)
			return 0;
		if (!range[word])
			return -EINVAL;
	}
}

/* "MIN-MAX"; the whole range where the declaration has none. */
static int parse_range(const char *range, uint64_t *min, uint64_t *max)
{
	const char *end;

	*min = 0;
	*max = UINT64_MAX;
	if (!range || !*range)
		return 0;
	if (parse_scaled(range, min, &end) || *end != '-' || param_parse_size(end + 1, max))
		return -EINVAL;
	return *min <= *max ? 0 : -EINVAL;
}

static int refuse(const struct modinfo_param *param, const char *value, const char *origin)
{
	const char *range = param->range ? param->range : "";
	char shown[SHOWN_MAX];

	return message_set(-EINVAL, "%s: parameter %s, got '%s', expected %s%s%s", origin,
			   param->name, ini_shown(shown, value, strlen(value)),
			   expected[param->type], *range ? " of " : "", range);
}

static int refuse_range(const struct modinfo_param *param)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL,
			   "parameter %s: bad declared range, got '%s', expected MIN-MAX",
			   param->name, ini_shown(shown, param->range, strlen(param->range)));
}

/* Numbers are checked for type first, then against the range. */
static int parse_number(const struct modinfo_param *param, const char *value,
			const char *origin, uint64_t *out)
{
	uint64_t min, max;
	int err;

	if (parse_range(param->range, &min, &max))
		return refuse_range(param);
	err = param->type == PARAM_SIZE ? param_parse_size(value, out) : parse_uint(value, out);
	if (err || *out < min || *out > max)
		return refuse(param, value, origin);
	return 0;
}

int param_parse(const struct modinfo_param *param, const char *value, const char *origin,
		struct chic_module_param *out)
{
	struct chic_module_param result = {.name = param->name, .text = value};
	int err = 0;

	switch (param->type) {
	case PARAM_BOOL:
		err = parse_bool(value, &result.number) ? refuse(param, value, origin) : 0;
		break;
	case PARAM_UINT:
	case PARAM_SIZE:
		err = parse_number(param, value, origin, &result.number);
		break;
	case PARAM_ENUM:
		err = parse_enum(param->range, value) ? refuse(param, value, origin) : 0;
		break;
	case PARAM_STRING:
		break;
	}
	if (!err)
		*out = result;
	return err;
}

/* --------------------------------------------- of a whole module --- */

static bool is_known(const struct modinfo *info, const char *key)
{
	size_t i;

	if (strcmp(key, "path") == 0 || strcmp(key, "prefix") == 0)
		return true;
	for (i = 0; i < info->n_params; i++) {
		if (name_equal(info->params[i].name, key))
			return true;
	}
	return false;
}

static int refuse_key(const struct modinfo *info, const struct setting *s)
{
	char shown[SHOWN_MAX], list[256] = "";
	size_t i, n = 0;

	for (i = 0; i < info->n_params && n < sizeof(list); i++)
		n += snprintf(list + n, sizeof(list) - n, "%s, ", info->params[i].name);
	message_set(-EINVAL,
		    "unknown parameter of [%s], got '%s', expected one of %spath, prefix",
		    s->section, ini_shown(shown, s->key, strlen(s->key)), list);
	return settings_blame(-EINVAL, s->file, s->line);
}

static int check_keys(const struct modinfo *info, const struct config *config,
		      const char *module)
{
	size_t i;

	for (i = 0; i < config->n_settings; i++) {
		const struct setting *s = &config->settings[i];

		if (settings_is(s, "module") && !is_known(info, s->key) &&
		    name_equal(s->section + strlen("module "), module))
			return refuse_key(info, s);
	}
	return 0;
}

/* Enough of FILE:LINE for a message, which is shorter. */
static const char *origin_of(const struct setting *s, const char *module,
			     const struct modinfo_param *param, char out[MESSAGE_MAX])
{
	if (!s)
		snprintf(out, MESSAGE_MAX, "default of %s.%s", module, param->name);
	else if (s->line)
		snprintf(out, MESSAGE_MAX, "%s:%u: [%s]", s->file, s->line, s->section);
	else
		snprintf(out, MESSAGE_MAX, "%s: [%s]", s->file, s->section);
	return out;
}

int param_fill(const struct modinfo *info, const struct config *config, const char *module,
	       struct chic_module_param *values)
{
	char origin[MESSAGE_MAX];
	size_t i;
	int err = check_keys(info, config, module);

	for (i = 0; i < info->n_params && !err; i++) {
		const struct modinfo_param *param = &info->params[i];
		const struct setting *s = config_module_setting(config, module, param->name);

		err = param_parse(param, s ? s->value : param->def,
				  origin_of(s, module, param, origin), &values[i]);
	}
	return err;
}
