// SPDX-License-Identifier: BSD-2-Clause
/*
 * locate.c: from an entry of a stack to a file.
 *
 * Modules are empty files in a folder below /tmp: nothing is read here.
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
#include <unistd.h>

static char dir[] = "/tmp/check_locate.XXXXXX";

static const char *in_dir(const char *name)
{
	static char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s/%s", dir, name);
	return buf;
}

static void make_file(const char *name)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fchmod(fd, 0644), 0);
	close(fd);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
	unsetenv("CHIC_ALLOC_MODULEDIR");
	locate_set_moduledir(dir);
}

static void teardown(void)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
	strcpy(dir, "/tmp/check_locate.XXXXXX");
}

static void assert_says(const char *text)
{
	ck_assert_msg(strstr(message_get(), text), "message \"%s\" lacks \"%s\"", message_get(),
		      text);
}

/* A configuration of one setting, path of the module "lib" in the file "conf". */
static const struct config *with_path(const char *value)
{
	static struct setting setting = {.section = (char *)"module lib",
					 .key = (char *)"path",
					 .file = "conf",
					 .line = 7};
	static struct config config = {.settings = &setting, .n_settings = 1};

	setting.value = (char *)value;
	return &config;
}

static void assert_found(const struct config *config, const char *entry, const char *name,
			 const char *path)
{
	struct location where;
	int err = locate_module(config, entry, false, &where);

	ck_assert_msg(err == 0, "%s: %s", entry, message_get());
	ck_assert_str_eq(where.name, name);
	ck_assert_str_eq(where.path, path);
	if (path[0] == '/' || where.file)
		ck_assert_int_eq(fcntl(where.fd, F_GETFD), FD_CLOEXEC);
	else
		ck_assert_int_eq(where.fd, -1);
	locate_free(&where);
	ck_assert_ptr_null(where.file);
	ck_assert_int_eq(where.fd, -1);
	ck_assert_ptr_null(where.path);
}

static void assert_refused(const struct config *config, const char *entry, bool secure, int err,
			   const char *text)
{
	struct location where;

	message_clear();
	ck_assert_int_eq(locate_module(config, entry, secure, &where), err);
	assert_says(text);
	ck_assert_int_eq(where.fd, -1);
	ck_assert_ptr_null(where.path);
	ck_assert_ptr_null(where.name);
}

START_TEST(name_in_moduledir)
{
	make_file("guard.so");

	assert_found(NULL, "guard", "guard", in_dir("guard.so"));
}
END_TEST

/* Entry, file that is there: '-' and '_' are the same. */
static const char *const linked[][2] = {
	{"a-b", "a-b.so"},     {"a-b", "a_b.so"},     {"a_b", "a-b.so"},
	{"a_b-c", "a_b_c.so"}, {"a_b-c", "a-b-c.so"},
};

START_TEST(dash_and_underscore)
{
	make_file(linked[_i][1]);

	assert_found(NULL, linked[_i][0], linked[_i][0], in_dir(linked[_i][1]));
}
END_TEST

/* The folder's own '-' and '_' stay. */
START_TEST(dash_in_folder)
{
	char folder[PATH_MAX];

	ck_assert_int_eq(mkdir(in_dir("m-d_s"), 0755), 0);
	make_file("m-d_s/a_b.so");
	strcpy(folder, in_dir("m-d_s"));
	locate_set_moduledir(folder);

	assert_found(NULL, "a-b", "a-b", in_dir("m-d_s/a_b.so"));
}
END_TEST

START_TEST(as_written_comes_first)
{
	make_file("a-b.so");
	make_file("a_b.so");

	assert_found(NULL, "a_b", "a_b", in_dir("a_b.so"));
	assert_found(NULL, "a-b", "a-b", in_dir("a-b.so"));
}
END_TEST

START_TEST(missing_name)
{
	char expected[PATH_MAX];

	snprintf(expected, sizeof(expected), "%s/a-b_c.so: No such file", dir);
	assert_refused(NULL, "a-b_c", false, -ENOENT, expected);
}
END_TEST

/* A file of the name that is not good is not passed over for another spelling. */
START_TEST(bad_file_is_an_error)
{
	make_file("a-b.so");
	make_file("a_b.so");
	ck_assert_int_eq(chmod(in_dir("a-b.so"), 0666), 0);

	assert_refused(NULL, "a-b", false, -EACCES, "a-b.so: found mode 0666");
}
END_TEST

START_TEST(invalid_names)
{
	static const char *const names[] = {"",	       "a b",	   "a.b",     ".so",
					    "lib.sox", "lib.so.x", "lib.so.", "allocator"};

	assert_refused(NULL, names[_i], false, -EINVAL, "expected a module's name");
	assert_says(names[_i]);
}
END_TEST

START_TEST(sonames)
{
	assert_found(NULL, "libmimalloc.so.2", "libmimalloc", "libmimalloc.so.2");
	assert_found(NULL, "libx.so", "libx", "libx.so");
	assert_found(NULL, "libtc-malloc.so.4.5.10", "libtc-malloc", "libtc-malloc.so.4.5.10");
	assert_found(NULL, "lib.so.so.1", "lib_so", "lib.so.so.1");
}
END_TEST

