// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the samples of all candidates say.
 *
 * A run is compared with the default's run of the same round only, so that what
 * slows the machine for a while slows both.  A heap is better if the interval of
 * its ratios lies below 1 and its gain is more than the default differs from
 * itself, which is measured as if it were a heap as well.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

static const struct candidate *reference(const struct comparison *c)
{
	return &c->candidates[CANDIDATE_DEFAULT];
}

static const struct candidate *control(const struct comparison *c)
{
	return &c->candidates[CANDIDATE_CONTROL];
}

static void fill_quartiles(const struct candidate *candidate, enum metric metric,
			   struct summary *out)
{
	double values[ROUNDS_MAX];

	for (unsigned i = 0; i < candidate->n; i++)
		values[i] = (double)candidate->samples[i].of[metric];
	stats_sort(values, candidate->n);
	out->low_quartile = stats_quantile(values, candidate->n, 0.25);
	out->median = stats_quantile(values, candidate->n, 0.5);
	out->high_quartile = stats_quantile(values, candidate->n, 0.75);
}

/* Nothing can be said of what the other never does. */
static void fill_ratio(const struct candidate *a, const struct candidate *b, enum metric metric,
		       double confidence, struct summary *out)
{
	unsigned n = a->n < b->n ? a->n : b->n;
	double ratios[ROUNDS_MAX];

	for (unsigned i = 0; i < n; i++) {
		if (!b->samples[i].of[metric])
			return;
		ratios[i] = (double)a->samples[i].of[metric] / (double)b->samples[i].of[metric];
	}
	if (!n)
		return;
	stats_sort(ratios, n);
	out->compared = true;
	out->ratio = stats_quantile(ratios, n, 0.5);
	out->interval = stats_interval(ratios, n, confidence);
}

void verdict_summarise(const struct comparison *c, const struct candidate *candidate,
		       enum metric metric, struct summary *out)
{
	*out = (struct summary){.compared = false};
	if (!candidate->n)
		return;
	fill_quartiles(candidate, metric, out);
	if (candidate != reference(c))
		fill_ratio(candidate, reference(c), metric, c->confidence, out);
}

/* How far from 1, in either direction. */
static double deviation(double ratio)
{
	return ratio < 1 ? 1 / ratio : ratio;
}

static bool is_below(const struct summary *s)
{
	return s->compared && s->interval.high < 1;
}

static bool leaves_out_one(const struct summary *s)
{
	return s->compared && (s->interval.high < 1 || s->interval.low > 1);
}

/* Of those that look better than the default the one that does so most. */
static const struct candidate *find_best(const struct comparison *c, double *ratio)
{
	const struct candidate *best = NULL;
	struct summary s;

	for (size_t i = CANDIDATE_HEAPS; i < c->n; i++) {
		if (c->candidates[i].failure)
			continue;
		verdict_summarise(c, &c->candidates[i], c->by, &s);
		if (!is_below(&s) || (best && s.ratio >= *ratio))
			continue;
		best = &c->candidates[i];
		*ratio = s.ratio;
	}
	return best;
}

bool verdict_is_possible(const struct comparison *c)
{
	if (reference(c)->failure || control(c)->failure)
		return false;
	for (size_t i = CANDIDATE_HEAPS; i < c->n; i++)
		if (!c->candidates[i].failure)
			return true;
	return false;
}

void verdict_find(const struct comparison *c, struct verdict *out)
{
	struct summary noise;
	double ratio = 1;

	*out = (struct verdict){.kind = VERDICT_NOTHING};
	out->needed = (unsigned)stats_needed(c->confidence);
	if (!verdict_is_possible(c)) {
		out->kind = VERDICT_FAILED;
		return;
	}
	if (c->rounds < out->needed) {
		out->kind = VERDICT_TOO_FEW;
		return;
	}
	verdict_summarise(c, control(c), c->by, &noise);
	out->control_off = leaves_out_one(&noise);
	out->best = find_best(c, &ratio);
	if (out->best)
		out->kind = deviation(ratio) > deviation(noise.ratio) ? VERDICT_BETTER
								      : VERDICT_NOISE;
}

bool verdict_ties(const struct comparison *c, const struct verdict *verdict,
		  const struct candidate *candidate)
{
	struct summary s = {.compared = false};

	if (candidate->failure || candidate == verdict->best)
		return false;
	fill_ratio(candidate, verdict->best, c->by, c->confidence, &s);
	return s.compared && s.interval.low <= 1;
}
