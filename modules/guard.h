/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to guard: its state, the slots that guarded blocks lie in, the ways to
 * make pages inaccessible, and what is said about bugs that are found.
 *
 * Addresses.  One range is cut into slots of a power of two of pages, at least
 * four.  A block lies at the end of the first pages of its slot, which alone are
 * accessible; at least two pages of the slot behind it never are.
 *
 *	slot: | canary block | none none ... |	the next slot begins here
 *
 * A block that is aligned to more than a page begins at the first such address
 * of a slot that is larger by as much.  Bytes of accessible pages that are not the
 * block's hold a canary, which is looked at when the block is freed.
 *
 * Records.  Each four pages have a record outside the range; that of the place
 * where the block begins leads to that of the slot's beginning, which describes
 * the block.
 *
 * Back ends.  What is not accessible is so by one of three means; guard_backend.c
 * chooses.  Where a means fails for one slot, that slot is torn out of the range by
 * a mapping of its own; where there are no mappings left, blocks are the lower
 * layer's, and counted.
 *
 * Ready slots.  A back end that can move a page from the slot of a block that is
 * freed to one that comes next saves a system call and the zeroing of a page; the
 * latter is then open without a block in it.  There are few of these at a time.
 */
#ifndef CHIC_MODULES_GUARD_H
#define CHIC_MODULES_GUARD_H

#include <limits.h>
#include <pthread.h>
#include <sys/types.h>

#include "internal.h"
#include "stacktrace.h"

#define GUARD_ALIGN 16
#define GUARD_ORDERS 40
/* Pages of the smallest slot, of which one record is kept: 2^GUARD_ORDER_MIN. */
#define GUARD_ORDER_MIN 2
/* Pages of a slot that never are a block's: an access 5,000 bytes away must fault. */
#define GUARD_GAP 2
/* Fills what is accessible around a block. */
#define GUARD_CANARY 0xc5
/* Most slots that are open before there is a block for them. */
#define GUARD_READY 32
/* Pages of struct guard's pattern: one of canaries, the rest zero. */
#define GUARD_PATTERN 16

enum guard_state {
	GUARD_UNUSED, /* no block was ever in this slot, or no slot begins here */
	GUARD_INSIDE, /* a block may begin here whose slot began at next */
	GUARD_LIVE,
	GUARD_FREED,
};

/* How a slot is opened and closed. */
enum guard_tie {
	GUARD_TIED, /* by the back end */
	GUARD_APART, /* by mappings; closed it is like what is around it */
	GUARD_TORN, /* by mappings, in the midst of what is the back end's */
};

struct guard_record {
	char *p; /* the block that is here, or was here last */
	size_t size;
	uint32_t next; /* granule of the next slot in the quarantine or the free list */
	int32_t alloc_tid, free_tid; /* threads that asked for it and gave it back */
	uint8_t order; /* the slot has 2^order pages */
	uint8_t state;
	uint8_t tie;
	bool dirty; /* memory could not be given back */
};

/* Beside a record, where stacks are kept: numbers of traces, 0 is none. */
struct guard_stacks {
	uint32_t alloc, free;
};

struct guard;

/* What is in pages that a back end has opened. */
enum guard_content {
	GUARD_NOT_OPEN,
	GUARD_ZERO,
	GUARD_PATTERNED, /* the first page is all canary, the others are zero */
	GUARD_ANY,
};

/*
 * A means to make pages inaccessible.  p and size are whole pages.  errno need not
 * be kept.
 *
 * start: whether it works here, tried on the whole range, which is a mapping without
 *	access; -errno else.
 * arm: make addresses that nobody has used so far readable and writable, but closed.
 * open: pattern asks for GUARD_PATTERNED where that costs nothing.
 * close: forbid access, give memory back.  False: nothing has changed.
 * move: close one page and open another with its content, or null.
 * mend: a page of a live block, which the program has given back to the system, raised
 *	SIGBUS: make it zero, as it would be; or null.  Called by a signal handler.
 * child: what a forked child has lost, or null.  False: it cannot be had back.
 * leave: before another takes over, or null.
 */
struct guard_backend {
	const char *name;
	int (*start)(struct guard *g);
	void (*stop)(struct guard *g);
	bool (*arm)(struct guard *g, char *p, size_t size);
	enum guard_content (*open)(struct guard *g, char *p, size_t size, bool pattern);
	bool (*close)(struct guard *g, char *p, size_t size);
	bool (*move)(struct guard *g, char *from, char *to);
	bool (*mend)(struct guard *g, char *page);
	bool (*child)(struct guard *g);
	void (*leave)(struct guard *g);
};

extern const struct guard_backend guard_uffd, guard_madvise, guard_mprotect;

