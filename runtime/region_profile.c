// SPDX-License-Identifier: BSD-2-Clause
/*
 * What regions of one profile did together.
 *
 * Regions that ended are added to a record of their profile in a static table;
 * those that live are asked.  A region that moves from the one to the other meanwhile
 * makes the sum begin anew, a few times: nobody waits for anybody, so that a process
 * that forks in between has nothing to unlock.
 */
#include "internal.h"

#ifndef PROFILES
#define PROFILES 512
#endif
#define TRIES 100

enum { COUNTERS = sizeof(RegionTelemetry) / sizeof(uint64_t) };

struct record {
	_Atomic uint64_t profile; /* 0: free */
	_Atomic uint64_t counter[COUNTERS];
};

/* The last one is profile 0's, which the others cannot tell from free ones. */
static struct record records[PROFILES];

/* The profile's record; a free one is taken where make is set.  Null: none is left. */
static struct record *record_of(uint64_t profile, bool make)
{
	if (!profile)
		return &records[PROFILES - 1];
	for (size_t i = 0; i < PROFILES - 1; i++) {
		struct record *r = &records[(profile + i) % (PROFILES - 1)];
		uint64_t there = atomic_load(&r->profile);

		if (!there && !make)
			return NULL;
		if (!there && atomic_compare_exchange_strong(&r->profile, &there, profile))
			return r;
		if (there == profile)
			return r;
	}
	return NULL;
}

void profile_add(uint64_t profile, const RegionTelemetry *t)
{
	struct record *r = record_of(profile, true);
	uint64_t values[COUNTERS];

	memcpy(values, t, sizeof(values));
	for (size_t i = 0; r && i < COUNTERS; i++)
		if (values[i])
			atomic_fetch_add(&r->counter[i], values[i]);
}

/* False: a region ended meanwhile, and may be in the sum twice or not at all. */
static bool sum_once(uint64_t profile, RegionTelemetry *sum)
{
	const struct record *r = record_of(profile, false);
	uint64_t values[COUNTERS] = {0};
	size_t before = region_moves();
	bool still;

	for (size_t i = 0; r && i < COUNTERS; i++)
		values[i] = atomic_load(&r->counter[i]);
	memcpy(sum, values, sizeof(*sum));
	still = region_sum_live(profile, sum);
	return still && region_moves() == before;
}

CHIC_EXPORT RegionTelemetry chic_rt_region_profile(uint64_t profile)
{
	RegionTelemetry sum;

	for (unsigned tries = 0; tries < TRIES; tries++)
		if (sum_once(profile, &sum))
			break;
	return sum;
}

CHIC_EXPORT uint64_t chic_rt_region_profile_of(ChicStr name)
{
	static const char fallback[] = "default";
	uint64_t hash = UINT64_C(14695981039346656037);

	if (!name.ptr || !name.len)
		name = (ChicStr){(const uint8_t *)fallback, sizeof(fallback) - 1};
	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ name.ptr[i]) * UINT64_C(1099511628211);
	return hash;
}