START_TEST(soname_with_its_file)
{
	struct location where;

	ck_assert_int_eq(locate_module(NULL, "libc.so.6", false, &where), 0);
	ck_assert_str_eq(where.path, "libc.so.6");
	ck_assert_ptr_nonnull(strstr(where.file, "/libc.so.6"));
	ck_assert_int_eq(fcntl(where.fd, F_GETFD), FD_CLOEXEC);
	locate_free(&where);
}
END_TEST

START_TEST(long_soname)
{
	char soname[101], name[NAME_MAX_LEN + 1];

	memset(soname, 'x', sizeof(soname));
	strcpy(soname + 97, ".so");
	memset(name, 'x', sizeof(name));
	name[NAME_MAX_LEN] = '\0';

	assert_found(NULL, soname, name, soname);
}
END_TEST

START_TEST(absolute_path)
{
	make_file("lib@x.so.1.2");

	assert_found(NULL, in_dir("lib@x.so.1.2"), "lib_x", in_dir("lib@x.so.1.2"));
}
END_TEST

START_TEST(link_is_resolved)
{
	make_file("libx.so.1.2");
	ck_assert_int_eq(symlink("libx.so.1.2", in_dir("libx.so")), 0);
	char entry[PATH_MAX];

	strcpy(entry, in_dir("libx.so"));
	assert_found(NULL, entry, "libx", in_dir("libx.so.1.2"));
}
END_TEST

START_TEST(relative_path)
{
	make_file("x.so");
	ck_assert_int_eq(chdir(dir), 0);

	assert_refused(NULL, "./x.so", false, -EINVAL, "./x.so: expected an absolute path");
}
END_TEST

START_TEST(path_without_so)
{
	make_file("module.txt");

	assert_refused(NULL, in_dir("module.txt"), false, -EINVAL, "expected NAME.so");
}
END_TEST

START_TEST(missing_path)
{
	assert_refused(NULL, in_dir("none.so"), false, -ENOENT, in_dir("none.so"));
}
END_TEST

START_TEST(configured_path)
{
	make_file("elsewhere.so");
	make_file("lib.so");

	assert_found(with_path(in_dir("elsewhere.so")), "lib", "lib", in_dir("elsewhere.so"));
}
END_TEST

START_TEST(configured_soname)
{
	assert_found(with_path("libnone.so.9"), "lib", "lib", "libnone.so.9");
}
END_TEST

/* The first that exists: neither a missing file nor an unknown soname is. */
START_TEST(configured_list)
{
	char list[2 * PATH_MAX];

	make_file("third.so");
	snprintf(list, sizeof(list),
		 "%s/first.so, libsecond-of-none.so.1,%s/third.so,libc.so.6", dir, dir);

	assert_found(with_path(list), "lib", "lib", in_dir("third.so"));
}
END_TEST

START_TEST(configured_list_of_sonames)
{
	assert_found(with_path("libnone.so.9, libc.so.6, libm.so.6"), "lib", "lib",
		     "libc.so.6");
}
END_TEST

START_TEST(configured_list_of_nothing)
{
	assert_refused(with_path("/none/a.so, libnone.so.9"), "lib", false, -ENOENT,
		       "conf:7: path: found none of '/none/a.so, libnone.so.9'");
}
END_TEST

START_TEST(configured_path_missing)
{
	assert_refused(with_path("/none/a.so"), "lib", false, -ENOENT,
		       "conf:7: path: /none/a.so: No such file");
}
END_TEST

START_TEST(configured_list_stops_at_bad_file)
{
	char list[2 * PATH_MAX];

	make_file("bad.so");
	make_file("good.so");
	ck_assert_int_eq(chmod(in_dir("bad.so"), 0666), 0);
	snprintf(list, sizeof(list), "%s/bad.so, %s/good.so", dir, dir);

	assert_refused(with_path(list), "lib", false, -EACCES, "bad.so: found mode 0666");
}
END_TEST

START_TEST(configured_path_bad)
{
	static const char *const values[] = {"", "x/y.so", "name", "/x/y", "/x/y.so,,/z.so"};

	message_clear();
	assert_refused(with_path(values[_i]), "lib", false, _i == 0 ? -ENOENT : -EINVAL,
		       "conf:7: path: ");
}
END_TEST

START_TEST(other_modules_path_does_not_count)
{
	make_file("other.so");

	assert_found(with_path("/none/a.so"), "other", "other", in_dir("other.so"));
}
END_TEST

START_TEST(secure_name)
{
	struct location where;

	make_file("guard.so");
	if (geteuid() != 0) /* only root's files count */
		return assert_refused(NULL, "guard", true, -EACCES, "found owner");
	ck_assert_int_eq(locate_module(NULL, "guard", true, &where), 0);
	ck_assert_str_eq(where.path, in_dir("guard.so"));
	locate_free(&where);
}
END_TEST

