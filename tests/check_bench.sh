#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# bench/run with very little work: that every group is measured, written and drawn, and
# that limits are judged.  No figure is looked at that a clock has made.  Prints TAP.

set -u
umask 022
bench=$(cd "${top_srcdir:?}" && pwd)/bench
build=${top_builddir:?}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_PRESETDIR CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
unset BENCH_RESULTS BENCH_GROUP BENCH_SUBJECT BENCH_CPU BENCH_SCALE
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$bench/../tests/lib.sh"

for command in python3 gnuplot valgrind "${CXX:-c++}"
do
	command -v "${command%% *}" >/dev/null || {
		echo "SKIP: check_bench.sh: no $command"
		exit 77
	}
done
LD_TRACE_LOADED_OBJECTS=1 LD_PRELOAD=libmimalloc.so.2 /bin/true 2>&1 |
	grep -q 'cannot be preloaded' && {
	echo "SKIP: check_bench.sh: no libmimalloc.so.2"
	exit 77
}

# bench ARGUMENTS...: in the build tree
bench()
{
	(cd "$build" && sh "$bench/run" "$@")
}

# holds NAME EXPRESSION: for the results r, as lines of fields in lines
holds()
{
	if python3 - "$2" >out 2>err <<-'PY'
		import json, math, os, sys
		r = json.load(open("results/results.json"), parse_constant=lambda c: sys.exit(c))
		lines = [line.rstrip("\n").split("\t") for line in open("results/results.tsv")]
		groups = sorted({one["group"] for one in r["results"]})
		ran = sorted(g for g, verdict in r["groups"].items() if verdict == "ran")
		def judged(candidate):
		    return [one["held"] for one in r["results"] if one["candidate"] == candidate]
		value = eval("(" + sys.argv[1] + ")")
		print(value)
		sys.exit(not value)
	PY
	then
		ok "$1"
	else
		not_ok "$1" "$2"
	fi
}

# ---------------------------------------------------------- what is refused ----

expect "an unknown group is refused" 2 - "unknown group 'nonsense', expected one of: dispatch " \
	bench -o "$tmp/none" nonsense
expect "an unknown option is refused" 2 - "unknown option --slow, expected " \
	bench --slow
expect "arguments can be looked at alone" 0 - - bench --check --quick -o "$tmp/none" dispatch
expect "and are refused as well" 2 - "unknown group 'nonsense'" bench --check -o "$tmp/none" nonsense
if [ -e none ]; then
	not_ok "what is refused writes nothing" "$(ls none)"
else
	ok "what is refused writes nothing"
fi
expect "a library that is missing is named" 0 \
	'^skipped: programs, programs.sh: .*libnowhere.so.9 is not installed' '' \
	bench --quick -o "$tmp/none" -l libnowhere.so.9 programs

# ------------------------------------------------------ reckoning, verdicts ----

${CC:-cc} -O2 -o interleave "$bench/interleave.c" || exit 99
# values: what a candidate's program prints, on which no clock has a say
values()
{
	: >results.tsv
	# shellcheck disable=SC2016
	BENCH_RESULTS=results.tsv BENCH_GROUP=dispatch BENCH_SUBJECT=test ./interleave -v ns 5 \
		one=A=1 two=A=2 -- sh -c 'echo "pair 16 $A"
			echo "pair 64 $((A * A * A))"
			echo "mixed $((A * A))"' >/dev/null || return
	grep ratio results.tsv | cut -f 2,3,4,6,7,8 | tr '\t' '|'
}
equal "ratios are those of a round, means geometric" \
"test, pair 16|two|one|2|2|2
test, pair 64|two|one|8|8|8
test, mixed|two|one|4|4|4
test, geometric mean of pair|two|one|4|4|4
test, geometric mean|two|one|4|4|4" values
expect "what is no value is refused" 1 - "got 'pair x', expected a value" \
	./interleave -v ns 1 one= -- echo pair x

mkdir -p results
: >results/peers.tsv
: >results/skipped.tsv
printf 'dispatch\tran\n' >results/groups.tsv
{
	printf 'dispatch\tloops, 1 thread, geometric mean\tvendor-off\tdirect\tratio\t1.079\t1.07\t1.1\t\n'
	printf 'dispatch\tloops, 2 threads, geometric mean\tvendor-calls\tdirect\tratio\t1.141\t1.14\t1.15\t\n'
	printf 'programs\tsqlite3\tvendor\tdirect\tratio\t1.02\t0.99\t1.04\t\n'
	printf 'programs\tgit\tvendor\tdirect\tratio\t1.02\t1.01\t1.04\t\n'
	printf 'scaling\tthreads, counting\t2 threads\t1 thread\tratio\t1.89\t1.8\t1.95\t\n'
	printf 'scaling\tother\tagain\t\tns\t5\t\t\t<=7\n'
} >results/results.tsv
expect "limits are judged" 0 'MISSED +<=1.14 +1.141 .*vendor-calls' - \
	python3 "$bench/report.py" "$bench" "$tmp/results" "$tmp/results" no none no
