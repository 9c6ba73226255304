// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why a stack will not reach a program: one table, in the order in which it matters,
 * of what is looked for, what it means and what can be done.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PID_NS_INITIAL "pid:[4026531836]"

/* -------------------------------------------------------- prevented --- */

static bool is_switched_off(const struct cli_subject *s, struct cli_finding *f)
{
	return s->off && cli_finding_more(f, "%s", s->off);
}

/* As the preload library decides it. */
static bool is_init(const struct cli_subject *s, struct cli_finding *f)
{
	char ns[64] = "";
	ssize_t n;

	(void)f;
	if (!s->process || s->process->pid != 1)
		return false;
	n = readlink("/proc/1/ns/pid", ns, sizeof(ns) - 1);
	return n < 0 || strcmp(ns, PID_NS_INITIAL) == 0;
}

static bool is_no_program(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->binary.kind == CLI_BINARY_OTHER;
}

static bool is_foreign(const struct cli_subject *s, struct cli_finding *f)
{
	return s->binary.kind == CLI_BINARY_FOREIGN &&
	       (!*s->binary.why || cli_finding_more(f, "%s", s->binary.why));
}

static bool is_broken(const struct cli_subject *s, struct cli_finding *f)
{
	return s->binary.kind == CLI_BINARY_BROKEN && cli_finding_more(f, "%s", s->binary.why);
}

static bool is_static(const struct cli_subject *s, struct cli_finding *f)
{
	if (s->binary.kind != CLI_BINARY_STATIC)
		return false;
	return !cli_binary_has_note(&s->binary, "Go") || cli_finding_more(f, "a Go program");
}

/* What glibc calls its dynamic linker on every machine: ld-linux-x86-64.so.2, ld64.so.1. */
static bool is_glibc(const char *interpreter)
{
	const char *base = basename(interpreter);

	return strncmp(base, "ld-linux", 8) == 0 || strncmp(base, "ld64.so", 7) == 0 ||
	       strncmp(base, "ld.so", 5) == 0;
}

static bool has_other_libc(const struct cli_subject *s, struct cli_finding *f)
{
	const char *interpreter = s->binary.interpreter;

	if (!*interpreter || is_glibc(interpreter))
		return false;
	return cli_finding_more(f, "%s%s", interpreter,
				strstr(interpreter, "ld-musl") ? " (musl)" : "");
}

static bool has_no_linker(const struct cli_subject *s, struct cli_finding *f)
{
	const char *interpreter = s->binary.interpreter;

	return *interpreter && access(interpreter, F_OK) != 0 &&
	       cli_finding_more(f, "%s: %s", interpreter, strerror(errno));
}

/* The list of the system is followed for such programs, too. */
static bool gains_privileges(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->secure && !s->in_system_preload && !cli_subject_is_linked(s);
}

static bool is_runtime(const char *library, void *arg)
{
	static const char *const names[] = {
		"libasan.so",	      "libhwasan.so",	  "libtsan.so",	     "libclang_rt.asan",
		"libclang_rt.hwasan", "libclang_rt.tsan", "libclang_rt.msan"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(library, names[i], strlen(names[i])) == 0)
			return cli_finding_more(arg, "%s", library);
	return false;
}

