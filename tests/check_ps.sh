#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# chic-alloc ps on real processes: what serves them and why, whether that has
# changed, and that nothing a process does to its own memory, its files or its
# namespaces brings the command down.  Prints TAP.

set -u
umask 022
chic=${CHIC_ALLOC:?}
preload=${CHIC_ALLOC_PRELOAD:?}
libdir=$(realpath "${CHIC_ALLOC_LIBDIR:?}")
: "${top_srcdir:?}" "${CC:=cc}"
tmp=$(mktemp -d) || exit 99
started=
end()
{
	for pid in $started; do
		kill -9 "$pid"
	done 2>/dev/null
	rm -rf "$tmp"
}
trap end EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
. "$top_srcdir/tests/lib.sh"
cd "$tmp" || exit 99
chmod 755 .

# background COMMAND...: its process number in $pid, to be ended with this script
background()
{
	"$@" >/dev/null 2>&1 </dev/null &
	pid=$!
	started="$started $pid"
}

# Until the process has decided what serves it; the last table is in out.
settled()
{
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		"$chic" ps -p "$1" >out 2>err && ! grep -q ' starting$' out && return
		sleep 0.1
	done
	return 1
}

# shows NAME PID PATTERN: the table has a line of that process that matches
shows()
{
	if ! settled "$2"; then
		not_ok "$1" "process $2 does not settle"
	elif grep -Eq "^ *$2 $3" out; then
		ok "$1"
	else
		not_ok "$1" "no line matches '$3'"
	fi
}

# preloaded CONF COMMAND...: with plain LD_PRELOAD
preloaded()
{
	conf=$1
	shift
	background env CHIC_ALLOC_CONF="$conf" LD_PRELOAD="$preload" "$@"
}

# ------------------------------------------------------- the command itself ---

expect "--help" 0 '^usage: chic-alloc ps' - "$chic" ps --help
expect "an unknown option" 2 - "unknown option '--nonsense'" "$chic" ps --nonsense
expect "an argument" 2 - "got 'x', expected no argument" "$chic" ps x
expect "not a number" 2 - "got '1x', expected the number of a process" "$chic" ps -p 1x
expect "a process that is not there" 1 '^ *PID' 'process 4194305: not found' \
	"$chic" ps -p 4194305
background sleep 100
expect "a process that is not under us" 1 '^ *PID' "process $pid is not under us" \
	"$chic" ps -p $pid
expect "all: the head of the table" 0 '^ *PID +PROGRAM +STACK +CHANGED +FROM$' '' "$chic" ps

# ------------------------------------------------------- what serves and why ---

write_conf()
{
	cat >"$1" <<-E
		[allocator]
		filters = $2
		[module guard]
		quarantine = $3
		[program sleep]
		module = $4
		[program cat]
		module = nothing
	E
}

write_conf a.conf "" 1M guard
background "$chic" run -c a.conf -- sleep 100
served=$pid
shows "a rule" $served "[^ ]*sleep +guard +no +$tmp/a\.conf:6 \[program sleep\]$"
preloaded "$tmp/a.conf" cat /dev/zero
refused=$pid
shows "a module that is not there" $refused \
	"[^ ]*cat +default +no +refused: $tmp/a\.conf:8: .*nothing\.so: "
preloaded "$tmp/a.conf" yes
platform=$pid
shows "no rule" $platform "[^ ]*yes +default +no +built-in$"
background "$chic" run -m counting,guard -- sleep 100
asked=$pid
shows "a stack from the environment" $asked "[^ ]*sleep +counting,guard +no +CHIC_ALLOC_MODULE$"
background env CHIC_ALLOC_DISABLE=1 LD_PRELOAD="$preload" sleep 100
shows "switched off" $pid "[^ ]*sleep +- +no +stood down: CHIC_ALLOC_DISABLE is 1$"
preloaded "$tmp/broken.conf" sleep 100
broken=$pid
shows "a configuration that is not there" $broken "[^ ]*sleep +default +no +refused: $tmp/broken.conf: "
cp a.conf broken.conf
shows "... and is by now" $broken "[^ ]*sleep +default +yes +refused: "

