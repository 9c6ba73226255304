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
 * ABI promise.  A module built with this header keeps loading in later
 * releases with the same CHIC_MODULE_ABI.  The interface grows only by new
 * optional symbols, and by fields at the end of structs that begin with their
 * own size; symbols that a loader does not know are ignored.
 *
 * Threads.  Every function of a module but NAME_init and NAME_exit may be
 * called from any thread at any time, concurrently.
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
#include <string.h>

#include "chic_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What `abi=` in the metadata must be; a module with another one is refused. */
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

/* A heap that never frees single blocks may leave NAME_free out if it says so. */
#define CHIC_MODULE_FREES_NO() CHIC_MODULE_INFO("frees", "no")

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
 * range may contain ':'.  The loader checks all values before NAME_init.
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
 * The next layer of the stack, handed to NAME_init.  It stays valid until
 * NAME_exit has returned.  Each entry has its own context, which must go with
 * it.  size is sizeof(struct chic_layer) in the loader: a field that lies at or
 * beyond it does not exist there.
 *
 * Hooks are never null.  usable_size and owns are null where the lower layer
 * cannot tell.  Twins are never null when usable_size is not.
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
};

/* One parameter with its value: number for bool, uint and size; else text. */
struct chic_module_param {
	const char *name;
	uint64_t number;
	const char *text; /* the value as written; for string and enum the value */
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
};

/*
 * The symbols a module NAME may export.  A symbol that is missing is completed
 * by the loader:
 *
 *	heap: alloc and free are needed (free not with frees=no).  alloc_zeroed
 *	      becomes alloc + memset, realloc becomes alloc + copy + free.  With
 *	      none of the four the default serves, and a warning says so.
 *	filter: what is missing is the lower's.
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
 *	answered.
 * void	NAME_prefork(void *ctx), NAME_postfork_parent, NAME_postfork_child
 *	Around fork(): take the module's locks; release or renew them.  Called
 *	from the outermost layer inward before, and outward after.
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
 * The calling thread's word for this layer: null at first, the module's to
 * write.  Answers NULL when the thread is ending or no memory was left; fall
 * back to something shared then.  Costs one indirect call.
 */
static inline void **chic_thread_word(const struct chic_module_args *args)
{
	return args->thread_word(args->slot);
}

/* A parameter by name; its declaration in CHIC_MODULE_PARM makes sure it exists. */
static inline const struct chic_module_param *chic_module_param(
	const struct chic_module_args *args, const char *name)
{
	for (size_t i = 0; i < args->n_params; i++)
		if (strcmp(args->params[i].name, name) == 0)
			return &args->params[i];
	return NULL;
}

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
