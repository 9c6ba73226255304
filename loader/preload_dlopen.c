// SPDX-License-Identifier: BSD-2-Clause
/*
 * Libraries opened with RTLD_DEEPBIND (PHP's extensions) find the C library's
 * malloc and free before ours, and give its free our blocks, which ends the
 * program.  Where another heap serves, or calls are counted, they are opened
 * without that flag.
 */
#include "preload.h"

#include <dlfcn.h>

#ifdef RTLD_DEEPBIND

typedef void *(*opener)(const char *file, int mode);

static opener next_dlopen(void)
{
	static _Atomic opener cached;
	opener next = cached;

	if (!next) {
		next = (opener)dlsym(RTLD_NEXT, "dlopen");
		cached = next;
	}
	return next;
}

/*
 * The call at the end is a jump: the dynamic linker looks at the return address
 * to know whose search path and namespace count.
 */
CHIC_EXPORT void *dlopen(const char *file, int mode)
{
	const struct dispatch *d = dispatch();
	opener next = next_dlopen();

	if (!d->plain || !d->libc_serves)
		mode &= ~RTLD_DEEPBIND;
	return next(file, mode);
}

#endif
