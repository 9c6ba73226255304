/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of modules/guard*.c: a guard over the C library's heap, one for each setting
 * that changes much.
 */
#ifndef GUARD_SUPPORT_H
#define GUARD_SUPPORT_H

#include "fault.h"
#include "module_common.h"

#define K 1024ul
#define M (K * K)
#define PAGE 4096
#define SLOT (4 * PAGE)

enum {
	ALIGN,
	SIDE,
	QUARANTINE,
	LIMIT,
	RANGE,
	SAMPLE,
	SIZE,
	DSO,
	BACKEND,
	STACKS,
	OUTPUT,
	SUMMARY,
	PARAMS
};

static struct chic_module_param params[PARAMS];
static struct chic_module_args args;
static const char *backend = "auto";

/* As the metadata declares them. */
static inline void set_defaults(void)
{
	params[ALIGN] = (struct chic_module_param){.name = "align", .text = "natural"};
	params[QUARANTINE] =
		(struct chic_module_param){.name = "quarantine", .number = 256 * M};
	params[LIMIT] = (struct chic_module_param){.name = "limit"};
	/* more than 32-bit machines can address */
	params[RANGE] =
		(struct chic_module_param){.name = "range", .number = UINT64_C(4096) * M};
	params[SAMPLE] = (struct chic_module_param){.name = "sample", .number = 1};
	params[SIDE] = (struct chic_module_param){.name = "side", .text = "right"};
	params[SIZE] = (struct chic_module_param){.name = "size", .text = ""};
	params[DSO] = (struct chic_module_param){.name = "dso", .text = ""};
	params[BACKEND] = (struct chic_module_param){.name = "backend", .text = backend};
	params[STACKS] = (struct chic_module_param){.name = "stacks", .number = 1};
	params[OUTPUT] = (struct chic_module_param){.name = "output", .text = ""};
	params[SUMMARY] = (struct chic_module_param){.name = "summary"};
}

static inline int start(void)
{
	support_args(&args, params, PARAMS);
	subject = (struct subject){
		SUBJECT(guard),
		.usable_size = guard_usable_size,
		.prefork = guard_prefork,
		.postfork_parent = guard_postfork_parent,
		.postfork_child = guard_postfork_child,
	};
	return guard_init(&args, &libc_layer, &subject.ctx);
}

static inline void stop(void)
{
	guard_exit(subject.ctx);
}

static inline void start_default(void)
{
	set_defaults();
	ck_assert_int_eq(start(), 0);
}

static inline void start_userfaultfd(void)
{
	backend = "userfaultfd";
	start_default();
}

static inline void start_madvise(void)
{
	backend = "madvise";
	start_default();
}

static inline void start_mprotect(void)
{
	backend = "mprotect";
	start_default();
}

static inline void start_left(void)
{
	set_defaults();
	params[SIDE].text = "left";
	ck_assert_int_eq(start(), 0);
}

static inline void start_sizes(void)
{
	set_defaults();
	params[SIZE].text = "100-4K";
	ck_assert_int_eq(start(), 0);
}

static inline void start_sampled(void)
{
	set_defaults();
	params[SAMPLE].number = 3;
	ck_assert_int_eq(start(), 0);
}

static inline void start_byte_aligned(void)
{
	set_defaults();
	params[ALIGN].text = "byte";
	ck_assert_int_eq(start(), 0);
}

static inline void start_short_quarantine(void)
{
	set_defaults();
	params[QUARANTINE].number = 4 * SLOT;
	params[BACKEND].text = "mprotect"; /* whose slots are not made ready beforehand */
	ck_assert_int_eq(start(), 0);
}

static inline void start_limited(void)
{
	set_defaults();
	params[LIMIT].number = 10;
	ck_assert_int_eq(start(), 0);
}

static inline void start_small_range(void)
{
	set_defaults();
	params[RANGE].number = 1 * M;
	ck_assert_int_eq(start(), 0);
}

static inline char *guarded(size_t size)
{
	char *p = guard_malloc(subject.ctx, size);

	ck_assert(guard_owns(subject.ctx, p));
	return p;
}
/* -------------------------------------------------------------- faults -- */

struct in_child {
	void (*fn)(void *arg);
	void *arg;
};

/* As in a program that forks, whose loader calls the module's handlers. */
static inline void call_in_child(void *arg)
{
	struct in_child *call = arg;

	guard_postfork_child(subject.ctx);
	call->fn(call->arg);
}

static inline void expect_fault(void (*fn)(void *arg), void *arg)
{
	struct in_child call = {fn, arg};
	struct child child;

	run_child(&child, call_in_child, &call);
	ck_assert_msg(WIFSIGNALED(child.status) && (WTERMSIG(child.status) == SIGSEGV ||
						    WTERMSIG(child.status) == SIGBUS),
		      "status 0x%x, expected SIGSEGV or SIGBUS; stderr: %s", child.status,
		      child.text);
}

static inline void write_byte(void *arg)
{
	*(volatile char *)arg = 1;
}

static inline void read_byte(void *arg)
{
	(void)*(volatile char *)arg;
}

static inline void do_free(void *arg)
{
	guard_mfree(subject.ctx, arg);
}

static inline void do_realloc(void *arg)
{
	guard_remalloc(subject.ctx, arg, 10);
}

static inline void expect_line(void (*fn)(void *arg), void *arg, const char *format, ...)
{
	char line[300] = "chic-alloc: guard: ";
	struct in_child call = {fn, arg};
	size_t len = strlen(line);
	struct child child;
	va_list list;

	va_start(list, format);
	vsnprintf(line + len, sizeof(line) - len, format, list);
	va_end(list);
	run_child(&child, call_in_child, &call);
	ck_assert_msg(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGABRT,
		      "status 0x%x, expected SIGABRT; stderr: %s", child.status, child.text);
	ck_assert_msg(strncmp(child.text, line, strlen(line)) == 0, "expected: %sstderr: %s",
		      line, child.text);
}

#endif /* GUARD_SUPPORT_H */
