// SPDX-License-Identifier: BSD-2-Clause
/*
 * The static thread-local storage that a library needs which is opened while the
 * program runs: how much its file asks for, and the variable that makes room.
 *
 * The linker keeps a surplus for such libraries, whose size is fixed when the
 * program starts.  A library that needs more cannot be opened unless this tunable
 * says so.
 */
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TUNABLE "glibc.rtld.optional_static_tls"
/* Its value when nothing is said. */
#define SURPLUS 512
/* What is asked for is a multiple of this; other libraries need some as well. */
#define STEP 4096

/* The number of NAME=NUMBER if that is ours, else -1. */
static long long value_of(const char *tunable, size_t len)
{
	const size_t name = strlen(TUNABLE);

	if (len <= name || memcmp(tunable, TUNABLE, name) != 0 || tunable[name] != '=')
		return -1;
	return strtoll(tunable + name + 1, NULL, 0);
}

size_t tls_room(const char *tunables)
{
	long long room = SURPLUS, value;
	size_t len;

	for (; tunables && *tunables; tunables += len + (tunables[len] == ':')) {
		len = strcspn(tunables, ":");
		value = value_of(tunables, len);
		if (value >= 0)
			room = value;
	}
	return room;
}

/* All that others set, and behind it ours. */
char *tls_tunables(const char *before, size_t need)
{
	size_t kept = before ? strlen(before) : 0, len, n = 0;
	char *out = malloc(kept + sizeof(":" TUNABLE "=") + 20);

	if (!out)
		return NULL;
	for (; before && *before; before += len + (before[len] == ':')) {
		len = strcspn(before, ":");
		if (!len || value_of(before, len) >= 0)
			continue;
		memcpy(out + n, before, len);
		n += len;
		out[n++] = ':';
	}
	sprintf(out + n, TUNABLE "=%zu", need / STEP * STEP + STEP);
	return out;
}

/* Bytes of the file's thread-local storage; 0 if that cannot be told. */
size_t tls_of_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	struct elf elf;

	if (fd < 0)
		return 0;
	if (elf_open(&elf, fd, path) == 0)
		size = elf_tls_size(&elf);
	close(fd);
	return size;
}
