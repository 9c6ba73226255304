// SPDX-License-Identifier: BSD-2-Clause
/*
 * trust.c: who may have written a file that decides what code runs.
 *
 * Works in a folder of its own below /tmp.  What needs files of other users runs
 * as root only; each test is a process of its own, so that it may give up rights.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define STRANGER 4711
#define NEIGHBOUR 4712
#define NOBODY 65534

static char dir[] = "/tmp/check_trust.XXXXXX";
static char path[PATH_MAX];

static const char *in_dir(const char *name)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static void write_file(const char *name, const char *text, size_t len)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), len);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	close(fd);
}

/* The file "good" in the folder, whose path is in path. */
static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	write_file("good", "text", 4);
	strcpy(path, in_dir("good"));
}

static void teardown(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
	strcpy(dir, "/tmp/check_trust.XXXXXX");
}

static void assert_says(const char *text)
{
	ck_assert_msg(strstr(message_get(), text), "message \"%s\" lacks \"%s\"", message_get(),
		      text);
}

static void assert_refused(const char *file, bool secure, int err, const char *text)
{
	char *resolved = (char *)"untouched";

	ck_assert_int_eq(trust_open(file, secure, &resolved), err);
	ck_assert_str_eq(resolved, "untouched");
	assert_says(file);
	assert_says(text);
}

static void assert_trusted(const char *file, bool secure, const char *expected)
{
	char *resolved = NULL;
	int fd = trust_open(file, secure, &resolved);

	ck_assert_msg(fd >= 0, "%s", message_get());
	ck_assert_str_eq(resolved, expected);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	free(resolved);
	close(fd);
}

START_TEST(good_file)
{
	assert_trusted(path, false, path);
}
END_TEST

START_TEST(resolved_may_be_null)
{
	int fd = trust_open(path, false, NULL);

	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(relative_path)
{
	ck_assert_int_eq(chdir(dir), 0);

	assert_trusted("good", false, path);
	assert_trusted("./good", false, path);
}
END_TEST

START_TEST(relative_path_in_bad_folder)
{
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(chdir(dir), 0);

	assert_refused("good", false, -EACCES, dir);
}
END_TEST

/* Only folders that were looked at are known, and only until trust_end(). */
START_TEST(known_folders)
{
	char folder[PATH_MAX];

	ck_assert_int_eq(mkdir(in_dir("bad"), 0755), 0);
	write_file("bad/file", "x", 1);
	ck_assert_int_eq(chmod(in_dir("bad"), 0777), 0);
	trust_begin(folder);
	assert_trusted(path, false, path);
	assert_trusted(path, false, path);
	assert_refused(in_dir("bad/file"), false, -EACCES, "bad");
	ck_assert_int_eq(chmod(path, 0666), 0);
	assert_refused(path, false, -EACCES, "mode 0666");
	ck_assert_int_eq(chmod(path, 0644), 0);
	trust_end();
	ck_assert_int_eq(chmod(dir, 0777), 0);
	assert_refused(path, false, -EACCES, dir);
	unlink(in_dir("bad/file"));
	rmdir(in_dir("bad"));
}
END_TEST

START_TEST(missing)
{
	assert_refused(in_dir("none"), false, -ENOENT, "No such file");
}
END_TEST

START_TEST(empty_path)
{
	assert_refused("", false, -ENOENT, "No such file");
}
END_TEST

START_TEST(directory)
{
	assert_refused(dir, false, -EACCES, "found a directory, expected a regular file");
}
END_TEST

START_TEST(fifo_does_not_block)
{
	ck_assert_int_eq(mkfifo(in_dir("fifo"), 0644), 0);

	alarm(10);
	assert_refused(in_dir("fifo"), false, -EACCES, "found a FIFO, expected a regular file");
	alarm(0);
}
END_TEST

START_TEST(device)
{
	assert_refused("/dev/null", false, -EACCES, "found a character device");
}
END_TEST

START_TEST(below_a_file)
{
	assert_refused(in_dir("good/below"), false, -ENOTDIR, "Not a directory");
}
END_TEST

START_TEST(path_too_long)
{
	char *longest = malloc(2 * PATH_MAX);

	memset(longest, '/', 2 * PATH_MAX - 1);
	longest[2 * PATH_MAX - 1] = '\0';
	ck_assert_int_eq(trust_open(longest, false, NULL), -ENAMETOOLONG);
	free(longest);
}
END_TEST

START_TEST(writable_by_others)
{
	ck_assert_int_eq(chmod(path, 0666), 0);

	assert_refused(path, false, -EACCES, "found mode 0666");
}
END_TEST

START_TEST(writable_by_own_group)
{
	ck_assert_int_eq(chown(path, -1, getegid()), 0);
	ck_assert_int_eq(chmod(path, 0664), 0);

	assert_trusted(path, false, path);
}
END_TEST

/* rw- for the owner, a neighbour and the mask, r-- for all others; false: no such lists. */
static bool let_neighbour_write(const char *file)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} list = {2, {{1, 6, -1}, {2, 6, NEIGHBOUR}, {4, 4, -1}, {16, 6, -1}, {32, 4, -1}}};

	return setxattr(file, "system.posix_acl_access", &list, sizeof(list), 0) == 0;
}

