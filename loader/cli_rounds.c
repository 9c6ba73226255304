// SPDX-License-Identifier: BSD-2-Clause
/*
 * The runs of a comparison: one of each that is not counted, then the rounds.
 *
 * The command runs under each heap once a round, in a random order that is new in
 * every round, so that neither what slows the machine for a while nor an effect of
 * one run on the next can pass for a property of a heap.  How many rounds there are
 * is fixed before the first: who stops when the figures please finds differences
 * that are none.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_DEFAULT_MAX 40
#define SECONDS_DEFAULT 30
/* A run that takes so many times as long as the default's, and so many seconds, hangs. */
#define HANGS_TIMES 20
#define HANGS_SECONDS 10

static int out_of_memory(void)
{
	return message_set(-ENOMEM, "compare: out of memory");
}

/* ---------------------------------------------------------- one run --- */

static bool is_default(const struct comparison *c, const struct candidate *candidate)
{
	return candidate < &c->candidates[CANDIDATE_HEAPS];
}

static char *describe_failure(const struct measure_run *run, double limit)
{
	char *text;
	int n;

	if (run->timed_out)
		n = asprintf(&text, "took more than %.0f seconds and was killed", limit);
	else if (WIFSIGNALED(run->status))
		n = asprintf(&text, "killed by signal %d (%s)", WTERMSIG(run->status),
			     strsignal(WTERMSIG(run->status)));
	else
		n = asprintf(&text, "exit status %d", WEXITSTATUS(run->status));
	return n < 0 ? NULL : text;
}

/* Only what succeeds does the same work as the others. */
static int take_failure(struct candidate *candidate, const struct measure_run *run,
			double limit, const char *when)
{
	char *text = describe_failure(run, limit);

	if (!text || asprintf(&candidate->failure, "failed in %s: %s", when, text) < 0) {
		free(text);
		candidate->failure = NULL;
		return out_of_memory();
	}
	cli_error("compare: %s: %s", candidate->name, candidate->failure);
	measure_print_last_words(stderr);
	free(text);
	return 0;
}

static double limit_for(const struct comparison *c)
{
	double usual = c->candidates[CANDIDATE_DEFAULT].warm_up;

	if (usual <= 0)
		return 0;
	return usual * HANGS_TIMES > HANGS_SECONDS ? usual * HANGS_TIMES : HANGS_SECONDS;
}

/* 1: it did well; 0: it failed, which is told; else -errno with a message. */
static int run_once(struct comparison *c, struct candidate *candidate, const char *when,
		    struct measure_run *run)
{
	double limit = limit_for(c);
	int err = measure_once(&c->command, &candidate->changes, limit, run);

	if (err || measure_stopped_by())
		return err ? err : -EINTR;
	if (run->status == 0)
		return 1;
	err = take_failure(candidate, run, limit, when);
	return err;
}

/* The control is the default: only what comes after it is new. */
static int warm_up(struct comparison *c)
{
	struct measure_run run;

	for (size_t i = 0; i < c->n; i++) {
		struct candidate *candidate = &c->candidates[i];
		int good;

		if (i == CANDIDATE_CONTROL)
			continue;
		good = run_once(c, candidate, "warm-up", &run);
		if (good < 0)
			return good;
		candidate->warm_up = (double)run.sample.of[METRIC_WALL] / 1e9;
		if (i != CANDIDATE_DEFAULT)
			continue;
		if (!good)
			return 0;
		c->others = run.others;
		memcpy(c->name, run.name, sizeof(c->name));
	}
	return 0;
}

static void show_progress(const struct comparison *c)
{
	if (!c->command.show_output && isatty(STDERR_FILENO))
		fprintf(stderr, "\rround %u of %u\033[K", c->rounds + 1, c->planned);
}

static void hide_progress(const struct comparison *c)
{
	if (!c->command.show_output && isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void shuffle(size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t k = (size_t)random() % i, last = order[i - 1];

		order[i - 1] = order[k];
		order[k] = last;
	}
}

/* 0 and the samples of all that are still in; else nothing of this round counts. */
static int run_round(struct comparison *c, size_t *order)
{
	char when[32];
	int good;

	snprintf(when, sizeof(when), "round %u", c->rounds + 1);
	shuffle(order, c->n);
	for (size_t i = 0; i < c->n; i++) {
		struct candidate *candidate = &c->candidates[order[i]];
		struct measure_run run;

		if (candidate->failure)
			continue;
		good = run_once(c, candidate, when, &run);
		if (good < 0)
			return good;
		if (!good && is_default(c, candidate))
			return -ECHILD;
		candidate->samples[c->rounds] = run.sample;
	}
	for (size_t i = 0; i < c->n; i++)
		if (!c->candidates[i].failure)
			c->candidates[i].n = c->rounds + 1;
	return 0;
}

static int run_rounds(struct comparison *c)
{
	size_t *order = calloc(c->n, sizeof(*order));
	int err = order ? 0 : out_of_memory();

	while (!err && c->rounds < c->planned && verdict_is_possible(c)) {
		show_progress(c);
		err = run_round(c, order);
		hide_progress(c);
		if (!err)
			c->rounds++;
	}
	free(order);
	return err;
}

/* ------------------------------------------------------------- plan --- */

/* As many as fit into the time, but no fewer than an answer needs. */
static unsigned plan_rounds(const struct comparison *c, const struct compare_options *o)
{
	double left = o->seconds > 0 ? o->seconds : SECONDS_DEFAULT;
	double round = c->candidates[CANDIDATE_DEFAULT].warm_up;
	unsigned most = o->seconds > 0 ? ROUNDS_MAX : ROUNDS_DEFAULT_MAX;
	unsigned least = (unsigned)stats_needed(c->confidence);

	if (o->rounds)
		return o->rounds;
	for (size_t i = 0; i < c->n; i++) {
		left -= c->candidates[i].warm_up;
		round += c->candidates[i].failure ? 0 : c->candidates[i].warm_up;
	}
	if (left < round * least)
		return least;
	return left < round * most ? (unsigned)(left / round) : most;
}

static int prepare_rounds(struct comparison *c, const struct compare_options *o)
{
	size_t compared = 0;
	unsigned seed;

	for (size_t i = CANDIDATE_CONTROL; i < c->n; i++)
		compared += !c->candidates[i].failure;
	c->confidence = stats_each_of(CONFIDENCE, compared);
	c->planned = plan_rounds(c, o);
	for (size_t i = 0; i < c->n; i++) {
		c->candidates[i].samples = calloc(c->planned, sizeof(struct sample));
		if (!c->candidates[i].samples)
			return out_of_memory();
	}
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (unsigned)getpid();
	srandom(seed);
	return 0;
}

int rounds_run(struct comparison *c, const struct compare_options *o)
{
	int err = warm_up(c);

	if (!err)
		err = prepare_rounds(c, o);
	return err ? err : run_rounds(c);
}
