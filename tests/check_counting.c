// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tests of modules/counting*.c, driven over the C library's heap.  Counts are
 * read where an operator reads them: in the summary that a process writes when
 * it exits, here a forked child that has inherited them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include <math.h>
#include <semaphore.h>

#include "../modules/counting.h"
#include "fault.h"
#include "module_common.h"

enum { SUMMARY, OUTPUT, FORMAT, INTERVAL, SIGNAL, SITES, TOP, VALUE };

static struct chic_module_param params[] = {
	[SUMMARY] = {.name = "summary"},
	[OUTPUT] = {.name = "output"},
	[FORMAT] = {.name = "format", .text = "text"},
	[INTERVAL] = {.name = "interval"},
	[SIGNAL] = {.name = "signal", .text = "off"},
	[SITES] = {.name = "sites", .number = COUNTING_SITES_OFF},
	[TOP] = {.name = "top", .number = 10},
	[VALUE] = {.name = "value", .text = "live"},
};
static struct chic_module_args args;

static size_t below_usable_size(void *ctx, const void *p)
{
	(void)ctx;
	return libc_usable_size(&lower_live, p);
}

static int start_with(bool summary, const char *output)
{
	int err;

	params[SUMMARY].number = summary;
	params[OUTPUT].text = output;
	support_args(&args, params, ARRAY_LENGTH(params));
	subject = (struct subject){SUBJECT(counting), .usable_size = below_usable_size,
				   .prefork = counting_prefork,
				   .postfork_parent = counting_postfork_parent,
				   .postfork_child = counting_postfork_child};
	err = counting_init(&args, &libc_layer, &subject.ctx);
	on_thread_exit = counting_thread_exit;
	on_thread_exit_ctx = subject.ctx;
	return err;
}

static void start(void)
{
	ck_assert_int_eq(start_with(true, ""), 0);
}

static void stop(void)
{
	on_thread_exit = NULL;
	counting_exit(subject.ctx);
}

static void start_sampling(void)
{
	params[SITES].number = 0;
	start();
	params[SITES].number = COUNTING_SITES_OFF;
}

/* ------------------------------------------------------------ counts -- */

struct counts {
	size_t live_blocks, live_bytes, peak_bytes, peak_within, total_blocks, total_bytes;
	size_t blocks[64], bytes[64]; /* by class */
	size_t live[64], live_size[64];
	size_t thread_blocks[100], thread_freed[100], threads; /* in the order of the table */
	size_t ended_blocks, ended_freed;
};

static void parse_class(struct counts *out, const char *line)
{
	size_t blocks, bytes, live, live_size;
	unsigned k;

	if (sscanf(line, "up-to 2^%u %zu %zu %zu %zu", &k, &blocks, &bytes, &live,
		   &live_size) != 5)
		return;
	ck_assert_uint_lt(k, 64);
	out->blocks[k] = blocks;
	out->bytes[k] = bytes;
	out->live[k] = live;
	out->live_size[k] = live_size;
}

static void parse_thread(struct counts *out, const char *line)
{
	size_t blocks, bytes, freed, freed_bytes;
	int tid;

	sscanf(line, "ended %zu %*u %zu", &out->ended_blocks, &out->ended_freed);
	if (sscanf(line, "thread %d %zu %zu %zu %zu", &tid, &blocks, &bytes, &freed,
		   &freed_bytes) != 5)
		return;
	ck_assert_uint_lt(out->threads, 100);
	out->thread_blocks[out->threads] = blocks;
	out->thread_freed[out->threads++] = freed;
}

static void parse(struct counts *out, const char *text)
{
	const char *line = strchr(text, '\n');
	int n;

	memset(out, 0, sizeof(*out));
	ck_assert_ptr_nonnull(line);
	n = sscanf(line,
		   " live-blocks %zu live-bytes %zu peak-bytes %zu peak-within %zu "
		   "total-blocks %zu total-bytes %zu",
		   &out->live_blocks, &out->live_bytes, &out->peak_bytes, &out->peak_within,
		   &out->total_blocks, &out->total_bytes);
	ck_assert_msg(n == 6, "summary: %s", text);
	for (; line; line = strchr(line + 1, '\n')) {
		parse_class(out, line + 1);
		parse_thread(out, line + 1);
	}
}

static void nothing(void *arg)
{
	(void)arg;
}

static struct counts counts(void)
{
	struct child child;
	struct counts now;

	run_child(&child, nothing, NULL);
	ck_assert_int_eq(child.status, 0);
	parse(&now, child.text);
	return now;
}

static void expect_live(size_t blocks, size_t bytes)
{
	struct counts now = counts();

	ck_assert_uint_eq(now.live_blocks, blocks);
	ck_assert_uint_eq(now.live_bytes, bytes);
}

START_TEST(nothing_is_zero)
{
	struct counts now = counts();

	ck_assert_uint_eq(now.live_blocks | now.live_bytes | now.peak_bytes, 0);
	ck_assert_uint_eq(now.total_blocks | now.total_bytes, 0);
}
END_TEST

START_TEST(hooks_count_what_was_asked)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 100, 8);
	ValueMutPtr b = counting_alloc_zeroed(subject.ctx, 23, 8);
	struct counts now;

	expect_live(2, 123);
	a = counting_realloc(subject.ctx, a, 100, 1000, 8);
	expect_live(2, 1023);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
	now = counts();
	ck_assert_uint_eq(now.live_blocks | now.live_bytes, 0);
	ck_assert_uint_eq(now.peak_bytes, 1023);
	ck_assert_uint_eq(now.total_blocks, 3);
	ck_assert_uint_eq(now.total_bytes, 1123);
}
END_TEST

START_TEST(twins_count_usable_bytes)
{
	void *a = counting_malloc(subject.ctx, 13);
	void *b = counting_calloc(subject.ctx, 3, 333);
	void *c = counting_memalign(subject.ctx, 64, 77);
	size_t usable = malloc_usable_size(a) + malloc_usable_size(b) + malloc_usable_size(c);

	expect_live(3, usable);
	usable -= malloc_usable_size(b);
	b = counting_remalloc(subject.ctx, b, 10);
	expect_live(3, usable + malloc_usable_size(b));
	usable = malloc_usable_size(a);
	ck_assert_uint_eq(counting_mfree(subject.ctx, a), usable);
	counting_mfree(subject.ctx, b);
	counting_mfree(subject.ctx, c);
	expect_live(0, 0);
}
END_TEST

