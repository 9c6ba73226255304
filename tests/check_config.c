// SPDX-License-Identifier: BSD-2-Clause
/*
 * check_config.c - files, rules and requests become the configuration of one
 * program.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "internal.h"

#include "fault.h"
#include "tmproot.h"

#include <errno.h>
#include <fcntl.h>

static struct config config;

static void read_for(const struct config_request *request)
{
	ck_assert_msg(config_read(request, &config) == 0, "%s", message_get());
}

static void read_plain(void)
{
	read_for(&(struct config_request){0});
}

static void read_program(const char *execfn)
{
	read_for(&(struct config_request){.program.execfn = execfn});
}

static void teardown(void)
{
	config_free(&config);
	root_teardown();
}

static void expect_empty(const struct config *c)
{
	static const struct config empty;

	ck_assert_mem_eq(c, &empty, sizeof(empty));
}

static void expect_refused(const struct config_request *request, int err, const char *message)
{
	ck_assert_int_eq(config_read(request, &config), err);
	ck_assert_msg(strstr(message_get(), message), "%s", message_get());
	expect_empty(&config);
}

static void expect_from(const struct setting *from, const char *path, unsigned line)
{
	ck_assert_ptr_nonnull(from);
	ck_assert_str_eq(from->file, in_root(path));
	ck_assert_uint_eq(from->line, line);
}

/* ------------------------------------------------------ merging --- */

START_TEST(without_files_the_built_in_defaults_hold)
{
	read_plain();

	ck_assert_str_eq(config.stack, "");
	ck_assert_str_eq(config.filters, "");
	ck_assert_int_eq(config.on_error, ON_ERROR_DEFAULT);
	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_CALLS);
	ck_assert_int_eq(config.log, LOG_TO_AUTO);
	ck_assert(!config.stack_from && !config.filters_from && !config.on_error_from);
	ck_assert(!config.telemetry_from && !config.log_from && !config.rule);
	ck_assert(!config.fail_counts && !config.log_path);
}
END_TEST

START_TEST(one_file_sets_all)
{
	put("etc/chic-alloc.conf", "[allocator]\nmodule = counting, guard\nfilters = trace\n"
				   "on_error = fail\ntelemetry = full\nlog = /var/log/x\n");
	read_plain();

	ck_assert_str_eq(config.stack, "counting, guard");
	ck_assert_str_eq(config.filters, "trace");
	ck_assert_int_eq(config.on_error, ON_ERROR_FAIL);
	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_FULL);
	ck_assert_int_eq(config.log, LOG_TO_FILE);
	ck_assert_str_eq(config.log_path, "/var/log/x");
	expect_from(config.stack_from, "etc/chic-alloc.conf", 2);
	expect_from(config.log_from, "etc/chic-alloc.conf", 6);
}
END_TEST

START_TEST(later_files_override_key_by_key)
{
	put("presets/p.conf", "[module m]\nk = 1\nl = 1\nm = 1\n");
	put("presets/q.conf", "[module m]\nm = 2\n");
	put("run/a.conf", "[allocator]\nmodule = arena\ntelemetry = off\n");
	put("run/b.conf", "[allocator]\ntelemetry = full\n");
	put("etc/chic-alloc.conf", "[module m]\nk = 2\nl = 3\n");
	put("etc/chic-alloc.conf.d/z.conf", "\n[module m]\nk = 4\n");
	read_plain();

	ck_assert_str_eq(config.stack, "arena");
	expect_from(config.stack_from, "run/a.conf", 2);
	expect_from(config.telemetry_from, "run/b.conf", 2);
	ck_assert_str_eq(config_module_setting(&config, "m", "k")->value, "4");
	expect_from(config_module_setting(&config, "m", "k"), "etc/chic-alloc.conf.d/z.conf",
		    3);
	ck_assert_str_eq(config_module_setting(&config, "m", "l")->value, "3");
	ck_assert_str_eq(config_module_setting(&config, "m", "m")->value, "2");
	ck_assert_uint_eq(config.files.n, 6);
	ck_assert_str_eq(config.files.paths[0], in_root("presets/p.conf"));
}
END_TEST

