// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values as text: what the formats say, beside printf over many random values, and
 * what the shortest text promises: it reads back, and no shorter one does.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "ledger.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { VALUES = 20000 };

static ChicString string;
static char text[40000]; /* the last one appended */

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	string = chic_rt_string_new();
}

static void teardown(void)
{
	chic_rt_string_drop(&string);
	ledger_nothing_left();
	ledger_remove();
}

static ChicStr str(const char *format)
{
	return (ChicStr){(const uint8_t *)format, strlen(format)};
}

/* What was appended to an empty string, which is empty again afterwards. */
static const char *result(int32_t status)
{
	ChicStr slice = chic_rt_string_as_slice(&string);

	MUST(status == ChicString_Success && slice.len < sizeof(text));
	memcpy(text, slice.ptr, slice.len);
	text[slice.len] = '\0';
	chic_rt_string_truncate(&string, 0);
	return text;
}

static const char *f64(double value, const char *format)
{
	return result(chic_rt_string_append_f64(&string, value, 0, 0, str(format)));
}

static const char *f32(float value, const char *format)
{
	return result(chic_rt_string_append_f32(&string, value, 0, 0, str(format)));
}

static const char *f16(unsigned bits, const char *format)
{
	return result(chic_rt_string_append_f16(&string, bits, 0, 0, str(format)));
}

static const char *int_signed(uint64_t low, uint64_t high, unsigned bits, const char *format)
{
	return result(
		chic_rt_string_append_signed(&string, low, high, bits, 0, 0, str(format)));
}

static const char *int_unsigned(uint64_t low, uint64_t high, unsigned bits, const char *format)
{
	return result(
		chic_rt_string_append_unsigned(&string, low, high, bits, 0, 0, str(format)));
}

static uint64_t random_state = 0x9e3779b97f4a7c15u;

static uint64_t random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* ---- bool, char, slices: alignment ---- */

static const char *padded_bool(bool value, int32_t alignment, const char *format)
{
	return result(chic_rt_string_append_bool(&string, value, alignment, 1, str(format)));
}

START_TEST(bools_have_three_cases)
{
	ck_assert_str_eq(padded_bool(true, 0, ""), "True");
	ck_assert_str_eq(padded_bool(false, 0, ""), "False");
	ck_assert_str_eq(padded_bool(true, 0, "u"), "TRUE");
	ck_assert_str_eq(padded_bool(false, 0, "U"), "FALSE");
	ck_assert_str_eq(padded_bool(true, 6, "l"), "  true");
	ck_assert_str_eq(padded_bool(false, -8, "L"), "false   ");
	ck_assert_str_eq(padded_bool(false, 2, "  u "), "FALSE");
	ck_assert_str_eq(padded_bool(true, 5, "   "), " True");
	ck_assert_str_eq(padded_bool(true, 0, "xyz"), "True");
}
END_TEST

static const char *padded(const char *slice, int32_t alignment, int32_t has_alignment)
{
	return result(
		chic_rt_string_append_slice(&string, str(slice), alignment, has_alignment));
}

START_TEST(widths_are_in_characters)
{
	ck_assert_str_eq(padded("abc", 5, 1), "  abc");
	ck_assert_str_eq(padded("abc", -5, 1), "abc  ");
	ck_assert_str_eq(padded("abc", 5, 0), "abc");
	ck_assert_str_eq(padded("abc", 0, 1), "abc");
	ck_assert_str_eq(padded("abc", 3, 1), "abc");
	ck_assert_str_eq(padded("", 2, -1), "  ");
	ck_assert_str_eq(padded("\xc3\xa9\xe2\x82\xac", 4, 1), "  \xc3\xa9\xe2\x82\xac");
	ck_assert_str_eq(padded("\xf0\x9f\x98\x80", -3, 1), "\xf0\x9f\x98\x80  ");
}
END_TEST

START_TEST(chars_are_utf8)
{
	ck_assert_str_eq(result(chic_rt_string_append_char(&string, '!', 0, 0, str(""))), "!");
	ck_assert_str_eq(result(chic_rt_string_append_char(&string, 0xdf, 3, 1, str("U"))),
			 "  \xc3\x9f");
	ck_assert_str_eq(result(chic_rt_string_append_char(&string, 0x20ac, -2, 1, str(""))),
			 "\xe2\x82\xac ");
	ck_assert_int_eq(chic_rt_string_append_char(&string, 0xd800, 0, 0, str("")), 1);
	ck_assert_int_eq(chic_rt_string_append_char(&string, 0xdfff, 5, 1, str("")), 1);
	ck_assert_uint_eq(chic_rt_string_get_len(&string), 0);
}
END_TEST

