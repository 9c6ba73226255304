// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings' ways to memory: the first block, one that grows, and UTF-16.
 */
#include "paths.h"

#include <string.h>

static ChicString string, dest, before;
static ChicCharSpan chars;

static const char thirty_two[] = "0123456789abcdef0123456789abcdef";
static const char sixty_four[] =
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static ChicStr str(const char *text)
{
	return (ChicStr){(const uint8_t *)text, strlen(text)};
}

static bool is(const ChicString *s, const char *text)
{
	ChicStr slice = chic_rt_string_as_slice(s);

	return slice.len == strlen(text) && memcmp(slice.ptr, text, slice.len) == 0;
}

/* The next byte needs memory: the first block, or a larger one. */
static void prepare_full_inside(void)
{
	before = string = chic_rt_string_from_slice(str(thirty_two));
	memset(&dest, 0x33, sizeof(dest));
}

static void prepare_full_block(void)
{
	string = chic_rt_string_with_capacity(64);
	ck_assert_int_eq(chic_rt_string_push_slice(&string, str(sixty_four)), 0);
	before = string;
	memset(&dest, 0x33, sizeof(dest));
}

static void clean(void)
{
	chic_rt_string_drop(&string);
}

static void clean_both(void)
{
	ChicString untouched;

	memset(&untouched, 0x33, sizeof(untouched));
	if (memcmp(&dest, &untouched, sizeof(dest)) != 0)
		chic_rt_string_drop(&dest);
	chic_rt_string_drop(&string);
}

static void clean_chars(void)
{
	chic_rt_chars_drop(chars);
	chars = (ChicCharSpan){0};
	chic_rt_string_drop(&string);
}

/* What is behind the text that was there before, or all as it was. */
static bool judge(int32_t status, const char *added)
{
	ChicStr slice = chic_rt_string_as_slice(&string);
	size_t len = before.len;

	if (status) {
		ck_assert_int_eq(status, ChicString_AllocationFailed);
		ck_assert_mem_eq(&string, &before, sizeof(string));
		return false;
	}
	ck_assert_uint_eq(slice.len, len + strlen(added));
	ck_assert_mem_eq(slice.ptr, sixty_four, len);
	ck_assert_mem_eq(slice.ptr + len, added, strlen(added));
	return true;
}

static bool judge_dest(int32_t status)
{
	ChicString untouched;

	memset(&untouched, 0x33, sizeof(untouched));
	if (status) {
		ck_assert_int_eq(status, ChicString_AllocationFailed);
		ck_assert_mem_eq(&dest, &untouched, sizeof(dest));
		return false;
	}
	ck_assert(is(&dest, sixty_four));
	return true;
}

/* An empty one is how those that have no status say that they failed. */
static bool judge_made(const char *text, size_t capacity)
{
	if (chic_rt_string_get_cap(&string) == CHIC_RT_STRING_INLINE_CAPACITY) {
		ck_assert_uint_eq(chic_rt_string_get_len(&string), 0);
		return false;
	}
	ck_assert_uint_eq(chic_rt_string_get_cap(&string), capacity);
	ck_assert(is(&string, text));
	return true;
}

static bool with_capacity(void)
{
	string = chic_rt_string_with_capacity(100);
	return judge_made("", 100);
}

static bool from_slice(void)
{
	string = chic_rt_string_from_slice(str(sixty_four));
	return judge_made(sixty_four, 64);
}

static bool clone(void)
{
	return judge_dest(chic_rt_string_clone(&dest, &string));
}

static bool clone_slice(void)
{
	return judge_dest(chic_rt_string_clone_slice(&dest, str(sixty_four)));
}

static bool reserve(void)
{
	return judge(chic_rt_string_reserve(&string, 1000), "");
}

static bool push_slice(void)
{
	return judge(chic_rt_string_push_slice(&string, str("more")), "more");
}

static bool push_itself(void)
{
	ChicStr part = chic_rt_string_as_slice(&string);

	part.len = 16;
	return judge(chic_rt_string_push_slice(&string, part), "0123456789abcdef");
}

static bool append_slice(void)
{
	return judge(chic_rt_string_append_slice(&string, str("more"), 6, 1), "  more");
}

static bool append_bool(void)
{
	return judge(chic_rt_string_append_bool(&string, true, 0, 0, str("")), "True");
}

static bool append_char(void)
{
	return judge(chic_rt_string_append_char(&string, 0x20ac, 0, 0, str("")),
		     "\xe2\x82\xac");
}

static bool append_signed(void)
{
	return judge(chic_rt_string_append_signed(&string, -7, -1, 32, 0, 0, str("")), "-7");
}

static bool append_unsigned(void)
{
	return judge(chic_rt_string_append_unsigned(&string, 0, 1, 128, 0, 0, str("x")),
		     "10000000000000000");
}

static bool append_f16(void)
{
	return judge(chic_rt_string_append_f16(&string, 0x3e00, 0, 0, str("")), "1.5");
}

static bool append_f32(void)
{
	return judge(chic_rt_string_append_f32(&string, 0.1f, 0, 0, str("")), "0.1");
}

static bool append_f64(void)
{
	return judge(chic_rt_string_append_f64(&string, 2.5, 0, 0, str("F3")), "2.500");
}

#ifdef __SIZEOF_INT128__
static bool append_f128(void)
{
	unsigned __int128 half = (unsigned __int128)0x3ffe << 112;

	return judge(chic_rt_string_append_f128(&string, half, 0, 0, str("")), "0.5");
}
#endif

static bool judge_chars(void)
{
	if (!chars.ptr)
		return false;
	ck_assert_uint_eq(chars.len, 64);
	for (size_t i = 0; i < chars.len; i++)
		ck_assert_uint_eq(chars.ptr[i], (chic_char)sixty_four[i]);
	return true;
}

static bool string_as_chars(void)
{
	chars = chic_rt_string_as_chars(&string);
	return judge_chars();
}

static bool str_as_chars(void)
{
	chars = chic_rt_str_as_chars(str(sixty_four));
	return judge_chars();
}

/* Out of the struct, and out of a block that is too small. */
#define BOTH(name, fn)                                                                         \
	{name ", out of the struct", prepare_full_inside, fn, clean},                          \
	{                                                                                      \
		name, prepare_full_block, fn, clean                                            \
	}

static const struct path paths[] = {
	{"string_with_capacity", NULL, with_capacity, clean},
	{"string_from_slice", NULL, from_slice, clean},
	{"string_clone", prepare_full_block, clone, clean_both},
	{"string_clone_slice", prepare_full_inside, clone_slice, clean_both},
	BOTH("string_reserve", reserve),
	BOTH("string_push_slice", push_slice),
	BOTH("string_push_slice, of itself", push_itself),
	BOTH("string_append_slice", append_slice),
	BOTH("string_append_bool", append_bool),
	BOTH("string_append_char", append_char),
	BOTH("string_append_signed", append_signed),
	BOTH("string_append_unsigned", append_unsigned),
	BOTH("string_append_f16", append_f16),
	BOTH("string_append_f32", append_f32),
	BOTH("string_append_f64", append_f64),
#ifdef __SIZEOF_INT128__
	BOTH("string_append_f128", append_f128),
#endif
	{"string_as_chars", prepare_full_block, string_as_chars, clean_chars},
	{"str_as_chars", NULL, str_as_chars, clean_chars},
	{NULL, NULL, NULL, NULL},
};

const struct path_family string_paths = {"string", paths};
