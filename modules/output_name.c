// SPDX-License-Identifier: BSD-2-Clause
/*
 * From what output = says to the name of a file.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "output_name.h"

size_t output_append_number(char *to, size_t size, unsigned long n)
{
	char digits[24], *p = digits + sizeof(digits);
	size_t len;

	do {
		*--p = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	len = smaller((size_t)(digits + sizeof(digits) - p), size);
	memcpy(to, p, len);
	return len;
}

int output_expand(const char *pattern, char *path, size_t size)
{
	size_t len = 0;

	for (; *pattern && len < size; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'p') {
			len += output_append_number(path + len, size - len,
						    (unsigned long)getpid());
			pattern++;
			continue;
		}
		if (pattern[0] == '%' && pattern[1] == '%')
			pattern++;
		path[len++] = *pattern;
	}
	if (len >= size)
		return -ENAMETOOLONG;
	path[len] = '\0';
	return 0;
}

bool output_has_pid(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (pattern[0] == '%' && pattern[1] == 'p')
			return true;
		if (pattern[0] == '%' && pattern[1] == '%')
			pattern++;
	}
	return false;
}

/* A folder's percent signs are its own. */
static bool append_escaped(char *to, size_t size, const char *folder)
{
	size_t len = 0;

	for (; *folder && len + 2 < size; folder++) {
		if (*folder == '%')
			to[len++] = '%';
		to[len++] = *folder;
	}
	to[len] = '\0';
	return !*folder;
}

int output_pattern(char *pattern, size_t size, const char *output)
{
	char cwd[PATH_MAX];
	size_t len = 0;

	if (output[0] && output[0] != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return -errno;
		if (!append_escaped(pattern, size - 1, cwd))
			return -ENAMETOOLONG;
		len = strlen(pattern);
		pattern[len++] = '/';
	}
	if (strlen(output) >= size - len)
		return -ENAMETOOLONG;
	strcpy(pattern + len, output);
	return 0;
}