write_conf a.conf "" 1M "guard ; a remark"
shows "changed: not by a remark" $served "[^ ]*sleep +guard +no "
write_conf a.conf "" 2M guard
shows "changed: a parameter" $served "[^ ]*sleep +guard +yes "
shows "changed: not what does not concern it" $platform "[^ ]*yes +default +no "
write_conf a.conf "" 1M "counting, guard"
shows "changed: the stack" $served "[^ ]*sleep +guard +yes "
write_conf a.conf counting 1M guard
shows "changed: the filters" $served "[^ ]*sleep +guard +yes "
shows "changed: also for one without a rule" $platform "[^ ]*yes +default +yes "
shows "changed: not where the environment asks" $asked "[^ ]*sleep +counting,guard +no "
write_conf a.conf "" 1M guard
echo "telemetry = full" >>a.conf
shows "changed: not the telemetry of another program" $served "[^ ]*sleep +guard +no "
printf '[allocator]\ntelemetry = full\n' >b.conf
cat a.conf >>b.conf
sed '/^filters/d; /^\[allocator\]$/,$!d' b.conf | awk '!/^\[allocator\]$/ || !seen++' >a.conf
shows "changed: the telemetry" $served "[^ ]*sleep +guard +yes "
echo nonsense >a.conf
shows "changed: to what is refused" $served "[^ ]*sleep +guard +yes "
rm a.conf
shows "changed: to nothing" $served "[^ ]*sleep +guard +yes "

json_valid "--json" "$chic" ps --json
json_valid "--json of one" "$chic" ps --json -p $served -p $refused
if command -v python3 >/dev/null; then
	cat >check.py <<-'E'
		import json, sys
		a, b, c = json.load(sys.stdin)
		assert a["stack"] == "guard" and a["rule"] == "program sleep", a
		assert a["line"] == 6 and a["changed"] is True and a["state"] == "serves", a
		assert a["telemetry"] == "calls" and a["library_replaced"] is False, a
		assert b["state"] == "refused" and "nothing.so" in b["why"], b
		assert c["file"] == "CHIC_ALLOC_MODULE" and c["line"] is None, c
		assert c["changed"] is False and c["rule"] is None, c
	E
	expect "--json has the same in it" 0 - - sh -c \
		"'$chic' ps --json -p $served -p $refused -p $asked | python3 check.py"
fi

# ------------------------------------------------------------ who stood down ---

cat >own.c <<'C'
#include <stddef.h>
#include <unistd.h>
static char heap[1 << 20];
static size_t used;
void *malloc(size_t n)
{
	used += (n + 31) & ~(size_t)15;
	return used <= sizeof(heap) ? heap + used - ((n + 31) & ~(size_t)15) + 16 : NULL;
}
void free(void *p) { (void)p; }
void *calloc(size_t n, size_t m) { return malloc(n * m); }
void *realloc(void *p, size_t n) { (void)p; return malloc(n); }
int main(void) { return pause(); }
C
$CC -fno-builtin -o own own.c || exit 99
background env CHIC_ALLOC_MODULE=guard LD_PRELOAD="$preload" ./own
shows "a program that defines malloc" $pid "\./own +- +no +stood down: .*defines malloc"

# ---------------------------------------------------------- linked programs ---

cat >linked.c <<'C'
#include <chic_alloc.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc > 1 && chic_alloc_load(argv[1]))
		return 1;
	return pause();
}
C
(echo '#include <chic_alloc.h>'; echo 'CHIC_ALLOC_MANUAL();'; cat linked.c) >manual.c
for program in linked manual; do
	$CC -I"$top_srcdir/include" -o $program $program.c -L"$libdir" -Wl,-rpath,"$libdir" \
		-lchic_alloc || exit 99
done
printf '[allocator]\nmodule = counting\n' >c.conf
background env CHIC_ALLOC_CONF="$tmp/c.conf" ./linked
shows "a linked program" $pid "\./linked +counting +no +$tmp/c\.conf:2$"
background env CHIC_ALLOC_CONF="$tmp/c.conf" ./manual
shows "a linked program that says no" $pid "\./manual +- +\? +linked, "
background env CHIC_ALLOC_CONF=/dev/null ./manual "$tmp/c.conf"
sleep 0.2
shows "... and loads one by itself" $pid "\./manual +counting +no +$tmp/c\.conf:2$"
background env CHIC_ALLOC_CONF="$tmp/c.conf" LD_PRELOAD="$preload" ./linked
shows "a linked program with the preload library" $pid "\./linked +counting +no +$tmp/c\.conf:2$"
expect "whose record is the preload library's" 0 '"library": ".*libchic_alloc_preload.so"' - \
	"$chic" ps --json -p $pid

