// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a systemd unit's files say, as far as it matters here: above all the
 * environment that its program gets without us, and what would come after a drop-in
 * of ours and undo it.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const struct tree *tree;
	struct unit *unit;
	struct file_list env_files; /* of EnvironmentFile=, without the dash */
	bool behind; /* the present file comes after our drop-in */
};

static int out_of_memory(const struct reader *reader)
{
	return message_set(-ENOMEM, "%s: out of memory", reader->unit->files.name);
}

static int keep(const struct reader *reader, char **where, const char *text)
{
	free(*where);
	*where = strdup(text);
	return *where ? 0 : out_of_memory(reader);
}

/* The first one found is told; all have the same cure. */
static int hinder(const struct reader *reader, const char *file, unsigned line,
		  const char *what)
{
	if (reader->unit->obstacle)
		return 0;
	if (asprintf(&reader->unit->obstacle, "%s:%u: %s", file, line, what) >= 0)
		return 0;
	reader->unit->obstacle = NULL;
	return out_of_memory(reader);
}

/* What comes behind our drop-in stands, whether that sets the variable or not. */
static int set_late(const struct reader *reader, const char *value, const char *file,
		    unsigned line, const char *what)
{
	struct unit *unit = reader->unit;

	free(unit->late_place);
	if (asprintf(&unit->late_place, "%s:%u: %s", file, line, what) < 0)
		unit->late_place = NULL;
	return unit->late_place ? keep(reader, &unit->late_tunables, value)
				: out_of_memory(reader);
}

/* ------------------------------------------------------- environment --- */

static char **variable(struct unit *unit, const char *name, size_t len)
{
	const struct {
		const char *name;
		char **value;
	} variables[] = {
		{"LD_PRELOAD", &unit->preload},		{"GLIBC_TUNABLES", &unit->tunables},
		{"CHIC_ALLOC_CONF", &unit->conf},	{"CHIC_ALLOC_MODULE", &unit->module},
		{"CHIC_ALLOC_DISABLE", &unit->disable},
	};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		if (strlen(variables[i].name) == len &&
		    memcmp(variables[i].name, name, len) == 0)
			return variables[i].value;
	return NULL;
}

/* Of NAME or NAME=VALUE. */
static char **variable_of(const struct reader *reader, const char *word)
{
	return variable(reader->unit, word, strcspn(word, "="));
}

static int assign(struct reader *reader, const char *word, const char *file, unsigned line)
{
	const char *equals = strchr(word, '=');
	char **where = variable_of(reader, word);

	if (!equals || !where)
		return 0;
	if (reader->behind && where == &reader->unit->tunables)
		return set_late(reader, equals + 1, file, line,
				"sets GLIBC_TUNABLES after " UNIT_DROP_IN);
	return keep(reader, where, equals + 1);
}

static void forget(struct unit *unit)
{
	char **const values[] = {&unit->preload, &unit->tunables, &unit->conf, &unit->module,
				 &unit->disable};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		free(*values[i]);
		*values[i] = NULL;
	}
}

/* Somebody has put it there by hand. */
static bool has_library(const char *value)
{
	return strstr(value, cli_preload_path());
}

static int take_environment(struct reader *reader, char *value, const char *file, unsigned line)
{
	char *word;
	int err = 0;

	if (!*value && reader->behind)
		return hinder(reader, file, line,
			      "empties the environment after " UNIT_DROP_IN
			      ", expected a file that sorts before it");
	if (!*value)
		forget(reader->unit);
	while (!err && (word = unitfile_word(&value))) {
		if (reader->behind && variable_of(reader, word) == &reader->unit->preload &&
		    !has_library(word))
			err = hinder(reader, file, line,
				     "sets LD_PRELOAD after " UNIT_DROP_IN
				     ", expected a file that sorts before it");
		else
			err = assign(reader, word, file, line);
	}
	return err;
}

