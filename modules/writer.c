// SPDX-License-Identifier: BSD-2-Clause
/*
 * Text and numbers into a descriptor.  A report may be written from inside malloc
 * or a signal handler, where printf and its locks are out of question, and where
 * even write() of the C library would be a point to cancel the thread.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "writer.h"

/* Whoever read may be gone, or the file too long: no reason for the program to go. */
static void take_signal(int sig)
{
	const struct timespec now = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
		;
}

long write_quietly(int fd, const char *bytes, size_t n)
{
	sigset_t set, before, pending;
	int err, sig;
	long done;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGXFSZ);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	done = syscall(SYS_write, fd, bytes, n);
	err = errno;
	sig = err == EPIPE ? SIGPIPE : SIGXFSZ;
	if (done < 0 && (err == EPIPE || err == EFBIG) && !sigismember(&pending, sig))
		take_signal(sig);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = err;
	return done;
}

static void write_all(struct writer *w)
{
	size_t done = 0;

	while (done < w->len && !w->err) {
		long n = write_quietly(w->fd, w->bytes + done, w->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			w->err = n ? -errno : -EIO;
	}
	w->len = 0;
}

void put_bytes(struct writer *w, const char *bytes, size_t n)
{
	while (n) {
		size_t part = smaller(n, sizeof(w->bytes) - w->len);

		memcpy(w->bytes + w->len, bytes, part);
		w->len += part;
		bytes += part;
		n -= part;
		if (w->len == sizeof(w->bytes))
			write_all(w);
	}
}

void put_text(struct writer *w, const char *text)
{
	put_bytes(w, text, strlen(text));
}

static void put_blanks(struct writer *w, size_t n)
{
	while (n--)
		put_bytes(w, " ", 1);
}

void put_name(struct writer *w, const char *text, size_t width)
{
	size_t len = strlen(text);

	put_bytes(w, text, len);
	put_blanks(w, len < width ? width - len : 0);
}

#define DIGITS_MAX 20

/* They begin at `at` and go to the end. */
struct digits {
	char text[DIGITS_MAX];
	size_t at;
};

static struct digits digits_of(uint64_t n, unsigned base)
{
	struct digits d = {.at = DIGITS_MAX};

	do {
		d.text[--d.at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n);
	return d;
}

static void put_digits(struct writer *w, uint64_t n, unsigned base, const char *fill,
		       size_t width)
{
	struct digits d = digits_of(n, base);

	for (; width > DIGITS_MAX - d.at; width--)
		put_bytes(w, fill, 1);
	put_bytes(w, d.text + d.at, DIGITS_MAX - d.at);
}

void put_number(struct writer *w, uint64_t n, size_t width)
{
	put_digits(w, n, 10, " ", width);
}

void put_hex(struct writer *w, uint64_t n, size_t width)
{
	put_digits(w, n, 16, "0", width);
}

int put_flush(struct writer *w)
{
	int err;

	write_all(w);
	err = w->err;
	w->err = 0;
	return err;
}
