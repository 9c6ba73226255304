// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes the loader's fork handlers the first ones, whoever else registers some.
 *
 * The last to be registered runs first before a fork, and last after it.  A
 * library whose constructor runs before the loader's may register handlers that
 * allocate: they would run while the layers' locks are held, and wait for ever.
 */
#include "preload.h"

#include <dlfcn.h>

#ifdef __GLIBC__

typedef void (*handler)(void);
typedef int (*registration)(handler prepare, handler parent, handler child, void *library);

/* What pthread_atfork(), which is linked statically, calls in the C library. */
CHIC_EXPORT int __register_atfork(handler prepare, handler parent, handler child,
				  void *library);

int __register_atfork(handler prepare, handler parent, handler child, void *library)
{
	/* not by dlopen, which would run the C library's constructor, too early */
	registration libc = (registration)dlsym(RTLD_NEXT, "__register_atfork");

	chic_alloc_atfork();
	return libc ? libc(prepare, parent, child, library) : ENOSYS;
}

#endif
