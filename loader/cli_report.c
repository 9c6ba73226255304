// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a comparison measured, as a table of at most 100 columns and as JSON.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <ctype.h>
#include <string.h>

#define COLUMNS_MAX 100
#define NAME_WIDTH_MIN 16
#define NAME_WIDTH_MAX 20
/* Median, ratio, interval. */
#define CELL "  %12s  %6s  %-12s"
/* One value as text; some of them. */
#define CELL_MAX 32
#define ROW_MAX 128

static const char *duration(double ns, char out[CELL_MAX]);
static const char *bytes(double n, char out[CELL_MAX]);
static const char *count(double n, char out[CELL_MAX]);

static const struct {
	const char *name;
	const char *heading;
	const char *key; /* in JSON */
	const char *word; /* of the option; null: it cannot decide */
	const char *(*format)(double value, char out[CELL_MAX]);
} metrics[] = {
	[METRIC_WALL] = {"wall time", "WALL TIME", "wall_ns", "wall", duration},
	[METRIC_CPU] = {"CPU time", "CPU TIME", "cpu_ns", "cpu", duration},
	[METRIC_RSS] = {"peak RSS", "PEAK RSS", "peak_rss_bytes", "rss", bytes},
	[METRIC_MINOR] = {"minor faults", "MINOR FAULTS", "minor_faults", NULL, count},
	[METRIC_MAJOR] = {"major faults", "MAJOR", "major_faults", NULL, count},
};

const char *report_metric_name(enum metric metric)
{
	return metrics[metric].name;
}

enum metric report_metric_find(const char *word)
{
	enum metric metric = 0;

	while (metric < METRICS &&
	       !(metrics[metric].word && strcmp(metrics[metric].word, word) == 0))
		metric++;
	return metric;
}

/* ------------------------------------------------------------ cells --- */

/* Three figures, which is more than most runs repeat. */
static const char *figures(double value, const char *unit, char out[CELL_MAX])
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(out, CELL_MAX, "%.*f %s", decimals, value, unit);
	return out;
}

static const char *duration(double ns, char out[CELL_MAX])
{
	if (ns < 999500)
		return figures(ns / 1e3, "us", out);
	if (ns < 999500000)
		return figures(ns / 1e6, "ms", out);
	return figures(ns / 1e9, "s", out);
}

static const char *bytes(double n, char out[CELL_MAX])
{
	return figures(n / (1024 * 1024), "MiB", out);
}

static const char *count(double n, char out[CELL_MAX])
{
	snprintf(out, CELL_MAX, "%.0f", n);
	return out;
}

static int decimals_of_ratio(double ratio)
{
	return ratio < 10 ? 3 : ratio < 100 ? 2 : 0;
}

/* Median, ratio and interval of one metric, padded. */
static void make_cell(const struct comparison *c, const struct candidate *candidate,
		      enum metric metric, char out[ROW_MAX])
{
	char text[CELL_MAX], ratio[CELL_MAX] = "", interval[CELL_MAX] = "";
	struct summary s;

	verdict_summarise(c, candidate, metric, &s);
	if (s.compared) {
		snprintf(ratio, sizeof(ratio), "%.*f", decimals_of_ratio(s.ratio), s.ratio);
		snprintf(interval, sizeof(interval), "%.*f-%.*f",
			 decimals_of_ratio(s.interval.low), s.interval.low,
			 decimals_of_ratio(s.interval.high), s.interval.high);
	}
	snprintf(out, ROW_MAX, CELL, metrics[metric].format(s.median, text), ratio, interval);
}

static void make_heading(enum metric metric, char out[ROW_MAX])
{
	snprintf(out, ROW_MAX, CELL, metrics[metric].heading, "RATIO", "INTERVAL");
}

/* ------------------------------------------------------------ table --- */

static int name_width(const struct comparison *c)
{
	size_t width = NAME_WIDTH_MIN;

	for (size_t i = 0; i < c->n; i++) {
		size_t len = strlen(c->candidates[i].name);

		if (len > width && len <= NAME_WIDTH_MAX)
			width = len;
	}
	return (int)width;
}

/* A name that is too long has a line of its own. */
static void print_name(const char *name, int width)
{
	if ((int)strlen(name) <= width)
		printf("%-*s", width, name);
	else
		printf("%s\n%*s", name, width, "");
}

/* Without the blanks that would end the line. */
static void print_row(const char *left, const char *right, const char *last)
{
	char row[3 * ROW_MAX];
	int n = snprintf(row, sizeof(row), "%s%s%s", left, right, last);

	while (n > 0 && row[n - 1] == ' ')
		n--;
	printf("%.*s\n", n, row);
}

static void print_headings(enum metric left, enum metric right, const char *last, int width)
{
	char cells[2][ROW_MAX];

	make_heading(left, cells[0]);
	make_heading(right, cells[1]);
	print_name("HEAP", width);
	print_row(cells[0], cells[1], last);
}

static void print_cells(const struct comparison *c, const struct candidate *candidate,
			enum metric left, enum metric right, const char *last)
{
	char cells[2][ROW_MAX];

	make_cell(c, candidate, left, cells[0]);
	make_cell(c, candidate, right, cells[1]);
	print_row(cells[0], cells[1], last);
}

static void print_times(const struct comparison *c, int width)
{
	print_headings(METRIC_WALL, METRIC_CPU, "", width);
	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *candidate = &c->candidates[i];

		print_name(candidate->name, width);
		if (candidate->failure)
			print_row("  ", candidate->failure, "");
		else
			print_cells(c, candidate, METRIC_WALL, METRIC_CPU, "");
	}
}

