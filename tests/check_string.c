// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings: what stays inside the struct, growth, UTF-8, statuses, null and absurd
 * arguments, slices of the string itself, structs as compilers make them.
 */
#include "check_support.h"
#include "ledger.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

#define INLINE_BIT ((size_t)1 << (8 * sizeof(size_t) - 1))

static size_t taken, given_back;

static void setup(void)
{
	chic_rt_allocator_reset(); /* start-up is over */
	ledger_install();
	taken = chic_rt_string_allocations();
	given_back = chic_rt_string_frees();
}

static ChicStr str(const char *text)
{
	return (ChicStr){(const uint8_t *)text, strlen(text)};
}

static ChicStr bytes(const char *text, size_t n)
{
	return (ChicStr){(const uint8_t *)text, n};
}

static int32_t push(ChicString *s, const char *text)
{
	return chic_rt_string_push_slice(s, str(text));
}

static void check_is(const ChicString *s, const char *text)
{
	ChicStr is = chic_rt_string_as_slice(s);

	if (is.len != strlen(text) || memcmp(is.ptr, text, is.len) != 0)
		ck_abort_msg("expected %s, got %.*s", text, (int)is.len, (char *)is.ptr);
	ck_assert_uint_eq(chic_rt_string_get_len(s), is.len);
}

/* As one that was never used. */
static void check_empty(const ChicString *s)
{
	ck_assert_uint_eq(s->len, 0);
	ck_assert_uint_eq(s->cap, INLINE_BIT | CHIC_RT_STRING_INLINE_CAPACITY);
	ck_assert_ptr_eq(chic_rt_string_as_slice(s).ptr, s->inline_data);
	ck_assert_uint_eq(chic_rt_string_get_cap(s), CHIC_RT_STRING_INLINE_CAPACITY);
}

static void drop(ChicString *s)
{
	chic_rt_string_drop(s);
	check_empty(s);
}

static const char thirty_two[] = "0123456789abcdef0123456789abcdef";
static const char forty[] = "0123456789abcdef0123456789abcdef01234567";

/* ---- where the bytes are ---- */

START_TEST(thirty_two_bytes_stay_inside)
{
	ChicString s = chic_rt_string_new(), copy, moved;

	check_empty(&s);
	for (int i = 0; i < 32; i++)
		ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes(thirty_two + i, 1)), 0);
	check_is(&s, thirty_two);
	ck_assert_int_eq(chic_rt_string_clone(&copy, &s), 0);
	check_is(&copy, thirty_two);
	moved = chic_rt_string_from_slice(str(thirty_two));
	memcpy(&copy, &moved, sizeof(copy));
	memset(&moved, 0x55, sizeof(moved));
	check_is(&copy, thirty_two);
	ck_assert_int_eq(chic_rt_string_truncate(&copy, 31), 0);
	ck_assert_int_eq(chic_rt_string_reserve(&copy, 1), 0);
	copy = chic_rt_string_with_capacity(32);
	check_empty(&copy);
	ck_assert_uint_eq(ledger_requests(), 0);
	ck_assert_uint_eq(chic_rt_string_allocations(), taken);
}
END_TEST

START_TEST(growth_is_by_doubling_from_sixty_four)
{
	ChicString s = chic_rt_string_from_slice(str(thirty_two));

	ck_assert_int_eq(push(&s, "x"), 0);
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 64);
	ck_assert_int_eq(chic_rt_string_reserve(&s, 32), 0);
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 128);
	ck_assert_int_eq(chic_rt_string_reserve(&s, 1000), 0);
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 1033);
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	ck_assert_uint_eq(ledger_live_bytes(), 1033);
	/* a text that fits inside again keeps its block */
	ck_assert_int_eq(chic_rt_string_truncate(&s, 5), 0);
	ck_assert_int_eq(chic_rt_string_reserve(&s, 1), 0);
	check_is(&s, "01234");
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 1033);
	drop(&s);
	ledger_nothing_left();
	ck_assert_uint_eq(chic_rt_string_allocations(), taken + 1);
	ck_assert_uint_eq(chic_rt_string_frees(), given_back + 1);
}
END_TEST

