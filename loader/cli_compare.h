/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to chic-alloc compare: what is measured, how it is summed up, and who
 * prints it.
 */
#ifndef CHIC_LOADER_CLI_COMPARE_H
#define CHIC_LOADER_CLI_COMPARE_H

#include "cli.h"

/* Most rounds, so that a column of samples fits on the stack. */
#define ROUNDS_MAX 1000
/* That the intervals of a whole column hold. */
#define CONFIDENCE 0.95

/* cli_stats.c - medians, quartiles and intervals, without assumptions on the noise */

/* Between low and high lies what is estimated, with at least this confidence. */
struct stats_interval {
	double low;
	double high;
	double confidence;
};

void stats_sort(double *values, size_t n);
/* The q-quantile of n > 0 sorted values, between two of them by a straight line. */
double stats_quantile(const double *sorted, size_t n, double q);
/*
 * For the median of what n > 0 sorted values were drawn from: the narrowest pair of
 * them that has the confidence; all of them, with less, if n is too small.
 */
struct stats_interval stats_interval(const double *sorted, size_t n, double confidence);
/* The fewest values that give an interval of that confidence, which is below 1. */
size_t stats_needed(double confidence);
/* The confidence each of k intervals must have for all to hold together with it. */
double stats_each_of(double confidence, size_t k);

/* cli_measure.c - run a command once */

enum metric { METRIC_WALL, METRIC_CPU, METRIC_RSS, METRIC_MINOR, METRIC_MAJOR, METRICS };

/* Nanoseconds, bytes, faults. */
struct sample {
	uint64_t of[METRICS];
};

/* The command that is measured, the same for all runs. */
struct measured {
	const char *path;
	char **argv;
	bool show_output;
};

struct measure_run {
	struct sample sample;
	int status; /* as waitpid(2) has it */
	bool timed_out; /* it was killed for that */
	/* Whether most page faults were those of programs that it started. */
	bool others;
	char name[16]; /* the kernel's for it when it ended; "" if that is not known */
};

/* Once before the first run: signals, standard input.  0 or -errno with a message. */
int measure_begin(void);
/*
 * One run in this process's environment with the changes; limit in seconds, 0 is
 * none.  Not zero, with a message, where it could not be started.
 */
int measure_once(const struct measured *command, const struct cli_changes *changes,
		 double limit, struct measure_run *out);
/* The signal that asked us to stop, or 0.  A run it met is worthless. */
int measure_stopped_by(void);
/* Print what the last run left on standard error, its last lines. */
void measure_print_last_words(FILE *out);

/* cli_compare.c - what is compared */

struct candidate {
	const char *name; /* for people */
	const char *stack; /* null: started without us */
	struct cli_changes changes;
	struct sample *samples; /* one a round, in the order of the rounds */
	unsigned n; /* as many as it did well */
	char *failure; /* why it is out, null: it is not */
	double warm_up; /* seconds */
};

/* The default and the default once more stand before the heaps. */
enum { CANDIDATE_DEFAULT, CANDIDATE_CONTROL, CANDIDATE_HEAPS };

struct comparison {
	struct measured command;
	const char *label; /* what a rule calls the program */
	const char *config; /* the file that the user edits */
	struct candidate *candidates;
	size_t n;
	struct cli_heaps heaps; /* owns the names of those that were found */
	unsigned rounds; /* done, by all that are not out */
	unsigned planned;
	double confidence; /* of each interval, so that those of a column hold together */
	enum metric by; /* decides */
	bool others; /* the work is done by programs that the command starts */
	char name[16]; /* of the command when it ended */
};

/* cli_candidates.c - who takes part */

#define STACKS_MAX 32

struct compare_options {
	struct cli_request request; /* only -c is used */
	const char *stacks[STACKS_MAX];
	size_t n_stacks; /* 0: all heaps that are installed */
	unsigned rounds; /* 0: as many as fit */
	double seconds; /* 0: not given */
	enum metric by;
	bool show_output;
	bool json;
};

int candidates_find(struct comparison *c, const struct compare_options *options,
		    const struct cli_program *program);
void candidates_free(struct comparison *c);

/* cli_rounds.c - all runs */

/*
 * Fills the samples and the failures.  -ECHILD where the default failed in a round,
 * which is told; other errors have a message, unless a signal stopped the runs.
 */
int rounds_run(struct comparison *c, const struct compare_options *options);

/* cli_verdict.c - what the samples of all candidates say */

/* One metric of one candidate. */
struct summary {
	double low_quartile, median, high_quartile;
	bool compared; /* the next two are filled: it is not the default, which was never 0 */
	double ratio; /* to the default's run of the same round, the median of all */
	struct stats_interval interval; /* of the ratio */
};

enum verdict_kind {
	VERDICT_BETTER,
	VERDICT_NOTHING, /* nothing is better beyond the noise */
	VERDICT_NOISE, /* something is, but the default differed from itself by more */
	VERDICT_TOO_FEW, /* rounds */
	VERDICT_FAILED, /* every heap, or the default */
};

struct verdict {
	enum verdict_kind kind;
	const struct candidate *best; /* null unless better or noise */
	bool control_off; /* the control's interval leaves 1 out */
	unsigned needed; /* rounds */
};

void verdict_summarise(const struct comparison *c, const struct candidate *candidate,
		       enum metric metric, struct summary *out);
/* Whether there is still a heap to compare with the default. */
bool verdict_is_possible(const struct comparison *c);
void verdict_find(const struct comparison *c, struct verdict *out);
/* Whether it may be as good as the best: the noise cannot tell. */
bool verdict_ties(const struct comparison *c, const struct verdict *verdict,
		  const struct candidate *candidate);

/* cli_advice.c - in words, and the lines to paste */

void advice_print(const struct comparison *c, const struct verdict *verdict);
/* "[program NAME]", or "[allocator]" where no rule by name would do. */
const char *advice_section(const struct comparison *c);

/* cli_report.c - the table, and everything as JSON */

void report_text(const struct comparison *c, const struct verdict *verdict);
void report_json(const struct comparison *c, const struct verdict *verdict);
/* "wall time" */
const char *report_metric_name(enum metric metric);
/* The metric of an option's word, "wall", "cpu" or "rss"; METRICS if it is none. */
enum metric report_metric_find(const char *word);

#endif /* CHIC_LOADER_CLI_COMPARE_H */
