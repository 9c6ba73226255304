// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc enable, chic-alloc disable: a service or the whole machine comes
 * under the preload library, or out from under it again.
 *
 * Nothing is started or stopped here: which files were changed is printed, and the
 * command that makes it count.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <stdlib.h>

struct options {
	const struct cli_command *command;
	const char *root;
	bool system, list;
	struct json *json;
};

static int run_job(const struct options *options, const char *target)
{
	struct job job = {.target = target, .enable = options->command == &cli_enable};
	int err = tree_open(&job.tree, options->root), status = CLI_GOOD;

	/* it speaks of this command, not of what is enabled */
	unsetenv("CHIC_ALLOC_DISABLE");
	job.edits.tree = &job.tree;
	if (!err && options->list) {
		status = enabled_list(&job.tree, options->json);
	} else if (!err) {
		tree_lock(&job.tree);
		err = job_do(&job, options->system);
	}
	edits_free(&job.edits);
	free(job.name);
	tree_close(&job.tree);
	return err ? cli_failed() : status;
}

static int check_usage(const struct options *options, int n)
{
	const char *name = options->command->name;

	if (options->list && (n || options->system))
		return cli_usage(options->command, "%s: --list takes no unit", name);
	if (options->json && !options->list)
		return cli_usage(options->command, "%s: --json goes with --list", name);
	if (!options->list && n + options->system != 1)
		return cli_usage(options->command,
				 "%s: got %d arguments, expected one unit or --system", name,
				 n + options->system);
	return CLI_GOOD;
}

enum { OPT_SYSTEM = 512, OPT_ROOT, OPT_LIST };

static int run_options(struct options *options, const struct option *known, int argc,
		       char **argv)
{
	static struct json json;
	int opt, status;

	while ((opt = getopt_long(argc, argv, ":h", known, NULL)) != -1) {
		switch (opt) {
		case OPT_SYSTEM:
			options->system = true;
			break;
		case OPT_ROOT:
			options->root = optarg;
			break;
		case OPT_LIST:
			options->list = true;
			break;
		case CLI_OPT_JSON:
			json.out = stdout;
			options->json = &json;
			break;
		case 'h':
			return cli_help(options->command);
		default:
			return cli_bad_option(options->command, opt, argv);
		}
	}
	status = check_usage(options, argc - optind);
	if (status)
		return status;
	return run_job(options, options->system ? "--system" : argv[optind]);
}

static int run_enable(int argc, char **argv)
{
	static const struct option known[] = {
		{"system", no_argument, NULL, OPT_SYSTEM},
		{"root", required_argument, NULL, OPT_ROOT},
		{"list", no_argument, NULL, OPT_LIST},
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.command = &cli_enable};

	return run_options(&options, known, argc, argv);
}

static int run_disable(int argc, char **argv)
{
	static const struct option known[] = {
		{"system", no_argument, NULL, OPT_SYSTEM},
		{"root", required_argument, NULL, OPT_ROOT},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct options options = {.command = &cli_disable};

	return run_options(&options, known, argc, argv);
}

const struct cli_command cli_enable = {
	.name = "enable",
	.run = run_enable,
	.waits = true,
	.summary = "switch a service or the whole machine on",
	.help = "usage: chic-alloc enable [--root DIR] UNIT|--system\n"
		"       chic-alloc enable --list [--root DIR] [--json]\n"
		"Make a systemd unit, a cluster of postgresql, mariadb or every program of "
		"the\n"
		"machine start under the preload library, and print what makes it count.\n"
		"Nothing is written if the configuration, a module or the library is not "
		"good.\n\n"
		"  --system    all programs, by /etc/ld.so.preload\n"
		"  --root DIR  the system that is installed below DIR\n"
		"  --list      print what is enabled\n"
		"  --json      with --list, an array of objects\n"
		"  -h, --help  this text\n",
};

const struct cli_command cli_disable = {
	.name = "disable",
	.run = run_disable,
	.waits = true,
	.summary = "undo what enable did, to the byte",
	.help = "usage: chic-alloc disable [--root DIR] UNIT|--system\n"
		"Take out again what enable wrote, and nothing else.\n\n"
		"  --system    all programs, by /etc/ld.so.preload\n"
		"  --root DIR  the system that is installed below DIR\n"
		"  -h, --help  this text\n",
};
