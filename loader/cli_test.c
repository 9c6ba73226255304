// SPDX-License-Identifier: BSD-2-Clause
/*
 * chic-alloc test: the conformance suite, run on one module, in the Test Anything
 * Protocol, version 13.
 */
#define _GNU_SOURCE
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"

#define PATTERNS_MAX 64

struct test {
	struct cli_request request;
	struct conform_spec spec;
	const char *patterns[PATTERNS_MAX]; /* none: every case */
	unsigned n_patterns;
	unsigned failed;
	bool list, json;
};

/* ----------------------------------------------------- which cases --- */

static bool pattern_matches(const char *pattern)
{
	for (const struct conform_case *c = conform_cases; c->name; c++)
		if (fnmatch(pattern, c->name, 0) == 0)
			return true;
	return false;
}

static bool chosen(const struct test *t, const struct conform_case *c)
{
	for (unsigned i = 0; i < t->n_patterns; i++)
		if (fnmatch(t->patterns[i], c->name, 0) == 0)
			return true;
	return t->n_patterns == 0;
}

static void list_json(const struct test *t)
{
	struct json json = {.out = stdout};

	json_open(&json, NULL, '[');
	for (const struct conform_case *c = conform_cases; c->name; c++) {
		if (!chosen(t, c))
			continue;
		json_open(&json, NULL, '{');
		json_string(&json, "name", c->name);
		json_string(&json, "demand", c->demand);
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

static int list(const struct test *t)
{
	if (t->json) {
		list_json(t);
		return CLI_GOOD;
	}
	for (const struct conform_case *c = conform_cases; c->name; c++)
		if (chosen(t, c))
			printf("%-14s%s\n", c->name, c->demand);
	return CLI_GOOD;
}

/* ------------------------------------------------------------- TAP --- */

static void tap_begin(const struct test *t)
{
	unsigned n = 0;

	for (const struct conform_case *c = conform_cases; c->name; c++)
		n += chosen(t, c);
	printf("TAP version 13\n1..%u\n", n);
}

/* What a module prints is any text: no line of it must be taken for a result. */
static void tap_comment(const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins)
			fputs("# ", stdout);
		begins = *text == '\n';
		putchar(isprint((unsigned char)*text) || strchr("\n\t", *text) ? *text : '?');
	}
	if (!begins)
		putchar('\n');
}

static void tap_result(unsigned number, const struct conform_case *c,
		       const struct conform_result *result)
{
	bool ok = result->verdict != CONFORM_FAILED;

	printf("%s %u - %s", ok ? "ok" : "not ok", number, c->name);
	if (result->verdict == CONFORM_SKIPPED)
		printf(" # SKIP %s", result->text);
	putchar('\n');
	if (!ok)
		tap_comment(result->text);
	fflush(stdout);
}

/* The message about a file that cannot be loaded is that of its first case. */
static int tap_refused(const struct test *t)
{
	const struct conform_result result = {CONFORM_FAILED, (char *)message_get()};

	tap_begin(t);
	if (chosen(t, &conform_cases[0]))
		tap_result(1, &conform_cases[0], &result);
	printf("Bail out! %s\n", message_get());
	return CLI_NO;
}

static int run_case(struct test *t, unsigned number, const struct conform_case *c)
{
	struct conform_result result;
	int err = conform_run(c, &t->spec, &result);

	if (err) {
		printf("Bail out! %s\n", message_get());
		return err;
	}
	tap_result(number, c, &result);
	t->failed += result.verdict == CONFORM_FAILED;
	free(result.text);
	return 0;
}

static int run_cases(struct test *t)
{
	unsigned number = 0;

	tap_begin(t);
	for (const struct conform_case *c = conform_cases; c->name; c++)
		if (chosen(t, c) && run_case(t, ++number, c))
			return CLI_NO;
	if (t->failed)
		printf("# %u of %u failed\n", t->failed, number);
	return t->failed ? CLI_NO : CLI_GOOD;
}

