#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc compare on real programs: what it runs and how, what it prints, what it
# recommends and what it must not.  Times are only asserted where they differ by
# factors.  Prints TAP.

set -u
umask 022
chic=${CHIC_ALLOC:?}
fixtures=${TEST_MODULE_DIR:?}
preload=${CHIC_ALLOC_PRELOAD:?}
lib=$(cd "$(dirname "$0")" && pwd)/lib.sh
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
: >"$tmp/none.conf"
CHIC_ALLOC_CONF=$tmp/none.conf
export CHIC_ALLOC_CONF
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$lib"

if ! command -v python3 >/dev/null; then
	echo "SKIP: check_compare.sh: no python3"
	exit 77
fi

# json EXPRESSION: its value for the object d in the file json; c is the candidates by name
json()
{
	python3 - "$1" <<-'PY'
		import json, sys
		d = json.load(open("json"))
		c = {one["name"]: one for one in d["candidates"]}
		print(eval(sys.argv[1]))
	PY
}

# json_is NAME EXPRESSION...: what is true of the last comparison
json_is()
{
	name=$1
	shift
	for expression in "$@"; do
		answer=$(json "$expression" 2>err)
		[ "$answer" = True ] || { not_ok "$name" "$expression: $answer"; return; }
	done
	ok "$name"
}

# compare NAME STATUS STDERR ARGUMENTS...: the object goes to the file json
compare()
{
	name=$1 want=$2 want_err=$3
	shift 3
	expect "$name" "$want" "" "$want_err" "$chic" compare --json "$@"
	cp out json
	cp err said
}

mkdir modules other
cp "$fixtures/good_heap.so" "$fixtures/slow_heap.so" "$fixtures/good_filter.so" modules
cp "$fixtures/prefixed_malloc_family.so" "$fixtures/init_fails.so" other
CHIC_ALLOC_MODULEDIR=$tmp/modules
export CHIC_ALLOC_MODULEDIR

# -------------------------------------------------------------- programs ---

cat >churn.c <<'C'
#include <stdlib.h>
#include <string.h>

int main(void)
{
	static char *blocks[1000];

	for (unsigned i = 0; i < 5000; i++) {
		char **block = &blocks[i * 7919 % 1000];

		free(*block);
		*block = malloc(16 + i % 500);
		if (!*block)
			return 1;
		memset(*block, 1, 16);
	}
	return 0;
}
C
# favours STACK: takes its time under every other one
cat >favours.c <<'C'
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *stack = getenv("CHIC_ALLOC_MODULE");

	if (argc < 2 || !stack || strcmp(stack, argv[1]) != 0)
		usleep(100000);
	return 0;
}
C
cat >resident.c <<'C'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	size_t size = (size_t)(argc > 1 ? atoi(argv[1]) : 40) << 20;
	char *p = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 1, size);
	return 0;
}
C
for program in churn favours resident; do
	# without -O2 it does all that it says
	${CC:-cc} -o $program $program.c || exit 99
done
cp favours 'odd [name]'

# What hangs takes ten seconds to be given up: meanwhile the rest of this runs.
# shellcheck disable=SC2016
"$chic" compare -m good_heap -m slow_heap -r 1 -- sh -c '
	[ "$CHIC_ALLOC_MODULE" != slow_heap ] || { echo hanging >&2; exec sleep 1000; }' \
	>hang.out 2>hang.err &
hanging=$!

# ----------------------------------------------------------- command line ---

expect "--help" 0 '^usage: chic-alloc compare ' - "$chic" compare --help
expect "--help names it" 0 '^  compare +[a-z]' - "$chic" --help
expect "an unknown option" 2 - "unknown option '--nonsense'" "$chic" compare --nonsense
expect "an option of run" 2 - "unknown option '-o'" "$chic" compare -o guard.sample=1 true
expect "no command" 2 - "no command given" "$chic" compare -m good_heap --
for rounds in 0 -1 x 1001 '' 3x; do
	expect "-r '$rounds'" 2 - "-r: got '$rounds', expected a number of 1-1000" \
		"$chic" compare -r "$rounds" true