# ------------------------------------------------------- comings and goings ---

background sh -c 'while :; do env LD_PRELOAD="$0" true; done' "$preload"
churn=$pid
failed=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	"$chic" ps >out 2>err || failed=1
done
kill -9 $churn
if [ $failed = 0 ]; then
	ok "processes that come and go"
else
	not_ok "processes that come and go" "status not 0"
fi
background "$chic" run -m counting -- sleep 100
settled $pid
kill -STOP $pid
shows "a stopped process" $pid "[^ ]*sleep +counting +no "
kill -9 $pid
wait $pid 2>/dev/null
expect "a killed process" 1 '^ *PID' "process $pid: not found" "$chic" ps -p $pid
# a child that nobody waits for
background env LD_PRELOAD="$preload" sh -c 'true & echo $! >zombie; exec sleep 100'
sleep 0.5
expect "a process that has ended and is not waited for" 1 '^ *PID' \
	"process $(cat zombie): not found" "$chic" ps -p "$(cat zombie)"

# --------------------------------------------------------- libraries on disk ---

mkdir copy
cp "$preload" copy/libchic_alloc_preload.so
for both in "$preload:$tmp/copy/libchic_alloc_preload.so" \
	"$tmp/copy/libchic_alloc_preload.so:$preload"; do
	background env CHIC_ALLOC_MODULE=counting LD_PRELOAD="$both" sleep 100
	shows "two copies of the library" $pid "[^ ]*sleep +counting +no +CHIC_ALLOC_MODULE$"
done
background env CHIC_ALLOC_MODULE=counting LD_PRELOAD="$tmp/copy/libchic_alloc_preload.so" sleep 100
shows "a library that is there" $pid "[^ ]*sleep +counting +no +CHIC_ALLOC_MODULE$"
cp "$preload" copy/new
mv copy/new copy/libchic_alloc_preload.so
shows "a library that was replaced" $pid \
	"[^ ]*sleep +counting +no +CHIC_ALLOC_MODULE \(the library's file was replaced since\)$"
echo "no library at all" >copy/new
mv copy/new copy/libchic_alloc_preload.so
shows "... by something else" $pid "[^ ]*sleep +counting +no +CHIC_ALLOC_MODULE \(the library's"
rm copy/libchic_alloc_preload.so
shows "... and deleted" $pid "[^ ]*sleep +counting +no +CHIC_ALLOC_MODULE \(the library's"
background sleep 100
expect "a file that is mapped and not loaded is none of ours" 1 '^ *PID' 'is not under us' \
	"$chic" ps -p $pid

# -------------------------------------------------------------- bad records ---

fakes=0
# fake NAME BODY PATTERN: a library of that name with other things in its record
fake()
{
	fakes=$((fakes + 1))
	mkdir fake$fakes
	cat >fake.c <<-C
		#include <string.h>
		#include <stdint.h>
		struct {
			uint32_t magic, version, size, sequence, state, telemetry;
			uint64_t key, request;
			int32_t texts;
			uint32_t reserved;
			char more[8192];
		} chic_alloc_status = {0x63696863, 1, 48, 2, 3, 1, 5, 0, 48, 0, ""};
		__attribute__((constructor)) static void fill(void)
		{
			memset(chic_alloc_status.more, 27, sizeof(chic_alloc_status.more));
			$2;
		}
	C
	$CC -shared -fPIC -o "fake$fakes/libchic_alloc_preload.so" fake.c || exit 99
	background env LD_PRELOAD="$tmp/fake$fakes/libchic_alloc_preload.so" sleep 100
	sleep 0.1
	shows "a record with $1" $pid "$3"
	if LC_ALL=C grep -q "$(printf '\033')" out; then
		not_ok "... is shown without escapes" "ESC on the terminal"
	else
		ok "... is shown without escapes"
	fi
}

