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

rounds=${1:-30}
library=${2:-libmimalloc.so.2}
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
forward=${TEST_MODULE_DIR:-$PWD/tests/modules/.libs}/forward.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/workloads.sh"

for file in "$preload" "$forward"
do
	[ -r "$file" ] || { echo "programs.sh: $file is missing, expected a build" >&2; exit 1; }
done
${CC:-cc} -O2 -o "$tmp/interleave" "$srcdir/bench/interleave.c" || exit 1
for mode in off calls
do
	printf '[allocator]\nmodule = forward\ntelemetry = %s\n[module forward]\n' $mode
	printf 'path = %s\ntarget = %s\nbytes = no\n' "$forward" "$library"
done | awk -v tmp="$tmp" '/^\[allocator/ { n++ } { print >(tmp "/forward-" n ".conf") }'
printf '[allocator]\nmodule = %s\ntelemetry = off\n' "$library" >"$tmp/vendor.conf"

# time_command NAME COMMAND...
time_command()
{
	name=$1
	shift
	command -v "$1" >/dev/null || { echo "== $name: skipped, $1 is not installed"; return; }
	echo "== $name"
	echo "program $name" >>"$tmp/raw"
	INTERLEAVE_RAW="$tmp/raw" "$tmp/interleave" "$rounds" "direct=LD_PRELOAD=$library" "again=LD_PRELOAD=$library" \
		"vendor=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/vendor.conf" \
		"forward-off=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/forward-1.conf" \
		"forward-calls=LD_PRELOAD=$preload|CHIC_ALLOC_CONF=$tmp/forward-2.conf" \
		-- "$@"
}

work_sql 900000 >"$tmp/sql"
work_perl 900000 >"$tmp/hash.pl"

time_command sqlite3 sqlite3 :memory: ".read $tmp/sql"
time_command perl perl "$tmp/hash.pl"
work_c "$srcdir" >"$tmp/elf.i" && time_command gcc "$(gcc -print-prog-name=cc1)" -quiet -O3 \
	-fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
time_command python3 env PYTHONMALLOC=malloc /usr/bin/python3 -c \
	'import json; d = {str(i): [i] * 5 for i in range(400000)}; print(len(json.dumps(d)))'
[ ! -e "$srcdir/.git" ] || time_command git git -C "$srcdir" log -p --stat -C -C

# The interval of the geometric mean: rounds are drawn again and again.
awk '
$1 == "program" { program = ++programs; next }
{ time[program, $1, $2] = $3; names[$1]; if ($2 > last) last = $2 }
function median(list, n,	i, j, t) {
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
			t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
		}
	return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function mean(name, drawn,	p, i, at, sum, ratio) {
	for (p = 1; p <= programs; p++) {
		for (i = 0; i <= last; i++) {
			at = drawn ? int(rand() * (last + 1)) : i
			ratio[i + 1] = time[p, name, at] / time[p, "direct", at]
		}
		sum += log(median(ratio, last + 1))
	}
	return exp(sum / programs)
}
END {
	srand(1)
	print "== geometric mean over " programs " programs"
	for (name in names) {
		for (draw = 1; draw <= 400; draw++)
			means[draw] = mean(name, 1)
		median(means, 400)
		printf "%-20s %.4f [%.4f, %.4f]\n", name, mean(name, 0), means[10], means[391]
	}
}' "$tmp/raw" | sort
