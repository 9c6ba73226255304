/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chic_module.h - for authors of allocator modules
 *
 * A module is a shared object NAME.so in the module folder (pkg-config
 * --variable=moduledir chic-alloc).  It exports functions whose names begin
 * with its own name, NAME_alloc and so on, every '-' of the name written as
 * '_', and carries metadata in the ELF section .modinfo, which is read from the
 * file before any code of the module runs:
 *
 *	CHIC_MODULE("pool", "heap");
 *	CHIC_MODULE_VERSION("1.0");
 *	CHIC_MODULE_LICENSE("BSD-2-Clause");
 *	CHIC_MODULE_DESCRIPTION("fixed-size pools");
 *	CHIC_MODULE_AUTHOR("A. Vendor <pool@example.org>");
 *	CHIC_MODULE_PARM("slab", "size", "64K", "4K-1G", "bytes of one slab");
 *
 * ABI promise.  A module file that was built with this header loads and works in
 * every later release that speaks ABI 1 (CHIC_MODULE_ABI), without being rebuilt.
 * That counts from release 0.1.0 on.
 *
 * What never changes within ABI 1
 *	- names, signatures and meaning of the symbols described below, and what
 *	  the loader makes of one that is missing;
 *	- offset, type and meaning of every field of the structs below, and of
 *	  ValueMutPtr, which travels by value;
 *	- struct chic_module_param as a whole: it is the element of an array;
 *	- the keys of .modinfo below, their values, and the parts of parm=;
 *	- what a module may rely on: CHIC_MALLOC_ALIGN, CHIC_MODULE_TLS_MAX bytes of
 *	  TLS, which functions run concurrently, and that code stays mapped.
 *
 * What a later release may add
 *	- optional symbols.  A loader does not look at names that it does not know.
 *	  A symbol that is added later is asked for only in modules whose metadata
 *	  says that they were built with a header that has it; an older module that
 *	  happens to export that name for a purpose of its own is not called there.
 *	- fields behind the end of structs that begin with their own size.  size is
 *	  what the loader has, so ask CHIC_HAS(lower, field) before using a field that
 *	  this header did not have in its first release.
 *	- keys of .modinfo.  A loader passes over keys that it does not know.
 *	- kinds, types of parameters, and words of frees=.  A loader refuses those
 *	  that it does not know: guessing would put a block into a wrong heap.
 *
 * An older module in a newer loader sees larger structs and is called as ever.
 *
 * A newer module in an older loader loads if it can do without what was added:
 * its new symbols and keys are not looked at, CHIC_HAS is false for new fields.
 * If it cannot, it says so: CHIC_MODULE_NEEDS("symbol") makes a loader that does
 * not know NAME_symbol refuse the file before any code of it runs, and NAME_init
 * may refuse, with args->fail, where CHIC_HAS is false.
 *
 * What is deprecated is marked so in this header, works on for as long as ABI 1
 * is loaded, and is never given another meaning.  If something must change that
 * is promised here, CHIC_MODULE_ABI becomes 2.  A module of an ABI that the loader
 * does not speak is refused with both numbers; ABI 1 is dropped, if ever, with a
 * new major version of the release and of the library's soname.
 *
 * The promise is about files.  Source that uses this header keeps compiling too;
 * names that begin with chic_, CHIC_ or the module's own NAME_ followed by a word
 * of this header are taken.
 *
 * Threads.  Every function of a module but NAME_init, NAME_exit and NAME_reset may
 * be called from any thread at any time, concurrently; while NAME_reset runs, none is.
 *
 * TLS.  Thread-local variables must use the initial-exec model (build with
 * -ftls-model=initial-exec) and together take at most 64 bytes, or the module
 * is refused: the general model allocates inside __tls_get_addr and would call
 * itself.  Most modules want the per-thread word instead, see
 * chic_thread_word().
 */
#ifndef CHIC_MODULE_H
#define CHIC_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#if __STDC_HOSTED__
#include <string.h>
#endif

#include "chic_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What `abi=` in the metadata must be; see the promise above. */
#define CHIC_MODULE_ABI 1

/* Alignment that malloc promises when none is asked: max_align_t on LP64. */
#define CHIC_MALLOC_ALIGN (2 * sizeof(void *))

