#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc explain on real programs and processes: which rule applies, whether a
# stack will reach the program, and if not, why.  Prints TAP.

set -u
umask 022
chic=${CHIC_ALLOC:?}
preload=${CHIC_ALLOC_PRELOAD:?}
libdir=$(realpath "${CHIC_ALLOC_LIBDIR:?}")
: "${top_srcdir:?}" "${CC:=cc}"
tmp=$(mktemp -d) || exit 99
started=
end()
{
	for pid in $started; do
		kill -9 "$pid"
	done 2>/dev/null
	rm -rf "$tmp"
}
trap end EXIT
unset CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
. "$top_srcdir/tests/lib.sh"
cd "$tmp" || exit 99
chmod 755 .
: >none.conf
CHIC_ALLOC_CONF=$tmp/none.conf
export CHIC_ALLOC_CONF

background()
{
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	started="$started $pid"
}

# will NAME PATTERN ARGUMENT...: it will work, and the answer says that
will()
{
	name=$1 pattern=$2
	shift 2
	"$chic" explain "$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne 0 ]; then
		not_ok "$name" "status $status, expected 0"
	elif ! grep -Eq '^works +yes$' out; then
		not_ok "$name" "does not say that it works"
	elif ! grep -Eq "$pattern" out; then
		not_ok "$name" "stdout does not match '$pattern'"
	else
		ok "$name"
	fi
}

# will_not NAME PATTERN ARGUMENT...: it will not, for that reason first
will_not()
{
	name=$1 pattern=$2
	shift 2
	"$chic" explain "$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne 1 ]; then
		not_ok "$name" "status $status, expected 1"
	elif ! grep -Eq '^works +no$' out; then
		not_ok "$name" "does not say that it does not work"
	elif ! grep -E '^why' out | head -n 1 | grep -Eq "$pattern"; then
		not_ok "$name" "the reason does not match '$pattern'"
	else
		ok "$name"
	fi
}

# compile NAME FLAGS...: NAME from NAME.c, or from a main that does nothing
compile()
{
	source=$1.c
	[ -e "$source" ] || { source=nothing.c; echo 'int main(void) { return 0; }' >nothing.c; }
	output=$1
	shift
	# libraries behind what needs them
	$CC -o "$output" "$source" "$@" 2>err
}