static int take_unset(struct reader *reader, char *value, const char *file, unsigned line)
{
	char *word, **where;
	int err = 0;

	while (!err && (word = unitfile_word(&value))) {
		where = variable_of(reader, word);
		if (where == &reader->unit->preload)
			err = hinder(reader, file, line,
				     "takes LD_PRELOAD away, expected it to stay");
		else if (where == &reader->unit->tunables)
			err = set_late(reader, "", file, line, "takes GLIBC_TUNABLES away");
	}
	return err;
}

static int take_env_file(struct reader *reader, char *value, const char *file, unsigned line)
{
	struct file_list *list = &reader->env_files;

	(void)file;
	(void)line;
	if (!*value)
		conffiles_free(list);
	value += *value == '-';
	/* specifiers and globs are known to systemd alone */
	if (*value != '/' || strpbrk(value, "%*?["))
		return 0;
	return tree_list_add(list, value) ? out_of_memory(reader) : 0;
}

struct env_file {
	struct reader *reader;
	const char *path;
};

/* These files come after all Environment=, our drop-in's included. */
static int take_late(void *arg, const char *name, size_t len, const char *value, unsigned line)
{
	const struct env_file *file = arg;
	struct reader *reader = file->reader;
	char **where = variable(reader->unit, name, len);

	if (where == &reader->unit->preload)
		return has_library(value)
			       ? 0
			       : hinder(reader, file->path, line,
					"sets LD_PRELOAD, which no drop-in changes, expected "
					"the preload library in front of its value");
	if (where == &reader->unit->tunables)
		return set_late(reader, value, file->path, line,
				"sets GLIBC_TUNABLES, which no drop-in changes");
	return where ? keep(reader, where, value) : 0;
}

static int read_env_file(struct reader *reader, const char *path)
{
	struct env_file file = {reader, path};
	char *text;
	size_t len;
	int err = tree_read(reader->tree, path, &text, &len);

	if (!err) {
		err = envfile_parse(text, take_late, &file);
		free(text);
	}
	return err == -ENOMEM ? out_of_memory(reader) : 0;
}

/* ------------------------------------------------------ other settings --- */

static int take_program(struct reader *reader, char *value, const char *file, unsigned line)
{
	struct unit *unit = reader->unit;
	char *word;

	(void)file;
	(void)line;
	if (!*value) {
		free(unit->program);
		unit->program = NULL;
		return 0;
	}
	if (unit->program)
		return 0;
	value += strspn(value, "@-:+!|");
	word = unitfile_word(&value);
	if (!word || *word != '/' || strchr(word, '%'))
		return 0;
	return keep(reader, &unit->program, word);
}

static int take_root(struct reader *reader, char *value, const char *file, unsigned line)
{
	(void)file;
	(void)line;
	if (*value && strcmp(value, "/") != 0)
		return keep(reader, &reader->unit->root, value);
	free(reader->unit->root);
	reader->unit->root = NULL;
	return 0;
}

static bool is_no(const char *value)
{
	static const char *const words[] = {"", "no", "false", "off", "0", "n", "f"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(words[i], value) == 0)
			return true;
	return false;
}

static int take_home(struct reader *reader, char *value, const char *file, unsigned line)
{
	(void)file;
	(void)line;
	/* read-only is no hindrance */
	reader->unit->hides_home = !is_no(value) && strcmp(value, "read-only") != 0;
	return 0;
}

static int take_tmp(struct reader *reader, char *value, const char *file, unsigned line)
{
	(void)file;
	(void)line;
	reader->unit->hides_tmp = !is_no(value);
	return 0;
}

