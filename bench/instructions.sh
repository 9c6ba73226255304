#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Instructions of whole programs, counted by valgrind's callgrind: they repeat where
# times do not.
#
#	bench/instructions.sh [SECONDS [LIBRARY [PROGRAM...]]]
#
# no-rule: a program that no rule names, under a preload meant for the whole machine,
# over the same without a preload.  off, calls: a vendor's library through us, over the
# same library preloaded; not with LIBRARY none.  SECONDS is about how long each program
# runs natively, the compiler and git for as long as there is work; callgrind takes some
# thirty times as long.  With PROGRAM these alone.  CHIC_ALLOC_PRELOAD names an installed
# library.

seconds=${1:-1}
library=${2:-libmimalloc.so.2}
shift $(($# < 2 ? $# : 2))
only=$*
failed=0
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
preload=${CHIC_ALLOC_PRELOAD:-$PWD/.libs/libchic_alloc_preload.so}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
. "$srcdir/bench/lib.sh"
. "$srcdir/bench/workloads.sh"

[ -r "$preload" ] || { echo "instructions.sh: $preload is missing, expected a build" >&2; exit 1; }
command -v valgrind >/dev/null || { echo "instructions.sh: valgrind is not installed" >&2; exit 77; }
printf '[program nobody]\nmodule = counting\n' >"$tmp/no-rule.conf"
for mode in off calls
do
	printf '[allocator]\nmodule = %s\ntelemetry = %s\n' "$library" $mode >"$tmp/$mode.conf"
done
vendor=yes
[ "$library" != none ] || vendor=
[ -z "$vendor" ] || ! LD_PRELOAD=$library true 2>&1 | grep -q 'cannot be preloaded' || {
	echo "$library is not installed: off and calls are skipped"
	vendor=
}

# count PRELOAD CONF COMMAND...: of one that ends well
count()
{
	(
		LD_PRELOAD=$1 CHIC_ALLOC_CONF=$tmp/$2.conf
		export LD_PRELOAD CHIC_ALLOC_CONF
		shift 2
		exec valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@"
	) 2>"$tmp/valgrind" >/dev/null || {
		grep -v '^==' "$tmp/valgrind" | tail -n 4 >&2
		return 1
	}
	awk '/Collected/ { print $NF }' "$tmp/valgrind"
}

count_vendor()
{
	direct=$(count "$library" off "$@") && off=$(count "$preload" off "$@") &&
		calls=$(count "$preload" calls "$@")
}

# compare NAME COMMAND...
compare()
{
	name=$1
	shift
	case " ${only:-$name} " in
	*" $name "*) ;;
	*) return ;;
	esac
	command -v "$1" >/dev/null || { echo "$name: skipped, $1 is not installed"; return; }
	if ! none=$(count '' no-rule "$@") || ! rule=$(count "$preload" no-rule "$@") ||
		{ [ "$vendor" ] && ! count_vendor "$@"; }
	then
		echo "$name: it failed"
		failed=1
		return
	fi
	echo "$name $none $rule $direct $off $calls" | awk -v library="$library" "$statistics"'
	function tell(who, reference, ratio) {
		emit("instructions, " name, who, reference, "ratio", ratio, ratio, ratio)
	}
	{
		name = $1
		tell("no-rule", "no preload", $3 / $2)
		if (NF > 3) {
			tell("vendor-off", library, $5 / $4)
			tell("vendor-calls", library, $6 / $4)
		}
		printf "%-15s %14.0f  %.4f", $1, $2, $3 / $2
		if (NF > 3)
			printf "  %14.0f  %.4f  %.4f", $4, $5 / $4, $6 / $4
		print ""
	}' | tee -a "$tmp/ratios"
}

# each of these takes about a quarter of a second
work_sql 300000 $((seconds * 4)) >"$tmp/sql"
work_perl 900000 $((seconds * 4)) >"$tmp/hash.pl"
cat >"$tmp/dumps.py" <<PYTHON
import json
for _ in range($((seconds * 4))):
    d = {str(i): [i] * 5 for i in range($(scaled 200000))}
    print(len(json.dumps(json.loads(json.dumps(d)), indent=1)))
PYTHON

printf '%-15s %14s  %s  %14s  %s  %s\n' program 'no preload' no-rule "$library" off calls
compare sqlite3 sqlite3 :memory: ".read $tmp/sql"
compare perl perl "$tmp/hash.pl"
compare python3 /usr/bin/python3 "$tmp/dumps.py"
PYTHONMALLOC=malloc
export PYTHONMALLOC
compare python3-m /usr/bin/python3 "$tmp/dumps.py"
unset PYTHONMALLOC
work_c "$srcdir" >"$tmp/elf.i" && compare gcc "$(gcc -print-prog-name=cc1)" -quiet -O3 \
	-fpreprocessed "$tmp/elf.i" -o "$tmp/elf.s"
[ ! -e "$srcdir/.git" ] || compare git git -C "$srcdir" log -p --stat -C -C
[ -s "$tmp/ratios" ] || exit $failed
awk -v library="$library" "$statistics"'
	function tell(who, reference, ratio) {
		emit("instructions, geometric mean", who, reference, "ratio", ratio, ratio, ratio)
	}
	{ rule += log($3); n++ }
	NF > 3 { off += log($5); calls += log($6) }
	END {
		printf "%-15s %14s  %.4f", "geometric mean", "", exp(rule / n)
		if (off)
			printf "  %14s  %.4f  %.4f", "", exp(off / n), exp(calls / n)
		print ""
		tell("no-rule", "no preload", exp(rule / n))
		if (off) {
			tell("vendor-off", library, exp(off / n))
			tell("vendor-calls", library, exp(calls / n))
		}
	}' "$tmp/ratios"
exit $failed
