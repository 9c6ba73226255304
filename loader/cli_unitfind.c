// SPDX-License-Identifier: BSD-2-Clause
/*
 * The files that make a unit, found as systemd(1) finds them, so that it need not
 * be running: the fragment in the first folder that has it, aliases followed, and
 * the drop-ins of the unit, its template, its prefixes and its type, of which the
 * first with a name counts, sorted by name.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".service"
#define UNIT_NAME_MAX 255
#define ALIASES_MAX 8

/* The most important first. */
static const char *const folders[] = {
	"/etc/systemd/system.control",
	"/run/systemd/system.control",
	"/run/systemd/transient",
	"/run/systemd/generator.early",
	UNIT_FOLDER,
	"/etc/systemd/system.attached",
	"/run/systemd/system",
	"/run/systemd/system.attached",
	"/run/systemd/generator",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
	"/run/systemd/generator.late",
};

static const char *const other_types[] = {
	".socket", ".device", ".mount", ".automount", ".swap",
	".target", ".path",   ".timer", ".slice",     ".scope",
};

static bool ends_with(const char *name, const char *suffix)
{
	size_t len = strlen(name), n = strlen(suffix);

	return len > n && strcmp(name + len - n, suffix) == 0;
}

static int out_of_memory(const char *name)
{
	return message_set(-ENOMEM, "%s: out of memory", name);
}

static bool is_plain(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789:_.\\@-";

	return *name && *name != '.' && *name != '-' && *name != '@' &&
	       strlen(name) < UNIT_NAME_MAX - strlen(SUFFIX) && !name[strspn(name, allowed)];
}

char *unit_full_name(const char *name)
{
	char *full = NULL;

	if (!is_plain(name)) {
		message_set(-EINVAL, "found '%.100s', expected the name of a systemd unit",
			    name);
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(other_types); i++)
		if (ends_with(name, other_types[i])) {
			message_set(-EINVAL, "%s: starts no program, expected a unit NAME%s",
				    name, SUFFIX);
			return NULL;
		}
	if (asprintf(&full, "%s%s", name, ends_with(name, SUFFIX) ? "" : SUFFIX) < 0) {
		out_of_memory(name);
		return NULL;
	}
	return full;
}

/* --------------------------------------------------------- fragments --- */

/* Names are bounded, and with them the paths of units. */
typedef char unit_name[UNIT_NAME_MAX + 1];
typedef char unit_path[UNIT_NAME_MAX + 64];

/* "foo@bar.service" to "foo@.service"; false if it is no instance. */
static bool template_of(const char *name, unit_name out)
{
	const char *at = strchr(name, '@');

	if (!at || at[1] == '.')
		return false;
	snprintf(out, sizeof(unit_name), "%.*s" SUFFIX, (int)(at + 1 - name), name);
	return true;
}

