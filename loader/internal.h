/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to loader/.  Prototypes are grouped by the file that defines them, in
 * the order in which data passes through: a configuration becomes settings,
 * settings name modules, modules become layers, layers a stack, the stack a
 * table, and the table serves requests.
 */
#ifndef CHIC_LOADER_INTERNAL_H
#define CHIC_LOADER_INTERNAL_H

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "core.h"

/* Everything below is reached without a detour over the GOT. */
#pragma GCC visibility push(hidden)

/* Most layers of one stack, and most layers with per-thread words in one process. */
#define STACK_MAX 8
#define WORDS_MAX 16
/* Most parameters of one module; most bytes of a module's name. */
#define PARAMS_MAX 32
#define NAME_MAX_LEN 40
/* A message is one line of at most this many bytes, its NUL included. */
#define MESSAGE_MAX 512

/* message.c - the thread's last message, and the log */

/* Set the thread's message and answer err (a negative errno). */
int message_set(int err, const char *format, ...) CHIC_PRINTF(2, 3);
int message_vset(int err, const char *format, va_list args) CHIC_PRINTF(2, 0);
/* Prefix the present message: "PREFIX: MESSAGE".  Answers err. */
int message_prefix(int err, const char *format, ...) CHIC_PRINTF(2, 3);
void message_clear(void);
const char *message_get(void);

enum log_to { LOG_TO_AUTO, LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_FILE, LOG_TO_NONE };

/* Where lines go from now on; path for LOG_TO_FILE, copied.  verbose: under `run`. */
void log_open(enum log_to to, const char *path, bool verbose);
/* To where they went before the last log_open(). */
void log_reopen(void);
/* For tests: another socket than the system's log; null for that again. */
void log_set_socket(const char *path);
void log_line(const char *format, ...) CHIC_PRINTF(1, 2);

/* ini.c - one INI file, line by line */

typedef int (*ini_setting_fn)(void *arg, const char *section, const char *key,
			      const char *value, const char *file, unsigned line);

/*
 * Parse one whole text.  fn is called at the head of each section, with key and
 * value null, and once per key; its negative errno, or the first error of the
 * syntax, stops the parse, is answered, and has a message that begins with
 * "FILE:LINE: ".  fn gets the very pointer file; its other strings are valid
 * during the call.  text need not end in NUL or newline.
 */
int ini_text(const char *file, const char *text, size_t len, ini_setting_fn fn, void *arg);

/* Bytes of a line that inih reads whole. */
#define INI_LINE_MAX 199

/* Foreign text as a message may quote it: short and printable.  Answers out. */
#define SHOWN_MAX 64
const char *ini_shown(char out[SHOWN_MAX], const char *text, size_t len);

/* trust.c - may this file decide what code runs? */

/*
 * Open a regular file for reading, its owner, mode and parent folders checked.
 * Answers the descriptor or a negative errno with a message.  *resolved (may be
 * null) gets the absolute path without links, to be freed by the caller.
 */
int trust_open(const char *path, bool secure, char **resolved);
/*
 * Between the two, a folder that was found to be trusted is not looked at again;
 * the buffer is where it is kept.
 */
void trust_begin(char folder[PATH_MAX]);
void trust_end(void);
/* Read at most max bytes of a descriptor into a fresh buffer; -EFBIG beyond. */
int trust_read(int fd, const char *path, size_t max, char **text, size_t *len);

/* conffiles.c - which files are read, in which order */

struct file_list {
	char **paths;
	size_t n;
};

/*
 * The files to be read, least important first: the file named alone, or those of
 * the run-time folder, the system's file and its drop-ins.
 */
int conffiles_find(const char *named, bool secure, struct file_list *out);
/*
 * What is less important than all of these, and read only where a module is asked
 * for: the packages' presets, but for those that a file of the system replaces.
 */
int conffiles_presets(const char *named, bool secure, struct file_list *out);
/* Append all of more to list and empty more. */
int conffiles_join(struct file_list *list, struct file_list *more);
void conffiles_free(struct file_list *list);

/* For tests: other folders than those of the build; null for these again. */
struct conf_roots {
	const char *presets; /* the folder of presets */
	const char *run; /* the run-time folder */
	const char *sysconf; /* where chic-alloc.conf and chic-alloc.conf.d are */
};