START_TEST(a_replaced_or_masked_file_is_not_read)
{
	put("presets/a.conf", "[nonsense]\n");
	put("presets/b.conf", "[nonsense]\n");
	put("run/a.conf", "[allocator]\nmodule = guard\n");
	put_link("etc/chic-alloc.conf.d/b.conf", "/dev/null");
	read_plain();

	ck_assert_str_eq(config.stack, "guard");
	ck_assert_uint_eq(config.files.n, 1);
}
END_TEST

START_TEST(a_named_file_is_read_after_the_presets_alone)
{
	put("presets/m.conf", "[module mimalloc]\npath = libmimalloc.so.2\n");
	put("etc/chic-alloc.conf", "[nonsense]\n");
	put("mine", "[allocator]\nmodule = mimalloc\n");
	read_for(&(struct config_request){.named = in_root("mine")});

	ck_assert_str_eq(config.stack, "mimalloc");
	ck_assert_ptr_nonnull(config_module_setting(&config, "mimalloc", "path"));
}
END_TEST

START_TEST(presets_are_read_where_a_module_is_asked_for)
{
	put("presets/bad.conf", "[nonsense]\n");
	put("etc/chic-alloc.conf", "[program a]\nmodule = guard\n");
	read_program("b");

	ck_assert_str_eq(config.stack, "");
	config_free(&config);
	expect_refused(&(struct config_request){.program.execfn = "a"}, -EINVAL, "bad.conf:1");
	expect_refused(&(struct config_request){.presets = true}, -EINVAL, "bad.conf:1");
}
END_TEST

START_TEST(a_broken_preset_stops_a_program_that_wants_it)
{
	put("presets/bad.conf", "[nonsense]\n");
	put("mine", "[allocator]\nmodule = guard\non_error = fail\n");

	ck_assert_int_eq(
		config_read(&(struct config_request){.named = in_root("mine")}, &config),
		-EINVAL);
	ck_assert(config.fail_counts);
}
END_TEST

START_TEST(the_rule_holds_after_the_presets_were_read)
{
	char text[4096] = "";

	for (int i = 0; i < 100; i++)
		sprintf(text + strlen(text), "[module m%d]\nk = 1\n", i);
	put("presets/many.conf", text);
	put("etc/chic-alloc.conf", "[program a]\nmodule = guard\ntelemetry = off\n");
	read_program("a");

	ck_assert_str_eq(config.rule->section, "program a");
	ck_assert_str_eq(config.stack, "guard");
	expect_from(config.stack_from, "etc/chic-alloc.conf", 2);
	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_OFF);
}
END_TEST

START_TEST(a_preset_says_what_modules_are_and_nothing_else)
{
	const struct config_request any = {.presets = true};

	put("presets/p.conf", "[module m]\nk = 1\n[allocator]\nmodule = m\n");
	expect_refused(&any, -EINVAL,
		       "presets/p.conf:3: section of a preset, got '[allocator]'");
	put("presets/p.conf", "[program sh]\nmodule = m\n");
	expect_refused(&any, -EINVAL,
		       "presets/p.conf:1: section of a preset, got '[program sh]'");
	put("presets/p.conf", "[module m]\nk = 1\nk = 2\n");
	expect_refused(&any, -EINVAL, "duplicate key, got 'k'");
}
END_TEST

/* -------------------------------------------------------- rules --- */

static const char rules[] = "[allocator]\n"
			    "module = base\n"
			    "telemetry = off\n"
			    "[program any]\n"
			    "match = ja*\n"
			    "module = by-glob\n"
			    "[program java]\n"
			    "module = by-name\n"
			    "[program jvm]\n"
			    "match = /opt/*/java\n"
			    "module = by-path-glob\n"
			    "[program this]\n"
			    "match = /opt/jdk/java\n"
			    "module = by-path\n"
			    "log = none\n";

static const struct {
	const char *execfn, *stack;
} matches[] = {
	{"/usr/bin/perl", "base"},    {"/usr/bin/javac", "by-glob"},
	{"/usr/bin/java", "by-name"}, {"/opt/x/java", "by-path-glob"},
	{"/opt/jdk/java", "by-path"}, {NULL, "base"},
};

START_TEST(the_most_specific_rule_wins)
{
	put("etc/chic-alloc.conf", rules);
	read_program(matches[_i].execfn);

	ck_assert_str_eq(config.stack, matches[_i].stack);
	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_OFF);
	ck_assert_int_eq(config.rule != NULL, strcmp(matches[_i].stack, "base") != 0);
}
END_TEST

