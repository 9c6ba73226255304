#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The arena beside others of its kind, and unmodified programs that end soon under it
# beside the C library's heap.
#
#	bench/arena.sh [ROUNDS [PROGRAM-ROUNDS]]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD names an installed library.  Prints medians
# of ratios to the first line of each table, with their 95% intervals; "again" is the
# first one a second time, the noise.  What is not installed is left out and says so.

rounds=${1:-15}
program_rounds=${2:-20}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
libdir=${CHIC_ALLOC_LIBDIR:-$PWD/.libs}
modules=${CHIC_ALLOC_MODULEDIR:-$PWD/modules/.libs}
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$libdir/libchic_alloc.so" "$modules/arena.so" "$preload"

conf()
{
	printf '[allocator]\nmodule = arena\nlog = stderr\non_error = fail\n'
	printf '[module arena]\npath = %s/arena.so\ncap = 16G\nhugepages = %s\n' "$modules" "$2"
} >"$tmp/$1.conf"

conf arena yes
conf small no

flags=
if pkg-config --exists apr-1
then
	flags="$flags -DWITH_APR $(pkg-config --cflags --libs apr-1)"
else
	echo "arena.sh: apr is left out: no libapr1-dev" >&2
fi
if pkg-config --exists talloc
then
	flags="$flags -DWITH_TALLOC $(pkg-config --cflags --libs talloc)"
else
	echo "arena.sh: talloc is left out: no libtalloc-dev" >&2
fi
# shellcheck disable=SC2086
${CXX:-c++} -std=c++17 -O2 -I"$srcdir/include" -I"$srcdir/bench" "$srcdir/bench/arena.cc" \
	-o "$tmp/arena" $flags -L"$libdir" -lchic_alloc || exit 1
[ "$rounds" = 0 ] || LD_LIBRARY_PATH=$libdir CHIC_ALLOC_CONF=$tmp/arena.conf \
	"$tmp/arena" "$rounds" || exit 1

[ "$program_rounds" != 0 ] || exit 0
rounds=$program_rounds
compile interleave
candidates "glibc=" "again=" "arena=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/arena.conf" \
	"small-pages=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/small.conf"

cat >"$tmp/tree.lua" <<'LUA'
local function tree(d) return d == 0 and {} or {tree(d - 1), tree(d - 1)} end
local function count(t) return t[1] and count(t[1]) + count(t[2]) or 1 end
local n = 0
for i = 1, 12 do n = n + count(tree(14)) end
local words = {}
for i = 1, 100000 do words[#words + 1] = "word " .. i end
print(n, #table.concat(words, " "))
LUA
work_perl 200000 >"$tmp/words.pl"
work_c "$srcdir" >"$tmp/elf.i" 2>/dev/null
printf '#include <algorithm>\n#include <map>\n#include <regex>\n#include <string>\nint x;\n' \
	>"$tmp/std.cc"

[ ! -s "$tmp/elf.i" ] || for level in 0 2
do
	time_command "cc1 -O$level" "$(gcc -print-prog-name=cc1)" -quiet -O$level \
		-fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
done
time_command "g++ -fsyntax-only" g++ -fsyntax-only "$tmp/std.cc"
[ ! -d "$(git -C "$srcdir" rev-parse --git-common-dir 2>/dev/null)" ] || {
	time_command "git log" git -C "$srcdir" log -n 300 -p --stat
	time_command "git blame" git -C "$srcdir" blame NEWS
}
time_command lua lua5.4 "$tmp/tree.lua"
time_command perl perl "$tmp/words.pl"
time_command "perl, nothing" perl -e 1
time_command python3 env PYTHONMALLOC=malloc /usr/bin/python3 -S -c \
	'd = {str(i): [i] * 5 for i in range(50000)}; print(len(repr(d)))'
time_command sh sh -c 'for i in 1 2 3; do :; done'
