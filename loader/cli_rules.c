// SPDX-License-Identifier: BSD-2-Clause
/*
 * The [program] sections that match a program, each with how well, so that one can
 * see why one of them applies and not another.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <string.h>

/* A rule matches what was started, the executable behind it, or both alike. */
static const char *matched_by(const char *globs, const struct program *program, int score)
{
	const struct program started = {.execfn = program->execfn};
	const struct program resolved = {.exe = program->exe};
	bool by_start = match_program(globs, &started) == score;
	bool by_file = match_program(globs, &resolved) == score;

	if (by_start && by_file)
		return "as started and as executable";
	return by_start ? "as started" : "as executable";
}

static bool fill(const struct config *config, const struct program *program,
		 const struct setting *first, struct cli_rule *out)
{
	const struct setting *match = settings_find(config, first->section, "match");

	*out = (struct cli_rule){
		.at = match ? match : first,
		.globs = match ? match->value : first->section + strlen("program "),
	};
	out->score = match_program(out->globs, program);
	out->by = matched_by(out->globs, program, out->score);
	out->applies = config->rule && strcmp(config->rule->section, first->section) == 0;
	return out->score > 0;
}

static const char *verdict(const struct cli_rule *rule, const struct cli_rule *best)
{
	if (rule->applies)
		return "applies";
	return rule->score < best->score ? "less specific" : "as specific, but stands earlier";
}

/* Rules are those of the system and the user: presets are read when one was found. */
unsigned cli_rules_each(const struct config *config, const struct program *program,
			cli_rule_fn fn, void *arg)
{
	size_t n = config->presets ? config->n_own : config->n_settings;
	struct cli_rule rule, best = {.score = 0};
	unsigned others = 0;

	if (config->rule)
		fill(config, program, config->rule, &best);
	for (size_t i = 0; i < n; i++) {
		const struct setting *first = &config->settings[i];

		if (!settings_is(first, "program") || !cli_begins_section(config, i))
			continue;
		if (!fill(config, program, first, &rule)) {
			others++;
			continue;
		}
		rule.verdict = verdict(&rule, &best);
		fn(&rule, arg);
	}
	return others;
}

const char *cli_rule_specificity(const struct cli_rule *rule)
{
	static const char *const words[] = {
		"none", "glob on the name", "name", "glob on the path", "path",
	};

	return words[rule->score];
}