START_TEST(writable_by_an_access_list)
{
	ck_assert_int_eq(chown(path, -1, getegid()), 0);
	if (let_neighbour_write(path))
		assert_refused(path, false, -EACCES, "mode 0664 with an access list");
}
END_TEST

START_TEST(folder_writable_by_an_access_list)
{
	ck_assert_int_eq(chown(dir, -1, getegid()), 0);
	if (let_neighbour_write(dir) && chmod(dir, 0775) == 0)
		assert_refused(path, false, -EACCES, "mode 0775 with an access list");
}
END_TEST

START_TEST(folder_writable_by_others)
{
	char expected[PATH_MAX];

	ck_assert_int_eq(chmod(dir, 0777), 0);

	snprintf(expected, sizeof(expected), "folder %s: found mode 0777", dir);
	assert_refused(path, false, -EACCES, expected);
}
END_TEST

START_TEST(far_folder_writable_by_others)
{
	ck_assert_int_eq(mkdir(in_dir("a"), 0755), 0);
	ck_assert_int_eq(mkdir(in_dir("a/b"), 0755), 0);
	write_file("a/b/file", "", 0);
	ck_assert_int_eq(chmod(in_dir("a"), 0777), 0);

	assert_refused(in_dir("a/b/file"), false, -EACCES, "/a: found mode 0777");
}
END_TEST

START_TEST(sticky_folder_writable_by_others)
{
	ck_assert_int_eq(chmod(dir, 01777), 0);

	assert_trusted(path, false, path);
}
END_TEST

START_TEST(link_to_good)
{
	ck_assert_int_eq(symlink("good", in_dir("link")), 0);

	assert_trusted(in_dir("link"), false, path);
}
END_TEST

START_TEST(link_to_nothing)
{
	ck_assert_int_eq(symlink("nowhere", in_dir("link")), 0);

	assert_refused(in_dir("link"), false, -ENOENT, "link to nowhere, which does not exist");
}
END_TEST

START_TEST(link_to_itself)
{
	ck_assert_int_eq(symlink("link", in_dir("link")), 0);

	assert_refused(in_dir("link"), false, -ELOOP, "symbolic links");
}
END_TEST

START_TEST(link_to_writable_by_others)
{
	ck_assert_int_eq(symlink("good", in_dir("link")), 0);
	ck_assert_int_eq(chmod(path, 0646), 0);

	assert_refused(in_dir("link"), false, -EACCES, "found mode 0646");
}
END_TEST

/* The link is in a good folder, the file is not. */
START_TEST(link_into_bad_folder)
{
	ck_assert_int_eq(mkdir(in_dir("bad"), 0755), 0);
	write_file("bad/file", "", 0);
	ck_assert_int_eq(symlink("bad/file", in_dir("link")), 0);
	ck_assert_int_eq(chmod(in_dir("bad"), 0777), 0);

	assert_refused(in_dir("link"), false, -EACCES, "/bad: found mode 0777");
}
END_TEST