done
for seconds in 0 -1 x '' nan inf 1e9; do
	expect "-t '$seconds'" 2 - "-t: got '$seconds', expected seconds" \
		"$chic" compare -t "$seconds" true
done
expect "--by" 2 - "--by: got 'faults', expected wall, cpu or rss" \
	"$chic" compare --by faults true
# shellcheck disable=SC2016
expect "standard output is closed" 1 - 'cannot write the output' \
	sh -c '"$1" compare -r 2 -m good_heap ./churn >&-' sh "$chic"
# shellcheck disable=SC2016
expect "standard error is closed" 0 '^HEAP ' - \
	sh -c '"$1" compare -r 2 -m good_heap ./churn 2>&-' sh "$chic"
expect_childless "started where children are ignored" 0 '^HEAP ' - \
	"$chic" compare -r 2 -m good_heap ./churn
expect "a command's options are its own" 0 '^echo -m --json$' - \
	"$chic" compare -m good_heap -r 1 echo -m --json

# ----------------------------------------------- what cannot be compared ---

refused "not found" "no-such-program: .*expected a program" \
	"$chic" compare -m good_heap no-such-program
refused "a folder" "$tmp/modules: .*expected a program" \
	"$chic" compare -m good_heap "$tmp/modules"
refused "a stack that cannot be loaded" "-m: .*nothing.so" \
	"$chic" compare -m good_heap -m nothing touch started
refused "a heap below a heap" "good_heap" \
	"$chic" compare -m 'slow_heap, good_heap' touch started
refused "a bad configuration" "bad.conf:1: .*expected" \
	sh -c "echo '[allocater]' >bad.conf; '$chic' compare -c bad.conf touch started"
refused "no heap" "found no heap in $tmp/other/none or the configuration, expected one" \
	env CHIC_ALLOC_MODULEDIR="$tmp/other/none" "$chic" compare touch started
refused "no preload library" "/nowhere/x.so: .*expected the preload library" \
	env CHIC_ALLOC_PRELOAD=/nowhere/x.so "$chic" compare touch started
refused "switched off" "touch runs on the platform heap whatever.*CHIC_ALLOC_DISABLE is 1" \
	env CHIC_ALLOC_DISABLE=1 "$chic" compare -m good_heap touch started
echo 'no interpreter' >"$tmp/damaged"
printf '\177ELF' >damaged
chmod +x damaged
expect "what cannot be executed" 1 - "damaged" "$chic" compare -m good_heap ./damaged

expect "a command that fails" 1 - 'default: failed in warm-up: exit status 3$' \
	"$chic" compare -m good_heap sh -c 'echo 1st; echo last words >&2; exit 3'
cp err words
equal "its last words are shown" "  | last words" grep '^  |' words
expect "and its standard output is not" 1 - - grep 1st words
expect "only the last lines of many" 1 - '^  . 1000$' \
	"$chic" compare -m good_heap sh -c 'seq 1 1000 >&2; exit 3'
cp err words
equal "eight of them" 8 grep -c '^  |' words
# shellcheck disable=SC2016
expect "a command that is killed" 1 - 'default: failed in warm-up: killed by signal 11 ' \
	"$chic" compare -m good_heap sh -c 'kill -SEGV $$'
expect "as JSON: an error is no object" 1 - 'failed in warm-up: exit status 1$' \
	"$chic" compare --json -m good_heap false
# shellcheck disable=SC2016
expect "a command that fails later" 1 'failed under the default, so that nothing' \
	'(default|again): failed in round [1-9]: exit status 9$' \
	"$chic" compare -m good_heap -r 9 sh -c 'echo >>runs; [ "$(wc -l <runs)" -lt 15 ] || exit 9'

# ------------------------------------------------------------------ table ---

expect "the table" 0 '^HEAP +WALL TIME +RATIO +INTERVAL +CPU TIME +RATIO +INTERVAL$' - \
	"$chic" compare -r 8 ./churn
