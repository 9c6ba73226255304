// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs one command in several environments, interleaved, and times it, exec to exit.
 *
 *	interleave [-c | -m | -v UNIT] ROUNDS NAME=ENV... -- PROGRAM ARGS...
 *
 * Each candidate is a name, '=', and what is added to the environment, as
 * VAR=VALUE separated by '|' ("none=" adds nothing).  Every round runs all
 * candidates in a random order; the first is the reference.  Prints per
 * candidate the median, and of the pairs with the reference's run of the same
 * round the median difference and the median ratio, with their 95% intervals.
 * What the program prints is thrown away.
 *
 * With -c it is the processor's time, for programs that wait at their end; with -m the
 * most KiB of memory that were resident.
 * With -v what the program prints is taken instead of its time: lines "SUBJECT VALUE",
 * or VALUE alone.  There is a table for each subject then, and geometric means where
 * there are several.
 *
 * BENCH_SUBJECT names the subject, or is put in front of what the program calls it.
 */
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CANDIDATES_MAX 16
#define SUBJECTS_MAX 64
#define ENV_MAX 256
#define DRAWS 400

struct candidate {
	const char *name;
	char *env[ENV_MAX + 1];
};

/* What is measured: values[candidate * rounds + round]. */
struct subject {
	char name[100];
	double *values;
};

static struct candidate candidates[CANDIDATES_MAX];
static struct subject subjects[SUBJECTS_MAX];
static unsigned n_candidates, n_subjects, rounds;
static const char *unit = "us";
static enum { EXEC_TO_EXIT, CPU_TIME, MEMORY, PRINTED } measured;

extern char **environ;

