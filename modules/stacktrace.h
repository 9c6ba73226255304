/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stack traces for modules: taken from inside an allocator, kept as 32-bit
 * numbers, and printed where nothing may be allocated.
 *
 *	stacktrace_start(args);			in NAME_init
 *	n = stacktrace_capture(pcs, STACKTRACE_DEPTH);
 *	id = stacktrace_intern(&table, pcs, n);
 *	...
 *	n = stacktrace_get(&table, id, &pcs);
 *	stacktrace_name(line, sizeof(line), pcs[i]);
 *
 * No function but stacktrace_start() and stacktrace_table_open() takes a lock or
 * allocates; all may be called from a signal handler, and leave errno alone.
 */
#ifndef CHIC_MODULES_STACKTRACE_H
#define CHIC_MODULES_STACKTRACE_H

#include "internal.h"

#pragma GCC visibility push(hidden)

/* Most frames of one trace. */
#define STACKTRACE_DEPTH 32
/* Enough for a line of stacktrace_name(); a longer one is cut. */
#define STACKTRACE_LINE 512

/* -------------------------------------------------------------- taking -- */

/*
 * Once per instance, before a capture: learns which objects are the loader's and
 * modules', whose frames are left out at the head of a trace.  Cannot fail.
 */
void stacktrace_start(const struct chic_module_args *args);

/*
 * Return addresses of the calling thread, innermost first, at most max.  Answers
 * how many; 0 where the stack cannot be read.  A stack that was written over gives
 * a shorter or a wrong trace, never a fault.  The call is the instruction before:
 * tools that ask for the address of an instruction are to be given one less.
 */
size_t stacktrace_capture(uintptr_t *pcs, size_t max);

/*
 * The same of what a signal interrupted; context is the handler's ucontext_t.  The
 * instruction comes first, as if it were a call: its address and 1.  No frame is
 * left out.
 */
size_t stacktrace_capture_context(uintptr_t *pcs, size_t max, const void *context);

/*
 * Whether size bytes at p can be read without a fault.  Asks the system for each
 * page; another thread may change the answer at any time.
 */
bool stacktrace_readable(const void *p, size_t size);

/* ------------------------------------------------------------- keeping -- */

/*
 * Traces by number, each kept once.  Grows in addresses that were reserved when it
 * was opened, and never gives a trace up.  No lock: forks need nothing.
 */
struct stacktrace_table {
	_Atomic uint32_t *heads; /* by hash; null: nothing can be kept */
	uint64_t *words; /* entries one after the other, a number is an index in this */
	size_t n_heads; /* a power of two */
	size_t n_words;
	size_t extra; /* words of the caller in each entry */
	_Atomic size_t used; /* words, also of what did not fit */
	_Atomic size_t lost; /* traces that did not fit */
};

/*
 * At most bytes of memory, which are addresses only until they are used; extra
 * bytes of each entry are the caller's, zero at first.  Without memory it answers
 * -ENOMEM, and a table that keeps nothing and is still fit for every call.
 */
int stacktrace_table_open(struct stacktrace_table *t, size_t bytes, size_t extra);
void stacktrace_table_close(struct stacktrace_table *t);

/* The number of a trace; 0 if it is empty, or there is no room. */
uint32_t stacktrace_intern(struct stacktrace_table *t, const uintptr_t *pcs, size_t n);

/* The trace of a number; answers its length, 0 for the number 0. */
size_t stacktrace_get(const struct stacktrace_table *t, uint32_t id, const uintptr_t **pcs);

/* The caller's bytes of a trace, aligned to 8; null for the number 0. */
void *stacktrace_extra(const struct stacktrace_table *t, uint32_t id);

/* Calls fn for each trace that is there when it begins, in no order, until it says no. */
void stacktrace_each(const struct stacktrace_table *t, bool (*fn)(uint32_t id, void *arg),
		     void *arg);

/* ------------------------------------------------------------ printing -- */

/*
 * One line without a newline, as tools read it:
 *
 *	/usr/lib/libfoo.so.1+0x1234 (foo_parse+0x14)
 *
 * pc is an address of a trace; the offsets are those of the address before, which
 * is in the call, as addr2line -e FILE OFFSET wants them.  The name is left out
 * where none is known, the file where none is mapped there.  Answers the line's
 * length.
 *
 * Names come from the dynamic symbols, and from the file's table of symbols, which
 * is mapped for the time of the call.
 */
size_t stacktrace_name(char *out, size_t size, uintptr_t pc);

/* The parts of the line, for machine formats; empty texts where nothing is known. */
struct stacktrace_place {
	char object[256]; /* path of the file */
	char symbol[192];
	uintptr_t object_offset; /* the whole address where there is no object */
	uintptr_t symbol_offset;
};

void stacktrace_place(struct stacktrace_place *out, uintptr_t pc);

#pragma GCC visibility pop

#endif /* CHIC_MODULES_STACKTRACE_H */
