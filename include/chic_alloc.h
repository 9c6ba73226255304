/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chic_alloc.h - load allocator stacks by configuration
 *
 * A program that links libchic_alloc gets the configured stack behind the
 * chic_rt_* hooks (chic_rt.h) without a line of code: the library reads the
 * configuration before main().  These calls are for programs that want more.
 *
 * Errors.  Functions answer 0 or a negative errno, and leave one line of text
 * that names place, what was found and what was expected for
 * chic_alloc_message().  After an error the state is what it was before.
 *
 * Threads.  All functions may be called from any thread; loading and unloading
 * are serialised.  None may be called from inside a module or a hook; a module's
 * init and exit, and the function that chic_alloc_each calls, are told -EDEADLK.
 * DANGER: the count of live blocks does not see a request that is under way.  Call
 * chic_alloc_load and chic_alloc_unload while no other thread is inside a
 * chic_rt_* function, or that request may be served by the stack that goes.
 */
#ifndef CHIC_ALLOC_H
#define CHIC_ALLOC_H

#include "chic_module.h"
#include "chic_rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Put CHIC_ALLOC_MANUAL(); at file scope of the program (not of a library) to
 * say no to the configuration at start-up: the platform heap serves until
 * chic_alloc_load() is called.
 */
#define CHIC_ALLOC_MANUAL() int chic_alloc_autoload = 0

/*
 * The library's own definition, 1; a program's definition comes before it, also
 * when the program is compiled with -fvisibility=hidden.
 */
extern int chic_alloc_autoload __attribute__((visibility("default")));

/*
 * Load a configuration and make its stack the default: what null entries of
 * installed tables fall back to, and what chic_rt_allocator_reset returns to.
 *
 * conf names one file, read after the packages' presets instead of the system's
 * files; NULL means CHIC_ALLOC_CONF if set, else the standard files.  A table
 * that the program installed stays installed.
 *
 * -EBUSY	blocks of the present default are live, or are not counted
 * -EINVAL	the configuration or a module was refused
 * -ENOENT	a file that was named does not exist
 * -EACCES	a file may not be read or is not to be trusted
 * others	from the system or from a module's init
 *
 * Loading what is loaded already changes nothing and answers 0.
 */
int chic_alloc_load(const char *conf);

/*
 * Back to the platform heap; the modules' exit functions run, their code stays
 * mapped.  -EBUSY with the number of live blocks in the message if there are
 * any; 0 if nothing was loaded.
 */
int chic_alloc_unload(void);

/*
 * Give back at once everything that the default stack has handed out, whoever asked
 * for it: every block of chic_rt_alloc and its kin that is live is dropped, and must
 * not be used or freed afterwards.  *dropped, unless dropped is null, becomes the
 * number of blocks that were live.  The eight counters then count them as freed.
 *
 * It is for stacks whose outermost module with memory of its own exports reset, as
 * arena does; filters above it, as counting, forget the blocks.  A reset costs the
 * same however many blocks there are.
 *
 * DANGER: nothing else in the process may be inside a chic_rt_* function, or hold a
 * block of one: not another thread, nor a library that uses the hooks, libchic_rt's
 * regions and containers among them.
 *
 * -ENOTSUP	the platform heap serves, or a module of the stack exports no reset
 * -EBUSY	live blocks are not the module's own: beyond its cap an arena hands out
 *		blocks of the layer below, unless it was told `overflow = fail`; or a
 *		table of the stack was given out by chic_alloc_table
 * -EPERM	an unmodified program's malloc goes through the stack, for the preload
 *		library is there: it holds blocks that nobody told us about
 *
 * After an error nothing was dropped.
 */
int chic_alloc_reset(size_t *dropped);

/*
 * Load a configuration without making it the default, and fill *out with a
 * table for it: for a host whose own runtime defines chic_rt_alloc and the
 * rest, which hands the table to its own install.  conf as in chic_alloc_load.
 * The stack stays in use for the rest of the process.  What goes through the
 * table is not counted in the eight counters.
 */
int chic_alloc_table(const char *conf, ChicAllocatorVTable *out);

/*
 * The calling thread's last message from this library, "" if there was none.
 * Valid until the thread's next call into the library or its end.
 */
