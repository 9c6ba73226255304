/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to conformance/: what a module has to do right, as a table of cases, and
 * what the cases share.  `chic-alloc test` runs the table, for vendors and for
 * `make check` alike.
 *
 * Each case runs in a process of its own.  It passes by returning; case_fail() and
 * case_skip() end it, from whatever thread.
 */
#ifndef CHIC_CONFORMANCE_H
#define CHIC_CONFORMANCE_H

#include <pthread.h>
#include <stdio.h>
#include <sys/types.h>

#include "internal.h"

#pragma GCC visibility push(hidden)

/* What is tested: one entry of a stack. */
struct conform_spec {
	const char *entry; /* "arena", "libmimalloc.so.2", "/absolute/arena.so", "default" */
	const char *name; /* of its section in the configuration */
	const char *kind; /* heap, filter or mixed; platform for "default" */
	const struct modinfo *info; /* null for "default" */
	const char *conf; /* the one file to be read; may be null */
	const char *options; /* lines SECTION.KEY=VALUE; may be null */
	unsigned timeout; /* seconds for a case */
	double work; /* seconds for what a case does at random */
	unsigned long seed;
};

/* The entry in a stack that was loaded. */
struct subject {
	const struct conform_spec *spec;
	const struct chic_layer *ops; /* of the stack's outermost layer */
	const struct layer *layer; /* the entry's own; null for "default" */
	bool any_align; /* a twin's block may be aligned to nothing */
};

struct conform_case {
	const char *name;
	const char *demand; /* what it demands, in a line */
	void (*run)(struct subject *subject);
	bool loads; /* the case loads its stacks itself */
};

/* cases.c - the table; ends with a null name */

extern const struct conform_case conform_cases[];

/* run.c - a process for each case */

enum conform_verdict { CONFORM_RUNNING, CONFORM_PASSED, CONFORM_FAILED, CONFORM_SKIPPED };

struct conform_result {
	enum conform_verdict verdict;
	char *text; /* why, in lines; to be freed */
};

/* Run one case to its end; a negative errno with a message if that cannot be done. */
int conform_run(const struct conform_case *c, const struct conform_spec *spec,
		struct conform_result *out);

void case_fail(const char *format, ...) __attribute__((noreturn)) CHIC_PRINTF(1, 2);
void case_skip(const char *format, ...) __attribute__((noreturn)) CHIC_PRINTF(1, 2);
/* What the case has come to, in words: part of the answer unless it passes. */
void case_stage(const char *format, ...) CHIC_PRINTF(1, 2);
/* The seed is part of the answer unless it passes. */
void case_is_random(void);
/*
 * What the calling thread is going to call, for the case that it does not return.
 * format takes up to three size_t.  Costs a few stores.
 */
void case_doing(const char *format, size_t a, size_t b, size_t c);
void case_done(void);
/* The calling thread is number n, 1 or more, in what is said of it. */
void case_thread(unsigned n);
/* fn in a process of its own, which takes part in the verdict; comes back if it passed. */
void case_apart(struct subject *s, void (*fn)(struct subject *s, void *arg), void *arg);
/* How a process ended: "died of SIGSEGV", "ended with status 1". */
#define STATUS_TEXT 80
const char *status_text(int status, char out[STATUS_TEXT]);

/* subject.c - stacks that the case is about, loaded as a program loads them */

/* The environment, for the loader to read. */
void subject_environment(const struct conform_spec *spec);
/*
 * Load the entry below and above others (lists as in a configuration, may be null)
 * with one more option (may be null), in place of what was loaded before.  The
 * second answers a negative errno with a message where the first fails the case.
 */
