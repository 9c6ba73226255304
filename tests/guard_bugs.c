// SPDX-License-Identifier: BSD-2-Clause
/*
 * One bug of the heap per run, and what a guard has to live through.
 *
 *	guard_bugs BUG			commits it, and says "missed" if it gets away with it
 *	guard_bugs SCENARIO		says "well" and exits with 0
 *	guard_bugs deny|kill PROGRAM...	runs it under a filter of system calls that answers
 *					userfaultfd with EPERM or SIGSYS
 *	guard_bugs deny-all PROGRAM...	and MADV_GUARD_INSTALL with EINVAL
 *
 * Built without optimisation, by tests/check_guard_detect.sh.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenario.h"

static volatile char sink;

static char *block(size_t size)
{
	char *p = malloc(size);

	MUST(p);
	memset(p, 1, size);
	return p;
}

/* Neighbours, as in a program. */
static char *among(size_t size)
{
	char *p;

	for (int i = 0; i < 100; i++)
		block(size);
	p = block(size);
	for (int i = 0; i < 100; i++)
		block(size);
	return p;
}

/* ----------------------------------------------------------------- bugs -- */

static void touch(size_t size, long offset, int write, int and_free)
{
	volatile char *p = among(size);

	if (write)
		p[offset] = 2;
	else
		sink = p[offset];
	if (and_free)
		free((char *)p);
}

static void use_after_free(int write, int others)
{
	volatile char *p = among(64);

	free((char *)p);
	for (int i = 0; i < others; i++)
		free(block(64));
	if (write)
		p[8] = 2;
	else
		sink = p[8];
}

static void double_free(int others)
{
	char *p = among(64);

	free(p);
	for (int i = 0; i < others; i++)
		free(block(64));
	free(p);
}

static void write_1_past_64(void)
{
	touch(64, 64, 1, 1);
}
static void read_1_past_64(void)
{
	touch(64, 64, 0, 1);
}
static void write_16_past_64(void)
{
	touch(64, 79, 1, 1);
}
static void write_1_before(void)
{
	touch(64, -1, 1, 1);
}
static void write_17_before(void)
{
	touch(64, -17, 1, 1);
}
static void read_after_free(void)
{
	use_after_free(0, 0);
}
static void write_after_free(void)
{
	use_after_free(1, 0);
}
static void read_after_free_late(void)
{
	use_after_free(0, 1000);
}
static void write_after_free_late(void)
{
	use_after_free(1, 1000);
}
static void double_free_at_once(void)
{
	double_free(0);
}
static void double_free_late(void)
{
	double_free(1000);
}
static void free_interior(void)
{
	free(among(64) + 16);
}
static void write_1_past_61(void)
{
	touch(61, 61, 1, 1);
}
static void write_1_past_13(void)
{
	touch(13, 13, 1, 1);
}
static void read_1_past_61(void)
{
	touch(61, 61, 0, 1);
}
static void write_5000_past(void)
{
	touch(64, 64 + 5000, 1, 0);
}
static void write_1_past_4096(void)
{
	touch(4096, 4096, 1, 0);
}
static void write_1_past_200000(void)
{
	touch(200000, 200000, 1, 0);
}

static void free_stack(void)
{
	char local[64];
	char *volatile p = local + 16;

	free(p);
}

/* ------------------------------------------------------------ scenarios -- */

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

/* The guard works: blocks can be used, others and freed ones fault. */
static void guarded(void)
{
	static const size_t sizes[] = {16, 64, 1000, 4096, 5000, 40000, 200000};

	for (int i = 0; i < 700; i++) {
		size_t size = sizes[i % 7];
		char *p = block(size);

		MUST(faults(p + (size + 15) / 16 * 16));
		p = realloc(p, size + 1000);
		MUST(p && p[size - 1] == 1);
		memset(p, 2, size + 1000);
		free(p);
		MUST(faults(p));
		MUST(faults(p + size + 999));
	}
}

static void live(size_t n)
{
	char **p = calloc(n, sizeof(*p));

	MUST(p);
	for (size_t i = 0; i < n; i++) {
		p[i] = block(64);
		p[i][0] = (char)i;
	}
	MUST(faults(p[0] + 64) && faults(p[n / 2] + 64) && faults(p[n - 1] + 64));
	for (size_t i = 0; i < n; i++) {
		MUST(p[i][0] == (char)i);
		free(p[i]);
	}
	MUST(faults(p[0]) && faults(p[n / 2]) && faults(p[n - 1]));
}

static void live_100000(void)
{
	live(100000);
}
static void live_1000000(void)
{
	live(1000000);
}

/* More than there are mappings for. */
static void crowd(void)
{
	enum { N = 50000 };
	static char *p[N];

	for (int i = 0; i < N; i++)
		p[i] = block(64);
	for (int i = 0; i < N; i++)
		free(p[i]);
}

