// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which object asked for a block: the first on the stack that is not the loader's or a
 * module's, nor a library that asks on behalf of others.
 */
#include "guard.h"
#include "stacktrace_internal.h"

/* Frames of go-betweens are few. */
#define DEPTH 12

/* strdup() and fopen(), operator new and std::string. */
static const char go_betweens[][16] = {"libc.so", "libstdc++.so", "libc++.so", "libc++abi.so"};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* libfoo.so is libfoo.so.1 as well. */
static bool is_named(const char *file, const char *name)
{
	size_t len = strlen(name);

	return strncmp(file, name, len) == 0 && (!file[len] || file[len] == '.');
}

static bool is_go_between(const char *file)
{
	for (size_t i = 0; i < sizeof(go_betweens) / sizeof(go_betweens[0]); i++)
		if (is_named(file, go_betweens[i]))
			return true;
	return false;
}

bool guard_asked_by(const char *name)
{
	struct stacktrace_object object;
	uintptr_t pcs[DEPTH];
	size_t n = stacktrace_capture(pcs, DEPTH);
	const char *file;

	for (size_t i = 0; i < n; i++) {
		if (!stacktrace_object_find(pcs[i] - 1, &object))
			return false;
		file = base_name(*object.path ? object.path : stacktrace_program());
		if (is_named(file, name))
			return true;
		if (!is_go_between(file))
			return false;
	}
	return false;
}
