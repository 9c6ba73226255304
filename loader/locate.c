// SPDX-License-Identifier: BSD-2-Clause
/*
 * An entry of a stack to the file of a module.
 *
 *	NAME		what [module NAME] says in its key path: a list of which
 *			the first that exists is taken; else NAME.so in the
 *			folder of modules
 *	LIB.so.2	a bare soname: the dynamic linker finds it, as for a program
 *	/DIR/FILE.so	a file
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULEDIR_VARIABLE "CHIC_ALLOC_MODULEDIR"
/* A list of candidates is looked through up to this many. */
#define CANDIDATES_MAX 16

static const char *test_moduledir;

void locate_set_moduledir(const char *dir)
{
	test_moduledir = dir;
}

const char *locate_moduledir(void)
{
	const char *dir = test_moduledir ? test_moduledir : secure_getenv(MODULEDIR_VARIABLE);

	return dir && *dir ? dir : CHIC_ALLOC_MODULEDIR;
}

/* In secure execution the variable is ignored even where the caller only says so. */
static const char *moduledir(bool secure)
{
	if (secure)
		return test_moduledir ? test_moduledir : CHIC_ALLOC_MODULEDIR;
	return locate_moduledir();
}

/* The basename up to .so; what a name may not contain becomes '_'. */
static char *derive_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	size_t len = name_suffix(path) - base;
	char *name = strndup(base, len < NAME_MAX_LEN ? len : NAME_MAX_LEN);

	for (char *p = name; p && *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_",
			    *p))
			*p = '_';
	return name;
}

static int out_of_memory(const char *entry)
{
	return message_set(-ENOMEM, "%s: out of memory", entry);
}

/* ------------------------------------------------- one kind of entry --- */

static int take_file(const char *path, bool secure, struct location *out)
{
	int fd;

	if (!name_suffix(path))
		return message_set(-EINVAL,
				   "%s: found a file name without .so, expected NAME.so", path);
	fd = trust_open(path, secure, &out->path);
	if (fd < 0)
		return fd;
	out->fd = fd;
	return 0;
}

static int take_soname(const char *soname, struct location *out)
{
	int fd = soname_open(soname, &out->file);

	if (fd < 0)
		return fd;
	out->fd = fd;
	out->path = strdup(soname);
	return out->path ? 0 : out_of_memory(soname);
}

/* A path with a folder must begin at the root: the working directory is anybody's. */
static int take_library(const char *library, bool secure, struct location *out)
{
	if (library[0] == '/')
		return take_file(library, secure, out);
	if (strchr(library, '/') || !name_suffix(library))
		return message_set(
			-EINVAL,
			"%s: expected an absolute path or a bare name, ending in .so or .so.N",
			library);
	return take_soname(library, out);
}

/* NAME.so in the folder, every '-' and '_' replaced by link unless that is 0. */
static int take_installed(const char *name, const char *dir, char link, bool secure,
			  struct location *out)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s.so", dir, name);

	if (n >= (int)sizeof(path))
		return message_set(-ENAMETOOLONG, "%s: found a folder of modules of %zu bytes",
				   name, strlen(dir));
	for (char *p = path + strlen(dir); link && *p; p++)
		if (*p == '-' || *p == '_')
			*p = link;
	return take_file(path, secure, out);
}

/* As written, then with '_', then with '-'; the message is about the first. */
static int find_installed(const char *name, bool secure, struct location *out)
{
	static const char links[] = {0, '_', '-', 0};
	const char *dir = moduledir(secure);
	bool has_link = strpbrk(name, "-_");
	int err = -ENOENT;

	if (dir[0] != '/')
		return message_set(-EINVAL,
				   MODULEDIR_VARIABLE ": found '%s', expected an absolute path",
				   dir);
	for (size_t i = 0; err == -ENOENT && i < (has_link ? sizeof(links) : 1); i++)
		err = take_installed(name, dir, links[i], secure, out);
	return err;
}

/* ------------------------------------------------ the key path, a list --- */

/* The only one is taken also where it cannot be found: that is the linker's to say. */
static int take_only(const char *library, struct location *out)
{
	int err = take_library(library, false, out);

	if (err != -ENOENT || library[0] == '/')
		return err;
	out->path = strdup(library);
	return out->path ? 0 : out_of_memory(library);
}

static int find_listed(const char *list, struct location *out)
{
	char library[PATH_MAX];
	const char *rest = list;
	int err = -ENOENT, more;
	unsigned n;

	for (n = 0; n < CANDIDATES_MAX; n++) {
		more = name_next(&rest, library, sizeof(library));
		if (more < 0)
			return more;
		if (more == 0)
			break;
		if (n == 0 && !*rest)
			return take_only(library, out);
		err = take_library(library, false, out);
		if (err != -ENOENT)
			return err;
	}
	return message_set(err, "found none of '%s'", list);
}

static int find_configured(const struct setting *path, bool secure, struct location *out)
{
	int err;

	if (secure)
		return message_set(
			-EACCES,
			"%s:%u: path = %s: in secure execution modules come from %s only",
			path->file, path->line, path->value, moduledir(true));
	err = find_listed(path->value, out);
	return err ? message_prefix(err, "%s:%u: path", path->file, path->line) : 0;
}

/* ----------------------------------------------------------- entries --- */

static int locate_library(const char *entry, bool secure, struct location *out)
{
	int err;

	if (secure)
		return message_set(-EACCES, "%s: in secure execution modules come from %s only",
				   entry, moduledir(true));
	err = take_only(entry, out);
	if (err)
		return err;
	out->name = derive_name(entry);
	return out->name ? 0 : out_of_memory(entry);
}

static int locate_name(const struct config *config, const char *name, bool secure,
		       struct location *out)
{
	const struct setting *path = config ? config_module_setting(config, name, "path")
					    : NULL;
	int err;

	if (!name_valid(name))
		return message_set(
			-EINVAL,
			"found '%s', expected a module's name, a soname or an absolute path",
			name);
	err = path ? find_configured(path, secure, out) : find_installed(name, secure, out);
	if (err)
		return err;
	out->name = strdup(name);
	return out->name ? 0 : out_of_memory(name);
}

int locate_module(const struct config *config, const char *entry, bool secure,
		  struct location *out)
{
	bool library = strchr(entry, '/') || name_suffix(entry);
	int err;

	*out = (struct location){.fd = -1};
	err = library ? locate_library(entry, secure, out)
		      : locate_name(config, entry, secure, out);
	if (err)
		locate_free(out);
	return err;
}

void locate_free(struct location *location)
{
	if (location->fd >= 0)
		close(location->fd);
	free(location->file);
	free(location->path);
	free(location->name);
	*location = (struct location){.fd = -1};
}