static void locked(void)
{
	char *before = block(100), *gone = block(100);

	free(gone);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) != 0) {
		printf("not permitted\n");
		exit(0);
	}
	MUST(faults(gone));
	guarded();
	free(before);
	MUST(faults(before));
	MUST(munlockall() == 0);
	guarded();
}

/* How the child has ended is the answer. */
static int in_child(int raw, void (*fn)(void *arg), void *arg)
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = raw ? syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
	MUST(pid >= 0);
	if (pid == 0) {
		alarm(60);
		fn(arg);
		_exit(0);
	}
	MUST(waitpid(pid, &status, 0) == pid);
	return status;
}

static void child_of_child(void *arg)
{
	MUST(faults(arg));
	guarded();
}

static void child(void *arg)
{
	MUST(faults(arg));
	guarded();
	MUST(in_child(0, child_of_child, arg) == 0);
	guarded();
}

static void raw_child(void *arg)
{
	free(block(64));
	guarded();
	(void)arg;
}

static void forked(void)
{
	char *gone = block(100), *kept[1000];

	for (int i = 0; i < 1000; i++)
		kept[i] = block(64);
	free(gone);
	for (int i = 0; i < 5; i++) {
		MUST(in_child(0, child, gone) == 0);
		MUST(in_child(1, raw_child, gone) == 0);
		guarded();
		MUST(faults(gone));
	}
	for (int i = 0; i < 1000; i++)
		free(kept[i]);
}

/* As daemons do, and others that open files then. */
static void closed(void)
{
	guarded();
	syscall(SYS_close_range, 3, ~0u, 0);
	free(block(64));
	guarded();
	syscall(SYS_close_range, 3, ~0u, 0);
	for (int i = 0; i < 1000; i++)
		dup(0);
	free(block(64));
	guarded();
}

/* A part of what was one mapping gets to be another. */
static void split(void)
{
	char *p[50];

	for (int i = 0; i < 50; i++) {
		p[i] = block(5000 * (1 + i % 9));
		mlock(p[i], 5000);
	}
	for (int i = 0; i < 50; i++)
		free(p[i]);
	guarded();
	for (int i = 0; i < 20000; i++)
		free(block(5000 * (1 + i % 9)));
	guarded();
}

/* Pages in the midst of a block that the program gives back are zero from then on. */
static void give_back(int advice)
{
	enum { PAGE = 4096, PAGES = 16 };
	char *p;

	MUST(posix_memalign((void **)&p, PAGE, PAGES * PAGE) == 0);
	memset(p, 1, PAGES * PAGE);
	MUST(madvise(p + 2 * PAGE, 4 * PAGE, advice) == 0);
	for (int i = 0; i < PAGES; i++) {
		MUST(advice == MADV_FREE || p[i * PAGE + 5] == !(i >= 2 && i < 6));
		p[i * PAGE] = 2;
		MUST(p[i * PAGE] == 2);
	}
	free(p);
	MUST(faults(p + 3 * PAGE));
}

static void wiped(void *arg)
{
	char *p = arg;

	MUST(p[0] == 0 && p[4096] == 0 && p[8192] == 1);
	p[0] = 1;
	free(p);
	MUST(faults(p));
	guarded();
}

static void given_back(void)
{
	char *p;

	give_back(MADV_DONTNEED);
	give_back(MADV_FREE);
	MUST(posix_memalign((void **)&p, 4096, 12288) == 0);
	memset(p, 1, 12288);
	MUST(madvise(p, 8192, MADV_WIPEONFORK) == 0);
	MUST(in_child(0, wiped, p) == 0);
	free(p);
	guarded();
}

/* The system reads from and writes to blocks that the program has not touched. */
static void calls(void)
{
	static const size_t sizes[] = {1, 64, 4096, 5000, 70000, 300000};
	int fd = open("/proc/self/exe", O_RDONLY), zero = open("/dev/zero", O_RDONLY);
	int null = open("/dev/null", O_WRONLY);

	for (int i = 0; i < 6; i++) {
		size_t size = sizes[i];
		char *p = malloc(size);

		MUST(read(zero, p, size) == (ssize_t)size);
		p = realloc(p, 2 * size);
		MUST(p && read(zero, p, 2 * size) == (ssize_t)(2 * size));
		free(p);
		MUST(read(zero, p, 1) == -1 && errno == EFAULT);
		p = calloc(1, size);
		MUST(p && write(null, p, size) == (ssize_t)size);
		MUST(pread(fd, p, size, 0) > 0);
		free(p);
	}
}

static void lowest_is_free(void *arg)
{
	int before = *(int *)arg;

	guarded();
	MUST(open("/dev/null", O_RDONLY) == before);
}