/* ---- integers ---- */

START_TEST(integers_of_all_sizes)
{
	ck_assert_str_eq(int_signed(0, 0, 32, ""), "0");
	ck_assert_str_eq(int_signed(-42, -1, 128, ""), "-42");
	ck_assert_str_eq(int_signed(-42, -1, 64, ""), "-42");
	ck_assert_str_eq(int_signed(0xd6, 0, 8, ""), "-42");
	ck_assert_str_eq(int_signed(0x80, 0, 8, ""), "-128");
	ck_assert_str_eq(int_signed(0x17f, 0, 8, ""), "127");
	ck_assert_str_eq(int_signed(INT64_MIN, -1, 64, ""), "-9223372036854775808");
	ck_assert_str_eq(int_signed(0, (uint64_t)1 << 63, 128, ""),
			 "-170141183460469231731687303715884105728");
	ck_assert_str_eq(int_signed(0, (uint64_t)1 << 63, 0, ""),
			 "-170141183460469231731687303715884105728");
	ck_assert_str_eq(int_unsigned(UINT64_MAX, UINT64_MAX, 128, ""),
			 "340282366920938463463374607431768211455");
	ck_assert_str_eq(int_unsigned(0, 1, 128, ""), "18446744073709551616");
	ck_assert_str_eq(int_unsigned(0, 1, 65, ""), "18446744073709551616");
	ck_assert_str_eq(int_unsigned(7, 1, 64, ""), "7");
	ck_assert_str_eq(int_unsigned(0x1ff, 0, 8, ""), "255");
	ck_assert_str_eq(int_unsigned(1000000000, 0, 32, ""), "1000000000");
	/* 10^27 and 10^18: words of nine zeros */
	ck_assert_str_eq(int_unsigned(0x9fd0803ce8000000, 0x33b2e3c, 128, ""),
			 "1000000000000000000000000000");
	ck_assert_str_eq(int_unsigned(UINT64_C(1000000000000000000), 0, 0, ""),
			 "1000000000000000000");
}
END_TEST

START_TEST(hexadecimal_integers)
{
	ck_assert_str_eq(int_unsigned(0x2a, 0, 32, "x4"), "002a");
	ck_assert_str_eq(int_unsigned(0xab, 0, 8, "X04"), "00AB");
	ck_assert_str_eq(int_unsigned(0, 0, 32, "x"), "0");
	ck_assert_str_eq(int_unsigned(0, 0, 32, "x0"), "0");
	ck_assert_str_eq(int_unsigned(0, 1, 128, "X"), "10000000000000000");
	ck_assert_str_eq(int_unsigned(0xf, 1, 128, "X4"), "1000000000000000F");
	ck_assert_str_eq(int_unsigned(UINT64_MAX, UINT64_MAX, 128, "x"),
			 "ffffffffffffffffffffffffffffffff");
	ck_assert_str_eq(int_signed(-1, -1, 128, "X"), "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF");
	ck_assert_str_eq(int_signed(-42, -1, 16, "x4"), "ffd6");
	ck_assert_str_eq(int_signed(-1, -1, 0, "x4"), "ffff");
	ck_assert_str_eq(int_signed(-1, -1, 0, "x"), "ffffffffffffffffffffffffffffffff");
	ck_assert_str_eq(int_unsigned(0xb, 0, 16, "x70"),
			 "000000000000000000000000000000000"
			 "000000000000000000000000000000000000b");
	ck_assert_str_eq(
		result(chic_rt_string_append_unsigned(&string, 0xb, 0, 16, -6, 1, str("x2"))),
		"0b    ");
	ck_assert_str_eq(
		result(chic_rt_string_append_signed(&string, 0x1a, 0, 64, 6, 1, str("X4"))),
		"  001A");
}
END_TEST