/* ------------------------------------------------------ the module --- */

/* The linker reads its tunables once, at the start of a program.  Comes back if it fails. */
static void start_again(char **argv, size_t static_tls)
{
	char *tunables = cli_join_tunables(getenv("GLIBC_TUNABLES"), static_tls);
	char **again;
	size_t n = 0;

	while (argv[n])
		n++;
	again = calloc(n + 2, sizeof(*again));
	if (again && tunables && setenv("GLIBC_TUNABLES", tunables, 1) == 0) {
		again[0] = (char *)"chic-alloc";
		memcpy(again + 1, argv, n * sizeof(*again));
		execv("/proc/self/exe", again);
	}
	free(again);
	free(tunables);
}

/* What can be known of the entry without running it. */
static int look_at(struct test *t, struct cli_module *module, size_t *static_tls)
{
	struct config_request request;
	struct config config;
	int err;

	cli_request_fill(&t->request, &request);
	request.stack_origin = "test";
	err = config_read(&request, &config);
	if (err)
		return err;
	err = cli_check_stack(&config, false, static_tls);
	if (!err && strcmp(t->spec.entry, "default") != 0)
		err = cli_module_open(&config, t->spec.entry, module);
	config_free(&config);
	return err;
}

static void fill_spec(struct test *t, const struct cli_module *module)
{
	bool file = module->where.name;

	t->spec.name = file ? module->where.name : "default";
	t->spec.kind = file ? module->kind : "platform";
	t->spec.info = file ? &module->info : NULL;
	t->spec.conf = t->request.named;
	t->spec.options = t->request.options;
}

static int test(struct test *t, char **argv)
{
	struct cli_module module = {.where = {.fd = -1}};
	size_t static_tls = 0;
	int status;

	if (look_at(t, &module, &static_tls))
		return tap_refused(t);
	if (cli_needs_tunables(getenv("GLIBC_TUNABLES"), static_tls))
		start_again(argv, static_tls);
	fill_spec(t, &module);
	status = run_cases(t);
	if (t->spec.info)
		cli_module_close(&module);
	return status;
}

static int test_entry(struct test *t, const char *arg, char **argv)
{
	char *entry = cli_is_file(arg) ? cli_absolute(arg) : strdup(arg);
	int status;

	if (!entry)
		return cli_failed();
	t->request.stack = t->spec.entry = entry;
	if (strchr(entry, ',') || !*entry)
		status = cli_usage(&cli_test, "test: got '%s', expected one module", entry);
	else
		status = test(t, argv);
	free(entry);
	return status;
}

/* --------------------------------------------------------- options --- */

enum { OPT_CASE = CLI_OPT_HELP + 1, OPT_LIST, OPT_TIMEOUT, OPT_WORK, OPT_SEED };

static int bad_value(const char *option, const char *expected)
{
	return message_set(-EINVAL, "--%s: got '%s', expected %s", option, optarg, expected);
}

static int take_case(struct test *t)
{
	if (!pattern_matches(optarg))
		return bad_value("case", "the name of a case, see --list");
	if (t->n_patterns == PATTERNS_MAX)
		return bad_value("case", "fewer of them");
	t->patterns[t->n_patterns++] = optarg;
	return 0;
}

static int take_timeout(struct test *t)
{
	char *end;
	unsigned long seconds = strtoul(optarg, &end, 10);

	if (!isdigit((unsigned char)*optarg) || *end || !seconds || seconds > 86400)
		return bad_value("timeout", "1 to 86400 seconds");
	t->spec.timeout = (unsigned)seconds;
	return 0;
}

static int take_work(struct test *t)
{
	char *end;
	double seconds = strtod(optarg, &end);

	if (!isdigit((unsigned char)*optarg) || *end || !(seconds >= 0 && seconds <= 86400))
		return bad_value("work", "0 to 86400 seconds");
	t->spec.work = seconds;
	return 0;
}

