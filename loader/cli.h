/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the command chic-alloc (cli*.c), which is linked with the loader's
 * own code and so reads configurations and modules exactly as programs do.
 */
#ifndef CHIC_LOADER_CLI_H
#define CHIC_LOADER_CLI_H

#include <dirent.h>
#include <getopt.h>
#include <stdio.h>

#include "internal.h"

/* How the command ends; run ends like env(1) when the program cannot be started. */
enum { CLI_GOOD = 0, CLI_NO = 1, CLI_USAGE = 2, CLI_NOT_EXECUTABLE = 126, CLI_NOT_FOUND = 127 };

/* Values of long options without a letter. */
enum { CLI_OPT_JSON = 256, CLI_OPT_HELP };

struct cli_command {
	const char *name;
	/* argv[0] is the command's name; answers the exit status */
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *help;
	bool waits; /* for children of its own */
};

extern const struct cli_command cli_run, cli_list, cli_info, cli_config, cli_compare;
extern const struct cli_command cli_ps, cli_explain;
extern const struct cli_command cli_test;
extern const struct cli_command cli_enable, cli_disable;

/* cli.c - what all commands share */

/* One line on stderr.  Both answer the exit status that goes with it. */
int cli_error(const char *format, ...) CHIC_PRINTF(1, 2);
int cli_usage(const struct cli_command *command, const char *format, ...) CHIC_PRINTF(2, 3);
/* The loader's last message as an error. */
int cli_failed(void);
/* What getopt_long answered with '?' or ':', as a usage error. */
int cli_bad_option(const struct cli_command *command, int opt, char **argv);
int cli_help(const struct cli_command *command);
/* The path from the root, links kept; to be freed, null with a message. */
char *cli_absolute(const char *path);
/* Whether a module is given by a path, also a relative one, or a file of this folder. */
bool cli_is_file(const char *arg);

/* cli_request.c - the options -c, -m and -o */

#define CLI_REQUEST_OPTIONS "c:m:o:"
#define CLI_REQUEST_LONG                                                                       \
	{"config", required_argument, NULL, 'c'}, {"module", required_argument, NULL, 'm'},    \
	{                                                                                      \
		"option", required_argument, NULL, 'o'                                         \
	}

struct cli_request {
	char *named; /* absolute path; these three are null if not given */
	const char *stack;
	char *options; /* one a line */
};

/* Take one of the three; 0 or a negative errno with a message. */
int cli_request_option(struct cli_request *request, int opt, const char *arg);
/* What the loader would be asked: the options given, else the environment's. */
void cli_request_fill(const struct cli_request *request, struct config_request *out);
/* Put the options over what somebody else would be asked. */
void cli_request_override(const struct cli_request *request, struct config_request *out);
void cli_request_free(struct cli_request *request);

/* cli_program.c - the program that is meant */

struct cli_program {
	char *path; /* as it is handed to execve() */
	char *exe; /* what /proc/self/exe will say; null if it cannot be told */
	bool script; /* exe is its interpreter */
	char *command; /* what exe, which is env, will start; else null */
};

/* Search PATH if need be.  CLI_GOOD, or with a message an exit status as env(1)'s. */
int cli_program_find(const char *name, struct cli_program *out);
void cli_program_free(struct cli_program *program);

/* cli_subject.c - whether a stack will reach a program, see cli_process.h */

/* Why it will not although the program starts; null if nothing speaks against. */
const char *cli_program_escapes(const struct cli_program *program);

/* cli_module.c - a module's file, looked at without running it */

struct cli_module {
	struct location where;
	struct modinfo info;
	struct module_exports exports; /* not null where the file has it; not to be called */
	const char *kind; /* heap, filter or mixed */
	bool tells_size; /* of its blocks: it can serve unmodified programs */
	size_t static_tls; /* bytes of thread-local storage it brings */
	struct stock_options options; /* once cli_module_options() was called */
};