/* Most bytes of initial-exec TLS a module may have. */
#define CHIC_MODULE_TLS_MAX 64

/* ------------------------------------------------------------ metadata -- */

#define CHIC_MODINFO_PASTE_(a, b) a##b
#define CHIC_MODINFO_PASTE(a, b) CHIC_MODINFO_PASTE_(a, b)
#define CHIC_MODINFO_STRING_(x) #x
#define CHIC_MODINFO_STRING(x) CHIC_MODINFO_STRING_(x)

/* retain keeps the section when the module is linked with --gc-sections. */
#define CHIC_MODULE_INFO(key, value)                                                           \
	static const char CHIC_MODINFO_PASTE(chic_modinfo_, __COUNTER__)[]                     \
		__attribute__((used, retain, section(".modinfo"), aligned(1))) = key "=" value

/*
 * Name and kind; emits abi= as well.  The name must be the file's, NAME.so.
 *
 *	heap	blocks come from the module's own memory
 *	filter	a block it hands out is its lower's block, at the same address
 *	mixed	some blocks are its own, some its lower's; must export all four
 *		hooks, owns and usable_size
 */
#define CHIC_MODULE(name, kind)                                                                \
	CHIC_MODULE_INFO("name", name);                                                        \
	CHIC_MODULE_INFO("abi", CHIC_MODINFO_STRING(CHIC_MODULE_ABI));                         \
	CHIC_MODULE_INFO("kind", kind)

#define CHIC_MODULE_VERSION(text) CHIC_MODULE_INFO("version", text)
#define CHIC_MODULE_LICENSE(text) CHIC_MODULE_INFO("license", text)
#define CHIC_MODULE_DESCRIPTION(text) CHIC_MODULE_INFO("description", text)
#define CHIC_MODULE_AUTHOR(text) CHIC_MODULE_INFO("author", text)

/*
 * The module relies on the loader calling NAME_symbol; several are several of
 * these.  A loader that does not know the symbol refuses the module, where without
 * this it would leave the symbol alone.
 */
#define CHIC_MODULE_NEEDS(symbol) CHIC_MODULE_INFO("needs", symbol)

/*
 * Single blocks are not used again after they were freed.  A heap that says so may
 * leave NAME_free out.
 */
#define CHIC_MODULE_FREES_NO() CHIC_MODULE_INFO("frees", "no")

/* Its blocks may be cut without asking it: see struct chic_window.  Not of a filter. */
#define CHIC_MODULE_WINDOW() CHIC_MODULE_INFO("window", "yes")

/*
 * A parameter, set in the section [module NAME] of the configuration.
 *
 *	type	  range			value
 *	"bool"	  ""			yes no true false on off 1 0
 *	"uint"	  "MIN-MAX" or ""	decimal
 *	"size"	  "MIN-MAX" or ""	bytes, decimal, with K, M, G or T (powers of 1024)
 *	"string"  ""			any text, also none
 *	"enum"	  "one|two|three"	one of these
 *
 * The default must itself be a valid value.  None of name, type, default and
 * range may contain ':'.  The names path, prefix and env are the loader's keys.
 * The loader checks all values before NAME_init.
 */
#define CHIC_MODULE_PARM(name, type, def, range, help)                                         \
	CHIC_MODULE_INFO("parm", name ":" type ":" def ":" range ":" help)

/* --------------------------------------------------------- exports --- */

typedef ValueMutPtr (*chic_alloc_fn)(void *ctx, size_t size, size_t align);
typedef ValueMutPtr (*chic_realloc_fn)(void *ctx, ValueMutPtr old, size_t old_size, size_t size,
				       size_t align);
typedef void (*chic_free_fn)(void *ctx, ValueMutPtr block);
typedef size_t (*chic_usable_size_fn)(void *ctx, const void *p);
typedef bool (*chic_owns_fn)(void *ctx, const void *p);
typedef void *(*chic_malloc_fn)(void *ctx, size_t size);
typedef void *(*chic_calloc_fn)(void *ctx, size_t n, size_t size);
typedef void *(*chic_memalign_fn)(void *ctx, size_t align, size_t size);
typedef void *(*chic_remalloc_fn)(void *ctx, void *p, size_t size);
typedef size_t (*chic_mfree_fn)(void *ctx, void *p);

