// SPDX-License-Identifier: BSD-2-Clause
/*
 * How the caller's frame is found from an instruction's address (x86-64): the rule
 * that compilers write into .eh_frame, read once per address and kept in a table.
 *
 * Only what a trace needs is followed: where the frame ends, and where the caller's
 * frame pointer is.  The return address is always the word below the end.  Rules
 * that need another register, or an expression but the three that compilers and the
 * linker make, are unknown; they do not occur at calls.
 *
 * The table has no lock: a rule and the address that it is of are two words, the
 * second mixed with the first, so that a pair of two writers is no pair.  The rules
 * of a library that was unloaded stay: another one at the same addresses may get a
 * wrong trace for it, but no fault.
 */
#include <stdbool.h>

#include "stacktrace_internal.h"

#define CACHE_ROWS 4096
#define REMEMBERED_MAX 8

/* DWARF's numbers of registers, and its codes of pointers, rules and expressions. */
enum { REG_FP = 6, REG_SP = 7, REG_PC = 16 };
enum { PE_UDATA2 = 2, PE_UDATA4, PE_UDATA8, PE_SDATA2 = 10, PE_SDATA4, PE_SDATA8 };
enum { PE_ABSOLUTE, PE_FORMAT = 0xf, PE_PCREL = 0x10, PE_RELATIVE = 0x70, PE_OMIT = 0xff };
/* The search table of .eh_frame_hdr, as every linker writes it. */
enum { PE_TABLE = 0x30 | PE_SDATA4 };

enum {
	CFA_NOP,
	CFA_SET_LOC,
	CFA_ADVANCE_1,
	CFA_ADVANCE_2,
	CFA_ADVANCE_4,
	CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED,
	CFA_UNDEFINED,
	CFA_SAME_VALUE,
	CFA_REGISTER,
	CFA_REMEMBER,
	CFA_RESTORE_STATE,
	CFA_DEF,
	CFA_DEF_REGISTER,
	CFA_DEF_OFFSET,
	CFA_DEF_EXPRESSION,
	CFA_EXPRESSION,
	CFA_OFFSET_EXTENDED_SF,
	CFA_DEF_SF,
	CFA_DEF_OFFSET_SF,
	CFA_VAL_OFFSET,
	CFA_VAL_OFFSET_SF,
	CFA_VAL_EXPRESSION,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_ADVANCE = 0x40,
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
};

enum { OP_DEREF = 0x06, OP_BREG_FP = 0x70 + REG_FP, OP_BREG_SP = 0x70 + REG_SP };

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

struct common {
	struct reader program;
	uint64_t code_factor;
	int64_t data_factor;
	uint8_t pointer_code;
	bool augmented;
	bool signal;
};

struct state {
	int64_t offset; /* of the frame's end behind register reg */
	uint64_t reg;
	uint8_t kind; /* enum frame_kind; FRAME_SP stands for "a register" */
	int64_t fp_offset;
	uint8_t flags;
	bool no_caller;
	bool bad;
};

/* ------------------------------------------------------------- reading -- */

static uint64_t read_fixed(struct reader *r, size_t size)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < size) {
		r->bad = true;
		r->at = r->end;
		return 0;
	}
	memcpy(&value, r->at, size);
	r->at += size;
	return value;
}

