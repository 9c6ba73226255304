// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs near a limit of the system, and programs of many processes and threads, which
 * guard must not stop.  Each says "well" and ends with 0.
 *
 *	guard_limits few_data|locked|threads|vforked|forks
 *
 * Built without optimisation, by tests/check_guard_limits.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

static volatile char sink;
static sigjmp_buf after_fault;

static void on_fault(int sig)
{
	(void)sig;
	siglongjmp(after_fault, 1);
}

static int faults(volatile char *p)
{
	struct sigaction now = {.sa_handler = on_fault}, bus, segv;
	int fault;

	sigaction(SIGBUS, &now, &bus);
	sigaction(SIGSEGV, &now, &segv);
	fault = sigsetjmp(after_fault, 1);
	if (!fault)
		sink = *p;
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return fault;
}

static char *block(size_t size)
{
	char *p = malloc(size);

	MUST(p);
	memset(p, 1, size);
	return p;
}

/* A freed block that was guarded faults, also among many. */
static void still_guarded(void)
{
	char *p = block(64);

	MUST(faults(p + 64));
	free(p);
	MUST(faults(p));
}

/* ---------------------------------------------------------------- limits -- */

/*
 * With 100 MB of data, of which guard leaves the most to the program: some blocks are
 * guarded by the back end, some by mappings, most not.
 */
static void few_data(void)
{
	enum { N = 20000, LARGE = 50 };
	static char *p[N], *large[LARGE];

	still_guarded();
	for (int i = 0; i < N; i++) {
		p[i] = block(64);
		p[i][0] = (char)i;
	}
	MUST(faults(p[0] + 64) && faults(p[100] + 64) && faults(p[1500] + 64));
	for (int i = 0; i < LARGE; i++)
		large[i] = block(1 << 20);
	for (int i = 0; i < N; i++) {
		MUST(p[i][0] == (char)i);
		free(p[i]);
	}
	for (int i = 0; i < LARGE; i++)
		free(large[i]);
	for (int i = 0; i < N; i++)
		free(block(i % 5000));
}

/* All memory locked, with a limit where the user is not privileged. */
static void locked(void)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		printf("not permitted\n");
		exit(0);
	}
	for (int i = 0; i < 2000; i++)
		free(block(i * 10));
	still_guarded();
}

/* --------------------------------------------------------------- threads -- */

static pthread_key_t key;

static void at_thread_end(void *p)
{
	free(p);
	free(block(40));
}

/* Frees what another asked for, and leaves a block to its destructor. */
static void *brief(void *arg)
{
	char *given = arg;

	MUST(given[0] == 1);
	free(given);
	pthread_setspecific(key, block(100));
	for (int i = 0; i < 20; i++)
		free(block(i * 300));
	return block(64);
}

static void threads(void)
{
	enum { ROUNDS = 50, N = 8 };
	pthread_t thread[N];
	void *answer;

	MUST(pthread_key_create(&key, at_thread_end) == 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N; i++)
			MUST(pthread_create(&thread[i], NULL, brief, block(64)) == 0);
		for (int i = 0; i < N; i++) {
			MUST(pthread_join(thread[i], &answer) == 0);
			free(answer);
			MUST(faults(answer));
		}
	}
	still_guarded();
}

/* ------------------------------------------------------------- processes -- */

static void wait_well(pid_t pid)
{
	int status;

	MUST(pid > 0);
	MUST(waitpid(pid, &status, 0) == pid);
	MUST(status == 0);
}

extern char **environ;

/* The child is in this memory until it is another program. */
static void vforked(void)
{
	char *argv[] = {"true", NULL};
	pid_t pid;

	for (int i = 0; i < 20; i++) {
		char *kept = block(64);

		pid = vfork();
		if (pid == 0) {
			execvp("true", argv);
			_exit(99);
		}
		wait_well(pid);
		MUST(posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0);
		wait_well(pid);
		MUST(kept[63] == 1 && faults(kept + 64));
		free(kept);
		MUST(faults(kept));
		still_guarded();
	}
}

static volatile int stop;

static void *busy(void *arg)
{
	while (!stop)
		free(block(100));
	return arg;
}

/* Children of a process whose other threads are at it, and theirs. */
static void forks(void)
{
	enum { N = 60 };
	pthread_t thread[2];
	pid_t pid[N];

	for (int i = 0; i < 2; i++)
		MUST(pthread_create(&thread[i], NULL, busy, NULL) == 0);
	for (int i = 0; i < N; i++) {
		pid[i] = fork();
		if (pid[i])
			continue;
		alarm(60);
		still_guarded();
		pid[0] = fork();
		if (pid[0])
			wait_well(pid[0]);
		for (int k = 0; k < 200; k++)
			free(block(k * 40));
		still_guarded();
		_exit(0);
	}
	for (int i = 0; i < N; i++)
		wait_well(pid[i]);
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	still_guarded();
}

static const struct scenario scenarios[] = {
	SCENARIO(few_data), SCENARIO(locked), SCENARIO(threads),
	SCENARIO(vforked),  SCENARIO(forks),  {NULL, NULL},
};

int main(int argc, char **argv)
{
	if (argc != 2 || !scenario_run(scenarios, argv[1])) {
		fprintf(stderr, "usage: guard_limits few_data|locked|threads|vforked|forks\n");
		return 2;
	}
	printf("well\n");
	return 0;
}