void conffiles_set_roots(const struct conf_roots *roots);

/* config.c - settings of several files merged, and what they mean for a program */

/* One key of one section, from the last file that has it. */
struct setting {
	char *section; /* "allocator", "module guard", "program java" */
	char *key;
	char *value;
	const char *file; /* one of config.files, or an origin of the request */
	unsigned line; /* 0: from the request, overrides also the rules */
};

/* The program the configuration is read for; either may be null. */
struct program {
	const char *execfn; /* AT_EXECFN, as it was started */
	const char *exe; /* resolved path of the executable */
	bool self; /* it is this process: exe is looked up when it is needed */
};

enum on_error { ON_ERROR_DEFAULT, ON_ERROR_FAIL };

struct config {
	struct setting *settings; /* in the order in which they were read */
	size_t n_settings;
	struct file_list files; /* those that were read */
	bool presets; /* what is being read are presets: they override nothing */
	size_t n_own; /* settings before this one are not from presets */
	const struct setting *rule; /* any setting of the [program] section that applies */
	/* effective, never null; *_from is null where the built-in default holds */
	const char *stack; /* "counting, guard"; "" is the platform heap */
	const struct setting *stack_from;
	const char *filters;
	const struct setting *filters_from;
	enum on_error on_error;
	const struct setting *on_error_from;
	bool fail_counts; /* on_error = fail is allowed to have effect */
	enum chic_telemetry telemetry;
	const struct setting *telemetry_from;
	enum log_to log;
	const char *log_path;
	const struct setting *log_from;
};

struct config_request {
	const char *named; /* one file instead of the standard ones; may be null */
	const char *stack; /* overrides the stack; null: does not; "": platform heap */
	const char *options; /* lines SECTION.KEY=VALUE; may be null */
	const char *stack_origin; /* what to call the two in messages; */
	const char *options_origin; /* must live as long as the config */
	bool secure; /* AT_SECURE: system files only */
	bool run; /* under `chic-alloc run`: on_error = fail counts */
	bool presets; /* read the presets whatever the stack is */
	struct program program;
};

/*
 * Fill *out or answer a negative errno with a message; *out is then empty but for
 * fail_counts, which what was read before the error decides.
 */
int config_read(const struct config_request *request, struct config *out);
void config_free(struct config *config);
/* The value of a key of [module NAME] ('-' and '_' alike), null if not set. */
const struct setting *config_module_setting(const struct config *config, const char *module,
					    const char *key);
/* The request's options and stack, then what all settings mean for its program. */
int config_settle(const struct config_request *request, struct config *config);
/*
 * The request as environment and auxiliary vector of this process have it;
 * named, if not null, comes before CHIC_ALLOC_CONF.  Nothing is to be freed:
 * program.exe is a static buffer, so callers are to be serialised.
 */
void config_request_from_process(struct config_request *request, const char *named);

/* settings.c - which sections and keys there are, and those that were set */

/*
 * Check one setting and put it into the struct config that arg points to, over
 * an earlier one; an ini_setting_fn.  Twice in one file is an error.  line 0 is
 * for settings of the request.
 */
int settings_take(void *arg, const char *section, const char *key, const char *value,
		  const char *file, unsigned line);
/* The setting of a key, or of any key of the section if key is null; or null. */
const struct setting *settings_find(const struct config *config, const char *section,
				    const char *key);
/* Which value of its enum the checked value of on_error, telemetry or log is. */
int settings_word(const struct setting *setting);
/* Whether a section is of the type: "module", "program". */
bool settings_is(const struct setting *setting, const char *type);
/* Prefix the message with FILE:LINE.  Answers err. */
int settings_blame(int err, const char *file, unsigned line);
void settings_free(struct config *config);

/* match.c - does a [program] section apply? */

/*
 * How well the comma-separated globs match: 0 not at all, 1 glob on the
 * basename, 2 basename, 3 glob on the path, 4 path.
 */
int match_program(const char *globs, const struct program *program);
/* Whether one that is a plain name or path matches. */
bool match_names(const char *globs, const struct program *program);
/* Whether every glob can match something: 0, or -EINVAL with a message. */
int match_check(const char *globs);

/* name.c - entries of a stack */

