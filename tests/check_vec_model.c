// SPDX-License-Identifier: BSD-2-Clause
/*
 * Vectors beside a plain array: a hundred thousand random operations for each size of
 * elements, on the heap and in regions, with requests refused now and then.  After
 * each the lengths are the same, after some all bytes are; every value that was
 * put in came out or was dropped once.
 */
#include "model_support.h"

#include <string.h>

#include "chic_alloc.h"

CHIC_ALLOC_MANUAL();

enum { MOST = 3000, SEEDS = 3 };

static const struct shape {
	size_t size, align;
	bool in_region;
} shapes[] = {
	{0, 1, false},	{1, 1, false},	{4, 4, false},	 {8, 8, false},	  {24, 8, false},
	{64, 8, false}, {65, 1, false}, {200, 8, false}, {16, 16, false}, {64, 64, false},
	{4, 4, true},	{24, 8, true},	{100, 4, true},	 {32, 32, true},  {0, 1, true},
};

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]), BYTES_MOST = 256 };

static struct {
	const struct shape *shape;
	ChicVec *vec;
	ChicVec room[2]; /* the vector moves between them */
	RegionHandle region;
	uint32_t id[MOST * 2]; /* of the values that are in it */
	size_t len;
	uint32_t next_id;
	size_t dropped; /* values, as they say themselves */
	size_t drops; /* as they are expected */
	bool refuse;
} m;

/* ---- values ---- */

static void make_value(uint32_t id, uint8_t *bytes)
{
	for (size_t i = 0; i < m.shape->size; i++)
		bytes[i] = i < sizeof(id) ? id >> 8 * i : id * 31 + i;
}

static bool is_value(uint32_t id, const uint8_t *bytes)
{
	uint8_t want[BYTES_MOST];

	make_value(id, want);
	return m.shape->size == 0 || memcmp(bytes, want, m.shape->size) == 0;
}

/* A value that is dropped must be one that was made, all of its bytes. */
static void drop_value(uint8_t *bytes)
{
	uint32_t id = 0;

	m.dropped++;
	if (m.shape->size < sizeof(id))
		return;
	for (size_t i = 0; i < sizeof(id); i++)
		id |= (uint32_t)bytes[i] << 8 * i;
	MUST(is_value(id, bytes));
	memset(bytes, 0x99, m.shape->size); /* a second drop would be seen */
}

static ValueConstPtr value_of(const uint8_t *bytes)
{
	return (ValueConstPtr){bytes, m.shape->size, m.shape->align};
}

/* ---- the model ---- */

static void model_insert(size_t at, uint32_t id)
{
	memmove(&m.id[at + 1], &m.id[at], (m.len - at) * sizeof(m.id[0]));
	m.id[at] = id;
	m.len++;
}

static void model_remove(size_t at)
{
	m.len--;
	memmove(&m.id[at], &m.id[at + 1], (m.len - at) * sizeof(m.id[0]));
}

static void check_contents(const ChicVec *vec)
{
	ChicVecIter iter = chic_rt_vec_iter(vec);
	uint8_t bytes[BYTES_MOST];
	ValueMutPtr out = {bytes, sizeof(bytes), 1};

	for (size_t i = 0; i < m.len; i++) {
		ValueMutPtr at = chic_rt_vec_ptr_at(vec, i);

		MUST(at.ptr && at.size == m.shape->size && at.align == m.shape->align);
		MUST((uintptr_t)at.ptr % m.shape->align == 0);
		MUST(is_value(m.id[i], at.ptr));
		MUST(chic_rt_vec_iter_next(&iter, &out) == ChicVec_Success);
		MUST(is_value(m.id[i], bytes));
	}
	MUST(chic_rt_vec_iter_next(&iter, &out) == ChicVec_IterationComplete);
	MUST(chic_rt_vec_ptr_at(vec, m.len).ptr == NULL);
}

/* ---- operations: each does the same to both ---- */

/* Success, or a refusal after which all is as before. */
static bool was_done(int32_t status)
{
	bool refused = m.refuse && ledger_failed();

	if (status == ChicVec_Success)
		return true;
	MUST(status == ChicVec_AllocationFailed && refused);
	return false;
}

static void op_insert(size_t at, bool push)
{
	uint8_t bytes[BYTES_MOST];
	ValueConstPtr value = value_of(bytes);
	int32_t status;

	make_value(m.next_id, bytes);
	if (push && random_below(2))
		status = chic_vec_push(m.vec, bytes, m.shape->size);
	else
		status = push ? chic_rt_vec_push(m.vec, &value)
			      : chic_rt_vec_insert(m.vec, at, &value);
	if (was_done(status))
		model_insert(at, m.next_id);
	m.next_id++;
}

static void op_push(void)
{
	op_insert(m.len, true);
}

static void op_insert_anywhere(void)
{
	op_insert(random_below(m.len + 1), false);
}