/* Locate, read and check the module of a stack's entry. */
int cli_module_open(const struct config *config, const char *entry, struct cli_module *out);
void cli_module_close(struct cli_module *module);
/* The files of the module folder by name; as scandir(3). */
int cli_module_files(struct dirent ***out);
/* The values its parameters get; answers an array to be freed, null with a message. */
struct chic_module_param *cli_module_params(const struct cli_module *module,
					    const struct config *config);
/* What a stock library gets through the environment; nothing for others. */
int cli_module_options(struct cli_module *module, const struct config *config);
/* One line for people: "slab (size, default 64K, 4K-1G): bytes of one slab". */
void cli_param_print(FILE *out, const struct modinfo_param *param);

/* cli_heaps.c - which heaps are installed */

struct cli_heaps {
	char **names; /* entries of stacks, sorted */
	size_t n;
};

/* Told of a module that is there and refused; the message says why. */
typedef void (*cli_refused_fn)(const char *name);

int cli_heaps_find(const struct config *config, cli_refused_fn refused, struct cli_heaps *out);
void cli_heaps_free(struct cli_heaps *heaps);

/* cli_check.c - would a configuration's stacks load? */

/* The effective stack; *static_tls gets what its files need together. */
int cli_check_stack(const struct config *config, bool malloc_family, size_t *static_tls);
/* Every stack any program gets, and every module section whose module is there. */
int cli_check_all(const struct config *config);
/* The stack, of all that programs get, whose files need most static TLS. */
int cli_check_greediest(const struct config *config, size_t *static_tls, const char **stack);
/* Whether setting i is the first of its section: sections need not stand together. */
bool cli_begins_section(const struct config *config, size_t i);

/* cli_environment.c - the variables by which a program comes under us */

/* The preload library: CHIC_ALLOC_PRELOAD of the environment, else of the build. */
const char *cli_preload_path(void);
/* Whether LD_PRELOAD can express the path and the file is there. */
int cli_preload_check(const char *path);
/*
 * A variable's new value with ours joined to what it had (null: nothing), to be
 * freed; null with a message when out of memory.
 */
char *cli_join_preload(const char *before);
/* static_tls: what the stack's files need; before is kept where it has room for that. */
char *cli_join_tunables(const char *before, size_t static_tls);
/* Whether that would change before. */
bool cli_needs_tunables(const char *before, size_t static_tls);

/* cli_changes.c - what of the environment starts a program under a stack, or without us */

/* Of an environment: "NAME=VALUE" sets a variable, "NAME" removes it. */
struct cli_changes {
	char **list;
	size_t n;
};

/*
 * What has to change for the program to start as the request says, in the
 * environment base (like environ; null is an empty one), whose own LD_PRELOAD and
 * GLIBC_TUNABLES are kept.  First the configuration is read as the program will
 * read it, its stack checked and the preload library looked for.
 */
int cli_changes_for(const struct cli_request *request, const struct cli_program *program,
		    char *const *base, struct cli_changes *out);
/* What has to change for a program to start on the platform heap. */
int cli_changes_without(char *const *base, struct cli_changes *out);
/* One more change. */
int cli_changes_set(struct cli_changes *changes, const char *name, const char *value);
int cli_changes_unset(struct cli_changes *changes, const char *name);
/* Make them in this process. */
int cli_changes_apply(const struct cli_changes *changes);
void cli_changes_free(struct cli_changes *changes);

/* cli_json.c - JSON on stdout, keys in the order they are written */

struct json {
	FILE *out;
	unsigned depth;
	bool comma; /* something stands before on this level */
};

/* key is null inside arrays and for the outermost value. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *value); /* null: null */
void json_number(struct json *json, const char *key, unsigned long long value);
void json_real(struct json *json, const char *key, double value); /* not finite: null */
void json_bool(struct json *json, const char *key, bool value);

#endif /* CHIC_LOADER_CLI_H */