START_TEST(failures_count_nothing)
{
	ValueMutPtr block = counting_alloc(subject.ctx, 100, 8);
	void *p = counting_malloc(subject.ctx, 100);
	struct counts before = counts(), after;

	lower_fails = true;
	ck_assert_ptr_null(counting_alloc(subject.ctx, 100, 8).ptr);
	ck_assert_ptr_null(counting_alloc_zeroed(subject.ctx, 100, 8).ptr);
	ck_assert_ptr_null(counting_realloc(subject.ctx, block, 100, 200, 8).ptr);
	ck_assert_ptr_null(counting_malloc(subject.ctx, 100));
	ck_assert_ptr_null(counting_calloc(subject.ctx, 1, 100));
	ck_assert_ptr_null(counting_memalign(subject.ctx, 64, 100));
	ck_assert_ptr_null(counting_remalloc(subject.ctx, p, 100));
	after = counts();
	ck_assert_mem_eq(&before, &after, sizeof(before));
	counting_free(subject.ctx, block);
	counting_mfree(subject.ctx, p);
}
END_TEST

START_TEST(peak_is_the_most_that_ever_lived)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 1000, 8);
	ValueMutPtr b = counting_alloc(subject.ctx, 500, 8);

	counting_free(subject.ctx, a);
	a = counting_alloc(subject.ctx, 999, 8);
	b = counting_realloc(subject.ctx, b, 500, 100, 8);
	ck_assert_uint_eq(counts().peak_bytes, 1500);
	b = counting_realloc(subject.ctx, b, 100, 502, 8);
	ck_assert_uint_eq(counts().peak_bytes, 1501);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
}
END_TEST

START_TEST(classes_end_at_powers_of_two)
{
	static const struct {
		size_t size;
		unsigned class;
	} table[] = {{1, 0},  {2, 1},  {3, 2},	   {4, 2},     {5, 3},	    {16, 4},
		     {17, 5}, {32, 5}, {4096, 12}, {4097, 13}, {65536, 16}, {65537, 17}};

	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct counts before = counts(), after;

		counting_free(subject.ctx, counting_alloc(subject.ctx, table[i].size, 1));
		after = counts();
		before.blocks[table[i].class]++;
		before.bytes[table[i].class] += table[i].size;
		ck_assert_mem_eq(before.blocks, after.blocks, sizeof(after.blocks));
		ck_assert_mem_eq(before.bytes, after.bytes, sizeof(after.bytes));
		ck_assert_mem_eq(before.live, after.live, sizeof(after.live));
	}
}
END_TEST

START_TEST(classes_know_what_is_live)
{
	ValueMutPtr a = counting_alloc(subject.ctx, 100, 8), b;
	struct counts now;

	b = counting_alloc(subject.ctx, 120, 8);
	a = counting_realloc(subject.ctx, a, 100, 1000, 8);
	now = counts();
	ck_assert_uint_eq(now.live[7], 1);
	ck_assert_uint_eq(now.live_size[7], 120);
	ck_assert_uint_eq(now.live[10], 1);
	ck_assert_uint_eq(now.live_size[10], 1000);
	counting_free(subject.ctx, a);
	counting_free(subject.ctx, b);
	now = counts();
	ck_assert_uint_eq(now.live[7] | now.live[10] | now.live_size[7], 0);
	ck_assert_uint_eq(now.blocks[7], 2);
}
END_TEST

#define MODEL_BLOCKS 64

/* Up to 6 MB: far beyond what a thread keeps to itself, and back. */
START_TEST(peak_of_one_thread_is_exact)
{
	ValueMutPtr blocks[MODEL_BLOCKS] = {{.ptr = NULL}};
	size_t live = 0, peak = 0;
	unsigned seed = 1;

	for (int i = 0; i < 3000; i++) {
		ValueMutPtr *b = &blocks[rand_r(&seed) % MODEL_BLOCKS];

		live -= b->size;
		if (b->ptr)
			counting_free(subject.ctx, *b);
		*b = handle(NULL, 0, 8);
		if (rand_r(&seed) % 3 == 0)
			continue;
		*b = counting_alloc(subject.ctx, 1 + rand_r(&seed) % (1u << (i % 17)), 8);
		live += b->size;
		peak = larger(peak, live);
		if (i % 300 == 0) {
			ck_assert_uint_eq(counts().peak_bytes, peak);
			ck_assert_uint_eq(counts().peak_within, 0);
		}
	}
	for (size_t i = 0; i < MODEL_BLOCKS; i++)
		if (blocks[i].ptr)
			counting_free(subject.ctx, blocks[i]);
	ck_assert_uint_eq(counts().peak_bytes, peak);
	ck_assert_uint_eq(counts().live_bytes, 0);
}
END_TEST

/* ------------------------------------------------------------- threads -- */

#define EACH 5000

/* Known totals whatever the order: sizes 1 to 64 in turn, half of them moved. */
static void *known_work(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < EACH; i++) {
		size_t size = 1 + i % 64;
		ValueMutPtr block = counting_alloc(subject.ctx, size, 8);

		if (i % 2 == 0) {
			block = counting_realloc(subject.ctx, block, size, 1000, 8);
			block.size = 1000;
		}
		if (i % 100 != 0)
			counting_free(subject.ctx, block);
	}
	return NULL;
}

