// SPDX-License-Identifier: BSD-2-Clause
/*
 * May this file decide what code runs?
 *
 * A configuration or module is believed when nobody but root, the caller and
 * whoever installed the loader can change it: by its own owner and mode, looked
 * at on the open descriptor, and by those of every folder on the way to it, both
 * as the path was written and as it is without links.  The loader's owner counts
 * because whoever can replace the loader needs no configuration to run code; in
 * a user namespace, where root's files seem to belong to nobody, that is what
 * makes system files acceptable.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ACCESS_LIST "system.posix_acl_access"

/* What root's files belong to in a user namespace that does not map root. */
#define OVERFLOW_ID 65534
#define NO_ID ((unsigned)-1)
#define IDS_MAX 3

/* Users or groups that may write; NO_ID where there is none. */
struct ids {
	unsigned id[IDS_MAX];
};

static pthread_once_t loader_once = PTHREAD_ONCE_INIT;
static unsigned loader_uid = NO_ID, loader_gid = NO_ID;

/* The name the dynamic linker has for the main program is argv[0]: anything. */
static bool in_main_program(const Dl_info *here)
{
	Dl_info program;

	return dladdr((void *)getauxval(AT_PHDR), &program) &&
	       program.dli_fbase == here->dli_fbase;
}

static void find_loader(void)
{
	const char *path = "/proc/self/exe";
	struct stat st;
	Dl_info here;

	if (!dladdr((void *)trust_open, &here))
		return;
	if (!in_main_program(&here))
		path = here.dli_fname;
	/* relative to a folder that is not the working directory any more, perhaps */
	if (path[0] != '/' || stat(path, &st) < 0)
		return;
	loader_uid = st.st_uid;
	loader_gid = st.st_gid;
}

/* Secure execution: the caller is who must not decide. */
static struct ids make_ids(bool secure, unsigned caller, unsigned loader)
{
	if (secure)
		return (struct ids){{0, NO_ID, loader == OVERFLOW_ID ? loader : NO_ID}};
	return (struct ids){{0, caller, loader}};
}

static struct ids trusted_users(bool secure)
{
	pthread_once(&loader_once, find_loader);
	return make_ids(secure, geteuid(), loader_uid);
}

static struct ids trusted_groups(bool secure)
{
	pthread_once(&loader_once, find_loader);
	return make_ids(secure, getegid(), loader_gid);
}

static bool contains(const struct ids *ids, unsigned id)
{
	for (unsigned i = 0; i < IDS_MAX; i++)
		if (ids->id[i] == id && id != NO_ID)
			return true;
	return false;
}

/* "0 or 1000", each once. */
static const char *ids_text(const struct ids *ids, char *buf, size_t size)
{
	struct ids seen = {{NO_ID, NO_ID, NO_ID}};
	size_t len = 0;

	for (unsigned i = 0; i < IDS_MAX; i++) {
		if (ids->id[i] == NO_ID || contains(&seen, ids->id[i]))
			continue;
		seen.id[i] = ids->id[i];
		len += snprintf(buf + len, size - len, "%s%u", len ? " or " : "", ids->id[i]);
	}
	return buf;
}

static const char *folder_word(const char *folder)
{
	return *folder ? ": folder " : "";
}

/*
 * folder is the one on the way to path that is looked at, "" for the file itself.
 * That it is root's is nearly always so and spares the other questions.
 */
static int check_owner(const char *path, const char *folder, const struct stat *st, bool secure)
{
	char expected[64];
	struct ids users;

	if (st->st_uid == 0)
		return 0;
	users = trusted_users(secure);
	if (contains(&users, st->st_uid))
		return 0;
	return message_set(-EACCES, "%s%s%s: found owner %u (expected %s)", path,
			   folder_word(folder), folder, st->st_uid,
			   ids_text(&users, expected, sizeof(expected)));
}

static int check_group(const char *path, const char *folder, const struct stat *st, bool secure)
{
	struct ids groups = trusted_groups(secure);
	char expected[64];

	if (contains(&groups, st->st_gid))
		return 0;
	return message_set(
		-EACCES,
		"%s%s%s: found mode %04o with group %u (expected no write permission "
		"for a group but %s)",
		path, folder_word(folder), folder, st->st_mode & 07777, st->st_gid,
		ids_text(&groups, expected, sizeof(expected)));
}