# patch FILE OFFSET OCTAL
patch()
{
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# ------------------------------------------------------- the command itself ---

expect "--help" 0 '^usage: chic-alloc explain' - "$chic" explain --help
expect "nothing to explain" 2 - 'got 0 arguments, expected one PROGRAM or PID' "$chic" explain
expect "two programs" 2 - 'got 2 arguments' "$chic" explain a b
expect "an unknown option" 2 - "unknown option '--nonsense'" "$chic" explain --nonsense
expect "a program that is not there" 1 - 'nowhere: No such file' "$chic" explain ./nowhere
expect "a process that is not there" 1 - 'process 4194305: not found' "$chic" explain 4194305
expect "a number beyond all" 1 - '99999999999: No such file' "$chic" explain 99999999999

# -------------------------------------------------------------------- rules ---

will "no rule" '^note +no stack is configured for it' sleep
will "a stack by option" '^stack +guard \(-m\)$' -m guard sleep
will "options after the name" '^stack +guard \(-m\)$' sleep -m guard
sleep=$(realpath "$(command -v sleep)")
cat >rules.conf <<E
[allocator]
filters = counting
[program sle*]
module = arena
[program sleep]
module = guard
telemetry = full
[program one]
match = cat, sleep
module = arena
[program paths]
match = $(dirname "$sleep")/sl*p
module = arena
[program other]
module = arena
E
will "a glob on the name loses" '^rules +\[program sle\*\] .*rules.conf:4: glob on the name .*: less specific$' \
	-c rules.conf sleep
will "a name loses" '^ +\[program sleep\] .*rules.conf:6: name .*: less specific$' -c rules.conf sleep
will "a glob on the path wins" \
	'^ +\[program paths\] .*rules.conf:12: glob on the path .*, as .*executable: applies$' -c rules.conf sleep
will "filters stand in front" '^stack +counting, arena \(.*rules.conf:13\)$' -c rules.conf sleep
sed '/^\[program paths/,/^module/d' rules.conf >names.conf
will "the later of two names" '^ +\[program one\] .*: applies$' -c names.conf sleep
will "and the earlier" '^ +\[program sleep\] .*: as specific, but stands earlier$' -c names.conf sleep
will "rules that do not match are counted" '^rules +none of 5 matches$' -c rules.conf dd
ln -s "$sleep" renamed
printf '[program renamed]\nmodule = guard\n' >renamed.conf
will "the name it is started by" "'renamed', as started: applies" -c renamed.conf ./renamed
will "and not another" '^rules +none of 1 matches' -c renamed.conf sleep
will "the name of the executable behind" "'cat, sleep', as executable: applies" \
	-c names.conf ./renamed

# Debian's redis-server is a link to another program, and links an allocator.
redis=$(command -v redis-check-rdb)
if [ -n "$redis" ]; then
	ln -s "$redis" redis-server
	printf '[program redis-server]\nmodule = guard\n' >redis.conf
	will "redis-server by its name" "'redis-server', as started: applies" \
		-c redis.conf ./redis-server
	will "redis-server is linked with an allocator" \
		'^note +it is linked with an allocator, which the stack replaces: libjemalloc' \
		-c redis.conf ./redis-server
else
	skip "redis-server by its name" "no redis-check-rdb"
fi

# --------------------------------------------------------------- what works ---

compile nothing || exit 99
will "a program of our own" '^program +\./nothing$' ./nothing
compile fixed -no-pie && will "at a fixed address" '^program' ./fixed
printf '#!/bin/sh\nexec sleep 1\n' >123
chmod +x 123
will "./123 is a file" '^executable .*\(the interpreter of a script\)$' ./123
will "a shell script" '^note +it is a shell script' ./123
if command -v python3 >/dev/null; then
	python=$(python3 -c 'import sys; print(sys.executable)')
	will "python3 deals out by itself" '^ +PYTHONMALLOC=malloc in its environment' "$python"
	printf '#!%s -u\n' "$python" >script
	printf '#!/usr/bin/env -S A=b sleep 1\n' >by-env
	chmod +x script by-env
	printf '[program script]\nmodule = guard\n[program by-env]\nmodule = guard\n' >script.conf
	will "a script by its name" "'script', as started: applies" -c script.conf ./script
	will "env starts another program" '^script +./by-env, for which env starts' ./by-env
	will "whose rules are not the script's" '^rules +none of 2' -c script.conf ./by-env
else
	skip "a script of python3" "no python3"
fi
echo 'echo hello' >text
chmod +x text
will "a text without an interpreter goes to the shell" '^executable .*sh \(the interp' ./text
expect "and run says nothing" 0 '^hello$' - "$chic" run -m guard ./text

jemalloc=libjemalloc.so.2
if "$chic" config -m $jemalloc >out 2>err; then
	will "static TLS" \
		'^ +chic-alloc run .*GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096$' \
		-m $jemalloc sleep
	GLIBC_TUNABLES=glibc.rtld.optional_static_tls=4096
	export GLIBC_TUNABLES
	will "enough static TLS" '^stack +libjemalloc' -m $jemalloc sleep
	if grep -q 'thread-local' out; then
		not_ok "... and no word of it" "speaks of thread-local storage"
	else
		ok "... and no word of it"
	fi
	unset GLIBC_TUNABLES
else
	skip "static TLS" "no $jemalloc"
fi

# ----------------------------------------------------------- what does not ---

CHIC_ALLOC_DISABLE=1
export CHIC_ALLOC_DISABLE
will_not "switched off" 'CHIC_ALLOC_DISABLE is 1$' sleep
unset CHIC_ALLOC_DISABLE

if compile static -static; then
	will_not "a static program" 'it is statically linked$' ./static
	expect "run warns of it" 0 - 'static: runs on the platform heap: it is statically linked$' \
		"$chic" run -m guard ./static
else
	skip "a static program" "cannot link one"
fi
if compile static-pie -static-pie; then
	will_not "a static program at any address" 'it is statically linked$' ./static-pie
else
	skip "a static program at any address" "cannot link one"
fi

cat >own.c <<'C'
#include <stddef.h>
#include <unistd.h>
static char heap[1 << 20];
static size_t used;
void *malloc(size_t n)
{
	used += (n + 31) & ~(size_t)15;
	return used <= sizeof(heap) ? heap + used - ((n + 31) & ~(size_t)15) + 16 : NULL;
}
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t m) { return malloc(n * m); }
void *realloc(void *p, size_t n) { (void)p; return malloc(n); }
#ifdef JEMALLOC
int mallctl(void) { return 0; }
#endif
#ifndef LIBRARY
int main(int argc, char **argv)
{
	(void)argv;
	return argc > 1 ? pause() : 0;
}
#endif
C
for flags in -pie -no-pie; do
	compile own -fno-builtin $flags || exit 99
	will_not "a program that defines malloc ($flags)" 'it defines malloc itself$' ./own
