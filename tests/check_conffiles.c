// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_conffiles.c - which files are read, in which order, and which are not.
 */
#include "check_support.h"
#include "internal.h"

#include "fault.h"
#include "tmproot.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The list as one text, paths relative to the root, separated by blanks. */
static const char *text_of(const struct file_list *list)
{
	static char text[4096];
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < list->n; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "",
			      list->paths[i] + strlen(root) + 1);
	return text;
}

typedef int (*find_fn)(const char *named, bool secure, struct file_list *out);

static void expect_of(find_fn find, const char *named, bool secure, const char *paths)
{
	struct file_list list;

	ck_assert_msg(find(named, secure, &list) == 0, "%s", message_get());
	ck_assert_str_eq(text_of(&list), paths);
	conffiles_free(&list);
	ck_assert_ptr_null(list.paths);
}

static void expect(const char *named, bool secure, const char *paths)
{
	expect_of(conffiles_find, named, secure, paths);
}

static void expect_presets(const char *named, bool secure, const char *paths)
{
	expect_of(conffiles_presets, named, secure, paths);
}

START_TEST(nothing_there_is_fine)
{
	expect(NULL, false, "");
}
END_TEST

static void put_all(void)
{
	put("etc/chic-alloc.conf.d/90-local.conf", "");
	put("etc/chic-alloc.conf.d/10-first.conf", "");
	put("etc/chic-alloc.conf", "");
	put("run/50-now.conf", "");
	put("presets/mimalloc.conf", "");
	put("presets/jemalloc.conf", "");
}

START_TEST(folders_in_their_order_and_names_sorted)
{
	put_all();

	expect(NULL, false,
	       "run/50-now.conf etc/chic-alloc.conf "
	       "etc/chic-alloc.conf.d/10-first.conf etc/chic-alloc.conf.d/90-local.conf");
	expect_presets(NULL, false, "presets/jemalloc.conf presets/mimalloc.conf");
}
END_TEST

START_TEST(names_sort_by_bytes)
{
	put("run/b.conf", "");
	put("run/10.conf", "");
	put("run/9.conf", "");
	put("run/B.conf", "");

	expect(NULL, false, "run/10.conf run/9.conf run/B.conf run/b.conf");
}
END_TEST

START_TEST(only_names_that_end_in_conf)
{
	put("run/a.conf", "");
	put("run/a.conf~", "");
	put("run/a.conf.dpkg-old", "");
	put("run/aconf", "");
	put("run/.conf", "");
	put("run/.hidden.conf", "");

	expect(NULL, false, "run/a.conf");
}
END_TEST

/* Where nothing is installed; it names one folder in place of the build's alone. */
START_TEST(a_folder_of_presets_in_the_environment)
{
	struct file_list list;

	put("elsewhere/a.conf", "");
	conffiles_set_roots(NULL);
	ck_assert_int_eq(setenv("CHIC_ALLOC_PRESETDIR", in_root("elsewhere"), 1), 0);
	ck_assert_int_eq(conffiles_presets("/none", false, &list), 0);
	ck_assert_uint_eq(list.n, 1);
	ck_assert_str_eq(list.paths[0], in_root("elsewhere/a.conf"));
	conffiles_free(&list);
	ck_assert_int_eq(conffiles_presets("/none", true, &list), 0);
	for (size_t i = 0; i < list.n; i++)
		ck_assert_str_ne(list.paths[i], in_root("elsewhere/a.conf"));
	conffiles_free(&list);
	ck_assert_int_eq(setenv("CHIC_ALLOC_PRESETDIR", "elsewhere", 1), 0);
	ck_assert_int_eq(conffiles_presets("/none", false, &list), -EINVAL);
	ck_assert_str_eq(message_get(), "CHIC_ALLOC_PRESETDIR: found 'elsewhere', expected an "
					"absolute path");
}
END_TEST

START_TEST(a_later_folder_replaces_by_basename)
{
	put("presets/a.conf", "");
	put("presets/b.conf", "");
	put("presets/d.conf", "");
	put("run/b.conf", "");
	put("run/c.conf", "");
	put("etc/chic-alloc.conf.d/a.conf", "");
	put("etc/chic-alloc.conf.d/c.conf", "");

	expect(NULL, false,
	       "run/b.conf etc/chic-alloc.conf.d/a.conf etc/chic-alloc.conf.d/c.conf");
	expect_presets(NULL, false, "presets/d.conf");
}
END_TEST

START_TEST(the_systems_file_is_not_replaced_by_a_drop_in_of_its_name)
{
	put("presets/chic-alloc.conf", "");
	put("etc/chic-alloc.conf", "");
	put("etc/chic-alloc.conf.d/chic-alloc.conf", "");

	expect(NULL, false, "etc/chic-alloc.conf etc/chic-alloc.conf.d/chic-alloc.conf");
	expect_presets(NULL, false, "");
}
END_TEST

START_TEST(a_link_to_dev_null_masks)
{
	put("presets/a.conf", "");
	put("presets/b.conf", "");
	put_link("run/a.conf", "/dev/null");
	put_link("etc/chic-alloc.conf.d/b.conf", "/dev/null");
	put_link("etc/chic-alloc.conf", "/dev/null");

	expect(NULL, false, "");
	expect_presets(NULL, false, "");
}
END_TEST