/*
 * A heap that cuts small blocks one behind another may let chic_rt_alloc do that by
 * itself, which saves half of the time.  With CHIC_MODULE_WINDOW() its word of a thread,
 * where that is not null, points to a window, which only this thread uses.  Where the
 * heap would be asked for at most CHIC_WINDOW_MAX bytes, aligned to at most
 * CHIC_MALLOC_ALIGN, chic_window_cut() may be called instead; with null for an answer,
 * and always by an older loader, the heap is asked.  So what that writes is all that
 * the heap finds of such a block:
 *
 *	in front of it, its size as requested, and the bytes up to the next header;
 *	next moved behind it and the next header, a multiple of CHIC_MALLOC_ALIGN
 *	further; blocks one more.
 *
 * An empty window has next == end; it may lose or get its memory at any time the heap is
 * called by its thread, and in NAME_reset.
 */
struct chic_window {
	char *next; /* where the next block begins, its header before it */
	char *end; /* where none may begin any more: a header's place is before it */
	size_t blocks;
};

struct chic_window_header {
	uint32_t size; /* as requested */
	uint32_t capacity;
};

#define CHIC_WINDOW_MAX 1024

/* Bytes from one block to the next. */
static inline size_t chic_window_step(size_t size)
{
	size_t whole = size + sizeof(struct chic_window_header) + CHIC_MALLOC_ALIGN - 1;

	return whole & ~(CHIC_MALLOC_ALIGN - 1);
}

static inline void chic_window_mark(char *p, size_t size, size_t step)
{
	const struct chic_window_header header = {
		(uint32_t)size,
		(uint32_t)(step - sizeof(header)),
	};

	/* in one store: cutting a block has as many as a processor can take */
	__builtin_memcpy(p - sizeof(header), &header, sizeof(header));
}

/* A block of size bytes, or null where the window has no room for it. */
static inline void *chic_window_cut(struct chic_window *window, size_t size)
{
	size_t step = chic_window_step(size);
	char *p = window->next;

	if (__builtin_expect(step > (size_t)(window->end - p), 0))
		return NULL;
	window->next = p + step;
	window->blocks++;
	chic_window_mark(p, size, step);
	return p;
}

/*
 * Whether a struct that begins with its own size has a field: false in a loader
 * that is older than the field.
 *
 *	if (CHIC_HAS(lower, family) && lower->family)
 */
#define CHIC_HAS(struct_pointer, field)                                                        \
	(offsetof(__typeof__(*(struct_pointer)), field) + sizeof((struct_pointer)->field) <=   \
	 (struct_pointer)->size)

/* A malloc family as the C library has it.  It never grows. */
struct chic_malloc_family {
	void *(*malloc)(size_t size);
	void (*free)(void *p);
	void *(*calloc)(size_t n, size_t size);
	void *(*realloc)(void *p, size_t size);
	void *(*memalign)(size_t align, size_t size);
	size_t (*usable_size)(void *p);
};

/*
 * The next layer of the stack, handed to NAME_init.  It stays valid until
 * NAME_exit has returned.  Each entry has its own context, which must go with
 * it.  size is sizeof(struct chic_layer) in the loader: a field that lies at or
 * beyond it does not exist there.
 *
 * Hooks are never null.  usable_size and owns are null where the lower layer
 * cannot tell.  Twins are never null when usable_size is not.
 *
 * family is null unless the lower layer is a malloc family and nothing else: the
 * platform heap or a stock library, no module's code in between.  Its functions do
 * then what the twins of their names do (free for mfree, realloc for remalloc), one
 * call less each, and blocks are interchangeable.  But memalign may be choosy, and
 * not align what it answers: use the twin.  Added behind the end: ask CHIC_HAS.
 */
