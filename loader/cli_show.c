// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process recorded, as people and machines get to see it.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <string.h>

/* Bytes of a control character at p, two in UTF-8 for those beyond ASCII; 0 if none. */
static unsigned control(const unsigned char *p)
{
	if (*p < ' ' || *p == 0x7f)
		return 1;
	return *p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
}

const char *cli_shown(char *out, size_t size, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	unsigned len;
	size_t n = 0;

	for (; *p && n + 1 < size; p += len + !len) {
		len = control(p);
		out[n++] = len ? '?' : *p;
	}
	out[n] = '\0';
	return out;
}

/* The rule says more than the setting that it happens to have. */
static const struct status_place *place_of(const struct cli_record *record)
{
	return *record->texts.rule.file ? &record->texts.rule : &record->texts.from;
}

const char *cli_shown_place(char *out, size_t size, const struct cli_record *record)
{
	const struct status_place *place = place_of(record);
	char text[sizeof(place->file) + sizeof(place->section) + 16];
	int n = snprintf(text, sizeof(text), "%s", *place->file ? place->file : "built-in");

	if (place->line)
		n += snprintf(text + n, sizeof(text) - n, ":%u", place->line);
	if (strncmp(place->section, "program ", strlen("program ")) == 0)
		snprintf(text + n, sizeof(text) - n, " [%s]", place->section);
	return cli_shown(out, size, text);
}

const char *cli_shown_stack(char *out, size_t size, const struct cli_record *record)
{
	return cli_shown(out, size, *record->texts.stack ? record->texts.stack : "default");
}

const char *cli_state_name(const struct cli_process *process)
{
	static const char *const names[] = {
		[STATUS_STARTING] = "starting", [STATUS_MANUAL] = "manual",
		[STATUS_PLATFORM] = "platform", [STATUS_SERVES] = "serves",
		[STATUS_REFUSED] = "refused",	[STATUS_STOOD_DOWN] = "stood-down",
	};

	return process->recorded ? names[process->record.head.state] : "unknown";
}

const char *cli_telemetry_name(enum chic_telemetry telemetry)
{
	static const char *const names[] = {
		[CHIC_TELEMETRY_OFF] = "off",
		[CHIC_TELEMETRY_CALLS] = "calls",
		[CHIC_TELEMETRY_FULL] = "full",
	};

	return names[telemetry];
}

static void json_place(struct json *json, const char *prefix, const struct status_place *place)
{
	char key[32];

	snprintf(key, sizeof(key), "%sfile", prefix);
	json_string(json, key, *place->file ? place->file : NULL);
	snprintf(key, sizeof(key), "%sline", prefix);
	if (place->line)
		json_number(json, key, place->line);
	else
		json_string(json, key, NULL);
}

/* Where nothing was asked for there is no stack to tell of. */
static bool has_stack(const struct cli_process *process)
{
	enum status_state state = process->record.head.state;

	return process->recorded &&
	       (state == STATUS_PLATFORM || state == STATUS_SERVES || state == STATUS_REFUSED);
}

static const char *telemetry_of(const struct cli_process *process)
{
	/* a linked program knows its sizes */
	return process->library.preload ? cli_telemetry_name(process->record.head.telemetry)
					: cli_telemetry_name(CHIC_TELEMETRY_FULL);
}

void cli_json_record(struct json *json, const struct cli_process *process)
{
	const struct status_texts *texts = &process->record.texts;
	const char *stack = *texts->stack ? texts->stack : "default";
	bool known = has_stack(process);

	json_string(json, "state", cli_state_name(process));
	json_string(json, "stack", known ? stack : NULL);
	json_place(json, "", &texts->from);
	json_string(json, "rule", *texts->rule.file ? texts->rule.section : NULL);
	json_place(json, "rule_", &texts->rule);
	json_string(json, "telemetry", known ? telemetry_of(process) : NULL);
	if (!process->recorded)
		json_string(json, "why", process->why);
	else
		json_string(json, "why", *texts->why ? texts->why : NULL);
}