cp out table
expect "it says what was run" 0 '^\./churn$' - head -n 1 table
for heap in default 'default again' good_heap slow_heap; do
	equal "times of $heap" 1 grep -c "^$heap  *[0-9][0-9.]* [mu]*s " table
	equal "memory of $heap" 1 grep -c "^$heap  *[0-9][0-9.]* MiB .*  [0-9][0-9]*$" table
done
expect "a filter is no heap" 1 - - grep good_filter table
"$chic" compare -r 1 -m good_heap sh -c "$(seq 1 100)
true" 2>err >>table
equal "at most 100 columns" 0 awk 'length > 100 { n++ } END { print n + 0 }' table
equal "no blanks at the end" 0 awk '/ $/ { n++ } END { print n + 0 }' table
expect "how many rounds" 0 '^8 rounds, ' - cat table
cp "$fixtures/plain_malloc_family.so" other
expect "a long name" 0 '^/.*/other/plain_malloc_family.so$' - \
	"$chic" compare -r 1 -m "$tmp/other/plain_malloc_family.so" ./churn

# ------------------------------------------------------------------- JSON ---

compare "all installed heaps" 0 - -r 8 ./churn
json_is "as JSON: all candidates" \
	'list(c) == ["default", "default again", "good_heap", "slow_heap"]' \
	'[one["module"] for one in d["candidates"]] == [None, None, "good_heap", "slow_heap"]' \
	'd["command"] == ["./churn"]' 'd["rounds"] == d["rounds_planned"] == 8'
json_is "as JSON: all samples" \
	'all(len(s) == 8 for one in c.values() for s in one["samples"].values())' \
	'all(len(one["samples"]) == len(one["summary"]) == 5 for one in c.values())' \
	'all(x > 0 for one in c.values() for x in one["samples"]["wall_ns"])' \
	'all(x > 50 for one in c.values() for x in one["samples"]["minor_faults"])' \
	'all(500000 < x < 5e8 for one in c.values() for x in one["samples"]["peak_rss_bytes"])'
json_is "as JSON: summaries are those of the samples" \
	'all(abs(__import__("statistics").median(s) - one["summary"][m]["median"]) < 1e-3
		for one in c.values() for m, s in one["samples"].items())' \
	'all(abs(__import__("statistics").median(x / y for x, y in zip(one["samples"][m],
		c["default"]["samples"][m])) / one["summary"][m]["ratio"] - 1) < 1e-6
		for one in c.values() for m in one["samples"] if "ratio" in one["summary"][m])' \
	'all(s["ratio_low"] <= s["ratio"] <= s["ratio_high"]
		for one in c.values() for s in one["summary"].values() if "ratio" in s)' \
	'"ratio" not in c["default"]["summary"]["wall_ns"]' \
	'"ratio" in c["slow_heap"]["summary"]["wall_ns"]'
json_is "a slow heap is seen" 'c["slow_heap"]["summary"]["wall_ns"]["ratio"] > 3' \
	'c["slow_heap"]["summary"]["cpu_ns"]["ratio"] > 3' 'd["recommended"] != "slow_heap"'
compare "what decides" 0 - -m good_heap --by cpu -r 1 ./churn
json_is "as JSON: what decides, and that there is too little of it" 'd["by"] == "cpu_ns"' \
	'd["verdict"] == "too few rounds"' 'd["recommended"] is None' 'd["rounds_needed"] == 7'
compare "memory" 0 - -m good_heap -r 1 ./resident
json_is "of the command, not ours" \
	'all(40 << 20 < x < 60 << 20 for one in c.values() for x in one["samples"]["peak_rss_bytes"])'
compare "what a command starts" 0 - -m good_heap -r 1 sh -c './resident; true'
json_is "counts as the command" \
	'all(40 << 20 < x < 60 << 20 for one in c.values() for x in one["samples"]["peak_rss_bytes"])' \
	'all(x > 10000 for one in c.values() for x in one["samples"]["minor_faults"])'