START_TEST(the_resolved_executable_counts_too)
{
	put("etc/chic-alloc.conf", "[program redis-check-rdb]\nmodule = a\n");
	read_for(&(struct config_request){.program.execfn = "/usr/bin/redis-server",
					  .program.exe = "/usr/bin/redis-check-rdb"});

	ck_assert_str_eq(config.stack, "a");
	ck_assert_str_eq(config.rule->section, "program redis-check-rdb");
}
END_TEST

START_TEST(among_equal_rules_the_later_file_wins)
{
	put("etc/chic-alloc.conf", "[program one]\nmatch = x\nmodule = a\n"
				   "[program two]\nmatch = x\nmodule = b\n");
	put("etc/chic-alloc.conf.d/z.conf", "[program three]\nmatch = x\nmodule = c\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "c");
}
END_TEST

START_TEST(among_equal_rules_of_one_file_the_later_line_wins)
{
	put("etc/chic-alloc.conf", "[program one]\nmatch = x\nmodule = a\n"
				   "[program two]\nmatch = x\nmodule = b\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "b");
}
END_TEST

START_TEST(a_drop_in_that_changes_a_rule_makes_it_the_later)
{
	put("etc/chic-alloc.conf", "[program one]\nmatch = x\nmodule = a\n"
				   "[program two]\nmatch = x\nmodule = b\n");
	put("etc/chic-alloc.conf.d/z.conf", "[program one]\nlog = none\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "a");
	ck_assert_int_eq(config.log, LOG_TO_NONE);
}
END_TEST

START_TEST(a_less_specific_rule_of_a_later_file_loses)
{
	put("etc/chic-alloc.conf", "[program x]\nmodule = a\n");
	put("etc/chic-alloc.conf.d/z.conf", "[program all]\nmatch = *\nmodule = b\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "a");
}
END_TEST

START_TEST(a_rule_may_choose_the_platform_heap_and_no_filters)
{
	put("etc/chic-alloc.conf", "[allocator]\nmodule = guard\nfilters = counting\n"
				   "[program x]\nmodule =\nfilters =\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "");
	ck_assert_str_eq(config.filters, "");
	expect_from(config.stack_from, "etc/chic-alloc.conf", 5);
}
END_TEST

START_TEST(filters_stand_before_the_rules_stack)
{
	put("etc/chic-alloc.conf",
	    "[allocator]\nfilters = counting\n[program x]\nmodule = a\n");
	read_program("/bin/x");

	ck_assert_str_eq(config.stack, "a");
	ck_assert_str_eq(config.filters, "counting");
}
END_TEST

/* ------------------------------------------------------ request --- */

START_TEST(options_override_files_and_rules)
{
	put("etc/chic-alloc.conf", "[allocator]\ntelemetry = off\n[module guard]\nsample = 1\n"
				   "[program x]\ntelemetry = full\n");
	read_for(&(struct config_request){
		.options =
			"allocator.telemetry=calls\n\nguard.sample=5000\nguard.a=b=c\nguard.e=",
		.program.execfn = "/bin/x",
	});

	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_CALLS);
	ck_assert_str_eq(config.telemetry_from->file, "CHIC_ALLOC_OPTIONS");
	ck_assert_uint_eq(config.telemetry_from->line, 0);
	ck_assert_str_eq(config_module_setting(&config, "guard", "sample")->value, "5000");
	ck_assert_str_eq(config_module_setting(&config, "guard", "a")->value, "b=c");
	ck_assert_str_eq(config_module_setting(&config, "guard", "e")->value, "");
}
END_TEST

START_TEST(of_two_equal_options_the_later_wins)
{
	read_for(&(struct config_request){.options = "guard.sample=1\nguard.sample=2"});

	ck_assert_str_eq(config_module_setting(&config, "guard", "sample")->value, "2");
}
END_TEST

static const struct {
	const char *options, *message;
} bad_options[] = {
	{"guard", "-o: bad option, got 'guard', expected SECTION.KEY=VALUE"},
	{"guard=1", "-o: bad option, got 'guard', expected SECTION.KEY=VALUE"},
	{".sample=1", "-o: bad option, got '.sample'"},
	{"guard.=1", "-o: bad option, got 'guard.'"},
	{"default.x=1", "-o: bad module name, got 'default'"},
	{"program java.module=x", "-o: bad module name, got 'program java'"},
	{"allocator.modul=x",
	 "-o: unknown key of [allocator], got 'modul', expected one of module"},
	{"allocator.telemetry=some", "-o: telemetry: bad value, got 'some', expected full"},
	{"allocator.module=a,a", "-o: module: repeated module, got 'a' again"},
};

START_TEST(bad_options_are_refused)
{
	expect_refused(&(struct config_request){.options = bad_options[_i].options,
						.options_origin = "-o"},
		       -EINVAL, bad_options[_i].message);
}
END_TEST

START_TEST(a_requested_stack_overrides_all_and_drops_filters)
{
	put("etc/chic-alloc.conf",
	    "[allocator]\nmodule = a\nfilters = f\n[program x]\nmodule = b\n");
	read_for(&(struct config_request){
		.stack = "counting, guard",
		.stack_origin = "-m",
		.options = "allocator.module=c",
		.program.execfn = "/bin/x",
	});

	ck_assert_str_eq(config.stack, "counting, guard");
	ck_assert_str_eq(config.filters, "");
	ck_assert_str_eq(config.stack_from->file, "-m");
	ck_assert_str_eq(config.rule->section, "program x");
}
END_TEST

START_TEST(an_empty_requested_stack_is_the_platform_heap)
{
	put("etc/chic-alloc.conf", "[allocator]\nmodule = a\nfilters = f\n");
	read_for(&(struct config_request){.stack = ""});

	ck_assert_str_eq(config.stack, "");
	ck_assert_str_eq(config.filters, "");
}
END_TEST

START_TEST(secure_execution_ignores_the_request)
{
	put("etc/chic-alloc.conf", "[allocator]\nmodule = a\n");
	if (getuid() != 0) {
		expect_refused(&(struct config_request){.secure = true}, -EACCES, "owner");
		return;
	}
	read_for(&(struct config_request){
		.secure = true,
		.named = "/nonexistent",
		.stack = "evil",
		.options = "allocator.telemetry=full",
	});

	ck_assert_str_eq(config.stack, "a");
	ck_assert_int_eq(config.telemetry, CHIC_TELEMETRY_CALLS);
}
END_TEST

START_TEST(a_bad_requested_stack_names_its_origin)
{
	expect_refused(&(struct config_request){.stack = "a,,b"}, -EINVAL,
		       "CHIC_ALLOC_MODULE: module: empty entry, got ',b'");
}
END_TEST

/* ----------------------------------------------------- on_error --- */

START_TEST(fail_does_not_count_for_the_whole_system)
{
	put("etc/chic-alloc.conf", "[allocator]\non_error = fail\n");
	read_plain();

	ck_assert_int_eq(config.on_error, ON_ERROR_FAIL);
	ck_assert(!config.fail_counts);
}
END_TEST

START_TEST(fail_counts_in_a_rule)
{
	put("etc/chic-alloc.conf", "[program x]\non_error = fail\n");
	read_program("/bin/x");

	ck_assert(config.fail_counts);
}
END_TEST

/* One of these meets every program there is, init's among them. */
START_TEST(fail_does_not_count_in_a_rule_of_globs)
{
	put("etc/chic-alloc.conf", "[program all]\nmatch = *, /bin/*\non_error = fail\n");
	read_program("/bin/x");
	ck_assert_int_eq(config.on_error, ON_ERROR_FAIL);
	ck_assert(!config.fail_counts);
	config_free(&config);

	put("etc/chic-alloc.conf", "[program all]\nmatch = x, /bin/*\non_error = fail\n");
	read_program("/bin/x");
	ck_assert(config.fail_counts);
	config_free(&config);
	read_program("/bin/y");
	ck_assert(!config.fail_counts);
	config_free(&config);

	put("mine", "[program all]\nmatch = *\non_error = fail\n");
	read_for(&(struct config_request){.named = in_root("mine"), .program.execfn = "x"});
	ck_assert(config.fail_counts);
}
END_TEST

START_TEST(fail_counts_in_a_named_file)
{
	put("presets/p.conf", "[module m]\nk = 1\n");
	put("mine", "[allocator]\non_error = fail\n");
	read_for(&(struct config_request){.named = in_root("mine")});

	ck_assert(config.fail_counts);
}
END_TEST

START_TEST(fail_counts_also_when_an_error_follows)
{
	put("mine", "[allocator]\non_error = fail\nfilters = a\nmodul = x\n");
	ck_assert_int_lt(
		config_read(&(struct config_request){.named = in_root("mine")}, &config), 0);
	ck_assert(config.fail_counts);

	put("mine", "[allocator]\non_error = fail\nfilters = a\nmodule = a\n");
	ck_assert_int_lt(
		config_read(&(struct config_request){.named = in_root("mine")}, &config), 0);
	ck_assert(config.fail_counts);
	config.fail_counts = false;
	expect_empty(&config);
}
END_TEST

START_TEST(fail_counts_under_run)
{
	put("etc/chic-alloc.conf", "[allocator]\non_error = fail\n");
	read_for(&(struct config_request){.run = true});

	ck_assert(config.fail_counts);
}
END_TEST

START_TEST(default_counts_as_no_failure)
{
	put("etc/chic-alloc.conf",
	    "[allocator]\non_error = fail\n[program x]\non_error = default\n");
	read_for(&(struct config_request){.run = true, .program.execfn = "x"});

	ck_assert_int_eq(config.on_error, ON_ERROR_DEFAULT);
	ck_assert(!config.fail_counts);
}
END_TEST

/* ---------------------------------------------------- bad input --- */

START_TEST(a_named_file_that_is_missing)
{
	const char *path = in_root("missing.conf");

	expect_refused(&(struct config_request){.named = path}, -ENOENT, path);
}
END_TEST

START_TEST(a_named_file_that_is_a_directory)
{
	const char *path = in_root("folder.conf");

	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_ne(config_read(&(struct config_request){.named = path}, &config), 0);
	ck_assert_ptr_nonnull(strstr(message_get(), path));
	ck_assert_ptr_nonnull(strstr(message_get(), "directory"));
	expect_empty(&config);
}
END_TEST

START_TEST(a_file_that_is_unreadable)
{
	put("etc/chic-alloc.conf", "[allocator]\n");
	ck_assert_int_eq(chmod(in_root("etc/chic-alloc.conf"), 0), 0);
	ck_assert_int_eq(chmod(root, 0755), 0);
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(65534), 0);

	expect_refused(&(struct config_request){0}, -EACCES, in_root("etc/chic-alloc.conf"));
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_file_that_others_may_write)
{
	put("etc/chic-alloc.conf", "[allocator]\n");
	ck_assert_int_eq(chmod(in_root("etc/chic-alloc.conf"), 0666), 0);

	expect_refused(&(struct config_request){0}, -EACCES, in_root("etc/chic-alloc.conf"));
}
END_TEST

START_TEST(a_link_that_leads_nowhere)
{
	put_link("etc/chic-alloc.conf", "nowhere");

	expect_refused(&(struct config_request){0}, -ENOENT, in_root("etc/chic-alloc.conf"));
}
END_TEST

START_TEST(a_file_of_more_than_a_megabyte)
{
	char *text = malloc((1 << 20) + 1);

	memset(text, '\n', (1 << 20) + 1);
	put_bytes("etc/chic-alloc.conf", text, (1 << 20) + 1);
	free(text);

	expect_refused(&(struct config_request){0}, -EFBIG, in_root("etc/chic-alloc.conf"));
}
END_TEST

START_TEST(a_file_with_nul_bytes)
{
	put_bytes("etc/chic-alloc.conf", "[allocator]\nmodule = a\0b\n", 25);

	expect_refused(&(struct config_request){0}, -EINVAL, "chic-alloc.conf:2: NUL byte");
}
END_TEST

static const struct {
	const char *text, *message;
} bad_files[] = {
	{"[allocator]\nmodule = a, a\n",
	 "etc/chic-alloc.conf:2: module: repeated module, got 'a'"},
	{"[allocator]\nmodule = a\nfilters = f, a\n",
	 "etc/chic-alloc.conf:3: repeated module, got 'a' in filters and in module of "
	 "[allocator]"},
	{"[allocator]\nmodule = a,b,c,d,e\nfilters = f,g,h,i\n",
	 "etc/chic-alloc.conf:2: stack too deep, got 9 modules with filters, expected at most "
	 "8"},
	{"[alocator]\n", "etc/chic-alloc.conf:1: unknown section, got '[alocator]'"},
	{"[allocator]\nmodul = a\n", "etc/chic-alloc.conf:2: unknown key of [allocator]"},
	{"[allocator]\nlog = none\nlog = none\n", "etc/chic-alloc.conf:3: duplicate key"},
	{"[allocator]\ntelemetry = 3\n",
	 "etc/chic-alloc.conf:2: telemetry: bad value, got '3'"},
	/* rules of other programs are checked as well */
	{"[program y]\nmodule = ,\n", "etc/chic-alloc.conf:2: module: empty entry"},
};

START_TEST(bad_files_are_refused_with_their_line)
{
	put("presets/good.conf", "[module m]\nk = 1\n");
	put("etc/chic-alloc.conf", bad_files[_i].text);

	expect_refused(&(struct config_request){0}, -EINVAL, bad_files[_i].message);
}
END_TEST

static unsigned count_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(survives_lack_of_memory)
{
	struct config_request request = {
		.options = "guard.sample=5\nallocator.telemetry=full",
		.stack = "counting, guard",
		.program.execfn = "/bin/x",
	};
	unsigned n, fds = count_fds();
	int err;

	put("presets/a.conf", "[module guard]\nsample = 1\n");
	put("etc/chic-alloc.conf", rules);
	put("etc/chic-alloc.conf.d/z.conf", "[allocator]\ntelemetry = calls\n");
	for (n = 1;; n++) {
		fault_start(n);
		err = config_read(&request, &config);
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_str_ne(message_get(), "");
		expect_empty(&config);
		ck_assert_uint_eq(count_fds(), fds);
	}

	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 20);
	ck_assert_str_eq(config.stack, "counting, guard");
}
END_TEST

/* ------------------------------------------------------ process --- */

START_TEST(the_request_of_this_process)
{
	struct config_request request;

	setenv("CHIC_ALLOC_CONF", "/a.conf", 1);
	setenv("CHIC_ALLOC_MODULE", "", 1);
	setenv("CHIC_ALLOC_OPTIONS", "guard.sample=5", 1);
	setenv("CHIC_ALLOC_RUN", "1", 1);
	config_request_from_process(&request, NULL);

	ck_assert_str_eq(request.named, "/a.conf");
	ck_assert_str_eq(request.stack, "");
	ck_assert_str_eq(request.options, "guard.sample=5");
	ck_assert_str_eq(request.stack_origin, "CHIC_ALLOC_MODULE");
	ck_assert(request.run && !request.secure);
	ck_assert_ptr_nonnull(strstr(request.program.execfn, "check_config"));
	ck_assert(request.program.self);
}
END_TEST

START_TEST(a_named_file_comes_before_the_environments)
{
	struct config_request request;

	setenv("CHIC_ALLOC_CONF", "/a.conf", 1);
	config_request_from_process(&request, "/b.conf");

	ck_assert_str_eq(request.named, "/b.conf");
}
END_TEST

START_TEST(a_process_without_an_environment)
{
	struct config_request request;
	char **saved = environ;

	environ = NULL;
	config_request_from_process(&request, NULL);
	environ = saved;

	ck_assert(!request.named && !request.stack && !request.options && !request.run);
}
END_TEST

START_TEST(an_empty_environment_variable_names_no_file)
{
	struct config_request request;

	setenv("CHIC_ALLOC_CONF", "", 1);
	setenv("CHIC_ALLOC_OPTIONS", "", 1);
	setenv("CHIC_ALLOC_RUN", "0", 1);
	config_request_from_process(&request, NULL);

	ck_assert(!request.named && !request.options && !request.run);
}
END_TEST

/* Put the example in the system file's place, its settings uncommented or not. */
static void put_example(bool uncommented)
{
	FILE *file = fopen(TEST_SRCDIR "/../conf/chic-alloc.conf", "r");
	char line[256], text[8192] = "";

	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		strcat(text, uncommented && line[0] == ';' ? line + 1 : line);
	fclose(file);
	put("etc/chic-alloc.conf", text);
}

START_TEST(the_example_sets_nothing)
{
	put_example(false);
	read_program("/usr/bin/redis-server");

	ck_assert_uint_eq(config.files.n, 1);
	ck_assert_uint_eq(config.n_settings, 0);
}
END_TEST

START_TEST(the_example_is_good_when_uncommented)
{
	put_example(true);
	read_program("/usr/bin/redis-server");

	ck_assert_uint_gt(config.n_settings, 10);
	ck_assert_str_eq(config.rule->section, "program redis-server");
}
END_TEST

static TCase *cases(Suite *s, const char *name)
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, CHECK_TIMEOUT);
	tcase_add_checked_fixture(t, root_setup, teardown);
	suite_add_tcase(s, t);
	return t;
}