START_TEST(pushing_is_amortised)
{
	ChicString s = chic_rt_string_new();

	for (int i = 0; i < 100000; i++)
		MUST(push(&s, "ab") == 0);
	ck_assert_uint_lt(ledger_requests(), 20);
	ck_assert_uint_eq(chic_rt_string_get_len(&s), 200000);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_capacity_is_exact)
{
	ChicString s = chic_rt_string_with_capacity(100);

	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 100);
	ck_assert_uint_eq(ledger_live_bytes(), 100);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(push(&s, "z"), 0);
	ck_assert_uint_eq(ledger_requests(), 1);
	drop(&s);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(copies_are_their_own)
{
	ChicString s = chic_rt_string_from_slice(str(forty)), copy;

	ck_assert_int_eq(chic_rt_string_clone(&copy, &s), 0);
	ck_assert_ptr_ne(chic_rt_string_as_slice(&copy).ptr, chic_rt_string_as_slice(&s).ptr);
	ck_assert_int_eq(push(&copy, "!"), 0);
	check_is(&s, forty);
	drop(&s);
	ck_assert_int_eq(chic_rt_string_truncate(&copy, 3), 0);
	check_is(&copy, "012");
	ck_assert_int_eq(chic_rt_string_clone(&copy, &copy), 0);
	check_is(&copy, "012");
	drop(&copy);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_slice_may_be_of_the_string_itself)
{
	ChicString s = chic_rt_string_from_slice(str("abcdefghijkl"));
	ChicStr whole;

	for (int i = 0; i < 6; i++) {
		whole = chic_rt_string_as_slice(&s);
		ck_assert_int_eq(chic_rt_string_push_slice(&s, whole), 0);
	}
	ck_assert_uint_eq(chic_rt_string_get_len(&s), 12 * 64);
	for (int i = 0; i < 64; i++)
		ck_assert_mem_eq(chic_rt_string_as_slice(&s).ptr + 12 * i, "abcdefghijkl", 12);
	ck_assert_int_eq(chic_rt_string_truncate(&s, 12), 0);
	whole = chic_rt_string_as_slice(&s);
	whole.ptr += 10;
	whole.len = 2;
	ck_assert_int_eq(chic_rt_string_append_slice(&s, whole, 2000, 1), 0);
	ck_assert_uint_eq(chic_rt_string_get_len(&s), 2012);
	ck_assert_mem_eq(chic_rt_string_as_slice(&s).ptr + 2009, " kl", 3);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

/* ---- UTF-8 ---- */

static const struct {
	const char *bytes;
	size_t n;
	bool good;
} samples[] = {
	{"", 0, true},
	{"\0", 1, true},
	{"\x7f", 1, true},
	{"\x80", 1, false},
	{"\xbf", 1, false},
	{"\xc0\x80", 2, false},
	{"\xc1\xbf", 2, false},
	{"\xc2\x80", 2, true},
	{"\xc2", 1, false},
	{"\xc2\x7f", 2, false},
	{"\xc2\xc0", 2, false},
	{"\xdf\xbf", 2, true},
	{"\xe0\x9f\xbf", 3, false},
	{"\xe0\xa0\x80", 3, true},
	{"\xe0\xa0", 2, false},
	{"\xed\x9f\xbf", 3, true},
	{"\xed\xa0\x80", 3, false},
	{"\xed\xbf\xbf", 3, false},
	{"\xee\x80\x80", 3, true},
	{"\xef\xbf\xbf", 3, true},
	{"\xf0\x8f\xbf\xbf", 4, false},
	{"\xf0\x90\x80\x80", 4, true},
	{"\xf0\x90\x80", 3, false},
	{"\xf4\x8f\xbf\xbf", 4, true},
	{"\xf4\x90\x80\x80", 4, false},
	{"\xf5\x80\x80\x80", 4, false},
	{"\xf8\x88\x80\x80\x80", 5, false},
	{"\xff", 1, false},
	{"\xfe", 1, false},
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

/* Alone, and somewhere among other text, so that every way to look at it is taken. */
static void check_sample(size_t before, const char *sample, size_t n, bool good)
{
	char text[100];
	ChicString s = chic_rt_string_new();

	memset(text, 'a', sizeof(text));
	memcpy(text + before, sample, n);
	ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes(text, before + n + 10)),
			 good ? ChicString_Success : ChicString_Utf8);
	ck_assert_uint_eq(chic_rt_string_get_len(&s), good ? before + n + 10 : 0);
	drop(&s);
}