void subject_load(struct subject *s, const char *above, const char *below, const char *option);
int subject_try(struct subject *s, const char *above, const char *below, const char *option);
/* Back to the platform heap: the layers' exit functions run. */
void subject_unload(struct subject *s);
/* One more instance, beside what is loaded; ended by stack_destroy(). */
struct stack *subject_instance(const struct subject *s, struct subject *out);
bool subject_is_heap(const struct subject *s);
/* It has .modinfo and promises what chic_module.h says. */
bool subject_is_native(const struct subject *s);
/* Whether single blocks come back to be used again. */
bool subject_frees(const struct subject *s);
/* What the file exports; all null for a stock library and the platform heap. */
const struct module_exports *subject_exports(const struct subject *s);

/* calls.c - the two views of a layer */

/* The hooks, as chic_rt_alloc and its kin call them. */
void *hook_alloc(const struct subject *s, size_t size, size_t align);
void *hook_alloc_zeroed(const struct subject *s, size_t size, size_t align);
void *hook_realloc(const struct subject *s, void *p, size_t old_size, size_t size,
		   size_t align);
void hook_free(const struct subject *s, void *p, size_t size, size_t align);
/* The twins, as an unmodified program's malloc family calls them. */
bool has_twins(const struct subject *s);
void *twin_malloc(const struct subject *s, size_t size);
void *twin_calloc(const struct subject *s, size_t n, size_t size);
void *twin_memalign(const struct subject *s, size_t align, size_t size);
void *twin_remalloc(const struct subject *s, void *p, size_t size);
size_t twin_mfree(const struct subject *s, void *p);
/* To be asked only where the layer has them. */
size_t usable_size(const struct subject *s, const void *p);
bool owns(const struct subject *s, const void *p);

/* blocks.c - blocks with known contents */

/* How a block was asked for. */
enum way { WAY_ALLOC, WAY_ALLOC_ZEROED, WAY_MALLOC, WAY_CALLOC, WAY_MEMALIGN, WAYS };

struct block {
	unsigned char *p;
	size_t size;
	size_t align; /* as asked for; a twin's is malloc's */
	unsigned key; /* of the contents */
	enum way way;
};

#define BLOCK_TEXT 128
/* "block of 100 bytes at 0x7f..., from malloc" */
const char *block_text(const struct block *b, char out[BLOCK_TEXT]);
const char *way_name(enum way way);
bool way_is_twin(enum way way);
/* Ways that the subject has: WAY_MALLOC or WAYS. */
unsigned ways_of(const struct subject *s);

/* Contents that depend on key; of what is large only the ends and stripes between. */
void contents_put(void *p, size_t size, unsigned key);
/* First of the bytes before limit that differ, or limit. */
size_t contents_differ(const void *p, size_t size, unsigned key, size_t limit);

/* Ask for a block, check where it lies and fill it; false if the answer was null. */
bool block_try(const struct subject *s, struct block *b, enum way way, size_t size,
	       size_t align);
/* The same; null fails the case. */
void block_get(const struct subject *s, struct block *b, enum way way, size_t size,
	       size_t align);
/* That nobody else wrote to it. */
void block_check(const struct block *b);
/*
 * Resize it by the view it came from, check what was kept, fill it; false if the
 * answer was null, and then it is checked to be as it was.
 */
bool block_resize(const struct subject *s, struct block *b, size_t size, size_t align);
/* Check it and give it back. */
void block_put(const struct subject *s, struct block *b);

/* Several blocks that live at the same time. */
#define BLOCKS_MAX 512
struct blocks {
	struct block list[BLOCKS_MAX];
	size_t n;
};

/* That the last one lies apart from the others. */
void blocks_check_apart(const struct blocks *set);
struct block *blocks_get(const struct subject *s, struct blocks *set, enum way way, size_t size,
			 size_t align);
bool blocks_try(const struct subject *s, struct blocks *set, enum way way, size_t size,
		size_t align);
void blocks_check(const struct blocks *set);
void blocks_put(const struct subject *s, struct blocks *set, size_t at);
void blocks_put_all(const struct subject *s, struct blocks *set);

/* measure.c - time, memory, chance */

struct rng {
	unsigned short state[3];
};

