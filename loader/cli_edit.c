// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several files changed together, or none.
 *
 * Everything that can fail for want of room or permission is done first, beside
 * the files: the new text is written and synced under another name, and a copy of
 * the old one as well, in case another file fails after this one.  Then the names
 * change.  A file is whole at every moment: the linker reads /etc/ld.so.preload at
 * every start of every program.  Owner, mode and extended attributes stay.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NEW_FILE_MODE 0644
#define NEW_FOLDER_MODE 0755
#define ATTRIBUTES_MAX 4096

static int failed(const struct edit *edit, int err)
{
	bool permission = err == -EACCES || err == -EPERM;

	return message_set(err, "%s%s: %s%s", edit->root, edit->path, strerror(-err),
			   permission && geteuid() != 0 ? ", expected to be run by root" : "");
}

/* ----------------------------------------------------------- reading --- */

static int find_above(const struct tree *tree, struct edit *edit)
{
	char *folder = strndup(edit->path, (size_t)(strrchr(edit->path, '/') - edit->path));
	int err = folder ? tree_find(tree, folder, &edit->above) : -ENOMEM;

	free(folder);
	return err;
}

/* A folder that is missing can be made, but not the one above it as well. */
static int find_place(const struct tree *tree, struct edit *edit)
{
	int err = tree_find(tree, edit->path, &edit->place);

	if (err != -ENOENT)
		return err;
	err = find_above(tree, edit);
	if (err == -ENOENT)
		err = 0;
	snprintf(edit->place.name, sizeof(edit->place.name), "%s",
		 strrchr(edit->path, '/') + 1);
	return err;
}

static int read_file(struct edit *edit, int fd)
{
	if (fstat(fd, &edit->st))
		return failed(edit, -errno);
	if (!S_ISREG(edit->st.st_mode))
		return message_set(-EINVAL, "%s%s: expected a regular file", edit->root,
				   edit->path);
	if (edit->st.st_nlink > 1)
		return message_set(-EMLINK,
				   "%s%s: has %lu names, expected one: they would part",
				   edit->root, edit->path, (unsigned long)edit->st.st_nlink);
	return trust_read(fd, edit->path, ENABLE_TEXT_MAX, &edit->old, &edit->old_len);
}

