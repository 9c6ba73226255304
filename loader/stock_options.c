// SPDX-License-Identifier: BSD-2-Clause
/*
 * Options of stock libraries, which read them from the environment.
 *
 * The key env of a module's section says how the section's other keys get there:
 *
 *	NAME_*			each in a variable of its own, NAME_KEY=VALUE
 *	NAME key:value,		all in the variable NAME, joined as shown
 *
 * The variables are there while the library is opened and starts, and no longer:
 * programs that this one starts do not inherit them.  What the user has in his
 * environment comes before what is configured.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* What the key env says. */
struct form {
	const char *name; /* the variable's, or what all names begin with */
	int name_len;
	bool each; /* a variable for each option */
	char assign; /* between an option and its value, */
	char separate; /* between two options of one variable */
};

static bool is_mark(char c)
{
	return c > ' ' && c < 0x7f && !strchr(NAME_CHARS, c);
}

/* "key:value," */
static bool parse_joined(const char *text, struct form *out)
{
	const size_t key = strlen("key"), value = strlen("value");

	if (strncmp(text, "key", key) != 0 || !is_mark(text[key]) ||
	    strncmp(text + key + 1, "value", value) != 0)
		return false;
	out->assign = text[key];
	out->separate = text[key + 1 + value];
	return is_mark(out->separate) && !text[key + value + 2];
}

static bool parse_form(const char *text, struct form *out)
{
	size_t len = strspn(text, NAME_CHARS);

	*out = (struct form){.name = text, .name_len = len};
	if (!len || (text[0] >= '0' && text[0] <= '9'))
		return false;
	out->each = strcmp(text + len, "*") == 0;
	if (out->each)
		return true;
	text += len;
	return strchr(" \t", *text) && *text && parse_joined(text + strspn(text, " \t"), out);
}

int stock_options_check_form(const char *text)
{
	struct form form;
	char shown[SHOWN_MAX];

	if (parse_form(text, &form))
		return 0;
	return message_set(-EINVAL,
			   "bad value, got '%s', expected a variable's name as in NAME_* or "
			   "NAME key:value,",
			   ini_shown(shown, text, strlen(text)));
}

/* ------------------------------------------------- to variables --- */

static int out_of_memory(const char *module)
{
	return message_set(-ENOMEM, "%s: out of memory for options", module);
}

static bool is_loaders(const char *key)
{
	return strcmp(key, "path") == 0 || strcmp(key, "prefix") == 0 ||
	       strcmp(key, "env") == 0;
}

static bool is_option(const struct setting *s, const char *module)
{
	return settings_is(s, "module") && !is_loaders(s->key) &&
	       name_equal(s->section + strlen("module "), module);
}

static int refuse_key(const struct setting *s, const char *expected)
{
	char shown[SHOWN_MAX];

	message_set(-EINVAL, "unknown parameter of [%s], got '%s', expected %s", s->section,
		    ini_shown(shown, s->key, strlen(s->key)), expected);
	return settings_blame(-EINVAL, s->file, s->line);
}

/* What would end the option before its time. */
static int check_joined(const struct form *form, const struct setting *s)
{
	const char *bad = strchr(s->value, form->separate);
	char shown[SHOWN_MAX];

	if (strchr(s->key, form->assign) || strchr(s->key, form->separate))
		return refuse_key(s, "a name without the marks of env");
	if (!bad)
		return 0;
	message_set(-EINVAL, "%s: bad value, got '%s', expected no '%c', which ends an option",
		    s->key, ini_shown(shown, s->value, strlen(s->value)), form->separate);
	return settings_blame(-EINVAL, s->file, s->line);
}

static int check_each(const struct setting *s)
{
	if (s->key[strspn(s->key, NAME_CHARS "-")])
		return refuse_key(s, "letters, digits, '-' and '_' only");
	return 0;
}

/* NAME_KEY=VALUE, the key in capitals. */
static char *make_variable(const struct form *form, const struct setting *s)
{
	char *text, *p;

	if (asprintf(&text, "%.*s%s=%s", form->name_len, form->name, s->key, s->value) < 0)
		return NULL;
	for (p = text + form->name_len; *p != '='; p++) {
		if (*p == '-')
			*p = '_';
		else if (*p >= 'a' && *p <= 'z')
			*p -= 'a' - 'A';
	}
	return text;
}

/* NAME=KEY:VALUE, or that behind what is there already. */
static char *join_variable(const struct form *form, const struct setting *s, char *before)
{
	char *text;
	int n;

	if (before)
		n = asprintf(&text, "%s%c%s%c%s", before, form->separate, s->key, form->assign,
			     s->value);
	else
		n = asprintf(&text, "%.*s=%s%c%s", form->name_len, form->name, s->key,
			     form->assign, s->value);
	return n < 0 ? NULL : text;
}