static uint64_t read_uleb(struct reader *r)
{
	uint64_t value = 0, byte;
	unsigned shift = 0;

	do {
		byte = read_fixed(r, 1);
		if (shift < 64)
			value |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return value;
}

static int64_t read_sleb(struct reader *r)
{
	const uint8_t *from = r->at;
	uint64_t value = read_uleb(r);
	unsigned bits = 7 * (r->at - from);

	if (bits && bits < 64 && (r->at[-1] & 0x40))
		value |= ~(uint64_t)0 << bits;
	return value;
}

static uint64_t read_pointer(struct reader *r, uint8_t code)
{
	uint64_t here = (uintptr_t)r->at;
	uint64_t value;

	switch (code & PE_FORMAT) {
	case PE_ABSOLUTE:
	case PE_UDATA8:
	case PE_SDATA8:
		value = read_fixed(r, 8);
		break;
	case PE_UDATA4:
		value = read_fixed(r, 4);
		break;
	case PE_SDATA4:
		value = (int64_t)(int32_t)read_fixed(r, 4);
		break;
	case PE_UDATA2:
		value = read_fixed(r, 2);
		break;
	case PE_SDATA2:
		value = (int64_t)(int16_t)read_fixed(r, 2);
		break;
	default:
		r->bad = true;
		return 0;
	}
	return (code & PE_RELATIVE) == PE_PCREL ? value + here : value;
}

static void skip(struct reader *r, uint64_t n)
{
	if (n > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		n = r->end - r->at;
	}
	r->at += n;
}

/* ------------------------------------------------------------- finding -- */

/* An entry of .eh_frame, its length read; false if it is none. */
static bool entry_open(const uint8_t *at, const struct stacktrace_object *object,
		       struct reader *r)
{
	uint64_t length;

	*r = (struct reader){at, (const uint8_t *)object->end, false};
	if ((uintptr_t)at < object->start || (uintptr_t)at >= object->end)
		return false;
	length = read_fixed(r, 4);
	if (r->bad || length < 4 || length > (uint64_t)(r->end - r->at))
		return false;
	r->end = r->at + length;
	return true;
}

static void read_augmentation(struct reader *r, const char *letters, struct common *out)
{
	struct reader data = *r;
	uint64_t length = read_uleb(&data);

	out->augmented = true;
	*r = data;
	skip(r, length);
	data.end = r->at;
	for (letters++; *letters; letters++) {
		if (*letters == 'R')
			out->pointer_code = read_fixed(&data, 1);
		else if (*letters == 'P')
			read_pointer(&data, read_fixed(&data, 1));
		else if (*letters == 'L')
			skip(&data, 1);
		else if (*letters == 'S')
			out->signal = true;
	}
	if (data.bad)
		r->bad = true;
}

static bool common_read(const uint8_t *at, const struct stacktrace_object *object,
			struct common *out)
{
	struct reader r;
	const char *letters;
	uint8_t version;

	if (!entry_open(at, object, &r) || read_fixed(&r, 4) != 0)
		return false;
	version = read_fixed(&r, 1);
	letters = (const char *)r.at;
	while (!r.bad && read_fixed(&r, 1))
		;
	if (r.bad || (version != 1 && version != 3) || (*letters && *letters != 'z'))
		return false;
	*out = (struct common){.pointer_code = PE_ABSOLUTE};
	out->code_factor = read_uleb(&r);
	out->data_factor = read_sleb(&r);
	if ((version == 1 ? read_fixed(&r, 1) : read_uleb(&r)) != REG_PC)
		return false;
	if (*letters)
		read_augmentation(&r, letters, out);
	out->program = r;
	return !r.bad;
}

/* The last entry of the sorted table that does not begin behind pc. */
static const uint8_t *table_search(const uint8_t *hdr, const int32_t *table, size_t n,
				   uintptr_t pc)
{
	int64_t want = (int64_t)pc - (int64_t)(uintptr_t)hdr;
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table[2 * middle] <= want)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? hdr + table[2 * (low - 1) + 1] : NULL;
}

static const uint8_t *description_find(const struct stacktrace_object *object, uintptr_t pc)
{
	const uint8_t *hdr = object->unwind;
	struct reader r = {hdr, (const uint8_t *)object->end, false};
	uint8_t frame_code, count_code, table_code;
	uint64_t n;

	if (!hdr || (uintptr_t)hdr < object->start || (uintptr_t)hdr >= object->end ||
	    read_fixed(&r, 1) != 1)
		return NULL;
	frame_code = read_fixed(&r, 1);
	count_code = read_fixed(&r, 1);
	table_code = read_fixed(&r, 1);
	if (table_code != PE_TABLE || frame_code == PE_OMIT || count_code == PE_OMIT)
		return NULL;
	read_pointer(&r, frame_code);
	n = read_pointer(&r, count_code);
	if (r.bad || n > (uint64_t)(r.end - r.at) / 8)
		return NULL;
	return table_search(hdr, (const int32_t *)r.at, n, pc);
}

/* ----------------------------------------------------------- following -- */

static bool at_slot(struct state *s, uint64_t reg, int64_t offset)
{
	if (reg == REG_FP) {
		s->fp_offset = offset;
		s->flags = FRAME_SAVES_FP;
	}
	/* the word below the end, or else what follows does not find it */
	return reg != REG_PC || offset == -8;
}

static void as_before(struct state *s, const struct state *initial, uint64_t reg)
{
	if (reg != REG_FP)
		return;
	s->fp_offset = initial->fp_offset;
	s->flags = initial->flags;
}