START_TEST(utf8_is_checked)
{
	ChicStr sample = bytes(samples[_i].bytes, samples[_i].n);
	ChicString s = chic_rt_string_new();

	ck_assert_int_eq(chic_rt_string_push_slice(&s, sample),
			 samples[_i].good ? ChicString_Success : ChicString_Utf8);
	ck_assert_uint_eq(chic_rt_string_get_len(&s), samples[_i].good ? sample.len : 0);
	for (size_t before = 0; before < 20; before++)
		check_sample(before, samples[_i].bytes, sample.len, samples[_i].good);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(bad_text_changes_nothing)
{
	ChicString s = chic_rt_string_from_slice(str("before")), dest = s;
	ChicStr bad = str("0123456789012345678901234567890123456789\xc3");

	ck_assert_int_eq(chic_rt_string_push_slice(&s, bad), ChicString_Utf8);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, bad, 90, 1), ChicString_Utf8);
	check_is(&s, "before");
	ck_assert_int_eq(chic_rt_string_clone_slice(&dest, bad), ChicString_Utf8);
	check_is(&dest, "before");
	dest = chic_rt_string_from_slice(bad);
	check_empty(&dest);
	ck_assert_ptr_null(chic_rt_str_as_chars(bad).ptr);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

START_TEST(truncate_keeps_characters_whole)
{
	ChicString s = chic_rt_string_from_slice(str("h\xc3\xa9llo \xf0\x9f\x98\x80"));

	ck_assert_int_eq(chic_rt_string_truncate(&s, 12), ChicString_OutOfBounds);
	ck_assert_int_eq(chic_rt_string_truncate(&s, SIZE_MAX), ChicString_OutOfBounds);
	for (size_t n = 8; n < 11; n++)
		ck_assert_int_eq(chic_rt_string_truncate(&s, n), ChicString_Utf8);
	ck_assert_int_eq(chic_rt_string_truncate(&s, 2), ChicString_Utf8);
	check_is(&s, "h\xc3\xa9llo \xf0\x9f\x98\x80");
	ck_assert_int_eq(chic_rt_string_truncate(&s, 7), 0);
	check_is(&s, "h\xc3\xa9llo ");
	ck_assert_int_eq(chic_rt_string_truncate(&s, 7), 0);
	ck_assert_int_eq(chic_rt_string_truncate(&s, 3), 0);
	check_is(&s, "h\xc3\xa9");
	ck_assert_int_eq(chic_rt_string_truncate(&s, 0), 0);
	check_empty(&s);
}
END_TEST

