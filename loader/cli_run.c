// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc run: start one program under a stack.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* It starts, but the user should know that it does so without us. */
static void warn_of_escape(const char *name, const struct cli_program *program)
{
	const char *why = cli_program_escapes(program);

	if (why)
		cli_error("%s: runs on the platform heap: %s", name, why);
}

static int exec_failed(const char *name)
{
	int err = errno;

	cli_error("%s: %s", name, strerror(err));
	return err == ENOENT ? CLI_NOT_FOUND : CLI_NOT_EXECUTABLE;
}

static int start(const struct cli_request *request, char **argv)
{
	struct cli_changes changes;
	struct cli_program program;
	int status = cli_program_find(argv[0], &program);

	if (status) {
		cli_failed();
		return status;
	}
	if (cli_changes_for(request, &program, environ, &changes) ||
	    cli_changes_apply(&changes)) {
		status = cli_failed();
	} else {
		warn_of_escape(argv[0], &program);
		/* by its path, so that AT_EXECFN is what the rules were matched with */
		execvp(program.path, argv);
		status = exec_failed(argv[0]);
	}
	cli_changes_free(&changes);
	cli_program_free(&program);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		CLI_REQUEST_LONG,
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct cli_request request = {.named = NULL};
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+:" CLI_REQUEST_OPTIONS "h", options, NULL)) !=
	       -1) {
		if (opt == 'h')
			status = cli_help(&cli_run);
		else if (opt == '?' || opt == ':')
			status = cli_bad_option(&cli_run, opt, argv);
		else if (cli_request_option(&request, opt, optarg))
			status = cli_usage(&cli_run, "run: %s", message_get());
		else
			continue;
		goto out_request;
	}
	if (optind == argc)
		status = cli_usage(&cli_run, "run: no program given");
	else
		status = start(&request, argv + optind);
out_request:
	cli_request_free(&request);
	return status;
}

const struct cli_command cli_run = {
	.name = "run",
	.run = run,
	.summary = "start one program under a stack",
	.help = "usage: chic-alloc run [-c FILE] [-m STACK] [-o SECTION.KEY=VALUE]...\n"
		"                      [--] PROGRAM [ARGUMENT]...\n"
		"Check the configuration and the modules of the stack, then start PROGRAM\n"
		"with them.\n\n"
		"  -c, --config FILE   this file instead of the system's\n"
		"  -m, --module STACK  modules, outermost first, as in 'counting, guard'\n"
		"  -o, --option SECTION.KEY=VALUE\n"
		"                      one setting; SECTION is allocator or a module's name\n"
		"  -h, --help          this text\n\n"
		"Exit status: the program's; 1 if something was refused, 2 usage, 126 if\n"
		"PROGRAM cannot be executed, 127 if it was not found.\n",
};
