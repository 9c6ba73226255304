// SPDX-License-Identifier: BSD-2-Clause
/*
 * conffiles.c - which configuration files are read, in which order.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".conf"
#define SYSTEM_FILE "chic-alloc.conf"
#define SYSTEM_FOLDER "chic-alloc.conf.d"
#define VENDORS_FILE "vendors.conf"
#define PRESETS_VARIABLE "CHIC_ALLOC_PRESETDIR"

static const struct conf_roots built_in = {
	.presets = CHIC_ALLOC_PRESETDIR,
	.run = CHIC_ALLOC_RUNDIR,
	.sysconf = CHIC_ALLOC_SYSCONFDIR,
};

static const struct conf_roots *roots = &built_in;

void conffiles_set_roots(const struct conf_roots *other)
{
	roots = other ? other : &built_in;
}

void conffiles_free(struct file_list *list)
{
	while (list->n)
		free(list->paths[--list->n]);
	free(list->paths);
	*list = (struct file_list){0};
}

static int no_memory(void)
{
	return message_set(-ENOMEM, "list of configuration files: out of memory");
}

/* Takes path over, also on failure. */
static int append(struct file_list *list, char *path)
{
	char **paths;

	if (!path)
		return no_memory();
	paths = reallocarray(list->paths, list->n + 1, sizeof(*paths));
	if (!paths) {
		free(path);
		return no_memory();
	}
	list->paths = paths;
	paths[list->n++] = path;
	return 0;
}

static char *join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Hidden names are editors' locks and packagers' leftovers. */
static bool is_config_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > strlen(SUFFIX) &&
	       strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

/*
 * Whether there is something to be read: neither missing nor masked, told by one
 * system call.  A link that leads nowhere is for the open to refuse.
 */
static bool is_there(const char *path)
{
	char target[sizeof("/dev/null")];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return errno != ENOENT;
	return n != (ssize_t)strlen("/dev/null") || memcmp(target, "/dev/null", n) != 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int refuse_folder(const char *folder, int err)
{
	return message_set(-err, "%s: cannot be read (%s), expected a readable folder or none",
			   folder, strerror(err));
}

/* The names in one answer of getdents64(). */
static int take_names(const char *folder, const char *bytes, size_t len, struct file_list *out)
{
	const struct dirent64 *entry;
	int err = 0;

	for (size_t at = 0; at < len && !err; at += entry->d_reclen) {
		entry = (const struct dirent64 *)(bytes + at);
		if (is_config_name(entry->d_name))
			err = append(out, join(folder, entry->d_name));
	}
	return err;
}

/*
 * All config files of one folder, sorted; none if the folder does not exist.
 * Not by opendir, whose buffer alone costs more than an empty folder is worth at
 * the start of every program.
 */
static int scan(const char *folder, struct file_list *out)
{
	_Alignas(struct dirent64) char bytes[4096];
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);
	int err = 0;
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? 0 : refuse_folder(folder, errno);
	while (!err && (n = getdents64(fd, bytes, sizeof(bytes))) > 0)
		err = take_names(folder, bytes, n, out);
	if (!err && n < 0)
		err = refuse_folder(folder, errno);
	close(fd);
	if (out->n)
		qsort(out->paths, out->n, sizeof(*out->paths), compare);
	return err;
}

/* Remove an earlier folder's file of this basename. */
static void replace(struct file_list *list, const char *base)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (strcmp(base_name(list->paths[i]), base) == 0)
			break;
	}
	if (i == list->n)
		return;
	free(list->paths[i]);
	list->n--;
	memmove(&list->paths[i], &list->paths[i + 1], (list->n - i) * sizeof(*list->paths));
}

