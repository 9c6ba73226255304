#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the way through the preload library costs: malloc and free in pairs, in batches
# and with mixed lifetimes, against the same library preloaded directly, in random order.
#
#	bench/preload.sh [ROUNDS [LIBRARY [THREADS]]]
#
# Run in the build tree after `make tests/modules/forward.la tests/modules/filter_empty.la
# tests/modules/sized.la`; CHIC_ALLOC_PRELOAD names an installed library.  "forward" is a
# module whose functions forward to the library, with full telemetry one whose free says
# what it gave back.  "sized" is a module that is a heap and knows sizes without asking,
# against the same heap preloaded.
# Prints medians of paired ratios with their 95% intervals, and the geometric means of
# each shape and of all; "again" is the direct run a second time, the noise.

rounds=${1:-15}
library=${2:-libmimalloc.so.2}
threads=${3:-1}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
modules=${TEST_MODULE_DIR:-$PWD/tests/modules/.libs}
forward=$modules/forward.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"

must_exist "$preload" "$forward" "$modules/filter_empty.so" "$modules/sized.so"
has_library "$library" || { echo "preload.sh: $library is not installed" >&2; exit 77; }
compile interleave pairs
${CC:-cc} -O2 -fPIC -shared -fvisibility=hidden -DPRELOADED -I"$srcdir/include" \
	"$srcdir/bench/sized.c" -o "$tmp/sized.so" || exit 1

# ours NAME STACK TELEMETRY
ours()
{
	bytes=no
	[ "$3" != full ] || bytes=yes
	{
		printf '[allocator]\nlog = stderr\non_error = fail\n'
		printf 'module = %s\ntelemetry = %s\n' "$2" "$3"
		printf '[module forward]\npath = %s\ntarget = %s\nbytes = %s\n' "$forward" "$library" $bytes
		printf '[module filter_empty]\npath = %s/filter_empty.so\n' "$modules"
		printf '[module sized]\npath = %s/sized.so\n' "$modules"
	} >"$tmp/$1.conf"
	echo "$1=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/$1.conf"
}

candidates "direct=LD_PRELOAD=$library" "again=LD_PRELOAD=$library" glibc= \
	"$(ours vendor-off "$library" off)" "$(ours vendor-calls "$library" calls)" \
	"$(ours vendor-full "$library" full)" "$(ours filter-off "filter_empty, $library" off)" \
	"$(ours filter-calls "filter_empty, $library" calls)" "$(ours forward-off forward off)" \
	"$(ours forward-calls forward calls)" "$(ours forward-full forward full)"
BENCH_SUBJECT="loops, $threads thread$([ "$threads" = 1 ] || echo s)"
[ "$threads" = 1 ] || BENCH_CPU=
export BENCH_SUBJECT BENCH_CPU
run_interleaved "-v ns $rounds" -- "$tmp/pairs" "$threads"

candidates "direct=LD_PRELOAD=$tmp/sized.so" "again=LD_PRELOAD=$tmp/sized.so" \
	"$(ours sized-off sized off)" "$(ours sized-calls sized calls)" "$(ours sized-full sized full)"
BENCH_SUBJECT="sized heap, ${BENCH_SUBJECT#loops, }"
run_interleaved "-v ns $rounds" -- "$tmp/pairs" "$threads"