holds "as the issue of each has it" \
	'[one["held"] for one in r["results"]] == [True, False, True, False, False, True]'

# instructions, which --quick has none of: of little work, by one program
instructions()
{
	(cd "$build" && BENCH_SCALE=200 sh "$bench/instructions.sh" 1 none python3)
}
if [ -x /usr/bin/python3 ]
then
	expect "instructions are counted" 0 '^python3 +[0-9]{8,} +[01][.][0-9]{4}$' - instructions
	PYTHONHOME=/nowhere expect "not of a program that fails" 1 '^python3: it failed' 'nowhere|No module' \
		instructions
else
	skip "instructions" "no /usr/bin/python3"
fi

# ------------------------------------------------------------- every group ----

rm -rf results
expect "all groups are measured" 0 '^Must hold:' '' bench --quick -o "$tmp/results"
cp out all.out
cp err all.err
for group in dispatch programs arena guard counting runtime startup memory scaling wasm
do
	verdict=$(awk -v group=$group '$1 == group { print $2 }' results/groups.tsv)
	cp all.out out
	cp all.err err
	case $verdict in
	ran)
		if ! grep -q '<svg' "results/$group.svg" 2>/dev/null; then
			not_ok "$group is drawn" "no $group.svg"
		elif ! grep -q "^$group: " all.out; then
			not_ok "$group is in the table" "no line of it"
		else
			ok "$group is measured, told and drawn"
		fi
		;;
	skipped)
		if grep -q "^skipped: $group" all.out; then
			skip "$group" "$(sed -n "s/^skipped: ${group}[^:]*: //p" all.out | head -n 1)"
		else
			not_ok "$group says why it is skipped" "no such line"
		fi
		;;
	*) not_ok "$group" "$verdict" ;;
	esac
done
holds "the JSON has every line" 'len(lines) == len(r["results"]) > 200'
holds "and every group" 'groups == ran'
holds "figures are numbers, intervals are around them" 'all(
	math.isfinite(one["median"]) and one["median"] >= 0 or one["unit"] == "ns"
	for one in r["results"]) and all(
	one["low"] <= one["median"] <= one["high"] for one in r["results"] if one["low"] is not None)'
holds "there is a control in each run" 'all(
	any(one["candidate"] == "again" for one in r["results"] if one["group"] == group)
	for group in ("dispatch", "programs", "arena", "counting", "runtime", "startup", "memory", "scaling"))'
holds "the machine and the peers are named" \
	'r["schema"] == 1 and r["quick"] and r["machine"]["kernel"] == os.uname().release and
	"mimalloc" in [peer["name"] for peer in r["peers"]]'

# ------------------------------------------------------------- interrupted ----

# interrupted SIGNAL: bench/run, when it has begun to measure
interrupted()
{
	(cd "$build" && TMPDIR=$tmp/pieces exec sh "$bench/run" --quick -o "$tmp/results" dispatch \
		>"$tmp/run.out" 2>&1) &
	run=$!
	for i in 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9
	do
		[ -z "$(find pieces -name pairs 2>/dev/null)" ] || break
		sleep 1
	done
	kill -"$1" "$run"
	wait "$run"
	status=$?
	sed 's/^/# /' run.out >&2
	return $status
}
mkdir pieces
cp results/results.json before.json
expect "an interrupted run says so" 143 - 'bench/run: interrupted; .*/results is as it was' \
	interrupted TERM
equal "it changes nothing" "" cmp before.json results/results.json
equal "nor does it leave anything half" "" find results pieces -mindepth 1 \
	'(' -name 'unfinished*' -o -path 'pieces/*' ')'

# a peer that is not there, for its pkg-config file is not found
PKG_CONFIG_LIBDIR=/nowhere
export PKG_CONFIG_LIBDIR
expect "a peer that is missing is named, the others are measured" 0 '^arena: a block of 16' \
	'^skipped: apr: not installed' bench --quick -o "$tmp/results" arena
holds "also in the JSON" '"apr" in [one["what"] for one in r["skipped"]] and
	not any(one["candidate"] == "apr pool" for one in r["results"]) and len(r["results"]) > 20'

finish
