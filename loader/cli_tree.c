// SPDX-License-Identifier: BSD-2-Clause
/*
 * Paths below a root: an image's tree, or the machine's own.
 *
 * Every link is followed by hand, so that an absolute one, or "..", stays below
 * the root, and so that a link of somebody who is neither root nor the caller
 * leads nowhere: the folders of a database cluster belong to its own user.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define LINKS_MAX 40
#define LOCK_TRIES 1000
#define LOCK_PAUSE_US 10000
#define FOLDER_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct walk {
	const struct tree *tree;
	const char *path; /* as it was asked for */
	bool trusted; /* whether each part must be root's alone */
	int fd; /* the folder that was reached */
	unsigned depth; /* below the root */
	unsigned links;
	char at[PATH_MAX]; /* the folder's path in the tree, "" for the root */
	char rest[PATH_MAX];
};

int tree_open(struct tree *tree, const char *root)
{
	const char *shown = root ? root : "/";
	struct stat st;
	size_t len;
	char *path;

	*tree = (struct tree){.root = "", .fd = -1, .lock = -1};
	tree->fd = open(shown, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree->fd < 0 || fstat(tree->fd, &st))
		return message_set(-errno, "--root: %s: %s, expected a folder", shown,
				   strerror(errno));
	tree->owner = st.st_uid;
	tree->group = st.st_gid;
	if (!root)
		return 0;
	path = cli_absolute(root);
	if (!path)
		return -ENOMEM;
	for (len = strlen(path); len && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	tree->root = path;
	return 0;
}

void tree_close(struct tree *tree)
{
	if (tree->fd >= 0)
		close(tree->fd);
	if (tree->lock >= 0)
		close(tree->lock);
	if (*tree->root)
		free((char *)tree->root);
	*tree = (struct tree){.root = "", .fd = -1, .lock = -1};
}

void tree_lock(struct tree *tree)
{
	tree->lock = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->lock < 0)
		return;
	for (int i = 0; i < LOCK_TRIES && flock(tree->lock, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return;
		usleep(LOCK_PAUSE_US);
	}
}

/* ------------------------------------------------------------- trust --- */

/* A file of the folder that was reached. */
static int check_trust(const struct walk *walk, const char *name)
{
	const struct tree *tree = walk->tree;
	struct stat st;

	if (!walk->trusted)
		return 0;
	if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (st.st_uid != 0 && st.st_uid != tree->owner)
		return message_set(-EACCES, "%s: %s/%s belongs to user %u, expected root",
				   walk->path, walk->at, name, st.st_uid);
	if (S_ISLNK(st.st_mode))
		return 0;
	if ((st.st_mode & S_IWOTH) ||
	    ((st.st_mode & S_IWGRP) && st.st_gid != 0 && st.st_gid != tree->group))
		return message_set(-EACCES,
				   "%s: %s/%s has mode %04o, expected that only root can write",
				   walk->path, walk->at, name, st.st_mode & 07777);
	return 0;
}

/* -------------------------------------------------------------- walk --- */

static int step_to(struct walk *walk, int fd)
{
	if (fd < 0)
		return -errno;
	close(walk->fd);
	walk->fd = fd;
	return 0;
}

static int step_to_root(struct walk *walk)
{
	walk->depth = 0;
	walk->at[0] = '\0';
	return step_to(walk, fcntl(walk->tree->fd, F_DUPFD_CLOEXEC, 0));
}

static int step_up(struct walk *walk)
{
	if (!walk->depth)
		return 0;
	walk->depth--;
	*strrchr(walk->at, '/') = '\0';
	return step_to(walk, openat(walk->fd, "..", FOLDER_FLAGS));
}

static int step_down(struct walk *walk, const char *name)
{
	size_t len = strlen(walk->at);
	int n = snprintf(walk->at + len, sizeof(walk->at) - len, "/%s", name);

	if (n >= (int)(sizeof(walk->at) - len))
		return -ENAMETOOLONG;
	walk->depth++;
	return step_to(walk, openat(walk->fd, name, FOLDER_FLAGS));
}

/* Put a link's target before what is left to walk. */
static int take_link(struct walk *walk, const char *name, const char *target)
{
	char rest[PATH_MAX];
	struct stat st;
	int n;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (fstatat(walk->fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != walk->tree->owner)
		return -ELOOP;
	n = snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest);
	if (n >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	memcpy(walk->rest, rest, (size_t)n + 1);
	return *target == '/' ? step_to_root(walk) : 0;
}

/* Take the first part off what is left: 1, 0 if there is none, or an error. */
static int next_part(struct walk *walk, char name[NAME_MAX + 1])
{
	const char *start = walk->rest + strspn(walk->rest, "/");
	size_t len = strcspn(start, "/");

	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, start, len);
	name[len] = '\0';
	start += len;
	start += strspn(start, "/");
	memmove(walk->rest, start, strlen(start) + 1);
	return len > 0;
}

/* One part of the path; 1 when name is the last and not a link. */
static int step(struct walk *walk, char name[NAME_MAX + 1])
{
	char target[PATH_MAX];
	ssize_t n;
	int err;

	if (strcmp(name, ".") == 0)
		return 0;
	if (strcmp(name, "..") == 0)
		return step_up(walk);
	err = check_trust(walk, name);
	if (err)
		return err;
	n = readlinkat(walk->fd, name, target, sizeof(target) - 1);
	if (n >= 0) {
		target[n] = '\0';
		return take_link(walk, name, target);
	}
	if (!*walk->rest)
		return 1;
	return step_down(walk, name);
}

/* name is "" if the path ends in a folder that was reached, as "/" does. */
static int walk_all(struct walk *walk, char name[NAME_MAX + 1])
{
	int err = step_to_root(walk), more;

	if (!err)
		err = check_trust(walk, ".");
	while (!err) {
		more = next_part(walk, name);
		err = more > 0 ? step(walk, name) : more;
		if (more <= 0)
			break;
	}
	return err > 0 ? 0 : err;
}

static int find(const struct tree *tree, const char *path, bool trusted, struct tree_place *out)
{
	struct walk walk = {.tree = tree, .path = path, .trusted = trusted, .fd = -1};
	int err;

	if (strlen(path) >= sizeof(walk.rest))
		return -ENAMETOOLONG;
	strcpy(walk.rest, path);
	err = walk_all(&walk, out->name);
	out->folder = walk.fd;
	if (!err)
		return 0;
	if (walk.fd >= 0)
		close(walk.fd);
	out->folder = -1;
	return err;
}

int tree_find(const struct tree *tree, const char *path, struct tree_place *out)
{
	return find(tree, path, false, out);
}

int tree_open_file(const struct tree *tree, const char *path, int flags)
{
	struct tree_place place;
	int err = tree_find(tree, path, &place), fd;

	if (err)
		return err;
	fd = openat(place.folder, *place.name ? place.name : ".",
		    flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	close(place.folder);
	return fd;
}

bool tree_has(const struct tree *tree, const char *path)
{
	int fd = tree_open_file(tree, path, O_PATH);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

int tree_read(const struct tree *tree, const char *path, char **text, size_t *len)
{
	int fd = tree_open_file(tree, path, O_RDONLY), err;
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else
		err = trust_read(fd, path, ENABLE_TEXT_MAX, text, len);
	close(fd);
	return err;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int tree_list_add(struct file_list *list, const char *name)
{
	char **grown = reallocarray(list->paths, list->n + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	list->paths = grown;
	grown[list->n] = strdup(name);
	if (!grown[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

int tree_list(const struct tree *tree, const char *path, const char *pattern,
	      struct file_list *out)
{
	int fd = tree_open_file(tree, path, O_RDONLY | O_DIRECTORY), err = 0;
	struct dirent *entry;
	DIR *dir;

	*out = (struct file_list){.n = 0};
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!err && (entry = readdir(dir)))
		if (fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0)
			err = tree_list_add(out, entry->d_name);
	closedir(dir);
	if (err)
		conffiles_free(out);
	else if (out->n)
		qsort(out->paths, out->n, sizeof(*out->paths), compare_names);
	return err;
}

int tree_trusted(const struct tree *tree, const char *path)
{
	struct tree_place place;
	int err;

	message_clear();
	err = find(tree, path, true, &place);
	if (!err)
		close(place.folder);
	else if (!*message_get())
		message_set(err, "%s: %s", path, strerror(-err));
	return err;
}