/* The run-time library is linked with it or is inside. */
static bool has_sanitizer(const struct cli_subject *s, struct cli_finding *f)
{
	static const char *const names[] = {"__asan_init", "__hwasan_init", "__msan_init",
					    "__tsan_init"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (cli_binary_defines(&s->binary, names[i]))
			return cli_finding_more(f, "%s", names[i]);
	return cli_binary_needs(&s->binary, is_runtime, f);
}

static bool has_own_malloc(const struct cli_subject *s, struct cli_finding *f)
{
	static const struct {
		const char *symbol, *name;
	} heaps[] = {
		{"moz_arena_malloc", "mozjemalloc"}, {"mallctl", "jemalloc"},
		{"mi_malloc", "mimalloc"},	     {"tc_malloc", "tcmalloc"},
		{"scalable_malloc", "tbbmalloc"},
	};

	if (!cli_binary_defines(&s->binary, "malloc") &&
	    !cli_binary_defines(&s->binary, "free"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++)
		if (cli_binary_defines(&s->binary, heaps[i].symbol))
			return cli_finding_more(f, "%s", heaps[i].name);
	return true;
}

/* The other reasons are found in the file; this is what the process met at run time. */
static bool stood_down(const struct cli_subject *s, struct cli_finding *f)
{
	const struct cli_process *process = s->process;

	return process && process->recorded && s->changed != CLI_CHANGED_YES &&
	       process->record.head.state == STATUS_STOOD_DOWN && !s->off &&
	       cli_finding_more(f, "%s", process->record.texts.why);
}

static bool lacks_library(const struct cli_subject *s, struct cli_finding *f)
{
	if (cli_subject_is_linked(s) || (s->process && s->process->library.path))
		return false;
	return cli_preload_check(cli_preload_path()) &&
	       cli_finding_more(f, "%s", message_get());
}

static bool is_refused(const struct cli_subject *s, struct cli_finding *f)
{
	return s->refused && cli_finding_more(f, "%s", s->refused);
}

/* The same again would end in the same way. */
static bool was_refused(const struct cli_subject *s, struct cli_finding *f)
{
	const struct cli_process *process = s->process;

	return process && process->recorded && s->changed != CLI_CHANGED_YES && !s->refused &&
	       process->record.head.state == STATUS_REFUSED &&
	       cli_finding_more(f, "%s", process->record.texts.why);
}

static bool lacks_tls_for_good(const struct cli_subject *s, struct cli_finding *f)
{
	return s->secure && cli_needs_tunables(NULL, s->static_tls) &&
	       cli_finding_more(f, "%zu bytes", s->static_tls);
}

/* --------------------------------------------------------- bypassed --- */

static bool is_go(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->binary.kind == CLI_BINARY_DYNAMIC && cli_binary_has_note(&s->binary, "Go");
}

/*
 * By a text that each has in its messages, since a stripped program tells no more.
 * In two parts: this program has no such heap in it and must not look as if.
 */
static bool has_heap_inside(const struct cli_subject *s, struct cli_finding *f)
{
	static const struct {
		char first;
		const char *rest, *name;
	} heaps[] = {
		{'<', "jemalloc>: ", "jemalloc"},
		{'m', "imalloc: warning: ", "mimalloc"},
		{'t', "cmalloc: allocation failed", "tcmalloc"},
	};
	char text[64];

	if (s->binary.kind != CLI_BINARY_DYNAMIC || cli_binary_defines(&s->binary, "malloc"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(heaps); i++) {
		snprintf(text, sizeof(text), "%c%s", heaps[i].first, heaps[i].rest);
		if (cli_binary_contains(&s->binary, text))
			return cli_finding_more(f, "%s", heaps[i].name);
	}
	return false;
}

/* ------------------------------------------------------------ table --- */

const struct cli_reason cli_reasons[] = {
	{"switched-off", CLI_PREVENTS, is_switched_off, "",
	 "take the kill switch away: the variable, or the file"},
	{"init", CLI_PREVENTS, is_init,
	 "it is process 1 of the machine, which is left alone so that no mistake keeps the "
	 "machine from starting",
	 ""},
	{"not-a-program", CLI_PREVENTS, is_no_program,
	 "it is neither an ELF program nor a script", "name the program that runs it"},
	{"foreign", CLI_PREVENTS, is_foreign,
	 "it is for another machine than the preload library",
	 "install the preload library for that machine as well; in LD_PRELOAD, $LIB stands "
	 "for the folder of libraries of the program's kind"},
	{"damaged", CLI_PREVENTS, is_broken, "its file is damaged", ""},
	{"static", CLI_PREVENTS, is_static, "it is statically linked",
	 "link it dynamically, or with libchic_alloc for what it asks of chic_rt_alloc"},
	{"libc", CLI_PREVENTS, has_other_libc, "its C library is not glibc",
	 "use a build of the program for glibc"},
	{"linker", CLI_PREVENTS, has_no_linker,
	 "it cannot start: its dynamic linker is missing", "install that"},
	{"privileges", CLI_PREVENTS, gains_privileges,
	 "it gains privileges when it starts, so that the dynamic linker ignores LD_PRELOAD",
	 "name the preload library in " CLI_SYSTEM_PRELOAD
	 ", which holds for such programs, too; from LD_PRELOAD they take only a library "
	 "named without a slash, in a folder of the system, that has the set-user-ID bit"},
	{"sanitizer", CLI_PREVENTS, has_sanitizer, "it carries a sanitizer",
	 "build it without -fsanitize: the sanitizer's own malloc has to come first, and "
	 "some of them do not start behind a preloaded library"},
	{"own-malloc", CLI_PREVENTS, has_own_malloc, "it defines malloc itself",
	 "build it without an allocator of its own (often --disable-jemalloc or the like)"},
	{"stood-down", CLI_PREVENTS, stood_down, "it was left alone", ""},
	{"library", CLI_PREVENTS, lacks_library, "the preload library cannot be loaded",
	 "install chic-alloc where the program looks: a container has files of its own"},
	{"configuration", CLI_PREVENTS, is_refused, "what is configured is refused",
	 "see the message; chic-alloc config shows what is set and where"},
	{"refused", CLI_PREVENTS, was_refused, "its stack was refused when it started",
	 "see the message, then restart it"},
	{"static-tls-privileges", CLI_PREVENTS, lacks_tls_for_good,
	 "its stack needs more static thread-local storage than there is, and a program "
	 "that gains privileges takes no tunables",
	 "choose another module in a rule for it"},
	{"go", CLI_BYPASSES, is_go,
	 "it is a Go program, whose runtime has a heap of its own: only its parts in C use "
	 "malloc",
	 "set GOGC and GOMEMLIMIT instead: that heap cannot be replaced"},
	{"heap-inside", CLI_BYPASSES, has_heap_inside,
	 "it has an allocator inside that it calls by other names than malloc",
	 "build it to use the system's allocator"},
	{.name = NULL},
};
