// SPDX-License-Identifier: BSD-2-Clause
/*
 * When the configuration is applied: before main, on a request of an earlier
 * constructor, once with many threads; and what stands in the way of it.  Each
 * case runs this program again, which then links the loader and says nothing.
 */
#define _GNU_SOURCE
#include "check_support.h"
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static ValueMutPtr early;

/* Before the library's own constructor, which has no priority. */
__attribute__((constructor(101))) static void early_request(void)
{
	if (getenv("EARLY"))
		early = chic_rt_alloc_zeroed(1000, 8);
}

/* Not /proc/self/exe, which under valgrind is valgrind. */
static const char *program;

static char dir[] = "/tmp/check_start.XXXXXX";
static char conf[PATH_MAX], output[PATH_MAX];

static void setup(void)
{
	strcpy(dir, "/tmp/check_start.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(output, sizeof(output), "%s/output", dir);
}

static void teardown(void)
{
	unlink(conf);
	unlink(output);
	rmdir(dir);
}

static void write_conf(const char *text)
{
	FILE *f = fopen(conf, "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	chmod(conf, 0644);
}

/* Run this program as `check_start SCENARIO`; answers its wait status. */
static int run(const char *scenario)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execl(program, "check_start", scenario, (char *)NULL);
		_exit(126);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static const char *output_text(void)
{
	static char text[4096];
	int fd = open(output, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void check_runs(const char *scenario, int exit_status)
{
	int status = run(scenario);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == exit_status,
		      "%s ended with %#x: %s", scenario, status, output_text());
}

START_TEST(a_linked_program_gets_its_stack_before_main)
{
	write_conf("[allocator]\nmodule = good_filter\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	check_runs("stack-is-good_filter", 0);
}
END_TEST

START_TEST(an_earlier_constructor_gets_the_stack_as_well)
{
	write_conf("[allocator]\nmodule = good_heap\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("EARLY", "1", 1);
	check_runs("early-block-is-the-heaps", 0);
}
END_TEST

START_TEST(without_configuration_the_platform_serves)
{
	write_conf("");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	check_runs("stack-is-default", 0);
	ck_assert_str_eq(output_text(), "");
}
END_TEST

START_TEST(the_environment_names_a_stack)
{
	write_conf("[allocator]\nmodule = good_heap\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_MODULE", "good_filter", 1);
	check_runs("stack-is-good_filter", 0);
	setenv("CHIC_ALLOC_MODULE", "", 1);
	check_runs("stack-is-default", 0);
}
END_TEST

START_TEST(a_bad_configuration_leaves_the_platform_and_one_line)
{
	char want[PATH_MAX];

	write_conf("[allocator]\nlog = stderr\nmodul = good_heap\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_RUN", "1", 1);
	check_runs("stack-is-default", 0);
	snprintf(want, sizeof(want), "chic-alloc: %.200s:3: ", conf);
	ck_assert_msg(strstr(output_text(), want) == output_text(), "%s", output_text());
	ck_assert_ptr_nonnull(strstr(output_text(), "modul"));
	ck_assert_ptr_eq(strchr(output_text(), '\n'), strrchr(output_text(), '\n'));
}
END_TEST

START_TEST(on_error_fail_stops_a_program_that_was_named)
{
	write_conf("[allocator]\non_error = fail\nmodule = no_such_module\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_RUN", "1", 1);
	check_runs("stack-is-default", 1);
	ck_assert_ptr_nonnull(strstr(output_text(), "no_such_module"));
	ck_assert_ptr_nonnull(strstr(output_text(), "not started"));
}
END_TEST

START_TEST(on_error_fail_stops_at_an_error_of_the_configuration)
{
	write_conf("[allocator]\non_error = fail\nmodul = good_heap\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_RUN", "1", 1);
	check_runs("stack-is-default", 1);
	ck_assert_ptr_nonnull(strstr(output_text(), "conf:3: "));
	ck_assert_ptr_nonnull(strstr(output_text(), "not started"));

	write_conf("[allocator]\non_error = fail\nfilters = good_filter\n");
	setenv("CHIC_ALLOC_OPTIONS", "allocator.module=good_filter", 1);
	check_runs("stack-is-default", 1);
}
END_TEST

START_TEST(a_linked_program_is_switched_off)
{
	write_conf("[allocator]\nmodule = good_heap\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_DISABLE", "1", 1);
	check_runs("stack-is-default", 0);
	setenv("CHIC_ALLOC_DISABLE", "0", 1);
	check_runs("stack-is-good_heap", 0);
}
END_TEST

START_TEST(a_module_whose_init_fails_leaves_the_platform)
{
	write_conf("[allocator]\nmodule = good_filter, init_fails\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	setenv("CHIC_ALLOC_RUN", "1", 1);
	check_runs("stack-is-default", 0);
	ck_assert_ptr_nonnull(strstr(output_text(), "init failed: no device"));
}
END_TEST

START_TEST(a_modules_init_may_fork)
{
	write_conf("[allocator]\nmodule = init_forks\n");
	setenv("CHIC_ALLOC_CONF", conf, 1);
	check_runs("stack-is-init_forks", 0);
}
END_TEST

/* ---- scenarios ---- */

static int outermost(const struct chic_alloc_info *info, void *arg)
{
	if (info->is_default && info->depth == 0)
		snprintf(arg, NAME_MAX_LEN, "%s", info->name);
	return 0;
}

static int check_outermost(const char *want)
{
	char name[NAME_MAX_LEN] = "";
	ValueMutPtr h = chic_rt_alloc(100, 8);

	chic_alloc_each(outermost, name);
	chic_rt_free(h);
	if (strcmp(name, want) == 0)
		return 0;
	printf("outermost layer is %s, expected %s\n", name, want);
	return 2;
}

static int early_is_the_heaps(void)
{
	AllocationTelemetry t = chic_rt_alloc_stats();
	int err = chic_alloc_unload();

	if (!early.ptr || t.alloc_zeroed_calls != 1 || err != -EBUSY)
		return 3;
	chic_rt_free(early);
	err = check_outermost("good_heap");
	return err ? err : chic_alloc_unload();
}

static int run_scenario(const char *name)
{
	if (strncmp(name, "stack-is-", 9) == 0)
		return check_outermost(name + 9);
	if (strcmp(name, "early-block-is-the-heaps") == 0)
		return early_is_the_heaps();
	return 4;
}

static Suite *make_suite(void)
{
	Suite *s = suite_create("start");
	TCase *t = tcase_create("start");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_linked_program_gets_its_stack_before_main);
	tcase_add_test(t, an_earlier_constructor_gets_the_stack_as_well);
	tcase_add_test(t, without_configuration_the_platform_serves);
	tcase_add_test(t, the_environment_names_a_stack);
	tcase_add_test(t, a_bad_configuration_leaves_the_platform_and_one_line);
	tcase_add_test(t, on_error_fail_stops_a_program_that_was_named);
	tcase_add_test(t, on_error_fail_stops_at_an_error_of_the_configuration);
	tcase_add_test(t, a_linked_program_is_switched_off);
	tcase_add_test(t, a_module_whose_init_fails_leaves_the_platform);
	tcase_add_test(t, a_modules_init_may_fork);
	suite_add_tcase(s, t);
	return s;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return run_scenario(argv[1]);
	program = realpath(argv[0], NULL);
	/* the tests' own process links the loader as well and has no configuration */
	setenv("CHIC_ALLOC_MODULEDIR", TEST_MODULE_DIR, 1);
	return check_run(make_suite());
}
