// SPDX-License-Identifier: BSD-2-Clause
/*
 * What chic-alloc explain found out, as lines with a label and as JSON.
 */
#define _GNU_SOURCE
#include "cli_explain.h"

#include <string.h>

#define TEXT_MAX 4096

static const struct cli_program *program_of(const struct cli_explanation *e)
{
	return e->is_process ? &e->process.program : &e->program;
}

/* ------------------------------------------------------------- text --- */

/* One line; what a terminal would act on is taken out. */
CHIC_PRINTF(2, 3) static void line(const char *label, const char *format, ...)
{
	char text[2 * TEXT_MAX], shown[2 * TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	printf("%-12s%s\n", label, cli_shown(shown, sizeof(shown), text));
}

static void print_rule(const struct cli_rule *rule, void *arg)
{
	bool *label = arg;

	line(*label ? "rules" : "", "[%s] %s:%u: %s '%s', %s: %s", rule->at->section,
	     rule->at->file, rule->at->line, cli_rule_specificity(rule), rule->globs, rule->by,
	     rule->verdict);
	*label = false;
}

static void print_rules(const struct cli_explanation *e)
{
	bool first = true;
	unsigned others = cli_rules_each(&e->config, &e->matched, print_rule, &first);

	if (first && others)
		line("rules", "none of %u matches", others);
	else if (first)
		line("rules", "none");
}

/* "FILE:LINE", an origin, or "built-in". */
static const char *place(char *out, size_t size, const struct setting *from)
{
	if (!from)
		snprintf(out, size, "built-in");
	else if (from->line)
		snprintf(out, size, "%s:%u", from->file, from->line);
	else
		snprintf(out, size, "%s", from->file);
	return out;
}

static void print_config(const struct cli_explanation *e)
{
	const struct config *config = &e->config;
	struct status_texts texts = {.stack = ""};
	char from[TEXT_MAX];

	status_describe(&texts, config);
	print_rules(e);
	line("stack", "%s (%s)", *texts.stack ? texts.stack : "default",
	     place(from, sizeof(from), status_stack_from(config)));
	line("telemetry", "%s (%s)", cli_telemetry_name(stack_telemetry(config)),
	     place(from, sizeof(from), config->telemetry_from));
}

static void print_program(const struct cli_explanation *e)
{
	const struct cli_program *program = program_of(e);

	if (e->is_process)
		line("process", "%d", e->process.pid);
	if (e->script)
		line("script", "%s, for which env starts the program", e->script);
	line("program", "%s", program->path);
	if (program->exe && strcmp(program->exe, program->path) != 0)
		line("executable", "%s%s", program->exe,
		     program->script ? " (the interpreter of a script)" : "");
}

static void print_now(const struct cli_process *process)
{
	const struct cli_record *record = &process->record;
	char stack[TEXT_MAX], from[TEXT_MAX];

	if (!process->library.path) {
		line("now", "not under us");
		return;
	}
	if (!process->recorded) {
		line("now", "under us, but %s", process->why);
		return;
	}
	switch (record->head.state) {
	case STATUS_STARTING:
		line("now", "starting");
		break;
	case STATUS_MANUAL:
		line("now", "linked with libchic_alloc, to which it gives a configuration "
			    "by itself");
		break;
	case STATUS_REFUSED:
		line("now", "platform heap, because of an error: %s", record->texts.why);
		break;
	case STATUS_STOOD_DOWN:
		line("now", "left alone: %s", record->texts.why);
		break;
	default:
		line("now", "%s (%s)", cli_shown_stack(stack, sizeof(stack), record),
		     cli_shown_place(from, sizeof(from), record));
	}
}

static void print_findings(const struct cli_explanation *e)
{
	static const char *const labels[] = {
		[CLI_PREVENTS] = "why",
		[CLI_BYPASSES] = "why",
		[CLI_REMARK] = "note",
	};
	struct cli_finding finding;
	size_t next = 0;

	while (cli_reason_next(&e->subject, CLI_REMARK, &next, &finding)) {
		line(labels[finding.weight], "%s", finding.why);
		if (*finding.fix)
			line(finding.weight == CLI_REMARK ? "" : "fix", "%s", finding.fix);
	}
	if (e->elsewhere)
		line("note", "%s; the configuration is the one of here", e->elsewhere);
}

void cli_explain_text(const struct cli_explanation *e)
{
	print_program(e);
	if (e->readable)
		print_config(e);
	if (e->is_process)
		print_now(&e->process);
	line("works", "%s", e->works ? "yes" : "no");
	print_findings(e);
}

/* ------------------------------------------------------------- json --- */

static void json_rule(const struct cli_rule *rule, void *arg)
{
	struct json *json = arg;

	json_open(json, NULL, '{');
	json_string(json, "rule", rule->at->section);
	json_string(json, "match", rule->globs);
	json_string(json, "file", rule->at->file);
	json_number(json, "line", rule->at->line);
	json_string(json, "specificity", cli_rule_specificity(rule));
	json_string(json, "by", rule->by);
	json_bool(json, "applies", rule->applies);
	json_string(json, "verdict", rule->verdict);
	json_close(json, '}');
}

static void json_place(struct json *json, const struct setting *from)
{
	json_string(json, "file", from ? from->file : NULL);
	if (from && from->line)
		json_number(json, "line", from->line);
	else
		json_string(json, "line", NULL);
}

static void json_config(struct json *json, const struct cli_explanation *e)
{
	const struct config *config = &e->config;
	struct status_texts texts = {.stack = ""};

	json_open(json, "rules", '[');
	if (e->readable)
		cli_rules_each(config, &e->matched, json_rule, json);
	json_close(json, ']');
	if (!e->readable)
		return;
	status_describe(&texts, config);
	json_string(json, "stack", *texts.stack ? texts.stack : "default");
	json_place(json, status_stack_from(config));
	json_string(json, "telemetry", cli_telemetry_name(stack_telemetry(config)));
	json_number(json, "static_tls", e->subject.static_tls);
}

static void json_now(struct json *json, const struct cli_process *process)
{
	json_open(json, "now", '{');
	json_bool(json, "under_us", process->library.path != NULL);
	json_string(json, "library", process->library.path);
	if (process->library.path)
		cli_json_record(json, process);
	json_close(json, '}');
}

static void json_findings(struct json *json, const struct cli_explanation *e)
{
	static const char *const weights[] = {
		[CLI_PREVENTS] = "prevents",
		[CLI_BYPASSES] = "bypasses",
		[CLI_REMARK] = "note",
	};
	struct cli_finding finding;
	size_t next = 0;

	json_open(json, "reasons", '[');
	while (cli_reason_next(&e->subject, CLI_REMARK, &next, &finding)) {
		json_open(json, NULL, '{');
		json_string(json, "reason", finding.name);
		json_string(json, "weight", weights[finding.weight]);
		json_string(json, "why", finding.why);
		json_string(json, "fix", *finding.fix ? finding.fix : NULL);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void cli_explain_json(const struct cli_explanation *e)
{
	struct json json = {.out = stdout};
	const struct cli_program *program = program_of(e);

	json_open(&json, NULL, '{');
	if (e->is_process)
		json_number(&json, "pid", e->process.pid);
	else
		json_string(&json, "pid", NULL);
	json_string(&json, "script", e->script);
	json_string(&json, "program", program->path);
	json_string(&json, "executable", program->exe);
	json_config(&json, e);
	if (e->is_process)
		json_now(&json, &e->process);
	json_bool(&json, "works", e->works);
	json_findings(&json, e);
	json_close(&json, '}');
}