/* The file is in a good folder, the link is not. */
START_TEST(link_in_bad_folder)
{
	ck_assert_int_eq(mkdir(in_dir("bad"), 0755), 0);
	ck_assert_int_eq(symlink("../good", in_dir("bad/link")), 0);
	ck_assert_int_eq(chmod(in_dir("bad"), 0777), 0);

	assert_refused(in_dir("bad/link"), false, -EACCES, "/bad: found mode 0777");
}
END_TEST

START_TEST(errors_leave_no_descriptor)
{
	int before = dup(0), after;

	close(before);
	ck_assert_int_eq(chmod(path, 0666), 0);
	assert_refused(path, false, -EACCES, "0666");
	after = dup(0);
	ck_assert_int_eq(after, before);
	close(after);
}
END_TEST

/* ------------------------------------------------------- of other users --- */

START_TEST(owned_by_stranger)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);

	assert_refused(path, false, -EACCES, "found owner 4711 (expected 0)");
}
END_TEST

START_TEST(folder_owned_by_stranger)
{
	ck_assert_int_eq(chown(dir, STRANGER, 0), 0);

	assert_refused(path, false, -EACCES, "found owner 4711 (expected 0)");
}
END_TEST

/* Its owner may replace what is in it, sticky or not. */
START_TEST(sticky_folder_owned_by_stranger)
{
	ck_assert_int_eq(chown(dir, STRANGER, 0), 0);
	ck_assert_int_eq(chmod(dir, 01777), 0);

	assert_refused(path, false, -EACCES, "found owner 4711");
}
END_TEST

START_TEST(link_to_file_of_stranger)
{
	ck_assert_int_eq(symlink("good", in_dir("link")), 0);
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);

	assert_refused(in_dir("link"), false, -EACCES, "found owner 4711");
}
END_TEST

