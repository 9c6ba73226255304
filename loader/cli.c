// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command chic-alloc: which of its commands is meant, and what they share.
 *
 * Exit status: 0 good, 1 the answer is no or something failed, 2 usage.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chic_alloc.h"

/* The command looks at configurations; it does not want one for itself. */
CHIC_ALLOC_MANUAL();

static const struct cli_command *const commands[] = {
	&cli_run,
	&cli_list,
	&cli_info,
	&cli_config,
	&cli_compare,
	&cli_ps,
	&cli_explain,
	&cli_test,
	&cli_enable,
	&cli_disable,
};

static const char usage_text[] =
	"usage: chic-alloc COMMAND [OPTION]... [ARGUMENT]...\n"
	"An INI file decides which allocator a program uses; the program is not rebuilt.\n";

static void complain(const char *format, va_list args)
{
	fputs("chic-alloc: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
}

int cli_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	return CLI_NO;
}

int cli_usage(const struct cli_command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	complain(format, args);
	va_end(args);
	fprintf(stderr, "Try 'chic-alloc %s%s--help'.\n", command ? command->name : "",
		command ? " " : "");
	return CLI_USAGE;
}

int cli_failed(void)
{
	return cli_error("%s", message_get());
}

int cli_help(const struct cli_command *command)
{
	fputs(command->help, stdout);
	return CLI_GOOD;
}

char *cli_absolute(const char *path)
{
	char *cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
	char *absolute = NULL;

	if (!cwd || asprintf(&absolute, "%s%s%s", cwd, *path == '/' ? "" : "/", path) < 0) {
		message_set(-errno, "%s: no current folder: %s", path, strerror(errno));
		absolute = NULL;
	}
	free(cwd);
	return absolute;
}

bool cli_is_file(const char *arg)
{
	return strchr(arg, '/') || (strstr(arg, ".so") && access(arg, F_OK) == 0);
}

/* getopt leaves a letter in optopt, or 0 for a long option it does not know. */
int cli_bad_option(const struct cli_command *command, int opt, char **argv)
{
	const char *given = argv[optind - 1];

	if (opt == ':')
		return cli_usage(command, "option '%s' needs a value", given);
	if (optopt > 0 && optopt < 256)
		return cli_usage(command, "unknown option '-%c'", optopt);
	return cli_usage(command, "unknown option '%s'", given);
}

static int help(void)
{
	printf("%s\ncommands:\n", usage_text);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s%s\n", commands[i]->name, commands[i]->summary);
	printf("\noptions:\n"
	       "  -h, --help     this text; after a command, the command's\n"
	       "  -V, --version  version of this program\n"
	       "\nSee chic-alloc(1) and chic-alloc.conf(5).\n");
	return CLI_GOOD;
}

static int version(void)
{
	puts("chic-alloc " CHIC_ALLOC_VERSION);
	return CLI_GOOD;
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static const char *command_names(void)
{
	static char names[256];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		n += snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
			      commands[i]->name);
	return names;
}

static int run_command(int argc, char **argv)
{
	const struct cli_command *command;

	if (argc == 0)
		return cli_usage(NULL, "no command given, expected one of %s", command_names());
	command = find_command(argv[0]);
	if (!command)
		return cli_usage(NULL, "unknown command '%s', expected one of %s", argv[0],
				 command_names());
	/* where it is ignored, as some daemons leave it, nobody can be waited for */
	if (command->waits)
		signal(SIGCHLD, SIG_DFL);
	optind = 0;
	return command->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int opt;

	opterr = 0;
	opt = getopt_long(argc, argv, "+:hV", options, NULL);
	switch (opt) {
	case -1:
		return run_command(argc - optind, argv + optind);
	case 'h':
		return help();
	case 'V':
		return version();
	default:
		return cli_bad_option(NULL, opt, argv);
	}
}

/*
 * Where one of the first three was closed, what is opened next would get its number,
 * and what is printed would go there.
 */
static void take_closed(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int status;

	take_closed();
	status = dispatch(argc, argv);
	if (fflush(stdout) || ferror(stdout))
		return cli_error("cannot write the output: %s", strerror(errno));
	return status;
}