START_TEST(random_integers_are_printfs)
{
	char want[100];

	for (int i = 0; i < VALUES; i++) {
		uint64_t v = random_bits() >> random_bits() % 64;

		snprintf(want, sizeof(want), "%lld", (long long)v);
		MUST(strcmp(int_signed(v, (int64_t)v < 0 ? -1 : 0, 64, ""), want) == 0);
		snprintf(want, sizeof(want), "%llu", (unsigned long long)v);
		MUST(strcmp(int_unsigned(v, 0, 64, "D5"), want) == 0);
		snprintf(want, sizeof(want), "%d", (int)v);
		MUST(strcmp(int_signed(v, 0, 32, ""), want) == 0);
		snprintf(want, sizeof(want), "%u", (unsigned)v);
		MUST(strcmp(int_unsigned(v, v, 32, ""), want) == 0);
		snprintf(want, sizeof(want), "%012llX", (unsigned long long)v);
		MUST(strcmp(int_unsigned(v, 0, 0, "X12"), want) == 0);
	}
}
END_TEST

#ifdef __SIZEOF_INT128__
START_TEST(random_wide_integers_are_their_digits)
{
	char want[50], *p;

	for (int i = 0; i < VALUES; i++) {
		unsigned __int128 v = (unsigned __int128)random_bits() << 64 | random_bits();
		unsigned __int128 rest = v >>= random_bits() % 128;

		p = want + sizeof(want) - 1;
		*p = '\0';
		do {
			*--p = '0' + (int)(rest % 10);
			rest /= 10;
		} while (rest);
		MUST(strcmp(int_unsigned(v, v >> 64, 128, ""), p) == 0);
		MUST(strcmp(int_signed(v, v >> 64, 0, ""), p) == 0 || v >> 127);
	}
}
END_TEST
#endif

/* ---- formats ---- */

START_TEST(a_format_that_goes_on_is_refused)
{
	static const char *const bad[] = {"XA", "xG", "F2.", "e-1", "G 2", "X4 ", "f+1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(chic_rt_string_append_f64(&string, 1, 0, 0, str(bad[i])),
				 ChicString_InvalidPointer);
		ck_assert_int_eq(
			chic_rt_string_append_signed(&string, 1, 0, 8, 0, 0, str(bad[i])),
			ChicString_InvalidPointer);
	}
	ck_assert_uint_eq(chic_rt_string_get_len(&string), 0);
}
END_TEST

START_TEST(an_unknown_format_is_ignored)
{
	ck_assert_str_eq(int_signed(7, 0, 32, "\xff"), "7");
	ck_assert_str_eq(int_signed(7, 0, 32, "D4"), "7");
	ck_assert_str_eq(int_signed(7, 0, 32, " x4"), "7");
	ck_assert_str_eq(int_signed(7, 0, 32, "F4"), "7");
	ck_assert_str_eq(f64(0.5, "N2"), "0.5");
	ck_assert_str_eq(f64(0.5, "?"), "0.5");
}
END_TEST

/* ---- floating point ---- */

START_TEST(floats_of_each_letter)
{
	ck_assert_str_eq(f64(12.345, "F2"), "12.35");
	ck_assert_str_eq(f64(12.345, "f"), "12.35");
	ck_assert_str_eq(f64(3.5, "f2"), "3.50");
	ck_assert_str_eq(f64(0.5, "F0"), "0");
	ck_assert_str_eq(f64(1.5, "F0"), "2");
	ck_assert_str_eq(f64(2.5, "F0"), "2");
	ck_assert_str_eq(f64(0.05, "F0"), "0");
	ck_assert_str_eq(f64(9.99, "F1"), "10.0");
	ck_assert_str_eq(f64(0.0049, "F2"), "0.00");
	ck_assert_str_eq(f64(0.0051, "F2"), "0.01");
	ck_assert_str_eq(f64(-0.001, "F2"), "-0.00");
	ck_assert_str_eq(f64(-0.0, "F1"), "-0.0");
	ck_assert_str_eq(f64(-1.25, "e3"), "-1.250e+00");
	ck_assert_str_eq(f64(0.001, "E1"), "1.0E-03");
	ck_assert_str_eq(f64(9.99e99, "e1"), "1.0e+100");
	ck_assert_str_eq(f64(0, "E2"), "0.00E+00");
	ck_assert_str_eq(f64(7, "e0"), "7e+00");
	ck_assert_str_eq(f64(1, "G2"), "1.00");
	ck_assert_str_eq(f64(999.5, "G2"), "999.50");
	ck_assert_str_eq(f64(1000, "G2"), "1.00E+03");
	ck_assert_str_eq(f64(0.0001, "g2"), "0.00");
	ck_assert_str_eq(f64(0.00005, "g3"), "5.000e-05");
	ck_assert_str_eq(f64(1234567, "G"), "1234567.000000");
	ck_assert_str_eq(f64(12345678, "G"), "1.234568E+07");
	ck_assert_str_eq(f64(0, "G"), "0.000000");
	ck_assert_str_eq(f64(2.5, "X8"), "     2.5");
	ck_assert_str_eq(result(chic_rt_string_append_f64(&string, 2.5, -6, 1, str("X8"))),
			 "2.5   ");
	ck_assert_str_eq(result(chic_rt_string_append_f32(&string, 2.5f, 8, 1, str("F3"))),
			 "   2.500");
}
END_TEST

