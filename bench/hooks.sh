#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic_rt_alloc and chic_rt_free with their counters beside bare malloc and free: over
# the C library's heap, and over a vendor's; in one thread and in two.
#
#	bench/hooks.sh [ROUNDS [LIBRARY]]
#
# Run in the build tree; CHIC_ALLOC_LIBDIR names installed libraries.  Prints medians of
# paired ratios with their 95% intervals; "again" is the reference a second time, the
# noise, "wrapper" a function of the same signature that calls malloc and counts nothing.

rounds=${1:-15}
library=${2:-libmimalloc.so.2}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
libdir=${CHIC_ALLOC_LIBDIR:-$PWD/.libs}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"

must_exist "$libdir/libchic_alloc.so"
compile interleave
for kind in malloc wrapper hooks
do
	${CC:-cc} -O2 -fno-builtin -pthread -DBLOCK="\"block_$kind.h\"" -I"$srcdir/include" \
		"$srcdir/bench/pairs.c" -o "$tmp/$kind" -L"$libdir" -lchic_alloc || exit 1
done
: >"$tmp/platform.conf"
printf '[allocator]\nmodule = %s\nlog = stderr\non_error = fail\n' "$library" \
	>"$tmp/vendor.conf"

# compare NAME PRELOAD CONF
compare()
{
	where=LD_LIBRARY_PATH=$libdir
	set -- "$1" "$where|CHIC_ALLOC_CONF=$tmp/platform.conf|LD_PRELOAD=$2" \
		"$where|CHIC_ALLOC_CONF=$tmp/$3.conf"
	candidates "malloc=$2|KIND=$tmp/malloc" "again=$2|KIND=$tmp/malloc" \
		"wrapper=$2|KIND=$tmp/wrapper" "chic_rt=$3|KIND=$tmp/hooks"
	for threads in 1 2
	do
		BENCH_SUBJECT="$1, $threads thread$([ $threads = 1 ] || echo s)"
		export BENCH_SUBJECT
		[ $threads = 1 ] || BENCH_CPU=
		echo "== $BENCH_SUBJECT"
		# shellcheck disable=SC2016
		run_interleaved "-v ns $rounds" -- sh -c 'exec "$KIND" $0' $threads || exit 1
	done
}

cpu=${BENCH_CPU:-}
export BENCH_CPU
compare platform '' platform
BENCH_CPU=$cpu
if has_library "$library"
then
	compare "${library%%.so*}" "$library" vendor
else
	echo "== $library: skipped, it is not installed"
fi