fake "unended texts" "" "[^ ]*sleep +\?+ +(no|yes) "
fake "a wrong magic number" "chic_alloc_status.magic = 7" "[^ ]*sleep +- +\? +record: found magic number 0x7,"
fake "another version" "chic_alloc_status.version = 9" "[^ ]*sleep +- +\? +record: found version 9"
fake "too small a size" "chic_alloc_status.size = 8" "[^ ]*sleep +- +\? +record: found version 1 of 8 bytes"
fake "an unknown state" "chic_alloc_status.state = 99" "[^ ]*sleep +- +\? +record: found state 99"
fake "an unknown telemetry" "chic_alloc_status.telemetry = 99" "[^ ]*sleep +- +\? +record: found telemetry 99"
fake "a writer that never ends" "chic_alloc_status.sequence = 3" "[^ ]*sleep +- +\? +record: it is being written"
fake "texts far above" "chic_alloc_status.texts = 0x7fffffff" "[^ ]*sleep +- +\? +record's texts: "
fake "texts far below" "chic_alloc_status.texts = -0x7fffffff" "[^ ]*sleep +- +\? +record's texts: "
fake "an error full of escapes" "chic_alloc_status.state = 4" "[^ ]*sleep +default +(no|yes|\?) +refused: "
fake "a reason full of escapes" "chic_alloc_status.state = 5" "[^ ]*sleep +- +no +stood down: \?\?"
json_valid "--json of all of them" "$chic" ps --json
mkdir empty
echo 'int nothing;' >empty.c
$CC -shared -fPIC -o empty/libchic_alloc_preload.so empty.c
background env LD_PRELOAD="$tmp/empty/libchic_alloc_preload.so" sleep 100
sleep 0.1
shows "a library without a record" $pid "[^ ]*sleep +- +\? +.*has no record: another release"

# A program whose name acts on a terminal.
cp "$(command -v sleep)" "$(printf 'x\033[31my')"
background env LD_PRELOAD="$preload" "./$(printf 'x\033[31my')" 100
shows "a name with an escape" $pid "\./x\?\[31my +default +"
json_valid "--json of a name with an escape" "$chic" ps --json -p $pid

# ------------------------------------------------- others, and other worlds ---

# not a function: its process number would be a shell's
as_nobody='setpriv --reuid=65534 --regid=65534 --clear-groups'

if [ "$(id -u)" != 0 ] || ! $as_nobody true 2>/dev/null; then
	skip "processes of others" "needs root and setpriv"
elif ! $as_nobody test -x "$chic" -a -r "$preload"; then
	skip "processes of others" "the build folder is closed to others"
else
	printf '[allocator]\nmodule = counting\n' >nobody.conf
	chown 65534 nobody.conf
	background $as_nobody env CHIC_ALLOC_CONF="$tmp/nobody.conf" LD_PRELOAD="$preload" sleep 100
	shows "whose file is believed depends on who reads it" $pid \
		"[^ ]*sleep +counting +no +$tmp/nobody.conf:2$"
	expect "a user's own process" 0 "^ *$pid .*counting +no " '' $as_nobody "$chic" ps
	expect "those of others are counted" 0 '' \
		'^chic-alloc: [0-9]+ other process(es)? could not be looked at \(root can\)$' \
		$as_nobody "$chic" ps
	expect "or are an answer" 1 '^ *PID' 'Permission denied' \
		$as_nobody "$chic" ps -p "$served"
	printf '[allocator]\nmodule = counting\n' >secret.conf
	chmod 600 secret.conf
	background $as_nobody env CHIC_ALLOC_CONF="$tmp/secret.conf" LD_PRELOAD="$preload" sleep 100
	shows "root does not read for others what they may not" $pid \
		"[^ ]*sleep +default +no +refused: .*Permission denied"
fi

# In a container the process is number 1, and its files are not ours.
if [ "$(id -u)" = 0 ] && unshare -mpf --mount-proc true 2>/dev/null; then
	mkdir world
	cat >inside.sh <<-E
		mount -t tmpfs none "$tmp/world" || exit 1
		cp "$preload" "$tmp/world/libchic_alloc_preload.so"
		printf '[program sleep]\nmodule = counting\n' >"$tmp/world/in.conf"
		export CHIC_ALLOC_CONF="$tmp/world/in.conf"
		LD_PRELOAD="$tmp/world/libchic_alloc_preload.so" exec sleep 100
	E
	background unshare -mpf --mount-proc sh inside.sh
	sleep 0.5
	inside=$(cat /proc/$pid/task/$pid/children)
	shows "process 1 of a container, with files of its own" "${inside% }" \
		"[^ ]*sleep +counting +no +$tmp/world/in\.conf:2 \[program sleep\]$"
	echo "[allocator]" >"/proc/${inside% }/root$tmp/world/in.conf"
	shows "... whose configuration has changed" "${inside% }" "[^ ]*sleep +counting +yes "
	kill -9 ${inside% }
else
	skip "process 1 of a container" "needs root and unshare"
fi

finish
