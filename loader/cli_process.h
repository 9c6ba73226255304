/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the commands ps and explain: programs and processes looked at from
 * outside.  Prototypes are grouped by the file that defines them.
 *
 * What a process says of itself is another user's input: texts are checked when
 * they are read, and cleaned when they are shown.
 */
#ifndef CHIC_LOADER_CLI_PROCESS_H
#define CHIC_LOADER_CLI_PROCESS_H

#include <sys/types.h>

#include "cli.h"

/* cli_record.c - the library in a process, and what it left there */

struct cli_library {
	char *path; /* as the process has it; null: it is not there */
	uint64_t base; /* where it is mapped */
	bool preload; /* libchic_alloc_preload.so, which decides if both are there */
	bool gone; /* its file was deleted or replaced since */
};

/*
 * The library that decides in a process, from the text of its maps, mapped above an
 * address.  0, also where there is none, -ESRCH where nothing is mapped at all, or
 * -ENOMEM.
 */
int cli_library_find(FILE *maps, uint64_t above, struct cli_library *out);
void cli_library_free(struct cli_library *library);
/* Cut off what the kernel puts behind a path whose file is gone; whether it was there. */
bool cli_cut_deleted(char *path);

/* A record, checked: versions, known state, every text ended. */
struct cli_record {
	struct status head;
	struct status_texts texts;
};

/* mem is the process's memory; 0 or a negative errno with a message. */
int cli_record_read(int mem, const struct cli_library *library, struct cli_record *out);

/* cli_process.c - a running process */

#define CLI_GROUPS_MAX 64

struct cli_process {
	pid_t pid;
	struct cli_program program; /* path is AT_EXECFN, or the executable if unknown */
	char *environment; /* as it was started with; NUL-separated, may be null */
	size_t environment_len;
	bool secure; /* AT_SECURE */
	uid_t uid; /* the effective ones */
	gid_t gid;
	gid_t groups[CLI_GROUPS_MAX];
	size_t n_groups;
	char *unit; /* the service it belongs to; null if none is known */
	struct cli_library library;
	bool recorded; /* record is there */
	struct cli_record record;
	char why[MESSAGE_MAX]; /* why it is not */
};

/* A whole number that can be a process's; 0 if text is none. */
pid_t cli_pid(const char *text);
/*
 * 1 if it is under us, 0 if not; -EACCES if that cannot be told, -ESRCH if it is
 * gone or a thread of the kernel, -ENOMEM.  The rest is filled for 1, and for 0 if
 * whole is said.
 */
int cli_process_read(pid_t pid, bool whole, struct cli_process *out);
void cli_process_free(struct cli_process *process);
/* A variable of the environment it was started with; null if it is not there. */
const char *cli_process_getenv(const struct cli_process *process, const char *name);
/* Whether it has written over that environment since, as far as the record can tell. */
bool cli_process_lost_environment(const struct cli_process *process);
/* What its loader would ask for if it started now. */
void cli_process_request(const struct cli_process *process, struct config_request *out);

/* cli_world.c - the configuration as a process would read it now */

/*
 * Take its root and working folder, and its user if we are root.  There is no way
 * back.  0 or a negative errno with a message.
 */
int cli_world_enter(const struct cli_process *process);
/* The kill switch that is set for it, in words; null if none is. */
const char *cli_world_switched_off(const struct cli_process *process);
/* What a start with this request would leave, as far as the configuration tells. */
void cli_world_now(const struct config_request *request, const char *off,
		   struct cli_record *out);

enum cli_changed { CLI_CHANGED_NO, CLI_CHANGED_YES, CLI_CHANGED_UNKNOWN };

/* Whether a start now would end otherwise; *why for unknown. */
enum cli_changed cli_world_compare(const struct cli_process *process,
				   const struct cli_record *now, const char **why);
/* The same by a process of its own, so that this one can ask for the next. */
enum cli_changed cli_world_changed(const struct cli_process *process, const char **why);

/* cli_show.c - texts and records for people and machines */

/* text without what a terminal would act on; answers out. */
const char *cli_shown(char *out, size_t size, const char *text);
/* "FILE:LINE [program NAME]", the file alone, or "built-in". */
const char *cli_shown_place(char *out, size_t size, const struct cli_record *record);
const char *cli_shown_stack(char *out, size_t size, const struct cli_record *record);
/* The word for a state in machine formats. */
const char *cli_state_name(const struct cli_process *process);
const char *cli_telemetry_name(enum chic_telemetry telemetry);
/* Stack, places, telemetry and why, as members of an open object. */
void cli_json_record(struct json *json, const struct cli_process *process);

/* cli_rules.c - the rules of a configuration that match a program */

struct cli_rule {
	const struct setting *at; /* its match, or what stands first in its section */
	const char *globs;
	int score; /* match_program()'s */
	const char *by; /* what of the program it matches, in words */
	bool applies;
	const char *verdict; /* why it does or does not, in words */
};

