/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to the commands enable and disable: the files that make the machine
 * start programs under the preload library, and how they are changed so that
 * they can be put back to the byte.
 */
#ifndef CHIC_LOADER_CLI_ENABLE_H
#define CHIC_LOADER_CLI_ENABLE_H

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cli.h"

/* No file that is read here is longer. */
#define ENABLE_TEXT_MAX (1u << 20)

/* cli_tree.c - paths below a root, where no link leads out */

struct tree {
	const char *root; /* "" for the machine itself; never ends in a slash */
	int fd; /* open on the root */
	int lock; /* or -1 */
	uid_t owner; /* who is root there */
	gid_t group;
};

/* root null: the machine itself. */
int tree_open(struct tree *tree, const char *root);
void tree_close(struct tree *tree);
/* Until it is closed, others who lock it wait; not for ever, as anybody can lock it. */
void tree_lock(struct tree *tree);

/* A file by the folder it is in: links are followed, and the file need not be there. */
struct tree_place {
	int folder;
	char name[NAME_MAX + 1];
};

/* 0 or a negative errno, without a message, as the next three. */
int tree_find(const struct tree *tree, const char *path, struct tree_place *out);
int tree_open_file(const struct tree *tree, const char *path, int flags);
bool tree_has(const struct tree *tree, const char *path);
/* The whole text of a regular file, a NUL behind it, to be freed. */
int tree_read(const struct tree *tree, const char *path, char **text, size_t *len);
/* The names in a folder that fit a pattern, sorted; a folder that is not there is empty. */
int tree_list(const struct tree *tree, const char *path, const char *pattern,
	      struct file_list *out);
/* One more entry, copied. */
int tree_list_add(struct file_list *list, const char *name);
/*
 * Whether nobody but the tree's root can change the file, a link or a folder on the
 * way to it: 0, or a negative errno with a message.
 */
int tree_trusted(const struct tree *tree, const char *path);

/* cli_edit.c - several files changed together, or none */

struct edit {
	const char *root; /* of its tree */
	char *path; /* in the tree */
	struct tree_place place; /* its folder is -1 while that is still to be made */
	struct tree_place above; /* the folder itself, where it is made or may go; or -1 */
	bool existed;
	bool drops_folder; /* with the file, if nothing else is in it */
	struct stat st;
	char *old;
	size_t old_len;
	char *text; /* what it becomes; null: it goes */
	size_t len;
	bool changed;
	/* what edits_apply() has done so far */
	char temp[32], backup[32];
	bool folder_made, done;
};

struct edits {
	const struct tree *tree;
	struct edit *all;
	size_t n;
};

/* Read a file, which need not exist, to change it; null with a message. */
struct edit *edits_add(struct edits *edits, const char *path);
/* Give an edit its new text, which it takes over; null: the file goes. */
void edit_set(struct edit *edit, char *text, size_t len);
/* All of them, or on an error none: 0 or a negative errno with a message. */
int edits_apply(struct edits *edits);
/* Whether its folder is still to be made. */
bool edit_makes_folder(const struct edit *edit);
void edits_free(struct edits *edits);

/* cli_block.c - what is ours in a file */

enum block_at { BLOCK_LAST, BLOCK_WHOLE };

/* Whether a text has our block: 1, 0, or -EEXIST if it was edited. */
int marked_there(const char *text, size_t len);
/*
 * Put a block with these lines into the file, or in place of the one it has.  WHOLE:
 * the file is nothing but the block.  What somebody else changed in it is refused.
 */
int marked_put(struct edit *edit, enum block_at at, const char *undo, const char *lines);
/* Take it out again, with the file and the folder that were made for it. */
int marked_remove(struct edit *edit, enum block_at at);
/* Whether the file is there only because of its block. */
bool marked_made_file(const struct edit *edit);
/* The file's text without the block, to be freed. */
int marked_base(const struct edit *edit, char **text);

/* cli_unitfile.c - the syntax of systemd's units */

typedef int (*unitfile_fn)(void *arg, const char *section, const char *key, char *value,
			   const char *file, unsigned line);

/* Call fn for each setting; its answer, if not 0, ends it. */
int unitfile_parse(const char *file, const char *text, unitfile_fn fn, void *arg);
/*
 * The next word of a value, quotes and escapes undone where it stands; null at the
 * end or where the rest cannot be understood, as systemd then ignores it.
 */
char *unitfile_word(char **value);
/* "WORD" as a unit can hold it; specifiers are left as they are.  To be freed. */
char *unitfile_quote(const char *word);

/* cli_envfile.c - the syntax of systemd's environment files */

typedef int (*envfile_fn)(void *arg, const char *name, size_t len, const char *value,
			  unsigned line);

/* Call fn for each NAME=VALUE; its answer, if not 0, ends it. */
int envfile_parse(const char *text, envfile_fn fn, void *arg);

/* cli_unitfind.c - the files that make a unit */

