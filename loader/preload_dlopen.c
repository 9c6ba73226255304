// SPDX-License-Identifier: BSD-2-Clause
/*
 * Libraries opened with RTLD_DEEPBIND (PHP's extensions) find the C library's
 * malloc and free before ours, and give its free our blocks, which ends the
 * program.  Where another heap serves, or calls are counted, they are opened
 * without that flag.
 *
 * Both functions end in a jump: the dynamic linker looks at the return address to
 * know whose search path and namespace count.
 */
#include "preload.h"

#include <dlfcn.h>

#ifdef RTLD_DEEPBIND

/* A jump also in builds that are not optimised. */
#ifdef __clang__
#define JUMPS
#define JUMP __attribute__((musttail)) return
#else
#define JUMPS __attribute__((optimize("O2")))
#define JUMP return
#endif

typedef void *(*opener)(const char *file, int mode);
typedef void *(*namespace_opener)(Lmid_t namespace, const char *file, int mode);

static void *next_symbol(void *_Atomic *cached, const char *name)
{
	void *next = *cached;

	if (!next) {
		next = dlsym(RTLD_NEXT, name);
		*cached = next;
	}
	return next;
}

static int without_deepbind(int mode)
{
	const struct dispatch *d = dispatch();

	return d->plain && d->platform_serves ? mode : mode & ~RTLD_DEEPBIND;
}

JUMPS CHIC_EXPORT void *dlopen(const char *file, int mode)
{
	static void *_Atomic cached;
	opener next = (opener)next_symbol(&cached, "dlopen");

	mode = without_deepbind(mode);
	JUMP next(file, mode);
}

/* In another namespace there is another C library, and nothing of ours. */
JUMPS CHIC_EXPORT void *dlmopen(Lmid_t namespace, const char *file, int mode)
{
	static void *_Atomic cached;
	namespace_opener next = (namespace_opener)next_symbol(&cached, "dlmopen");

	if (namespace == LM_ID_BASE)
		mode = without_deepbind(mode);
	JUMP next(namespace, file, mode);
}

#endif