static void expect_known_work(size_t threads)
{
	struct counts now = counts();
	size_t bytes = 0;

	for (size_t i = 0; i < EACH; i++)
		bytes += 1 + i % 64 + (i % 2 == 0 ? 1000 : 0);
	ck_assert_uint_eq(now.total_blocks, threads * (EACH + EACH / 2));
	ck_assert_uint_eq(now.total_bytes, threads * bytes);
	ck_assert_uint_eq(now.blocks[10], threads * EACH / 2);
	ck_assert_uint_eq(now.bytes[10], threads * EACH / 2 * 1000);
	ck_assert_uint_eq(now.live_blocks, threads * EACH / 100);
	ck_assert_uint_eq(now.live_bytes, threads * EACH / 100 * 1000);
	ck_assert_uint_ge(now.peak_bytes, now.live_bytes);
	ck_assert_uint_le(now.peak_bytes, now.live_bytes + threads * 1000 + now.peak_within);
	ck_assert_uint_eq(now.ended_blocks, now.total_blocks);
	ck_assert_uint_eq(now.ended_freed, now.total_blocks - now.live_blocks);
}

START_TEST(threads_are_counted_exactly)
{
	run_threads(known_work);
	run_threads(known_work);
	expect_known_work(2 * COMMON_THREADS);
}
END_TEST

START_TEST(threads_without_a_word_are_counted_too)
{
	run_threads(known_work);
	words_fail = true;
	run_threads(known_work);
	expect_known_work(2 * COMMON_THREADS);
}
END_TEST

static pthread_barrier_t barrier;

/* Number n allocates n times 10 blocks, frees n of them, and is there for a while. */
static void *work_and_wait(void *arg)
{
	for (uintptr_t i = 0; i < 10 * (uintptr_t)arg; i++) {
		ValueMutPtr block = counting_alloc(subject.ctx, 8, 8);

		if (i % 10 == 0)
			counting_free(subject.ctx, block);
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

START_TEST(each_thread_has_its_row)
{
	pthread_t threads[COMMON_THREADS];
	struct counts now;

	run_threads(known_work); /* whose tallies are used again */
	pthread_barrier_init(&barrier, NULL, COMMON_THREADS + 1);
	for (uintptr_t i = 0; i < COMMON_THREADS; i++)
		pthread_create(&threads[i], NULL, work_and_wait, (void *)(i + 1));
	pthread_barrier_wait(&barrier);
	now = counts();
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < COMMON_THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);

	ck_assert_uint_eq(now.threads, COMMON_THREADS);
	for (size_t i = 0; i < COMMON_THREADS; i++) {
		ck_assert_uint_eq(now.thread_blocks[i], 10 * (COMMON_THREADS - i));
		ck_assert_uint_eq(now.thread_freed[i], COMMON_THREADS - i);
	}
	ck_assert_uint_eq(now.ended_blocks, COMMON_THREADS * (EACH + EACH / 2));
	now = counts();
	ck_assert_uint_eq(now.threads, 0);
	ck_assert_uint_eq(now.ended_blocks, now.total_blocks);
}
END_TEST

static sem_t inherited, counted;

static void *inherit_tally(void *arg)
{
	(void)arg;
	counting_alloc(subject.ctx, 8, 8);
	sem_post(&inherited);
	sem_wait(&counted);
	return NULL;
}

/* Ends as far as its tally goes, which another has when it allocates once more. */
static void *outlive_tally(void *arg)
{
	pthread_t *heir = arg;

	counting_alloc(subject.ctx, 8, 8);
	counting_thread_exit(subject.ctx, support_word);
	support_word = NULL;
	pthread_create(heir, NULL, inherit_tally, NULL);
	sem_wait(&inherited);
	words_fail = true;
	counting_alloc(subject.ctx, 8, 8);
	return NULL;
}

START_TEST(thread_that_ended_is_one_of_the_ended)
{
	pthread_t thread, heir;
	struct counts now;

	sem_init(&inherited, 0, 0);
	sem_init(&counted, 0, 0);
	pthread_create(&thread, NULL, outlive_tally, &heir);
	pthread_join(thread, NULL);
	now = counts();
	sem_post(&counted);
	pthread_join(heir, NULL);
	ck_assert_uint_eq(now.threads, 1);
	ck_assert_uint_eq(now.thread_blocks[0], 1);
	ck_assert_uint_eq(now.ended_blocks, 2);
}
END_TEST

static _Atomic size_t held_size;

/* All hold blocks at once, which is the peak; then they give them back. */
static void *hold_and_wait(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	ValueMutPtr blocks[200];

	for (size_t i = 0; i < 200; i++) {
		blocks[i] = counting_alloc(subject.ctx, 1 + rand_r(&seed) % 3000, 8);
		held_size += blocks[i].size;
	}
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < 200; i++)
		counting_free(subject.ctx, blocks[i]);
	return NULL;
}

START_TEST(peak_of_threads_is_within_its_bound)
{
	struct counts now;

	held_size = 0;
	pthread_barrier_init(&barrier, NULL, COMMON_THREADS);
	run_threads(hold_and_wait);
	pthread_barrier_destroy(&barrier);
	now = counts();
	ck_assert_uint_eq(now.live_bytes, 0);
	ck_assert_uint_eq(now.peak_within, COMMON_THREADS * 65536);
	ck_assert_uint_gt(held_size, now.peak_within);
	ck_assert_uint_ge(now.peak_bytes, held_size - now.peak_within);
	ck_assert_uint_le(now.peak_bytes, held_size + now.peak_within);
}
END_TEST

static void count_in_child(void *arg)
{
	counting_postfork_child(subject.ctx);
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++)
		counting_alloc(subject.ctx, 8, 8);
}

/* The child has one thread, which goes on with the figures of the one that forked. */
START_TEST(fork_leaves_the_other_threads_behind)
{
	struct child child;
	struct counts now;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	counting_alloc(subject.ctx, 8, 8);
	pthread_create(&thread, NULL, work_and_wait, (void *)(uintptr_t)3);
	pthread_barrier_wait(&barrier);
	run_child(&child, count_in_child, (void *)(uintptr_t)20);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&barrier);
	parse(&now, child.text);
	ck_assert_uint_eq(now.threads, 1);
	ck_assert_uint_eq(now.thread_blocks[0], 21);
	ck_assert_uint_eq(now.ended_blocks, 30);
	ck_assert_uint_eq(now.live_blocks, 27 + 21);
	ck_assert_uint_eq(now.peak_within, 2 * 65536);
}
END_TEST

