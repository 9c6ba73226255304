// SPDX-License-Identifier: BSD-2-Clause
/*
 * What of the environment starts a program under a stack, and what takes it away.
 *
 * Everything that can be known beforehand is checked here first, so that a mistake
 * is a message and not a program that silently runs on the platform heap.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRELOAD_NAME "libchic_alloc_preload.so"

/* ---------------------------------------------------------- changes --- */

static int out_of_memory(const char *name)
{
	return message_set(-ENOMEM, "%s: out of memory", name);
}

/* Takes the text over, also when it fails. */
static int add(struct cli_changes *changes, char *text)
{
	char **more = reallocarray(changes->list, changes->n + 1, sizeof(*more));

	if (!more) {
		free(text);
		return out_of_memory("environment");
	}
	changes->list = more;
	changes->list[changes->n++] = text;
	return 0;
}

int cli_changes_set(struct cli_changes *changes, const char *name, const char *value)
{
	char *text;

	if (asprintf(&text, "%s=%s", name, value) < 0)
		return out_of_memory(name);
	return add(changes, text);
}

int cli_changes_unset(struct cli_changes *changes, const char *name)
{
	char *text = strdup(name);

	return text ? add(changes, text) : out_of_memory(name);
}

int cli_changes_apply(const struct cli_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		const char *text = changes->list[i];
		const char *equals = strchr(text, '=');
		char *name = strndup(text, strcspn(text, "="));
		int failed = !name || (equals ? setenv(name, equals + 1, 1) : unsetenv(name));

		free(name);
		if (failed)
			return message_set(-errno, "%s: %s", text, strerror(errno));
	}
	return 0;
}

void cli_changes_free(struct cli_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++)
		free(changes->list[i]);
	free(changes->list);
	*changes = (struct cli_changes){.list = NULL};
}

/* The value in an environment; an empty one is as good as none: null. */
static const char *value_in(char *const *base, const char *name)
{
	size_t len = strlen(name);

	for (; base && *base; base++)
		if (strncmp(*base, name, len) == 0 && (*base)[len] == '=')
			return (*base)[len + 1] ? *base + len + 1 : NULL;
	return NULL;
}

/* By its name, wherever it was installed. */
static bool is_preload(const char *entry, size_t len)
{
	const char *path = cli_preload_path();
	size_t name = strlen(PRELOAD_NAME);

	if (len == strlen(path) && memcmp(entry, path, len) == 0)
		return true;
	return len >= name && memcmp(entry + len - name, PRELOAD_NAME, name) == 0 &&
	       (len == name || entry[len - name - 1] == '/');
}

/* What others have in LD_PRELOAD stays, in its order. */
static int unset_preload(struct cli_changes *changes, char *const *base)
{
	const char *before = value_in(base, "LD_PRELOAD");
	char *kept = before ? calloc(strlen(before) + 2, 1) : NULL, *end = kept;
	int err;

	if (!before)
		return 0;
	if (!kept)
		return out_of_memory("LD_PRELOAD");
	for (size_t len; *before; before += len + (before[len] != '\0')) {
		len = strcspn(before, ": ");
		if (len && !is_preload(before, len))
			end += sprintf(end, "%.*s:", (int)len, before);
	}
	if (end > kept)
		end[-1] = '\0';
	err = *kept ? cli_changes_set(changes, "LD_PRELOAD", kept)
		    : cli_changes_unset(changes, "LD_PRELOAD");
	free(kept);
	return err;
}

/* Takes the value over, as cli_join_*() answer it. */
static int set_joined(struct cli_changes *changes, const char *name, char *value)
{
	int err = value ? cli_changes_set(changes, name, value) : -ENOMEM;

	free(value);
	return err;
}

static int set_tunables(struct cli_changes *changes, char *const *base, size_t static_tls)
{
	const char *before = value_in(base, "GLIBC_TUNABLES");

	if (!cli_needs_tunables(before, static_tls))
		return 0;
	return set_joined(changes, "GLIBC_TUNABLES", cli_join_tunables(before, static_tls));
}

static int set_preload(struct cli_changes *changes, char *const *base)
{
	const char *before = value_in(base, "LD_PRELOAD");

	return set_joined(changes, "LD_PRELOAD", cli_join_preload(before));
}

/* What is not given here is inherited as it is. */
static int set_all(struct cli_changes *changes, const struct cli_request *request,
		   char *const *base, size_t static_tls)
{
	int err = cli_changes_set(changes, "CHIC_ALLOC_RUN", "1");

	if (!err && request->named)
		err = cli_changes_set(changes, "CHIC_ALLOC_CONF", request->named);
	if (!err && request->stack)
		err = cli_changes_set(changes, "CHIC_ALLOC_MODULE", request->stack);
	if (!err && request->options)
		err = cli_changes_set(changes, "CHIC_ALLOC_OPTIONS", request->options);
	if (!err)
		err = set_tunables(changes, base, static_tls);
	return err ? err : set_preload(changes, base);
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
	return err ? err : cli_preload_check(cli_preload_path());
}

int cli_changes_for(const struct cli_request *request, const struct cli_program *program,
		    char *const *base, struct cli_changes *out)
{
	size_t static_tls = 0;
	int err;

	*out = (struct cli_changes){.list = NULL};
	err = validate(request, program, &static_tls);
	if (!err)
		err = set_all(out, request, base, static_tls);
	if (err)
		cli_changes_free(out);
	return err;
}

int cli_changes_without(char *const *base, struct cli_changes *out)
{
	int err;

	*out = (struct cli_changes){.list = NULL};
	err = unset_preload(out, base);
	if (!err)
		err = cli_changes_unset(out, "CHIC_ALLOC_RUN");
	if (!err)
		err = cli_changes_unset(out, "CHIC_ALLOC_OPTIONS");
	/* the platform heap for a program that is linked with the library */
	if (!err)
		err = cli_changes_set(out, "CHIC_ALLOC_MODULE", "");
	if (err)
		cli_changes_free(out);
	return err;
}
