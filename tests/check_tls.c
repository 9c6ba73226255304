// SPDX-License-Identifier: BSD-2-Clause
/*
 * Room for static thread-local storage: the tunable read, replaced, added.
 */
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <string.h>

CHIC_ALLOC_MANUAL();

#define OURS "glibc.rtld.optional_static_tls"

static const struct {
	const char *tunables;
	size_t room;
} rooms[] = {
	{NULL, 512},
	{"", 512},
	{"glibc.malloc.perturb=3", 512},
	{OURS "=4096", 4096},
	{OURS "=0", 0},
	{OURS "=0x2000", 8192},
	{"a=b:" OURS "=4096", 4096},
	{OURS "=4096:a=b", 4096},
	{OURS "=4096:" OURS "=1", 1}, /* the linker takes the last */
	{"x" OURS "=4096", 512},
	{OURS "x=4096", 512},
	{OURS, 512},
	{":::" OURS "=7:", 7},
};

START_TEST(room)
{
	ck_assert_uint_eq(tls_room(rooms[_i].tunables), rooms[_i].room);
}
END_TEST

static const struct {
	const char *before;
	size_t need;
	const char *after;
} tunables[] = {
	{NULL, 0, OURS "=4096"},
	{"", 2632, OURS "=4096"},
	{NULL, 4095, OURS "=4096"},
	{NULL, 4096, OURS "=8192"},
	{NULL, 11072, OURS "=12288"},
	{OURS "=512", 2632, OURS "=4096"},
	{"a=b", 2632, "a=b:" OURS "=4096"},
	{"a=b:" OURS "=512:c=d", 2632, "a=b:c=d:" OURS "=4096"},
	{OURS "=1:" OURS "=2", 1, OURS "=4096"},
	{"::a=b::", 1, "a=b:" OURS "=4096"},
};

START_TEST(added_or_replaced)
{
	char *after = tls_tunables(tunables[_i].before, tunables[_i].need);

	ck_assert_str_eq(after, tunables[_i].after);
	ck_assert_uint_gt(tls_room(after), tunables[_i].need);
	free(after);
}
END_TEST

START_TEST(without_memory)
{
	fault_start(1);
	ck_assert_ptr_null(tls_tunables("a=b", 1));
	ck_assert(fault_stop());
}
END_TEST

START_TEST(of_files)
{
	ck_assert_uint_eq(tls_of_file(TEST_MODULE_DIR "/large_static_tls.so"), 128);
	ck_assert_uint_eq(tls_of_file(TEST_MODULE_DIR "/plain_malloc_family.so"), 0);
	ck_assert_uint_eq(tls_of_file(TEST_SRCDIR "/check_tls.c"), 0);
	ck_assert_uint_eq(tls_of_file("/none/x.so"), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, room, 0, ARRAY_SIZE(rooms));
	tcase_add_loop_test(t, added_or_replaced, 0, ARRAY_SIZE(tunables));
	tcase_add_test(t, without_memory);
	tcase_add_test(t, of_files);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