/* A tally that cannot be made is no reason to lose a count. */
START_TEST(threads_without_memory_are_counted_too)
{
	fault_start(1);
	counting_free(subject.ctx, counting_alloc_zeroed(subject.ctx, 100, 8));
	fault_stop();
	ck_assert_uint_eq(counts().total_blocks, 1);
	ck_assert_uint_eq(counts().bytes[7], 100);
}
END_TEST

/* ------------------------------------------------------------- summary -- */

static char dir[] = "/tmp/check_counting.XXXXXX";

static void make_dir(void)
{
	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	ck_assert_int_eq(rmdir(dir), 0);
}

static const char *in_dir(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void read_and_remove(const char *name, char *text, size_t size)
{
	const char *path = in_dir(name);
	struct stat st;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	n = read(fd, text, size - 1);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(fd);
	unlink(path);
}

static void count_three(void)
{
	for (int i = 0; i < 3; i++)
		counting_alloc(subject.ctx, 100, 8);
}

/* Writes from a folder that is not the one it was started in. */
static void run_with_output(void *arg)
{
	if (chdir(dir) != 0 || start_with(true, arg) != 0 || chdir("/") != 0)
		_exit(1);
	count_three();
}

START_TEST(summary_goes_to_output)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_with_output, (void *)"counts.100%%");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts.100%", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
	ck_assert_uint_eq(now.bytes[7], 300);
}
END_TEST

static void fork_with_output(void *arg)
{
	pid_t pid;

	run_with_output(arg);
	pid = fork();
	if (pid == 0) {
		count_three();
		exit(0);
	}
	dprintf(STDERR_FILENO, "%d %d", getpid(), pid);
	waitpid(pid, NULL, 0);
}

/* python's test-suite and others list the descriptors of a child. */
START_TEST(output_keeps_no_descriptor)
{
	int n = 0;

	ck_assert_int_eq(start_with(true, "/nowhere/counts"), 0);
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		n -= fcntl(fd, F_GETFD) >= 0;
	stop();
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	ck_assert_int_eq(n, 0);
}
END_TEST

static void expect_summary(pid_t pid, const char *name, size_t blocks)
{
	char text[8192], heading[100];
	struct counts now;

	read_and_remove(name, text, sizeof(text));
	snprintf(heading, sizeof(heading), "chic-alloc: counting: pid %d, ", pid);
	ck_assert_int_eq(strncmp(text, heading, strlen(heading)), 0);
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, blocks);
}

START_TEST(each_process_has_its_output)
{
	char name[50];
	struct child child;
	int pids[2];

	run_child(&child, fork_with_output, (void *)"counts.%p");
	ck_assert_int_eq(sscanf(child.text, "%d %d", &pids[0], &pids[1]), 2);
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "counts.%d", pids[i]);
		expect_summary(pids[i], name, i ? 6 : 3);
	}
}
END_TEST

START_TEST(forked_child_leaves_its_parents_output)
{
	struct child child;
	int pid;

	run_child(&child, fork_with_output, (void *)"counts");
	ck_assert_int_eq(sscanf(child.text, "%d", &pid), 1);
	expect_summary(pid, "counts", 3);
}
END_TEST

static void run_in_odd_folder(void *arg)
{
	const char *folder = in_dir("100%p");

	if (mkdir(folder, 0700) != 0 || chdir(folder) != 0 || start_with(true, arg) != 0)
		_exit(1);
}

START_TEST(only_output_has_a_pid_in_it)
{
	char text[8192];
	struct child child;

	run_child(&child, run_in_odd_folder, (void *)"counts");
	ck_assert_str_eq(child.text, "");
	ck_assert_int_eq(child.status, 0);
	read_and_remove("100%p/counts", text, sizeof(text));
	ck_assert_int_eq(rmdir(in_dir("100%p")), 0);
}
END_TEST

static void fork_and_leave(void *arg)
{
	run_with_output(arg);
	if (fork() == 0)
		exit(0);
	wait(NULL);
	_exit(0);
}

START_TEST(forked_child_writes_nothing_without_a_name)
{
	struct child child;

	run_child(&child, fork_and_leave, (void *)"counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

START_TEST(output_that_cannot_be_opened_is_told)
{
	struct child child;

	run_child(&child, run_with_output, (void *)"/nonexistent/counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "chic-alloc: counting: output: cannot open \"/nonexistent/counts\": "
			 "No such file or directory\n");
}
END_TEST

static void link_to(const char *target, unsigned owner)
{
	ck_assert_int_eq(symlink(target, in_dir("link")), 0);
	ck_assert_int_eq(lchown(in_dir("link"), owner, -1), 0);
}

START_TEST(output_may_be_a_link)
{
	char text[8192];
	struct child child;

	link_to("counts", geteuid());
	run_child(&child, run_with_output, (void *)"link");
	unlink(in_dir("link"));
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts", text, sizeof(text));
}
END_TEST

START_TEST(output_is_no_link_of_a_stranger)
{
	struct child child;

	if (geteuid() != 0)
		return; /* nobody else can give a link away */
	link_to("counts", 4711);
	run_child(&child, run_with_output, (void *)"link");
	unlink(in_dir("link"));
	ck_assert_ptr_nonnull(strstr(child.text, "Too many levels of symbolic links"));
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

static void run_quietly(void *arg)
{
	if (start_with(false, arg) != 0)
		_exit(1);
	count_three();
}

START_TEST(no_summary_unless_asked)
{
	struct child child;

	run_child(&child, run_quietly, (void *)"");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text, "");
}
END_TEST

static void run_without_summary(void *arg)
{
	if (start_with(false, arg) != 0)
		_exit(1);
	count_three();
}

START_TEST(output_alone_is_enough)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_without_summary, (void *)in_dir("counts"));
	ck_assert_str_eq(child.text, "");
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
}
END_TEST

START_TEST(output_that_is_too_long_is_refused)
{
	char output[PATH_MAX + 10];

	memset(output, 'x', sizeof(output));
	output[0] = '/';
	output[sizeof(output) - 1] = '\0';
	ck_assert_int_eq(start_with(true, output), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(last_fail, "output = /xxx"));
}
END_TEST