static void fail(const char *what)
{
	fprintf(stderr, "interleave: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static double *value_of(unsigned subject, unsigned candidate, unsigned round)
{
	return &subjects[subject].values[candidate * rounds + round];
}

/* The subject of that name, which is added the first time. */
static unsigned subject_of(const char *name)
{
	unsigned i = 0;

	while (i < n_subjects && strcmp(subjects[i].name, name) != 0)
		i++;
	if (i < n_subjects)
		return i;
	if (i == SUBJECTS_MAX) {
		fprintf(stderr, "interleave: more than %d subjects\n", SUBJECTS_MAX);
		exit(EXIT_FAILURE);
	}
	snprintf(subjects[i].name, sizeof(subjects[i].name), "%s", name);
	subjects[i].values = calloc((size_t)n_candidates * rounds, sizeof(double));
	if (!subjects[i].values)
		fail("memory");
	return n_subjects++;
}

/* ------------------------------------------------------------ one run ---- */

static pid_t start(char **argv, char **env, int out)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	if (out < 0)
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, out, 1);
	errno = posix_spawnp(&pid, argv[0], &actions, NULL, argv, env);
	if (errno)
		fail(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static struct rusage await(pid_t pid, const char *program)
{
	struct rusage usage;
	int status;

	if (wait4(pid, &status, 0, &usage) < 0)
		fail("wait4");
	if (status != 0) {
		fprintf(stderr, "interleave: %s ended with status %#x\n", program, status);
		exit(EXIT_FAILURE);
	}
	return usage;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "SUBJECT VALUE" or "VALUE". */
static void take_line(char *line, unsigned candidate, unsigned round, const char *program)
{
	const char *prefix = bench_environment("BENCH_SUBJECT", ""), *own;
	char name[100], *last, *end;
	double value;

	line[strcspn(line, "\n")] = '\0';
	last = strrchr(line, ' ');
	value = strtod(last ? last + 1 : line, &end);
	if (*end || end == line) {
		fprintf(stderr, "interleave: %s: got '%s', expected a value\n", program, line);
		exit(EXIT_FAILURE);
	}
	if (last)
		*last = '\0';
	own = last ? line : *prefix ? "" : base_name(program);
	snprintf(name, sizeof(name), "%.40s%s%.55s", prefix, *prefix && *own ? ", " : "", own);
	*value_of(subject_of(name), candidate, round) = value;
}

static void run_for_values(unsigned candidate, unsigned round, char **argv)
{
	char line[200];
	int fds[2];
	FILE *out;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		fail("pipe");
	pid = start(argv, candidates[candidate].env, fds[1]);
	close(fds[1]);
	out = fdopen(fds[0], "r");
	if (!out)
		fail("fdopen");
	while (fgets(line, sizeof(line), out))
		take_line(line, candidate, round, argv[0]);
	fclose(out);
	await(pid, argv[0]);
}

static double microseconds(struct timeval t)
{
	return t.tv_sec * 1e6 + t.tv_usec;
}

static void run_once(unsigned candidate, unsigned round, char **argv)
{
	double began = bench_now(), value;
	struct rusage usage;

	if (measured == PRINTED) {
		run_for_values(candidate, round, argv);
		return;
	}
	usage = await(start(argv, candidates[candidate].env, -1), argv[0]);
	value = (bench_now() - began) / 1e3;
	if (measured == CPU_TIME)
		value = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
	else if (measured == MEMORY)
		value = usage.ru_maxrss;
	*value_of(0, candidate, round) = value;
}

static void shuffle(unsigned *order, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		unsigned k = rand() % i, keep = order[i - 1];

		order[i - 1] = order[k];
		order[k] = keep;
	}
}

static void run_round(unsigned round, char **argv)
{
	unsigned order[CANDIDATES_MAX];

	for (unsigned i = 0; i < n_candidates; i++)
		order[i] = i;
	shuffle(order, n_candidates);
	for (unsigned i = 0; i < n_candidates; i++)
		run_once(order[i], round, argv);
}

/* ------------------------------------------------------------ reports ---- */

static double *column(void)
{
	double *values = calloc(rounds, sizeof(*values));

	if (!values)
		fail("memory");
	return values;
}

static void report(unsigned subject, unsigned candidate)
{
	double *difference = column(), *ratio = column(), *all = column();
	const char *name = candidates[candidate].name, *what = subjects[subject].name;
	struct bench_spread d, r, v;

	for (unsigned i = 0; i < rounds; i++) {
		double first = *value_of(subject, 0, i);

		all[i] = *value_of(subject, candidate, i);
		difference[i] = all[i] - first;
		ratio[i] = all[i] / first;
	}
	v = bench_spread_of(all, rounds);
	d = bench_spread_of(difference, rounds);
	r = bench_spread_of(ratio, rounds);
	printf("%-20s %11.*f %+9.1f [%+.1f, %+.1f]  %.4f [%.4f, %.4f]\n", name,
	       measured == PRINTED ? 3 : 1, v.median, d.median, d.low, d.high, r.median, r.low,
	       r.high);
	bench_emit("programs", what, name, "", unit, v);
	if (candidate)
		bench_emit("programs", what, name, candidates[0].name, "ratio", r);
	free(difference);
	free(ratio);
	free(all);
}

/* The n-th root by Newton's way from above, where it goes down until it is there. */
static double root(double product, unsigned n, double above)
{
	double x = above, next = above;

	do {
		double power = 1;

		x = next;
		for (unsigned i = 1; i < n; i++)
			power *= x;
		next = x - (x - product / power) / n;
	} while (next < x * (1 - 1e-12));
	return next;
}

/* The first word of what the program called it. */
static const char *word_of(unsigned subject, int *length)
{
	size_t prefix = strlen(bench_environment("BENCH_SUBJECT", ""));
	const char *name = subjects[subject].name;

	if (prefix && strlen(name) > prefix + 2)
		name += prefix + 2;
	*length = strcspn(name, " ");
	return name;
}

/* Whether the subject is one of those that begin like the first; all do where that is none. */
static bool is_like(unsigned subject, int first)
{
	int length, own_length;
	const char *word, *own;

	if (first < 0)
		return true;
	word = word_of(first, &length);
	own = word_of(subject, &own_length);
	return length == own_length && strncmp(word, own, length) == 0;
}

static unsigned count_like(int first)
{
	unsigned n = 0;

	for (unsigned s = 0; s < n_subjects; s++)
		n += is_like(s, first);
	return n;
}

/* Of median ratios, whose rounds are drawn where that is asked for. */
static double mean_ratio(unsigned candidate, int like, bool drawn)
{
	double product = 1, sum = 0, *ratio = column();
	unsigned n = count_like(like);

	for (unsigned s = 0; s < n_subjects; s++) {
		if (!is_like(s, like))
			continue;
		for (unsigned i = 0; i < rounds; i++) {
			unsigned at = drawn ? rand() % rounds : i;

			ratio[i] = *value_of(s, candidate, at) / *value_of(s, 0, at);
		}
		product *= bench_quantile(ratio, rounds, 0.5);
		sum += bench_quantile(ratio, rounds, 0.5);
	}
	free(ratio);
	return root(product, n, sum / n);
}

static void report_mean(unsigned candidate, int like, const char *what)
{
	struct bench_spread s = {.median = mean_ratio(candidate, like, false)};
	const char *name = candidates[candidate].name;
	double draws[DRAWS];

	for (unsigned i = 0; i < DRAWS; i++)
		draws[i] = mean_ratio(candidate, like, true);
	s.low = bench_quantile(draws, DRAWS, 0.025);
	s.high = bench_quantile(draws, DRAWS, 0.975);
	printf("%-20s %.4f [%.4f, %.4f]\n", name, s.median, s.low, s.high);
	if (candidate)
		bench_emit("programs", what, name, candidates[0].name, "ratio", s);
}

static void report_means(int like)
{
	const char *prefix = bench_environment("BENCH_SUBJECT", ""), *word = "";
	int length = 0;
	char what[100];

	if (like >= 0)
		word = word_of(like, &length);
	snprintf(what, sizeof(what), "%.40s%sgeometric mean%s%.*s", prefix, *prefix ? ", " : "",
		 length ? " of " : "", length, word);
	printf("-- %s\n", what);
	for (unsigned i = 0; i < n_candidates; i++)
		report_mean(i, like, what);
}

/* Whether it is the first of several like it, but not of all. */
static bool leads(unsigned subject)
{
	unsigned n = count_like(subject);

	for (unsigned s = 0; s < subject; s++)
		if (is_like(s, subject))
			return false;
	return n > 1 && n < n_subjects;
}

static void report_all(void)
{
	for (unsigned s = 0; s < n_subjects; s++) {
		if (measured == PRINTED)
			printf("-- %s\n", subjects[s].name);
		printf("%-20s %8s %s %9s %s\n", "", "median", unit, "over",
		       "ratio to the first, 95% intervals");
		for (unsigned i = 0; i < n_candidates; i++)
			report(s, i);
	}
	for (unsigned s = 0; s < n_subjects; s++)
		if (leads(s))
			report_means(s);
	if (n_subjects > 2)
		report_means(-1);
}

/* Every value, for those who reckon on: candidate, round, value, subject. */
static void write_raw(const char *path)
{
	FILE *file = fopen(path, "a");

	if (!file)
		fail(path);
	for (unsigned s = 0; s < n_subjects; s++)
		for (unsigned i = 0; i < n_candidates; i++)
			for (unsigned round = 0; round < rounds; round++)
				fprintf(file, "%s %u %.6g %s\n", candidates[i].name, round,
					*value_of(s, i, round), subjects[s].name);
	if (fclose(file))
		fail(path);
}

/* ---------------------------------------------------------- arguments ---- */

static void parse(struct candidate *c, char *text)
{
	char *equals = strchr(text, '=');
	unsigned n = 0;
	char *save;

	if (!equals) {
		fprintf(stderr, "interleave: %s: expected NAME=ENV\n", text);
		exit(2);
	}
	*equals = '\0';
	c->name = text;
	for (char **e = environ; *e && n < ENV_MAX / 2; e++)
		if (strncmp(*e, "CHIC_ALLOC_", 11) != 0 && strncmp(*e, "LD_", 3) != 0)
			c->env[n++] = *e;
	for (char *v = strtok_r(equals + 1, "|", &save); v; v = strtok_r(NULL, "|", &save))
		c->env[n++] = v;
	c->env[n] = NULL;
}

/* Up to "--", where the command begins. */
static char **parse_candidates(char **args)
{
	for (; *args && strcmp(*args, "--") != 0; args++) {
		if (n_candidates == CANDIDATES_MAX) {
			fprintf(stderr, "interleave: more than %d candidates\n",
				CANDIDATES_MAX);
			exit(2);
		}
		parse(&candidates[n_candidates++], *args);
	}
	return args;
}

/* What stands in front of ROUNDS. */
static char **parse_measured(char **args)
{
	if (*args && strcmp(*args, "-c") == 0) {
		measured = CPU_TIME;
		return args + 1;
	}
	if (*args && strcmp(*args, "-m") == 0) {
		measured = MEMORY;
		unit = "KiB";
		return args + 1;
	}
	if (*args && args[1] && strcmp(*args, "-v") == 0) {
		measured = PRINTED;
		unit = args[1];
		return args + 2;
	}
	return args;
}

static char **parse_arguments(char **args)
{
	char **command;

	args = parse_measured(args + 1);
	rounds = *args ? strtoul(*args, NULL, 10) : 0;
	command = rounds ? parse_candidates(args + 1) : args;
	if (n_candidates && command[0] && command[1])
		return command + 1;
	fprintf(stderr, "usage: interleave [-c | -m | -v UNIT] ROUNDS NAME=ENV... -- "
			"PROGRAM ARGS...\n");
	exit(2);
}

int main(int argc, char **argv)
{
	char **command = parse_arguments(argv);

	(void)argc;
	srand(time(NULL));
	bench_pin();
	if (measured != PRINTED)
		subject_of(bench_environment("BENCH_SUBJECT", base_name(command[0])));
	run_round(0, command); /* warm-up */
	for (unsigned round = 0; round < rounds; round++)
		run_round(round, command);
	report_all();
	if (getenv("INTERLEAVE_RAW"))
		write_raw(getenv("INTERLEAVE_RAW"));
	return 0;
}