void rng_begin(struct rng *r, const struct subject *s, unsigned stream);
size_t rng_below(struct rng *r, size_t n);
/* 1 to max, small ones far more often. */
size_t rng_size(struct rng *r, size_t max);

/* How long to go on with what is done at random. */
struct work {
	uint64_t until;
	size_t least; /* rounds that are done whatever time they take */
	size_t rounds;
	size_t bytes; /* for what never comes back: 0 is the end */
};

/* share is a part of the time that the user gave. */
void work_begin(struct work *w, const struct subject *s, double share, size_t least);
/* bytes is what the next round is going to ask for. */
bool work_left(struct work *w, size_t bytes);

/* Of this process, from /proc/self/statm. */
struct memory {
	size_t resident;
	size_t addresses;
};

struct memory memory_now(void);
size_t open_files(void);
/*
 * That the process did not grow by more than allowed since before, while `asked`
 * bytes were asked for and given back.
 */
void memory_check(struct memory before, size_t asked, const char *what);

/* workers.c - threads that use the subject at the same time */

struct worker {
	pthread_t thread;
	const struct subject *s;
	unsigned number; /* 1 is the first */
	void (*fn)(struct worker *w);
	void *arg;
};

void workers_start(struct worker *list, unsigned n, const struct subject *s,
		   void (*fn)(struct worker *), void *arg);
void workers_join(struct worker *list, unsigned n);

/* churn.c - blocks that come and go at random */

struct churn {
	const struct subject *s;
	struct rng rng;
	struct blocks set;
	size_t live; /* most blocks at the same time */
	size_t max; /* largest size */
	unsigned ways; /* the first so many of enum way */
	bool may_fail; /* null is a right answer */
};

void churn_begin(struct churn *c, const struct subject *s, unsigned stream);
/* One step: a block more, one less, or one of another size. */
void churn_step(struct churn *c);
/* Steps for a share of the time, at least so many; then all blocks go back. */
void churn_for(struct churn *c, double share, size_t least);
void churn_end(struct churn *c);
/* A short look at everything the subject is for: hooks, twins, sizes and alignments. */
void churn_serve(const struct subject *s, unsigned stream);

/* spy.c - the platform heap, watched, as the lower layer */

/* Before the subject is loaded.  without_usable_size: such a layer has no twins. */
void spy_install(bool without_usable_size);
bool spy_has(const void *p);
size_t spy_live(void);
/* The n-th request from now on fails; 0: none does. */
void spy_fail_at(size_t n);
/* Whether it did. */
bool spy_failed(void);

/* the cases, by the file that has them */

/* cases_metadata.c */
void case_metadata(struct subject *s);
void case_params(struct subject *s);
/* cases_layout.c */
void case_alignment(struct subject *s);
void case_sizes(struct subject *s);
void case_overflow(struct subject *s);
/* cases_content.c */
void case_lifetimes(struct subject *s);
void case_zeroed(struct subject *s);
void case_usable_size(struct subject *s);
void case_owns(struct subject *s);
/* cases_realloc.c */
void case_realloc(struct subject *s);
/* cases_twins.c */
void case_twins(struct subject *s);
/* cases_threads.c */
void case_threads(struct subject *s);
void case_cross_free(struct subject *s);
void case_thread_exit(struct subject *s);
/* cases_fork.c */
void case_fork(struct subject *s);
/* cases_limits.c */
void case_memory_limit(struct subject *s);
void case_growth(struct subject *s);
/* cases_life.c */
void case_lifecycle(struct subject *s);
void case_reset(struct subject *s);
/* cases_stack.c */
void case_kind(struct subject *s);
void case_as_lower(struct subject *s);
void case_on_top(struct subject *s);
void case_lower_fails(struct subject *s);
/* cases_program.c */
void case_program(struct subject *s);

#pragma GCC visibility pop

#endif /* CHIC_CONFORMANCE_H */
