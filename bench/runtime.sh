#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The runtime's containers and regions beside others of their kind, all through the
# hooks with counters on.
#
#	bench/runtime.sh [ROUNDS]
#
# Run in the build tree.  A comparison whose library is not installed is left out and
# says so.

rounds=${1:-21}
srcdir=${top_srcdir:-$(dirname "$0")/..}
libdir=${CHIC_ALLOC_LIBDIR:-$PWD/.libs}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 143' INT TERM HUP
export LD_LIBRARY_PATH="$libdir"

[ -r "$libdir/libchic_rt.so" ] || {
	echo "runtime.sh: $libdir/libchic_rt.so is missing, expected a build" >&2
	exit 1
}

# bench NAME COMPILER SOURCE FLAGS...
bench()
{
	name=$1 compiler=$2 source=$3
	shift 3
	if ! $compiler -O2 -I"$srcdir/include" -I"$srcdir/bench" "$srcdir/bench/$source" \
		-o "$tmp/$name" -L"$libdir" -lchic_rt -lchic_alloc "$@" 2>"$tmp/err"
	then
		echo "runtime.sh: $name is left out: $(grep -m1 error "$tmp/err")" >&2
		return
	fi
	"$tmp/$name" "$rounds"
}

bench vec "${CXX:-c++}" runtime_vec.cc
bench string "${CXX:-c++}" runtime_string.cc
# shellcheck disable=SC2046
bench region "${CC:-cc}" runtime_region.c $(pkg-config --cflags --libs apr-1 2>/dev/null)
bench map "${CC:-cc}" runtime_map.c
