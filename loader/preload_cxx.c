// SPDX-License-Identifier: BSD-2-Clause
/*
 * C++ operators new and delete.
 *
 * libstdc++'s own call malloc, but a program linked with a vendor's allocator
 * would find that vendor's operators, and its blocks would pass us by.  The
 * functions here call malloc by name, like libstdc++: a program that defines
 * malloc itself keeps serving its own operators.
 *
 * When memory is out they act as the standard says: the new handler is called
 * until it gives up, then bad_alloc is thrown.  Both are looked up in the C++
 * library only then; C programs have none.  Needs -fexceptions, so that what is
 * thrown can pass.
 */
#include "preload.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdlib.h>

/* size_t in mangled names: unsigned long or unsigned int. */
#if __SIZEOF_SIZE_T__ == 8 && defined(__LP64__)
#define SZ "m"
#else
#define SZ "j"
#endif
#define AL "St11align_val_t"
#define NT "RKSt9nothrow_t"

typedef void (*new_handler)(void);
typedef new_handler (*get_handler)(void);

/* A symbol of the C++ library, wherever and whenever that was loaded. */
static void *cxx_symbol(const char *name)
{
	static const char *const libraries[] = {"libstdc++.so.6", "libc++.so.1"};

	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		void *library = dlopen(libraries[i], RTLD_NOLOAD | RTLD_LAZY);
		void *symbol = library ? dlsym(library, name) : NULL;

		if (symbol)
			return symbol;
	}
	return dlsym(RTLD_DEFAULT, name);
}

/* One round of the standard's loop; comes back if there is hope. */
__attribute__((cold, noinline)) static void call_new_handler(void)
{
	get_handler get = (get_handler)cxx_symbol("_ZSt15get_new_handlerv");
	new_handler handler = get ? get() : NULL;
	void (*throw_bad_alloc)(void);

	if (handler) {
		handler();
		return;
	}
	throw_bad_alloc = (void (*)(void))cxx_symbol("_ZSt17__throw_bad_allocv");
	if (throw_bad_alloc)
		throw_bad_alloc();
	abort();
}

static inline void *new_block(size_t size)
{
	void *p;

	while (unlikely(!(p = malloc(size))))
		call_new_handler();
	return p;
}

static inline void *new_aligned(size_t size, size_t align)
{
	void *p;

	while (unlikely(!(p = memalign(align, size))))
		call_new_handler();
	return p;
}

/*
 * The operators that do not throw must catch what a new handler throws, which C
 * cannot: the C++ library's own do, and call our throwing one to allocate.
 */
__attribute__((cold, noinline)) static void *retry_nothrow(size_t size, const void *nothrow)
{
	void *(*retry)(size_t, const void *) =
		(void *(*)(size_t, const void *))cxx_symbol("_Znw" SZ NT);

	return retry ? retry(size, nothrow) : NULL;
}

__attribute__((cold, noinline)) static void *retry_aligned(size_t size, size_t align,
							   const void *nothrow)
{
	void *(*retry)(size_t, size_t, const void *) =
		(void *(*)(size_t, size_t, const void *))cxx_symbol("_Znw" SZ AL NT);

	return retry ? retry(size, align, nothrow) : NULL;
}

static inline void *new_nothrow(size_t size, const void *nothrow)
{
	void *p = malloc(size);

	if (unlikely(!p))
		p = retry_nothrow(size, nothrow);
	return p;
}

static inline void *new_aligned_nothrow(size_t size, size_t align, const void *nothrow)
{
	void *p = memalign(align, size);

	if (unlikely(!p))
		p = retry_aligned(size, align, nothrow);
	return p;
}

/* Each operator in its plain form and its array form, which do the same. */
#define OPERATOR_NEW(suffix, label, parameters, call)                                          \
	CHIC_EXPORT void *new_##suffix parameters __asm__("_Znw" label);                       \
	CHIC_EXPORT void *new_array_##suffix parameters __asm__("_Zna" label);                 \
	void *new_##suffix parameters                                                          \
	{                                                                                      \
		return call;                                                                   \
	}                                                                                      \
	void *new_array_##suffix parameters                                                    \
	{                                                                                      \
		return call;                                                                   \
	}

OPERATOR_NEW(1, SZ, (size_t size), new_block(size))
OPERATOR_NEW(2, SZ NT, (size_t size, const void *tag), new_nothrow(size, tag))
OPERATOR_NEW(3, SZ AL, (size_t size, size_t align), new_aligned(size, align))
OPERATOR_NEW(4, SZ AL NT, (size_t size, size_t align, const void *tag),
	     new_aligned_nothrow(size, align, tag))

/* What delete is told beyond the pointer does not matter to free. */
#define OPERATOR_DELETE(suffix, label)                                                         \
	CHIC_EXPORT void delete_##suffix(void *p) __asm__("_ZdlPv" label);                     \
	CHIC_EXPORT void delete_array_##suffix(void *p) __asm__("_ZdaPv" label);               \
	void delete_##suffix(void *p)                                                          \
	{                                                                                      \
		free(p);                                                                       \
	}                                                                                      \
	void delete_array_##suffix(void *p)                                                    \
	{                                                                                      \
		free(p);                                                                       \
	}

OPERATOR_DELETE(1, "")
OPERATOR_DELETE(2, NT)
OPERATOR_DELETE(3, SZ)
OPERATOR_DELETE(4, AL)
OPERATOR_DELETE(5, AL NT)
OPERATOR_DELETE(6, SZ AL)
