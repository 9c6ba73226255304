// SPDX-License-Identifier: BSD-2-Clause
/*
 * Back end of guard for Linux since 5.11: a userfaultfd watches the whole range and
 * turns the touch of a page that is not there into SIGBUS.  A block gets its pages by
 * a copy, and loses them by MADV_DONTNEED; no mappings are needed for that.
 *
 * Where the system can move pages (Linux since 6.8), the page of a freed block becomes
 * the next block's.
 *
 * The watch ends with its descriptor, which programs close that close all they do not
 * know, and a forked child has none.  The next request finds out and watches again:
 * by the errors of a descriptor that is gone or another file's, and by a page that
 * the system wipes in the child.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard.h"

/* Younger than the headers that this may be built with. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

struct uffd_move {
	uint64_t dst, src, len, mode;
	int64_t moved;
};
#define UFFD_MOVE _IOWR(UFFDIO, 0x05, struct uffd_move)

/* Programs take the lowest descriptors for theirs: this one is out of their way. */
#define FD_MIN 960
/* A copy that is interrupted by changes of the address space is tried again. */
#define TRIES 100

static int out_of_the_way(int fd)
{
	struct rlimit most;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_MIN);

	if (high < 0 && getrlimit(RLIMIT_NOFILE, &most) == 0)
		high = fcntl(fd, F_DUPFD_CLOEXEC, (int)(most.rlim_cur - most.rlim_cur / 8));
	if (high < 0)
		return fd;
	close(fd);
	return high;
}

/* A descriptor that answers the kernel's accesses with EFAULT, the program's by SIGBUS. */
static int uffd_new(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_SIGBUS};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	int err;

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) == 0)
		return out_of_the_way(fd);
	err = -errno;
	close(fd);
	return err;
}

static ino_t inode_of(int fd)
{
	struct stat stat;

	return fstat(fd, &stat) == 0 ? stat.st_ino : 0;
}

/* Close the descriptor, unless the number is another file's by now. */
static void unwatch(struct guard *g)
{
	struct uffdio_api api = {.api = UFFD_API};
	bool known = ioctl(g->uffd.fd, UFFDIO_API, &api) == 0 || errno != ENOTTY;

	/* an operation that the file does not know is not refused as a repeated one */
	if (known && inode_of(g->uffd.fd) == g->uffd.inode)
		close(g->uffd.fd);
	g->uffd.fd = -1;
}

static int watch(struct guard *g)
{
	struct uffdio_register range = {
		.range = {.start = (uintptr_t)g->base, .len = g->range},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = uffd_new(), err;

	if (fd < 0)
		return fd;
	if (ioctl(fd, UFFDIO_REGISTER, &range) != 0) {
		err = -errno;
		close(fd);
		return err;
	}
	g->uffd.fd = fd;
	g->uffd.inode = inode_of(fd);
	*g->uffd.watched = 1;
	return 0;
}

/*
 * Watch again.  The old descriptor is left alone: its number may be another file's
 * by now.
 */
static bool watch_again(struct guard *g, int lost)
{
	int err = 0;

	pthread_mutex_lock(&g->lock);
	if (g->uffd.fd == lost || !*g->uffd.watched)
		err = watch(g);
	pthread_mutex_unlock(&g->lock);
	return !err;
}

static bool is_lost(int err)
{
	return err == EBADF || err == ENOTTY;
}

/* An operation of the descriptor, for which it is renewed once if it has to be. */
static int uffd_do(struct guard *g, unsigned long what, void *arg)
{
	int fd = g->uffd.fd, err;

	if (!*g->uffd.watched && !watch_again(g, -1))
		return -EBADF;
	for (int i = 0; i < TRIES; i++) {
		if (ioctl(g->uffd.fd, what, arg) == 0)
			return 0;
		err = errno;
		if (is_lost(err) && (i > 0 || !watch_again(g, fd)))
			return -EBADF;
		if (err != EAGAIN && !is_lost(err))
			return -err;
	}
	return -EAGAIN;
}

/* One part of what open() is asked for: 0 or -errno, as the system says it. */
static int copy(struct guard *g, char *p, size_t size, bool pattern)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)p,
		.src = (uintptr_t)g->pattern + (pattern ? 0 : g->page),
		.len = size,
	};

	return uffd_do(g, UFFDIO_COPY, &copy);
}

