// SPDX-License-Identifier: BSD-2-Clause
/*
 * Module files opened: use counts, symbols of the file itself and no other,
 * families with a prefix and with posix_memalign alone, one file under two names.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "fault.h"
#include "internal.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CHIC_ALLOC_MANUAL();

#define SETTINGS_MAX 5

static struct setting settings[SETTINGS_MAX];
static struct config config;

static void setup(void)
{
	locate_set_moduledir(TEST_MODULE_DIR);
	log_open(LOG_TO_NONE, NULL, false);
	config = (struct config){.settings = settings};
}

/* [SECTION] KEY = VALUE */
static void set(const char *section, const char *key, const char *value)
{
	ck_assert_uint_lt(config.n_settings, SETTINGS_MAX);
	settings[config.n_settings++] = (struct setting){
		(char *)section, (char *)key, (char *)value, "conf", config.n_settings};
}

static struct module *get(const char *entry)
{
	struct module *m;

	ck_assert_msg(module_get(&config, entry, false, &m) == 0, "%s", message_get());
	return m;
}

static const char *fixture(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.so", TEST_MODULE_DIR, name);
	return path;
}

START_TEST(a_module_is_opened_once_and_counted)
{
	struct module *first = get("good_filter"), *again = get("good-filter");

	ck_assert_ptr_eq(first, again);
	ck_assert_uint_eq(first->uses, 2);
	ck_assert(first->native);
	module_put(first);
	module_put(first);
	ck_assert_ptr_eq(get("good_filter"), first);
}
END_TEST

START_TEST(exports_that_are_missing_stay_missing)
{
	const struct module *heap = get("heap_frees_no"), *filter = get("good_filter");

	ck_assert_ptr_nonnull((void *)heap->exports.alloc);
	ck_assert_ptr_null((void *)heap->exports.free);
	ck_assert_ptr_null((void *)heap->exports.init);
	ck_assert_ptr_ne((void *)heap->exports.alloc, (void *)filter->exports.alloc);
}
END_TEST

START_TEST(a_family_is_found_by_its_prefix)
{
	const struct module *m;

	set("module vendor", "path", fixture("prefixed_malloc_family"));
	set("module vendor", "prefix", "px_");
	m = get("vendor");

	ck_assert(!m->native);
	ck_assert_ptr_nonnull((void *)m->family.malloc);
	ck_assert_ptr_nonnull((void *)m->family.usable_size);
}
END_TEST

START_TEST(a_family_with_posix_memalign_alone)
{
	static const size_t aligns[] = {1, 2, 4, 8, 16, 64, 4096};
	const struct module *m;

	set("module vendor", "path", fixture("posix_malloc_family"));
	set("module vendor", "prefix", "po_");
	m = get("vendor");

	for (size_t i = 0; i < ARRAY_SIZE(aligns); i++) {
		void *p = m->family.memalign(aligns[i], 100);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % aligns[i], 0);
		ck_assert_uint_eq(m->family.usable_size(p), 100);
		m->family.free(p);
	}
	errno = 0;
	ck_assert_ptr_null(m->family.memalign(64, PTRDIFF_MAX));
	ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

START_TEST(another_prefix_is_another_family)
{
	const struct module *first, *second;
	char value[] = "px_";

	set("module vendor", "path", fixture("prefixed_malloc_family"));
	set("module vendor", "prefix", value);
	first = get("vendor");
	strcpy(value, "py_");
	ck_assert_int_eq(module_get(&config, "vendor", false, (struct module **)&second),
			 -EINVAL);
	ck_assert_ptr_nonnull(strstr(message_get(), "py_malloc"));
	strcpy(value, "px_");
	ck_assert_ptr_eq(get("vendor"), first);
}
END_TEST

START_TEST(a_file_under_a_wrong_name_is_refused_also_the_second_time)
{
	struct module *m;

	get("good_heap");
	set("module other", "path", fixture("good_heap"));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(module_get(&config, "other", false, &m), -EINVAL);
		ck_assert_ptr_nonnull(strstr(message_get(), "other"));
		ck_assert_ptr_nonnull(strstr(message_get(), "good_heap"));
	}
}
END_TEST