/* Whether two names are the same, '-' and '_' being one character. */
bool name_equal(const char *a, const char *b);
/* Letters, digits, '-', '_', at most NAME_MAX_LEN bytes, not a reserved word. */
bool name_valid(const char *name);
/*
 * Take the next comma-separated entry of *list into out (of size bytes),
 * trimmed.  Answers 1, 0 at the end, or -EINVAL with a message.
 */
int name_next(const char **list, char *out, size_t size);
/* Whether an entry is a soname or an absolute path of a .so, not a name. */
bool name_is_library(const char *entry);
/* Where .so, perhaps with numbers behind it, ends the last component; null: nowhere. */
const char *name_suffix(const char *path);
/* Whether an entry is in a list; errors of the list are left to name_next(). */
bool name_in_list(const char *entry, const char *list);
/* A whole list: at most STACK_MAX entries, none twice, `default` last if at all. */
int name_check_list(const char *list, bool may_default);

/* locate.c - an entry of a stack to a file */

/*
 * Where the module of a stack's entry lives.  path is what to open: resolved and
 * trusted, or a bare soname.  fd is open on the file of either, -1 if there is none
 * for the soname.
 */
struct location {
	char *name; /* module's name; for a path or soname derived from its basename */
	char *path;
	char *file; /* what a soname stands for; null for a path, and where fd is -1 */
	int fd;
};

int locate_module(const struct config *config, const char *entry, bool secure,
		  struct location *out);
void locate_free(struct location *location);
/*
 * The folder of installed modules: CHIC_ALLOC_MODULEDIR at build time.  The
 * environment variable of that name replaces it, for builds that are not
 * installed and for vendors' tests, but never in secure execution.
 */
const char *locate_moduledir(void);
/* For tests: dir, which must stay valid, instead; null ends that. */
void locate_set_moduledir(const char *dir);

/* soname.c - a soname to the file that the dynamic linker would take */

/*
 * Answers a descriptor and the path, to be freed; or a negative errno with a
 * message, -ENOENT where there is none for this machine.
 */
int soname_open(const char *soname, char **path);

/* elf.c - bounded reader of shared objects; believes no offset and maps nothing */

#define ELF_SEGMENTS_MAX 32

struct elf_segment {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t filesz;
	uint64_t memsz;
};

/* What the dynamic linker is told: tables, their sizes, flags. */
struct elf_dynamic {
	uint64_t strtab, strsz;
	uint64_t symtab;
	uint64_t hash, gnu_hash;
	uint64_t rela, relasz;
	uint64_t rel, relsz;
	uint64_t jmprel, pltrelsz, pltrel;
	uint64_t flags;
};

/* Holds no memory and does not own fd. */
struct elf {
	int fd;
	const char *path; /* for messages */
	bool program; /* an executable, perhaps at a fixed address */
	bool mapped; /* a process's memory, not a file: offsets are addresses */
	uint64_t base; /* where in fd it begins */
	uint64_t size;
	unsigned machine;
	uint64_t sections; /* offset of the section headers */
	unsigned n_sections;
	unsigned section_names;
	unsigned n_segments;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	struct elf_dynamic dynamic;
};

/* Whether it is ELF of another class, byte order or machine than this process. */
bool elf_is_foreign(int fd);
/* Check that fd is a whole shared object for this machine, and find its parts. */
int elf_open(struct elf *elf, int fd, const char *path);
/* The same of a program, without its sections; a static one has no dynamic segment. */
int elf_open_program(struct elf *elf, int fd, const char *path);
/* The same of a shared object that is mapped at base; fd is that process's memory. */
int elf_open_mapped(struct elf *elf, int fd, uint64_t base, const char *path);
/*
 * Read a section of at most max bytes into a fresh buffer, a NUL put behind it.
 * Answers 1, 0 if there is none, or a negative errno with a message.
 */
int elf_section(const struct elf *elf, const char *name, size_t max, char **data, size_t *len);
/* Read exactly len bytes; what names the part in messages. */
int elf_read(const struct elf *elf, const char *what, uint64_t offset, void *buf, size_t len);
/* The same from a place behind a virtual address that the file names. */
int elf_read_at(const struct elf *elf, const char *what, uint64_t vaddr, uint64_t skip,
		void *buf, size_t len);
/* The first segment of a type, null if there is none. */
const struct elf_segment *elf_segment(const struct elf *elf, uint32_t type);