compare "an odd command" 0 - -m good_heap -r 1 sh -c true "$(printf 'a"b\\c\nd')"
json_is "as JSON: an odd command" 'd["command"][3] == "a\"b\\c\nd"'
compare "as many rounds as fit" 0 - -m good_heap -t 0.01 ./churn
json_is "but as many as an answer needs" 'd["rounds"] == d["rounds_needed"] == 7'
compare "no more than that by itself" 0 - -m good_heap ./churn
json_is "forty rounds" 'd["rounds"] == 40'

# ----------------------------------------------------------- which heaps ---

printf 'not a module' >modules/broken.so
cat >heaps.conf <<CONF
[module vendor]
path = $tmp/other/prefixed_malloc_family.so
prefix = px_
[module absent]
path = /nowhere/libabsent.so, libabsent-as-well.so.7
[module good_filter]
path = $tmp/other/good_filter.so
[allocator]
module = absent
CONF
cp "$fixtures/good_filter.so" other
compare "heaps of a configuration" 0 'broken is left out: .*broken.so: ' \
	-c heaps.conf -r 1 ./churn
json_is "are those whose library is there" \
	'list(c)[2:] == ["good_heap", "slow_heap", "vendor"]' \
	'all(one["failure"] is None for one in c.values())'
equal "and nothing else is said" 1 sh -c 'wc -l <said'
rm modules/broken.so
compare "the stacks of -m and no other" 0 - -m good_heap -m 'good_filter, slow_heap' -m '' \
	-r 1 ./churn
json_is "in their order" \
	'list(c)[2:] == ["good_heap", "good_filter, slow_heap", "default, preloaded"]' \
	'[one["module"] for one in d["candidates"]][2:] == ["good_heap", "good_filter, slow_heap", ""]'

# ----------------------------------------------------- how they are started ---

# shellcheck disable=SC2016
show='echo "$LD_PRELOAD|$CHIC_ALLOC_CONF|${CHIC_ALLOC_MODULE-unset}|${CHIC_ALLOC_RUN-unset}" >>'
none=$tmp/none.conf
env LD_PRELOAD="libm.so.6:$preload:/usr/lib/libchic_alloc_preload.so" CHIC_ALLOC_RUN=1 \
	CHIC_ALLOC_MODULE=slow_heap "$chic" compare -m good_heap -r 2 sh -c "$show started-as" \
	>out 2>err
sort started-as | uniq -c | sed 's/^ *//' >as
cat >want <<WANT
3 $preload:libm.so.6:$preload:/usr/lib/libchic_alloc_preload.so|$none|good_heap|1
5 libm.so.6|$none||unset
WANT
equal "the default without us, a heap as by run" "$(cat want)" cat as
rm -f started-as
# shellcheck disable=SC2016
"$chic" compare -m good_heap -c heaps.conf -r 1 sh -c 'env | sort >env.$CHIC_ALLOC_MODULE' \
	>out 2>err
"$chic" run -m good_heap -c heaps.conf sh -c 'env | sort >env.run'
grep -v '^\(CHIC_ALLOC_OPTIONS=\|_=\)' env.good_heap >a
grep -v '^_=' env.run >b
equal "the environment of run" "" diff a b
# shellcheck disable=SC2016
expect "a module that refuses at start-up" 0 'failed in warm-up: killed by|exit status' \
	'init_fails.so: .*no device' \
	"$chic" compare -m good_heap -m "$tmp/other/init_fails.so" -r 1 ./churn
seq 1 1000 >input
"$chic" compare -m good_heap -r 2 sh -c 'wc -c >>sizes' <input >out 2>err
equal "a file is read from its start by every run" "8 $(wc -c <input)" \
	sh -c 'sort sizes | uniq -c | sed "s/^ *//"'
rm sizes
(read -r one && [ "$one" = 1 ] && python3 -c 'import os; os.lseek(0, 2, 0)' &&
	"$chic" compare -m good_heap -r 2 sh -c 'wc -c >>sizes') <input >out 2>err
