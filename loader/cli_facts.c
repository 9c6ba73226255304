// SPDX-License-Identifier: BSD-2-Clause
/*
 * What has to be known before anything is written: whether the configuration is
 * valid, what its stacks need, and whether a program starts with the preload
 * library.
 *
 * A child finds it out, from inside the tree if that is not the machine itself, so
 * that paths, the linker's cache and links mean what they will mean to programs
 * there.  Who is not root goes in by a user namespace.
 */
#define _GNU_SOURCE
#include "cli_enable.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIAL "/bin/true"
#define TRIAL_SECONDS 20
#define NOT_EXECUTABLE 126

/* What the child has to say. */
struct report {
	int err;
	char message[MESSAGE_MAX];
	struct facts facts;
};

/* ---------------------------------------------------- inside the tree --- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len)
		err = -errno;
	close(fd);
	return err;
}

static int become_root(void)
{
	char uid_map[32], gid_map[32];
	int err;

	if (geteuid() == 0)
		return 0;
	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER))
		return -errno;
	err = write_file("/proc/self/setgroups", "deny");
	if (!err)
		err = write_file("/proc/self/uid_map", uid_map);
	if (!err)
		err = write_file("/proc/self/gid_map", gid_map);
	return err;
}

static int go_inside(const struct tree *tree)
{
	int err;

	if (!*tree->root)
		return 0;
	err = become_root();
	if (!err && (fchdir(tree->fd) || chroot(".")))
		err = -errno;
	return err ? message_set(err,
				 "%s: %s: cannot look at it from inside, expected to be run by "
				 "root",
				 tree->root, strerror(-err))
		   : 0;
}

/* ---------------------------------------------------- the configuration --- */

static int check_stacks(const struct config *config, struct facts *facts)
{
	const char *stack = "";
	size_t static_tls;
	int err = cli_check_stack(config, true, &static_tls);

	if (!err)
		err = cli_check_all(config);
	if (!err)
		err = cli_check_greediest(config, &facts->static_tls, &stack);
	if (err)
		return err;
	snprintf(facts->stack, sizeof(facts->stack), "%s", stack);
	facts->any_module = *config->stack || *config->filters;
	for (size_t i = 0; i < config->n_settings; i++)
		if (strcmp(config->settings[i].key, "module") == 0 ||
		    strcmp(config->settings[i].key, "filters") == 0)
			facts->any_module = true;
	return 0;
}

/* As a program would read it that has just these variables. */
static int check_configuration(const struct facts_request *request, struct facts *facts)
{
	struct config_request read = {
		.named = request->conf,
		.stack = request->module,
		.stack_origin = "CHIC_ALLOC_MODULE",
		.options_origin = "CHIC_ALLOC_OPTIONS",
		.presets = true, /* for the rules, whatever programs without one get */
	};
	struct config config;
	int err = config_read(&read, &config);

	if (err)
		return err;
	err = check_stacks(&config, facts);
	config_free(&config);
	return err;
}

/* --------------------------------------------------------- the library --- */

/* What neither the linker, nor systemd, nor a shell would take for something else. */
static int check_path(const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._+@~-,=";

	if (*path == '/' && !path[strspn(path, plain)])
		return cli_preload_check(path);
	return message_set(
		-EINVAL,
		"%s: the preload library's path is relative, or has a space or a sign "
		"that means something, expected a plain path from the root",
		path);
}

/* The program that is tried, with nothing but the library. */
static void exec_trial(const char *path, int out)
{
	char *argv[] = {(char *)TRIAL, NULL}, *envp[] = {NULL, NULL};

	if (asprintf(&envp[0], "LD_PRELOAD=%s", path) < 0)
		_exit(NOT_EXECUTABLE);
	dup2(out, STDERR_FILENO);
	alarm(TRIAL_SECONDS);
	execve(TRIAL, argv, envp);
	_exit(NOT_EXECUTABLE);
}