struct chic_layer {
	size_t size;
	struct {
		chic_alloc_fn fn;
		void *ctx;
	} alloc, alloc_zeroed;
	struct {
		chic_realloc_fn fn;
		void *ctx;
	} realloc;
	struct {
		chic_free_fn fn;
		void *ctx;
	} free;
	struct {
		chic_usable_size_fn fn;
		void *ctx;
	} usable_size;
	struct {
		chic_owns_fn fn;
		void *ctx;
	} owns;
	struct {
		chic_malloc_fn fn;
		void *ctx;
	} malloc;
	struct {
		chic_calloc_fn fn;
		void *ctx;
	} calloc;
	struct {
		chic_memalign_fn fn;
		void *ctx;
	} memalign;
	struct {
		chic_remalloc_fn fn;
		void *ctx;
	} remalloc;
	struct {
		chic_mfree_fn fn;
		void *ctx;
	} mfree;
	const struct chic_malloc_family *family;
};

/*
 * One parameter with its value: number for bool, uint and size; else text.  An
 * element of an array: it never grows.
 */
struct chic_module_param {
	const char *name;
	uint64_t number;
	const char *text; /* the value as written; for string and enum the value */
};

/*
 * A first look at a SIGSEGV or SIGBUS: info is the signal's siginfo_t, context its
 * ucontext_t.  The program's own handler, or the default action, follows unless fn
 * answers that it need not.  Programs may get many of these signals in their normal
 * work (JVMs do): be quick with those that are not about the module's memory, and do
 * only what a signal handler may do.  Several threads may be in fn at a time, and fn may
 * come in the midst of any other function of the module; a few kilobytes of stack are
 * all it can count on.
 *
 * Answers 0, and the program sees the signal as it came; or SIGSEGV for a SIGBUS
 * that is only the module's means, and the program sees a SIGSEGV for that access
 * (or SIGBUS for a SIGSEGV); or CHIC_FAULT_MENDED where the access succeeds now: it is
 * made again, and the program sees nothing.
 *
 * In an unmodified program it makes no difference who installs a handler when.  In
 * a program that is linked with the library, and not started with the preload
 * library, a handler that it installs later replaces the module's.  A thread that
 * blocks the signal ends the process without a look, and so does a program that
 * ignores it.
 */
#define CHIC_FAULT_MENDED (-1)
typedef int (*chic_fault_fn)(void *ctx, int sig, void *info, void *context);

/*
 * What a mixed module leaves to its lower, as sampling does.  The loader may then ask
 * the lower itself, where that is a malloc family and nothing else: a module costs more
 * than an allocation.
 *
 * countdown: the calling thread's, of initial-exec TLS.  Above 1 the next malloc or
 *	calloc is the lower's, and counts it down by one, whoever sees it, the loader or
 *	the module; else the module is asked.
 * base, bytes: where all blocks of the module lie.  Others are the lower's.
 */
struct chic_module_leaves {
	uint32_t *countdown;
	const void *base;
	size_t bytes;
};

/*
 * What NAME_init is told.  Valid, with all it points to, until NAME_exit has
 * returned.  size as in struct chic_layer.
 *
 * fail: call it before answering a negative errno from NAME_init, with the
 *	reason in words; it becomes part of the user's error message.
 * warn: one line for the user that does not stop anything.  Both copy the text
 *	and may be called at any time after NAME_init began.
 * thread_word: see chic_thread_word().
 * fault_handler: has fn called, with ctx, for each SIGSEGV and SIGBUS, until it is
 *	called with a null fn and that ctx, which NAME_exit must see to.  Both may be
 *	called from NAME_init and NAME_exit only; answers 0 or a negative errno.  See
 *	chic_fault_fn.  Not in the first release: ask CHIC_HAS(args, fault_handler).
 * leaves: what NAME_init may write to, for all the time until NAME_exit: see struct
 *	chic_module_leaves.  Not in the first release either.
 */
struct chic_module_args {
	size_t size;
	const char *name;
	const struct chic_module_param *params;
	size_t n_params;
	void (*fail)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	void (*warn)(const char *format, ...) __attribute__((format(printf, 1, 2)));
	void **(*thread_word)(unsigned slot);
	unsigned slot;
	int (*fault_handler)(chic_fault_fn fn, void *ctx);
	struct chic_module_leaves *leaves;
};

