// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program or process that is to be explained: what is known of it before the
 * tables of reasons and remarks are gone through, and how that is done.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <stdlib.h>
#include <string.h>

#define OWN_LIBRARY "libchic_alloc.so"

/* Whether one entry of a list of libraries to preload is ours. */
static bool is_our_entry(const char *entry, size_t len)
{
	const char *path = cli_preload_path();

	return (len == strlen(path) && memcmp(entry, path, len) == 0) ||
	       memmem(entry, len, CLI_PRELOAD_NAME, strlen(CLI_PRELOAD_NAME));
}

static bool line_has_ours(const char *line)
{
	size_t len;

	for (; *line; line += len) {
		line += strspn(line, " \t:");
		len = strcspn(line, " \t:#\n");
		if (is_our_entry(line, len))
			return true;
		if (line[len] == '#' || line[len] == '\n')
			return false;
	}
	return false;
}

static bool is_in_system_preload(void)
{
	FILE *list = fopen(CLI_SYSTEM_PRELOAD, "re");
	char line[4096];
	bool found = false;

	while (list && !found && fgets(line, sizeof(line), list))
		found = line_has_ours(line);
	if (list)
		fclose(list);
	return found;
}

void cli_subject_open(struct cli_subject *subject, const struct cli_program *program,
		      const struct cli_process *process)
{
	const char *exe = program->exe ? program->exe : "";
	char path[64];

	*subject = (struct cli_subject){.program = program, .process = process};
	/* of a process it is there even if the file was deleted, and under any root */
	if (process)
		snprintf(path, sizeof(path), "/proc/%d/exe", process->pid);
	cli_binary_open(&subject->binary, process ? path : exe, exe);
	subject->secure = process ? process->secure
				  : cli_binary_gains(&subject->binary) == CLI_GAINS_FOR_US;
	subject->tunables = process ? cli_process_getenv(process, "GLIBC_TUNABLES")
				    : getenv("GLIBC_TUNABLES");
	subject->changed = CLI_CHANGED_UNKNOWN;
}

void cli_subject_look(struct cli_subject *subject)
{
	subject->off = subject->process ? cli_world_switched_off(subject->process)
					: start_switched_off();
	subject->in_system_preload = is_in_system_preload();
}

void cli_subject_close(struct cli_subject *subject)
{
	cli_binary_close(&subject->binary);
}

bool cli_finding_more(struct cli_finding *finding, const char *format, ...)
{
	size_t len = strlen(finding->why);
	va_list args;

	va_start(args, format);
	if (len)
		len += snprintf(finding->why + len, sizeof(finding->why) - len, ": ");
	vsnprintf(finding->why + len, sizeof(finding->why) - len, format, args);
	va_end(args);
	return true;
}

static bool is_own(const char *library, void *arg)
{
	(void)arg;
	return strncmp(library, OWN_LIBRARY, strlen(OWN_LIBRARY)) == 0;
}

bool cli_subject_is_linked(const struct cli_subject *s)
{
	return cli_binary_needs(&s->binary, is_own, NULL);
}

static const struct cli_reason *const tables[] = {cli_reasons, cli_remarks};

/* The reason of that number, counted through both tables; null behind the last. */
static const struct cli_reason *reason_at(size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct cli_reason *reason = tables[i]; reason->name; reason++)
			if (n-- == 0)
				return reason;
	return NULL;
}

bool cli_reason_next(const struct cli_subject *subject, enum cli_weight most, size_t *next,
		     struct cli_finding *out)
{
	const struct cli_reason *reason;

	while ((reason = reason_at((*next)++))) {
		if (reason->weight > most)
			continue;
		*out = (struct cli_finding){.name = reason->name, .weight = reason->weight};
		snprintf(out->why, sizeof(out->why), "%s", reason->why);
		snprintf(out->fix, sizeof(out->fix), "%s", reason->fix);
		if (reason->check(subject, out))
			return true;
	}
	return false;
}

const char *cli_program_escapes(const struct cli_program *program)
{
	static struct cli_finding finding;
	struct cli_subject subject;
	size_t next = 0;
	bool found;

	cli_subject_open(&subject, program, NULL);
	cli_subject_look(&subject);
	found = cli_reason_next(&subject, CLI_PREVENTS, &next, &finding);
	cli_subject_close(&subject);
	return found ? finding.why : NULL;
}
