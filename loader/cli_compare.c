// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc compare: which of the installed heaps is best for a command.
 */
#define _GNU_SOURCE
#include "cli_compare.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SECONDS_MAX (7 * 24 * 3600)

enum { OPT_BY = 512, OPT_SHOW_OUTPUT };

static void report(const struct comparison *c, bool json)
{
	struct verdict verdict;

	verdict_find(c, &verdict);
	if (json)
		report_json(c, &verdict);
	else
		report_text(c, &verdict);
}

/* Whoever started us sees the signal as if we had not caught it. */
static int end_by_signal(int sig)
{
	cli_error("compare: stopped by signal %d (%s)", sig, strsignal(sig));
	fflush(stdout);
	signal(sig, SIG_DFL);
	raise(sig);
	return CLI_NO;
}

static int compare(struct comparison *c, const struct compare_options *o)
{
	int err = measure_begin();

	if (!err)
		err = rounds_run(c, o);
	if (err && err != -ECHILD && !measure_stopped_by())
		return cli_failed();
	if (c->candidates[CANDIDATE_DEFAULT].failure && !c->rounds)
		return CLI_NO;
	if (!measure_stopped_by() || c->rounds)
		report(c, o->json);
	if (measure_stopped_by())
		return end_by_signal(measure_stopped_by());
	return err ? CLI_NO : CLI_GOOD;
}

static const char *label_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *config_file(const struct compare_options *o)
{
	struct config_request request;

	cli_request_fill(&o->request, &request);
	return request.named ? request.named : CHIC_ALLOC_SYSCONFDIR "/chic-alloc.conf";
}

static int compare_program(const struct compare_options *o, const struct cli_program *program,
			   char **argv)
{
	struct comparison c = {
		.command = {program->path, argv, o->show_output},
		.label = label_of(program->path),
		.config = config_file(o),
		.by = o->by,
	};
	const char *why = cli_program_escapes(program);
	int status;

	if (why)
		return cli_error(
			"compare: %s runs on the platform heap whatever is configured: "
			"%s",
			argv[0], why);
	if (candidates_find(&c, o, program))
		status = cli_failed();
	else
		status = compare(&c, o);
	candidates_free(&c);
	return status;
}

static int start(const struct compare_options *o, char **argv)
{
	struct cli_program program;
	int status;

	if (cli_program_find(argv[0], &program))
		return cli_failed();
	status = compare_program(o, &program, argv);
	cli_program_free(&program);
	return status;
}

/* ---------------------------------------------------------- options --- */

static int take_stack(struct compare_options *o, const char *stack)
{
	if (o->n_stacks == STACKS_MAX)
		return message_set(-E2BIG, "-m: got more than %d stacks", STACKS_MAX);
	o->stacks[o->n_stacks++] = stack;
	return 0;
}

static int take_rounds(struct compare_options *o, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || text[0] < '0' || text[0] > '9' || value < 1 || value > ROUNDS_MAX)
		return message_set(-EINVAL, "-r: got '%.40s', expected a number of 1-%d", text,
				   ROUNDS_MAX);
	o->rounds = (unsigned)value;
	return 0;
}

static int take_seconds(struct compare_options *o, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value > 0 && value <= SECONDS_MAX))
		return message_set(-EINVAL, "-t: got '%.40s', expected seconds, at most %d",
				   text, SECONDS_MAX);
	o->seconds = value;
	return 0;
}

static int take_metric(struct compare_options *o, const char *word)
{
	o->by = report_metric_find(word);
	if (o->by == METRICS)
		return message_set(-EINVAL, "--by: got '%.40s', expected wall, cpu or rss",
				   word);
	return 0;
}

static int take_option(struct compare_options *o, int opt)
{
	switch (opt) {
	case 'm':
		return take_stack(o, optarg);
	case 'r':
		return take_rounds(o, optarg);
	case 't':
		return take_seconds(o, optarg);
	case OPT_BY:
		return take_metric(o, optarg);
	case OPT_SHOW_OUTPUT:
		o->show_output = true;
		return 0;
	case CLI_OPT_JSON:
		o->json = true;
		return 0;
	default:
		return cli_request_option(&o->request, opt, optarg);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"module", required_argument, NULL, 'm'},
		{"rounds", required_argument, NULL, 'r'},
		{"time", required_argument, NULL, 't'},
		{"by", required_argument, NULL, OPT_BY},
		{"show-output", no_argument, NULL, OPT_SHOW_OUTPUT},
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct compare_options o = {.by = METRIC_WALL};
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+:c:m:r:t:h", options, NULL)) != -1) {
		if (opt == 'h')
			status = cli_help(&cli_compare);
		else if (opt == '?' || opt == ':')
			status = cli_bad_option(&cli_compare, opt, argv);
		else if (take_option(&o, opt))
			status = cli_usage(&cli_compare, "compare: %s", message_get());
		else
			continue;
		goto out_request;
	}
	if (optind == argc)
		status = cli_usage(&cli_compare, "compare: no command given");
	else
		status = start(&o, argv + optind);
out_request:
	cli_request_free(&o.request);
	return status;
}

const struct cli_command cli_compare = {
	.name = "compare",
	.run = run,
	.waits = true,
	.summary = "which heap is best for a command",
	.help = "usage: chic-alloc compare [-c FILE] [-m STACK]... [-r ROUNDS | -t SECONDS]\n"
		"                          [--by METRIC] [--show-output] [--json]\n"
		"                          [--] COMMAND [ARGUMENT]...\n"
		"Run COMMAND several times under the default heap and under every installed\n"
		"one, in random order, and print time, memory and page faults; then what to\n"
		"configure if a heap is better beyond the noise.\n\n"
		"  -c, --config FILE   this file instead of the system's\n"
		"  -m, --module STACK  compare this stack, may be repeated; not all heaps\n"
		"  -r, --rounds N      so many runs under each\n"
		"  -t, --time SECONDS  as many rounds as fit into this time (30)\n"
		"      --by METRIC     what decides: wall (the default), cpu or rss\n"
		"      --show-output   let COMMAND write, to standard error\n"
		"      --json          one object, with every sample\n"
		"  -h, --help          this text\n\n"
		"Exit status: 0 if there is a comparison, 1 if COMMAND cannot be run or fails\n"
		"under the default, 2 usage.\n",
};
