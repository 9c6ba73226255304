/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocates so much that what is counted of it can be said beforehand.
 *
 *	known blocks N		N blocks of 100 bytes, half of them freed
 *	known leaks N		N blocks of 1000 bytes that nobody frees, by leaky()
 *	known threads N		the same as blocks N, in each of 4 threads
 *	known ends HOW		works for 1.3 s, then ends: kill, _exit, segv, exit
 *	known forks N		N children, while other threads allocate and are told to report
 *	known alone		how many threads the process has, after a while of work
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *volatile kept[100000];
static size_t count;

__attribute__((noinline)) static void *blocks(void *arg)
{
	size_t base = (size_t)arg * count;

	for (size_t i = 0; i < count; i++) {
		kept[base + i] = malloc(100);
		if (i % 2)
			free(kept[base + i]);
	}
	return NULL;
}

__attribute__((noinline)) static void *leaky(size_t size)
{
	char *p = malloc(size);

	*(volatile char *)p = 1;
	return p;
}

static void leaks(void)
{
	for (size_t i = 0; i < count; i++)
		kept[i] = leaky(1000);
}

static void threads(void)
{
	pthread_t thread[4];

	for (size_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, blocks, (void *)i);
	for (size_t i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
}

/* Some blocks every 10 milliseconds, for longer than a second. */
static void work(void)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	for (int i = 0; i < 130; i++) {
		for (int k = 0; k < 20; k++) {
			kept[0] = malloc(1000);
			free(kept[0]);
		}
		nanosleep(&pause, NULL);
	}
}

static void end(const char *how)
{
	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	if (strcmp(how, "_exit") == 0)
		_exit(0);
	if (strcmp(how, "segv") == 0)
		raise(SIGSEGV);
}

static volatile int stop;

static void *allocate(void *arg)
{
	while (!stop)
		free(malloc(100));
	return arg;
}

/* A child may be made in the middle of any thread's report, and writes its own. */
static int forks(void)
{
	pthread_t thread[2];
	int status = 0;

	for (int i = 0; i < 2; i++)
		pthread_create(&thread[i], NULL, allocate, NULL);
	for (size_t i = 0; i < count && status == 0; i++) {
		pid_t pid;

		pthread_kill(thread[i % 2], SIGUSR2);
		pid = fork();
		if (pid == 0) {
			alarm(60);
			free(malloc(100));
			exit(0);
		}
		waitpid(pid, &status, 0);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	return status;
}

static void alone(void)
{
	DIR *tasks;
	int n = 0;

	work();
	tasks = opendir("/proc/self/task");
	while (tasks && readdir(tasks))
		n++;
	printf("%d\n", n - 2);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	if (strcmp(what, "blocks") == 0)
		blocks(NULL);
	else if (strcmp(what, "leaks") == 0)
		leaks();
	else if (strcmp(what, "threads") == 0)
		threads();
	else if (strcmp(what, "forks") == 0)
		return forks() != 0;
	else if (strcmp(what, "alone") == 0)
		alone();
	else if (strcmp(what, "ends") == 0 && argc > 2)
		work(), end(argv[2]);
	else
		return 2;
	return 0;
}