START_TEST(the_shortest_text_is_a_fraction)
{
	ck_assert_str_eq(f64(0, ""), "0.0");
	ck_assert_str_eq(f64(-0.0, ""), "-0.0");
	ck_assert_str_eq(f64(1, ""), "1.0");
	ck_assert_str_eq(f64(0.1, ""), "0.1");
	ck_assert_str_eq(f64(0.1 + 0.2, ""), "0.30000000000000004");
	ck_assert_str_eq(f64(-2.5, ""), "-2.5");
	ck_assert_str_eq(f64(0.0001, ""), "0.0001");
	ck_assert_str_eq(f64(0.00001, ""), "1e-05");
	ck_assert_str_eq(f64(1e15, ""), "1000000000000000.0");
	ck_assert_str_eq(f64(1e16, ""), "1e+16");
	ck_assert_str_eq(f64(1e22, ""), "1e+22");
	ck_assert_str_eq(f64(1e23, ""), "1e+23");
	ck_assert_str_eq(f64(123456789012345680.0, ""), "1.2345678901234568e+17");
	ck_assert_str_eq(f64(DBL_MAX, ""), "1.7976931348623157e+308");
	ck_assert_str_eq(f64(DBL_MIN, ""), "2.2250738585072014e-308");
	ck_assert_str_eq(f64(4.9e-324, ""), "5e-324");
	ck_assert_str_eq(f32(0.1f, ""), "0.1");
	ck_assert_str_eq(f32(16777216, ""), "16777216.0");
	ck_assert_str_eq(f32(FLT_MAX, ""), "3.4028235e+38");
	ck_assert_str_eq(f32(1e-45f, ""), "1e-45");
	ck_assert_str_eq(f16(0x8000, ""), "-0.0");
	ck_assert_str_eq(f16(0x3555, ""), "0.3333");
	ck_assert_str_eq(f16(0x7bff, ""), "65500.0");
	ck_assert_str_eq(f16(1, ""), "6e-08");
}
END_TEST

START_TEST(what_is_no_number_has_a_name)
{
	ck_assert_str_eq(f64(NAN, ""), "nan");
	ck_assert_str_eq(f64(-NAN, "F2"), "nan");
	ck_assert_str_eq(f64(INFINITY, "E"), "inf");
	ck_assert_str_eq(f64(-INFINITY, ""), "-inf");
	ck_assert_str_eq(f32(-INFINITY, "X6"), "  -inf");
	ck_assert_str_eq(f32(NAN, ""), "nan");
	ck_assert_str_eq(f16(0x7c00, ""), "inf");
	ck_assert_str_eq(f16(0xfc00, ""), "-inf");
	ck_assert_str_eq(f16(0x7e00, ""), "nan");
}
END_TEST

/* ---- beside printf and strtod ---- */

/* All exponents, numbers of everyday size, and few bits, in turn. */
static double random_double(int i)
{
	uint64_t bits = random_bits();
	double value;

	switch (i % 4) {
	case 0:
		return (int64_t)bits / 1e6;
	case 1:
		return ldexp(1 + random_bits() % 64, (int)(bits % 2090) - 1074);
	case 2:
		return (bits % 20000001 - 1e7) / 1000;
	default:
		memcpy(&value, &bits, sizeof(value));
		return isfinite(value) ? value : 0.5;
	}
}

static void check_like_printf(double value, int digits)
{
	static const char letters[] = {'f', 'e', 'F', 'E'};
	char format[20], want[2000];

	for (int i = 0; i < 4; i++) {
		snprintf(format, sizeof(format), "%%.%d%c", digits, letters[i]);
		snprintf(want, sizeof(want), format, value);
		snprintf(format, sizeof(format), "%c%d", letters[i], digits);
		if (strcmp(f64(value, format), want) != 0)
			ck_abort_msg("%a as %s: expected %s, got %s", value, format, want,
				     text);
	}
}

