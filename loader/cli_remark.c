// SPDX-License-Identifier: BSD-2-Clause
/*
 * What does not keep a stack from a program but should be known: a second table in
 * the manner of cli_reason.c's.
 */
#define _GNU_SOURCE
#include "cli_process.h"

#include <stdlib.h>
#include <string.h>

static bool is_unreadable(const struct cli_subject *s, struct cli_finding *f)
{
	return s->binary.kind == CLI_BINARY_UNREADABLE &&
	       cli_finding_more(f, "%s", s->binary.why);
}

static bool is_linked(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return cli_subject_is_linked(s);
}

static bool is_platform(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->platform && !s->refused;
}

static bool needs_tls(const struct cli_subject *s, struct cli_finding *f)
{
	char *tunables;

	if (s->secure || !cli_needs_tunables(s->tunables, s->static_tls))
		return false;
	cli_finding_more(f, "%zu bytes", s->static_tls);
	tunables = cli_join_tunables(s->tunables, s->static_tls);
	if (tunables)
		snprintf(f->fix, sizeof(f->fix),
			 "chic-alloc run and enable see to it; elsewhere set "
			 "GLIBC_TUNABLES=%s",
			 tunables);
	free(tunables);
	return true;
}

static bool gains_if_allowed(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return !s->process && !s->secure &&
	       cli_binary_gains(&s->binary) == CLI_GAINS_FOR_OTHERS;
}

static bool is_secure(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->secure && (s->in_system_preload || cli_subject_is_linked(s));
}

static bool is_shell_script(const struct cli_subject *s, struct cli_finding *f)
{
	static const char *const shells[] = {"sh", "dash", "bash", "ksh", "zsh"};

	(void)f;
	if (!s->script || !s->program->exe)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
		if (strcmp(basename(s->program->exe), shells[i]) == 0)
			return true;
	return false;
}

static bool is_vendors(const char *library, void *arg)
{
	static const char *const names[] = {"libjemalloc",  "libtcmalloc", "libmimalloc",
					    "libtbbmalloc", "libsnmalloc", "libhoard",
					    "librpmalloc"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strncmp(library, names[i], strlen(names[i])) == 0)
			return cli_finding_more(arg, "%s", library);
	return false;
}

static bool links_vendor(const struct cli_subject *s, struct cli_finding *f)
{
	return cli_binary_needs(&s->binary, is_vendors, f);
}

static bool opens_deep(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return cli_binary_defines(&s->binary, "php_load_extension");
}

static bool is_python(const char *library, void *arg)
{
	(void)arg;
	return strncmp(library, "libpython", strlen("libpython")) == 0;
}

/* Interpreters that take large pieces and deal them out by themselves. */
static bool deals_out(const struct cli_subject *s, struct cli_finding *f)
{
	static const struct {
		const char *symbol, *why, *fix;
	} dealers[] = {
		{"php_load_extension", "PHP, in pieces of 2 MiB by mmap", "USE_ZEND_ALLOC=0"},
		{"PyObject_Malloc", "Python, in pieces of 256 KiB by mmap",
		 "PYTHONMALLOC=malloc"},
		{"_ZN2v87Isolate3NewERKNS0_12CreateParamsE", "JavaScript objects of V8", ""},
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dealers); i++)
		if (cli_binary_defines(&s->binary, dealers[i].symbol) ||
		    (i == 1 && cli_binary_needs(&s->binary, is_python, NULL)))
			break;
	if (i == ARRAY_SIZE(dealers))
		return false;
	if (*dealers[i].fix)
		snprintf(f->fix, sizeof(f->fix), "%s in its environment sends them to malloc",
			 dealers[i].fix);
	return cli_finding_more(f, "%s", dealers[i].why);
}

static bool is_not_preloaded(const struct cli_subject *s, struct cli_finding *f)
{
	const struct cli_process *process = s->process;
	const char *list;

	if (!process || process->library.path)
		return false;
	list = cli_process_getenv(process, "LD_PRELOAD");
	if (list && strstr(list, CLI_PRELOAD_NAME)) {
		snprintf(f->why, sizeof(f->why),
			 "its LD_PRELOAD names the preload library, which is not in it");
		snprintf(f->fix, sizeof(f->fix),
			 "see what the dynamic linker printed when it started");
	} else if (process->unit) {
		snprintf(f->fix, sizeof(f->fix),
			 "chic-alloc enable %.100s, then systemctl restart %.100s",
			 process->unit, process->unit);
	}
	return true;
}

static bool has_changed(const struct cli_subject *s, struct cli_finding *f)
{
	(void)f;
	return s->process && s->changed == CLI_CHANGED_YES;
}

static bool was_replaced(const struct cli_subject *s, struct cli_finding *f)
{
	return s->process && s->process->library.gone &&
	       cli_finding_more(f, "%s", s->process->library.path);
}

/* ------------------------------------------------------------ table --- */

const struct cli_reason cli_remarks[] = {
	{"unreadable", CLI_REMARK, is_unreadable,
	 "its file cannot be read, so that nothing more is known of it", "ask as root"},
	{"not-preloaded", CLI_REMARK, is_not_preloaded,
	 "it was started without the preload library",
	 "restart it with it: chic-alloc enable for a service, chic-alloc run for a program"},
	{"changed", CLI_REMARK, has_changed, "the configuration has changed since it started",
	 "restart it"},
	{"replaced", CLI_REMARK, was_replaced,
	 "the library in it is not the installed file any more",
	 "restart it to have the new one"},
	{"no-stack", CLI_REMARK, is_platform,
	 "no stack is configured for it: it stays on the platform heap",
	 "write a [program] section with a module, or try one by chic-alloc run -m STACK"},
	{"static-tls", CLI_REMARK, needs_tls,
	 "its stack needs more static thread-local storage than there is", ""},
	{"privileges-of-others", CLI_REMARK, gains_if_allowed,
	 "for other users it gains privileges, and ignores LD_PRELOAD then", ""},
	{"privileges-system", CLI_REMARK, is_secure,
	 "it gains privileges: CHIC_ALLOC_* variables, named files and modules from "
	 "elsewhere than the module folder are ignored",
	 ""},
	{"linked", CLI_REMARK, is_linked,
	 "it is linked with libchic_alloc: chic_rt_alloc and its kin get the stack without "
	 "the preload library, its malloc only with it",
	 ""},
	{"shell-script", CLI_REMARK, is_shell_script,
	 "it is a shell script: what it starts is looked at by itself", ""},
	{"vendor", CLI_REMARK, links_vendor,
	 "it is linked with an allocator, which the stack replaces", ""},
	{"deepbind", CLI_REMARK, opens_deep,
	 "it opens its extensions with RTLD_DEEPBIND, which the preload library takes away "
	 "so that they find the same malloc",
	 ""},
	{"deals-out", CLI_REMARK, deals_out, "much of its memory does not come from malloc",
	 ""},
	{.name = NULL},
};
