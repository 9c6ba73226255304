// SPDX-License-Identifier: BSD-2-Clause
/*
 * The two variables by which a program comes under us, LD_PRELOAD and
 * GLIBC_TUNABLES, joined with what they had.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *cli_preload_path(void)
{
	const char *path = secure_getenv("CHIC_ALLOC_PRELOAD");

	return path ? path : CHIC_ALLOC_PRELOAD;
}

/* The linker only warns about a library it cannot preload: find out before. */
int cli_preload_check(const char *path)
{
	if (strpbrk(path, " :\t\n"))
		return message_set(-EINVAL,
				   "%s: the preload library's path has a space or a colon, "
				   "which LD_PRELOAD cannot express",
				   path);
	if (access(path, R_OK))
		return message_set(-errno, "%s: %s, expected the preload library", path,
				   strerror(errno));
	return 0;
}

static char *copy(const char *text)
{
	char *same = strdup(text);

	if (!same)
		message_set(-ENOMEM, "out of memory");
	return same;
}

/* "FIRST" or "FIRST:SECOND" */
static char *join(const char *first, const char *second)
{
	char *value;

	if (!second || !*second)
		return copy(first);
	if (asprintf(&value, "%s:%s", first, second) >= 0)
		return value;
	message_set(-ENOMEM, "out of memory");
	return NULL;
}

char *cli_join_preload(const char *before)
{
	const char *path = cli_preload_path();
	size_t len = strlen(path);

	/* one run inside another */
	if (before && strncmp(before, path, len) == 0 && strchr(": ", before[len]))
		return copy(before);
	return join(path, before);
}

bool cli_needs_tunables(const char *before, size_t static_tls)
{
	return static_tls > tls_room(before);
}

char *cli_join_tunables(const char *before, size_t static_tls)
{
	char *value;

	if (!cli_needs_tunables(before, static_tls))
		return copy(before ? before : "");
	value = tls_tunables(before, static_tls);
	if (!value)
		message_set(-ENOMEM, "out of memory");
	return value;
}
