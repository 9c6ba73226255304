// SPDX-License-Identifier: BSD-2-Clause
/*
 * Faults in the guard's range, reported before the program's own handler, or the
 * default action, has its turn.
 *
 * That one is to see what it would see without guard: a bad access to the heap
 * raises SIGSEGV, whatever makes the pages inaccessible here.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "guard.h"

/* A program that survives its faults is told about so many. */
#define REPORTS_MAX 10

static atomic_int reported;

/* What the instruction did, as far as the system tells. */
static const char *access_of(const void *context)
{
#if defined(__x86_64__) || defined(__i386__)
	enum { TRAP_PAGE = 14, ERR_WRITE = 2, ERR_FETCH = 16 };
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;

	if (regs[REG_TRAPNO] != TRAP_PAGE)
		return "access";
	if (regs[REG_ERR] & ERR_FETCH)
		return "execution";
	return regs[REG_ERR] & ERR_WRITE ? "write" : "read";
#else
	(void)context;
	return "access";
#endif
}

/* By the system, for an access; not sent, and not that the memory chips are broken. */
static bool is_access(int sig, const siginfo_t *info)
{
	if (info->si_code <= 0)
		return false;
	return sig == SIGSEGV || info->si_code == BUS_ADRERR;
}

/* In a page of a live block that the program has made inaccessible, or given back. */
static bool is_programs_own(const struct guard_where *where)
{
	const struct guard *g = where->g;
	const struct guard_record *r = &where->block;

	return where->has_block && r->state == GUARD_LIVE &&
	       where->address >= guard_block_start(g, r) &&
	       where->address < guard_block_end(g, r);
}

static enum guard_kind kind_of(const struct guard_where *where)
{
	const struct guard_record *r = &where->block;

	if (!where->has_block)
		return GUARD_WILD;
	if (where->address < r->p)
		return GUARD_UNDERFLOW;
	return where->address < r->p + r->size ? GUARD_AFTER_FREE : GUARD_OVERFLOW;
}

/* Garbage collectors have reasons for SIGSEGV; SIGBUS is a means of the back end. */
static int leave_to_program(struct guard *g, int sig, const struct guard_where *where)
{
	char *page = (char *)((uintptr_t)where->address & ~(g->page - 1));
	const struct guard_backend *backend = g->backend;

	if (sig == SIGBUS && backend->mend && backend->mend(g, page))
		return CHIC_FAULT_MENDED;
	return 0;
}

static int look(void *ctx, int sig, void *info, void *context)
{
	struct guard_bug bug = {.context = context};
	struct guard *g = ctx;
	const siginfo_t *signal = info;
	int n;

	if (!is_access(sig, signal) || !guard_has(g, signal->si_addr) ||
	    !guard_find(signal->si_addr, &bug.where))
		return 0;
	if (is_programs_own(&bug.where))
		return leave_to_program(g, sig, &bug.where);
	n = atomic_fetch_add(&reported, 1);
	if (n < REPORTS_MAX) {
		bug.kind = kind_of(&bug.where);
		bug.what = access_of(context);
		guard_report(g, &bug);
	}
	if (n == REPORTS_MAX - 1)
		guard_say("faults from here on are not reported");
	return SIGSEGV;
}

void guard_signal_start(struct guard *g)
{
	const struct chic_module_args *args = g->args;
	int err;

	if (!g->range || !CHIC_HAS(args, fault_handler) || !args->fault_handler)
		return;
	err = args->fault_handler(look, g);
	if (err)
		args->warn("%s: faults are not reported: %s", args->name, strerror(-err));
	g->handles_faults = !err;
}

void guard_signal_stop(struct guard *g)
{
	if (g->handles_faults)
		g->args->fault_handler(NULL, g);
}
