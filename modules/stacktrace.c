// SPDX-License-Identifier: BSD-2-Clause
/*
 * What all stack traces need: which objects are ours, what the program is called,
 * and whether memory can be read.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stacktrace_internal.h"

/* No page of any kernel is smaller. */
#define PAGE_SMALLEST 4096

/* By the linker: where the object that has this code in it begins. */
extern const char __ehdr_start[];

static struct stacktrace_object own, loader;
static char program[4096];

static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash - path : 0;
}

static bool same_folder(const char *a, const char *b)
{
	size_t len = folder_length(a);

	return len && len == folder_length(b) && memcmp(a, b, len) == 0;
}

/* Linked into the program itself, the loader's and modules' code is the program's. */
bool stacktrace_is_ours(const struct stacktrace_object *object)
{
	if (!*object->path)
		return false;
	return object->start == own.start || object->start == loader.start ||
	       same_folder(object->path, own.path ? own.path : "");
}

const char *stacktrace_program(void)
{
	return program;
}

void stacktrace_start(const struct chic_module_args *args)
{
	ssize_t n;

	stacktrace_objects_note();
	stacktrace_object_find((uintptr_t)__ehdr_start, &own);
	stacktrace_object_find((uintptr_t)args->thread_word, &loader);
	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[n > 0 ? n : 0] = '\0';
}

/*
 * A system call that reads from there, unless it is null, and then finds fault with
 * its first argument: no other answer than EFAULT means that there is nothing to
 * read.  One that no sandbox forbids.
 */
static bool page_readable(uintptr_t at)
{
	const int no_such_way = ~0;

	if (at < PAGE_SMALLEST)
		return false;
	return syscall(SYS_rt_sigprocmask, no_such_way, at & ~(uintptr_t)7, NULL, 8) == 0 ||
	       errno != EFAULT;
}

bool stacktrace_readable(const void *p, size_t size)
{
	uintptr_t at = (uintptr_t)p;
	uintptr_t last = at + size - 1;
	int saved = errno;
	bool readable = size == 0 || last >= at;

	while (readable && size && at <= last) {
		readable = page_readable(at);
		at = (at | (PAGE_SMALLEST - 1)) + 1;
		if (!at)
			break;
	}
	errno = saved;
	return readable;
}
