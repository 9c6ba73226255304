// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared values' ways to memory.
 */
#include "paths.h"

#include <stdint.h>
#include <string.h>

static const uint8_t value[100] = "a value that has owners";
static void *const untouched = (void *)&untouched;
static ChicRc rc;
static ChicArc arc;
static ChicWeak weak;
static size_t ended, taken;

static void end_value(uint8_t *p)
{
	ck_assert_mem_eq(p, value, sizeof(value));
	ended++;
}

static void prepare(void)
{
	rc.ptr = arc.ptr = untouched;
	ended = 0;
	taken = chic_rt_shared_allocations() - chic_rt_shared_frees();
}

/* A status; of one that is refused the handle is as it was. */
static bool judge(int32_t status, void *handle, const uint8_t *got)
{
	if (status == ChicShared_Success) {
		ck_assert_mem_eq(got, value, sizeof(value));
		ck_assert_uint_eq((uintptr_t)got % 64, 0);
		return true;
	}
	ck_assert_int_eq(status, ChicShared_AllocationFailed);
	ck_assert_ptr_eq(handle, untouched);
	return false;
}

static bool rc_new(void)
{
	int32_t status = chic_rt_rc_new(&rc, value, sizeof(value), 64, (uintptr_t)end_value, 5);

	return judge(status, rc.ptr, status ? NULL : chic_rt_rc_get(&rc));
}

static bool arc_new(void)
{
	int32_t status =
		chic_rt_arc_new(&arc, value, sizeof(value), 64, (uintptr_t)end_value, 5);

	return judge(status, arc.ptr, status ? NULL : chic_rt_arc_get(&arc));
}

/* The block outlives the value. */
static bool arc_new_and_weak(void)
{
	if (!arc_new())
		return false;
	ck_assert_int_eq(chic_rt_arc_downgrade(&weak, &arc), 0);
	chic_rt_arc_drop(&arc);
	arc.ptr = untouched;
	ck_assert_uint_eq(ended, 1);
	return true;
}

static void clean(void)
{
	bool made = rc.ptr != untouched || arc.ptr != untouched || weak.ptr;

	if (rc.ptr != untouched)
		chic_rt_rc_drop(&rc);
	if (arc.ptr != untouched)
		chic_rt_arc_drop(&arc);
	chic_rt_weak_drop(&weak);
	ck_assert_uint_eq(ended, made);
	ck_assert_uint_eq(chic_rt_shared_allocations() - chic_rt_shared_frees(), taken);
}

static const struct path paths[] = {
	{"rc_new", prepare, rc_new, clean},
	{"arc_new", prepare, arc_new, clean},
	{"arc_new, outlived by a weak owner", prepare, arc_new_and_weak, clean},
	{NULL, NULL, NULL, NULL},
};

const struct path_family shared_paths = {"shared", paths};
