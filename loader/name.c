// SPDX-License-Identifier: BSD-2-Clause
/*
 * name.c - entries of a stack: the names of modules, sonames, paths.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define BLANKS " \t"

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

bool name_equal(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Not isalnum(): names do not depend on the program's locale. */
static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool is_default(const char *name)
{
	return strcmp(name, "default") == 0;
}

static bool is_reserved(const char *name)
{
	return is_default(name) || strcmp(name, "allocator") == 0;
}

bool name_valid(const char *name)
{
	size_t len;

	for (len = 0; name[len]; len++) {
		if (len == NAME_MAX_LEN || !is_name_char(name[len]))
			return false;
	}
	return len > 0 && !is_reserved(name);
}

/* ".so", then any number of ".N"; what is before has at least one byte. */
const char *name_suffix(const char *path)
{
	const char *slash = strrchr(path, '/'), *so = slash ? slash + 1 : path;

	while (*so && (so = strstr(so + 1, ".so"))) {
		const char *p = so + strlen(".so");

		while (p[0] == '.' && p[1] >= '0' && p[1] <= '9')
			p += 1 + strspn(p + 1, "0123456789");
		if (*p == '\0')
			return so;
	}
	return NULL;
}

/* A path with a newline in it would make two lines of a message. */
static bool is_printable(const char *entry)
{
	for (; *entry; entry++) {
		if ((unsigned char)*entry < ' ' || *entry == 0x7f)
			return false;
	}
	return true;
}

bool name_is_library(const char *entry)
{
	if (strchr(entry, '/') && entry[0] != '/')
		return false;
	return is_printable(entry) && name_suffix(entry);
}

static int check_entry(const char *entry)
{
	char shown[SHOWN_MAX];

	if (name_valid(entry) || is_default(entry) || name_is_library(entry))
		return 0;
	if (is_reserved(entry))
		return message_set(-EINVAL, "reserved name, got '%s', expected a module",
				   entry);
	return message_set(-EINVAL,
			   "bad entry, got '%s', expected a module's name (letters, digits, "
			   "'-', '_', at most %d), a soname or an absolute path to a .so",
			   ini_shown(shown, entry, strlen(entry)), NAME_MAX_LEN);
}

static int empty_entry(const char *list)
{
	char shown[SHOWN_MAX];

	return message_set(-EINVAL, "empty entry, got '%s', expected one module between commas",
			   ini_shown(shown, list, strlen(list)));
}

int name_next(const char **list, char *out, size_t size)
{
	const char *start = *list + strspn(*list, BLANKS);
	const char *comma = strchrnul(start, ',');
	size_t len = comma - start;
	char shown[SHOWN_MAX];

	if (*start == '\0')
		return 0;
	while (len && strchr(BLANKS, start[len - 1]))
		len--;
	/* A comma at the end is refused here: afterwards it would be forgotten. */
	if (len == 0 || (*comma && comma[1 + strspn(comma + 1, BLANKS)] == '\0'))
		return empty_entry(*list);
	if (len >= size)
		return message_set(-EINVAL,
				   "entry too long, got '%s', expected at most %zu bytes",
				   ini_shown(shown, start, len), size - 1);

	memcpy(out, start, len);
	out[len] = '\0';
	*list = *comma ? comma + 1 : comma;
	return check_entry(out) ?: 1;
}

/* Names fold '-' and '_'; files do not. */
static bool same_entry(const char *a, const char *b)
{
	if (name_is_library(a) || name_is_library(b))
		return strcmp(a, b) == 0;
	return name_equal(a, b);
}

bool name_in_list(const char *entry, const char *list)
{
	char other[PATH_MAX];

	while (name_next(&list, other, sizeof(other)) == 1) {
		if (same_entry(entry, other))
			return true;
	}
	return false;
}

/* One entry in view of those after it. */
static int check_place(const char *entry, const char *rest, bool may_default)
{
	char shown[SHOWN_MAX];

	rest += strspn(rest, " \t");
	if (is_default(entry) && !may_default)
		return message_set(-EINVAL, "'default' among filters, expected modules: the "
					    "platform heap has nothing below it");
	if (is_default(entry) && *rest)
		return message_set(-EINVAL,
				   "'default' before '%s', expected it last: the "
				   "platform heap has nothing below it",
				   ini_shown(shown, rest, strlen(rest)));
	if (name_in_list(entry, rest))
		return message_set(-EINVAL,
				   "repeated module, got '%.80s' again, expected each "
				   "module once in a stack",
				   entry);
	return 0;
}

int name_check_list(const char *list, bool may_default)
{
	char entry[PATH_MAX];
	unsigned n = 0;
	int err;

	while ((err = name_next(&list, entry, sizeof(entry))) == 1) {
		if (++n > STACK_MAX)
			return message_set(-EINVAL,
					   "stack too deep, got '%.80s' as the %uth entry, "
					   "expected at most %d",
					   entry, n, STACK_MAX);
		err = check_place(entry, list, may_default);
		if (err)
			return err;
	}
	return err;
}