/* Where there is an access list, the group's bits are the most that anybody in it has. */
static int check_list(const char *path, const char *folder, const struct stat *st)
{
	if (getxattr(*folder ? folder : path, ACCESS_LIST, NULL, 0) <= 0)
		return 0;
	return message_set(-EACCES,
			   "%s%s%s: found mode %04o with an access list (expected no write "
			   "permission in it)",
			   path, folder_word(folder), folder, st->st_mode & 07777);
}

static int check_mode(const char *path, const char *folder, const struct stat *st, bool secure)
{
	int err;

	if (st->st_mode & S_IWOTH)
		return message_set(
			-EACCES,
			"%s%s%s: found mode %04o (expected no write permission for others)",
			path, folder_word(folder), folder, st->st_mode & 07777);
	if (!(st->st_mode & S_IWGRP))
		return 0;
	err = check_group(path, folder, st, secure);
	return err ? err : check_list(path, folder, st);
}

static const char *type_name(mode_t mode)
{
	static const struct {
		mode_t type;
		const char *name;
	} types[] = {
		{S_IFDIR, "a directory"},	 {S_IFIFO, "a FIFO"},
		{S_IFCHR, "a character device"}, {S_IFBLK, "a block device"},
		{S_IFSOCK, "a socket"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].name;
	return "something else";
}

static int check_file(const char *path, const struct stat *st, bool secure)
{
	int err;

	if (!S_ISREG(st->st_mode))
		return message_set(-EACCES, "%s: found %s, expected a regular file", path,
				   type_name(st->st_mode));
	err = check_owner(path, "", st, secure);
	return err ? err : check_mode(path, "", st, secure);
}

/* ------------------------------------------------------------ the way --- */

/*
 * A way to the open file.  plain: it has neither links nor dots, so that it is
 * its own resolved path.
 */
struct way {
	const char *path; /* as it was given, for messages */
	const struct stat *opened;
	bool secure;
	bool plain;
	char absolute[PATH_MAX];
};

static int way_error(const struct way *way, const char *part)
{
	return message_set(-errno, "%s: %s: %s", way->path, part, strerror(errno));
}

/* stat, and a note if it is a link. */
static int look(struct way *way, const char *part, struct stat *st)
{
	if (lstat(part, st) < 0)
		return way_error(way, part);
	if (!S_ISLNK(st->st_mode))
		return 0;
	way->plain = false;
	return stat(part, st) < 0 ? way_error(way, part) : 0;
}

/* In a sticky folder others can add names, but not replace what is there. */
static int check_folder(struct way *way, const char *folder)
{
	struct stat st;
	int err = look(way, folder, &st);

	if (!err)
		err = check_owner(way->path, folder, &st, way->secure);
	if (!err && !(st.st_mode & S_ISVTX))
		err = check_mode(way->path, folder, &st, way->secure);
	return err;
}

/*
 * Within one load the folders above one file need no second look for the next:
 * between trust_begin() and trust_end(), the last folder that was reached without
 * a link.  Used under the loader's lock only.
 */
static char *known;

void trust_begin(char folder[PATH_MAX])
{
	known = folder;
	known[0] = '\0';
}

void trust_end(void)
{
	known = NULL;
}

static bool is_known(const char *folder)
{
	size_t len = strlen(folder);

	if (!known || strncmp(known, folder, len) != 0)
		return false;
	return len == 1 || known[len] == '/' || known[len] == '\0';
}

static void keep_known(const struct way *way)
{
	char *slash;

	if (!known || !way->plain)
		return;
	strcpy(known, way->absolute);
	slash = strrchr(known, '/');
	slash[slash == known] = '\0';
}

/* Every folder above the file, the root first. */
static int check_folders(struct way *way)
{
	char *absolute = way->absolute;
	int err = is_known("/") ? 0 : check_folder(way, "/");

	for (size_t i = 1; !err && absolute[i]; i++) {
		if (absolute[i] != '/' || absolute[i - 1] == '/')
			continue;
		absolute[i] = '\0';
		if (!is_known(absolute))
			err = check_folder(way, absolute);
		absolute[i] = '/';
	}
	if (!err)
		keep_known(way);
	return err;
}

/* Whether the way still leads to the file that was opened. */
static int check_end(struct way *way)
{
	struct stat st;
	int err = look(way, way->absolute, &st);

	if (err)
		return err;
	if (st.st_dev != way->opened->st_dev || st.st_ino != way->opened->st_ino)
		return message_set(-EACCES, "%s: found another file at %s after it was opened",
				   way->path, way->absolute);
	return 0;
}

static int check_way(struct way *way)
{
	int err = check_folders(way);

	return err ? err : check_end(way);
}

static bool has_dots(const char *absolute)
{
	return strstr(absolute, "/./") || strstr(absolute, "/../") || strstr(absolute, "//");
}

static int set_absolute(struct way *way, const char *folder, const char *path)
{
	size_t len = strlen(folder) + (*folder != '\0') + strlen(path);

	if (len >= sizeof(way->absolute))
		return message_set(-ENAMETOOLONG,
				   "%s: found a path of %zu bytes, expected below %zu",
				   way->path, len, sizeof(way->absolute));
	strcpy(stpcpy(stpcpy(way->absolute, folder), *folder ? "/" : ""), path);
	return 0;
}

/* The path from the root, its links and dots left as they are. */
static int make_absolute(struct way *way)
{
	char folder[PATH_MAX] = "";
	int err;

	if (way->path[0] != '/' && !getcwd(folder, sizeof(folder)))
		return way_error(way, "working directory");
	err = set_absolute(way, folder, way->path);
	way->plain = !has_dots(way->absolute);
	return err;
}

/* Both ways: as it was written, and without links; *resolved is the latter. */
static int check_ways(struct way *way, char **resolved)
{
	char *real;
	int err;

	err = make_absolute(way);
	if (!err)
		err = check_way(way);
	if (err)
		return err;
	if (way->plain) {
		*resolved = strdup(way->absolute);
		return *resolved ? 0 : message_set(-ENOMEM, "%s: out of memory", way->path);
	}
	real = realpath(way->absolute, NULL);
	if (!real)
		return way_error(way, way->absolute);
	err = set_absolute(way, "", real);
	if (!err)
		err = check_way(way);
	if (err)
		free(real);
	else
		*resolved = real;
	return err;
}

/* Says of a link that leads nowhere where it leads. */
static int open_failed(const char *path, int error)
{
	char target[256];
	ssize_t n = error == ENOENT ? readlink(path, target, sizeof(target) - 1) : -1;

	if (n < 0)
		return message_set(-error, "%s: %s", path, strerror(error));
	target[n] = '\0';
	return message_set(-error, "%s: found a link to %s, which does not exist", path,
			   target);
}

/* O_NONBLOCK: opening a FIFO or a device must not wait for anybody. */
int trust_open(const char *path, bool secure, char **resolved)
{
	char *real = NULL;
	struct stat st;
	struct way way;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return open_failed(path, errno);
	if (fstat(fd, &st) < 0) {
		err = message_set(-errno, "%s: %s", path, strerror(errno));
		goto err_close;
	}
	err = check_file(path, &st, secure);
	if (err)
		goto err_close;
	way.path = path;
	way.opened = &st;
	way.secure = secure;
	err = check_ways(&way, &real);
	if (err)
		goto err_close;
	if (resolved)
		*resolved = real;
	else
		free(real);
	return fd;
err_close:
	close(fd);
	return err;
}

/* What a regular file holds; 0: the file does not say, as those of /proc. */
static size_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 || st.st_size <= 0 ? 0 : (size_t)st.st_size;
}