/* elf_dynamic.c - what the dynamic linker would find in it */

/* Whether it defines a function of that name for others: 1, 0 or an error. */
int elf_defines(const struct elf *elf, const char *symbol);
/* Address and size of a variable that it defines for others: 1, 0 or an error. */
int elf_object(const struct elf *elf, const char *symbol, uint64_t *vaddr, uint64_t *size);
/* Bytes of thread-local storage. */
uint64_t elf_tls_size(const struct elf *elf);
/* Whether that must be in the static block, as with the initial-exec model. */
bool elf_tls_is_static(const struct elf *elf);
/* Whether it calls __tls_get_addr or a TLS descriptor: 1, 0 or an error. */
int elf_needs_tls_get_addr(const struct elf *elf);

/* modinfo.c - metadata of a module, read without running it */

enum param_type { PARAM_BOOL, PARAM_UINT, PARAM_SIZE, PARAM_STRING, PARAM_ENUM };

struct modinfo_param {
	char *name;
	enum param_type type;
	char *def;
	char *range;
	char *help;
};

struct modinfo {
	char *text; /* all strings point into it */
	bool found; /* the file has a .modinfo section */
	const char *name;
	const char *abi;
	const char *version; /* "" if absent, as the next three */
	const char *license;
	const char *description;
	const char *author;
	enum module_kind kind;
	bool frees_no;
	bool window; /* its thread words are windows */
	struct modinfo_param params[PARAMS_MAX];
	size_t n_params;
	bool malloc_family; /* without .modinfo: exports malloc, free, ... */
};

/*
 * Read the metadata of an open ELF file.  Checks class, machine, TLS, and every
 * key; a file without .modinfo is an error unless it exports a malloc family.
 * path is for messages.  Of a module for another ABI only the texts are filled.
 */
int modinfo_read(int fd, const char *path, struct modinfo *out);
/* The same, where a malloc family's names begin with prefix. */
int modinfo_read_prefixed(int fd, const char *path, const char *prefix, struct modinfo *out);
void modinfo_free(struct modinfo *info);
/* Check name, abi and kind against what the loader wants; name is the file's. */
int modinfo_check(const struct modinfo *info, const char *name, const char *path);
const char *module_kind_name(enum module_kind kind);
const char *param_type_name(enum param_type type);

/* param.c - values of parameters, checked against their declaration */

/*
 * Fill values[n_params] from the configuration; strings are owned by config and
 * info.  An unknown key of the module's section is an error.
 */
int param_fill(const struct modinfo *info, const struct config *config, const char *module,
	       struct chic_module_param *values);
/* Check one value; origin as "FILE:LINE" or "default of counting.output". */
int param_parse(const struct modinfo_param *param, const char *value, const char *origin,
		struct chic_module_param *out);
/* "64K" to bytes: 0 or -EINVAL, -ERANGE, without a message. */
int param_parse_size(const char *text, uint64_t *out);

/* family.c - a malloc family (the platform heap, a vendor's library) as a layer */

/* A layer over *family, which must outlive it. */
void family_layer(const struct chic_malloc_family *family, struct chic_layer *out);
/* The family's memalign, but what is not aligned is never answered. */
void *family_aligned(const struct chic_malloc_family *family, size_t align, size_t size);

/* The platform heap: the malloc that the process calls, or what an interposer says. */
const struct chic_layer *platform_layer(void);
const struct chic_malloc_family *platform_family(void);
void platform_set_family(const struct chic_malloc_family *family);

/* stock_options.c - options of stock libraries, which read them from the environment */

struct stock_options {
	char **variables; /* "NAME=VALUE" */
	size_t n;
	char separate; /* between options that are joined in one variable, else 0 */
};

/* Whether it can be a value of the key env: 0, or -EINVAL with a message. */
int stock_options_check_form(const char *text);
/*
 * What a stock library's section says but for the loader's keys.  A key without env,
 * and one that cannot be passed, is an error.
 */
int stock_options_read(const struct config *config, const char *module,
		       struct stock_options *out);
void stock_options_free(struct stock_options *options);
bool stock_options_equal(const struct stock_options *a, const struct stock_options *b);
/* Put them into the environment, which is what it was again after stock_options_leave(). */
int stock_options_enter(const struct stock_options *options);
void stock_options_leave(void);

/* tls.c - the static thread-local storage that libraries need */

