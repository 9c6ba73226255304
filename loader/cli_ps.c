// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc ps: the running processes under us, and what serves each.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PIDS_MAX 64

struct options {
	pid_t pids[PIDS_MAX]; /* none: all */
	unsigned n_pids;
	struct json *json; /* null: a table */
};

/* What was met on the way, told at the end. */
struct tally {
	unsigned hidden; /* could not be looked at */
};

/* ------------------------------------------------------------- rows --- */

static const char *const changed_words[] = {
	[CLI_CHANGED_NO] = "no",
	[CLI_CHANGED_YES] = "yes",
	[CLI_CHANGED_UNKNOWN] = "?",
};

/* What serves; a dash where nothing can be said or nothing was asked for. */
static const char *stack_of(const struct cli_process *process, char *out, size_t size)
{
	unsigned state = process->record.head.state;

	if (!process->recorded || state == STATUS_STARTING || state == STATUS_MANUAL ||
	    state == STATUS_STOOD_DOWN)
		return "-";
	if (state == STATUS_REFUSED)
		return "default";
	return cli_shown_stack(out, size, &process->record);
}

/* Where that comes from, or why it is so. */
static const char *origin_of(const struct cli_process *process, char *out, size_t size)
{
	const struct cli_record *record = &process->record;
	char text[2 * MESSAGE_MAX];

	if (!process->recorded)
		return cli_shown(out, size, process->why);
	switch (record->head.state) {
	case STATUS_STARTING:
		return "starting";
	case STATUS_MANUAL:
		return "linked, the program applies a configuration by itself";
	case STATUS_STOOD_DOWN:
		snprintf(text, sizeof(text), "stood down: %s", record->texts.why);
		return cli_shown(out, size, text);
	case STATUS_REFUSED:
		snprintf(text, sizeof(text), "refused: %s", record->texts.why);
		return cli_shown(out, size, text);
	default:
		return cli_shown_place(out, size, record);
	}
}

static void print_row(const struct cli_process *process, enum cli_changed changed)
{
	char program[4096], stack[sizeof(process->record.texts.stack)], origin[4096];

	printf("%7d %-24s %-24s %-8s %s%s\n", process->pid,
	       cli_shown(program, sizeof(program), process->program.path),
	       stack_of(process, stack, sizeof(stack)), changed_words[changed],
	       origin_of(process, origin, sizeof(origin)),
	       process->library.gone ? " (the library's file was replaced since)" : "");
}

static void print_object(struct json *json, const struct cli_process *process,
			 enum cli_changed changed, const char *unknown)
{
	json_open(json, NULL, '{');
	json_number(json, "pid", process->pid);
	json_string(json, "program", process->program.path);
	json_string(json, "executable", process->program.exe);
	json_string(json, "library", process->library.path);
	json_bool(json, "library_replaced", process->library.gone);
	cli_json_record(json, process);
	if (changed == CLI_CHANGED_UNKNOWN)
		json_string(json, "changed", NULL);
	else
		json_bool(json, "changed", changed == CLI_CHANGED_YES);
	json_string(json, "changed_unknown", unknown);
	json_close(json, '}');
}

static void print_head(const struct options *options)
{
	if (options->json)
		json_open(options->json, NULL, '[');
	else
		printf("%7s %-24s %-24s %-8s %s\n", "PID", "PROGRAM", "STACK", "CHANGED",
		       "FROM");
}

static void show(const struct options *options, const struct cli_process *process)
{
	const char *unknown;
	enum cli_changed changed = cli_world_changed(process, &unknown);

	if (options->json)
		print_object(options->json, process, changed, unknown);
	else
		print_row(process, changed);
}

/* ------------------------------------------------------------- list --- */

/* Answers what cli_process_read() answers. */
static int look_at(const struct options *options, pid_t pid, struct tally *tally)
{
	struct cli_process process;
	int found = cli_process_read(pid, false, &process);

	if (found > 0)
		show(options, &process);
	tally->hidden += found == -EACCES;
	if (found >= 0)
		cli_process_free(&process);
	return found;
}

/* Who asks is no answer. */
static int list_all(const struct options *options, struct tally *tally)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	pid_t pid;

	if (!proc)
		return cli_error("/proc: %s, expected the folder of processes",
				 strerror(errno));
	print_head(options);
	while ((entry = readdir(proc))) {
		pid = cli_pid(entry->d_name);
		if (pid && pid != getpid())
			look_at(options, pid, tally);
	}
	closedir(proc);
	return CLI_GOOD;
}

static int refuse(pid_t pid, int err)
{
	switch (err) {
	case 0:
		return cli_error("process %d is not under us, see chic-alloc explain %d", pid,
				 pid);
	case -EACCES:
		return cli_error("process %d: %s", pid, strerror(EACCES));
	default:
		return cli_error("process %d: not found, or a thread of the kernel", pid);
	}
}

static int list_named(const struct options *options, struct tally *tally)
{
	int status = CLI_GOOD, found;

	print_head(options);
	for (unsigned i = 0; i < options->n_pids; i++) {
		found = look_at(options, options->pids[i], tally);
		if (found <= 0)
			status = refuse(options->pids[i], found);
	}
	return status;
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "es";
}

static int list(const struct options *options)
{
	struct tally tally = {.hidden = 0};
	int status = options->n_pids ? list_named(options, &tally) : list_all(options, &tally);

	if (options->json && status != CLI_USAGE)
		json_close(options->json, ']');
	if (!options->n_pids && tally.hidden)
		cli_error("%u other process%s could not be looked at%s", tally.hidden,
			  plural(tally.hidden), geteuid() ? " (root can)" : "");
	return status;
}

/* ---------------------------------------------------------- options --- */

static int add_pid(struct options *options, const char *text)
{
	pid_t pid = cli_pid(text);

	if (!pid)
		return cli_usage(&cli_ps, "ps: -p: got '%s', expected the number of a process",
				 text);
	if (options->n_pids == PIDS_MAX)
		return cli_usage(&cli_ps, "ps: -p: expected at most %d processes", PIDS_MAX);
	options->pids[options->n_pids++] = pid;
	return CLI_GOOD;
}

static int run(int argc, char **argv)
{
	static const struct option long_options[] = {
		{"pid", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, CLI_OPT_JSON},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct json json = {.out = stdout};
	struct options options = {.json = NULL};
	int opt;

	while ((opt = getopt_long(argc, argv, "+:p:h", long_options, NULL)) != -1) {
		switch (opt) {
		case 'p':
			if (add_pid(&options, optarg))
				return CLI_USAGE;
			break;
		case CLI_OPT_JSON:
			options.json = &json;
			break;
		case 'h':
			return cli_help(&cli_ps);
		default:
			return cli_bad_option(&cli_ps, opt, argv);
		}
	}
	if (optind < argc)
		return cli_usage(&cli_ps, "ps: got '%s', expected no argument", argv[optind]);
	return list(&options);
}

const struct cli_command cli_ps = {
	.name = "ps",
	.run = run,
	.summary = "the running processes under us, and what serves each",
	.help = "usage: chic-alloc ps [-p PID]... [--json]\n"
		"Print every process that has the preload library or libchic_alloc in it: "
		"what\n"
		"serves it, whether the configuration has changed since it started, and where\n"
		"the stack was written; or why the program was left alone.\n\n"
		"  -p, --pid PID  only this process; may be given several times\n"
		"  --json         an array of objects\n"
		"  -h, --help     this text\n",
};
