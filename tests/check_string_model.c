// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings beside a plain buffer: a hundred thousand random operations for each seed,
 * with requests refused now and then.  After each the texts are the same.
 */
#include "model_support.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { MOST = 5000, SEEDS = 8, CHUNK_MOST = 200 };

static struct {
	ChicString *string;
	ChicString room[2]; /* the string moves between them */
	char text[2 * MOST];
	size_t len;
	bool refuse;
} m;

/* ---- the model ---- */

static void check_text(const ChicString *s)
{
	ChicStr slice = chic_rt_string_as_slice(s);

	MUST(slice.len == m.len);
	MUST(memcmp(slice.ptr, m.text, m.len) == 0);
}

/* Success, or a refusal after which all is as before. */
static bool was_done(int32_t status)
{
	bool refused = m.refuse && ledger_failed();

	if (status == ChicString_Success)
		return true;
	MUST(status == ChicString_AllocationFailed && refused);
	return false;
}

static void model_add(const char *bytes, size_t n)
{
	memcpy(m.text + m.len, bytes, n);
	m.len += n;
}

static void model_fill(size_t n)
{
	memset(m.text + m.len, ' ', n);
	m.len += n;
}

static bool begins_character(size_t at)
{
	return at >= m.len || (m.text[at] & 0xc0) != 0x80;
}

static size_t boundary_below(size_t n)
{
	size_t at = random_below(n);

	while (!begins_character(at))
		at--;
	return at;
}

/* ---- texts ---- */

static const char *const characters[] = {
	"a",
	"Z",
	"0",
	" ",
	"\x7f",
	"\xc2\x80",
	"\xc3\xa9",
	"\xe2\x82\xac",
	"\xef\xbf\xbf",
	"\xed\x9f\xbf",
	"\xf0\x9f\x98\x80",
	"\xf4\x8f\xbf\xbf",
};

enum { CHARACTERS = sizeof(characters) / sizeof(characters[0]) };

/* Characters, most of them ASCII; how many. */
static size_t make_text(char *text, size_t *n)
{
	size_t chars = random_below(4) ? random_below(8) : random_below(CHUNK_MOST / 4);
	size_t kinds = random_below(2) ? CHARACTERS : 5;

	*n = 0;
	for (size_t i = 0; i < chars; i++) {
		const char *c = characters[random_below(kinds)];

		memcpy(text + *n, c, strlen(c));
		*n += strlen(c);
	}
	return chars;
}

static ChicStr slice_of(const char *text, size_t n)
{
	return (ChicStr){(const uint8_t *)text, n};
}

static ChicStr str(const char *text)
{
	return slice_of(text, strlen(text));
}

/* ---- operations: each does the same to both ---- */

static void op_push(void)
{
	char text[CHUNK_MOST];
	size_t n;

	make_text(text, &n);
	if (was_done(chic_rt_string_push_slice(m.string, slice_of(text, n))))
		model_add(text, n);
}

static void op_append(void)
{
	int32_t width = (int32_t)random_below(100) - 50;
	char text[CHUNK_MOST];
	size_t n, chars = make_text(text, &n), pad;

	if (!was_done(chic_rt_string_append_slice(m.string, slice_of(text, n), width, 1)))
		return;
	pad = (size_t)abs(width) > chars ? abs(width) - chars : 0;
	model_fill(width > 0 ? pad : 0);
	model_add(text, n);
	model_fill(width < 0 ? pad : 0);
}

static void op_push_itself(void)
{
	size_t from = boundary_below(m.len + 1), to = boundary_below(m.len + 1);
	ChicStr part = chic_rt_string_as_slice(m.string);

	if (from > to || to - from > CHUNK_MOST)
		return;
	part.ptr += from;
	part.len = to - from;
	if (was_done(chic_rt_string_push_slice(m.string, part)))
		model_add(m.text + from, to - from);
}

/* A character that is cut off: nothing changes, whatever is refused. */
static void op_push_bad(void)
{
	char text[CHUNK_MOST];
	size_t n;

	make_text(text, &n);
	text[n++] = "\x80\xc3\xe2\xf0\xff"[random_below(5)];
	MUST(chic_rt_string_push_slice(m.string, slice_of(text, n)) == ChicString_Utf8);
}

static void op_truncate(void)
{
	size_t to = random_below(m.len + 3);
	int32_t status = chic_rt_string_truncate(m.string, to);

	if (to > m.len) {
		MUST(status == ChicString_OutOfBounds);
	} else if (!begins_character(to)) {
		MUST(status == ChicString_Utf8);
	} else {
		MUST(status == ChicString_Success);
		m.len = to;
	}
}