/* How much the value of GLIBC_TUNABLES, which may be null, leaves for it. */
size_t tls_room(const char *tunables);
/* A value that leaves room for need, to be freed; null when out of memory. */
char *tls_tunables(const char *before, size_t need);
/* What a library's file asks for; 0 if that cannot be told. */
size_t tls_of_file(const char *path);

/* module.c - module files in memory: dlopen, symbols, use count */

struct module {
	struct module *next;
	char *name;
	char *path;
	char *prefix; /* what a family's names begin with */
	void *handle;
	struct modinfo info;
	bool native; /* has .modinfo; otherwise a stock library, used by its family */
	struct stock_options options; /* a stock library's */
	struct module_exports exports;
	struct chic_malloc_family family;
	unsigned uses;
};

/* The symbols of a module and where each is kept; ends with a null suffix. */
struct module_symbol {
	const char *suffix;
	size_t offset; /* in struct module_exports */
};

extern const struct module_symbol module_symbols[];
/* What the function of a malloc family may be called that tells a block's size. */
extern const char *const module_usable_sizes[];
/* What m's library tells of a request beforehand; functions that it has not stay null. */
void module_sizes(const struct module *m, struct chic_interposed *answer);

/* Find, check and open the module of a stack's entry, or count one more use. */
int module_get(const struct config *config, const char *entry, bool secure,
	       struct module **out);
void module_put(struct module *module);

/* stack.c - layers put on each other */

struct layer {
	struct completion completion;
	struct module *module;
	void *ctx;
	unsigned word; /* slot of its per-thread word */
	struct chic_module_args args;
	struct chic_module_leaves leaves;
	struct chic_module_param params[PARAMS_MAX];
};

struct stack {
	struct stack *next;
	unsigned number; /* 1 is the first that was loaded */
	unsigned owner; /* index of its counters in struct thread */
	unsigned uses; /* 1 for being the default, 1 for each table given out */
	bool counted; /* false once a table of it was given out */
	char *key; /* canonical text of modules and parameters */
	const struct chic_layer *top; /* the platform's when n_layers is 0 */
	struct config config; /* parameter texts live here */
	unsigned n_layers;
	struct layer layers[STACK_MAX]; /* 0 is the innermost */
};

/*
 * Build what config says; takes config over on success (*config is emptied).
 * malloc_family: it must be able to serve unmodified programs.
 */
int stack_build(struct config *config, bool secure, bool malloc_family, struct stack **out);
void stack_destroy(struct stack *stack);
/* Whose alloc hook is the stack's, if that lends windows; else null. */
const struct layer *stack_lender(const struct stack *stack);
/* Canonical text of the modules and parameters that config asks for, for the caller to free. */
int stack_key(const struct config *config, char **out);
/* Whether config asks for the platform heap and nothing above it. */
bool stack_is_platform(const struct config *config);
/*
 * What is counted of an unmodified program: without a stack it runs at full
 * platform speed unless counting was asked for.
 */
enum chic_telemetry stack_telemetry(const struct config *config);

/* reset.c - everything that a stack has handed out back at once */

/* stack may be null, the platform heap, which is refused. */
int stack_reset(struct stack *stack, size_t *dropped);

/* table.c - what the hot path reads: immutable, interned */

struct table {
	/* read by every request: two cache lines */
	_Alignas(64) const struct chic_malloc_family *direct; /* all four are this family */
	struct {
		chic_alloc_fn fn;
		void *ctx;
	} alloc;
	struct {
		chic_free_fn fn;
		void *ctx;
	} free;
	uint8_t owner[OP_COUNT]; /* whose counters, by operation */
	uint16_t counter[OP_COUNT]; /* where they are in struct thread: calls, bytes behind */
	uint16_t window; /* where the thread's is in struct thread */
	size_t window_sizes; /* sizes up to this are cut from windows; 0: none are lent */
	struct {
		chic_alloc_fn fn;
		void *ctx;
	} alloc_zeroed;
	struct {
		chic_realloc_fn fn;
		void *ctx;
	} realloc;
	/* what it was made of */
	ChicAllocatorVTable installed; /* all null for a default */
	const struct stack *stack; /* the default it falls back to */
	struct table *next;
};

/* The table for an installed vtable over a default; null when out of memory. */
const struct table *table_intern(const ChicAllocatorVTable *installed,
				 const struct stack *stack);

