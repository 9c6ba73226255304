/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to counting: its counters, and what is written of them.
 *
 * counting.c counts; counting_threads.c has a tally per thread, counting_peak.c the
 * most that lived at once, counting_reset.c forgets what lives.  counting_output.c
 * decides when and where to write; counting_sums.c makes the figures, which
 * counting_text.c and its kin spell out.
 * Nothing that may run inside a request allocates, takes a lock, or uses stdio.
 */
#ifndef CHIC_MODULES_COUNTING_H
#define CHIC_MODULES_COUNTING_H

#include <limits.h>
#include <sys/types.h>

#include "counting_sites.h"
#include "internal.h"
#include "output_name.h"
#include "writer.h"

/* Class k holds sizes above 2^(k-1) and up to 2^k. */
#define COUNTING_CLASSES (8 * sizeof(size_t))

/* How far a thread's live bytes may be off from what all know of them. */
#define COUNTING_PENDING_MAX (32 * 1024)
/* What the peak may be off for each thread: pending at the time, and at its report. */
#define COUNTING_PEAK_ERROR (2 * COUNTING_PENDING_MAX)

/* Bytes that a thread allocates between two looks at the clock. */
#define COUNTING_CLOCK_BYTES 4096
/* No look at anything. */
#define COUNTING_NEVER (INT64_MAX / 2)

/* Sizes below have a counter each: to count a block is to add one, and bytes follow. */
#define COUNTING_SMALL 512

struct counting_sizes {
	_Atomic size_t small[COUNTING_SMALL]; /* blocks */
	struct {
		_Atomic size_t blocks, bytes;
	} large[COUNTING_CLASSES];
};

/* Allocations and frees, not what is live. */
struct counting_sum {
	size_t blocks, bytes, freed_blocks, freed_bytes;
};

/* Counts of one thread at a time; outlives it, and the next thread goes on. */
struct counting_tally {
	struct counting_tally *next;
	atomic_bool used;
	_Atomic int tid;
	_Atomic intptr_t pending; /* live bytes that counting.live has not got yet */
	_Atomic intptr_t high; /* the most that pending was since it got the last */
	struct {
		_Atomic size_t blocks, bytes, freed_blocks, freed_bytes;
	} base; /* of the threads before this one */
	/* the thread's own */
	int64_t credit; /* bytes until counting_look() */
	int64_t credit_from; /* what it began with */
	int64_t until_sample;
	uint64_t random;
	struct counting_sizes allocated, freed;
};

struct counting {
	const struct chic_module_args *args;
	struct chic_layer lower; /* a copy, which is one load nearer */
	struct chic_malloc_family family; /* the same if it is lower's, else null */
	uint64_t id; /* no other instance ever has it */
	_Atomic intptr_t live;
	_Atomic intptr_t peak;
	struct counting_tally *_Atomic tallies; /* grows only, so that no lock is needed */
	struct counting_tally shared; /* of threads without a word */
	struct counting_sites *sites; /* null: nothing is sampled */
	struct counting_output *output; /* null: nothing is ever written */
	struct counting *next_reporting;
};

/* ---------------------------------------------------- counting_threads.c -- */

/* Of the thread: the tally that it used last, and of which instance. */
struct counting_seen {
	uint64_t id;
	struct counting_tally *tally;
	bool busy; /* with what must not happen twice, whatever the instance */
};

extern __thread struct counting_seen counting_seen;

/* The calling thread's tally, or null when it has to use the shared one. */
struct counting_tally *counting_tally_get(struct counting *c);
void counting_tallies_free(struct counting *c);
/* In the child of a fork. */
void counting_threads_fork(struct counting *c);

static inline struct counting_tally *counting_tally(struct counting *c)
{
	if (unlikely(counting_seen.id != c->id))
		return counting_tally_get(c);
	if (!counting_seen.tally)
		__builtin_unreachable();
	return counting_seen.tally;
}

/* One more than the last bit of size - 1, without a branch for 0 and 1. */
static inline unsigned counting_class(size_t size)
{
	return COUNTING_CLASSES - 1 - (unsigned)__builtin_clzl(2 * (size - !!size) + 1);
}