done
expect "run warns of it" 0 - 'own: runs on the platform heap: it defines malloc itself$' \
	"$chic" run -m guard ./own
compile own -fno-builtin -DJEMALLOC -rdynamic &&
	will_not "whose name is known" 'it defines malloc itself: jemalloc$' ./own

# a library that lacks what unmodified programs need is known before it is opened
cat >>own.c <<'C'
#ifdef ALIGNED
void *ALIGNED(size_t a, size_t n) { return a <= 16 ? malloc(n) : NULL; }
#endif
#ifdef SIZED
size_t SIZED(void *p) { return !p; }
#endif
C
$CC -fno-builtin -DLIBRARY -DSIZED=msize -shared -fPIC -o unaligned.so own.c || exit 99
$CC -fno-builtin -DLIBRARY -DALIGNED=memalign -shared -fPIC -o sizeless.so own.c || exit 99
$CC -fno-builtin -DLIBRARY -DALIGNED=aligned_alloc -DSIZED=msize -shared -fPIC -o all.so own.c ||
	exit 99
will_not "a heap without memalign" 'unaligned.so: found no function memalign, expected ' \
	-m "$tmp/unaligned.so" sleep
will_not "a heap that tells no sizes" 'sizeless.so: exports no usable_size, expected one' \
	-m "$tmp/sizeless.so" sleep
refused "run does not start it" 'sizeless.so: exports no usable_size, expected one' \
	"$chic" run -m "$tmp/sizeless.so" touch started
will "a heap that has all" 'all.so' -m "$tmp/all.so" sleep

for sanitizer in address thread; do
	if compile sane -fsanitize=$sanitizer; then
		will_not "-fsanitize=$sanitizer" 'it carries a sanitizer: ' ./sane
	else
		skip "-fsanitize=$sanitizer" "the compiler has none"
	fi
	if command -v clang >/dev/null && (CC=clang && compile sane -fsanitize=$sanitizer); then
		will_not "clang -fsanitize=$sanitizer" 'it carries a sanitizer: ' ./sane
	else
		skip "clang -fsanitize=$sanitizer" "no clang that has it"
	fi
done

compile musl -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 &&
	will_not "a program for musl" 'its C library is not glibc: /lib/ld-musl-.*\(musl\)$' ./musl
compile android -Wl,--dynamic-linker=/system/bin/linker64 &&
	will_not "a program for Android" 'its C library is not glibc: /system/bin/linker64$' ./android
compile lost -Wl,--dynamic-linker=/nowhere/ld-linux.so.9 &&
	will_not "a program whose linker is missing" 'cannot start: its dynamic linker is missing: /nowhere' ./lost

cp nothing class
[ "$(od -An -tu1 -j4 -N1 class | tr -d ' ')" = 2 ] && other=001 || other=002
patch class 4 $other
will_not "a program of another class" 'for another machine than the preload library: .*found class' ./class
cp nothing machine
patch machine 18 051
patch machine 19 000
will_not "a program for another machine" 'for another machine .*found machine 41 ' ./machine
for size in 5 64 200 1000; do
	head -c $size nothing >cut
	chmod +x cut
	will_not "cut to $size bytes" 'damaged|machine|neither an ELF' ./cut
done
printf '\000\001\002' >bytes
chmod +x bytes
will_not "neither a program nor a script" 'neither an ELF program nor a script' ./bytes
: >nothing-in-it
chmod +x nothing-in-it
will_not "an empty file" 'neither an ELF program nor a script' ./nothing-in-it

cat >golang.c <<'C'
__asm__(".section .note.go.buildid,\"a\",%note\n"
	".long 4, 4, 4\n.asciz \"Go\\0\"\n.asciz \"abc\"\n.previous\n");