void table_prefork(void);
void table_postfork(void);

/* publish.c - which table is in force; hooks.c - the hot path */

/* The table in force; null until the configuration was applied at start-up. */
extern const struct table *hooks_table;
/* Apply the configuration, then the table in force. */
const struct table *hooks_start(void);
/* Make stack (null: the platform heap) the default; installed tables stay on top. */
int hooks_set_default(const struct stack *stack);
const struct stack *hooks_default(void);
void publish_prefork(void);
void publish_postfork(void);

/* thread.c - what the library keeps per thread */

enum { OWNER_CUSTOM, OWNER_MALLOC, OWNER_PLATFORM, OWNER_FIRST_STACK, OWNER_COUNT = 8 };

struct counters {
	union {
		AllocationTelemetry t;
		size_t word[2 * OP_COUNT]; /* calls by operation, then bytes by operation */
	};
	size_t realloc_fresh; /* reallocs of a null block, part of realloc_calls */
};

struct thread {
	struct counters owner[OWNER_COUNT];
	void *words[WORDS_MAX];
	AllocationTelemetry **malloc_cache; /* interposer's copy of &owner[OWNER_MALLOC].t */
	char *fault_stack; /* null where none was needed; stays with the struct */
	struct thread *next; /* all that ever were; never unlinked */
	struct thread *next_free;
	bool used;
	char message[MESSAGE_MAX];
};

/* Null before the thread's first request and after its end; one word of TLS. */
extern __thread struct thread *thread_self __attribute__((tls_model("initial-exec")));
/* Counters of threads that are ending or have no struct; added to atomically. */
extern struct counters thread_shared[OWNER_COUNT];

/* The calling thread's struct, made if need be; null if it is ending. */
struct thread *thread_attach(void);
/* Sum of one owner's counters over all threads. */
void thread_sum(unsigned owner, struct counters *out);
void **thread_word(unsigned slot);
int thread_word_get(void); /* a free slot or -ENOSPC */
void thread_word_put(unsigned slot);
void thread_prefork(void);
void thread_postfork_parent(void);
void thread_postfork_child(void);

/* telemetry.c - the counters */

/* Count in the shared slot: for threads that have none of their own. */
void telemetry_shared(unsigned owner, unsigned op, size_t bytes);
void telemetry_shared_realloc(unsigned owner, size_t bytes, size_t freed, bool fresh);
void telemetry_stats(AllocationTelemetry *out);
void telemetry_reset(void);
void telemetry_prefork(void);
void telemetry_postfork(void);
/* From now on the owner's live blocks and bytes are those of another stack. */
void telemetry_begin(unsigned owner);
/* The owner's live blocks have been given back all at once: count them as freed. */
void telemetry_drop(unsigned owner);
/* Live blocks and bytes of an owner. */
void telemetry_live(unsigned owner, size_t *blocks, size_t *bytes);

/* loader.c - the entry points: chic_alloc_load and its kin */

/* False if the calling thread has the lock already, and it is not to be unlocked then. */
bool loader_lock(void);
void loader_unlock(void);
/* Call fn for every layer with an instance; the loader's lock is held. */
void loader_each_layer(void (*fn)(struct layer *, void *arg), void *arg, bool innermost_first);
/* The lock is held: apply the configuration of this process, or say why not. */
void loader_start(bool malloc_family);
/* The platform heap for good: the preload library's copy of the loader serves. */
void loader_behind_preload(void);
/* chic_alloc_interpose() of this copy, whichever has that name in the process. */
void loader_interpose(const struct chic_malloc_family *platform, const char *standdown,
		      struct chic_interposed *out);

/* fault.c - the first look at SIGSEGV and SIGBUS, for modules */

/* fault_handler of struct chic_module_args; the loader's lock is held. */
int fault_handler(chic_fault_fn fn, void *ctx);
/* How many look; others may interpose sigaction() only while it is not 0. */
extern atomic_uint fault_handlers;
/* sigaction() as the program sees it, for these two signals. */
int fault_sigaction(int sig, const struct sigaction *act, struct sigaction *old);
/* The C library's, or that of another library which interposes it. */
extern int (*fault_next_sigaction)(int sig, const struct sigaction *act, struct sigaction *old);
void fault_postfork_child(void);