/* What comes out of the pipe, as far as there is room, up to its end. */
static void read_output(int fd, char *text, size_t size)
{
	char more[256];
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	while (read(fd, more, sizeof(more)) > 0)
		;
}

/* The linker says what it could not preload, and goes on; of others it may speak too. */
static int judge_trial(const char *path, char *output, int status, struct facts *facts)
{
	char *about = strstr(output, path), *line = output;

	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTABLE) {
		snprintf(facts->not_tried, sizeof(facts->not_tried),
			 "there is no " TRIAL " that this machine can run");
		return 0;
	}
	if (!about && !status)
		return 0;
	while (about && about > output && about[-1] != '\n')
		about--;
	line = about ? about : output;
	line[strcspn(line, "\n")] = '\0';
	return message_set(-ELIBBAD, "%s: " TRIAL " ends with status 0x%x under it: %.200s",
			   path, (unsigned)status, *line ? line : "without a word");
}

static int try_library(const char *path, struct facts *facts)
{
	char output[4096];
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return message_set(-errno, "pipe: %s", strerror(errno));
	child = fork();
	if (child == 0)
		exec_trial(path, ends[1]);
	close(ends[1]);
	read_output(ends[0], output, sizeof(output));
	close(ends[0]);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return message_set(-errno, "fork: %s", strerror(errno));
	return judge_trial(path, output, status, facts);
}

static int check_library(const struct facts_request *request, struct facts *facts)
{
	const char *path = cli_preload_path();
	struct tree inside;
	int err = check_path(path);

	if (!err && request->system) {
		err = tree_open(&inside, NULL);
		if (!err)
			err = ldso_check(&inside, path);
		tree_close(&inside);
	}
	return err ? err : try_library(path, facts);
}

/* -------------------------------------------------------- the programs --- */

static void look_at_program(const char *path, struct facts *facts)
{
	size_t len = strlen(facts->programs);
	char *line = facts->programs + len;
	struct cli_program program;
	const char *why;

	if (cli_program_find(path, &program) != CLI_GOOD) {
		snprintf(line, sizeof(facts->programs) - len, "%s\n", message_get());
		return;
	}
	why = cli_program_escapes(&program);
	if (why)
		snprintf(line, sizeof(facts->programs) - len,
			 "%s stays on the platform heap: %s\n", path, why);
	cli_program_free(&program);
}

static void look_at_programs(const struct facts_request *request, struct facts *facts)
{
	/* the kill switch is said once, and hides what else there is */
	if (!request->programs ||
	    access(CHIC_ALLOC_SYSCONFDIR "/chic-alloc.disable", F_OK) == 0)
		return;
	for (size_t i = 0; i < request->programs->n; i++)
		look_at_program(request->programs->paths[i], facts);
}

/* ------------------------------------------------------------ the child --- */

static void find_in_child(const struct tree *tree, const struct facts_request *request,
			  struct report *report)
{
	report->err = go_inside(tree);
	if (!report->err)
		report->err = check_library(request, &report->facts);
	if (!report->err)
		report->err = check_configuration(request, &report->facts);
	if (report->err)
		snprintf(report->message, sizeof(report->message), "%s", message_get());
	else
		look_at_programs(request, &report->facts);
}

static void child(const struct tree *tree, const struct facts_request *request, int out)
{
	struct report report = {.err = 0};

	find_in_child(tree, request, &report);
	/* less than a pipe takes at once */
	_exit(write(out, &report, sizeof(report)) != sizeof(report));
}

int facts_find(const struct tree *tree, const struct facts_request *request, struct facts *out)
{
	struct report report;
	int ends[2], status;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return message_set(-errno, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		child(tree, request, ends[1]);
	close(ends[1]);
	n = read(ends[0], &report, sizeof(report));
	close(ends[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return message_set(-errno, "fork: %s", strerror(errno));
	if (n != sizeof(report))
		return message_set(-EIO, "the check ended with status 0x%x", (unsigned)status);
	*out = report.facts;
	return report.err ? message_set(report.err, "%s", report.message) : 0;
}