/*
 * The symbols a module NAME may export.  A symbol that is missing is completed
 * by the loader:
 *
 *	heap: alloc and free are needed (free not with frees=no).  alloc_zeroed
 *	      becomes alloc + memset, realloc becomes alloc + copy + free.  With
 *	      none of the four the default serves, and a warning says so.
 *	filter: what is missing is the lower's.  usable_size and owns are used only
 *	      where the lower has them.
 *	mixed: all four hooks, usable_size and owns are needed.
 *
 * ValueMutPtr NAME_alloc(void *ctx, size_t size, size_t align)
 * ValueMutPtr NAME_alloc_zeroed(void *ctx, size_t size, size_t align)
 * ValueMutPtr NAME_realloc(void *ctx, ValueMutPtr old, size_t old_size,
 *			    size_t size, size_t align)
 * void	       NAME_free(void *ctx, ValueMutPtr block)
 *	The hooks, as ChicAllocatorVTable in chic_rt.h describes them.  From an
 *	unmodified program's malloc family, old_size and block.size are what
 *	NAME_usable_size answers for the block and block.align is 0 (unknown).
 *
 * int	NAME_init(const struct chic_module_args *, const struct chic_layer *lower,
 *		  void **ctx)
 * void NAME_exit(void *ctx)
 *	A pair: one without the other is refused.  init answers 0 or a negative
 *	errno; *ctx is what every other function gets (null without an init).
 *	One module may be initialised several times, in different stacks: keep
 *	state in ctx.  exit is called when no block is live, never at the end of
 *	the process; a module that reports at exit uses atexit() itself.  The
 *	code stays mapped for ever.
 *
 * size_t NAME_usable_size(void *ctx, const void *p)
 *	Bytes that may be used at p, a live block of this layer.  Needed by
 *	everything that serves unmodified programs.
 * bool	NAME_owns(void *ctx, const void *p)
 *	Whether p is a block from this module's own memory (a filter owns none
 *	and answers what its lower answers).  Any pointer may be asked.
 * size_t NAME_reset(void *ctx)
 *	Give everything back at once; live blocks are dropped and their number
 *	answered.  A mixed module that finds live blocks of its lower among those
 *	that it handed out, which it cannot drop, changes nothing and answers
 *	SIZE_MAX.  A filter with a reset forgets what it knows of live blocks, and
 *	touches none: they are gone.
 * void	NAME_prefork(void *ctx), NAME_postfork_parent, NAME_postfork_child
 *	Around fork(): take the module's locks; release or renew them.  Called
 *	from the outermost layer inward before, and outward after.  Take none
 *	where chic_only_thread() says so.
 * void	NAME_thread_exit(void *ctx, void *word)
 *	A thread ends whose per-thread word is not null.  The word is null
 *	afterwards; what the thread still does sees chic_thread_word() == NULL.
 *
 * void	*NAME_malloc(void *ctx, size_t size)
 * void	*NAME_calloc(void *ctx, size_t n, size_t size)
 * void	*NAME_memalign(void *ctx, size_t align, size_t size)
 * void	*NAME_remalloc(void *ctx, void *p, size_t size)
 * size_t NAME_mfree(void *ctx, void *p)
 *	Scalar twins of the hooks for the malloc family: a 24-byte handle costs
 *	more than the allocation there.  Twins without the hooks they stand
 *	beside are refused.  Blocks of hooks and twins are interchangeable.
 *	size is at least 1 and at most PTRDIFF_MAX, n * size does not overflow,
 *	align is a power of two, p is never null.  A block of malloc, calloc and
 *	remalloc is aligned to CHIC_MALLOC_ALIGN.  Failure is a null pointer
 *	with errno ENOMEM, which the program is going to see; on success errno
 *	is left alone.  mfree answers the usable bytes it gave back.
 *
 * From inside any of these functions the module must not call malloc or
 * chic_rt_alloc and their kin: in an unmodified program they lead back to the
 * module.  NAME_init, NAME_exit and atexit handlers may; what they allocate
 * does not pass through the stack that is being built.
 */

/*
 * Declares all of these for the module NAME, exported also under
 * -fvisibility=hidden: put CHIC_MODULE_EXPORTS(NAME); at file scope, and a
 * definition that has another signature is an error of the compiler.  Those that
 * the module does not define stay missing.
 */