START_TEST(init_without_memory_fails)
{
	unsigned n;
	int err;

	for (n = 1;; n++) {
		fault_start(n);
		err = start_with(true, "");
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_nonnull(strstr(last_fail, "no memory for "));
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 2);
	stop();
}
END_TEST

START_TEST(interval_without_output_is_warned_of)
{
	params[INTERVAL].number = 1;
	ck_assert_int_eq(start_with(true, ""), 0);
	params[INTERVAL].number = 0;
	ck_assert_str_eq(last_warn, "test: interval is set, but nothing is written without "
				    "output = FILE");
	stop();
}
END_TEST

/* A target of a rename that is no file would be gone: a pipe, or /dev/null. */
START_TEST(output_to_a_pipe_is_written_in_place)
{
	char text[8192];
	struct child child;
	ssize_t n;
	int fd;

	ck_assert_int_eq(mkfifo(in_dir("pipe"), 0600), 0);
	fd = open(in_dir("pipe"), O_RDONLY | O_NONBLOCK);
	run_child(&child, run_with_output, (void *)"pipe");
	n = read(fd, text, sizeof(text) - 1);
	ck_assert_int_gt(n, 0);
	text[n] = '\0';
	ck_assert_ptr_nonnull(strstr(text, "live-blocks                        3\n"));
	close(fd);
	ck_assert_int_eq(unlink(in_dir("pipe")), 0);
}
END_TEST

START_TEST(pipe_that_nobody_reads_is_told)
{
	struct child child;

	ck_assert_int_eq(mkfifo(in_dir("pipe"), 0600), 0);
	run_child(&child, run_with_output, (void *)"pipe");
	ck_assert_int_eq(child.status, 0);
	ck_assert_ptr_nonnull(strstr(child.text, "No such device or address"));
	ck_assert_int_eq(unlink(in_dir("pipe")), 0);
}
END_TEST

static void run_with_broken_stderr(void *arg)
{
	int fds[2];

	(void)arg;
	if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
		_exit(1);
	close(fds[0]);
	close(fds[1]);
	if (start_with(true, "") != 0)
		_exit(1);
	exit(7);
}

START_TEST(pipe_that_broke_ends_nobody)
{
	struct child child;

	run_child(&child, run_with_broken_stderr, NULL);
	ck_assert(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 7);
}
END_TEST

static void expect_file(const char *name, const char *content)
{
	char text[100] = "";
	int fd = open(in_dir(name), O_RDONLY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_ge(read(fd, text, sizeof(text) - 1), 0);
	ck_assert_str_eq(text, content);
	close(fd);
	unlink(in_dir(name));
}

static void put_file(const char *name, const char *content)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT, 0600);

	ck_assert_int_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
	close(fd);
}

static void run_on_full_disk(void *arg)
{
	struct rlimit limit = {.rlim_cur = 10, .rlim_max = 10};

	run_with_output(arg);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
}

START_TEST(report_that_cannot_be_written_leaves_the_last)
{
	struct child child;

	put_file("counts", "the last report");
	run_child(&child, run_on_full_disk, (void *)"counts");
	ck_assert_ptr_nonnull(strstr(child.text, "output: cannot write \""));
	ck_assert_ptr_nonnull(strstr(child.text, "File too large"));
	expect_file("counts", "the last report");
}
END_TEST

/* ------------------------------------------------------ while it runs -- */

static void run_and_raise(void *arg)
{
	params[SIGNAL].text = "USR2";
	run_without_summary(arg);
	raise(SIGUSR2);
	_exit(0);
}

START_TEST(signal_asks_for_a_report)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_and_raise, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_eq(now.live_blocks, 3);
	run_child(&child, run_and_raise, (void *)"");
	ck_assert_int_eq(child.status, 0);
	parse(&now, child.text);
	ck_assert_uint_eq(now.live_blocks, 3);
}
END_TEST

static atomic_int handled;

static void on_usr1(int number)
{
	(void)number;
	handled++;
}

static void raise_own(void *arg)
{
	params[SIGNAL].text = "USR1";
	run_without_summary(arg);
	signal(SIGUSR1, on_usr1);
	raise(SIGUSR1);
	_exit(handled == 1 ? 0 : 1);
}

static void raise_earlier(void *arg)
{
	signal(SIGUSR1, on_usr1);
	params[SIGNAL].text = "USR1";
	run_without_summary(arg);
	raise(SIGUSR1);
	dprintf(STDERR_FILENO, "%s", last_warn);
	_exit(handled == 1 ? 0 : 1);
}

START_TEST(handlers_of_the_program_win)
{
	struct child child;

	run_child(&child, raise_own, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	run_child(&child, raise_earlier, (void *)in_dir("counts"));
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "test: signal = USR1 is not used: it is ignored or handled already");
	ck_assert_int_ne(access(in_dir("counts"), F_OK), 0);
}
END_TEST

START_TEST(signal_is_default_again_at_the_end)
{
	struct sigaction now;

	params[SIGNAL].text = "HUP";
	ck_assert_int_eq(start_with(false, ""), 0);
	ck_assert_int_eq(sigaction(SIGHUP, NULL, &now), 0);
	ck_assert(now.sa_handler != SIG_DFL);
	stop();
	ck_assert_int_eq(sigaction(SIGHUP, NULL, &now), 0);
	ck_assert(now.sa_handler == SIG_DFL);
}
END_TEST

/* Allocates now and then for longer than an interval, then ends without a farewell. */
static void run_and_die(void *arg)
{
	params[INTERVAL].number = 1;
	if (start_with(false, arg) != 0)
		_exit(1);
	for (int i = 0; i < 140; i++) {
		counting_free(subject.ctx, counting_alloc(subject.ctx, 5000, 8));
		usleep(10000);
	}
	raise(SIGKILL);
}