START_TEST(random_doubles_are_printfs)
{
	for (int i = 0; i < VALUES; i++)
		check_like_printf(random_double(i), random_bits() % (i % 100 ? 20 : 1100));
	check_like_printf(DBL_MAX, 0);
	check_like_printf(4.9e-324, 1074);
	check_like_printf(-DBL_MIN, 1100);
	check_like_printf(0, 30);
}
END_TEST

/* Numbers that lie in the middle: to the even digit. */
START_TEST(the_middle_is_rounded_to_even)
{
	for (int n = 0; n < 4000; n++)
		for (int digits = 0; digits < 4; digits++)
			check_like_printf(n / 16.0, digits);
}
END_TEST

static int digits_in(const char *got)
{
	int digits = 0, zeros = 0;

	for (; *got && *got != 'e'; got++) {
		if (*got < '0' || *got > '9' || (*got == '0' && !digits))
			continue;
		digits++;
		zeros = *got == '0' ? zeros + 1 : 0;
	}
	return digits - zeros;
}

/* The value rounded to fewer digits must not read back. */
static int digits_needed(double value)
{
	char want[40];

	for (int digits = 1;; digits++) {
		snprintf(want, sizeof(want), "%.*e", digits - 1, value);
		if (strtod(want, NULL) == value)
			return digits;
	}
}

START_TEST(random_doubles_read_back)
{
	char want[40];

	for (int i = 0; i < VALUES; i++) {
		double value = random_double(i);
		const char *got = f64(value, "");

		MUST(strtod(got, NULL) == value);
		MUST(value == 0 || digits_in(got) == digits_needed(value));
		if (!strchr(got, 'e'))
			continue;
		snprintf(want, sizeof(want), "%.*e", digits_in(got) - 1, value);
		ck_assert_str_eq(got, want);
	}
}
END_TEST

START_TEST(random_floats_read_back)
{
	for (int i = 0; i < VALUES; i++) {
		uint32_t bits = random_bits();
		char want[80];
		int digits = 1;
		float value;

		memcpy(&value, &bits, sizeof(value));
		if (!isfinite(value) || value == 0)
			continue;
		do
			snprintf(want, sizeof(want), "%.*e", digits - 1, value);
		while (strtof(want, NULL) != value && digits++);
		MUST(strtof(f32(value, ""), NULL) == value);
		MUST(digits_in(text) == digits);
		snprintf(want, sizeof(want), "%.7f", value);
		MUST(strcmp(f32(value, "F7"), want) == 0);
	}
}
END_TEST

static double half(unsigned bits)
{
	int exponent = bits >> 10 & 31, fraction = bits & 1023;

	return exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
}

/* Nearer to this half than to its neighbours, or half way and the even one. */
static bool is_half(double got, unsigned bits)
{
	double value = half(bits), below = bits ? (value - half(bits - 1)) / 2 : 0;
	double above = bits == 0x7bff ? 16 : (half(bits + 1) - value) / 2;

	if (bits & 1)
		return got > value - below && got < value + above;
	return got >= value - below && got <= value + above;
}

/* All of them: fewer digits do not read back, nor do they have to. */
START_TEST(every_half_reads_back)
{
	char want[40];

	for (unsigned bits = 0; bits < 0x7c00; bits++) {
		double value = half(bits);
		int digits;

		MUST(is_half(strtod(f16(bits, ""), NULL), bits));
		digits = digits_in(text);
		MUST(digits <= 5);
		snprintf(want, sizeof(want), "%.*e", digits > 1 ? digits - 2 : 0, value);
		MUST(digits < 2 || !is_half(strtod(want, NULL), bits));
		snprintf(want, sizeof(want), "%.9f", value);
		MUST(strcmp(f16(bits, "F9"), want) == 0);
		snprintf(want, sizeof(want), "-%.3e", value);
		MUST(strcmp(f16(bits | 0x8000, "e3"), want) == 0);
	}
}
END_TEST

/* A locale that writes 0,5 has no say. */
START_TEST(locales_do_not_matter)
{
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE",
					    "ru_RU.UTF-8"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setlocale(LC_ALL, names[i]))
			break;
	ck_assert_str_eq(f64(0.5, ""), "0.5");
	ck_assert_str_eq(f64(1234.5, "F1"), "1234.5");
}
END_TEST

/* ---- 128 bits ---- */

#ifdef __SIZEOF_INT128__
static const char *f128(uint64_t high, uint64_t low, const char *format)
{
	return result(chic_rt_string_append_f128(&string, (unsigned __int128)high << 64 | low,
						 0, 0, str(format)));
}

