#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the way through the preload library costs: pairs of malloc and free
# against the same library preloaded directly, in random order.
#
#	bench/preload.sh [ROUNDS [LIBRARY]]
#
# Run in the build tree after `make check TESTS=` (for bench/forward.c as a
# module).  "again" is the direct run a second time: what it is off from 1 is
# noise.  Ratios are medians of ratios within one round; then their geometric
# mean over sizes.

rounds=${1:-15}
library=${2:-libmimalloc.so.2}
srcdir=${top_srcdir:-$(dirname "$0")/..}
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
modules=${TEST_MODULE_DIR:-$PWD/tests/modules/.libs}
forward=$modules/forward.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"

for file in "$preload" "$forward"
do
	[ -r "$file" ] || { echo "preload.sh: $file is missing, expected a build" >&2; exit 1; }
done
${CC:-cc} -O2 -o "$tmp/pairs" "$srcdir/bench/pairs.c" || exit 1
LD_PRELOAD=$library "$tmp/pairs" 2>&1 | grep -q 'cannot be preloaded' && {
	echo "preload.sh: $library is not installed" >&2
	exit 77
}

conf()
{
	printf '[allocator]\nlog = stderr\non_error = fail\nmodule = %s\ntelemetry = %s\n' "$2" "$3"
	printf '[module forward]\npath = %s\ntarget = %s\nbytes = no\n' "$forward" "$library"
	printf '[module filter_empty]\npath = %s/filter_empty.so\n' "$modules"
} >"$tmp/$1.conf"

conf vendor-off "$library" off
conf vendor-calls "$library" calls
conf filter-off "filter_empty, $library" off
conf filter-calls "filter_empty, $library" calls
conf forward-off forward off
conf forward-calls forward calls

run()
{
	case $1 in
	direct | again) LD_PRELOAD=$library "$tmp/pairs" ;;
	*) CHIC_ALLOC_CONF="$tmp/$1.conf" LD_PRELOAD="$preload" "$tmp/pairs" ;;
	esac
}

round=0
while [ $round -lt "$rounds" ]
do
	round=$((round + 1))
	for who in $(shuf -e direct again vendor-off vendor-calls filter-off filter-calls forward-off forward-calls)
	do
		run "$who" | sed "s/^/$round $who /" >>"$tmp/all"
	done
done

awk "$statistics"'
{ time[$1, $2, $3 " " $4] = $5; whos[$2]; shapes[$3 " " $4]; rounds = $1 }
END {
	for (who in whos) {
		line = ""; log_pair = pairs = log_batch = batches = 0
		for (shape in shapes) {
			for (i = 1; i <= rounds; i++)
				ratio[i] = time[i, who, shape] / time[i, "direct", shape]
			m = median(ratio, rounds)
			if (who != "direct")
				emit(shape, who, "direct", "ratio", m, ratio[low_of(rounds)],
					ratio[rounds + 1 - low_of(rounds)])
			line = line sprintf("  %s: %.3f", shape, m)
			if (shape ~ /^pair/) { log_pair += log(m); pairs++ }
			else { log_batch += log(m); batches++ }
		}
		printf "%-14s pairs %.3f  batches %.3f %s\n", who, exp(log_pair / pairs),
			exp(log_batch / batches), line
		if (who == "direct")
			continue
		emit("geometric mean of pair", who, "direct", "ratio", exp(log_pair / pairs))
		emit("geometric mean of batch", who, "direct", "ratio", exp(log_batch / batches))
	}
}' "$tmp/all" | sort