struct guard_uffd_state {
	int fd;
	ino_t inode; /* of fd, which others may close */
	/* A page that reads as zero in a forked child, whose range is not watched. */
	_Atomic unsigned char *watched;
	_Atomic bool moves; /* the system can move pages */
};

struct guard {
	const struct chic_module_args *args;
	const struct chic_layer *lower;
	/* fixed after init */
	char *base;
	size_t range; /* bytes of addresses, 0 if none could be had */
	size_t page;
	struct guard_record *records; /* by granule of the range */
	struct guard_stacks *stacks; /* by granule; null where none are kept */
	struct stacktrace_table traces;
	const unsigned char *pattern; /* GUARD_PATTERN pages */
	size_t quarantine;
	size_t limit; /* most live guarded blocks */
	size_t maps; /* most slots that are apart or torn out */
	size_t data; /* most bytes that are armed, apart, or of stacks: of each */
	size_t size_min, size_max;
	const char *dso; /* of whom blocks are guarded; empty: everybody */
	uint32_t sample;
	bool byte_aligned;
	bool left;
	bool handles_faults;
	char output[PATH_MAX]; /* pattern of a file's name; empty: stderr */
	/* changing, under lock */
	pthread_mutex_t lock;
	bool locked_to_fork;
	const struct guard_backend *_Atomic backend;
	struct guard_uffd_state uffd;
	bool fallen; /* the back end is not the first: pages may hold anything */
	size_t live;
	size_t mapped; /* slots that cost mappings: torn out, or apart and live */
	_Atomic size_t cut; /* granules; granule 0 is never cut: 0 means none */
	size_t armed; /* granules that the back end has been asked for */
	bool armed_apart; /* what is armed last is not the back end's */
	size_t recorded; /* records and stacks of these granules are accessible */
	size_t quarantined; /* bytes */
	uint32_t oldest, newest; /* the quarantine */
	uint32_t free[GUARD_ORDERS];
	uint32_t ready[GUARD_READY];
	unsigned n_ready, getting_ready;
	/* changing, without lock */
	_Atomic size_t guarded;
	_Atomic size_t unguarded;
	_Atomic size_t unclosed; /* freed blocks that stayed accessible */
	struct guard *next_reporting;
	struct guard *_Atomic next; /* of guard_instances */
};

/* ---------------------------------------------------------- what to guard -- */

/* Allocations of this thread until one is guarded, itself counted; 0 at first. */
extern __thread uint32_t guard_countdown
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Whether this allocation is one that sampling leaves to the lower layer. */
static inline bool guard_passes(void)
{
	if (__builtin_expect(guard_countdown <= 1, 0))
		return false;
	guard_countdown--;
	return true;
}

/* Whether one that sampling does not leave is to be guarded. */
bool guard_chooses(struct guard *g, size_t size);
/* Whether the object of this name asked for the block. */
bool guard_asked_by(const char *name);
/* Number of the calling thread, as the system counts. */
int32_t guard_tid(void);
/* A forked child's thread has another number and another fate. */
void guard_thread_forked(void);
/* The parameter size: 0, or -EINVAL and fail() called. */
int guard_read_sizes(struct guard *g, const char *text);

/* ---------------------------------------------------------------- slots -- */

/* Reserve at most range bytes of addresses: g->range says how many. */
void guard_reserve(struct guard *g, size_t range);
void guard_unreserve(struct guard *g);

static inline bool guard_has(const struct guard *g, const void *p)
{
	return (uintptr_t)p - (uintptr_t)g->base < g->range;
}

static inline size_t guard_granule(const struct guard *g)
{
	return g->page << GUARD_ORDER_MIN;
}

/* The granule where a slot begins. */
static inline uint32_t guard_first(const struct guard *g, const struct guard_record *r)
{
	return r - g->records;
}

static inline char *guard_slot_start(const struct guard *g, const struct guard_record *r)
{
	return g->base + guard_first(g, r) * guard_granule(g);
}

static inline size_t guard_slot_bytes(const struct guard *g, const struct guard_record *r)
{
	return g->page << r->order;
}

/* The accessible pages of a block: the one it begins on, to behind its last. */
static inline char *guard_block_start(const struct guard *g, const struct guard_record *r)
{
	return r->p - ((uintptr_t)r->p & (g->page - 1));
}

static inline char *guard_block_end(const struct guard *g, const struct guard_record *r)
{
	return r->p + (round_up((uintptr_t)r->p + r->size, g->page) - (uintptr_t)r->p);
}