/* Call fn for each that matches; answers how many do not. */
typedef void (*cli_rule_fn)(const struct cli_rule *rule, void *arg);
unsigned cli_rules_each(const struct config *config, const struct program *program,
			cli_rule_fn fn, void *arg);
/* "path", "glob on the path", "name", "glob on the name" */
const char *cli_rule_specificity(const struct cli_rule *rule);

/* cli_binary.c - an executable's file */

enum cli_binary_kind {
	CLI_BINARY_UNREADABLE,
	CLI_BINARY_OTHER, /* no ELF file */
	CLI_BINARY_FOREIGN, /* for another machine than this command */
	CLI_BINARY_BROKEN,
	CLI_BINARY_STATIC, /* the kernel starts it without a dynamic linker */
	CLI_BINARY_DYNAMIC,
};

struct cli_binary {
	enum cli_binary_kind kind;
	int fd; /* -1 if it cannot be read */
	struct elf elf; /* of static and dynamic ones */
	char interpreter[256]; /* the dynamic linker it names; "" if none */
	char why[MESSAGE_MAX]; /* what is wrong with it */
};

/* path is the file's name for messages. */
void cli_binary_open(struct cli_binary *binary, const char *open_as, const char *path);
void cli_binary_close(struct cli_binary *binary);
/* Whether it defines a function for the libraries it is linked with. */
bool cli_binary_defines(const struct cli_binary *binary, const char *symbol);
/* Call fn for each library that it is linked with, until it answers true. */
typedef bool (*cli_needs_fn)(const char *library, void *arg);
bool cli_binary_needs(const struct cli_binary *binary, cli_needs_fn fn, void *arg);
bool cli_binary_has_note(const struct cli_binary *binary, const char *owner);
/* Whether the text is anywhere in the file. */
bool cli_binary_contains(const struct cli_binary *binary, const char *text);

/* Whether who starts it gets another user, group or capabilities. */
enum cli_gains { CLI_GAINS_NOTHING, CLI_GAINS_FOR_OTHERS, CLI_GAINS_FOR_US };

enum cli_gains cli_binary_gains(const struct cli_binary *binary);

/* cli_subject.c - what is to be explained, and what was found about it */

struct cli_subject {
	const struct cli_program *program;
	const struct cli_process *process; /* null: a file */
	bool script; /* it is started for one */
	struct cli_binary binary;
	bool secure; /* AT_SECURE is set, or will be */
	bool in_system_preload; /* /etc/ld.so.preload names our library */
	const char *off; /* the kill switch that is set */
	const char *refused; /* why the configuration cannot serve it */
	const char *tunables; /* GLIBC_TUNABLES of its environment */
	size_t static_tls; /* bytes that the stack needs */
	bool platform; /* the stack is the platform heap */
	enum cli_changed changed; /* of a process: the configuration, since it started */
};

enum cli_weight {
	CLI_PREVENTS, /* no stack will serve it */
	CLI_BYPASSES, /* what it allocates does not go through malloc */
	CLI_REMARK,
};

struct cli_finding {
	const char *name; /* one word, for machines */
	enum cli_weight weight;
	char why[2 * MESSAGE_MAX];
	char fix[MESSAGE_MAX]; /* "" if there is none */
};

/* Program, process and what can be seen of them from here; the rest is empty. */
void cli_subject_open(struct cli_subject *subject, const struct cli_program *program,
		      const struct cli_process *process);
/* What is to be seen where it runs. */
void cli_subject_look(struct cli_subject *subject);
void cli_subject_close(struct cli_subject *subject);
/* Whether it is linked with libchic_alloc. */
bool cli_subject_is_linked(const struct cli_subject *subject);
/*
 * The first finding from *next on, with a weight of at most that; *next begins at 0.
 * false at the end.
 */
bool cli_reason_next(const struct cli_subject *subject, enum cli_weight most, size_t *next,
		     struct cli_finding *out);
/* ": MORE" behind what a finding says; answers true. */
bool cli_finding_more(struct cli_finding *finding, const char *format, ...) CHIC_PRINTF(2, 3);

/* cli_reason.c and cli_remark.c - what there is to be found; end with a null name */

#define CLI_SYSTEM_PRELOAD "/etc/ld.so.preload"
#define CLI_PRELOAD_NAME "/libchic_alloc_preload.so"

struct cli_reason {
	const char *name;
	enum cli_weight weight;
	/* may say more of it, or another way to mend it */
	bool (*check)(const struct cli_subject *subject, struct cli_finding *finding);
	const char *why, *fix;
};

extern const struct cli_reason cli_reasons[], cli_remarks[];

#endif /* CHIC_LOADER_CLI_PROCESS_H */