static int add_variable(struct stock_options *options, char *text)
{
	char **variables;

	variables = text ? reallocarray(options->variables, options->n + 1, sizeof(*variables))
			 : NULL;
	if (!variables) {
		free(text);
		return -ENOMEM;
	}
	options->variables = variables;
	variables[options->n++] = text;
	return 0;
}

static int join_option(struct stock_options *options, const struct form *form,
		       const struct setting *s)
{
	char *text = join_variable(form, s, options->n ? options->variables[0] : NULL);

	if (!options->n)
		return add_variable(options, text);
	if (!text)
		return -ENOMEM;
	free(options->variables[0]);
	options->variables[0] = text;
	return 0;
}

static int add_option(struct stock_options *options, const struct form *form,
		      const struct setting *s)
{
	int err = form->each ? check_each(s) : check_joined(form, s);

	if (err)
		return err;
	err = form->each ? add_variable(options, make_variable(form, s))
			 : join_option(options, form, s);
	return err ? out_of_memory(s->section) : 0;
}

int stock_options_read(const struct config *config, const char *module,
		       struct stock_options *out)
{
	const struct setting *env = config_module_setting(config, module, "env");
	struct form form = {.each = false};
	int err = 0;

	*out = (struct stock_options){.n = 0};
	if (env && !parse_form(env->value, &form))
		return stock_options_check_form(env->value);
	out->separate = form.separate;
	for (size_t i = 0; i < config->n_settings && !err; i++) {
		const struct setting *s = &config->settings[i];

		if (!is_option(s, module))
			continue;
		err = env ? add_option(out, &form, s)
			  : refuse_key(s, "one of path, prefix, env: a stock library takes "
					  "options by env only");
	}
	if (err)
		stock_options_free(out);
	return err;
}

void stock_options_free(struct stock_options *options)
{
	while (options->n)
		free(options->variables[--options->n]);
	free(options->variables);
	*options = (struct stock_options){.n = 0};
}

bool stock_options_equal(const struct stock_options *a, const struct stock_options *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->variables[i], b->variables[i]) != 0)
			return false;
	return true;
}

/* -------------------------------------------------- environment --- */

static size_t name_len(const char *variable)
{
	return strcspn(variable, "=") + 1;
}

/* Where the environment has a variable of the same name; or its end. */
static char **find(char **variables, const char *variable)
{
	size_t len = name_len(variable);

	while (*variables && strncmp(*variables, variable, len) != 0)
		variables++;
	return variables;
}

/* What the user set takes the whole, or the last word where options are joined. */
static int put(char **variables, const char *variable, char separate, char **replaced)
{
	char **old = find(variables, variable), *text;
	const char *value = *old ? *old + name_len(variable) : "";

	if (*old && !separate)
		return 0;
	if (!*value)
		text = strdup(variable);
	else if (asprintf(&text, "%s%c%s", variable, separate, value) < 0)
		text = NULL;
	if (!text)
		return -ENOMEM;
	*replaced = *old;
	*old = text;
	return 0;
}

/*
 * Another array of pointers in place of the whole environment: nothing that some
 * thread may be reading is changed, and one store takes it back.  Because of those
 * threads neither the array nor a text in it is ever freed.
 */
struct environment {
	struct environment *earlier;
	char **before;
	size_t n; /* of the variables; what was added stands behind them */
	char *replaced; /* the one that was joined with options; or null */
	char *variables[];
};

static struct environment *environments;

static struct environment *environment_new(const struct stock_options *options)
{
	struct environment *e;
	size_t n = 0;

	while (environ && environ[n])
		n++;
	e = calloc(1, sizeof(*e) + (n + options->n + 1) * sizeof(e->variables[0]));
	if (!e)
		return NULL;
	e->before = environ;
	e->n = n;
	for (size_t i = 0; i < n; i++)
		e->variables[i] = environ[i];
	e->earlier = environments;
	environments = e;
	return e;
}

int stock_options_enter(const struct stock_options *options)
{
	struct environment *e = environment_new(options);

	for (size_t i = 0; e && i < options->n; i++)
		if (put(e->variables, options->variables[i], options->separate, &e->replaced))
			return out_of_memory("the library");
	if (!e)
		return out_of_memory("the library");
	__atomic_store_n(&environ, e->variables, __ATOMIC_RELEASE);
	return 0;
}

/* Out of the array that the C library made when somebody set a variable meanwhile. */
static void take_back(const struct environment *e)
{
	if (e->replaced)
		putenv(e->replaced);
	for (char *const *added = e->variables + e->n; *added; added++) {
		char *name = strndup(*added, strcspn(*added, "="));

		if (name)
			unsetenv(name);
		free(name);
	}
}

void stock_options_leave(void)
{
	if (environ == environments->variables)
		__atomic_store_n(&environ, environments->before, __ATOMIC_RELEASE);
	else
		take_back(environments);
}