static int read_old(struct edit *edit)
{
	const struct tree_place *place = &edit->place;
	int fd, err;

	if (edit_makes_folder(edit))
		return 0;
	fd = openat(place->folder, place->name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT ? 0 : failed(edit, -errno);
	edit->existed = true;
	err = read_file(edit, fd);
	close(fd);
	return err;
}

static struct edit *grow(struct edits *edits)
{
	struct edit *all = reallocarray(edits->all, edits->n + 1, sizeof(*all));

	if (!all)
		return NULL;
	edits->all = all;
	all[edits->n] = (struct edit){.place = {.folder = -1}, .above = {.folder = -1}};
	return &all[edits->n++];
}

struct edit *edits_add(struct edits *edits, const char *path)
{
	struct edit *edit = grow(edits);
	int err;

	if (edit) {
		edit->root = edits->tree->root;
		edit->path = strdup(path);
	}
	if (!edit || !edit->path) {
		message_set(-ENOMEM, "%s: out of memory", path);
		return NULL;
	}
	err = find_place(edits->tree, edit);
	if (err)
		failed(edit, err);
	else
		err = read_old(edit);
	return err ? NULL : edit;
}

bool edit_makes_folder(const struct edit *edit)
{
	return edit->place.folder < 0;
}

void edit_set(struct edit *edit, char *text, size_t len)
{
	free(edit->text);
	edit->text = text;
	edit->len = len;
	if (!text)
		edit->changed = edit->existed;
	else
		edit->changed = !edit->existed || len != edit->old_len ||
				memcmp(text, edit->old, len) != 0;
}

/* --------------------------------------------------------- preparing --- */

/* It belongs to whom the folder above belongs; without that right it stays ours. */
static int give_like(int fd, int folder, mode_t mode)
{
	struct stat st;

	if (fstat(folder, &st))
		return -errno;
	if (fchown(fd, st.st_uid, st.st_gid) && errno != EPERM)
		return -errno;
	return fchmod(fd, mode) ? -errno : 0;
}

static int make_folder(struct edit *edit)
{
	const struct tree_place *above = &edit->above;
	int err;

	if (above->folder < 0)
		return -ENOENT;
	if (mkdirat(above->folder, above->name, 0700))
		return -errno;
	edit->folder_made = true;
	edit->place.folder = openat(above->folder, above->name,
				    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (edit->place.folder < 0)
		return -errno;
	err = give_like(edit->place.folder, above->folder, NEW_FOLDER_MODE);
	return err;
}

/* Some are the file system's or the kernel's alone to give. */
static int copy_attributes(int from, int to)
{
	char names[ATTRIBUTES_MAX], value[ATTRIBUTES_MAX];
	ssize_t all = flistxattr(from, names, sizeof(names)), n;

	for (char *name = names; name < names + all; name += strlen(name) + 1) {
		n = fgetxattr(from, name, value, sizeof(value));
		if (n >= 0 && fsetxattr(to, name, value, (size_t)n, 0) && errno != ENOTSUP &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

static int keep_attributes(const struct edit *edit, int fd)
{
	const struct tree_place *place = &edit->place;
	int old, err;

	if (fchown(fd, edit->st.st_uid, edit->st.st_gid) ||
	    fchmod(fd, edit->st.st_mode & 07777))
		return -errno;
	old = openat(place->folder, place->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (old < 0)
		return -errno;
	err = copy_attributes(old, fd);
	close(old);
	return err;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	for (; len; text += n, len -= (size_t)n) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return fsync(fd) ? -errno : 0;
}

static int create_beside(const struct edit *edit, char name[32])
{
	unsigned long long number = 0;
	int fd;

	/* a name that exists ends it: it is not ours */
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
		number = (unsigned)getpid();
	snprintf(name, 32, ".chic-alloc.%016llx", number);
	fd = openat(edit->place.folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		fd = -errno;
		*name = '\0';
	}
	return fd;
}

static int write_beside(const struct edit *edit, char name[32], const char *text, size_t len)
{
	int fd = create_beside(edit, name), err;

	if (fd < 0)
		return fd;
	err = edit->existed ? keep_attributes(edit, fd)
			    : give_like(fd, edit->place.folder, NEW_FILE_MODE);
	if (!err)
		err = write_all(fd, text, len);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int prepare(const struct edits *edits, struct edit *edit)
{
	int err = 0;

	if (edit_makes_folder(edit))
		err = make_folder(edit);
	if (!err && edit->text)
		err = write_beside(edit, edit->temp, edit->text, edit->len);
	if (!err && edit->existed && edits->n > 1)
		err = write_beside(edit, edit->backup, edit->old, edit->old_len);
	return err ? failed(edit, err) : 0;
}

/* -------------------------------------------------------- committing --- */

/* Whether it is still the file that was read. */
static bool is_same(const struct edit *edit)
{
	struct stat now;

	if (fstatat(edit->place.folder, edit->place.name, &now, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT && !edit->existed;
	return edit->existed && now.st_ino == edit->st.st_ino &&
	       now.st_size == edit->st.st_size &&
	       now.st_mtim.tv_sec == edit->st.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == edit->st.st_mtim.tv_nsec;
}

static int rename_in(const struct edit *edit, const char *from, const char *to)
{
	return renameat(edit->place.folder, from, edit->place.folder, to) ? -errno : 0;
}

static int commit(struct edit *edit)
{
	const struct tree_place *place = &edit->place;
	int err = 0;

	if (!is_same(edit))
		return message_set(-EAGAIN, "%s%s: somebody else changes it at this moment",
				   edit->root, edit->path);
	if (edit->text)
		err = rename_in(edit, edit->temp, place->name);
	else if (unlinkat(place->folder, place->name, 0))
		err = -errno;
	if (err)
		return failed(edit, err);
	edit->done = true;
	*edit->temp = '\0';
	return 0;
}

static void drop_folder(struct edit *edit)
{
	(void)unlinkat(edit->above.folder, edit->above.name, AT_REMOVEDIR);
}

static void roll_back(struct edit *edit)
{
	int err = 0;

	if (edit->done && edit->existed)
		err = rename_in(edit, edit->backup, edit->place.name);
	else if (edit->done && unlinkat(edit->place.folder, edit->place.name, 0))
		err = -errno;
	if (err)
		cli_error("%s%s: %s: cannot be put back, its old text is in %s", edit->root,
			  edit->path, strerror(-err), edit->backup);
	if (err || edit->done)
		*edit->backup = '\0';
}

/* What was made beside the files. */
static void clean_up(struct edit *edit)
{
	if (*edit->temp)
		unlinkat(edit->place.folder, edit->temp, 0);
	if (*edit->backup)
		unlinkat(edit->place.folder, edit->backup, 0);
	if (edit->folder_made && !edit->done)
		drop_folder(edit);
}

/* So that the names are on the disk as well. */
static void sync_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int prepare_and_commit(struct edits *edits)
{
	int err = 0;
	size_t i;

	for (i = 0; i < edits->n && !err; i++)
		if (edits->all[i].changed)
			err = prepare(edits, &edits->all[i]);
	for (i = 0; i < edits->n && !err; i++)
		if (edits->all[i].changed)
			err = commit(&edits->all[i]);
	return err;
}

/* After an error what was done is undone, the last first. */
static void finish(const struct edits *edits, struct edit *edit, bool good)
{
	if (!good) {
		roll_back(edit);
		edit->done = false;
	}
	clean_up(edit);
	if (!good)
		return;
	sync_folder(edit->place.folder);
	if (edit->drops_folder && find_above(edits->tree, edit) == 0)
		drop_folder(edit);
	if (edit->above.folder >= 0)
		sync_folder(edit->above.folder);
}

/* A signal that would end the command waits, or something would stay half done. */
int edits_apply(struct edits *edits)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	err = prepare_and_commit(edits);
	for (size_t i = edits->n; i--;)
		if (edits->all[i].changed)
			finish(edits, &edits->all[i], !err);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

void edits_free(struct edits *edits)
{
	for (size_t i = 0; i < edits->n; i++) {
		struct edit *edit = &edits->all[i];

		if (edit->place.folder >= 0)
			close(edit->place.folder);
		if (edit->above.folder >= 0)
			close(edit->above.folder);
		free(edit->path);
		free(edit->old);
		free(edit->text);
	}
	free(edits->all);
	*edits = (struct edits){.tree = edits->tree};
}