/* fault_stack.c - an alternate stack per thread, for the first look */

struct thread;
typedef void (*fault_function)(int sig, siginfo_t *info, void *context);
typedef int (*fault_looker)(int sig, siginfo_t *info, void *context);

/* Whether programs' sigaltstack() is fault_sigaltstack(): no stacks are given else. */
extern bool fault_stacks_hidden;
/* For the calling thread, where somebody looks; and when it ends. */
void fault_stack_begin(struct thread *t);
void fault_stack_end(struct thread *t);
/* sigaltstack() as the program sees it. */
int fault_sigaltstack(const stack_t *new, stack_t *old);
/*
 * Call the program's function where the system would have: not on our stack.  False
 * where there is no room for it, and the system would have ended the process.
 */
bool fault_call(fault_function fn, int sig, siginfo_t *info, ucontext_t *context);
/* Ask look, where there is room for it. */
int fault_look(fault_looker look, int sig, siginfo_t *info, void *context);

/* status.c - what a process leaves in its memory for `chic-alloc ps` */

#define STATUS_MAGIC 0x63696863u /* "chic", as bytes in the machine's order */
#define STATUS_VERSION 1

enum status_state {
	STATUS_STARTING, /* nothing is decided yet */
	STATUS_MANUAL, /* a linked program that applies a configuration when it likes */
	STATUS_PLATFORM, /* the platform heap, as was asked for */
	STATUS_SERVES, /* the stack */
	STATUS_REFUSED, /* the platform heap, because of an error */
	STATUS_STOOD_DOWN, /* the program is left alone */
};

/* Where a setting stands; line 0: not in a file, an empty file: nowhere. */
struct status_place {
	uint32_t line;
	char section[64];
	char file[256];
};

/* Each text ends in a NUL and is cut to its size. */
struct status_texts {
	struct status_place from; /* of the stack, or of its filters */
	struct status_place rule; /* of the rule that applies */
	char stack[256]; /* filters and modules; empty is the platform heap */
	char why[MESSAGE_MAX]; /* the error, or the reason for standing down */
	/* the request: programs write over the environment that they got */
	struct {
		uint32_t given; /* bits of STATUS_GIVEN_* */
		char named[256];
		char stack[256];
		char options[512];
	} asked;
};

enum { STATUS_GIVEN_NAMED = 1, STATUS_GIVEN_STACK = 2, STATUS_GIVEN_OPTIONS = 4 };

/*
 * The symbol chic_alloc_status in both libraries.  Private: another release may
 * have another one, which version says.  A process's record is another process's
 * input: believe nothing in it.
 */
struct status {
	uint32_t magic;
	uint32_t version;
	uint32_t size;
	uint32_t sequence; /* odd while it is being written */
	uint32_t state; /* enum status_state */
	uint32_t telemetry; /* enum chic_telemetry that is asked for */
	uint64_t key; /* hash of stack_key(); 0: platform heap, or not known */
	uint64_t request; /* hash of what the environment asked for; 0: nothing */
	int32_t texts; /* from the head of this to the texts; 0: all are empty */
	uint32_t reserved;
};

extern struct status status_record;

/* FNV-1a of one text more; begin with 0. */
uint64_t status_hash(uint64_t hash, const char *text);
uint64_t status_request_hash(const struct config_request *request);
/* What decides the stack: of filters alone, these; null where nothing is set. */
const struct setting *status_stack_from(const struct config *config);
/* Stack and places of a configuration, into empty texts. */
void status_describe(struct status_texts *out, const struct config *config);
/*
 * The loader's lock is held.  A config that was taken over is empty; stack, which
 * then has it, is null for the platform heap.
 */
void status_served(const struct config_request *request, const struct config *config,
		   const struct stack *stack);
/* The message says why; config is empty if it could not be read. */
void status_refused(const struct config_request *request, const struct config *config);
/* Nothing was asked for: the program is left alone, or is to ask by itself. */
void status_alone(enum status_state state, const char *why);

/* start.c - when the configuration is applied, and forks */

/* The configuration at start-up, once; whoever comes first does it. */
void start_once(void);
/* The kill switch that is set, in words; null if none is. */
const char *start_switched_off(void);

#pragma GCC visibility pop

#endif /* CHIC_LOADER_INTERNAL_H */
