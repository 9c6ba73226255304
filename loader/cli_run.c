// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc run: start one program under a stack.
 *
 * Everything that can be known beforehand is checked first, so that a mistake
 * is a message and not a program that silently runs on the platform heap.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The linker keeps a surplus of static TLS for libraries that are opened later,
 * 512 bytes of it by default for what asks with the initial-exec model.  A
 * library that needs more cannot be opened unless this tunable says so.
 */
#define TLS_TUNABLE "glibc.rtld.optional_static_tls"
#define TLS_SURPLUS 512
#define TLS_MORE 4096

static const char *preload_path(void)
{
	const char *path = secure_getenv("CHIC_ALLOC_PRELOAD");

	return path ? path : CHIC_ALLOC_PRELOAD;
}

/* The linker only warns about a library it cannot preload: find out before. */
static int check_preload(const char *path)
{
	if (strpbrk(path, " :\t\n"))
		return message_set(-EINVAL,
				   "%s: the preload library's path has a space or a colon, "
				   "which LD_PRELOAD cannot express",
				   path);
	if (access(path, R_OK))
		return message_set(-errno, "%s: %s, expected the preload library", path,
				   strerror(errno));
	return 0;
}

static int set_env(const char *name, const char *value)
{
	if (setenv(name, value, 1))
		return message_set(-errno, "%s: %s", name, strerror(errno));
	return 0;
}

/* "VALUE" or "VALUE:OTHER" */
static int set_joined(const char *name, const char *first, const char *second)
{
	char *value;
	int err;

	if (asprintf(&value, "%s:%s", first, second) < 0)
		return message_set(-ENOMEM, "%s: out of memory", name);
	err = set_env(name, value);
	free(value);
	return err;
}

static int set_preload(const char *path)
{
	const char *before = getenv("LD_PRELOAD");
	size_t len = strlen(path);

	if (!before || !*before)
		return set_env("LD_PRELOAD", path);
	/* one run inside another */
	if (strncmp(before, path, len) == 0 && strchr(": ", before[len]))
		return 0;
	return set_joined("LD_PRELOAD", path, before);
}

static int set_tunables(size_t static_tls)
{
	const char *before = getenv("GLIBC_TUNABLES");
	char tunable[64];

	if (static_tls <= TLS_SURPLUS || (before && strstr(before, TLS_TUNABLE)))
		return 0;
	snprintf(tunable, sizeof(tunable), TLS_TUNABLE "=%zu",
		 (static_tls + TLS_MORE) / TLS_MORE * TLS_MORE);
	if (!before || !*before)
		return set_env("GLIBC_TUNABLES", tunable);
	return set_joined("GLIBC_TUNABLES", before, tunable);
}

/* What is not given here is inherited as it is. */
static int set_environment(const struct cli_request *request, size_t static_tls)
{
	int err = set_env("CHIC_ALLOC_RUN", "1");

	if (!err && request->named)
		err = set_env("CHIC_ALLOC_CONF", request->named);
	if (!err && request->stack)
		err = set_env("CHIC_ALLOC_MODULE", request->stack);
	if (!err && request->options)
		err = set_env("CHIC_ALLOC_OPTIONS", request->options);
	if (!err)
		err = set_tunables(static_tls);
	return err ? err : set_preload(preload_path());
}

/* Read and check exactly what the program will read. */
static int validate(const struct cli_request *options, const struct cli_program *program,
		    size_t *static_tls)
{
	struct config_request request;
	struct config config;
	int err;

	cli_request_fill(options, &request);
	request.run = true;
	request.program = (struct program){.execfn = program->path, .exe = program->exe};
	err = config_read(&request, &config);
	if (err)
		return err;
	err = cli_check_stack(&config, true, static_tls);
	config_free(&config);
	return err ? err : check_preload(preload_path());
}

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
	struct cli_program program;
	size_t static_tls = 0;
	int status = cli_program_find(argv[0], &program);

	if (status) {
		cli_failed();
		return status;
	}
	if (validate(request, &program, &static_tls) || set_environment(request, static_tls)) {
		status = cli_failed();
	} else {
		warn_of_escape(argv[0], &program);
		/* by its path, so that AT_EXECFN is what the rules were matched with */
		execvp(program.path, argv);
		status = exec_failed(argv[0]);
	}
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