/* Whether a folder has a file of that name, be it a link that leads nowhere. */
static bool folder_has(const struct tree *tree, const char *folder, const char *name)
{
	int fd = tree_open_file(tree, folder, O_PATH | O_DIRECTORY);
	bool there;

	if (fd < 0)
		return false;
	there = faccessat(fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	close(fd);
	return there;
}

/* The first folder that has a file of that name; or null. */
static const char *first_folder(const struct tree *tree, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (folder_has(tree, folders[i], name))
			return folders[i];
	return NULL;
}

static bool read_link(const struct tree *tree, const char *folder, const char *name,
		      char target[PATH_MAX])
{
	int fd = tree_open_file(tree, folder, O_PATH | O_DIRECTORY);
	ssize_t n;

	if (fd < 0)
		return false;
	n = readlinkat(fd, name, target, PATH_MAX - 1);
	close(fd);
	target[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

/* Whether it is a link to a unit of another name: that. */
static bool alias_of(const struct tree *tree, const char *folder, const char *link,
		     const char *name, unit_name out)
{
	const char *base, *at = strchr(name, '@'), *end;
	char target[PATH_MAX];

	if (!read_link(tree, folder, link, target))
		return false;
	base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	if (!ends_with(base, SUFFIX) || strlen(base) > UNIT_NAME_MAX)
		return false;
	end = strstr(base, "@" SUFFIX);
	/* an instance of an alias of a template keeps its own instance */
	if (end && at)
		snprintf(out, sizeof(unit_name), "%.*s%s", (int)(end - base), base, at);
	else
		memcpy(out, base, strlen(base) + 1);
	return (!end || at) && strcmp(out, name) != 0;
}

/* A script of /etc/init.d becomes a unit once systemd runs. */
static bool has_init_script(const struct tree *tree, const char *name)
{
	unit_path script;

	snprintf(script, sizeof(script), "/etc/init.d/%.*s",
		 (int)(strlen(name) - strlen(SUFFIX)), name);
	return tree_has(tree, script);
}

/* Where a unit's fragment is, its own or its template's. */
static const char *find_fragment(const struct tree *tree, const char *name, unit_name file)
{
	const char *folder;

	snprintf(file, sizeof(unit_name), "%s", name);
	folder = first_folder(tree, file);
	if (!folder && template_of(name, file))
		folder = first_folder(tree, file);
	return folder;
}

static bool is_masked(const struct tree *tree, const char *folder, const char *file)
{
	char target[PATH_MAX];

	return read_link(tree, folder, file, target) && strcmp(target, "/dev/null") == 0;
}

/* The real name and the fragment; aliases of aliases too, but not for ever. */
static int find_real(const struct tree *tree, unit_name name, unit_path fragment)
{
	const char *folder = NULL;
	unit_name file, real;

	for (unsigned i = 0; i < ALIASES_MAX; i++) {
		folder = find_fragment(tree, name, file);
		if (!folder)
			break;
		snprintf(fragment, sizeof(unit_path), "%s/%s", folder, file);
		if (is_masked(tree, folder, file))
			return message_set(-EINVAL,
					   "%s: is masked by %s, expected a unit that can be "
					   "started",
					   name, fragment);
		if (!alias_of(tree, folder, file, name, real))
			return 0;
		memcpy(name, real, sizeof(unit_name));
	}
	*fragment = '\0';
	if (has_init_script(tree, name))
		return 0;
	return message_set(-ENOENT, "%s: not found%s%s, expected a systemd unit", name,
			   *tree->root ? " below " : "", tree->root);
}

/* ---------------------------------------------------------- drop-ins --- */

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The first of a name counts, be it a link to nothing. */
static int add_drop_in(struct file_list *list, const char *folder, const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < list->n; i++)
		if (strcmp(base_name(list->paths[i]), name) == 0)
			return 0;
	if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
		return 0;
	return tree_list_add(list, path);
}

static int add_folder(const struct tree *tree, const char *parent, const char *unit,
		      struct file_list *list)
{
	struct file_list names;
	unit_path folder;
	int err;

	snprintf(folder, sizeof(folder), "%s/%s.d", parent, unit);
	err = tree_list(tree, folder, "*.conf", &names);
	for (size_t i = 0; i < names.n && !err; i++)
		err = add_drop_in(list, folder, names.paths[i]);
	conffiles_free(&names);
	/* a folder that may not be read is not read by systemd for us either */
	return err == -ENOMEM ? err : 0;
}

/* A name's own folder, and that of its template. */
static int add_name(const struct tree *tree, const char *parent, const char *prefix, size_t len,
		    const char *rest, struct file_list *list)
{
	unit_name unit, template;
	int err;

	snprintf(unit, sizeof(unit), "%.*s%s", (int)len, prefix, rest);
	err = add_folder(tree, parent, unit, list);
	if (!err && template_of(unit, template))
		err = add_folder(tree, parent, template, list);
	return err;
}

/* "foo-bar@x", "foo-bar@", then of each prefix "foo-@x", "foo-@" and "foo-". */
static int add_names(const struct tree *tree, const char *parent, const char *name,
		     struct file_list *list)
{
	size_t len = strcspn(name, "@.");
	const char *rest = strchr(name, '@') ? strchr(name, '@') : strrchr(name, '.');
	int err = add_name(tree, parent, name, len, rest, list);

	while (!err && len) {
		/* a dash at the end belongs to the prefix before */
		len -= name[len - 1] == '-';
		while (len && name[len - 1] != '-')
			len--;
		if (!len)
			break;
		err = add_name(tree, parent, name, len, rest, list);
		if (!err && *rest == '@')
			err = add_name(tree, parent, name, len, SUFFIX, list);
	}
	return err;
}

static int compare_bases(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

/* The drop-ins of one of the unit's names. */
static int add_drop_ins(const struct tree *tree, const char *name, struct file_list *list)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !err; i++)
		err = add_names(tree, folders[i], name, list);
	return err;
}

/* Whether a link says that the unit has another name; an instance has it by its template. */
static bool other_name(const struct tree *tree, const char *folder, const char *link,
		       const char *name, unit_name out)
{
	unit_name real, template;

	if (strlen(link) > UNIT_NAME_MAX || !alias_of(tree, folder, link, link, real))
		return false;
	snprintf(out, sizeof(unit_name), "%s", link);
	if (strcmp(real, name) == 0)
		return true;
	if (!template_of(name, template) || strcmp(real, template) != 0)
		return false;
	snprintf(out, sizeof(unit_name), "%.*s%s", (int)strcspn(link, "@"), link,
		 strchr(name, '@'));
	return true;
}

/* Those of the aliases that a folder has are the unit's as well. */
static int add_aliases(const struct tree *tree, const char *folder, const char *name,
		       struct file_list *list)
{
	struct file_list links;
	unit_name other;
	int err = tree_list(tree, folder, "*" SUFFIX, &links);

	for (size_t i = 0; i < links.n && !err; i++)
		if (other_name(tree, folder, links.paths[i], name, other))
			err = add_drop_ins(tree, other, list);
	conffiles_free(&links);
	return err == -ENOMEM ? err : 0;
}

static int find_drop_ins(const struct tree *tree, struct unit_files *files)
{
	struct file_list *list = &files->drop_ins;
	int err = add_drop_ins(tree, files->name, list);

	for (size_t i = 0; i < ARRAY_SIZE(folders) && !err; i++)
		err = add_aliases(tree, folders[i], files->name, list);
	for (size_t i = 0; i < ARRAY_SIZE(folders) && !err; i++)
		err = add_folder(tree, folders[i], &SUFFIX[1], list);
	if (err)
		return out_of_memory(files->name);
	if (list->n)
		qsort(list->paths, list->n, sizeof(*list->paths), compare_bases);
	return 0;
}

int unit_find(const struct tree *tree, const char *name, struct unit_files *out)
{
	char *full = unit_full_name(name);
	unit_path fragment = "";
	unit_name real;
	int err;

	*out = (struct unit_files){.name = NULL};
	if (!full)
		return -EINVAL;
	snprintf(real, sizeof(real), "%s", full);
	free(full);
	err = find_real(tree, real, fragment);
	if (err)
		return err;
	out->name = strdup(real);
	out->fragment = strdup(fragment);
	err = out->name && out->fragment ? find_drop_ins(tree, out) : out_of_memory(real);
	if (err)
		unit_files_free(out);
	return err;
}

void unit_files_free(struct unit_files *files)
{
	free(files->name);
	free(files->fragment);
	conffiles_free(&files->drop_ins);
	*files = (struct unit_files){.name = NULL};
}