static int take_seed(struct test *t)
{
	char *end;

	errno = 0;
	t->spec.seed = strtoul(optarg, &end, 10);
	if (!isdigit((unsigned char)*optarg) || *end || errno || t->spec.seed > UINT32_MAX)
		return bad_value("seed", "a number of up to 32 bits");
	return 0;
}

static int take_option(struct test *t, int opt)
{
	switch (opt) {
	case OPT_CASE:
		return take_case(t);
	case OPT_TIMEOUT:
		return take_timeout(t);
	case OPT_WORK:
		return take_work(t);
	case OPT_SEED:
		return take_seed(t);
	case OPT_LIST:
		t->list = true;
		return 0;
	case CLI_OPT_JSON:
		t->json = true;
		return 0;
	default:
		return cli_request_option(&t->request, opt, optarg);
	}
}

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"option", required_argument, NULL, 'o'},
	{"case", required_argument, NULL, OPT_CASE},
	{"list", no_argument, NULL, OPT_LIST},
	{"json", no_argument, NULL, CLI_OPT_JSON},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"work", required_argument, NULL, OPT_WORK},
	{"seed", required_argument, NULL, OPT_SEED},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* Options are read and right: what is asked for? */
static int act(struct test *t, int argc, char **argv)
{
	if (t->json && !t->list)
		return cli_usage(&cli_test, "test: --json goes with --list");
	if (t->list && optind == argc)
		return list(t);
	if (t->list)
		return cli_usage(&cli_test, "test: got '%s', expected nothing with --list",
				 argv[optind]);
	if (optind + 1 != argc)
		return cli_usage(&cli_test,
				 "test: got %d arguments, expected one NAME, FILE or SONAME",
				 argc - optind);
	return test_entry(t, argv[optind], argv);
}

static int run(int argc, char **argv)
{
	struct test t = {.spec = {.timeout = 60, .work = 0.5, .seed = 1}};
	int opt, status;

	while ((opt = getopt_long(argc, argv, "+:c:o:h", options, NULL)) != -1) {
		if (opt == 'h')
			status = cli_help(&cli_test);
		else if (opt == '?' || opt == ':')
			status = cli_bad_option(&cli_test, opt, argv);
		else if (take_option(&t, opt))
			status = cli_usage(&cli_test, "test: %s", message_get());
		else
			continue;
		goto out_request;
	}
	status = act(&t, argc, argv);
out_request:
	cli_request_free(&t.request);
	return status;
}

const struct cli_command cli_test = {
	.name = "test",
	.run = run,
	.waits = true,
	.summary = "hold a module to what its users rely on",
	.help = "usage: chic-alloc test [-c FILE] [-o SECTION.KEY=VALUE]... [--case GLOB]...\n"
		"                       [--timeout SECONDS] [--work SECONDS] [--seed NUMBER]\n"
		"                       NAME|FILE|SONAME\n"
		"       chic-alloc test --list [--case GLOB]... [--json]\n"
		"Run the conformance suite on a module or a stock malloc library, each case in "
		"a\n"
		"process of its own; 'default' is the platform heap.  The output is TAP.\n\n"
		"  -c, --config FILE   this file instead of the system's\n"
		"  -o, --option SECTION.KEY=VALUE\n"
		"                      one setting; SECTION is allocator or a module's name\n"
		"  --case GLOB         only cases whose names match; may be repeated\n"
		"  --timeout SECONDS   for each case, 60 unless given\n"
		"  --work SECONDS      for what each case does at random, 0.5 unless given\n"
		"  --seed NUMBER       of what is random, 1 unless given\n"
		"  --list              the cases and what they demand\n"
		"  --json              the list as an array of objects\n"
		"  -h, --help          this text\n\n"
		"Exit status: 0 all is well, 1 a case failed, 2 usage.\n",
};
