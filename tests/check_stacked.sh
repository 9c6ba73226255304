#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Other libraries in LD_PRELOAD, before ours and behind it, that wrap what we call as
# well, and libraries that a program links.  Each is made here, with one habit of a real
# one.  Prints TAP.

# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
no_conf

# compile NAME: NAME.so of standard input
compile()
{
	compiled ${CC:-cc} -fPIC -shared -x c -o "$1.so" - -x none -ldl
}

# What starts cat with a library before ours or behind.
# shellcheck disable=SC2016
start='case $1 in
	before) LD_PRELOAD=$2:$LD_PRELOAD ;;
	behind) LD_PRELOAD=$LD_PRELOAD:$2 ;;
	esac
	exec cat "$3"'

# both_orders NAME RUN-ARGUMENTS...: NAME.so before ours and behind
both_orders()
{
	library=$1
	shift
	for order in before behind
	do
		equal "$library $order ours: $*" text \
			"$chic" run "$@" -- sh -c "$start" sh $order "$tmp/$library.so" text
	done
}

echo text >text

# As faketime: cannot work any more when its destructor has run.
compile finished <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>

static int finished;

static void *next(const char *name)
{
	if (finished)
		abort();
	return dlsym(RTLD_NEXT, name);
}

int fstat(int fd, struct stat *st)
{
	return ((int (*)(int, struct stat *))next("fstat"))(fd, st);
}

int lstat(const char *path, struct stat *st)
{
	return ((int (*)(const char *, struct stat *))next("lstat"))(path, st);
}

__attribute__((destructor)) static void finish(void)
{
	finished = 1;
}
C
for stack in default counting guard
do
	both_orders finished -m $stack
done
both_orders finished -m counting -o counting.summary=yes
ln -s summary link
both_orders finished -m counting -o counting.summary=yes -o "counting.output=$tmp/link"

# A heap whose storage is that of a library which it needs: no file says that.
echo '__thread char storage[3000] __attribute__((tls_model("initial-exec")));' >storage.c
cat >heap.c <<'C'
#include <stddef.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);
extern __thread char storage[3000];

void *malloc(size_t size) { return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { return __libc_realloc(p, size); }
void *memalign(size_t align, size_t size) { return __libc_memalign(align, size); }
void free(void *p) { storage[0]++, __libc_free(p); }
size_t malloc_usable_size(void *p) { return p ? 16 : 0; }
C
if ${CC:-cc} -fPIC -shared storage.c -o libstorage.so 2>err &&
	${CC:-cc} -fPIC -shared -fno-builtin -ftls-model=initial-exec heap.c -o heap.so \
		-L. -lstorage "-Wl,-rpath,$tmp" 2>err; then
	expect "static TLS of a library that a heap needs: what to do" 0 '^text$' \
		"storage.so: .*\\(3000 bytes\\): start the program with GLIBC_TUNABLES=[^ ]*=4096;" \
		"$chic" run -m "$tmp/heap.so" -- cat text
	expect "does it" 0 '^text$' - \
		env GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096 \
		"$chic" run -m "$tmp/heap.so" -- cat text
else
	skip "static TLS of a library that a heap needs" "cannot build it"
fi

# Who takes the library for a heap.
expect "our own library as a heap" 0 '^text$' \
	'preload.so: is the library that asks a heap, expected a heap; the platform heap serves$' \
	"$chic" run -m "${CHIC_ALLOC_PRELOAD:?}" -- cat text

# Another copy of ours, as where the machine has one and a command brings its own.
mkdir other
cp "${CHIC_ALLOC_PRELOAD:?}" other/libchic_alloc_preload.so
for order in before behind
do
	expect "another copy of ours, $order" 0 '/counting\.so$' - "$chic" run -m counting -- \
		sh -c "$start" sh $order "$tmp/other/libchic_alloc_preload.so" /proc/self/maps
	expect "another copy of ours, $order, and no stack" 0 '/libchic_alloc_preload\.so$' - \
		"$chic" run -m default -- \
		sh -c "$start" sh $order "$tmp/other/libchic_alloc_preload.so" /proc/self/maps
done

# A program that links an allocator, as redis does jemalloc.
compile linked <<'C'
#include <stddef.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

int served;

void *malloc(size_t size) { served++; return __libc_malloc(size); }
void *calloc(size_t n, size_t size) { served++; return __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { served++; return __libc_realloc(p, size); }
void *memalign(size_t align, size_t size) { served++; return __libc_memalign(align, size); }
void free(void *p) { __libc_free(p); }
size_t malloc_usable_size(void *p) { return p ? 16 : 0; }
C
cat >program.c <<'C'
#include <stdio.h>
#include <stdlib.h>

extern int served;

int main(void)
{
	int before = served;
	void *volatile p = malloc(100);

	free(p);
	return puts(served > before ? "its own" : "another") < 0;
}
C
${CC:-cc} -O0 -fno-builtin program.c -o program ./linked.so 2>err || exit 99
equal "a linked allocator without us" "its own" ./program
equal "a linked allocator, and nothing is configured" "its own" "$chic" run ./program
equal "a linked allocator, counted" "its own" "$chic" run -o allocator.telemetry=full ./program
equal "a linked allocator, and we are switched off" "its own" \
	env CHIC_ALLOC_DISABLE=1 "$chic" run ./program
equal "a linked allocator that a stack replaces" another "$chic" run -m guard ./program

finish