START_TEST(secure_refuses_the_rest)
{
	make_file("x.so");

	assert_refused(NULL, in_dir("x.so"), true, -EACCES, "in secure execution");
	assert_refused(NULL, "libc.so.6", true, -EACCES, "in secure execution");
	assert_refused(with_path(in_dir("x.so")), "lib", true, -EACCES, "in secure execution");
}
END_TEST

START_TEST(moduledir_by_environment)
{
	locate_set_moduledir(NULL);
	ck_assert_str_eq(locate_moduledir(), CHIC_ALLOC_MODULEDIR);
	setenv("CHIC_ALLOC_MODULEDIR", "", 1);
	ck_assert_str_eq(locate_moduledir(), CHIC_ALLOC_MODULEDIR);
	setenv("CHIC_ALLOC_MODULEDIR", dir, 1);
	ck_assert_str_eq(locate_moduledir(), dir);

	make_file("environ.so");
	assert_found(NULL, "environ", "environ", in_dir("environ.so"));
	assert_refused(NULL, "environ", true, -ENOENT, CHIC_ALLOC_MODULEDIR "/environ.so");
}
END_TEST

START_TEST(moduledir_relative)
{
	locate_set_moduledir(NULL);
	setenv("CHIC_ALLOC_MODULEDIR", "modules", 1);

	assert_refused(NULL, "guard", false, -EINVAL,
		       "found 'modules', expected an absolute path");
}
END_TEST

START_TEST(moduledir_without_environment)
{
	locate_set_moduledir(NULL);
	environ = NULL;

	ck_assert_str_eq(locate_moduledir(), CHIC_ALLOC_MODULEDIR);
}
END_TEST

/* A name, a soname, a path, a list: with every allocation failing in turn. */
START_TEST(without_memory)
{
	char list[2 * PATH_MAX] = "", path[PATH_MAX];
	const struct config *config = with_path(list);
	const char *entries[] = {"guard", "libx.so", path, "lib"};
	static const char *const said[] = {"guard", "libx.so", "guard.so", "memory"};
	bool reached = true;
	unsigned n;

	make_file("guard.so");
	strcpy(path, in_dir("guard.so"));
	snprintf(list, sizeof(list), "/none/x.so, libnone.so.1, %s", path);
	message_set(0, "a message has memory already");
	for (n = 1; reached; n++) {
		struct location where;
		int err;

		fault_start(n);
		err = locate_module(config, entries[_i], false, &where);
		reached = fault_stop();
		ck_assert_int_eq(err, reached ? -ENOMEM : 0);
		if (reached) {
			ck_assert_int_eq(where.fd, -1);
			ck_assert_ptr_null(where.name);
			assert_says(said[_i]);
		}
		locate_free(&where);
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

static TCase *entry_case(void)
{
	TCase *tc = make_case("entry");

	tcase_add_test(tc, name_in_moduledir);
	tcase_add_loop_test(tc, dash_and_underscore, 0, 5);
	tcase_add_test(tc, dash_in_folder);
	tcase_add_test(tc, as_written_comes_first);
	tcase_add_test(tc, missing_name);
	tcase_add_test(tc, bad_file_is_an_error);
	tcase_add_loop_test(tc, invalid_names, 0, 8);
	tcase_add_test(tc, sonames);
	tcase_add_test(tc, soname_with_its_file);
	tcase_add_test(tc, long_soname);
	tcase_add_test(tc, absolute_path);
	tcase_add_test(tc, link_is_resolved);
	tcase_add_test(tc, relative_path);
	tcase_add_test(tc, path_without_so);
	tcase_add_test(tc, missing_path);
	tcase_add_loop_test(tc, without_memory, 0, 4);
	return tc;
}

static TCase *config_case(void)
{
	TCase *tc = make_case("config");

	tcase_add_test(tc, configured_path);
	tcase_add_test(tc, configured_soname);
	tcase_add_test(tc, configured_list);
	tcase_add_test(tc, configured_list_of_sonames);
	tcase_add_test(tc, configured_list_of_nothing);
	tcase_add_test(tc, configured_path_missing);
	tcase_add_test(tc, configured_list_stops_at_bad_file);
	tcase_add_loop_test(tc, configured_path_bad, 0, 5);
	tcase_add_test(tc, other_modules_path_does_not_count);
	return tc;
}

static TCase *moduledir_case(void)
{
	TCase *tc = make_case("moduledir");

	tcase_add_test(tc, secure_name);
	tcase_add_test(tc, secure_refuses_the_rest);
	tcase_add_test(tc, moduledir_by_environment);
	tcase_add_test(tc, moduledir_relative);
	tcase_add_test(tc, moduledir_without_environment);
	return tc;
}

static Suite *locate_suite(void)
{
	Suite *suite = suite_create("locate");

	suite_add_tcase(suite, entry_case());
	suite_add_tcase(suite, config_case());
	suite_add_tcase(suite, moduledir_case());
	return suite;
}

CHECK_MAIN(locate_suite)