START_TEST(chars_are_units_of_utf16)
{
	static const chic_char want[] = {'a',	 0xe9,	 0x20ac, 0xd83d, 0xde00,
					 0xd800, 0xdc00, 0xdbff, 0xdfff, 0xffff};
	ChicString s = chic_rt_string_from_slice(str("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"
						     "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"
						     "\xef\xbf\xbf"));
	ChicCharSpan chars = chic_rt_string_as_chars(&s);

	ck_assert_uint_eq(chars.len, 10);
	ck_assert_mem_eq(chars.ptr, want, sizeof(want));
	ck_assert_uint_eq(ledger_live_bytes(), sizeof(want));
	chic_rt_free((ValueMutPtr){(uint8_t *)chars.ptr, 2 * chars.len, 2});
	chars = chic_rt_str_as_chars(str("xyz"));
	ck_assert_uint_eq(chars.len, 3);
	ck_assert_uint_eq(chars.ptr[2], 'z');
	chic_rt_chars_drop(chars);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(no_chars_need_no_memory)
{
	ChicCharSpan none = chic_rt_str_as_chars(str(""));

	ck_assert_ptr_null(none.ptr);
	ck_assert_uint_eq(none.len, 0);
	chic_rt_chars_drop(none);
	ck_assert_uint_eq(chic_rt_string_as_chars(NULL).len, 0);
	ck_assert_uint_eq(chic_rt_str_as_chars(bytes(NULL, 7)).len, 0);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

START_TEST(a_char_is_a_string)
{
	for (unsigned c = 0; c <= 0xffff; c++) {
		ChicString s = chic_rt_string_from_char(c);
		ChicCharSpan chars = chic_rt_string_as_chars(&s);

		if (c >= 0xd800 && c <= 0xdfff) {
			MUST(chic_rt_string_get_len(&s) == 0);
			continue;
		}
		MUST(chic_rt_string_get_len(&s) == 1u + (c >= 0x80) + (c >= 0x800));
		MUST(chars.len == 1 && chars.ptr[0] == c);
		chic_rt_chars_drop(chars);
	}
	ledger_nothing_left();
}
END_TEST

/* ---- arguments ---- */

START_TEST(null_strings_are_answered)
{
	ChicString s = chic_rt_string_new();
	ChicStr nothing = str("");

	ck_assert_int_eq(push(NULL, "x"), ChicString_InvalidPointer);
	ck_assert_int_eq(push(NULL, ""), ChicString_InvalidPointer);
	ck_assert_int_eq(chic_rt_string_append_slice(NULL, nothing, 0, 0), 4);
	ck_assert_int_eq(chic_rt_string_append_bool(NULL, true, 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_char(NULL, 'x', 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_signed(NULL, 1, 0, 8, 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_unsigned(NULL, 1, 0, 8, 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_f16(NULL, 1, 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_f32(NULL, 1, 0, 0, nothing), 4);
	ck_assert_int_eq(chic_rt_string_append_f64(NULL, 1, 0, 0, nothing), 4);
#ifdef __SIZEOF_INT128__
	ck_assert_int_eq(chic_rt_string_append_f128(NULL, 1, 0, 0, nothing), 4);
#endif
	ck_assert_int_eq(chic_rt_string_clone(NULL, &s), ChicString_InvalidPointer);
	ck_assert_int_eq(chic_rt_string_clone(&s, NULL), ChicString_InvalidPointer);
	ck_assert_int_eq(chic_rt_string_clone_slice(NULL, nothing), ChicString_InvalidPointer);
	ck_assert_int_eq(chic_rt_string_reserve(NULL, 1), ChicString_InvalidPointer);
	ck_assert_int_eq(chic_rt_string_truncate(NULL, 0), ChicString_InvalidPointer);
	ck_assert_ptr_null(chic_rt_string_as_slice(NULL).ptr);
	ck_assert_uint_eq(chic_rt_string_as_slice(NULL).len, 0);
	ck_assert_ptr_null(chic_rt_string_get_ptr(NULL));
	ck_assert_ptr_null(chic_rt_string_inline_ptr(NULL));
	ck_assert_uint_eq(chic_rt_string_get_len(NULL), 0);
	ck_assert_uint_eq(chic_rt_string_get_cap(NULL), 0);
	chic_rt_string_set_ptr(NULL, NULL);
	chic_rt_string_set_len(NULL, 1);
	chic_rt_string_set_cap(NULL, 1);
	chic_rt_string_drop(NULL);
	check_empty(&s);
}
END_TEST

START_TEST(slices_of_nowhere_are_answered)
{
	ChicString s = chic_rt_string_from_slice(bytes(NULL, 3));

	check_empty(&s);
	ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes(NULL, 3)), 4);
	ck_assert_int_eq(chic_rt_string_clone_slice(&s, bytes(NULL, 3)), 4);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, bytes(NULL, 3), 3, 1), 4);
	ck_assert_int_eq(chic_rt_string_append_f64(&s, 1, 0, 0, bytes(NULL, 3)), 4);
	ck_assert_int_eq(chic_rt_string_append_signed(&s, 1, 0, 8, 0, 0, bytes(NULL, 3)), 4);
	ck_assert_int_eq(chic_rt_string_append_bool(&s, 1, 0, 0, bytes(NULL, 3)), 4);
	ck_assert_int_eq(chic_rt_string_append_char(&s, 'c', 0, 0, bytes(NULL, 3)), 4);
	check_empty(&s);
	ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes(NULL, 0)), 0);
	ck_assert_int_eq(chic_rt_string_clone_slice(&s, bytes(NULL, 0)), 0);
	check_empty(&s);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, bytes(NULL, 0), 3, 1), 0);
	check_is(&s, "   ");
}
END_TEST