int main(void) { return 0; }
C
compile golang && will_not "a Go program" 'it is a Go program' ./golang
compile golang -static && will_not "a static Go program" 'statically linked: a Go program$' ./golang
cat >inside.c <<'C'
#include <stdio.h>
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		puts("<jemalloc>: Error in munmap()\n");
	return 0;
}
C
compile inside && will_not "an allocator inside" 'has an allocator inside .*: jemalloc$' ./inside
if [ "$(head -c 2 "$chic")" != '#!' ]; then
	will "the command itself has none" '^works' "$chic"
fi

will_not "a module that is not there" 'what is configured is refused: -m: .*nothing.so' -m nothing sleep
printf '[allocator]\nmodul = x\n' >bad.conf
will_not "a bad configuration" 'what is configured is refused: .*bad.conf:2: ' -c bad.conf sleep
CHIC_ALLOC_PRELOAD=/nowhere/libchic_alloc_preload.so
will_not "no preload library" 'cannot be loaded: /nowhere/.*: No such file' sleep
CHIC_ALLOC_PRELOAD=$preload

# -------------------------------------------------------------- privileges ---

as_nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

if [ "$(id -u)" != 0 ] || ! as_nobody true 2>/dev/null; then
	skip "programs that gain privileges" "needs root and setpriv"
elif ! as_nobody test -x "$chic" -a -r "$preload"; then
	skip "programs that gain privileges" "the build folder is closed to others"
else
	cp nothing setuid
	chmod 4755 setuid
	will "set-user-ID root, for root" '^note +for other users it gains privileges' ./setuid
	chown 65534 setuid
	chmod 4755 setuid
	will_not "set-user-ID of another" 'it gains privileges when it starts' ./setuid
	expect "run warns of it" 0 - 'setuid: runs on the platform heap: it gains privileges' \
		"$chic" run -m guard ./setuid
	cp nothing setgid
	chgrp 65534 setgid
	chmod 2755 setgid
	will_not "set-group-ID of another" 'it gains privileges when it starts' ./setgid
	chmod 2745 setgid
	will "set-group-ID without leave to execute is none" '^works' ./setgid
	if command -v setcap >/dev/null && cp nothing capable &&
		setcap cap_net_raw+ep capable 2>/dev/null; then
		will "file capabilities, for root" '^note +for other users it gains privileges' ./capable
		expect "file capabilities, for others" 1 '^why +it gains privileges' - \
			as_nobody "$chic" explain ./capable
	else
		skip "file capabilities" "no setcap, or no file system for it"
	fi
	rm setuid
	cp nothing setuid
	chmod 4755 setuid
	expect "set-user-ID root, for others" 1 '^why +it gains privileges' - \
		as_nobody "$chic" explain ./setuid
	expect "nobody gains anything under no_new_privs" 0 '^works +yes' - \
		as_nobody setpriv --no-new-privs "$chic" explain ./setuid
	cp nothing closed
	chmod 711 closed
	expect "a file that cannot be read" 0 '^note +its file cannot be read' - \
		as_nobody "$chic" explain ./closed
fi

# --------------------------------------------------------------- processes ---

settle()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		"$chic" ps -p "$1" >out 2>err && ! grep -q ' starting$' out && return
		sleep 0.1
	done
}

background sleep 100
will "a process that is not under us" '^now +not under us$' $pid
will "... was not preloaded" '^note +it was started without the preload library' $pid
will "... and what it would get" '^stack +guard \(-m\)$' -m guard $pid
background "$chic" run -c rules.conf -- sleep 100
settle $pid
will "a process under us" '^now +counting, arena \(.*rules.conf:13 \[program paths\]\)$' $pid
will "... by the rule that applies now" '^ +\[program paths\] .*: applies$' $pid
sed 's/^filters.*/filters =/' rules.conf >new.conf
cp new.conf rules.conf
will "... whose configuration has changed" '^note +the configuration has changed' $pid
will "... and what it would get now" '^stack +arena ' $pid
json_valid "--json of a process" "$chic" explain --json $pid
background env CHIC_ALLOC_MODULE=nothing LD_PRELOAD="$preload" sleep 100
settle $pid
will_not "a process whose stack was refused" 'what is configured is refused: .*nothing.so' $pid
expect "... says so" 1 '^now +platform heap, because of an error: .*nothing.so' - \
	"$chic" explain $pid