struct unit_files {
	char *name; /* the real one, where an alias was asked for */
	char *fragment; /* "" for a unit that systemd makes of /etc/init.d/NAME */
	struct file_list drop_ins; /* in the order in which they are read */
};

int unit_find(const struct tree *tree, const char *name, struct unit_files *out);
void unit_files_free(struct unit_files *files);
/* NAME as a unit's: ".service" added; null with a message for one of another type. */
char *unit_full_name(const char *name);

/* cli_unitread.c - what a unit says */

#define UNIT_FOLDER "/etc/systemd/system"
/* Sorts behind what `systemctl edit` writes, so that its LD_PRELOAD is the last. */
#define UNIT_DROP_IN "zz-chic-alloc.conf"

/* What a unit's own settings say of the environment its program gets. */
struct unit {
	struct unit_files files;
	char *preload, *tunables; /* without us; null if not set */
	char *conf, *module, *disable; /* CHIC_ALLOC_CONF, _MODULE, _DISABLE; or null */
	char *program; /* of the first ExecStart; null if none can be told */
	char *obstacle; /* why LD_PRELOAD would not arrive; null if it will */
	/* what GLIBC_TUNABLES will be whatever a drop-in sets, and why; or null */
	char *late_tunables, *late_place;
	char *root; /* RootDirectory or RootImage */
	bool hides_home, hides_tmp;
	bool filters_calls, allows_madvise; /* SystemCallFilter is an allow list */
};

int unit_read(const struct tree *tree, const char *name, struct unit *out);
void unit_free(struct unit *unit);

/* cli_unit.c - a unit's drop-in */

int unit_enable(struct edits *edits, const struct unit *unit, size_t static_tls);
int unit_disable(struct edits *edits, const char *name);
char *unit_drop_in(const char *name);

/* cli_cluster.c - postgresql's clusters as Debian starts them */

/* Whether pg_ctlcluster starts the unit, which then gives it no environment. */
bool cluster_is(const struct tree *tree, const char *name);
/* The clusters a unit stands for, as "15/main"; none is an error. */
int cluster_list(const struct tree *tree, const char *name, struct file_list *out);
/* The servers that they start, each once, where they are installed. */
int cluster_programs(const struct tree *tree, const struct file_list *clusters,
		     struct file_list *out);
char *cluster_file(const char *cluster);
char *cluster_unit(const char *cluster);
int cluster_enable(struct edits *edits, const char *cluster, size_t static_tls);
int cluster_disable(struct edits *edits, const char *cluster);

/* cli_mariadb.c - mariadbd-safe, which systemd does not start */

bool mariadb_is(const struct tree *tree, const char *name);
/* The file of ours that it reads; null if no folder for it is there. */
const char *mariadb_file(const struct tree *tree);
int mariadb_enable(struct edits *edits, size_t static_tls);
int mariadb_disable(struct edits *edits);
/* Another heap that mariadbd-safe would put before us, with its place; or null. */
char *mariadb_other_heap(const struct tree *tree);

/* cli_ldso.c - every program of the machine */

#define LDSO_FILE "/etc/ld.so.preload"

/* Whether the path may stand there: root's alone, and there when programs start. */
int ldso_check(const struct tree *tree, const char *path);
/* *by_hand: somebody wrote a line of his own that names the library. */
int ldso_enable(struct edits *edits, bool *by_hand);
int ldso_disable(struct edits *edits);
bool ldso_is_enabled(const struct tree *tree);

/* cli_facts.c - what has to be known before anything is written */

struct facts {
	size_t static_tls; /* most that a stack brings */
	char stack[256]; /* which one that is */
	bool any_module; /* whether any program gets more than the platform heap */
	char not_tried[128]; /* why no program was started with the library; or "" */
	char programs[1024]; /* which programs will not be reached and why, a line each */
};

struct facts_request {
	const char *conf, *module; /* of the program's environment; or null */
	bool system; /* for all programs: ldso_check() as well */
	const struct file_list *programs; /* to be looked at; or null */
};

/*
 * Check the configuration, the modules and the preload library, seen from inside the
 * tree; 0, or a negative errno with a message if they will not do.
 */
int facts_find(const struct tree *tree, const struct facts_request *request, struct facts *out);

/* cli_enabled.c - what is enabled */

int enabled_list(const struct tree *tree, struct json *json);

/* cli_job.c - one thing that is switched on or off */

struct job {
	struct tree tree;
	struct edits edits;
	struct facts facts;
	const char *target; /* as it was given */
	char *name; /* the unit's, or null for --system; to be freed */
	bool enable;
};

/* Do it and say so: 0 or a negative errno with a message. */
int job_do(struct job *job, bool system);

/* cli_warnings.c - what will not work, or not as one may think; on stderr */

void warn_common(const struct tree *tree, const struct facts *facts);
void warn_unit(const struct tree *tree, const struct unit *unit, const struct facts *facts);
void warn_mariadb(const struct tree *tree, const struct facts *facts);
void warn_system(const struct tree *tree, const struct facts *facts);

#endif /* CHIC_LOADER_CLI_ENABLE_H */
