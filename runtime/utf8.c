// SPDX-License-Identifier: BSD-2-Clause
/*
 * UTF-8 read, written and checked.
 */
#define _GNU_SOURCE
#include "utf8.h"

#include <string.h>

/* By how many bytes follow: the least character that needs them. */
static const uint32_t least[UTF8_MOST] = {0, 0x80, 0x800, 0x10000};

/* How many bytes follow the first one; UTF8_MOST for a byte that is no first one. */
static size_t follow(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first < 0xc0 || first > 0xf4)
		return UTF8_MOST;
	return 1 + (first >= 0xe0) + (first >= 0xf0);
}

size_t utf8_read(const uint8_t *p, size_t n, uint32_t *c)
{
	size_t more = n ? follow(*p) : UTF8_MOST;
	uint32_t value;

	if (more >= n || more == UTF8_MOST)
		return 0;
	value = more ? *p & (0x3f >> more) : *p;
	for (size_t i = 1; i <= more; i++) {
		if (!utf8_goes_on(p[i]))
			return 0;
		value = value << 6 | (p[i] & 0x3f);
	}
	if (value < least[more] || value > 0x10ffff || utf8_is_surrogate(value))
		return 0;
	*c = value;
	return more + 1;
}

size_t utf8_length(const char *text)
{
	uint32_t c;

	return utf8_read((const uint8_t *)text, strnlen(text, UTF8_MOST), &c);
}

size_t utf8_write(uint32_t c, uint8_t *p)
{
	static const uint8_t mark[UTF8_MOST] = {0, 0xc0, 0xe0, 0xf0};
	size_t more = (c >= 0x80) + (c >= 0x800) + (c >= 0x10000);

	if (c > 0x10ffff || utf8_is_surrogate(c))
		return 0;
	for (size_t i = more; i; i--, c >>= 6)
		p[i] = 0x80 | (c & 0x3f);
	p[0] = mark[more] | c;
	return more + 1;
}

/* Eight bytes, of which none goes beyond ASCII. */
static bool are_ascii(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return !(word & UINT64_C(0x8080808080808080));
}

/* Most text is ASCII: eight bytes at a time, the last ones some of them again. */
static size_t skip_ascii(const uint8_t *p, size_t n)
{
	size_t i = 0;

	if (n >= 8) {
		while (n - i > 8 && are_ascii(p + i))
			i += 8;
		if (n - i <= 8 && are_ascii(p + n - 8))
			return n;
	}
	while (i < n && p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_good(const uint8_t *p, size_t n)
{
	size_t size;
	uint32_t c;

	for (size_t i = skip_ascii(p, n); i < n; i += size) {
		size = utf8_read(p + i, n - i, &c);
		if (!size)
			return false;
		size += skip_ascii(p + i + size, n - i - size);
	}
	return true;
}

size_t utf8_count(const uint8_t *p, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !utf8_goes_on(p[i]);
	return count;
}