/* Which of the three ways to take an element out. */
static int32_t take(unsigned way, size_t at, const ValueMutPtr *out)
{
	switch (way) {
	case 0:
		return chic_rt_vec_pop(m.vec, out);
	case 1:
		return chic_rt_vec_remove(m.vec, at, out);
	default:
		return chic_rt_vec_swap_remove(m.vec, at, out);
	}
}

static void op_take(void)
{
	uint8_t bytes[BYTES_MOST];
	ValueMutPtr out = {bytes, m.shape->size, m.shape->align};
	unsigned way = random_below(3);
	bool keep = random_below(2);
	size_t at = m.len ? random_below(m.len) : 0;
	int32_t status = take(way, at, keep ? &out : NULL);

	if (!m.len) {
		MUST(status == ChicVec_OutOfBounds);
		return;
	}
	MUST(status == ChicVec_Success);
	at = way ? at : m.len - 1;
	MUST(!keep || is_value(m.id[at], bytes));
	m.drops += !keep;
	if (way == 2) {
		m.id[at] = m.id[m.len - 1];
		m.len--;
	} else {
		model_remove(at);
	}
}

static void op_truncate(void)
{
	size_t to = random_below(m.len + 2);

	MUST(chic_rt_vec_truncate(m.vec, to) == ChicVec_Success);
	if (to >= m.len)
		return;
	m.drops += m.len - to;
	m.len = to;
}

static void op_clear(void)
{
	MUST(chic_rt_vec_clear(m.vec) == ChicVec_Success);
	m.drops += m.len;
	m.len = 0;
}

static void op_reserve(void)
{
	size_t additional = random_below(100);

	if (was_done(chic_rt_vec_reserve(m.vec, additional)))
		MUST(chic_rt_vec_capacity(m.vec) >= m.len + additional || !additional);
}

static void op_shrink(void)
{
	was_done(chic_rt_vec_shrink_to_fit(m.vec));
}

/* Bytes elsewhere, the old ones spoilt. */
static void op_move(void)
{
	ChicVec *to = m.vec == &m.room[0] ? &m.room[1] : &m.room[0];

	*to = *m.vec;
	memset(m.vec, 0xaa, sizeof(*m.vec));
	m.vec = to;
}

/* The copy's bytes are the same; only one of both is dropped. */
static void op_clone(void)
{
	ChicVec copy = {.len = 12345};

	if (!was_done(chic_rt_vec_clone(&copy, m.vec))) {
		MUST(copy.len == 12345);
		return;
	}
	MUST(chic_rt_vec_len(&copy) == m.len);
	check_contents(&copy);
	chic_rt_vec_set_drop(&copy, 0);
	chic_rt_vec_drop(&copy);
}

static void op_convert(void)
{
	ChicVec array;

	if (!was_done(chic_rt_vec_into_array(&array, m.vec)))
		return;
	MUST(chic_rt_vec_len(m.vec) == 0 && !chic_rt_vec_uses_inline(m.vec));
	check_contents(&array);
	MUST(chic_rt_array_into_vec(m.vec, &array) == ChicVec_Success);
	chic_rt_vec_drop(&array);
}

static const struct operation operations[] = {
	{op_push, 400}, {op_insert_anywhere, 100}, {op_take, 330}, {op_truncate, 4},
	{op_clear, 1},	{op_reserve, 20},	   {op_shrink, 8}, {op_move, 10},
	{op_clone, 4},	{op_convert, 4},
};

/* ---- runs ---- */

static void begin(const struct shape *shape)
{
	memset(&m, 0, sizeof(m));
	m.shape = shape;
	m.vec = &m.room[0];
	if (shape->in_region) {
		m.region = chic_rt_region_enter(1);
		*m.vec = chic_rt_vec_new_in_region(shape->size, shape->align,
						   (uintptr_t)drop_value, m.region);
	} else {
		*m.vec = chic_rt_vec_new(shape->size, shape->align, (uintptr_t)drop_value);
	}
}

static void end(void)
{
	check_contents(m.vec);
	chic_rt_vec_drop(m.vec);
	m.drops += m.len;
	MUST(m.dropped == m.drops);
	if (m.shape->in_region)
		chic_rt_region_exit(m.region);
}

START_TEST(vectors_are_what_arrays_are)
{
	random_begin(_i);
	begin(&shapes[_i % SHAPES]);
	for (int i = 0; i < OPERATIONS; i++) {
		m.refuse = refuse_some();
		operate(operations, sizeof(operations) / sizeof(operations[0]));
		ledger_failed();
		MUST(chic_rt_vec_len(m.vec) == m.len);
		MUST(chic_rt_vec_is_empty(m.vec) == (m.len == 0));
		MUST(m.dropped == m.drops);
		if (i % 100 == 0)
			check_contents(m.vec);
		if (m.len >= MOST || (m.shape->in_region && i % 5000 == 0)) {
			end();
			begin(m.shape);
		}
	}
	end();
	ledger_nothing_left();
}
END_TEST

static Suite *make_suite(void)
{
	return model_suite("vec model", vectors_are_what_arrays_are, SHAPES * SEEDS);
}

CHECK_MAIN(make_suite)
