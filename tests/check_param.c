// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_param.c - values of parameters against their declaration.
 */
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <string.h>

#define G UINT64_C(1073741824)

static const struct {
	const char *text;
	int err;
	uint64_t bytes;
} sizes[] = {
	{"0", 0, 0},
	{"4096", 0, 4096},
	{"64K", 0, 65536},
	{"3M", 0, 3145728},
	{"1G", 0, G},
	{"64T", 0, 65536 * G},
	{"18446744073709551615", 0, UINT64_MAX},
	{"18446744073709551616", -ERANGE, 0},
	{"99999999999999999999999", -ERANGE, 0},
	{"16777216T", -ERANGE, 0},
	{"16777215T", 0, UINT64_C(16777215) << 40},
	{"", -EINVAL, 0},
	{"K", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1 ", -EINVAL, 0},
	{"64k", -EINVAL, 0},
	{"64KB", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"1.5M", -EINVAL, 0},
};

START_TEST(size_texts)
{
	uint64_t bytes = 0;

	ck_assert_int_eq(param_parse_size(sizes[_i].text, &bytes), sizes[_i].err);
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
	enum param_type type;
	char *range, *value;
	uint64_t number;
} good[] = {
	{PARAM_BOOL, "", "yes", 1},
	{PARAM_BOOL, "", "no", 0},
	{PARAM_BOOL, "", "true", 1},
	{PARAM_BOOL, "", "false", 0},
	{PARAM_BOOL, "", "on", 1},
	{PARAM_BOOL, "", "off", 0},
	{PARAM_BOOL, "", "1", 1},
	{PARAM_BOOL, "", "0", 0},
	{PARAM_UINT, "", "18446744073709551615", UINT64_MAX},
	{PARAM_UINT, NULL, "7", 7},
	{PARAM_UINT, "1-10", "1", 1},
	{PARAM_UINT, "1-10", "10", 10},
	{PARAM_UINT, "1-1K", "1024", 1024},
	{PARAM_SIZE, "4K-1G", "4K", 4096},
	{PARAM_SIZE, "4K-1G", "1G", G},
	{PARAM_SIZE, "4096-1048576", "64K", 65536},
	{PARAM_STRING, "", "", 0},
	{PARAM_STRING, "", "any text, really", 0},
	{PARAM_ENUM, "natural|byte", "natural", 0},
	{PARAM_ENUM, "natural|byte", "byte", 0},
	{PARAM_ENUM, "one", "one", 0},
};

START_TEST(good_values)
{
	struct modinfo_param param = {"p", good[_i].type, "", good[_i].range, ""};
	struct chic_module_param out = {0};

	ck_assert_int_eq(param_parse(&param, good[_i].value, "f:1", &out), 0);
	ck_assert_str_eq(out.name, "p");
	ck_assert_str_eq(out.text, good[_i].value);
	ck_assert_uint_eq(out.number, good[_i].number);
}
END_TEST

static const struct {
	enum param_type type;
	char *range, *value, *message;
} bad[] = {
	{PARAM_BOOL, "", "maybe",
	 "f:1: parameter p, got 'maybe', expected yes, no, true, false, on, off, 1 or 0"},
	{PARAM_BOOL, "", "", "f:1: parameter p, got ''"},
	{PARAM_BOOL, "", "Yes", "f:1: parameter p, got 'Yes'"},
	{PARAM_UINT, "1-10", "0",
	 "f:1: parameter p, got '0', expected a decimal number of 1-10"},
	{PARAM_UINT, "1-10", "11", "f:1: parameter p, got '11'"},
	{PARAM_UINT, "", "64K", "f:1: parameter p, got '64K', expected a decimal number"},
	{PARAM_UINT, "", "-1", "f:1: parameter p, got '-1'"},
	{PARAM_UINT, "", "18446744073709551616",
	 "f:1: parameter p, got '18446744073709551616'"},
	{PARAM_SIZE, "4K-1G", "4095",
	 "f:1: parameter p, got '4095', expected a decimal number of "
	 "bytes, also with K, M, G or T of 4K-1G"},
	{PARAM_SIZE, "4K-1G", "2G", "f:1: parameter p, got '2G'"},
	{PARAM_SIZE, "4K-1G", "lots", "f:1: parameter p, got 'lots'"},
	{PARAM_ENUM, "natural|byte", "nat",
	 "f:1: parameter p, got 'nat', expected one of natural|byte"},
	{PARAM_ENUM, "natural|byte", "natural|byte", "f:1: parameter p"},
	{PARAM_ENUM, "natural|byte", "", "f:1: parameter p, got ''"},
	{PARAM_UINT, "10-1", "5",
	 "parameter p: bad declared range, got '10-1', expected MIN-MAX"},
	{PARAM_UINT, "x", "5", "parameter p: bad declared range, got 'x'"},
	{PARAM_UINT, "1-2-3", "5", "parameter p: bad declared range, got '1-2-3'"},
};

START_TEST(bad_values)
{
	struct modinfo_param param = {"p", bad[_i].type, "", bad[_i].range, ""};
	struct chic_module_param out = {.number = 77};

	ck_assert_int_eq(param_parse(&param, bad[_i].value, "f:1", &out), -EINVAL);
	ck_assert_msg(strncmp(message_get(), bad[_i].message, strlen(bad[_i].message)) == 0,
		      "%s", message_get());
	ck_assert_uint_eq(out.number, 77);
}
END_TEST

/* ------------------------------------------------ whole modules --- */

static const struct modinfo guard = {
	.name = "my-guard",
	.params = {{"sample", PARAM_UINT, "1000", "1-1M", ""},
		   {"slot-size", PARAM_SIZE, "64K", "4K-1G", ""},
		   {"align", PARAM_ENUM, "natural", "natural|byte", ""}},
	.n_params = 3,
};

static struct config config_of(const char *text)
{
	struct config config = {0};

	ck_assert_int_eq(ini_text("f", text, strlen(text), settings_take, &config), 0);
	return config;
}

START_TEST(fill_takes_settings_and_defaults)
{
	struct config config = config_of("[module my_guard]\nsample = 5\npath = /x.so\n"
					 "slot_size = 8K\n[module other]\nfoo = 1\n");
	struct chic_module_param values[PARAMS_MAX];

	ck_assert_int_eq(param_fill(&guard, &config, "my-guard", values), 0);
	ck_assert_str_eq(values[0].name, "sample");
	ck_assert_uint_eq(values[0].number, 5);
	ck_assert_uint_eq(values[1].number, 8192);
	ck_assert_str_eq(values[2].text, "natural");
	config_free(&config);
}
END_TEST

static const struct {
	const char *text, *message;
} bad_configs[] = {
	{"[module my-guard]\n\nsampel = 5\n",
	 "f:3: unknown parameter of [module my-guard], got 'sampel', expected one of sample, "
	 "slot-size, align, path, prefix"},
	{"[module my-guard]\nsample = 0\n", "f:2: [module my-guard]: parameter sample, got "
					    "'0', expected a decimal number of 1-1M"},
	{"[module my_guard]\nalign = left\n",
	 "f:2: [module my_guard]: parameter align, got 'left', expected one of natural|byte"},
};

START_TEST(fill_refuses_with_file_and_line)
{
	struct config config = config_of(bad_configs[_i].text);
	struct chic_module_param values[PARAMS_MAX];

	ck_assert_int_eq(param_fill(&guard, &config, "my-guard", values), -EINVAL);
	ck_assert_str_eq(message_get(), bad_configs[_i].message);
	config_free(&config);
}
END_TEST

START_TEST(fill_refuses_a_bad_default)
{
	struct modinfo info = {.params = {{"n", PARAM_UINT, "many", "", ""}}, .n_params = 1};
	struct chic_module_param values[PARAMS_MAX];
	struct config config = {0};

	ck_assert_int_eq(param_fill(&info, &config, "pool", values), -EINVAL);
	ck_assert_str_eq(message_get(),
			 "default of pool.n: parameter n, got 'many', expected a "
			 "decimal number");
}
END_TEST

START_TEST(fill_names_the_origin_of_an_option)
{
	struct config_request request = {.options = "my-guard.sample=none"};
	struct chic_module_param values[PARAMS_MAX];
	struct config config = {0};

	ck_assert_int_eq(config_settle(&request, &config), 0);
	ck_assert_int_eq(param_fill(&guard, &config, "my-guard", values), -EINVAL);
	ck_assert_str_eq(message_get(),
			 "CHIC_ALLOC_OPTIONS: [module my-guard]: parameter sample, "
			 "got 'none', expected a decimal number of 1-1M");
	config_free(&config);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("param");
	TCase *t = tcase_create("param");

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_loop_test(t, size_texts, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(t, good_values, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(t, bad_values, 0, ARRAY_SIZE(bad));
	tcase_add_test(t, fill_takes_settings_and_defaults);
	tcase_add_loop_test(t, fill_refuses_with_file_and_line, 0, ARRAY_SIZE(bad_configs));
	tcase_add_test(t, fill_refuses_a_bad_default);
	tcase_add_test(t, fill_names_the_origin_of_an_option);
	suite_add_tcase(s, t);
	return s;
}

CHECK_MAIN(suite)
