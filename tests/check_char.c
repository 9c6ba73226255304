// SPDX-License-Identifier: BSD-2-Clause
/*
 * Characters: every one of them against rules that the tables do not know, and some
 * against what Unicode says of them.
 */
#include "check_support.h"
#include "ledger.h"

#include <locale.h>
#include <wctype.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

static int32_t status(uint64_t packed)
{
	return chic_rt_char_status(packed);
}

static chic_char upper(chic_char c)
{
	return chic_rt_char_value(chic_rt_char_to_upper(c));
}

static chic_char lower(chic_char c)
{
	return chic_rt_char_value(chic_rt_char_to_lower(c));
}

START_TEST(surrogates_are_no_characters)
{
	for (unsigned c = 0; c <= 0xffff; c++) {
		bool scalar = c < 0xd800 || c > 0xdfff;

		MUST(chic_rt_char_is_scalar(c) == scalar);
		MUST((chic_rt_char_is_digit(c) >= 0) == scalar);
		MUST((chic_rt_char_is_letter(c) >= 0) == scalar);
		MUST((chic_rt_char_is_whitespace(c) >= 0) == scalar);
		if (scalar)
			continue;
		MUST(chic_rt_char_is_digit(c) == -1 && chic_rt_char_is_letter(c) == -1);
		MUST(chic_rt_char_is_whitespace(c) == -1);
		MUST(chic_rt_char_to_upper(c) == (uint64_t)1 << 32);
		MUST(chic_rt_char_to_lower(c) == (uint64_t)1 << 32);
		MUST(chic_rt_char_from_codepoint(c) == (uint64_t)1 << 32);
	}
}
END_TEST

START_TEST(codepoints_are_characters_up_to_ffff)
{
	for (uint32_t c = 0; c <= 0xffff; c++)
		if (chic_rt_char_is_scalar(c))
			MUST(chic_rt_char_from_codepoint(c) == c);
	ck_assert_int_eq(status(chic_rt_char_from_codepoint(0x10000)), ChicChar_InvalidScalar);
	ck_assert_int_eq(status(chic_rt_char_from_codepoint(0x10ffff)), 1);
	ck_assert_int_eq(status(chic_rt_char_from_codepoint(0x110000)), 1);
	ck_assert_int_eq(status(chic_rt_char_from_codepoint(UINT32_MAX)), 1);
}
END_TEST

START_TEST(ascii_is_what_it_always_was)
{
	for (int c = 0; c < 128; c++) {
		bool small = c >= 'a' && c <= 'z', large = c >= 'A' && c <= 'Z';

		ck_assert_int_eq(chic_rt_char_is_digit(c), c >= '0' && c <= '9');
		ck_assert_int_eq(chic_rt_char_is_letter(c), small || large);
		ck_assert_int_eq(chic_rt_char_is_whitespace(c),
				 c == ' ' || (c >= '\t' && c <= '\r'));
		ck_assert_uint_eq(chic_rt_char_to_upper(c), (uint64_t)(small ? c - 32 : c));
		ck_assert_uint_eq(chic_rt_char_to_lower(c), (uint64_t)(large ? c + 32 : c));
	}
}
END_TEST

/* Rows of the database, chosen at ends and gaps of ranges. */
static const struct {
	chic_char c, upper, lower;
	bool letter, digit, space;
} known[] = {
	{0x00aa, 0x00aa, 0x00aa, true, false, false},
	{0x00b2, 0x00b2, 0x00b2, false, true, false},
	{0x00b5, 0x039c, 0x00b5, true, false, false},
	{0x00d7, 0x00d7, 0x00d7, false, false, false},
	{0x00e7, 0x00c7, 0x00e7, true, false, false},
	{0x00ff, 0x0178, 0x00ff, true, false, false},
	{0x0100, 0x0100, 0x0101, true, false, false},
	{0x012f, 0x012e, 0x012f, true, false, false},
	{0x0131, 0x0049, 0x0131, true, false, false},
	{0x0178, 0x0178, 0x00ff, true, false, false},
	{0x01c5, 0x01c4, 0x01c6, true, false, false},
	{0x0345, 0x0399, 0x0345, true, false, false},
	{0x03c2, 0x03a3, 0x03c2, true, false, false},
	{0x0430, 0x0410, 0x0430, true, false, false},
	{0x0660, 0x0660, 0x0660, false, true, false},
	{0x10d0, 0x1c90, 0x10d0, true, false, false},
	{0x13a0, 0x13a0, 0xab70, true, false, false},
	{0x1680, 0x1680, 0x1680, false, false, true},
	{0x1e9e, 0x1e9e, 0x00df, true, false, false},
	{0x2028, 0x2028, 0x2028, false, false, true},
	{0x200b, 0x200b, 0x200b, false, false, false},
	{0x2126, 0x2126, 0x03c9, true, false, false},
	{0x2160, 0x2160, 0x2170, true, true, false},
	{0x2460, 0x2460, 0x2460, false, true, false},
	{0x24d0, 0x24b6, 0x24d0, true, false, false},
	{0x3000, 0x3000, 0x3000, false, false, true},
	{0x3007, 0x3007, 0x3007, true, true, false},
	{0x4e00, 0x4e00, 0x4e00, true, false, false},
	{0xa64a, 0xa64a, 0xa64b, true, false, false},
	{0xabbf, 0x13ef, 0xabbf, true, false, false},
	{0xd7a3, 0xd7a3, 0xd7a3, true, false, false},
	{0xe000, 0xe000, 0xe000, false, false, false},
	{0xff41, 0xff21, 0xff41, true, false, false},
	{0xffff, 0xffff, 0xffff, false, false, false},
};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

