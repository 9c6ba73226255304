#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A vendor's library through us, with each kind of telemetry, beside the same library by
# LD_PRELOAD and beside the C library's heap: pairs, batches, mixed lifetimes, in one
# thread and in two.
#
#	bench/vendor.sh [ROUNDS [LIBRARY]]
#
# Run in the build tree after `make tests/modules/forward.la`; CHIC_ALLOC_PRELOAD names an
# installed library.  "sizes" is a module over the library whose free says what it gave
# back.  Prints medians of paired ratios with their 95% intervals; "again" is the reference
# a second time, the noise.

rounds=${1:-15}
library=${2:-libmimalloc.so.2}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
forward=${TEST_MODULE_DIR:-$PWD/tests/modules/.libs}/forward.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"

must_exist "$preload" "$forward"
has_library "$library" || { echo "vendor.sh: $library is not installed" >&2; exit 77; }
compile interleave
${CXX:-c++} -std=c++17 -O2 -fno-builtin -pthread "$srcdir/bench/loops.cc" -o "$tmp/loops" ||
	exit 1

# ours NAME MODULE TELEMETRY
ours()
{
	printf '[allocator]\nlog = stderr\non_error = fail\nmodule = %s\ntelemetry = %s\n' "$2" "$3"
	printf '[module forward]\npath = %s\ntarget = %s\nbytes = yes\n' "$forward" "$library"
} >"$tmp/$1.conf"

set -- "direct=LD_PRELOAD=$library" "again=LD_PRELOAD=$library" glibc=
for telemetry in off calls full
do
	ours vendor-$telemetry "$library" $telemetry
	ours sizes-$telemetry forward $telemetry
	set -- "$@" "vendor-$telemetry=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/vendor-$telemetry.conf"
done
candidates "$@" "sizes-full=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/sizes-full.conf"

LOOPS=malloc
export LOOPS BENCH_SUBJECT BENCH_CPU
for threads in 1 2
do
	BENCH_SUBJECT="loops, $threads thread$([ $threads = 1 ] || echo s)"
	[ $threads = 1 ] || BENCH_CPU=
	echo "== $BENCH_SUBJECT"
	run_interleaved "-v ns $rounds" -- "$tmp/loops" $threads || exit 1
done