static void add_merging(TCase *t)
{
	tcase_add_test(t, without_files_the_built_in_defaults_hold);
	tcase_add_test(t, one_file_sets_all);
	tcase_add_test(t, later_files_override_key_by_key);
	tcase_add_test(t, a_replaced_or_masked_file_is_not_read);
	tcase_add_test(t, a_named_file_is_read_after_the_presets_alone);
	tcase_add_test(t, presets_are_read_where_a_module_is_asked_for);
	tcase_add_test(t, a_broken_preset_stops_a_program_that_wants_it);
	tcase_add_test(t, the_rule_holds_after_the_presets_were_read);
	tcase_add_test(t, a_preset_says_what_modules_are_and_nothing_else);
}

static void add_rules(TCase *t)
{
	tcase_add_loop_test(t, the_most_specific_rule_wins, 0, ARRAY_SIZE(matches));
	tcase_add_test(t, the_resolved_executable_counts_too);
	tcase_add_test(t, among_equal_rules_the_later_file_wins);
	tcase_add_test(t, among_equal_rules_of_one_file_the_later_line_wins);
	tcase_add_test(t, a_drop_in_that_changes_a_rule_makes_it_the_later);
	tcase_add_test(t, a_less_specific_rule_of_a_later_file_loses);
	tcase_add_test(t, a_rule_may_choose_the_platform_heap_and_no_filters);
	tcase_add_test(t, filters_stand_before_the_rules_stack);
}