START_TEST(unicode_is_known)
{
	chic_char c = known[_i].c;

	ck_assert_int_eq(chic_rt_char_is_letter(c), known[_i].letter);
	ck_assert_int_eq(chic_rt_char_is_digit(c), known[_i].digit);
	ck_assert_int_eq(chic_rt_char_is_whitespace(c), known[_i].space);
	ck_assert_uint_eq(upper(c), known[_i].upper);
	ck_assert_uint_eq(lower(c), known[_i].lower);
	ck_assert_int_eq(status(chic_rt_char_to_upper(c)), ChicChar_Success);
	ck_assert_int_eq(status(chic_rt_char_to_lower(c)), ChicChar_Success);
}
END_TEST

START_TEST(what_becomes_several_says_so)
{
	unsigned uppers = 0, lowers = 0;

	ck_assert_int_eq(status(chic_rt_char_to_upper(0xdf)), ChicChar_ComplexMapping);
	ck_assert_uint_eq(upper(0xdf), 'S');
	ck_assert_int_eq(status(chic_rt_char_to_upper(0xfb03)), ChicChar_ComplexMapping);
	ck_assert_uint_eq(upper(0xfb03), 'F');
	ck_assert_int_eq(status(chic_rt_char_to_lower(0x130)), ChicChar_ComplexMapping);
	ck_assert_uint_eq(lower(0x130), 'i');
	for (unsigned c = 0; c <= 0xffff; c++) {
		uppers += status(chic_rt_char_to_upper(c)) == ChicChar_ComplexMapping;
		lowers += status(chic_rt_char_to_lower(c)) == ChicChar_ComplexMapping;
	}
	ck_assert_uint_eq(uppers, 102);
	ck_assert_uint_eq(lowers, 1);
}
END_TEST

/* How many there are of each kind, by the database. */
START_TEST(none_is_forgotten)
{
	unsigned letters = 0, digits = 0, spaces = 0;

	for (unsigned c = 0; c <= 0xffff; c++) {
		letters += chic_rt_char_is_letter(c) == 1;
		digits += chic_rt_char_is_digit(c) == 1;
		spaces += chic_rt_char_is_whitespace(c) == 1;
	}
	ck_assert_uint_eq(spaces, 25);
	ck_assert_uint_eq(letters, 49876);
	ck_assert_uint_eq(digits, 735);
}
END_TEST

/* Another implementation, of another version: what has no case may have got one. */
START_TEST(the_c_library_agrees)
{
	unsigned differ = 0, cased = 0;

	if (!setlocale(LC_CTYPE, "C.UTF-8") || towupper(0xe9) != 0xc9)
		return;
	for (unsigned c = 0; c <= 0xffff; c++) {
		uint64_t to_upper = chic_rt_char_to_upper(c);
		uint64_t to_lower = chic_rt_char_to_lower(c);

		if (status(to_upper) || status(to_lower))
			continue;
		cased += to_upper != c || to_lower != c;
		differ += to_upper != towupper(c) || to_lower != towlower(c);
	}
	ck_assert_uint_gt(cased, 2000);
	ck_assert_uint_lt(differ, 100);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("char");
	TCase *tcase = tcase_create("char");

	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, surrogates_are_no_characters);
	tcase_add_test(tcase, codepoints_are_characters_up_to_ffff);
	tcase_add_test(tcase, ascii_is_what_it_always_was);
	tcase_add_loop_test(tcase, unicode_is_known, 0, KNOWN);
	tcase_add_test(tcase, what_becomes_several_says_so);
	tcase_add_test(tcase, none_is_forgotten);
	tcase_add_test(tcase, the_c_library_agrees);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