START_TEST(what_no_machine_has_is_an_overflow)
{
	ChicString s = chic_rt_string_from_slice(str(forty));

	ck_assert_int_eq(chic_rt_string_reserve(&s, SIZE_MAX), ChicString_CapacityOverflow);
	ck_assert_int_eq(chic_rt_string_reserve(&s, PTRDIFF_MAX), ChicString_CapacityOverflow);
	ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes("x", SIZE_MAX)),
			 ChicString_CapacityOverflow);
	ck_assert_int_eq(chic_rt_string_push_slice(&s, bytes("x", (size_t)PTRDIFF_MAX + 1)),
			 ChicString_CapacityOverflow);
	ck_assert_int_eq(chic_rt_string_reserve(&s, PTRDIFF_MAX - 40),
			 ChicString_AllocationFailed);
	check_is(&s, forty);
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 64);
	drop(&s);
	s = chic_rt_string_with_capacity(SIZE_MAX);
	check_empty(&s);
	s = chic_rt_string_with_capacity(PTRDIFF_MAX);
	check_empty(&s);
	ledger_nothing_left();
}
END_TEST

/* Two thousand million characters: refused by the heap, or by an address space. */
START_TEST(an_absurd_width_is_refused)
{
	int32_t want = sizeof(size_t) > 4 ? ChicString_AllocationFailed
					  : ChicString_CapacityOverflow;
	ChicString s = chic_rt_string_from_slice(str("w"));
	ChicStr x = str("x"), number = str("X2147483647"), more = str("F99999999999999999999");

	ledger_fail(1, true);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, x, 1 << 30, 1), 3);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, x, -(1 << 30), 1), 3);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, x, INT32_MAX, 1), want);
	ck_assert_int_eq(chic_rt_string_append_slice(&s, x, INT32_MIN, 1), want);
	ck_assert_int_eq(chic_rt_string_append_bool(&s, 1, INT32_MIN, 1, str("")), want);
	ck_assert_int_eq(chic_rt_string_append_unsigned(&s, 1, 0, 0, 0, 0, number), want);
	ck_assert_int_eq(chic_rt_string_append_f64(&s, 1, 0, 0, more), want);
	ck_assert_int_eq(chic_rt_string_append_f64(&s, 1, 0, 0, str("F4294967297")), want);
	ck_assert_int_eq(chic_rt_string_append_f64(&s, 1, 0, 0, str("E2147483647")), want);
	ck_assert_int_eq(chic_rt_string_append_f64(&s, 0, 0, 0, str("G2147483647")), want);
	ck_assert(ledger_failed());
	check_is(&s, "w");
	ledger_nothing_left();
}
END_TEST

/* ---- structs by hand ---- */

