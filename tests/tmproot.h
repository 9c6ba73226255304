/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A root of configuration files that a test makes, fills and removes.
 *
 * Relative paths of the root: "presets/", "run/", "etc/chic-alloc.conf",
 * "etc/chic-alloc.conf.d/".  Folders are made by the first file in them.
 */
#ifndef TMPROOT_H
#define TMPROOT_H

#include "check_support.h"
#include "internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[PATH_MAX / 2];
static char root_folders[3][PATH_MAX];

/* A path in the root; valid until the next eight calls. */
static inline const char *in_root(const char *path)
{
	static char paths[8][PATH_MAX];
	static unsigned next;
	char *out = paths[next++ % 8];

	snprintf(out, PATH_MAX, "%s/%s", root, path);
	return out;
}

static inline void root_setup(void)
{
	static const char *const names[] = {"presets", "run", "etc"};
	static struct conf_roots roots;
	int i;

	umask(022);
	strcpy(root, "/tmp/chic-alloc-check-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	for (i = 0; i < 3; i++)
		snprintf(root_folders[i], PATH_MAX, "%s/%s", root, names[i]);
	roots = (struct conf_roots){root_folders[0], root_folders[1], root_folders[2]};
	conffiles_set_roots(&roots);
}

static inline void root_teardown(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

static inline void make_folders(char *path)
{
	char *slash;

	for (slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

static inline void put_bytes(const char *path, const void *text, size_t len)
{
	char *full = strdup(in_root(path));
	FILE *file;

	make_folders(full);
	file = fopen(full, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, len, file), len);
	ck_assert_int_eq(fclose(file), 0);
	free(full);
}

static inline void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static inline void put_link(const char *path, const char *target)
{
	char *full = strdup(in_root(path));

	make_folders(full);
	ck_assert_int_eq(symlink(target, full), 0);
	free(full);
}

#endif /* TMPROOT_H */
