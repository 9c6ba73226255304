/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to stacktrace*.c, grouped by the file that defines it.
 */
#ifndef CHIC_MODULES_STACKTRACE_INTERNAL_H
#define CHIC_MODULES_STACKTRACE_INTERNAL_H

#include "stacktrace.h"

#pragma GCC visibility push(hidden)

/* stacktrace_object.c, or stacktrace_snapshot.c - which file is mapped at an address */

struct stacktrace_object {
	uintptr_t start, end; /* of the whole mapping */
	uintptr_t bias; /* what the file's own addresses are moved by */
	const void *dynamic; /* the dynamic segment */
	const void *unwind; /* .eh_frame_hdr, or null */
	const char *path; /* empty for the program itself */
};

bool stacktrace_object_find(uintptr_t pc, struct stacktrace_object *out);
/* By stacktrace_start(), where what is mapped has to be looked up beforehand. */
void stacktrace_objects_note(void);

/* stacktrace.c */

/* Whether an address is in the loader's code or a module's. */
bool stacktrace_is_ours(const struct stacktrace_object *object);
/* The path of the program itself, empty if it is not known. */
const char *stacktrace_program(void);

/* stacktrace_frames.c - from the address of an instruction to its caller's frame */

enum frame_kind {
	FRAME_UNKNOWN, /* no rule: the trace ends here */
	FRAME_OUTERMOST,
	FRAME_SP, /* the frame ends offset behind the stack pointer */
	FRAME_FP, /* ... behind the frame pointer */
	FRAME_FP_INDIRECT, /* ... at what is stored offset behind the frame pointer */
	FRAME_PLT, /* as FRAME_SP, and a word more in the second half of a stub */
	FRAME_SIGNAL, /* the stack pointer points to a ucontext_t */
};

enum {
	FRAME_SAVES_FP = 1, /* fp_offset behind the frame's end */
	FRAME_SAVES_FP_AT_FP = 2, /* fp_offset behind the frame pointer */
	FRAME_OURS = 4, /* the loader's or a module's */
};

struct frame_rule {
	int32_t offset;
	int16_t fp_offset;
	uint8_t kind;
	uint8_t flags;
};

struct frame_rule stacktrace_frame_rule(uintptr_t pc);

#pragma GCC visibility pop

#endif /* CHIC_MODULES_STACKTRACE_INTERNAL_H */
