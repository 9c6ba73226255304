// SPDX-License-Identifier: BSD-2-Clause
/*
 * Decides, once, which heap serves this program, and publishes the decision.
 *
 * Runs from a constructor, libchic_alloc's or this library's, whichever comes
 * first, and never from inside malloc: loading a module takes the dynamic
 * linker's locks, which malloc's caller may hold.
 */
#include "preload.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first PID namespace of a machine has this number in all kernels. */
#define PID_NS_INITIAL "pid:[4026531836]"

/* Null unless a sanitizer's runtime is in the program. */
extern void __asan_init(void) __attribute__((weak));
extern void __hwasan_init(void) __attribute__((weak));
extern void __msan_init(void) __attribute__((weak));
extern void __tsan_init(void) __attribute__((weak));

/* Where this library begins and ends in memory, by the linker. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

/*
 * By handle: the next or default symbol may be another preloaded allocator's,
 * and so may __libc_malloc.
 */
void *libc_symbol(const char *name)
{
	static void *_Atomic cached;
	void *libc = cached;

	if (!libc) {
		libc = dlopen("libc.so.6", RTLD_NOLOAD | RTLD_LAZY);
		cached = libc;
	}
	return dlsym(libc ? libc : RTLD_NEXT, name);
}

static void libc_family_find(struct chic_malloc_family *family)
{
	*family = (struct chic_malloc_family){
		.malloc = (void *(*)(size_t))libc_symbol("malloc"),
		.free = (void (*)(void *))libc_symbol("free"),
		.calloc = (void *(*)(size_t, size_t))libc_symbol("calloc"),
		.realloc = (void *(*)(void *, size_t))libc_symbol("realloc"),
		.memalign = (void *(*)(size_t, size_t))libc_symbol("memalign"),
		.usable_size = (size_t(*)(void *))libc_symbol("malloc_usable_size"),
	};
}

/*
 * What serves without us: the family of a library that the program links or that was
 * preloaded behind us, if there is one (redis links jemalloc).  All of it from one
 * object: a block must not go from one heap to another.
 */
static bool next_family_find(struct chic_malloc_family *family)
{
	static const char *const names[] = {"malloc",  "free",	   "calloc",
					    "realloc", "memalign", "malloc_usable_size"};
	void *found[ARRAY_SIZE(names)];
	Dl_info first, info;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		found[i] = dlsym(RTLD_NEXT, names[i]);
		if (!found[i] || !dladdr(found[i], &info))
			return false;
		if (i == 0)
			first = info;
		if (info.dli_fbase != first.dli_fbase)
			return false;
	}
	*family = (struct chic_malloc_family){
		.malloc = (void *(*)(size_t))found[0],
		.free = (void (*)(void *))found[1],
		.calloc = (void *(*)(size_t, size_t))found[2],
		.realloc = (void *(*)(void *, size_t))found[3],
		.memalign = (void *(*)(size_t, size_t))found[4],
		.usable_size = (size_t(*)(void *))found[5],
	};
	return true;
}

/* Where the machine's init cannot start, nobody can repair the configuration. */
static const char *is_init(void)
{
	char ns[sizeof(PID_NS_INITIAL)];
	ssize_t n;

	if (getpid() != 1)
		return NULL;
	n = readlink("/proc/self/ns/pid", ns, sizeof(ns));
	if (n >= 0 && (n != sizeof(ns) - 1 || memcmp(ns, PID_NS_INITIAL, n) != 0))
		return NULL;
	return "process 1 of the machine";
}

static bool is_ours(const void *address)
{
	return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/* An executable's stub for calls elsewhere, which bears the name as well. */
static bool is_stub(const void *address)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	return dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
	       symbol->st_shndx == SHN_UNDEF;
}

/* What the linker found for the loader's own calls is what the program calls. */
static const char *has_own_malloc(void)
{
	const struct chic_malloc_family *called = platform_family();
	const void *const addresses[] = {(void *)called->malloc, (void *)called->free};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (!is_ours(addresses[i]) && !is_stub(addresses[i]))
			return "the program, or a library preloaded before, defines malloc";
	return NULL;
}

static const char *has_sanitizer(void)
{
	if (__asan_init || __hwasan_init || __msan_init || __tsan_init)
		return "the program carries a sanitizer";
	return NULL;
}

/* Why the program is to be left alone, or null. */
static const char *standdown_reason(void)
{
	static const char *(*const reasons[])(void) = {
		start_switched_off,
		is_init,
		has_sanitizer,
		has_own_malloc,
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
		const char *reason = reasons[i]();

		if (reason)
			return reason;
	}
	return NULL;
}

/*
 * Small requests of a heap whose answers nobody need look at.  Two words
 * cannot change at once: where the boot arena begins elsewhere than usual and other
 * threads run already, the way stays closed.
 */
static void short_way_open(struct short_way *way, const struct dispatch *d)
{
	const char *boot_base = (const char *)d->boot_base;

	if (boot_base != preload_page.boot_base && !chic_only_thread())
		return;
	short_way_lead(way, d);
	preload_page.boot_base = boot_base;
	__atomic_store_n(&way->boot_len, d->boot_len, __ATOMIC_RELEASE);
	__atomic_store_n(&way->sizes, SMALL_SIZES, __ATOMIC_RELEASE);
}

static void dispatch_fill(struct dispatch *d, struct chic_interposed *in,
			  const struct chic_malloc_family *libc_family)
{
	static struct chic_malloc_family next;

	d->platform_serves = in->direct && in->direct->malloc == libc_family->malloc;
	if (d->platform_serves && dlsym(RTLD_NEXT, "malloc") != (void *)libc_family->malloc &&
	    next_family_find(&next))
		in->direct = &next;
	d->layered = !in->direct;
	if (in->direct)
		d->direct = *in->direct;
	else
		d->layer = *in->top;
	leaves_fill(d, in);
	sizes_fill(d, in);
	d->telemetry = in->telemetry;
	d->plain = in->direct && d->telemetry == CHIC_TELEMETRY_OFF;
	d->counters = in->counters;
	d->shared = in->shared;
	boot_close(&d->boot_base, &d->boot_len);
}

/* From here on every request goes to the heap, and no stray write changes that. */
static void publish(bool sets_errno)
{
	const struct dispatch *d = &preload_page.dispatch;

	_Static_assert(offsetof(struct dispatch_page, dispatch) + sizeof(*d) <= 4096,
		       "what the hot path reads is on one page");

	atomic_store_explicit(&preload_page.active, d, memory_order_release);
	if (sets_errno)
		short_way_open(d->telemetry == CHIC_TELEMETRY_OFF ? &preload_page.plain
								  : &preload_page.counted,
			       d);
	/* writable works as well, where a sandbox forbids it */
	(void)mprotect(&preload_page, getauxval(AT_PAGESZ), PROT_READ);
}

const char loader_is_preload = 1;

void chic_alloc_preload_start(void)
{
	static atomic_flag begun = ATOMIC_FLAG_INIT;
	static struct chic_malloc_family libc_family;
	struct chic_interposed in = {.size = sizeof(in)};
	int saved = errno;

	if (atomic_flag_test_and_set(&begun))
		return;
	libc_family_find(&libc_family);
	preload_signal_start();
	loader_interpose(&libc_family, standdown_reason(), &in);
	dispatch_fill(&preload_page.dispatch, &in, &libc_family);
	publish(in.sets_errno);
	errno = saved;
}

__attribute__((constructor)) static void start(void)
{
	chic_alloc_preload_start();
}
