// SPDX-License-Identifier: BSD-2-Clause
/*
 * The options that choose a configuration, -c, -m and -o, which `run` and
 * `config` share.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The program may change folders before it reads the file: make it absolute. */
static int set_named(struct cli_request *request, const char *path)
{
	char *absolute;

	if (!*path)
		return message_set(-EINVAL, "-c: got an empty name, expected a file");
	absolute = cli_absolute(path);
	if (!absolute)
		return -ENOMEM;
	free(request->named);
	request->named = absolute;
	return 0;
}

/* Options travel one a line. */
static int add_option(struct cli_request *request, const char *text)
{
	const char *dot = strchr(text, '.');
	char *all;

	if (strchr(text, '\n') || !dot || !strchr(dot, '='))
		return message_set(-EINVAL, "-o: got '%.100s', expected SECTION.KEY=VALUE",
				   text);
	if (asprintf(&all, "%s%s%s", request->options ? request->options : "",
		     request->options ? "\n" : "", text) < 0)
		return message_set(-ENOMEM, "-o %.100s: out of memory", text);
	free(request->options);
	request->options = all;
	return 0;
}

int cli_request_option(struct cli_request *request, int opt, const char *arg)
{
	if (opt == 'c')
		return set_named(request, arg);
	if (opt == 'o')
		return add_option(request, arg);
	request->stack = arg;
	return 0;
}

void cli_request_override(const struct cli_request *request, struct config_request *out)
{
	if (request->named)
		out->named = request->named;
	if (request->stack) {
		out->stack = request->stack;
		out->stack_origin = "-m";
	}
	if (request->options) {
		out->options = request->options;
		out->options_origin = "-o";
	}
}

void cli_request_fill(const struct cli_request *request, struct config_request *out)
{
	config_request_from_process(out, NULL);
	out->program = (struct program){.self = false};
	cli_request_override(request, out);
}

void cli_request_free(struct cli_request *request)
{
	free(request->named);
	free(request->options);
}