equal "or from where it stood" "8 $(($(wc -c <input) - 2))" \
	sh -c 'sort sizes | uniq -c | sed "s/^ *//"'
rm sizes
yes | "$chic" compare -m good_heap -r 2 sh -c 'wc -c >>sizes' >out 2>err
equal "anything else is not" "8 0" sh -c 'sort sizes | uniq -c | sed "s/^ *//"'
expect "no standard input at all" 0 '^good_heap ' - sh -c "'$chic' compare -m good_heap -r 1 cat <&-"
expect "what it prints is not shown" 0 - - \
	sh -c "'$chic' compare -m good_heap -r 1 sh -c 'echo word; echo word >&2' 2>&1 | grep -x word || :"
expect "but with --show-output" 0 '^HEAP' '^word$' \
	"$chic" compare --show-output -m good_heap -r 1 echo word
cp out figures
expect "not among the figures" 1 - - grep -x word figures

# ----------------------------------------------------------- recommendation ---

# So many that a few runs may be disturbed.
better="-m good_heap -r 15"
# shellcheck disable=SC2086
compare "a heap that is better" 0 - $better ./favours good_heap
json_is "is recommended" 'd["verdict"] == "better"' 'd["recommended"] == "good_heap"' \
	'd["section"] == "[program favours]"' 'd["as_good"] == []'
# shellcheck disable=SC2086
expect "in words" 0 '^Best: good_heap, [5-9][0-9]\.[0-9]% less wall time than the default' - \
	"$chic" compare $better ./favours good_heap
cp out words
expect "with the file" 0 "^To use it, put into $tmp/none.conf:$" - cat words
grep -A1 '^\[program favours\]$' words >pasted.conf
equal "two lines to paste" 2 sh -c 'wc -l <pasted.conf'
cp "$(command -v grep)" favouring
sed 's/favours/favouring/' pasted.conf >pasted2.conf
expect "which do that" 0 "/good_heap.so$" - \
	"$chic" run -c pasted2.conf ./favouring good_heap /proc/self/maps

# for_all NAME WHY COMMAND...: better, and no rule for one program would do
for_all()
{
	name=$1 why=$2
	shift 2
	# shellcheck disable=SC2086
	expect "$name" 0 "^That is for every program$why" - "$chic" compare $better "$@"
	cp out words
	equal "$name: the lines" "[allocator]
module = good_heap" grep -A1 '^\[' words
}

for_all "a command that starts others" ': most of the work is done by programs that' \
	sh -c './favours good_heap; ./resident 4; true'
for_all "a command that becomes another" ": env ended as 'favours'" env ./favours good_heap
for_all "a name that a section cannot hold" '\.$' './odd [name]' good_heap
expect "a heap that is no better" 0 '^Nothing is better than the default beyond the noise' - \
	"$chic" compare -m slow_heap -r 7 ./churn
expect "too few rounds for an answer" 0 '^Too few rounds.*: 6 of at least 7' - \
	"$chic" compare -m good_heap -r 6 ./favours good_heap

# ------------------------------------------------- failures under one heap ---

# shellcheck disable=SC2016
compare "another exit status under a heap" 0 'good_heap: failed in warm-up: exit status 3$' \
	-m good_heap -m slow_heap -r 8 sh -c '
	[ "$CHIC_ALLOC_MODULE" != good_heap ] || { echo broken here >&2; exit 3; }; sleep 0.05'
json_is "is not recommended" 'd["recommended"] is None' 'c["slow_heap"]["failure"] is None' \
	'c["good_heap"]["failure"] == "failed in warm-up: exit status 3"' \
	'c["good_heap"]["samples"]["wall_ns"] == [] and c["good_heap"]["summary"] == {}'
expect "its last words are shown too" 0 '^  \| broken here$' - cat said
# shellcheck disable=SC2016
expect "a signal under a heap" 0 '^good_heap +failed in warm-up: killed by signal 6 ' \
	'good_heap: failed in warm-up: killed by signal 6 ' "$chic" compare -m good_heap \
	-m slow_heap -r 1 sh -c '[ "$CHIC_ALLOC_MODULE" != good_heap ] || kill -ABRT $$'