START_TEST(killed_process_leaves_its_last_report)
{
	char text[8192];
	struct child child;
	struct counts now;

	run_child(&child, run_and_die, (void *)in_dir("counts"));
	ck_assert(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL);
	read_and_remove("counts", text, sizeof(text));
	parse(&now, text);
	ck_assert_uint_gt(now.total_blocks, 1);
	ck_assert_uint_lt(now.total_blocks, 140);
	ck_assert_uint_eq(now.total_bytes, 5000 * now.total_blocks);
}
END_TEST

static void run_where_nothing_can_be_written(void *arg)
{
	params[INTERVAL].number = 1;
	if (start_with(false, arg) != 0)
		_exit(1);
	for (int i = 0; i < 240; i++) {
		counting_free(subject.ctx, counting_alloc(subject.ctx, 5000, 8));
		usleep(10000);
	}
}

START_TEST(failure_is_told_once)
{
	struct child child;

	run_child(&child, run_where_nothing_can_be_written, (void *)"/nonexistent/counts");
	ck_assert_int_eq(child.status, 0);
	ck_assert_str_eq(child.text,
			 "chic-alloc: counting: output: cannot open \"/nonexistent/counts\": "
			 "No such file or directory\n");
}
END_TEST

/* ------------------------------------------------------------- samples -- */

START_TEST(weights_are_one_by_the_chance)
{
	static const uint64_t periods[] = {1, 100, 4096, 512 * 1024, UINT64_C(1) << 39};

	for (size_t i = 0; i < ARRAY_LENGTH(periods); i++) {
		for (size_t size = 1; size < SIZE_MAX / 8; size = size * 3 + 1) {
			double x = (double)size / (double)periods[i];
			double weight = -1 / expm1(-x);

			ck_assert_double_eq_tol(
				(double)counting_weight(size, periods[i]) / COUNTING_WEIGHT_ONE,
				weight, weight * 1e-9 + 0.5 / COUNTING_WEIGHT_ONE + 1e-9);
			ck_assert_double_eq_tol((double)counting_weight_bytes(size, periods[i]),
						weight * (double)size,
						weight * (double)size * 1e-9 + 0.51);
		}
	}
	ck_assert_uint_eq(counting_weight(12345, 0), COUNTING_WEIGHT_ONE);
	ck_assert_uint_eq(counting_weight_bytes(12345, 0), 12345);
}
END_TEST

#define DRAWS 100000

/* A block of each size is taken as often as it should be, give or take 5 sigma. */
START_TEST(draws_are_exponential)
{
	uint64_t random = 1;
	size_t below[12] = {0};

	for (size_t i = 0; i < DRAWS; i++) {
		int64_t n = counting_draw(&random, 1000);

		ck_assert_int_ge(n, 0);
		for (size_t k = 0; k < ARRAY_LENGTH(below); k++)
			below[k] += n < (int64_t)4 << k;
	}
	for (size_t k = 0; k < ARRAY_LENGTH(below); k++) {
		double p = -expm1(-(double)(4 << k) / 1000);

		ck_assert_double_eq_tol((double)below[k] / DRAWS, p,
					5 * sqrt(p * (1 - p) / DRAWS));
	}
	ck_assert_int_eq(counting_draw(&random, 0), 0);
}
END_TEST

#define LIVE_BLOCKS 5000

/* Blocks 16 bytes apart, so that their places in the tables collide. */
START_TEST(live_blocks_are_found)
{
	struct counting_live *live = pages_new(sizeof(*live));
	static bool there[LIVE_BLOCKS];
	struct counting_block block;
	unsigned seed = 1;

	memset(there, 0, sizeof(there));
	for (size_t i = 0; i < 20 * LIVE_BLOCKS; i++) {
		size_t k = rand_r(&seed) % LIVE_BLOCKS;
		void *p = (void *)(16 * (k + 1000));

		block = (struct counting_block){.p = (uintptr_t)p, .size = k, .stack = k};
		if (there[k]) {
			MUST(counting_live_may_have(live, p));
			MUST(counting_live_take(live, p, &block));
			MUST(block.size == k && block.stack == k && block.p == (uintptr_t)p);
			MUST(!counting_live_take(live, p, &block));
		} else {
			MUST(!counting_live_take(live, p, &block));
			MUST(counting_live_add(live, &block));
		}
		there[k] = !there[k];
	}
	for (size_t k = 0; k < LIVE_BLOCKS; k++)
		MUST(counting_live_take(live, (void *)(16 * (k + 1000)), &block) == there[k]);
	ck_assert(all_are((const void *)live->filter, 0, sizeof(live->filter)));
	counting_live_free(live);
	munmap(live, sizeof(*live));
}
END_TEST

struct site {
	size_t blocks, bytes, live_blocks, live_bytes;
};

/* All sites of a list whose stack has the function: one call may become several. */
static struct site find_sites(const char *text, const char *list, const char *function)
{
	const char *at = strstr(text, list), *end = at ? strstr(at + 1, "\nsites by") : NULL;
	struct site sum = {0};

	while (at && (at = strstr(at, "\nsite ")) && (!end || at < end)) {
		const char *next = strstr(at + 1, "\nsite"), *name = strstr(at, function);
		struct site site;

		if (name && (!next || name < next) &&
		    sscanf(at, " site %*u %zu %zu %zu %zu", &site.blocks, &site.bytes,
			   &site.live_blocks, &site.live_bytes) == 4) {
			sum.blocks += site.blocks;
			sum.bytes += site.bytes;
			sum.live_blocks += site.live_blocks;
			sum.live_bytes += site.live_bytes;
		}
		at++;
	}
	ck_assert_msg(sum.blocks, "no %s in %s of %s", function, list, text);
	return sum;
}

static __attribute__((noinline)) ValueMutPtr first_caller(size_t size)
{
	ValueMutPtr block = counting_alloc(subject.ctx, size, 8);

	*(volatile char *)block.ptr = 1;
	return block;
}

static __attribute__((noinline)) void *second_caller(size_t size)
{
	void *p = counting_malloc(subject.ctx, size);

	*(volatile char *)p = 1;
	return p;
}

static __attribute__((noinline)) void *third_caller(void *p, size_t size)
{
	p = counting_remalloc(subject.ctx, p, size);
	if (p)
		*(volatile char *)p = 1;
	return p;
}

