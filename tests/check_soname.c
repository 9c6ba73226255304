// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sonames to files: what is in the process, what the linker would find, and what
 * it passes over.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

CHIC_ALLOC_MANUAL();

static const char *const there[] = {
	"libc.so.6", /* in this process */
	"libresolv.so.2", /* not */
};

START_TEST(a_library_that_is_there)
{
	char *path;
	int fd = soname_open(there[_i], &path);
	struct stat by_fd, by_path;

	ck_assert_msg(fd >= 0, "%s", message_get());
	ck_assert_int_eq(path[0], '/');
	ck_assert_str_eq(strrchr(path, '/') + 1, there[_i]);
	ck_assert_int_eq(fstat(fd, &by_fd), 0);
	ck_assert_int_eq(stat(path, &by_path), 0);
	ck_assert_uint_eq(by_fd.st_ino, by_path.st_ino);
	ck_assert(!elf_is_foreign(fd));
	close(fd);
	free(path);
}
END_TEST

START_TEST(a_library_that_is_not_there)
{
	char *path;

	ck_assert_int_eq(soname_open("libnone-of-this-name.so.9", &path), -ENOENT);
	ck_assert_ptr_null(path);
	ck_assert_ptr_nonnull(strstr(message_get(), "libnone-of-this-name.so.9: not found"));
}
END_TEST

START_TEST(the_end_of_a_name_is_no_name)
{
	char *path;

	ck_assert_int_eq(soname_open("resolv.so.2", &path), -ENOENT);
}
END_TEST

START_TEST(without_memory)
{
	char *path;
	unsigned n;
	int fd;

	message_set(0, "a message has memory already");
	for (n = 1;; n++) {
		fault_start(n);
		fd = soname_open("libresolv.so.2", &path);
		if (!fault_stop())
			break;
		ck_assert_int_eq(fd, -ENOMEM);
		ck_assert_ptr_null(path);
		ck_assert_ptr_nonnull(strstr(message_get(), "out of memory"));
	}
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_gt(n, 1);
	close(fd);
	free(path);
}
END_TEST

/* ------------------------------------------------------------ foreign --- */

static const struct {
	const char *what;
	size_t offset;
	uint8_t byte;
	bool foreign;
} heads[] = {
	{"as it is", EI_NIDENT + 100, 0, false},
	{"no ELF", 1, 'F', false}, /* that is for others to say */
	{"another class", EI_CLASS, ELFCLASSNONE, true},
	{"another byte order", EI_DATA, ELFDATANONE, true},
	{"another machine", offsetof(Elf64_Ehdr, e_machine), 0xb6, true},
};

START_TEST(files_of_other_machines)
{
	uint8_t bytes[256];
	int self = open("/proc/self/exe", O_RDONLY), fd = memfd_create("elf", 0);

	ck_assert_int_eq(read(self, bytes, sizeof(bytes)), sizeof(bytes));
	bytes[heads[_i].offset] = heads[_i].byte;
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	ck_assert_msg(elf_is_foreign(fd) == heads[_i].foreign, "%s", heads[_i].what);
	ck_assert_int_eq(ftruncate(fd, 20), 0);
	ck_assert_msg(!elf_is_foreign(fd), "cut: %s", heads[_i].what);
	close(fd);
	close(self);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("soname");
	TCase *t = tcase_create("soname");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, a_library_that_is_there, 0, ARRAY_SIZE(there));
	tcase_add_test(t, a_library_that_is_not_there);
	tcase_add_test(t, the_end_of_a_name_is_no_name);
	tcase_add_test(t, without_memory);
	tcase_add_loop_test(t, files_of_other_machines, 0, ARRAY_SIZE(heads));
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