/* *(fp + n): what functions make that align their stack. */
static bool frame_expression(struct state *s, struct reader *e)
{
	uint64_t op = read_fixed(e, 1);
	int64_t offset = read_sleb(e);

	if (op == OP_BREG_FP && e->at + 1 == e->end && *e->at == OP_DEREF) {
		s->kind = FRAME_FP_INDIRECT;
		s->offset = offset;
		return !e->bad;
	}
	/* the linker's stubs: sp + 8, and 8 more in their second half */
	if (op == OP_BREG_SP && offset == 8) {
		s->kind = FRAME_PLT;
		s->offset = 8;
		return !e->bad;
	}
	return false;
}

static void register_expression(struct state *s, uint64_t reg, struct reader *e)
{
	uint64_t op = read_fixed(e, 1);
	int64_t offset = read_sleb(e);

	if (reg == REG_PC || (reg == REG_FP && (op != OP_BREG_FP || e->at != e->end)))
		s->bad = true;
	if (reg != REG_FP)
		return;
	s->fp_offset = offset;
	s->flags = FRAME_SAVES_FP_AT_FP;
}

static struct reader block(struct reader *r)
{
	uint64_t length = read_uleb(r);
	struct reader part = {r->at, r->at, false};

	skip(r, length);
	part.end = r->at;
	return part;
}

static void define(struct state *s, uint64_t reg, int64_t offset)
{
	s->kind = FRAME_SP;
	s->reg = reg;
	s->offset = offset;
}

/* One instruction that is not an advance; false if the rest cannot be followed. */
static bool follow(struct state *s, const struct state *initial, const struct common *c,
		   uint8_t op, struct reader *r)
{
	struct reader part;
	uint64_t reg;

	switch (op) {
	case CFA_NOP:
		return true;
	case CFA_OFFSET_EXTENDED:
		reg = read_uleb(r);
		return at_slot(s, reg, (int64_t)read_uleb(r) * c->data_factor);
	case CFA_OFFSET_EXTENDED_SF:
		reg = read_uleb(r);
		return at_slot(s, reg, read_sleb(r) * c->data_factor);
	case CFA_RESTORE_EXTENDED:
		as_before(s, initial, read_uleb(r));
		return true;
	case CFA_UNDEFINED:
		if (read_uleb(r) == REG_PC)
			s->no_caller = true;
		return true;
	case CFA_SAME_VALUE:
		if (read_uleb(r) == REG_FP)
			s->flags = 0;
		return true;
	case CFA_REGISTER:
		reg = read_uleb(r);
		read_uleb(r);
		return reg != REG_PC && reg != REG_FP;
	case CFA_DEF:
		reg = read_uleb(r);
		define(s, reg, read_uleb(r));
		return true;
	case CFA_DEF_SF:
		reg = read_uleb(r);
		define(s, reg, read_sleb(r) * c->data_factor);
		return true;
	case CFA_DEF_REGISTER:
		define(s, read_uleb(r), s->offset);
		return true;
	case CFA_DEF_OFFSET:
		s->offset = read_uleb(r);
		return true;
	case CFA_DEF_OFFSET_SF:
		s->offset = read_sleb(r) * c->data_factor;
		return true;
	case CFA_DEF_EXPRESSION:
		part = block(r);
		return frame_expression(s, &part) || c->signal;
	case CFA_EXPRESSION:
		reg = read_uleb(r);
		part = block(r);
		register_expression(s, reg, &part);
		return !s->bad || c->signal;
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
		reg = read_uleb(r);
		read_uleb(r);
		return reg != REG_PC && reg != REG_FP;
	case CFA_VAL_EXPRESSION:
		reg = read_uleb(r);
		block(r);
		return reg != REG_PC && reg != REG_FP;
	case CFA_GNU_ARGS_SIZE:
		read_uleb(r);
		return true;
	default:
		return false;
	}
}

/* How far an instruction advances, or -1 if it does something else. */
static int64_t advance(uint8_t op, struct reader *r, const struct common *c)
{
	switch (op) {
	case CFA_ADVANCE_1:
		return read_fixed(r, 1) * c->code_factor;
	case CFA_ADVANCE_2:
		return read_fixed(r, 2) * c->code_factor;
	case CFA_ADVANCE_4:
		return read_fixed(r, 4) * c->code_factor;
	default:
		return (op & 0xc0) == CFA_ADVANCE ? (int64_t)((op & 0x3f) * c->code_factor)
						  : -1;
	}
}

static bool run(struct state *s, const struct state *initial, const struct common *c,
		struct reader *r, uint64_t distance)
{
	struct state remembered[REMEMBERED_MAX];
	size_t n = 0;
	uint64_t at = 0;