static int zero(struct guard *g, char *p, size_t size)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)p, .len = size}};

	return size ? uffd_do(g, UFFDIO_ZEROPAGE, &zero) : 0;
}

static bool uffd_close(struct guard *g, char *p, size_t size)
{
	(void)g;
	return madvise(p, size, MADV_DONTNEED) == 0 ||
	       madvise(p, size, MADV_DONTNEED_LOCKED) == 0;
}

static int fill_at_once(struct guard *g, char *p, size_t size, bool pattern)
{
	/* pages that the program is going to touch are cheaper copied */
	size_t head = smaller(size, (GUARD_PATTERN - 1) * g->page);
	int err = copy(g, p, head, pattern);

	return err ? err : zero(g, p + head, size - head);
}

static int fill_by_pages(struct guard *g, char *p, size_t size, bool pattern)
{
	int err = 0;

	for (size_t at = 0; at < size && !err; at += g->page)
		err = copy(g, p + at, g->page, pattern && at == 0);
	return err;
}

static enum guard_content uffd_open(struct guard *g, char *p, size_t size, bool pattern)
{
	int err = fill_at_once(g, p, size, pattern);

	/*
	 * A page is there that should not be, as it was touched while nobody watched.
	 * Or the program has changed a part of what was one mapping, by mlock().
	 */
	if ((err == -EEXIST || err == -ENOENT) && uffd_close(g, p, size))
		err = fill_by_pages(g, p, size, pattern);
	if (!err)
		return pattern ? GUARD_PATTERNED : GUARD_ZERO;
	uffd_close(g, p, size);
	if (err == -EBADF || err == -EINVAL || err == -EPERM || err == -ENOSYS)
		guard_backend_fall(g, &guard_uffd);
	return GUARD_NOT_OPEN;
}

/* False also where the page is shared with a forked process: a copy will do then. */
static bool uffd_move(struct guard *g, char *from, char *to)
{
	struct uffd_move move = {
		.dst = (uintptr_t)to,
		.src = (uintptr_t)from,
		.len = g->page,
	};
	int err;

	if (!g->uffd.moves)
		return false;
	err = uffd_do(g, UFFD_MOVE, &move);
	if (err == -EINVAL)
		g->uffd.moves = false;
	return !err;
}

/* Also where another thread has been quicker. */
static bool uffd_mend(struct guard *g, char *page)
{
	struct uffdio_zeropage zero = {.range = {.start = (uintptr_t)page, .len = g->page}};

	/* what uffd_do() does beyond that takes a lock */
	return ioctl(g->uffd.fd, UFFDIO_ZEROPAGE, &zero) == 0 || errno == EEXIST ||
	       errno == EAGAIN;
}

static bool uffd_arm(struct guard *g, char *p, size_t size)
{
	(void)g;
	return mprotect(p, size, PROT_READ | PROT_WRITE) == 0;
}

static int uffd_start(struct guard *g)
{
	int err;

	g->uffd.watched = pages_new(g->page);
	if (!g->uffd.watched)
		return -ENOMEM;
	madvise((void *)g->uffd.watched, g->page, MADV_WIPEONFORK);
	g->uffd.moves = true;
	err = watch(g);
	if (err)
		munmap((void *)g->uffd.watched, g->page);
	return err;
}

static void uffd_stop(struct guard *g)
{
	unwatch(g);
	munmap((void *)g->uffd.watched, g->page);
}

/* The descriptor that the child has inherited leads to the memory of its parent. */
static bool uffd_child(struct guard *g)
{
	unwatch(g);
	return watch(g) == 0;
}

const struct guard_backend guard_uffd = {
	.name = "userfaultfd",
	.start = uffd_start,
	.stop = uffd_stop,
	.arm = uffd_arm,
	.open = uffd_open,
	.close = uffd_close,
	.move = uffd_move,
	.mend = uffd_mend,
	.child = uffd_child,
	.leave = unwatch, /* what another opens must not be watched */
};