/* Major faults are mostly none, so that they have no ratio. */
static void print_memory(const struct comparison *c, int width)
{
	char last[CELL_MAX + 8], text[CELL_MAX];
	struct summary s;

	snprintf(last, sizeof(last), "  %6s", metrics[METRIC_MAJOR].heading);
	print_headings(METRIC_RSS, METRIC_MINOR, last, width);
	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *candidate = &c->candidates[i];

		if (candidate->failure)
			continue;
		verdict_summarise(c, candidate, METRIC_MAJOR, &s);
		snprintf(last, sizeof(last), "  %6s",
			 metrics[METRIC_MAJOR].format(s.median, text));
		print_name(candidate->name, width);
		print_cells(c, candidate, METRIC_RSS, METRIC_MINOR, last);
	}
}

static size_t append(char line[COLUMNS_MAX + 1], size_t n, const char *text)
{
	for (; *text && n < COLUMNS_MAX; text++)
		line[n++] = iscntrl((unsigned char)*text) ? ' ' : *text;
	line[n] = '\0';
	return n;
}

/* On one line no longer than the table's. */
static void print_command(char *const *argv)
{
	char line[COLUMNS_MAX + 1] = "";
	size_t n = 0;

	for (; *argv; argv++) {
		n = append(line, n, *argv);
		if (argv[1])
			n = append(line, n, " ");
	}
	if (n == COLUMNS_MAX)
		memcpy(line + n - 3, "...", 3);
	puts(line);
}

void report_text(const struct comparison *c, const struct verdict *verdict)
{
	int width = name_width(c);

	print_command(c->command.argv);
	if (c->rounds) {
		printf("%u round%s, each in random order, after a warm-up\n\n", c->rounds,
		       c->rounds == 1 ? "" : "s");
		print_times(c, width);
		putchar('\n');
		print_memory(c, width);
	}
	putchar('\n');
	advice_print(c, verdict);
}

/* ------------------------------------------------------------- JSON --- */

static void json_summary(struct json *json, const struct comparison *c,
			 const struct candidate *candidate, enum metric metric)
{
	struct summary s;

	verdict_summarise(c, candidate, metric, &s);
	json_open(json, metrics[metric].key, '{');
	json_real(json, "median", s.median);
	json_real(json, "lower_quartile", s.low_quartile);
	json_real(json, "upper_quartile", s.high_quartile);
	if (s.compared) {
		json_real(json, "ratio", s.ratio);
		json_real(json, "ratio_low", s.interval.low);
		json_real(json, "ratio_high", s.interval.high);
		json_real(json, "ratio_confidence", s.interval.confidence);
	}
	json_close(json, '}');
}

static void json_samples(struct json *json, const struct candidate *candidate,
			 enum metric metric)
{
	json_open(json, metrics[metric].key, '[');
	for (unsigned i = 0; i < candidate->n; i++)
		json_number(json, NULL, candidate->samples[i].of[metric]);
	json_close(json, ']');
}

static void json_candidate(struct json *json, const struct comparison *c,
			   const struct candidate *candidate)
{
	json_open(json, NULL, '{');
	json_string(json, "name", candidate->name);
	json_string(json, "module", candidate->stack);
	json_string(json, "failure", candidate->failure);
	json_open(json, "summary", '{');
	for (enum metric m = 0; candidate->n && m < METRICS; m++)
		json_summary(json, c, candidate, m);
	json_close(json, '}');
	json_open(json, "samples", '{');
	for (enum metric m = 0; m < METRICS; m++)
		json_samples(json, candidate, m);
	json_close(json, '}');
	json_close(json, '}');
}

static void json_verdict(struct json *json, const struct comparison *c,
			 const struct verdict *verdict)
{
	static const char *const kinds[] = {
		[VERDICT_BETTER] = "better", [VERDICT_NOTHING] = "nothing better",
		[VERDICT_NOISE] = "noise",   [VERDICT_TOO_FEW] = "too few rounds",
		[VERDICT_FAILED] = "failed",
	};
	bool better = verdict->kind == VERDICT_BETTER;

	json_string(json, "verdict", kinds[verdict->kind]);
	json_string(json, "recommended", better ? verdict->best->name : NULL);
	json_string(json, "section", better ? advice_section(c) : NULL);
	json_open(json, "as_good", '[');
	for (size_t i = CANDIDATE_HEAPS; better && i < c->n; i++)
		if (verdict_ties(c, verdict, &c->candidates[i]))
			json_string(json, NULL, c->candidates[i].name);
	json_close(json, ']');
}

void report_json(const struct comparison *c, const struct verdict *verdict)
{
	struct json json = {.out = stdout};

	json_open(&json, NULL, '{');
	json_open(&json, "command", '[');
	for (char **arg = c->command.argv; *arg; arg++)
		json_string(&json, NULL, *arg);
	json_close(&json, ']');
	json_number(&json, "rounds", c->rounds);
	json_number(&json, "rounds_planned", c->planned);
	json_number(&json, "rounds_needed", verdict->needed);
	json_real(&json, "interval_confidence", c->confidence);
	json_string(&json, "by", metrics[c->by].key);
	json_verdict(&json, c, verdict);
	json_open(&json, "candidates", '[');
	for (size_t i = 0; i < c->n; i++)
		json_candidate(&json, c, &c->candidates[i]);
	json_close(&json, ']');
	json_close(&json, '}');
}