/* Room for stacks beside the records, before the first block; false if there is none. */
bool guard_stacks_reserve(struct guard *g);
/* Under the lock.  A slot of no block, or null where none can be had. */
struct guard_record *guard_slot_take(struct guard *g, unsigned order);
/* The same without taking one out of quarantine, tied to the back end. */
struct guard_record *guard_slot_take_next(struct guard *g);
/* Back to those that are used next. */
void guard_slot_put(struct guard *g, struct guard_record *r);
/* Into the quarantine. */
void guard_slot_retire(struct guard *g, struct guard_record *r);
/* The record of a live block, else null.  Without the lock: at that moment. */
struct guard_record *guard_slot_of(const struct guard *g, const char *p);

/* --------------------------------------------------------------- blocks -- */

/*
 * A guarded block, which is zero, or null where none can be had.  room: it is going
 * to grow.
 */
void *guard_block_new(struct guard *g, size_t size, size_t align, bool room);
/*
 * Give a guarded block back, and answer its size.  One that is not live or is
 * damaged ends the process; what names the operation in the message.
 */
size_t guard_block_free(struct guard *g, void *p, const char *what);
/* Whether a block could be given another size where it is; a bad one ends the process. */
bool guard_block_resize(struct guard *g, void *p, size_t size, size_t align);
/* Size of a live block of ours; 0 if it is none. */
size_t guard_block_size(const struct guard *g, const void *p);

/* ------------------------------------------------------------- back ends -- */

/* The one that the configuration names, or the next best. */
void guard_backend_start(struct guard *g);
void guard_backend_stop(struct guard *g);
/* The one that serves no longer works: the next takes over.  Without the lock. */
void guard_backend_fall(struct guard *g, const struct guard_backend *from);
void guard_backend_child(struct guard *g);
/* Make pages of a slot accessible, or inaccessible again, as it is tied. */
enum guard_content guard_pages_open(struct guard *g, struct guard_record *r, char *p,
				    size_t size, bool pattern);
bool guard_pages_close(struct guard *g, struct guard_record *r, char *p, size_t size);
/* Make the slot of a block that is freed inaccessible, in whatever way there is. */
void guard_slot_close(struct guard *g, struct guard_record *r);

/* -------------------------------------------------------------- stacks -- */

/* Keep the stacks of allocations and frees, if the configuration says so. */
void guard_stacks_start(struct guard *g);
void guard_stacks_stop(struct guard *g);
/* The number of the calling thread's stack. */
uint32_t guard_stack_now(struct guard *g);

/* ------------------------------------------------------------- reports -- */

/* The block that an address is about: a copy of what was known when it was asked. */
struct guard_where {
	const struct guard *g;
	const char *address;
	bool has_block; /* else in the range, but far from all blocks */
	struct guard_record block; /* state tells whether it is live or freed */
	struct guard_stacks stacks; /* 0 where none are kept */
};

/*
 * Whether an address lies in the range of a guard, and which block is the nearest
 * one.  Waits for no lock and calls nothing: a signal handler may ask, and may be
 * told what another thread is about to change.
 */
bool guard_find(const void *address, struct guard_where *where);

/* Make guard_find() know an instance, and forget it: under the loader's lock. */
void guard_instance_add(struct guard *g);
void guard_instance_remove(struct guard *g);

enum guard_kind {
	GUARD_OVERFLOW,
	GUARD_UNDERFLOW,
	GUARD_AFTER_FREE,
	GUARD_DOUBLE_FREE,
	GUARD_BAD_FREE,
	GUARD_WILD,
};

struct guard_bug {
	enum guard_kind kind;
	const char *what; /* was done: "write", "free" */
	struct guard_where where;
	const void *context; /* what a signal interrupted; null: the caller did it */
	/* bytes that are no longer canaries, where that is the bug */
	const unsigned char *first, *last;
};

/* One line on stderr: allocates nothing. */
void guard_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Fit for signal handlers, also where the bug has left little of the stack. */
void guard_report(struct guard *g, const struct guard_bug *bug);
/* A forked child has no thread that could be in the midst of a report. */
void guard_report_forked(void);
/* What output = says: 0, or -errno and fail() called. */
int guard_report_start(struct guard *g);

/* Report a pointer that is no live block, and end the process. */
_Noreturn void guard_die_bad_pointer(struct guard *g, const char *p, const char *what);
/* A live block's bytes before it or behind it were overwritten, from first to last. */
_Noreturn void guard_die_damage(struct guard *g, const struct guard_record *r, const char *what,
				const unsigned char *first, const unsigned char *last);

/* Report faults in the guard's range, from the signals' handler. */
void guard_signal_start(struct guard *g);
void guard_signal_stop(struct guard *g);

/* Have a line written when the process exits: 0, or -errno and fail() called. */
int guard_summary_start(struct guard *g);
/* A summary that was not started may be stopped. */
void guard_summary_stop(const struct guard *g);

#endif /* CHIC_MODULES_GUARD_H */