#ifdef __cplusplus
#define CHIC_MODULE_EXPORT extern "C" __attribute__((visibility("default")))
#else
#define CHIC_MODULE_EXPORT extern __attribute__((visibility("default")))
#endif

/* clang-format off */
#define CHIC_MODULE_EXPORTS(name)                                                              \
	CHIC_MODULE_EXPORT ValueMutPtr name##_alloc(void *ctx, size_t size, size_t align);     \
	CHIC_MODULE_EXPORT ValueMutPtr name##_alloc_zeroed(void *ctx, size_t size,             \
							   size_t align);                      \
	CHIC_MODULE_EXPORT ValueMutPtr name##_realloc(void *ctx, ValueMutPtr old,              \
						      size_t old_size, size_t size,            \
						      size_t align);                           \
	CHIC_MODULE_EXPORT void name##_free(void *ctx, ValueMutPtr block);                     \
	CHIC_MODULE_EXPORT int name##_init(const struct chic_module_args *args,                \
					   const struct chic_layer *lower, void **ctx);        \
	CHIC_MODULE_EXPORT void name##_exit(void *ctx);                                        \
	CHIC_MODULE_EXPORT size_t name##_usable_size(void *ctx, const void *p);                \
	CHIC_MODULE_EXPORT bool name##_owns(void *ctx, const void *p);                         \
	CHIC_MODULE_EXPORT size_t name##_reset(void *ctx);                                     \
	CHIC_MODULE_EXPORT void name##_prefork(void *ctx);                                     \
	CHIC_MODULE_EXPORT void name##_postfork_parent(void *ctx);                             \
	CHIC_MODULE_EXPORT void name##_postfork_child(void *ctx);                              \
	CHIC_MODULE_EXPORT void name##_thread_exit(void *ctx, void *word);                     \
	CHIC_MODULE_EXPORT void *name##_malloc(void *ctx, size_t size);                        \
	CHIC_MODULE_EXPORT void *name##_calloc(void *ctx, size_t n, size_t size);              \
	CHIC_MODULE_EXPORT void *name##_memalign(void *ctx, size_t align, size_t size);        \
	CHIC_MODULE_EXPORT void *name##_remalloc(void *ctx, void *p, size_t size);             \
	CHIC_MODULE_EXPORT size_t name##_mfree(void *ctx, void *p)
/* clang-format on */

/* ------------------------------------------------------------- helpers --- */

/*
 * Whether this is the process's only thread; false where the C library does not
 * tell.  NAME_prefork needs no lock then, and must not take one: a signal handler
 * may be forking, and what it interrupted may hold the lock.
 */
static inline bool chic_only_thread(void)
{
	/* under another name: who includes this may have a declaration of that one */
	extern char chic_libc_single_threaded __asm__("__libc_single_threaded")
		__attribute__((weak));

	return &chic_libc_single_threaded && chic_libc_single_threaded;
}

/*
 * The calling thread's word for this layer: null at first, the module's to
 * write.  Answers NULL when the thread is ending or no memory was left; fall
 * back to something shared then.  Costs one indirect call.
 */
static inline void **chic_thread_word(const struct chic_module_args *args)
{
	return args->thread_word(args->slot);
}

static inline bool chic_same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* In C++ this hides what makes a struct of that name, which nobody needs. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"

/* A parameter by name; its declaration in CHIC_MODULE_PARM makes sure it exists. */
static inline const struct chic_module_param *chic_module_param(
	const struct chic_module_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_params; i++)
		if (chic_same_text(args->params[i].name, name))
			return &args->params[i];
	return NULL;
}

#pragma GCC diagnostic pop

static inline uint64_t chic_param_number(const struct chic_module_args *args, const char *name)
{
	const struct chic_module_param *p = chic_module_param(args, name);

	return p ? p->number : 0;
}

static inline const char *chic_param_text(const struct chic_module_args *args, const char *name)
{
	const struct chic_module_param *p = chic_module_param(args, name);

	return p ? p->text : "";
}

#ifdef __cplusplus
}
#endif

#endif /* CHIC_MODULE_H */