START_TEST(a_library_without_a_family_says_what_is_missing)
{
	struct module *m;

	ck_assert_int_eq(module_get(&config, "libm.so.6", false, &m), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message_get(), "libm.so.6"));
	ck_assert_ptr_nonnull(strstr(message_get(), "no malloc family"));
}
END_TEST

static const char *seen(const struct module *m, const char *when)
{
	const char *text = dlsym(m->handle, when);

	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(options_are_in_the_environment_while_a_library_starts)
{
	const struct module *m;

	set("module vendor", "path", fixture("reads_environment"));
	set("module vendor", "prefix", "re_");
	set("module vendor", "env", "RE_AT_*");
	set("module vendor", "open", "first");
	set("module vendor", "malloc", "second");
	m = get("vendor");
	ck_assert_str_eq(seen(m, "re_at_open"), "first");
	ck_assert_str_eq(seen(m, "re_at_malloc"), "second");
	ck_assert_ptr_null(getenv("RE_AT_OPEN"));
	ck_assert_ptr_null(getenv("RE_AT_MALLOC"));
}
END_TEST

START_TEST(options_are_read_once)
{
	char value[] = "first";
	struct module *m, *again;

	set("module vendor", "path", fixture("reads_environment"));
	set("module vendor", "prefix", "re_");
	set("module vendor", "env", "RE_AT_*");
	set("module vendor", "open", value);
	m = get("vendor");
	ck_assert_ptr_eq(get("vendor"), m);
	strcpy(value, "other");
	ck_assert_int_eq(module_get(&config, "vendor", false, &again), -EBUSY);
	ck_assert_ptr_nonnull(strstr(message_get(), "reads_environment.so: is loaded with"));
	ck_assert_uint_eq(m->uses, 2);
}
END_TEST

START_TEST(an_option_of_a_library_without_env_is_refused)
{
	struct module *m;

	set("module vendor", "path", fixture("reads_environment"));
	set("module vendor", "prefix", "re_");
	set("module vendor", "open", "x");
	ck_assert_int_eq(module_get(&config, "vendor", false, &m), -EINVAL);
	ck_assert_ptr_nonnull(strstr(message_get(), "conf:3: unknown parameter"));
}
END_TEST

START_TEST(every_allocation_failing_in_turn)
{
	struct module *m;
	unsigned n;
	int err;

	set("module vendor", "path", fixture("reads_environment"));
	set("module vendor", "prefix", "re_");
	set("module vendor", "env", "RE_AT_*");
	set("module vendor", "open", "x");
	for (n = 1;; n++) {
		fault_start(n);
		err = module_get(&config, "vendor", false, &m);
		if (!fault_stop())
			break;
		ck_assert_int_lt(err, 0);
		ck_assert_str_ne(message_get(), "");
	}
	ck_assert_uint_gt(n, 3);
	ck_assert_int_eq(err, 0);
	ck_assert_uint_eq(m->uses, 1);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *s = suite_create("module");
	TCase *t = tcase_create("module");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, a_module_is_opened_once_and_counted);
	tcase_add_test(t, exports_that_are_missing_stay_missing);
	tcase_add_test(t, a_family_is_found_by_its_prefix);
	tcase_add_test(t, a_family_with_posix_memalign_alone);
	tcase_add_test(t, another_prefix_is_another_family);
	tcase_add_test(t, a_file_under_a_wrong_name_is_refused_also_the_second_time);
	tcase_add_test(t, a_library_without_a_family_says_what_is_missing);
	tcase_add_test(t, options_are_in_the_environment_while_a_library_starts);
	tcase_add_test(t, options_are_read_once);
	tcase_add_test(t, an_option_of_a_library_without_env_is_refused);
	tcase_add_test(t, every_allocation_failing_in_turn);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(make_suite)