static const char live_list[] = "sites by live bytes";
static const char total_list[] = "sites by total bytes";

static struct child sites(void)
{
	static struct child child;

	run_child(&child, nothing, NULL);
	ck_assert_int_eq(child.status, 0);
	return child;
}

START_TEST(every_block_has_its_site)
{
	ValueMutPtr blocks[6];
	struct child child;
	struct site site;
	size_t usable;
	void *p;

	for (size_t i = 0; i < 6; i++)
		blocks[i] = first_caller(100 + i);
	p = second_caller(300);
	usable = malloc_usable_size(p);
	for (size_t i = 0; i < 4; i++)
		counting_free(subject.ctx, blocks[i]);
	child = sites();
	site = find_sites(child.text, total_list, "(first_caller");
	ck_assert_uint_eq(site.blocks, 6);
	ck_assert_uint_eq(site.bytes, 615);
	ck_assert_uint_eq(site.live_blocks, 2);
	ck_assert_uint_eq(site.live_bytes, 615 - 406);
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_bytes, usable);

	p = third_caller(p, 5000);
	child = sites();
	site = find_sites(child.text, live_list, "(third_caller");
	ck_assert_uint_eq(site.live_bytes, malloc_usable_size(p));
	site = find_sites(child.text, total_list, "(second_caller");
	ck_assert_uint_eq(site.blocks, 1);
	ck_assert_uint_eq(site.live_blocks, 0);
	counting_mfree(subject.ctx, p);
	for (size_t i = 4; i < 6; i++)
		counting_free(subject.ctx, blocks[i]);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

START_TEST(block_that_could_not_be_moved_keeps_its_site)
{
	void *p = second_caller(300);
	struct child child;
	struct site site;

	lower_fails = true;
	ck_assert_ptr_null(third_caller(p, 600));
	lower_fails = false;
	child = sites();
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_blocks, 1);
	ck_assert_ptr_null(strstr(child.text, "third_caller"));
	counting_mfree(subject.ctx, p);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

START_TEST(sites_without_memory_lose_samples)
{
	void *blocks[300];
	size_t lost = 0;
	struct child child;

	/* which makes the tally */
	counting_mfree(subject.ctx, second_caller(300));
	for (size_t i = 0; i < 300; i++) {
		fault_start(1);
		blocks[i] = second_caller(300);
		fault_stop();
		MUST(blocks[i]);
	}
	child = sites();
	ck_assert_ptr_nonnull(strstr(child.text, "samples-lost"));
	sscanf(strstr(child.text, "samples-lost"), "samples-lost %zu", &lost);
	/* but for those that share a table with the very first */
	ck_assert_uint_gt(lost, 200);
	for (size_t i = 0; i < 300; i++)
		counting_mfree(subject.ctx, blocks[i]);
}
END_TEST

static void start_sparse(void)
{
	params[SITES].number = 4096;
	start();
	params[SITES].number = COUNTING_SITES_OFF;
}

static size_t first_bytes, first_blocks;

/* Sizes far below the period and above: 5 sigma of some 3,000 samples are 9%. */
START_TEST(estimates_have_no_bias)
{
	struct child child;
	struct site site;
	unsigned seed = 1;

	first_bytes = first_blocks = 0;
	for (size_t i = 0; i < 40000; i++) {
		size_t size = 1 + rand_r(&seed) % (i % 50 == 0 ? 20000 : 100);
		ValueMutPtr block = first_caller(size);

		first_bytes += size;
		first_blocks++;
		counting_free(subject.ctx, block);
		counting_mfree(subject.ctx, second_caller(16));
	}
	child = sites();
	site = find_sites(child.text, total_list, "(first_caller");
	ck_assert_double_eq_tol((double)site.bytes, (double)first_bytes,
				0.1 * (double)first_bytes);
	ck_assert_double_eq_tol((double)site.blocks, (double)first_blocks,
				0.3 * (double)first_blocks);
	ck_assert_uint_eq(site.live_blocks, 0);
	ck_assert_ptr_null(strstr(child.text, live_list));
}
END_TEST

static void *allocate_at_end_too(void *arg)
{
	words_fail = true;
	return second_caller((size_t)arg);
}

START_TEST(threads_without_a_word_have_sites_too)
{
	struct site site;
	struct child child;
	pthread_t thread;
	void *p;

	pthread_create(&thread, NULL, allocate_at_end_too, (void *)1000);
	pthread_join(thread, &p);
	child = sites();
	site = find_sites(child.text, live_list, "(second_caller");
	ck_assert_uint_eq(site.live_blocks, 1);
	counting_mfree(subject.ctx, p);
	ck_assert_ptr_null(strstr(sites().text, live_list));
}
END_TEST

/* A site for each n, with more bytes than the one before. */
static __attribute__((noinline)) void *deeper(size_t n, size_t size)
{
	void *p = n ? deeper(n - 1, size) : counting_alloc(subject.ctx, size, 8).ptr;

	*(volatile char *)p = 1;
	return p;
}

START_TEST(top_is_bounded)
{
	struct child child;
	size_t n = 0;

	params[TOP].number = 2;
	start_sampling();
	for (size_t i = 0; i < 12; i++)
		deeper(i, 100 * (i + 1));
	child = sites();
	for (const char *at = child.text; (at = strstr(at, "\nsite ")); at++)
		n++;
	ck_assert_uint_eq(n, 3 * 2);
	ck_assert_uint_eq(find_sites(child.text, live_list, "(deeper").live_bytes, 2300);
	stop();
	params[TOP].number = 10;
}
END_TEST

static void run_collapsed(void *arg)
{
	params[FORMAT].text = "collapsed";
	params[SITES].number = 0;
	if (start_with(true, arg) != 0)
		_exit(1);
	first_caller(1000);
	first_caller(2000);
	counting_free(subject.ctx, first_caller(3000));
}