/* An allow list without madvise(), unless it is one of the sets that have it. */
static int take_filter(struct reader *reader, char *value, const char *file, unsigned line)
{
	static const char *const with[] = {"madvise", "@system-service", "@known"};
	struct unit *unit = reader->unit;
	char *word;

	(void)file;
	(void)line;
	if (!*value)
		unit->filters_calls = unit->allows_madvise = false;
	if (*value == '~')
		return 0;
	while ((word = unitfile_word(&value))) {
		unit->filters_calls = true;
		for (size_t i = 0; i < ARRAY_SIZE(with); i++)
			if (strlen(with[i]) == strcspn(word, ":") &&
			    memcmp(word, with[i], strlen(with[i])) == 0)
				unit->allows_madvise = true;
	}
	return 0;
}

static const struct {
	const char *section, *key;
	int (*take)(struct reader *reader, char *value, const char *file, unsigned line);
} keys[] = {
	{"Service", "Environment", take_environment},
	{"Service", "EnvironmentFile", take_env_file},
	{"Service", "UnsetEnvironment", take_unset},
	{"Service", "ExecStart", take_program},
	{"Service", "RootDirectory", take_root},
	{"Service", "RootImage", take_root},
	{"Service", "ProtectHome", take_home},
	{"Service", "PrivateTmp", take_tmp},
	{"Service", "SystemCallFilter", take_filter},
	{"Manager", "DefaultEnvironment", take_environment},
};

static int take(void *arg, const char *section, const char *key, char *value, const char *file,
		unsigned line)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].key, key) == 0)
			return keys[i].take(arg, value, file, line);
	return 0;
}

/* ------------------------------------------------------------ reading --- */

static int read_settings(struct reader *reader, const char *path)
{
	char *text;
	size_t len;
	int err = tree_read(reader->tree, path, &text, &len);

	/* a drop-in that is a link to nothing masks another of its name */
	if (err)
		return err == -ENOMEM ? out_of_memory(reader) : 0;
	err = unitfile_parse(path, text, take, reader);
	free(text);
	return err;
}

/* What every unit's environment begins with. */
static int read_manager(struct reader *reader)
{
	static const char *const folders[] = {
		"/usr/lib/systemd/system.conf.d",
		"/run/systemd/system.conf.d",
		"/etc/systemd/system.conf.d",
	};
	int err = read_settings(reader, "/etc/systemd/system.conf");

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !err; i++) {
		struct file_list names;
		char *path;

		err = tree_list(reader->tree, folders[i], "*.conf", &names);
		for (size_t k = 0; k < names.n && !err; k++) {
			if (asprintf(&path, "%s/%s", folders[i], names.paths[k]) < 0) {
				err = out_of_memory(reader);
				break;
			}
			err = read_settings(reader, path);
			free(path);
		}
		conffiles_free(&names);
	}
	return err;
}

static int read_drop_ins(struct reader *reader)
{
	const struct file_list *list = &reader->unit->files.drop_ins;
	int err = 0, order;

	for (size_t i = 0; i < list->n && !err; i++) {
		order = strcmp(strrchr(list->paths[i], '/') + 1, UNIT_DROP_IN);
		reader->behind = order > 0;
		if (order)
			err = read_settings(reader, list->paths[i]);
	}
	for (size_t i = 0; i < reader->env_files.n && !err; i++)
		err = read_env_file(reader, reader->env_files.paths[i]);
	return err;
}

int unit_read(const struct tree *tree, const char *name, struct unit *out)
{
	struct reader reader = {.tree = tree, .unit = out};
	int err;

	*out = (struct unit){.obstacle = NULL};
	err = unit_find(tree, name, &out->files);
	if (err)
		return err;
	err = read_manager(&reader);
	if (!err && *out->files.fragment)
		err = read_settings(&reader, out->files.fragment);
	if (!err)
		err = read_drop_ins(&reader);
	conffiles_free(&reader.env_files);
	if (err)
		unit_free(out);
	return err;
}

void unit_free(struct unit *unit)
{
	forget(unit);
	free(unit->program);
	free(unit->obstacle);
	free(unit->late_tunables);
	free(unit->late_place);
	free(unit->root);
	unit_files_free(&unit->files);
}
