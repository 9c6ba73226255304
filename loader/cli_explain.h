/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the command explain: what it finds out, and the two ways to print it.
 */
#ifndef CHIC_LOADER_CLI_EXPLAIN_H
#define CHIC_LOADER_CLI_EXPLAIN_H

#include "cli_process.h"

/* Everything that is known before it is printed. */
struct cli_explanation {
	struct cli_program program;
	char *script; /* env starts the program for it; else null */
	struct cli_process process;
	bool is_process;
	struct cli_subject subject;
	struct program matched; /* what the rules were held against */
	struct config config;
	bool readable; /* config is there */
	char refused[MESSAGE_MAX];
	char *elsewhere; /* why the files of the process could not be looked at */
	bool works;
};

/* cli_explain_print.c */

void cli_explain_text(const struct cli_explanation *e);
void cli_explain_json(const struct cli_explanation *e);

#endif /* CHIC_LOADER_CLI_EXPLAIN_H */