# shellcheck disable=SC2016
compare "a failure in a later round" 0 'good_heap: failed in round [2-9]: exit status 4$' \
	-m good_heap -m slow_heap -r 9 sh -c '
	[ "$CHIC_ALLOC_MODULE" = good_heap ] || { sleep 0.05; exit; }
	echo >>good; [ "$(wc -l <good)" -lt 4 ] || exit 4'
json_is "is not recommended either" 'd["recommended"] is None' 'd["rounds"] == 9' \
	'len(c["good_heap"]["samples"]["wall_ns"]) == 2' \
	'len(c["slow_heap"]["samples"]["wall_ns"]) == 9'
# shellcheck disable=SC2016
expect "failures under all heaps" 0 '^It failed under every heap but the default' \
	'slow_heap: failed' "$chic" compare -r 1 sh -c '[ -z "$CHIC_ALLOC_MODULE" ]'

# ---------------------------------------------------------------- signals ---

# stop NAME SIGNAL STATUS: the command hangs in its 15th run, in the fourth round
stop()
{
	rm -f pids
	# shellcheck disable=SC2016
	env --default-signal=INT "$chic" compare -m good_heap -t 1000 sh -c '
		echo $$ >>pids; [ "$(wc -l <pids)" -ge 15 ] || exit 0
		(trap "" TERM; exec sleep 1001) & exec sleep 1000' \
		>out 2>err &
	pid=$!
	until [ -s pids ] && [ "$(wc -l <pids)" -ge 15 ]; do
		kill -0 $pid 2>/dev/null || break
		sleep 0.05
	done
	kill -"$2" $pid
	wait $pid
	status=$?
	last=$(tail -n 1 pids)
	for tenth in $(seq 50); do # killed is not at once gone
		ps -e -o pgid=,stat= | grep -Eq "^ *$last [^Z]" || break
		sleep 0.1
	done
	if [ $status -ne "$3" ]; then
		not_ok "$1" "status $status, expected $3"
	elif ! has out '^4 rounds, ' || ! has out '^good_heap '; then
		not_ok "$1" "no figures of four rounds"
	elif ! has err 'stopped by signal'; then
		not_ok "$1" "nothing on stderr"
	elif [ "$tenth" -eq 50 ]; then
		not_ok "$1" "the command's process group is still there"
	else
		ok "$1"
	fi
}

if env --default-signal=INT true 2>err; then
	stop "interrupted" INT 130
	stop "terminated" TERM 143
else
	skip "interrupted" "this env(1) has no --default-signal"
fi

# ----------------------------------------------------------- real programs ---

for library in libmimalloc.so.2 libjemalloc.so.2 libtcmalloc_minimal.so.4; do
	if ! /sbin/ldconfig -p | grep -q "$library"; then
		skip "python3 under $library" "not installed"
		continue
	fi
	compare "python3 under $library" 0 - -m $library -r 2 \
		python3 -c 'print(sum(len(str(i)) for i in range(10000)))'
	json_is "went well" 'd["rounds"] == 2' 'all(one["failure"] is None for one in c.values())'
	# shellcheck disable=SC2016
	compare "a shell under $library" 0 - -m $library -r 2 \
		sh -c 'grep -q "$CHIC_ALLOC_MODULE" /proc/self/maps'
	json_is "and it was mapped" 'all(one["failure"] is None for one in c.values())'
done

# -------------------------------------------------------------- given up ---

wait $hanging
status=$?
cp hang.out out
cp hang.err err
if [ $status -eq 0 ] &&
	has out '^slow_heap +failed in warm-up: took more than [0-9]+ seconds and was killed$' &&
	has out '^good_heap +[0-9]' && has err '^  \| hanging$'; then
	ok "a command that hangs under a heap"
else
	not_ok "a command that hangs under a heap" "status $status"
fi

finish