START_TEST(collapsed_stacks_have_what_lives)
{
	struct child child;

	run_child(&child, run_collapsed, (void *)"");
	ck_assert_int_eq(child.status, 0);
	ck_assert_int_eq(strncmp(child.text, "check_counting;", 15), 0);
	ck_assert_msg(strstr(child.text, ";first_caller;"), "%s", child.text);
	ck_assert_ptr_nonnull(strstr(child.text, " 1000\n"));
	ck_assert_ptr_nonnull(strstr(child.text, " 2000\n"));
	ck_assert_ptr_null(strstr(child.text, " 3000\n"));
}
END_TEST

START_TEST(stacks_without_sites_are_warned_of)
{
	params[FORMAT].text = "pprof";
	ck_assert_int_eq(start_with(true, ""), 0);
	params[FORMAT].text = "text";
	ck_assert_str_eq(last_warn, "test: format = pprof, but nothing is sampled without "
				    "sites = BYTES; reports are text");
	ck_assert_uint_eq(counts().total_blocks, 0);
	stop();
}
END_TEST

START_TEST(sampling_without_memory_fails)
{
	unsigned n;
	int err;

	params[FORMAT].text = "collapsed";
	params[SITES].number = 4096;
	for (n = 1;; n++) {
		fault_start(n);
		err = start_with(true, "");
		if (!fault_stop())
			break;
		ck_assert_int_eq(err, -ENOMEM);
		ck_assert_ptr_nonnull(strstr(last_fail, "no memory for "));
	}
	ck_assert_int_eq(err, 0);
	ck_assert_uint_gt(n, 5);
	stop();
	params[FORMAT].text = "text";
	params[SITES].number = COUNTING_SITES_OFF;
}
END_TEST

static TCase *counts_case(void)
{
	TCase *tc = tcase_create("counts");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, nothing_is_zero);
	tcase_add_test(tc, hooks_count_what_was_asked);
	tcase_add_test(tc, twins_count_usable_bytes);
	tcase_add_test(tc, failures_count_nothing);
	tcase_add_test(tc, peak_is_the_most_that_ever_lived);
	tcase_add_test(tc, classes_end_at_powers_of_two);
	tcase_add_test(tc, classes_know_what_is_live);
	tcase_add_test(tc, peak_of_one_thread_is_exact);
	tcase_add_test(tc, threads_are_counted_exactly);
	tcase_add_test(tc, threads_without_a_word_are_counted_too);
	tcase_add_test(tc, threads_without_memory_are_counted_too);
	tcase_add_test(tc, each_thread_has_its_row);
	tcase_add_test(tc, thread_that_ended_is_one_of_the_ended);
	tcase_add_test(tc, peak_of_threads_is_within_its_bound);
	tcase_add_test(tc, fork_leaves_the_other_threads_behind);
	return tc;
}

static TCase *summary_case(void)
{
	TCase *tc = tcase_create("summary");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, summary_goes_to_output);
	tcase_add_test(tc, each_process_has_its_output);
	tcase_add_test(tc, only_output_has_a_pid_in_it);
	tcase_add_test(tc, forked_child_leaves_its_parents_output);
	tcase_add_test(tc, forked_child_writes_nothing_without_a_name);
	tcase_add_test(tc, output_that_cannot_be_opened_is_told);
	tcase_add_test(tc, output_keeps_no_descriptor);
	tcase_add_test(tc, output_may_be_a_link);
	tcase_add_test(tc, output_is_no_link_of_a_stranger);
	tcase_add_test(tc, no_summary_unless_asked);
	tcase_add_test(tc, output_alone_is_enough);
	tcase_add_test(tc, output_that_is_too_long_is_refused);
	tcase_add_test(tc, output_to_a_pipe_is_written_in_place);
	tcase_add_test(tc, pipe_that_nobody_reads_is_told);
	tcase_add_test(tc, pipe_that_broke_ends_nobody);
	tcase_add_test(tc, report_that_cannot_be_written_leaves_the_last);
	tcase_add_test(tc, interval_without_output_is_warned_of);
	tcase_add_test(tc, init_without_memory_fails);
	return tc;
}

static TCase *samples_case(void)
{
	TCase *tc = tcase_create("samples");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_test(tc, weights_are_one_by_the_chance);
	tcase_add_test(tc, draws_are_exponential);
	tcase_add_test(tc, live_blocks_are_found);
	tcase_add_test(tc, top_is_bounded);
	tcase_add_test(tc, collapsed_stacks_have_what_lives);
	tcase_add_test(tc, stacks_without_sites_are_warned_of);
	tcase_add_test(tc, sampling_without_memory_fails);
	return tc;
}

static TCase *sites_case(void)
{
	TCase *tc = tcase_create("sites");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, start_sampling, stop);
	tcase_add_test(tc, every_block_has_its_site);
	tcase_add_test(tc, block_that_could_not_be_moved_keeps_its_site);
	tcase_add_test(tc, sites_without_memory_lose_samples);
	tcase_add_test(tc, threads_without_a_word_have_sites_too);
	return tc;
}

static TCase *estimates_case(void)
{
	TCase *tc = tcase_create("estimates");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, start_sparse, stop);
	tcase_add_test(tc, estimates_have_no_bias);
	return tc;
}

static TCase *running_case(void)
{
	TCase *tc = tcase_create("running");

	tcase_set_timeout(tc, CHECK_TIMEOUT);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, signal_asks_for_a_report);
	tcase_add_test(tc, handlers_of_the_program_win);
	tcase_add_test(tc, signal_is_default_again_at_the_end);
	tcase_add_test(tc, killed_process_leaves_its_last_report);
	tcase_add_test(tc, failure_is_told_once);
	return tc;
}

static Suite *make_suite(void)
{
	Suite *suite = suite_create("counting");

	suite_add_tcase(suite, common_tests("common", start, stop));
	suite_add_tcase(suite, common_tests("common, sampling", start_sampling, stop));
	suite_add_tcase(suite, counts_case());
	suite_add_tcase(suite, samples_case());
	suite_add_tcase(suite, sites_case());
	suite_add_tcase(suite, estimates_case());
	suite_add_tcase(suite, summary_case());
	suite_add_tcase(suite, running_case());
	return suite;
}

CHECK_MAIN(make_suite)