START_TEST(wide_floats_by_hand)
{
	ck_assert_str_eq(f128(0, 0, ""), "0.0");
	ck_assert_str_eq(f128((uint64_t)1 << 63, 0, "F2"), "-0.00");
	ck_assert_str_eq(f128(0x3fff000000000000, 0, ""), "1.0");
	ck_assert_str_eq(f128(0x3ffd555555555555, 0x5555555555555555, ""),
			 "0.3333333333333333333333333333333333");
	ck_assert_str_eq(f128(0x7ffeffffffffffff, UINT64_MAX, ""),
			 "1.189731495357231765085759326628007e+4932");
	ck_assert_str_eq(f128(0, 1, ""), "6e-4966");
	ck_assert_str_eq(f128(0, 1, "E3"), "6.475E-4966");
	ck_assert_str_eq(f128(0x7fff000000000000, 0, ""), "inf");
	ck_assert_str_eq(f128(0xffff000000000000, 0, ""), "-inf");
	ck_assert_str_eq(f128(0x7fff800000000000, 0x123, ""),
			 "nan(0x7fff8000000000000000000000000123)");
	ck_assert_uint_eq(strlen(f128(0x7ffeffffffffffff, UINT64_MAX, "F3")), 4933 + 4);
	ck_assert_uint_eq(strlen(f128(0, 1, "F17000")), 17002);
}
END_TEST

#if defined(__GLIBC__) && defined(__HAVE_FLOAT128) && __HAVE_FLOAT128
static int wide_digits_needed(_Float128 value, char *room, size_t size)
{
	char format[20];

	for (int digits = 1;; digits++) {
		snprintf(format, sizeof(format), "%%.%de", digits - 1);
		strfromf128(room, size, format, value);
		if (strtof128(room, NULL) == value)
			return digits;
	}
}

START_TEST(random_wide_floats_read_back)
{
	static char want[8000];

	for (int i = 0; i < 2000; i++) {
		uint64_t low = random_bits(), high = random_bits();
		unsigned __int128 bits;
		_Float128 value;

		if (i % 4) /* of everyday size */
			high = (high & 0x8000ffffffffffff) | (0x3fe0 + high % 64) << 48;
		if ((high >> 48 & 0x7fff) == 0x7fff)
			continue;
		bits = (unsigned __int128)high << 64 | low;
		memcpy(&value, &bits, sizeof(value));
		MUST(strtof128(f128(high, low, ""), NULL) == value);
		MUST(digits_in(text) == wide_digits_needed(value, want, sizeof(want)));
		strfromf128(want, sizeof(want), "%.20f", value);
		MUST(strcmp(f128(high, low, "F20"), want) == 0);
		strfromf128(want, sizeof(want), "%.40e", value);
		MUST(strcmp(f128(high, low, "e40"), want) == 0);
	}
}
END_TEST
#define HAVE_WIDE_PRINTF 1
#endif
#endif

static Suite *make_suite(void)
{
	Suite *suite = suite_create("format");
	TCase *tcase = tcase_create("format");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, bools_have_three_cases);
	tcase_add_test(tcase, widths_are_in_characters);
	tcase_add_test(tcase, chars_are_utf8);
	tcase_add_test(tcase, integers_of_all_sizes);
	tcase_add_test(tcase, hexadecimal_integers);
	tcase_add_test(tcase, random_integers_are_printfs);
	tcase_add_test(tcase, a_format_that_goes_on_is_refused);
	tcase_add_test(tcase, an_unknown_format_is_ignored);
	tcase_add_test(tcase, floats_of_each_letter);
	tcase_add_test(tcase, the_shortest_text_is_a_fraction);
	tcase_add_test(tcase, what_is_no_number_has_a_name);
	tcase_add_test(tcase, random_doubles_are_printfs);
	tcase_add_test(tcase, the_middle_is_rounded_to_even);
	tcase_add_test(tcase, random_doubles_read_back);
	tcase_add_test(tcase, random_floats_read_back);
	tcase_add_test(tcase, every_half_reads_back);
	tcase_add_test(tcase, locales_do_not_matter);
#ifdef __SIZEOF_INT128__
	tcase_add_test(tcase, random_wide_integers_are_their_digits);
	tcase_add_test(tcase, wide_floats_by_hand);
#ifdef HAVE_WIDE_PRINTF
	tcase_add_test(tcase, random_wide_floats_read_back);
#endif
#endif
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
