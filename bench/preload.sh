#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the way through the preload library costs: malloc and free in pairs, in batches
# and with mixed lifetimes, against the same library preloaded directly, in random order.
#
#	bench/preload.sh [ROUNDS [LIBRARY [THREADS]]]
#
# Run in the build tree after `make check TESTS=` (for bench/forward.c as a
# module).  "again" is the direct run a second time: what it is off from 1 is
# noise.  Ratios are medians of ratios within one round; then their geometric
# means: over the sizes of a shape, and over all.

rounds=${1:-15}
library=${2:-libmimalloc.so.2}
threads=${3:-1}
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
${CC:-cc} -O2 -fno-builtin -pthread -o "$tmp/pairs" "$srcdir/bench/pairs.c" || exit 1
LD_PRELOAD=$library "$tmp/pairs" 2>&1 | grep -q 'cannot be preloaded' && {
	echo "preload.sh: $library is not installed" >&2
	exit 77
}

conf()
{
	printf '[allocator]\nlog = stderr\non_error = fail\nmodule = %s\ntelemetry = %s\n' "$2" "$3"
	[ "$3" = full ] && bytes=yes || bytes=no
	printf '[module forward]\npath = %s\ntarget = %s\nbytes = %s\n' "$forward" "$library" $bytes
	printf '[module filter_empty]\npath = %s/filter_empty.so\n' "$modules"
} >"$tmp/$1.conf"

conf vendor-off "$library" off
conf vendor-calls "$library" calls
conf vendor-full "$library" full
conf filter-off "filter_empty, $library" off
conf filter-calls "filter_empty, $library" calls
conf forward-off forward off
conf forward-calls forward calls
conf forward-full forward full

run()
{
	case $1 in
	direct | again) LD_PRELOAD=$library "$tmp/pairs" "$threads" ;;
	*) CHIC_ALLOC_CONF="$tmp/$1.conf" LD_PRELOAD="$preload" "$tmp/pairs" "$threads" ;;
	esac
}

round=0
while [ $round -lt "$rounds" ]
do
	round=$((round + 1))
	for who in $(shuf -e direct again vendor-off vendor-calls vendor-full filter-off \
		filter-calls forward-off forward-calls forward-full)
	do
		run "$who" | sed "s/^/$round $who /" >>"$tmp/all"
	done
done

awk "$statistics"'
{ time[$1, $2, $3 " " $4] = $5; whos[$2]; shapes[$3 " " $4]; rounds = $1 }
END {
	for (who in whos) {
		line = ""
		split("", log_of)
		split("", n_of)
		for (shape in shapes) {
			for (i = 1; i <= rounds; i++)
				ratio[i] = time[i, who, shape] / time[i, "direct", shape]
			m = median(ratio, rounds)
			if (who != "direct")
				emit(shape, who, "direct", "ratio", m, ratio[low_of(rounds)],
					ratio[rounds + 1 - low_of(rounds)])
			line = line sprintf("  %s: %.3f", shape, m)
			split(shape, word, " ")
			log_of[word[1]] += log(m); n_of[word[1]]++
			log_of["all"] += log(m); n_of["all"]++
		}
		printf "%-14s", who
		for (i = split("all pair batch mixed", word, " "); i > 0; i--)
			means[i] = sprintf(" %s %.3f", word[i],
				exp(log_of[word[i]] / n_of[word[i]]))
		printf "%s%s%s%s %s\n", means[1], means[2], means[3], means[4], line
		if (who == "direct")
			continue
		emit("geometric mean", who, "direct", "ratio", exp(log_of["all"] / n_of["all"]))
		emit("geometric mean of pair", who, "direct", "ratio",
			exp(log_of["pair"] / n_of["pair"]))
		emit("geometric mean of batch", who, "direct", "ratio",
			exp(log_of["batch"] / n_of["batch"]))
	}
}' "$tmp/all" | sort
