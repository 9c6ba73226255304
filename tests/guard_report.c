// SPDX-License-Identifier: BSD-2-Clause
/*
 * Bugs of the heap where a report is hard to make.
 *
 *	guard_report SCENARIO
 *
 * Built without optimisation, by tests/check_guard_report.sh; and once more, LINKED
 * with the library, for which its blocks are those of the library.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

#ifdef LINKED
#include <chic_alloc.h>
#endif

#define CULPRITS 8

static char *block(void)
{
#ifdef LINKED
	char *p = chic_rt_alloc(64, 16).ptr;
#else
	char *p = malloc(64);
#endif

	MUST(p);
	return memset(p, 1, 64);
}

static void bug_of(volatile char *p)
{
	p[64] = 2;
}

static void bug(void)
{
	bug_of(block());
}

/* ------------------------------------------------------------- threads -- */

static atomic_int *begun;

static void *bug_together(void *arg)
{
	char *p = block();

	pthread_setname_np(pthread_self(), arg);
	atomic_fetch_add(begun, 1);
	bug_of(p);
	return NULL;
}

/* Nobody reads: the first report does not come to its end before the others begin. */
static void bugs_at_once(int fd)
{
	static char name[CULPRITS][16], full[1 << 16];
	pthread_t id[CULPRITS];

	MUST(dup2(fd, STDERR_FILENO) >= 0);
	MUST(fcntl(fd, F_SETPIPE_SZ, sizeof(full)) == sizeof(full));
	MUST(write(fd, full, sizeof(full)) == sizeof(full));
	for (int i = 0; i < CULPRITS; i++) {
		snprintf(name[i], sizeof(name[i]), "culprit %d\x1b[", i);
		pthread_create(&id[i], NULL, bug_together, name[i]);
	}
	for (int i = 0; i < CULPRITS; i++)
		pthread_join(id[i], NULL);
	exit(1);
}

/* What was written, but for the zeros that the pipe was full of. */
static void hand_on(int fd)
{
	char text[4096];
	ssize_t n, from;

	while ((n = read(fd, text, sizeof(text))) > 0) {
		for (from = 0; from < n && !text[from]; from++)
			;
		MUST(write(STDERR_FILENO, text + from, n - from) == n - from);
	}
}

static void at_once(void)
{
	int fds[2], status;
	pid_t pid;

	begun = mmap(NULL, sizeof(*begun), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		     -1, 0);
	MUST(pipe(fds) == 0);
	pid = fork();
	if (pid == 0)
		bugs_at_once(fds[1]);
	close(fds[1]);
	while (*begun < CULPRITS)
		usleep(1000);
	usleep(300000);
	hand_on(fds[0]);
	MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	raise(WTERMSIG(status));
}

static void *bug_in_thread(void *arg)
{
	bug_of(arg ? arg : block());
	return NULL;
}

static void in_thread(size_t stack, void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	pthread_t id;

	pthread_attr_init(&attr);
	MUST(pthread_attr_setstacksize(&attr, stack) == 0);
	MUST(pthread_create(&id, &attr, fn, arg) == 0);
	pthread_join(id, NULL);
}

static void small_thread(void)
{
	in_thread(PTHREAD_STACK_MIN, bug_in_thread, NULL);
}

/* It has never asked for a block, so that nobody knew of it. */
static void small_unknown_thread(void)
{
	in_thread(PTHREAD_STACK_MIN, bug_in_thread, block());
}

/* --------------------------------------------------------------- stacks -- */

static char *stack_end(void)
{
	pthread_attr_t attr;
	void *start;
	size_t size;

	MUST(pthread_getattr_np(pthread_self(), &attr) == 0);
	MUST(pthread_attr_getstack(&attr, &start, &size) == 0);
	pthread_attr_destroy(&attr);
	return start;
}

static char *end;

/* The frame of a signal is larger than what is left. */
static void *bug_at_the_end(void *arg)
{
	char room[128];

	if (!arg) {
		free(block());
		end = stack_end();
		arg = block();
	}
	memset(room, 0, sizeof(room));
	if (room - end > 700)
		bug_at_the_end(arg);
	else
		bug_of(arg);
	return room[1] ? arg : NULL;
}

static void end_of_stack(void)
{
	in_thread(256 * 1024, bug_at_the_end, NULL);
}

static void end_of_a_second_stack(void)
{
	in_thread(256 * 1024, (void *(*)(void *))malloc, (void *)10);
	end_of_stack();
}

/* Not on the stack, where some compilers keep what they are given. */
static char *volatile smashed_block;

__attribute__((noinline)) static void smash_and_bug(void)
{
	char local[16];
	char *at = (char *)(((uintptr_t)local + 63) & ~(uintptr_t)63);

	/* this frame and the callers': nothing of it is an address any more */
	memset(at, 0x41, 4096);
	smashed_block[64] = 2;
	_exit(3);
}

static void smashed(void)
{
	char room[8192];

	memset(room, 0, sizeof(room));
	smashed_block = block();
	smash_and_bug();
}

/* A function's address for the stack pointer. */
static void no_stack(void)
{
	char *p = block();

#if defined(__x86_64__) && defined(__LP64__)
	__asm__ volatile("xor %%esp, %%esp\n\tmovb $2, 64(%0)" : : "r"(p) : "memory");
#endif
	bug_of(p);
}

static void on_small(int sig)
{
	(void)sig;
	_exit(7);
}

/* Room for the signal, and little more. */
static void own_small_stack(void)
{
	size_t size = sysconf(_SC_MINSIGSTKSZ) + 6144;
	struct sigaction act = {.sa_handler = on_small, .sa_flags = SA_ONSTACK};
	char *p = mmap(NULL, 4 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	MUST(mprotect(p, 65536, PROT_NONE) == 0);
	MUST(sigaltstack(&(stack_t){.ss_sp = p + 65536, .ss_size = size}, NULL) == 0);
	sigaction(SIGSEGV, &act, NULL);
	bug();
}

/* -------------------------------------------------------------- others -- */

static void without_files(void)
{
	struct rlimit none = {0, 0};

	setrlimit(RLIMIT_NOFILE, &none);
	bug();
}

static void without_reader(void)
{
	int fds[2];

	MUST(pipe(fds) == 0 && dup2(fds[1], STDERR_FILENO) >= 0);
	close(fds[0]);
	bug();
}

static void in_a_child(void)
{
	int status;

	free(block());
	if (fork() == 0)
		bug();
	MUST(wait(&status) > 0 && WIFSIGNALED(status));
	raise(WTERMSIG(status));
}

static void elsewhere(void)
{
	MUST(chdir("/") == 0);
	bug();
}

static void on_abort(int sig)
{
	(void)sig;
	_exit(9);
}

static void abort_handler(void)
{
	char *p = block();

	signal(SIGABRT, on_abort);
	free(p);
	free(p);
}

static const struct scenario scenarios[] = {
	SCENARIO(bug),
	SCENARIO(at_once),
	SCENARIO(small_thread),
	SCENARIO(small_unknown_thread),
	SCENARIO(end_of_stack),
	SCENARIO(end_of_a_second_stack),
	SCENARIO(smashed),
	SCENARIO(no_stack),
	SCENARIO(own_small_stack),
	SCENARIO(without_files),
	SCENARIO(without_reader),
	SCENARIO(in_a_child),
	SCENARIO(elsewhere),
	SCENARIO(abort_handler),
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	if (argc == 2)
		scenario_run(scenarios, argv[1]);
	return 2;
}