/*
 * Reads until the end, growing the buffer as need be up to max + 1 bytes: one
 * byte too many is how a file that is too long shows, whatever fstat said.
 */
int trust_read(int fd, const char *path, size_t max, char **text, size_t *len)
{
	size_t expected = size_of(fd), done = 0;
	size_t size = (expected && expected <= max ? expected : max < 4096 ? max : 4096) + 1;
	char *buf = malloc(size), *grown;
	ssize_t n;
	int err;

	if (!buf)
		return message_set(-ENOMEM, "%s: out of memory", path);
	for (;;) {
		n = read(fd, buf + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
		if (done > max) {
			err = message_set(-EFBIG,
					  "%s: found more than %zu bytes, expected at most %zu",
					  path, max, max);
			goto err_free;
		}
		if (done == expected)
			break;
		if (done < size)
			continue;
		size = size <= max / 2 ? 2 * size : max + 1;
		grown = realloc(buf, size);
		if (!grown) {
			err = message_set(-ENOMEM, "%s: out of memory", path);
			goto err_free;
		}
		buf = grown;
	}
	if (n < 0) {
		err = message_set(-errno, "%s: %s", path, strerror(errno));
		goto err_free;
	}
	buf[done] = '\0'; /* done < size: the last byte is never filled */
	*text = buf;
	*len = done;
	return 0;
err_free:
	free(buf);
	return err;
}
