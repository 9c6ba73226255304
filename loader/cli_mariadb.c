// SPDX-License-Identifier: BSD-2-Clause
/*
 * mariadbd-safe, by which mariadb is started where systemd does not run: it takes
 * a library to be preloaded from the option malloc-lib of its section.  What else
 * its server's environment needs can only come from its own, which the init script
 * takes from /etc/default/mariadb.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNIT_NAME "mariadb.service"
#define SAFE_PROGRAM "/usr/bin/mariadbd-safe"
#define INIT_SCRIPT "/etc/init.d/mariadb"
#define DEFAULTS "/etc/default/mariadb"
#define FILE_NAME "zz-chic-alloc.cnf"
#define FOLDER_DEBIAN "/etc/mysql/mariadb.conf.d"
#define FOLDER_FEDORA "/etc/my.cnf.d"

bool mariadb_is(const struct tree *tree, const char *name)
{
	return strcmp(name, UNIT_NAME) == 0 && tree_has(tree, SAFE_PROGRAM);
}

const char *mariadb_file(const struct tree *tree)
{
	static const char *const files[] = {
		FOLDER_DEBIAN "/" FILE_NAME,
		FOLDER_FEDORA "/" FILE_NAME,
	};

	if (tree_has(tree, FOLDER_DEBIAN))
		return files[0];
	return tree_has(tree, FOLDER_FEDORA) ? files[1] : NULL;
}

static int enable_option(struct edits *edits)
{
	const char *path = mariadb_file(edits->tree);
	char *lines = NULL;
	struct edit *edit;
	int err;

	if (!path)
		return 0;
	edit = edits_add(edits, path);
	if (!edit)
		return -EIO;
	if (asprintf(&lines, "[mysqld_safe]\nmalloc-lib = %s\n", cli_preload_path()) < 0)
		return message_set(-ENOMEM, "%s: out of memory", edit->path);
	err = marked_put(edit, BLOCK_WHOLE, UNIT_NAME, lines);
	free(lines);
	return err;
}

/* A shell reads this file; what is set there already stays in front. */
static int enable_defaults(struct edits *edits, size_t static_tls)
{
	struct edit *edit;
	char *tunables, *lines;
	int n, err;

	if (!tree_has(edits->tree, INIT_SCRIPT))
		return 0;
	edit = edits_add(edits, DEFAULTS);
	if (!edit)
		return -EIO;
	if (!cli_needs_tunables(NULL, static_tls))
		return marked_remove(edit, BLOCK_LAST);
	tunables = cli_join_tunables(NULL, static_tls);
	if (!tunables)
		return -ENOMEM;
	n = asprintf(&lines,
		     "GLIBC_TUNABLES=${GLIBC_TUNABLES:+$GLIBC_TUNABLES:}%s\n"
		     "export GLIBC_TUNABLES\n",
		     tunables);
	free(tunables);
	if (n < 0)
		return message_set(-ENOMEM, "%s: out of memory", edit->path);
	err = marked_put(edit, BLOCK_LAST, UNIT_NAME, lines);
	free(lines);
	return err;
}

int mariadb_enable(struct edits *edits, size_t static_tls)
{
	int err = enable_option(edits);

	return err ? err : enable_defaults(edits, static_tls);
}

int mariadb_disable(struct edits *edits)
{
	const char *path = mariadb_file(edits->tree);
	struct edit *edit;
	int err = 0;

	if (path) {
		edit = edits_add(edits, path);
		err = edit ? marked_remove(edit, BLOCK_WHOLE) : -EIO;
	}
	if (err)
		return err;
	edit = edits_add(edits, DEFAULTS);
	return edit ? marked_remove(edit, BLOCK_LAST) : -EIO;
}

/* --------------------------------------------------------- other heaps --- */

static bool is_safe_section(const char *section)
{
	static const char *const names[] = {"mysqld_safe", "safe_mysqld", "mariadb_safe",
					    "mariadbd-safe"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i], section) == 0)
			return true;
	return false;
}

/* Each one it finds is preloaded, in the order in which it finds them. */
static int take_option(void *arg, const char *section, const char *key, char *value,
		       const char *file, unsigned line)
{
	char **found = arg;

	if (!is_safe_section(section) || !*value || !name_equal(key, "malloc-lib"))
		return 0;
	return asprintf(found, "%s:%u: malloc-lib = %s", file, line, value) < 0 ? -ENOMEM : 1;
}

static bool find_in_file(const struct tree *tree, const char *path, char **found)
{
	char *text;
	size_t len;
	int answer;

	if (tree_read(tree, path, &text, &len))
		return false;
	answer = unitfile_parse(path, text, take_option, found);
	free(text);
	return answer > 0;
}

static bool find_in_folder(const struct tree *tree, const char *folder, char **found)
{
	struct file_list names;
	bool there = false;
	char *path;

	if (tree_list(tree, folder, "*.cnf", &names))
		return false;
	for (size_t i = 0; i < names.n && !there; i++) {
		if (strcmp(names.paths[i], FILE_NAME) == 0 ||
		    asprintf(&path, "%s/%s", folder, names.paths[i]) < 0)
			continue;
		there = find_in_file(tree, path, found);
		free(path);
	}
	conffiles_free(&names);
	return there;
}

char *mariadb_other_heap(const struct tree *tree)
{
	static const char *const files[] = {"/etc/mysql/my.cnf", "/etc/my.cnf"};
	static const char *const more[] = {"/etc/mysql/conf.d", FOLDER_DEBIAN, FOLDER_FEDORA};
	char *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (find_in_file(tree, files[i], &found))
			return found;
	for (size_t i = 0; i < ARRAY_SIZE(more); i++)
		if (find_in_folder(tree, more[i], &found))
			return found;
	return NULL;
}