START_TEST(owned_by_caller)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_trusted(path, false, path);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(owned_by_neighbour)
{
	ck_assert_int_eq(chown(path, NEIGHBOUR, 0), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_refused(path, false, -EACCES, "found owner 4712 (expected 0 or 4711)");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(owned_by_root_for_others)
{
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_trusted(path, false, path);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(unreadable)
{
	ck_assert_int_eq(chmod(path, 0600), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_refused(path, false, -EACCES, "Permission denied");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(writable_by_foreign_group)
{
	ck_assert_int_eq(chown(path, 0, STRANGER), 0);
	ck_assert_int_eq(chmod(path, 0664), 0);

	assert_refused(path, false, -EACCES, "found mode 0664 with group 4711");
}
END_TEST

START_TEST(folder_writable_by_foreign_group)
{
	ck_assert_int_eq(chown(dir, 0, STRANGER), 0);
	ck_assert_int_eq(chmod(dir, 0775), 0);

	assert_refused(path, false, -EACCES, "found mode 0775 with group 4711");
}
END_TEST

START_TEST(writable_by_callers_group)
{
	ck_assert_int_eq(chown(path, 0, STRANGER), 0);
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert_int_eq(setegid(STRANGER), 0);

	assert_trusted(path, false, path);
	ck_assert_int_eq(setegid(0), 0);
}
END_TEST

START_TEST(secure_takes_root)
{
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_trusted(path, true, path);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(secure_refuses_caller)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);
	ck_assert_int_eq(seteuid(STRANGER), 0);

	assert_refused(path, true, -EACCES, "found owner 4711 (expected 0)");
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(secure_refuses_callers_group)
{
	ck_assert_int_eq(chown(path, 0, STRANGER), 0);
	ck_assert_int_eq(chmod(path, 0664), 0);
	ck_assert_int_eq(setegid(STRANGER), 0);

	assert_refused(path, true, -EACCES, "found mode 0664 with group 4711");
	ck_assert_int_eq(setegid(0), 0);
}
END_TEST

/*
 * The loader's owner: this program is copied, given to a stranger, and started
 * to open a file of that stranger's.
 */
static int run_copy(unsigned owner, const char *argv0, const char *how)
{
	char command[3 * PATH_MAX], self[PATH_MAX] = "", copy[PATH_MAX];
	int status;
	pid_t pid;

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	strcpy(copy, in_dir("copy"));
	snprintf(command, sizeof(command), "cp %s %s", self, copy);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(chown(copy, owner, 0), 0);
	pid = fork();
	if (pid == 0) {
		execl(copy, argv0, how, path, NULL);
		_exit(126);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(owned_by_loaders_owner)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);

	ck_assert_int_eq(run_copy(STRANGER, "check_trust", "open"), 0);
}
END_TEST

START_TEST(loader_of_root_takes_no_stranger)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);

	ck_assert_int_eq(run_copy(0, "check_trust", "open"), 3);
}
END_TEST

/* argv[0] is the caller's to choose and says nothing about the loader. */
START_TEST(argv0_does_not_decide)
{
	char decoy[PATH_MAX];

	write_file("decoy", "", 0);
	ck_assert_int_eq(chown(in_dir("decoy"), STRANGER, 0), 0);
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);
	strcpy(decoy, in_dir("decoy"));

	ck_assert_int_eq(run_copy(0, decoy, "open"), 3);
}
END_TEST

/* But for what root's files seem to belong to in a user namespace. */
START_TEST(secure_refuses_loaders_owner)
{
	ck_assert_int_eq(chown(path, STRANGER, 0), 0);
	ck_assert_int_eq(run_copy(STRANGER, "check_trust", "open-secure"), 3);

	ck_assert_int_eq(chown(path, NOBODY, 0), 0);
	ck_assert_int_eq(run_copy(NOBODY, "check_trust", "open-secure"), 0);
}
END_TEST

/* --------------------------------------------------------------- reading --- */

static int read_good(size_t max, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	ck_assert_int_ge(fd, 0);
	err = trust_read(fd, path, max, text, len);
	close(fd);
	return err;
}

/* Sizes around that of a buffer, and the limit at and one below the size. */
START_TEST(read_sizes)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 70000};
	size_t size = sizes[_i], len = 99;
	char *want = malloc(size + 1), *text;

	memset(want, 'x', size + 1);
	write_file("good", want, size);
	ck_assert_int_eq(read_good(size, &text, &len), 0);
	ck_assert_uint_eq(len, size);
	ck_assert_int_eq(memcmp(text, want, size), 0);
	ck_assert_int_eq(text[size], '\0');
	free(text);
	if (size > 0)
		ck_assert_int_eq(read_good(size - 1, &text, &len), -EFBIG);
	free(want);
}
END_TEST

START_TEST(read_too_much)
{
	size_t len;
	char *text;

	ck_assert_int_eq(read_good(3, &text, &len), -EFBIG);
	assert_says(path);
	assert_says("found more than 3 bytes, expected at most 3");
}
END_TEST

/* Files whose size the system does not know beforehand. */
START_TEST(read_proc)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	size_t len;
	char *text;

	ck_assert_int_eq(trust_read(fd, "maps", 1 << 20, &text, &len), 0);
	ck_assert_uint_gt(len, 500);
	ck_assert_uint_eq(strlen(text), len);
	free(text);
	close(fd);
}
END_TEST

START_TEST(read_error)
{
	int fd = open(dir, O_RDONLY | O_CLOEXEC);
	size_t len;
	char *text;

	ck_assert_int_eq(trust_read(fd, dir, 100, &text, &len), -EISDIR);
	assert_says(dir);
	close(fd);
}
END_TEST

START_TEST(open_without_memory)
{
	bool reached = true;
	unsigned n;

	message_set(0, "a message has memory already");
	for (n = 1; reached; n++) {
		char *resolved = NULL;
		int fd;

		fault_start(n);
		fd = trust_open(path, false, &resolved);
		reached = fault_stop();
		if (reached) {
			ck_assert_int_eq(fd, -ENOMEM);
			ck_assert_ptr_null(resolved);
			assert_says(path);
			continue;
		}
		ck_assert_int_ge(fd, 0);
		free(resolved);
		close(fd);
	}
	ck_assert_uint_gt(n, 2);
}
END_TEST