START_TEST(a_struct_of_zeros_is_an_empty_string)
{
	ChicString s = {0}, copy;

	ck_assert_uint_eq(chic_rt_string_as_slice(&s).len, 0);
	ck_assert_int_eq(chic_rt_string_clone(&copy, &s), 0);
	check_empty(&copy);
	ck_assert_int_eq(chic_rt_string_truncate(&s, 0), 0);
	ck_assert_int_eq(chic_rt_string_truncate(&s, 1), ChicString_OutOfBounds);
	ck_assert_int_eq(push(&s, "small"), 0);
	check_is(&s, "small");
	ck_assert_uint_eq(ledger_requests(), 0);
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(push(&s, forty), 0);
	check_is(&s, forty);
	drop(&s);
	s = (ChicString){.len = 1000}; /* without a place it has no bytes */
	ck_assert_uint_eq(chic_rt_string_get_len(&s), 0);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(text_of_somebody_else_is_only_read)
{
	static const char text[] = "static";
	ChicString s = {.ptr = (uint8_t *)text, .len = 6}, copy;

	check_is(&s, "static");
	ck_assert_int_eq(chic_rt_string_clone(&copy, &s), 0);
	check_is(&copy, "static");
	ck_assert_int_eq(push(&s, "!"), 0);
	check_is(&s, "static!");
	ck_assert_uint_eq(ledger_live_blocks(), 1);
	drop(&s);
	s = (ChicString){.ptr = (uint8_t *)text, .len = 6};
	ck_assert_int_eq(chic_rt_string_truncate(&s, 4), 0);
	check_is(&s, "stat");
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(raw_access_is_believed)
{
	ChicString s = chic_rt_string_new();
	uint8_t *block = chic_rt_alloc(50, 1).ptr;

	ck_assert_uint_eq(chic_rt_string_inline_capacity(), 32);
	ck_assert_ptr_eq(chic_rt_string_inline_ptr(&s), s.inline_data);
	ck_assert_ptr_eq(chic_rt_string_get_ptr(&s), s.inline_data);
	memcpy(chic_rt_string_inline_ptr(&s), "raw", 3);
	chic_rt_string_set_len(&s, 3);
	check_is(&s, "raw");
	chic_rt_string_set_cap(&s, 20);
	ck_assert_uint_eq(chic_rt_string_get_cap(&s), 20);
	ck_assert(s.cap & INLINE_BIT);
	s = (ChicString){0};
	memcpy(block, "block", 5);
	chic_rt_string_set_ptr(&s, block);
	chic_rt_string_set_cap(&s, 50);
	chic_rt_string_set_len(&s, 5);
	check_is(&s, "block");
	ck_assert_ptr_eq(chic_rt_string_get_ptr(&s), block);
	ck_assert_int_eq(push(&s, thirty_two), 0);
	ck_assert_ptr_eq(chic_rt_string_get_ptr(&s), block);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(a_dropped_string_is_an_empty_one)
{
	ChicString s = chic_rt_string_from_slice(str(forty));

	drop(&s);
	drop(&s);
	ck_assert_int_eq(push(&s, "again"), 0);
	check_is(&s, "again");
	ck_assert_int_eq(push(&s, forty), 0);
	drop(&s);
	ledger_nothing_left();
}
END_TEST

START_TEST(statuses_have_a_text)
{
	static const char *const want[] = {
		"",
		"operation would result in invalid UTF-8",
		"capacity overflow",
		"allocation failed",
		"invalid pointer",
		"out of bounds",
		"",
	};

	for (int code = 0; code < 7; code++) {
		ChicStr message = chic_rt_string_error_message(code);

		ck_assert_uint_eq(message.len, strlen(want[code]));
		if (message.len)
			ck_assert_mem_eq(message.ptr, want[code], message.len);
	}
	ck_assert_uint_eq(chic_rt_string_error_message(-1).len, 0);
	ck_assert_uint_eq(chic_rt_string_error_message(INT32_MIN).len, 0);
	ck_assert_uint_eq(ledger_requests(), 0);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("string");
	TCase *tcase = tcase_create("string");

	tcase_add_checked_fixture(tcase, setup, ledger_remove);
	tcase_set_timeout(tcase, CHECK_TIMEOUT);
	tcase_add_test(tcase, thirty_two_bytes_stay_inside);
	tcase_add_test(tcase, growth_is_by_doubling_from_sixty_four);
	tcase_add_test(tcase, pushing_is_amortised);
	tcase_add_test(tcase, a_capacity_is_exact);
	tcase_add_test(tcase, copies_are_their_own);
	tcase_add_test(tcase, a_slice_may_be_of_the_string_itself);
	tcase_add_loop_test(tcase, utf8_is_checked, 0, SAMPLES);
	tcase_add_test(tcase, bad_text_changes_nothing);
	tcase_add_test(tcase, truncate_keeps_characters_whole);
	tcase_add_test(tcase, chars_are_units_of_utf16);
	tcase_add_test(tcase, no_chars_need_no_memory);
	tcase_add_test(tcase, a_char_is_a_string);
	tcase_add_test(tcase, null_strings_are_answered);
	tcase_add_test(tcase, slices_of_nowhere_are_answered);
	tcase_add_test(tcase, what_no_machine_has_is_an_overflow);
	tcase_add_test(tcase, an_absurd_width_is_refused);
	tcase_add_test(tcase, a_struct_of_zeros_is_an_empty_string);
	tcase_add_test(tcase, text_of_somebody_else_is_only_read);
	tcase_add_test(tcase, raw_access_is_believed);
	tcase_add_test(tcase, a_dropped_string_is_an_empty_one);
	tcase_add_test(tcase, statuses_have_a_text);
	suite_add_tcase(suite, tcase);
	return suite;
}

CHECK_MAIN(make_suite)