/*
 * For counters that only their thread writes.  Others read them with relaxed loads, and
 * a word is read whole: a plain addition is one instruction where the load and the
 * store of an atomic one are three.
 */
__attribute__((no_sanitize("thread"))) static inline void add_own(_Atomic size_t *counter,
								  size_t n)
{
	*(size_t *)counter += n;
}

/* ------------------------------------------------------- counting_peak.c -- */

/* A thread without a tally tells at once. */
void counting_peak_shared(struct counting *c, intptr_t more);
/* Let all know what is pending. */
void counting_peak_tell(struct counting *c, struct counting_tally *t);
/* The most bytes that lived at once, and how far that may be off. */
size_t counting_peak(struct counting *c, size_t *within);

/*
 * More or less is live: whether there is so much to tell that it has to be told.  A
 * thread misses nothing of its own: one alone is exact.
 */
static inline bool counting_peak_raise(struct counting_tally *t, size_t more)
{
	intptr_t now = atomic_load_explicit(&t->pending, memory_order_relaxed) + (intptr_t)more;
	intptr_t high = atomic_load_explicit(&t->high, memory_order_relaxed);

	atomic_store_explicit(&t->pending, now, memory_order_relaxed);
	atomic_store_explicit(&t->high, now > high ? now : high, memory_order_relaxed);
	return now > COUNTING_PENDING_MAX;
}

static inline bool counting_peak_lower(struct counting_tally *t, size_t less)
{
	intptr_t now = atomic_load_explicit(&t->pending, memory_order_relaxed) - (intptr_t)less;

	atomic_store_explicit(&t->pending, now, memory_order_relaxed);
	return now < -COUNTING_PENDING_MAX;
}

/* Tells if need be. */
static inline void counting_peak_look(struct counting *c, struct counting_tally *t)
{
	if (atomic_load_explicit(&t->pending, memory_order_relaxed) > COUNTING_PENDING_MAX)
		counting_peak_tell(c, t);
}

static inline void counting_peak_more(struct counting *c, struct counting_tally *t, size_t more)
{
	if (unlikely(counting_peak_raise(t, more)))
		counting_peak_tell(c, t);
}

static inline void counting_peak_less(struct counting *c, struct counting_tally *t, size_t less)
{
	if (unlikely(counting_peak_lower(t, less)))
		counting_peak_tell(c, t);
}

/* ------------------------------------------------------- counting_look.c -- */

/*
 * A thread has used its credit up: whether this block is sampled, whether it is
 * time to write.
 */
void counting_look(struct counting *c, struct counting_tally *t, void *p, size_t size);
static inline bool counting_credit_used(struct counting_tally *t, size_t size)
{
	t->credit -= (int64_t)size;
	return t->credit < 0;
}

/* For a thread that begins. */
void counting_look_start(struct counting *c, struct counting_tally *t, uint64_t random);

/* ------------------------------------------------------- counting_sums.c -- */

#define COUNTING_THREADS_SHOWN 32

struct counting_thread {
	int tid;
	struct counting_sum sum;
};

/* Every figure at one time, as far as other threads stand still. */
struct counting_sums {
	struct counting_sum all;
	struct counting_sum classes[COUNTING_CLASSES];
	size_t peak_bytes, peak_within;
	/* those that allocated most, in falling order */
	struct counting_thread threads[COUNTING_THREADS_SHOWN];
	size_t n_threads;
	struct counting_sum others, ended;
	size_t n_others;
};

void counting_sums_make(struct counting *c, struct counting_sums *sums);
/* All that a tally ever counted. */
struct counting_sum counting_sum_tally(const struct counting_tally *t);

static inline void counting_sum_add(struct counting_sum *to, struct counting_sum more)
{
	to->blocks += more.blocks;
	to->bytes += more.bytes;
	to->freed_blocks += more.freed_blocks;
	to->freed_bytes += more.freed_bytes;
}