START_TEST(a_masked_name_may_come_back_later)
{
	put("presets/a.conf", "");
	put_link("run/a.conf", "/dev/null");
	put("etc/chic-alloc.conf.d/a.conf", "");

	expect(NULL, false, "etc/chic-alloc.conf.d/a.conf");
	expect_presets(NULL, false, "");
}
END_TEST

START_TEST(other_links_are_files)
{
	put("real", "");
	put_link("run/a.conf", "../real");
	put_link("run/dangling.conf", "/dev/nullify");
	put_link("etc/chic-alloc.conf", "nowhere");

	expect(NULL, false, "run/a.conf run/dangling.conf etc/chic-alloc.conf");
}
END_TEST

START_TEST(a_named_file_replaces_all_but_the_presets)
{
	put_all();

	put("run/jemalloc.conf", "");
	expect(in_root("mine"), false, "mine");
	expect("/dev/null", false, "");
	expect_presets(in_root("mine"), false, "presets/jemalloc.conf presets/mimalloc.conf");
	expect_presets(NULL, false, "presets/mimalloc.conf");
}
END_TEST

START_TEST(a_named_file_is_ignored_under_secure_execution)
{
	put("etc/chic-alloc.conf", "");

	put("presets/a.conf", "");
	put_link("etc/chic-alloc.conf.d/a.conf", "/dev/null");
	expect(in_root("mine"), true, "etc/chic-alloc.conf");
	expect_presets(in_root("mine"), true, "");
}
END_TEST

static void expect_refused(int err, const char *path, const char *reason)
{
	struct file_list list;
	char message[PATH_MAX];

	snprintf(message, sizeof(message),
		 "%s: cannot be read (%s), expected a readable folder or none", in_root(path),
		 reason);
	ck_assert_int_eq(conffiles_find(NULL, false, &list), err);
	ck_assert_str_eq(message_get(), message);
	ck_assert_uint_eq(list.n, 0);
	ck_assert_ptr_null(list.paths);
}

START_TEST(a_folder_that_is_a_file_is_an_error)
{
	put("run/a.conf", "");
	put("etc/chic-alloc.conf.d", "");

	expect_refused(-ENOTDIR, "etc/chic-alloc.conf.d", "Not a directory");
}
END_TEST

START_TEST(an_unreadable_folder_is_an_error)
{
	put("presets/a.conf", "");
	put("run/a.conf", "");
	ck_assert_int_eq(chmod(in_root("run"), 0), 0);
	ck_assert_int_eq(chmod(root, 0755), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);

	expect_refused(-EACCES, "run", "Permission denied");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(chmod(in_root("run"), 0755), 0);
}
END_TEST

/* As man's sandbox does; false if the kernel has none. */
static bool forbid_listing(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/*
 * Presets decide nothing: ours is known by name, others are left out.  Drop-ins may
 * decide: without these a program must not be switched.
 */
static int status_in_sandbox(void)
{
	struct file_list list;

	if (!forbid_listing())
		return 0;
	if (conffiles_presets("/some/file", false, &list) ||
	    strcmp(text_of(&list), "presets/vendors.conf") != 0)
		return 1;
	return conffiles_find(NULL, false, &list) == -ENOSYS ? 0 : 2;
}

START_TEST(a_sandbox_that_hides_folders_hides_presets)
{
	pid_t child;
	int status;

	put_all();
	put("presets/vendors.conf", "");
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		_exit(status_in_sandbox());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void expect_to_survive(find_fn find, size_t files)
{
	struct file_list list;
	unsigned n;
	int err;

	for (n = 1;; n++) {
		fault_start(n);
		err = find(NULL, false, &list);
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_uint_eq(list.n, 0);
		ck_assert_ptr_null(list.paths);
	}

	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 5);
	ck_assert_uint_eq(list.n, files);
	conffiles_free(&list);
}

START_TEST(survives_lack_of_memory)
{
	put_all();
	put("run/90-local.conf", "");
	put("run/mimalloc.conf", "");
	expect_to_survive(conffiles_find, 5);
	expect_to_survive(conffiles_presets, 1);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("conffiles");
	TCase *t = tcase_create("conffiles");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_checked_fixture(t, root_setup, root_teardown);
	tcase_add_test(t, nothing_there_is_fine);
	tcase_add_test(t, folders_in_their_order_and_names_sorted);
	tcase_add_test(t, names_sort_by_bytes);
	tcase_add_test(t, only_names_that_end_in_conf);
	tcase_add_test(t, a_folder_of_presets_in_the_environment);
	tcase_add_test(t, a_later_folder_replaces_by_basename);
	tcase_add_test(t, the_systems_file_is_not_replaced_by_a_drop_in_of_its_name);
	tcase_add_test(t, a_link_to_dev_null_masks);
	tcase_add_test(t, a_masked_name_may_come_back_later);
	tcase_add_test(t, other_links_are_files);
	tcase_add_test(t, a_named_file_replaces_all_but_the_presets);
	tcase_add_test(t, a_named_file_is_ignored_under_secure_execution);
	tcase_add_test(t, a_folder_that_is_a_file_is_an_error);
	tcase_add_test(t, an_unreadable_folder_is_an_error);
	tcase_add_test(t, a_sandbox_that_hides_folders_hides_presets);
	tcase_add_test(t, survives_lack_of_memory);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