/* A limit below the number that a descriptor of ours would have. */
static void few_files(void)
{
	const struct rlimit few = {64, 64};
	int lowest = open("/dev/null", O_RDONLY);

	MUST(lowest >= 0 && close(lowest) == 0);
	MUST(setrlimit(RLIMIT_NOFILE, &few) == 0);
	MUST(in_child(0, lowest_is_free, &lowest) == 0);
	guarded();
}

/* -------------------------------------------------------------- filters -- */

struct denied {
	unsigned number, arg2, arg2_matters, action;
};

static void deny(const struct denied *denied, size_t n)
{
	struct sock_filter code[64];
	struct sock_fprog program = {.filter = code};
	unsigned len = 0;

	for (size_t i = 0; i < n; i++) {
		code[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							   offsetof(struct seccomp_data, nr));
		code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   denied[i].number, 0,
							   denied[i].arg2_matters ? 3 : 1);
		if (denied[i].arg2_matters) {
			code[len++] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS,
				offsetof(struct seccomp_data, args[2]));
			code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								   denied[i].arg2, 0, 1);
		}
		code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, denied[i].action);
	}
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = len;
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static const struct denied userfaultfd_fails = {SYS_userfaultfd, 0, 0,
						SECCOMP_RET_ERRNO | EPERM};
static const struct denied userfaultfd_kills = {SYS_userfaultfd, 0, 0, SECCOMP_RET_KILL};
static const struct denied guard_install_fails = {SYS_madvise, 102, 1,
						  SECCOMP_RET_ERRNO | EINVAL};
static const struct denied ioctl_fails = {SYS_ioctl, 0, 0, SECCOMP_RET_ERRNO | EPERM};

/* What served so far is forbidden in the midst of it. */
static void forbidden(void)
{
	struct denied denied[] = {ioctl_fails, userfaultfd_fails};
	char *gone = block(64), *kept = block(64);

	free(gone);
	deny(denied, 2);
	free(block(64));
	for (int i = 0; i < 100; i++)
		block(64);
	guarded();
	MUST(faults(gone));
	MUST(faults(kept + 64));
	free(kept);
	MUST(faults(kept));
}

static void forbidden_all(void)
{
	struct denied denied[] = {ioctl_fails, userfaultfd_fails, guard_install_fails};
	char *kept = block(64);

	deny(denied, 3);
	/* what was open before a block is in it may have no guard any more */
	for (int i = 0; i < 100; i++)
		block(64);
	for (int i = 0; i < 1000; i++) {
		char *p = block(100 + i * 10);

		free(p);
		MUST(faults(p));
	}
	free(kept);
	MUST(faults(kept));
}

static void run_denied(char **argv)
{
	struct denied denied[] = {userfaultfd_fails, guard_install_fails};

	if (strcmp(argv[0], "kill") == 0)
		denied[0] = userfaultfd_kills;
	deny(denied, strcmp(argv[0], "deny-all") == 0 ? 2 : 1);
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	exit(99);
}

static const struct scenario bugs[] = {
	SCENARIO(write_1_past_64),
	SCENARIO(read_1_past_64),
	SCENARIO(write_16_past_64),
	SCENARIO(write_1_before),
	SCENARIO(write_17_before),
	SCENARIO(read_after_free),
	SCENARIO(write_after_free),
	SCENARIO(read_after_free_late),
	SCENARIO(write_after_free_late),
	SCENARIO(double_free_at_once),
	SCENARIO(double_free_late),
	SCENARIO(free_interior),
	SCENARIO(free_stack),
	SCENARIO(write_1_past_61),
	SCENARIO(write_1_past_13),
	SCENARIO(read_1_past_61),
	SCENARIO(write_5000_past),
	SCENARIO(write_1_past_4096),
	SCENARIO(write_1_past_200000),
	{NULL, NULL},
};

static const struct scenario scenarios[] = {
	SCENARIO(guarded),	 SCENARIO(live_100000), SCENARIO(live_1000000),
	SCENARIO(crowd),	 SCENARIO(locked),	SCENARIO(forked),
	SCENARIO(closed),	 SCENARIO(split),	SCENARIO(forbidden),
	SCENARIO(forbidden_all), SCENARIO(given_back),	SCENARIO(calls),
	SCENARIO(few_files),	 {NULL, NULL},
};

int main(int argc, char **argv)
{
	if (argc > 2)
		run_denied(argv + 1);
	if (argc > 1 && scenario_run(bugs, argv[1])) {
		puts("missed");
		return 0;
	}
	if (argc > 1 && scenario_run(scenarios, argv[1])) {
		puts("well");
		return 0;
	}
	fprintf(stderr, "guard_bugs: expected a bug or a scenario\n");
	return 2;
}