const char *chic_alloc_message(void);

/* What chic_alloc_each tells of one layer.  size is that of this struct in the
 * library: fields at or beyond it do not exist there.  Strings are valid during
 * the call only.
 */
struct chic_alloc_info {
	size_t size;
	unsigned stack; /* number of the stack, 1 is the first loaded */
	unsigned depth; /* 0 is the outermost layer */
	bool is_default; /* this stack serves chic_rt_alloc and malloc */
	const char *name; /* module's name; "default" for the platform heap */
	const char *kind; /* heap, filter, mixed; "platform" */
	const char *version; /* "" if the module does not say */
	const char *path; /* file it was loaded from, "" for the platform heap */
	bool counted; /* whether the next two are known */
	size_t live_blocks; /* of the whole stack */
	size_t live_bytes;
};

/*
 * Call fn for every layer of every loaded stack, outermost first.  A non-zero
 * answer of fn stops and becomes the answer.  fn must not load or unload.
 */
int chic_alloc_each(int (*fn)(const struct chic_alloc_info *, void *arg), void *arg);

/*
 * The eight counters of the malloc family of an unmodified program, which are
 * apart from those of chic_rt_alloc_stats().  `telemetry = full` counts exactly,
 * bytes being usable bytes.  `calls` counts no bytes, and requests below 1 MiB
 * when they are made: one that fails for want of memory is counted as well.
 */
void chic_alloc_malloc_stats(AllocationTelemetry *out);

/* -------------------------------------------------- for interposers --- */

enum chic_telemetry {
	CHIC_TELEMETRY_OFF,
	CHIC_TELEMETRY_CALLS,
	CHIC_TELEMETRY_FULL,
};

/*
 * What an interposer works with.  size is set by the caller.
 *
 * direct: if not null, call these and nothing else: the stack is this family
 *	(the platform heap, or a vendor's library) with no layer above it.  What
 *	it does is the vendor's; some answer misaligned blocks to memalign.
 * top: the outermost layer otherwise; its twins are never null.
 * sets_errno: top's malloc leaves ENOMEM when it fails; twins that the loader
 *	made of a module's hooks do not.
 * counters: the calling thread's counters of the malloc family, to be written
 *	by this thread alone, with relaxed atomic stores; *cache is set to the
 *	answer, and to null when the thread's counters are folded at its end.
 *	Null when the thread has none: add to shared atomically then.
 * leaves, below: if not null, what top leaves to the family below it, which may be
 *	called without asking top (chic_module.h).
 * good_size, nallocx: if not null, what direct's library says that a block of
 *	malloc(size) has usable; flags are 0.
 */
struct chic_interposed {
	size_t size;
	const struct chic_malloc_family *direct;
	const struct chic_layer *top;
	bool sets_errno;
	enum chic_telemetry telemetry;
	AllocationTelemetry *(*counters)(AllocationTelemetry **cache);
	AllocationTelemetry *shared;
	const struct chic_module_leaves *leaves;
	const struct chic_malloc_family *below;
	size_t (*good_size)(size_t size);
	size_t (*nallocx)(size_t size, int flags);
};

/*
 * For a library that defines malloc itself, as libchic_alloc_preload does: use
 * *platform (which must stay valid) as the platform heap, decide by the
 * configuration which stack this program gets, load it, and make it the
 * default.  Called once, before any chic_rt_* function has served a request.
 *
 * Never fails the program: on any error the answer is the platform heap and the
 * message is logged as the configuration says; only where the configuration
 * says `on_error = fail` with effect does the process end, with status 1.
 *
 * With standdown not null the configuration is not read at all and the platform
 * heap serves; the text says why.
 */
void chic_alloc_interpose(const struct chic_malloc_family *platform, const char *standdown,
			  struct chic_interposed *out);

/*
 * Register the loader's fork handlers, unless that was done.  The loader does so
 * when it starts; an interposer has to do it before anybody registers handlers
 * that allocate, which must not run between the loader's.
 */
void chic_alloc_atfork(void);

#ifdef __cplusplus
}
#endif

#endif /* CHIC_ALLOC_H */
