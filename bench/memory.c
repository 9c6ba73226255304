// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process takes: at its start, and with blocks of 100 bytes.
 *
 *	memory BLOCKS
 *
 * Prints KiB, "resident" and "dirty", which are pages that are this process's alone.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One field of the kernel's sums over all mappings; nothing is allocated for it. */
static long field(const char *name)
{
	char text[4096];
	int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	const char *at;

	close(fd);
	if (n <= 0) {
		perror("/proc/self/smaps_rollup");
		exit(EXIT_FAILURE);
	}
	text[n] = '\0';
	at = strstr(text, name);
	return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	long resident, dirty;

	for (long i = 0; i < n; i++) {
		char *volatile p = malloc(100);

		if (!p)
			return EXIT_FAILURE;
		memset(p, 1, 100);
	}
	resident = field("\nRss:");
	dirty = field("\nPrivate_Dirty:");
	printf("resident %ld\ndirty %ld\n", resident, dirty);
	return 0;
}
