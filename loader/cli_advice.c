// SPDX-License-Identifier: BSD-2-Clause
/*
 * What follows from a comparison, in words: the best heap with the lines to paste
 * into a configuration, or why none is recommended.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <string.h>

/* What inih can hold of a section, its brackets and "program " taken off. */
#define LABEL_MAX 40
#define ALL_PROGRAMS "[allocator]"

static double percent(double ratio)
{
	return (ratio < 1 ? 1 - ratio : ratio - 1) * 100;
}

/* ----------------------------------------------------------- section --- */

/* The kernel's name for a process is that of what it executed last, cut. */
static bool became_another(const struct comparison *c)
{
	return *c->name && strncmp(c->name, c->label, sizeof(c->name) - 1) != 0;
}

/* A label that is a glob, a list or a piece of syntax means something else. */
static bool is_plain(const char *label)
{
	return strlen(label) <= LABEL_MAX && !strpbrk(label, "*?[]\\,;#= \t\n");
}

const char *advice_section(const struct comparison *c)
{
	static char section[LABEL_MAX + 16];

	if (c->others || became_another(c) || !is_plain(c->label))
		return ALL_PROGRAMS;
	snprintf(section, sizeof(section), "[program %s]", c->label);
	return section;
}

/* Why not for one program, or how for all. */
static void print_scope(const struct comparison *c, bool by_name)
{
	if (by_name)
		printf("[allocator] in place of [program %s] is for every program.\n",
		       c->label);
	else if (c->others)
		printf("That is for every program: most of the work is done by programs that\n"
		       "%s starts, and [program %s] would be for %s alone.\n",
		       c->label, c->label, c->label);
	else if (became_another(c))
		printf("That is for every program: %s ended as '%s'.  If that is another\n"
		       "program, [program %s] is for it alone.\n",
		       c->label, c->name, c->name);
	else
		printf("That is for every program.\n");
}

static void print_lines(const struct comparison *c, const char *stack)
{
	const char *section = advice_section(c);

	printf("\nTo use it, put into %s:\n\n%s\nmodule = %s\n\n", c->config, section, stack);
	print_scope(c, strcmp(section, ALL_PROGRAMS) != 0);
}

/* ----------------------------------------------------------- reasons --- */

/* The other things that count, where they differ beyond the noise. */
static void print_price(const struct comparison *c, const struct candidate *best)
{
	static const enum metric priced[] = {METRIC_WALL, METRIC_CPU, METRIC_RSS};
	struct summary s;

	for (size_t i = 0; i < ARRAY_SIZE(priced); i++) {
		verdict_summarise(c, best, priced[i], &s);
		if (priced[i] == c->by || !s.compared ||
		    (s.interval.low <= 1 && s.interval.high >= 1))
			continue;
		printf("Its %s: %.1f%% %s.\n", report_metric_name(priced[i]), percent(s.ratio),
		       s.ratio < 1 ? "less" : "more");
	}
}

static void print_ties(const struct comparison *c, const struct verdict *verdict)
{
	bool first = true;

	for (size_t i = CANDIDATE_HEAPS; i < c->n; i++) {
		if (!verdict_ties(c, verdict, &c->candidates[i]))
			continue;
		printf("%s%s", first ? "As good within the noise: " : "; ",
		       c->candidates[i].name);
		first = false;
	}
	if (!first)
		printf(".\n");
}

static void print_better(const struct comparison *c, const struct verdict *verdict)
{
	struct summary s;

	verdict_summarise(c, verdict->best, c->by, &s);
	printf("Best: %s, %.1f%% less %s than the default (%.1f-%.1f%%).\n",
	       verdict->best->name, percent(s.ratio), report_metric_name(c->by),
	       percent(s.interval.high), percent(s.interval.low));
	print_price(c, verdict->best);
	print_ties(c, verdict);
	print_lines(c, verdict->best->stack);
}

static void print_nothing(const struct comparison *c, const struct verdict *verdict)
{
	(void)verdict;
	printf("Nothing is better than the default beyond the noise (%s).\n",
	       report_metric_name(c->by));
}

static void print_noise(const struct comparison *c, const struct verdict *verdict)
{
	struct summary claim, noise;

	verdict_summarise(c, verdict->best, c->by, &claim);
	verdict_summarise(c, &c->candidates[CANDIDATE_CONTROL], c->by, &noise);
	printf("Nothing is better than the default beyond the noise: %s took %.1f%% less %s,\n"
	       "but the default differed from itself by %.1f%%.\n",
	       verdict->best->name, percent(claim.ratio), report_metric_name(c->by),
	       percent(noise.ratio));
}

static void print_too_few(const struct comparison *c, const struct verdict *verdict)
{
	printf("Too few rounds to tell a difference from noise: %u of at least %u.  INTERVAL "
	       "is all\n"
	       "that was seen.\n",
	       c->rounds, verdict->needed);
}

static void print_failed(const struct comparison *c, const struct verdict *verdict)
{
	(void)verdict;
	if (c->candidates[CANDIDATE_DEFAULT].failure ||
	    c->candidates[CANDIDATE_CONTROL].failure)
		printf("It failed under the default, so that nothing can be said.\n");
	else
		printf("It failed under every heap but the default.\n");
}

/* The default is one heap twice; whatever tells them apart is no heap. */
static void print_control(const struct comparison *c, const struct verdict *verdict)
{
	struct summary noise;

	verdict_summarise(c, &c->candidates[CANDIDATE_CONTROL], c->by, &noise);
	if (verdict->control_off && verdict->kind != VERDICT_NOISE)
		printf("Caution: the default differed from itself by %.1f%%: this machine is "
		       "not\n"
		       "steady, and smaller differences mean nothing.\n",
		       percent(noise.ratio));
}

static void print_legend(const struct comparison *c, const struct verdict *verdict)
{
	if (c->rounds < verdict->needed)
		return;
	printf("RATIO: the median of the ratios to the default's run of the same round.\n"
	       "INTERVAL: where it lies without the noise; a whole column holds with %.0f%%\n"
	       "confidence.\n\n",
	       CONFIDENCE * 100);
}

void advice_print(const struct comparison *c, const struct verdict *verdict)
{
	static void (*const print[])(const struct comparison *, const struct verdict *) = {
		[VERDICT_BETTER] = print_better, [VERDICT_NOTHING] = print_nothing,
		[VERDICT_NOISE] = print_noise,	 [VERDICT_TOO_FEW] = print_too_few,
		[VERDICT_FAILED] = print_failed,
	};

	print_legend(c, verdict);
	print_control(c, verdict);
	print[verdict->kind](c, verdict);
}