START_TEST(read_without_memory)
{
	bool reached = true;
	unsigned n;

	message_set(0, "a message has memory already");
	for (n = 1; reached; n++) {
		int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), err;
		char *text = NULL;
		size_t len;

		fault_start(n);
		err = trust_read(fd, "maps", 1 << 20, &text, &len);
		reached = fault_stop();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
		ck_assert_int_eq(!text, reached);
		free(text);
		close(fd);
	}
	ck_assert_uint_gt(n, 2);
}
END_TEST

static TCase *make_case(const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, CHECK_TIMEOUT);
	return tc;
}

static TCase *anybody_case(void)
{
	TCase *tc = make_case("anybody");

	tcase_add_test(tc, good_file);
	tcase_add_test(tc, resolved_may_be_null);
	tcase_add_test(tc, relative_path);
	tcase_add_test(tc, known_folders);
	tcase_add_test(tc, relative_path_in_bad_folder);
	tcase_add_test(tc, missing);
	tcase_add_test(tc, empty_path);
	tcase_add_test(tc, directory);
	tcase_add_test(tc, fifo_does_not_block);
	tcase_add_test(tc, device);
	tcase_add_test(tc, below_a_file);
	tcase_add_test(tc, path_too_long);
	tcase_add_test(tc, writable_by_others);
	tcase_add_test(tc, writable_by_own_group);
	tcase_add_test(tc, writable_by_an_access_list);
	tcase_add_test(tc, folder_writable_by_an_access_list);
	tcase_add_test(tc, folder_writable_by_others);
	tcase_add_test(tc, far_folder_writable_by_others);
	tcase_add_test(tc, sticky_folder_writable_by_others);
	tcase_add_test(tc, link_to_good);
	tcase_add_test(tc, link_to_nothing);
	tcase_add_test(tc, link_to_itself);
	tcase_add_test(tc, link_to_writable_by_others);
	tcase_add_test(tc, link_into_bad_folder);
	tcase_add_test(tc, link_in_bad_folder);
	tcase_add_test(tc, errors_leave_no_descriptor);
	return tc;
}

static TCase *root_case(void)
{
	TCase *tc = make_case("root");

	tcase_add_test(tc, owned_by_stranger);
	tcase_add_test(tc, folder_owned_by_stranger);
	tcase_add_test(tc, sticky_folder_owned_by_stranger);
	tcase_add_test(tc, link_to_file_of_stranger);
	tcase_add_test(tc, owned_by_caller);
	tcase_add_test(tc, owned_by_neighbour);
	tcase_add_test(tc, owned_by_root_for_others);
	tcase_add_test(tc, unreadable);
	tcase_add_test(tc, writable_by_foreign_group);
	tcase_add_test(tc, folder_writable_by_foreign_group);
	tcase_add_test(tc, writable_by_callers_group);
	tcase_add_test(tc, secure_takes_root);
	tcase_add_test(tc, secure_refuses_caller);
	tcase_add_test(tc, secure_refuses_callers_group);
	tcase_add_test(tc, owned_by_loaders_owner);
	tcase_add_test(tc, loader_of_root_takes_no_stranger);
	tcase_add_test(tc, argv0_does_not_decide);
	tcase_add_test(tc, secure_refuses_loaders_owner);
	return tc;
}

static TCase *read_case(void)
{
	TCase *tc = make_case("read");

	tcase_add_loop_test(tc, read_sizes, 0, 7);
	tcase_add_test(tc, read_too_much);
	tcase_add_test(tc, read_proc);
	tcase_add_test(tc, read_error);
	tcase_add_test(tc, open_without_memory);
	tcase_add_test(tc, read_without_memory);
	return tc;
}

static Suite *trust_suite(void)
{
	Suite *suite = suite_create("trust");

	suite_add_tcase(suite, anybody_case());
	if (geteuid() == 0)
		suite_add_tcase(suite, root_case());
	suite_add_tcase(suite, read_case());
	return suite;
}

/* "open FILE": as a program of its own, for the tests of the loader's owner. */
int main(int argc, char **argv)
{
	if (argc == 3 && strncmp(argv[1], "open", 4) == 0)
		return trust_open(argv[2], strcmp(argv[1], "open-secure") == 0, NULL) >= 0 ? 0
											   : 3;
	return check_run(trust_suite());
}
