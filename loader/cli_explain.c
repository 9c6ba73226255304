// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc explain: will a stack reach a program, which rule applies and why; and
 * of a process, whether one serves it now.
 *
 * A process is looked at from where it is: what can be seen of it from here is read
 * first, then its root and rights are taken, then the configuration is read.
 */
#define _GNU_SOURCE
#include "cli_explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct options {
	struct cli_request request;
	const char *target;
	bool json;
};

/* ---------------------------------------------------- configuration --- */

/* In secure execution a module is a file of the module folder, or nothing. */
static int check_secure(const struct config *config, const char *list)
{
	struct location where;
	char entry[PATH_MAX];
	int more;

	while ((more = name_next(&list, entry, sizeof(entry))) > 0) {
		if (strcmp(entry, "default") == 0)
			continue;
		if (locate_module(config, entry, true, &where))
			return -EACCES;
		locate_free(&where);
	}
	return more;
}

static int check_config(struct cli_explanation *e)
{
	const struct config *config = &e->config;
	int err = cli_check_stack(config, true, &e->subject.static_tls);

	if (!err && e->subject.secure)
		err = check_secure(config, config->filters);
	if (!err && e->subject.secure)
		err = check_secure(config, config->stack);
	return err;
}

static void read_config(struct cli_explanation *e, const struct config_request *request)
{
	int err = config_read(request, &e->config);

	e->readable = !err;
	if (!err)
		err = check_config(e);
	if (err) {
		snprintf(e->refused, sizeof(e->refused), "%s", message_get());
		e->subject.refused = e->refused;
	}
	if (e->readable)
		e->subject.platform = stack_is_platform(&e->config);
}

/* ---------------------------------------------------------- subject --- */

/* What env starts is what the rules see, not the script. */
static int follow_env(struct cli_explanation *e)
{
	struct cli_program started;
	int status;

	if (!e->program.command)
		return CLI_GOOD;
	status = cli_program_find(e->program.command, &started);
	if (status)
		return status;
	e->script = e->program.path;
	e->program.path = NULL;
	cli_program_free(&e->program);
	e->program = started;
	return CLI_GOOD;
}

static int look_at_program(struct cli_explanation *e, const struct options *options)
{
	struct config_request request;

	if (cli_program_find(options->target, &e->program) || follow_env(e))
		return cli_failed();
	cli_subject_open(&e->subject, &e->program, NULL);
	e->subject.script = e->script || e->program.script;
	cli_subject_look(&e->subject);
	cli_request_fill(&options->request, &request);
	if (e->subject.secure)
		request = (struct config_request){.secure = true};
	e->matched = (struct program){.execfn = e->program.path, .exe = e->program.exe};
	request.program = e->matched;
	read_config(e, &request);
	return CLI_GOOD;
}

static int refuse(pid_t pid, int err)
{
	if (err == -EACCES)
		return cli_error("process %d: %s%s", pid, strerror(EACCES),
				 geteuid() ? ", expected one of your own, or root" : "");
	if (err == -ENOMEM)
		return cli_error("process %d: out of memory", pid);
	return cli_error("process %d: not found, or a thread of the kernel", pid);
}

/* The process's record against what its own environment gives now. */
static void compare(struct cli_explanation *e)
{
	struct config_request request;
	struct cli_record now;
	const char *unknown;

	cli_process_request(&e->process, &request);
	cli_world_now(&request, e->subject.off, &now);
	e->subject.changed = cli_world_compare(&e->process, &now, &unknown);
}

static int look_at_process(struct cli_explanation *e, const struct options *options, pid_t pid)
{
	struct config_request request;
	int found = cli_process_read(pid, true, &e->process);

	if (found < 0)
		return refuse(pid, found);
	e->is_process = true;
	cli_subject_open(&e->subject, &e->process.program, &e->process);
	if (cli_world_enter(&e->process))
		e->elsewhere = strdup(message_get());
	cli_subject_look(&e->subject);
	if (e->process.library.path)
		compare(e);
	cli_process_request(&e->process, &request);
	if (!e->process.secure)
		cli_request_override(&options->request, &request);
	e->matched = request.program;
	read_config(e, &request);
	return CLI_GOOD;
}

/* ---------------------------------------------------------- command --- */

static void forget(struct cli_explanation *e)
{
	if (e->readable)
		config_free(&e->config);
	cli_subject_close(&e->subject);
	if (e->is_process)
		cli_process_free(&e->process);
	cli_program_free(&e->program);
	free(e->script);
	free(e->elsewhere);
}

static int explain(const struct options *options)
{
	static struct cli_explanation e = {.subject.binary.fd = -1};
	pid_t pid = cli_pid(options->target);
	struct cli_finding finding;
	size_t next = 0;
	int status;

	status = pid ? look_at_process(&e, options, pid) : look_at_program(&e, options);
	if (!status) {
		e.works = !cli_reason_next(&e.subject, CLI_BYPASSES, &next, &finding);
		if (options->json)
			cli_explain_json(&e);
		else
			cli_explain_text(&e);
		status = e.works ? CLI_GOOD : CLI_NO;
	}
	forget(&e);
	return status;
}

static int parse(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		CLI_REQUEST_LONG,
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, ":" CLI_REQUEST_OPTIONS "h", options, NULL)) !=
	       -1) {
		switch (opt) {
		case 'c':
		case 'm':
		case 'o':
			if (cli_request_option(&out->request, opt, optarg))
				return cli_usage(&cli_explain, "explain: %s", message_get());
			break;
		case CLI_OPT_JSON:
			out->json = true;
			break;
		case 'h':
			cli_help(&cli_explain);
			return -1;
		default:
			return cli_bad_option(&cli_explain, opt, argv);
		}
	}
	if (optind + 1 != argc)
		return cli_usage(&cli_explain,
				 "explain: got %d arguments, expected one PROGRAM or PID",
				 argc - optind);
	out->target = argv[optind];
	return CLI_GOOD;
}

static int run(int argc, char **argv)
{
	struct options options = {.target = NULL};
	int status = parse(argc, argv, &options);

	if (status == CLI_GOOD)
		status = explain(&options);
	cli_request_free(&options.request);
	return status < 0 ? CLI_GOOD : status;
}

const struct cli_command cli_explain = {
	.name = "explain",
	.run = run,
	.summary = "whether a stack will reach a program, which and why, or what to do",
	.help = "usage: chic-alloc explain [-c FILE] [-m STACK] [-o SECTION.KEY=VALUE]...\n"
		"                          [--json] PROGRAM|PID\n"
		"Print which rules match, which one applies and what the program would get;\n"
		"whether that will reach it; and if not, why and what can be done.  Of a\n"
		"process, given by its number, also what serves it now.  ./123 is a file.\n\n"
		"  -c, --config FILE   this file instead of the system's\n"
		"  -m, --module STACK  this stack instead of the configured one\n"
		"  -o, --option SECTION.KEY=VALUE\n"
		"                      one setting; SECTION is allocator or a module's name\n"
		"  --json              one object\n"
		"  -h, --help          this text\n\n"
		"Exit status: 0 if it will work, 1 if it will not, 2 usage.\n",
};
