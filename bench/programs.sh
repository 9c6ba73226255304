#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Whole programs over a module that only forwards to a vendor's library, and over
# that library by configuration alone, against the library preloaded directly.
#
#	bench/programs.sh [ROUNDS [LIBRARY]]
#
# Run in the build tree; CHIC_ALLOC_PRELOAD names an installed library.  Prints per
# program the medians of paired ratios with their 95% intervals, then the geometric
# mean over programs; "again" is the reference a second time, the noise.
#
# Programs by the processor's time, since the kernel stops what runs before all others
# for a twentieth of each second; what has several threads by the clock.

rounds=${1:-30}
library=${2:-libmimalloc.so.2}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
forward=${TEST_MODULE_DIR:-$PWD/tests/modules/.libs}/forward.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

must_exist "$preload" "$forward"
has_library "$library" || { echo "programs.sh: $library is not installed" >&2; exit 77; }
compile interleave classic
for mode in off calls
do
	printf '[allocator]\nmodule = forward\ntelemetry = %s\n[module forward]\n' $mode
	printf 'path = %s\ntarget = %s\nbytes = no\n' "$forward" "$library"
done | awk -v tmp="$tmp" '/^\[allocator/ { n++ } { print >(tmp "/forward-" n ".conf") }'
printf '[allocator]\nmodule = %s\ntelemetry = off\n' "$library" >"$tmp/vendor.conf"

candidates "direct=LD_PRELOAD=$library" "again=LD_PRELOAD=$library" \
	"vendor=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/vendor.conf" \
	"forward-off=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/forward-1.conf" \
	"forward-calls=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/forward-2.conf"
INTERLEAVE_RAW=$tmp/raw
export INTERLEAVE_RAW
: >"$tmp/raw"

measure=-c
work_sql 900000 >"$tmp/sql"
work_perl 900000 >"$tmp/hash.pl"

time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
time_command perl perl "$tmp/hash.pl"
work_c "$srcdir" >"$tmp/elf.i" && time_command gcc "$(gcc -print-prog-name=cc1)" -quiet \
	"$(optimised 3)" -fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
time_command python3 env PYTHONMALLOC=malloc /usr/bin/python3 -c "import json
d = {str(i): [i] * 5 for i in range($(scaled 400000))}
print(len(json.dumps(d)))"
[ ! -e "$srcdir/.git" ] ||
	time_command git git -C "$srcdir" log -n "$(scaled 2000)" -p --stat -C -C
work_lua 900000 >"$tmp/tables.lua"
time_command lua lua5.4 "$tmp/tables.lua"

# a server that reads its orders from a file, waits half a second and ends
PATH=$PATH:/usr/sbin
mkdir "$tmp/data"
work_mariadb 100000 >"$tmp/orders"
bootstrap='mariadbd "$@" --bootstrap <"$0" 2>/dev/null'
command -v mariadbd >/dev/null || echo "== mariadb: skipped, mariadbd is not installed"
! command -v mariadbd >/dev/null || time_command mariadb sh -c "$bootstrap" "$tmp/orders" \
	--no-defaults --user="$(id -un)" --datadir="$tmp/data" --skip-innodb \
	--default-storage-engine=Aria
measure=

# several threads, where there are as many processors
BENCH_CPU=
export BENCH_CPU
for mode in exchange server shuffle fragment
do
	time_command $mode "$tmp/classic" $mode
done

# The interval of the geometric mean: rounds are drawn again and again.
awk "$statistics"'
BEGIN { split("exchange server shuffle fragment", list); for (i in list) classic[list[i]] }
$1 == "program" { kind[++programs] = ($2 in classic) ? "classic" : "real"; next }
{ time[programs, $1, $2] = $3; names[$1]; if ($2 > last) last = $2 }
function mean(name, which, drawn,	p, i, at, sum, n, ratio) {
	for (p = 1; p <= programs; p++) {
		if (which != "" && kind[p] != which || !((p, "direct", 0) in time))
			continue
		for (i = 0; i <= last; i++) {
			at = drawn ? int(rand() * (last + 1)) : i
			ratio[i + 1] = time[p, name, at] / time[p, "direct", at]
		}
		sum += log(median(ratio, last + 1))
		n++
	}
	return n ? exp(sum / n) : 0
}
function tell(subject, which,	name, draw, geometric) {
	if (!mean("direct", which))
		return
	print "== " subject
	for (name in names) {
		for (draw = 1; draw <= 400; draw++)
			means[draw] = mean(name, which, 1)
		median(means, 400)
		geometric = mean(name, which)
		printf "%-20s %.4f [%.4f, %.4f]\n", name, geometric, means[10], means[391]
		if (name != "direct")
			emit(subject, name, "direct", "ratio", geometric, means[10], means[391])
	}
}
END {
	srand(1)
	tell("geometric mean of programs", "real")
	tell("geometric mean of classic work", "classic")
	tell("geometric mean", "")
}' "$tmp/raw"