	while (r->at < r->end) {
		uint8_t op = read_fixed(r, 1);
		int64_t step = advance(op, r, c);

		if (step >= 0) {
			at += step;
			if (at > distance)
				break;
		} else if ((op & 0xc0) == CFA_OFFSET) {
			if (!at_slot(s, op & 0x3f, (int64_t)read_uleb(r) * c->data_factor))
				return false;
		} else if ((op & 0xc0) == CFA_RESTORE) {
			as_before(s, initial, op & 0x3f);
		} else if (op == CFA_REMEMBER) {
			if (n == REMEMBERED_MAX)
				return false;
			remembered[n++] = *s;
		} else if (op == CFA_RESTORE_STATE) {
			if (!n)
				return false;
			*s = remembered[--n];
		} else if (!follow(s, initial, c, op, r)) {
			return false;
		}
		if (r->bad)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------- a rule -- */

static struct frame_rule rule_of(const struct state *s, const struct common *c)
{
	struct frame_rule rule = {
		.offset = s->offset,
		.fp_offset = s->fp_offset,
		.kind = s->kind,
		.flags = s->flags,
	};

	if (c->signal)
		return (struct frame_rule){.kind = FRAME_SIGNAL};
	if (s->no_caller)
		return (struct frame_rule){.kind = FRAME_OUTERMOST};
	if (s->kind == FRAME_SP && s->reg == REG_FP)
		rule.kind = FRAME_FP;
	else if (s->kind == FRAME_SP && s->reg != REG_SP)
		rule.kind = FRAME_UNKNOWN;
	if (rule.offset != s->offset || rule.fp_offset != s->fp_offset)
		rule.kind = FRAME_UNKNOWN;
	return rule;
}

static struct frame_rule rule_read(const struct stacktrace_object *object, uintptr_t pc)
{
	const struct frame_rule unknown = {.kind = FRAME_UNKNOWN};
	const uint8_t *at = description_find(object, pc);
	struct state s = {.kind = FRAME_UNKNOWN}, initial;
	struct reader r;
	struct common c;
	uint64_t begin, length, back;
	const uint8_t *here;

	if (!at || !entry_open(at, object, &r))
		return unknown;
	here = r.at;
	back = read_fixed(&r, 4);
	if (back == 0 || !common_read(here - back, object, &c))
		return unknown;
	begin = read_pointer(&r, c.pointer_code);
	length = read_pointer(&r, c.pointer_code & PE_FORMAT);
	if (r.bad || pc < begin || pc - begin >= length)
		return unknown;
	if (c.augmented)
		skip(&r, read_uleb(&r));
	if (!run(&s, &s, &c, &c.program, UINT64_MAX))
		return unknown;
	initial = s;
	if (!run(&s, &initial, &c, &r, pc - begin))
		return unknown;
	return rule_of(&s, &c);
}

/* ----------------------------------------------------------- the table -- */

struct row {
	_Atomic uint64_t mixed; /* pc ^ rule */
	_Atomic uint64_t rule;
};

static struct row rows[CACHE_ROWS];

static struct row *row_of(uintptr_t pc)
{
	return &rows[(pc * 0x9e3779b97f4a7c15u) >> 52];
}

static struct frame_rule rule_new(struct row *row, uintptr_t pc)
{
	struct frame_rule rule = {.kind = FRAME_UNKNOWN};
	struct stacktrace_object object;
	uint64_t word;

	/* code that was made at run time may be gone the next time */
	if (!stacktrace_object_find(pc, &object))
		return rule;
	rule = rule_read(&object, pc);
	if (stacktrace_is_ours(&object))
		rule.flags |= FRAME_OURS;
	memcpy(&word, &rule, sizeof(word));
	atomic_store_explicit(&row->rule, word, memory_order_relaxed);
	atomic_store_explicit(&row->mixed, word ^ pc, memory_order_relaxed);
	return rule;
}

struct frame_rule stacktrace_frame_rule(uintptr_t pc)
{
	_Static_assert(sizeof(struct frame_rule) == sizeof(uint64_t), "a rule is one word");
	_Static_assert(CACHE_ROWS == 1 << (64 - 52), "the hash has as many bits");
	struct row *row = row_of(pc);
	uint64_t word = atomic_load_explicit(&row->rule, memory_order_relaxed);
	struct frame_rule rule;

	if ((atomic_load_explicit(&row->mixed, memory_order_relaxed) ^ word) != pc)
		return rule_new(row, pc);
	memcpy(&rule, &word, sizeof(rule));
	return rule;
}