static void add_request(TCase *t)
{
	tcase_add_test(t, options_override_files_and_rules);
	tcase_add_test(t, of_two_equal_options_the_later_wins);
	tcase_add_loop_test(t, bad_options_are_refused, 0, ARRAY_SIZE(bad_options));
	tcase_add_test(t, a_requested_stack_overrides_all_and_drops_filters);
	tcase_add_test(t, an_empty_requested_stack_is_the_platform_heap);
	tcase_add_test(t, secure_execution_ignores_the_request);
	tcase_add_test(t, a_bad_requested_stack_names_its_origin);
	tcase_add_test(t, the_request_of_this_process);
	tcase_add_test(t, a_named_file_comes_before_the_environments);
	tcase_add_test(t, a_process_without_an_environment);
	tcase_add_test(t, an_empty_environment_variable_names_no_file);
}

static void add_on_error(TCase *t)
{
	tcase_add_test(t, fail_does_not_count_for_the_whole_system);
	tcase_add_test(t, fail_counts_in_a_rule);
	tcase_add_test(t, fail_does_not_count_in_a_rule_of_globs);
	tcase_add_test(t, fail_counts_in_a_named_file);
	tcase_add_test(t, fail_counts_also_when_an_error_follows);
	tcase_add_test(t, fail_counts_under_run);
	tcase_add_test(t, default_counts_as_no_failure);
}

static void add_bad_input(TCase *t)
{
	tcase_add_test(t, a_named_file_that_is_missing);
	tcase_add_test(t, a_named_file_that_is_a_directory);
	tcase_add_test(t, a_file_that_is_unreadable);
	tcase_add_test(t, a_file_that_others_may_write);
	tcase_add_test(t, a_link_that_leads_nowhere);
	tcase_add_test(t, a_file_of_more_than_a_megabyte);
	tcase_add_test(t, a_file_with_nul_bytes);
	tcase_add_loop_test(t, bad_files_are_refused_with_their_line, 0, ARRAY_SIZE(bad_files));
	tcase_add_test(t, survives_lack_of_memory);
}

static void add_example(TCase *t)
{
	tcase_add_test(t, the_example_sets_nothing);
	tcase_add_test(t, the_example_is_good_when_uncommented);
}

static Suite *suite(void)
{
	Suite *s = suite_create("config");

	add_merging(cases(s, "merging"));
	add_rules(cases(s, "rules"));
	add_request(cases(s, "request"));
	add_on_error(cases(s, "on_error"));
	add_bad_input(cases(s, "bad input"));
	add_example(cases(s, "example"));
	return s;
}

CHECK_MAIN(suite)
