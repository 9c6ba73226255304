// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fault injection for the calls that allocate; see fault.h.  Counts per process,
 * not per thread: tests that use it run the code under test in one thread.
 */
#define _GNU_SOURCE
#include "fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

static unsigned countdown;
static bool hit;

void fault_start(unsigned n)
{
	countdown = n;
	hit = false;
}

bool fault_stop(void)
{
	countdown = 0;
	return hit;
}

static bool fails(void)
{
	if (countdown == 0 || --countdown != 0)
		return false;
	hit = true;
	errno = ENOMEM;
	return true;
}

#define WRAP(type, bad, name, params, args)                                                    \
	type __real_##name params;                                                             \
	type __wrap_##name params;                                                             \
	type __wrap_##name params                                                              \
	{                                                                                      \
		return fails() ? (bad) : __real_##name args;                                   \
	}

WRAP(void *, NULL, malloc, (size_t size), (size))
WRAP(void *, NULL, calloc, (size_t n, size_t size), (n, size))
WRAP(void *, NULL, realloc, (void *p, size_t size), (p, size))
WRAP(void *, NULL, reallocarray, (void *p, size_t n, size_t size), (p, n, size))
WRAP(char *, NULL, strdup, (const char *s), (s))
WRAP(char *, NULL, strndup, (const char *s, size_t n), (s, n))
WRAP(char *, NULL, realpath, (const char *path, char *out), (path, out))
WRAP(int, -1, vasprintf, (char **out, const char *format, va_list args), (out, format, args))
WRAP(void *, MAP_FAILED, mmap,
     (void *addr, size_t len, int prot, int flags, int fd, off_t offset),
     (addr, len, prot, flags, fd, offset))
/* its name on 32-bit machines, where offsets have 64 bits */
WRAP(void *, MAP_FAILED, mmap64,
     (void *addr, size_t len, int prot, int flags, int fd, off64_t offset),
     (addr, len, prot, flags, fd, offset))

int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = __wrap_vasprintf(out, format, args);
	va_end(args);
	return n;
}

/* What the two are called with _FORTIFY_SOURCE. */
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args);
int __wrap___vasprintf_chk(char **out, int flag, const char *format, va_list args)
{
	(void)flag;
	return __wrap_vasprintf(out, format, args);
}

int __wrap___asprintf_chk(char **out, int flag, const char *format, ...);
int __wrap___asprintf_chk(char **out, int flag, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = __wrap___vasprintf_chk(out, flag, format, args);
	va_end(args);
	return n;
}