static void op_reserve(void)
{
	size_t additional = random_below(300);

	if (was_done(chic_rt_string_reserve(m.string, additional)))
		MUST(chic_rt_string_get_cap(m.string) >= m.len + additional || !additional);
}

static void add_printed(const char *format, ...)
{
	char text[600];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	MUST(n > 0 && n < (int)sizeof(text));
	model_add(text, n);
}

static void op_append_signed(void)
{
	int64_t value = (int64_t)random_bits() >> random_below(64);
	int32_t width = random_below(30);

	if (was_done(chic_rt_string_append_signed(m.string, value, value < 0 ? -1 : 0, 64,
						  width, 1, str(""))))
		add_printed("%*" PRId64, (int)width, value);
}

static void op_append_hex(void)
{
	uint64_t value = random_bits() >> random_below(64);
	char format[8];
	int digits = random_below(20);

	snprintf(format, sizeof(format), "x%d", digits);
	if (was_done(chic_rt_string_append_unsigned(m.string, value, 0, 64, 0, 0, str(format))))
		add_printed("%0*" PRIx64, digits, value);
}

static void op_append_f64(void)
{
	double value = (double)(int64_t)random_bits() / (1 + random_below(1000000));
	char format[8];
	int digits = random_below(12), width = (int)random_below(60) - 30;

	snprintf(format, sizeof(format), "F%d", digits);
	if (was_done(chic_rt_string_append_f64(m.string, value, width, 1, str(format))))
		add_printed("%*.*f", width, digits, value);
}

static void op_append_bool(void)
{
	bool value = random_below(2);

	if (was_done(chic_rt_string_append_bool(m.string, value, -7, 1, str("l"))))
		add_printed("%-7s", value ? "true" : "false");
}

/* Bytes elsewhere, the old ones spoilt. */
static void op_move(void)
{
	ChicString *to = m.string == &m.room[0] ? &m.room[1] : &m.room[0];

	*to = *m.string;
	memset(m.string, 0xaa, sizeof(*m.string));
	m.string = to;
}

/* The copy takes the place of the string. */
static void op_clone(void)
{
	ChicString copy;

	memset(&copy, 0x77, sizeof(copy));
	if (!was_done(chic_rt_string_clone(&copy, m.string))) {
		MUST(copy.len == (size_t)-1 / 0xff * 0x77);
		return;
	}
	check_text(&copy);
	chic_rt_string_drop(m.string);
	MUST(chic_rt_string_get_len(m.string) == 0);
	*m.string = copy;
}

static void op_as_chars(void)
{
	ChicCharSpan chars = chic_rt_string_as_chars(m.string);
	size_t units = 0;

	for (size_t i = 0; i < m.len; i++)
		units += begins_character(i) + ((m.text[i] & 0xf8) == 0xf0);
	MUST(chars.ptr ? chars.len == units : !m.len || (m.refuse && ledger_failed()));
	chic_rt_chars_drop(chars);
}

static void op_drop(void)
{
	chic_rt_string_drop(m.string);
	m.len = 0;
}

static const struct operation operations[] = {
	{op_push, 200},		{op_append, 60},     {op_push_itself, 40}, {op_push_bad, 20},
	{op_truncate, 40},	{op_reserve, 20},    {op_move, 30},	   {op_clone, 10},
	{op_append_signed, 40}, {op_append_hex, 40}, {op_append_f64, 30},  {op_as_chars, 4},
	{op_append_bool, 20},	{op_drop, 10},
};

START_TEST(strings_are_what_buffers_are)
{
	size_t taken = chic_rt_string_allocations(), given_back = chic_rt_string_frees();

	random_begin(_i);
	memset(&m, 0, sizeof(m));
	m.string = &m.room[0];
	*m.string = chic_rt_string_new();
	for (int i = 0; i < OPERATIONS; i++) {
		m.refuse = refuse_some();
		operate(operations, sizeof(operations) / sizeof(operations[0]));
		ledger_failed();
		check_text(m.string);
		if (m.len >= MOST)
			op_drop();
	}
	op_drop();
	ledger_nothing_left();
	taken = chic_rt_string_allocations() - taken;
	ck_assert_uint_gt(taken, 100);
	ck_assert_uint_eq(chic_rt_string_frees() - given_back, taken);
}
END_TEST

static Suite *make_suite(void)
{
	return model_suite("string model", strings_are_what_buffers_are, SEEDS);
}

CHECK_MAIN(make_suite)