/* Put a folder's files into list; they replace those of the folders before it. */
static int add_folder(struct file_list *earlier, struct file_list *list, const char *folder)
{
	struct file_list found = {0};
	size_t i;
	int err = scan(folder, &found);

	for (i = 0; i < found.n && !err; i++) {
		char *path = found.paths[i];

		replace(earlier, base_name(path));
		if (!is_there(path))
			continue;
		found.paths[i] = NULL;
		err = append(list, path);
	}
	conffiles_free(&found);
	return err;
}

static int add_if_there(struct file_list *list, const char *folder, const char *name)
{
	char *path = join(folder, name);

	if (path && !is_there(path)) {
		free(path);
		return 0;
	}
	return append(list, path);
}

int conffiles_join(struct file_list *list, struct file_list *more)
{
	size_t i;
	int err = 0;

	for (i = 0; i < more->n && !err; i++) {
		err = append(list, more->paths[i]);
		more->paths[i] = NULL;
	}
	conffiles_free(more);
	return err;
}

/* The drop-ins come last, but replace files that come before the system's file. */
static int add_system(struct file_list *list)
{
	char *folder = join(roots->sysconf, SYSTEM_FOLDER);
	struct file_list drop_ins = {0};
	int err;

	if (!folder)
		return no_memory();
	err = add_folder(list, list, roots->run);
	if (!err)
		err = add_folder(list, &drop_ins, folder);
	if (!err)
		err = add_if_there(list, roots->sysconf, SYSTEM_FILE);
	if (!err)
		err = conffiles_join(list, &drop_ins);
	conffiles_free(&drop_ins);
	free(folder);
	return err;
}

static int add_named(struct file_list *list, const char *named)
{
	/* The way to say "no configuration", as for the links. */
	if (strcmp(named, "/dev/null") == 0)
		return 0;
	return append(list, strdup(named));
}

int conffiles_find(const char *named, bool secure, struct file_list *out)
{
	int err;

	*out = (struct file_list){0};
	err = named && !secure ? add_named(out, named) : add_system(out);
	if (err)
		conffiles_free(out);
	return err;
}

/* Whether a folder of the system has a file or a mask of that basename: 1, 0, or an error. */
static int has(const char *folder, const char *below, const char *base)
{
	char target[1], *path;
	int there;

	if (asprintf(&path, "%s%s/%s", folder, below, base) < 0)
		return no_memory();
	there = readlink(path, target, sizeof(target)) >= 0 || errno == EINVAL;
	free(path);
	return there;
}

/* Remove the presets that a later folder replaces or masks. */
static int drop_replaced(struct file_list *presets)
{
	for (size_t i = presets->n; i-- > 0;) {
		const char *base = base_name(presets->paths[i]);
		int there = has(roots->run, "", base);

		if (!there)
			there = has(roots->sysconf, "/" SYSTEM_FOLDER, base);
		if (there < 0)
			return there;
		if (there)
			replace(presets, base);
	}
	return 0;
}

/* The variable is for what is not installed yet, as that of the folder of modules. */
static const char *presets_folder(bool secure)
{
	const char *folder = NULL;

	if (roots == &built_in && !secure)
		folder = secure_getenv(PRESETS_VARIABLE);
	return folder && *folder ? folder : roots->presets;
}

/*
 * A sandbox (man's, around its filters) may forbid to list folders.  Presets decide
 * nothing: ours is read by its name, and what needs another says so.
 */
static int add_hidden(struct file_list *list, const char *folder)
{
	message_clear();
	return add_if_there(list, folder, VENDORS_FILE);
}

int conffiles_presets(const char *named, bool secure, struct file_list *out)
{
	const char *folder = presets_folder(secure);
	int err;

	*out = (struct file_list){0};
	if (folder[0] != '/')
		return message_set(-EINVAL,
				   PRESETS_VARIABLE ": found '%s', expected an absolute path",
				   folder);
	err = add_folder(out, out, folder);
	if (err == -ENOSYS || err == -EPERM)
		err = add_hidden(out, folder);
	if (!err && (!named || secure))
		err = drop_replaced(out);
	if (err)
		conffiles_free(out);
	return err;
}