/* -------------------------------------------------------- counting_top.c -- */

enum counting_order {
	COUNTING_LIVE_BYTES,
	COUNTING_TOTAL_BYTES,
	COUNTING_TOTAL_BLOCKS,
	COUNTING_ORDERS,
};

#define COUNTING_TOP_MAX 100

struct counting_top_site {
	uint32_t stack;
	struct counting_sum sum;
};

/* In falling order. */
struct counting_top {
	size_t n;
	struct counting_top_site sites[COUNTING_TOP_MAX];
};

struct counting_tops {
	struct counting_top by[COUNTING_ORDERS];
	struct counting_sum all;
	size_t n_sites;
};

void counting_tops_make(struct counting *c, struct counting_tops *tops);
struct counting_sum counting_site_sum(const struct counting_site *site);

/* ------------------------------------------------------ counting_names.c -- */

struct counting_names;

/* Puts the text for an address: no zero in it, and at most a few kilobytes. */
typedef void counting_namer(struct writer *w, const struct stacktrace_place *place);

/* Or null, without memory. */
struct counting_names *counting_names_new(counting_namer *make);
void counting_names_free(struct counting_names *names);
/* Good until the next one is asked for. */
const char *counting_name(struct counting_names *names, uintptr_t pc);

/* ------------------------------------------------------- counting_file.c -- */

/* Where reports go, and what there is to find that again. */
struct counting_file {
	pid_t started; /* the process whose name it is when there is no %p in it */
	int stderr_copy; /* -1: none; and which file it was */
	dev_t stderr_dev;
	ino_t stderr_ino;
	char pattern[PATH_MAX];
	char path[PATH_MAX];
	char temporary[PATH_MAX + 32];
	bool in_place;
};

/* What output = says, and stderr as it is now: 0 or -errno. */
int counting_file_start(struct counting_file *f, const char *output);
void counting_file_stop(struct counting_file *f);
/* Whether this process may write at all; a forked child needs a name of its own. */
bool counting_file_is_ours(const struct counting_file *f);
/* A descriptor to write a report to, or -errno. */
int counting_file_open(struct counting_file *f);
/* err is of what was written: the file that was there stays if there is one. */
int counting_file_close(struct counting_file *f, int fd, int err);
/* stderr, or -1. */
int counting_file_stderr(const struct counting_file *f);

/* When, where and how reports are written, and room to make them. */
struct counting_output {
	void (*format)(struct counting *c);
	int signal; /* 0: none */
	bool at_exit;
	bool told; /* that a report could not be written */
	atomic_int writer_thread; /* 0: nobody writes */
	atomic_bool again; /* asked for meanwhile */
	pid_t pid; /* whose memory this is: a child of vfork is another */
	int64_t interval; /* in nanoseconds, 0: none */
	_Atomic int64_t next;
	size_t top; /* sites to name */
	bool total; /* collapsed stacks stand for all that was allocated */
	bool last; /* it is the report of the end */
	struct counting_names *names; /* null where none are written */
	struct counting_file file;
	struct counting_sums sums;
	struct counting_tops tops;
	struct writer writer;
};

/* ---------------------------------------------------- counting_report.c -- */

/* Now, or by the thread that is writing one, when it has done that. */
void counting_report(struct counting *c);
/* Whoever is writing is waited for. */
void counting_report_last(struct counting *c);

/* ----------------------------------------------------- counting_output.c -- */

/* 0, or -errno and fail() called. */
int counting_output_start(struct counting *c);
void counting_output_stop(struct counting *c);
void counting_output_fork(struct counting *c);
/* From inside a request: writes when the interval is over. */
void counting_output_tick(struct counting *c);

/* ------------------------------------------ counting_text.c and its kin -- */

void counting_text(struct counting *c);
counting_namer counting_text_name;
void counting_json(struct counting *c);
counting_namer counting_json_name;
/* These need sites. */
void counting_collapsed(struct counting *c);
counting_namer counting_collapsed_name;
void counting_pprof(struct counting *c);

#endif /* CHIC_MODULES_COUNTING_H */