compile own -fno-builtin
background env CHIC_ALLOC_MODULE=guard LD_PRELOAD="$preload" ./own wait
settle $pid
will_not "a process that was left alone" 'it defines malloc itself$' $pid
expect "... says so" 1 '^now +left alone: .*defines malloc$' - "$chic" explain $pid
$CC -fno-builtin -DLIBRARY -shared -fPIC -o heap.so own.c || exit 99
background env CHIC_ALLOC_MODULE=guard LD_PRELOAD="$tmp/heap.so:$preload" sleep 100
settle $pid
will_not "... because of a library in front" 'it was left alone: .*a library preloaded before' $pid
background env CHIC_ALLOC_DISABLE=1 LD_PRELOAD="$preload" sleep 100
settle $pid
will_not "a process that was switched off" 'CHIC_ALLOC_DISABLE is 1$' $pid
if [ -x static ]; then
	cat >wait.c <<-'C'
		#include <unistd.h>
		int main(void) { return pause(); }
	C
	compile wait -static
	background "$chic" run -m guard ./wait
	sleep 0.3
	will_not "a static process" 'it is statically linked$' $pid
	expect "... whose LD_PRELOAD was in vain" 1 '^note +its LD_PRELOAD names' - \
		"$chic" explain $pid
fi
cat >linked.c <<'C'
#include <chic_alloc.h>
#include <unistd.h>
int main(void) { return chic_rt_alloc(1, 1).ptr && pause(); }
C
compile linked -I"$top_srcdir/include" -L"$libdir" -Wl,-rpath,"$libdir" -lchic_alloc || exit 99
will "a linked program" '^note +it is linked with libchic_alloc' -m counting ./linked
background env CHIC_ALLOC_MODULE=counting ./linked
settle $pid
will "a linked process" '^now +counting \(CHIC_ALLOC_MODULE\)$' $pid
cp "$sleep" gone
background "$chic" run -m counting ./gone 100
settle $pid
rm gone
will "a process whose program was deleted" '^now +counting ' $pid
background sh -c 'exit 0'
wait $pid
expect "a process that has ended" 1 - "process $pid: not found" "$chic" explain $pid

# Its files are not ours: its configuration is the one it sees.
if [ "$(id -u)" = 0 ] && unshare -mpf --mount-proc true 2>/dev/null; then
	mkdir world
	cat >inside.sh <<-INSIDE
		mount -t tmpfs none "$tmp/world" || exit 1
		printf '[program sleep]\nmodule = counting\n' >"$tmp/world/in.conf"
		export CHIC_ALLOC_CONF="$tmp/world/in.conf"
		LD_PRELOAD="$preload" exec sleep 100
	INSIDE
	background unshare -mpf --mount-proc sh inside.sh
	sleep 0.5
	inside=$(cat /proc/$pid/task/$pid/children)
	will "process 1 of a container" '^now +counting \(.*/world/in.conf:2 \[program sleep\]\)$' \
		"${inside% }"
	will "... by its own files" '^stack +counting \(.*/world/in.conf:2\)$' "${inside% }"
	kill -9 ${inside% }
else
	skip "process 1 of a container" "needs root and unshare"
fi

# --------------------------------------------------------------------- json ---

json_valid "--json of a program" "$chic" explain --json -c names.conf sleep
json_valid "--json of one that will not" "$chic" explain --json ./own
json_valid "--json of a bad configuration" "$chic" explain --json -c bad.conf sleep
if command -v python3 >/dev/null; then
	cat >check.py <<-'PYTHON'
		import json, sys
		e = json.load(sys.stdin)
		assert e["works"] is False and e["pid"] is None, e
		assert e["reasons"][0]["reason"] == "own-malloc", e
		assert e["reasons"][0]["weight"] == "prevents" and e["reasons"][0]["fix"], e
		assert [r["applies"] for r in e["rules"]] == [True], e
		assert e["stack"] == "guard" and e["line"] == 2, e
	PYTHON
	printf '[program own]\nmodule = guard\n' >own.conf
	expect "--json has the same in it" 0 - - sh -c \
		"'$chic' explain --json -c own.conf ./own | python3 check.py"
fi

finish
