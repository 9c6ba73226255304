#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Guard's reports where they are hard to make, and where they go.  Prints TAP.

: "${top_srcdir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

compiled $CC -O0 -w -fno-builtin -fno-stack-protector "$top_srcdir/tests/guard_report.c" -o bugs \
	-pthread

overflow='^chic-alloc: guard: overflow: .* of 0x[0-9a-f]+, 1 byte past the block of 64 bytes at'

# whole N FILE: so many whole reports: who did it, who asked for the block, each with frames
whole()
{
	awk -v want="$1" -v overflow="$overflow" '
		/^chic-alloc: guard: / { if (state != 0 && state != 5) bad = 1
					 state = $0 ~ overflow ? 1 : 9; n++; next }
		/^  (write|access) by thread [0-9]+ .*:$/ { if (state != 1) bad = 1; state = 2; next }
		/^  allocated by thread [0-9]+ .*:$/ { if (state != 3) bad = 1; state = 4; next }
		/^    .*0x[0-9a-f]+( \(.*\))?$/ { if (state < 2 || state > 5) bad = 1
						  if (state == 2 || state == 4) state++; next }
		{ bad = 1 }
		END { exit bad || n != want || state != 5 }' "$2"
}

# reported NAME STATUS N FILE COMMAND...
reported()
{
	name=$1 want=$2 n_reports=$3 file=$4
	shift 4
	"$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne "$want" ]; then
		not_ok "$name" "status $status, expected $want"
	elif ! whole "$n_reports" "$file"; then
		not_ok "$name" "not $n_reports whole reports in $file: $(cat "$file")"
	else
		ok "$name"
	fi
}

has_frame()
{
	if grep -Eq "$2" err; then
		ok "$1"
	else
		not_ok "$1" "no $2"
	fi
}

{
	"$chic" run -m guard -o guard.summary=yes -- sh -c 'sleep 0.2; exit 5'
	echo $? >status
} 2>&1 | true
while [ ! -s status ]; do sleep 0.1; done
equal "a summary that nobody reads" 5 cat status

for backend in userfaultfd madvise mprotect
do
	under="$chic run -m guard -o guard.backend=$backend"
	$under -- true >out 2>err
	if grep -q ' serves$' err; then
		skip "$backend" "$(cat err)"
		continue
	fi
	reported "$backend: a bug" 139 1 err $under -- ./bugs bug
	reported "$backend: in a thread with the smallest stack" 139 1 err \
		$under -- ./bugs small_thread
	reported "$backend: the same, where the thread never asked for a block" 139 1 err \
		$under -- ./bugs small_unknown_thread
	reported "$backend: at the end of the stack" 139 1 err $under -- ./bugs end_of_stack
	reported "$backend: on a stack that was another thread's" 139 1 err \
		$under -- ./bugs end_of_a_second_stack
	reported "$backend: with a stack that is written over" 139 1 err \
		$under -- ./bugs smashed
	has_frame "$backend: and where that was" 'bugs\+0x[0-9a-f]+ \(smash_and_bug\+'
	reported "$backend: without a stack" 139 1 err $under -- ./bugs no_stack
	reported "$backend: on a small stack of the program's, with a handler" 7 1 err \
		$under -- ./bugs own_small_stack
	reported "$backend: eight threads at once" 139 8 err $under -- ./bugs at_once
	has_frame "$backend: threads have names" 'by thread [0-9]+ \(culprit 3\?\[\)'
	reported "$backend: in a child" 139 1 err $under -- ./bugs in_a_child
	reported "$backend: without file descriptors" 139 1 err $under -- ./bugs without_files
	expect "$backend: where nobody reads" 139 - - $under -- ./bugs without_reader
	expect "$backend: a handler of SIGABRT" 9 - 'guard: double free: ' \
		$under -- ./bugs abort_handler
done

under="$chic run -m guard"
expect "no stacks are kept" 139 - '^  allocated by thread [0-9]+ \(bugs\)$' \
	$under -o guard.stacks=no -- ./bugs bug

# A program that is linked with the library: as long as it leaves the signal alone.
if $CC -O0 -w -fno-builtin -DLINKED -I"$top_srcdir/include" "$top_srcdir/tests/guard_report.c" \
	-o linked -L"$CHIC_ALLOC_LIBDIR" -lchic_alloc -pthread 2>err
then
	export LD_LIBRARY_PATH="$CHIC_ALLOC_LIBDIR"
	reported "linked: a bug" 139 1 err env CHIC_ALLOC_MODULE=guard ./linked bug
	has_frame "linked: and where that was" 'linked\+0x[0-9a-f]+ \(bug_of\+'
	reported "linked: in a thread with the smallest stack" 139 1 err \
		env CHIC_ALLOC_MODULE=guard ./linked small_thread
	for backend in userfaultfd madvise mprotect
	do
		printf '[allocator]\nmodule = guard\n[module guard]\nbackend = %s\n' \
			$backend >conf
		# a userfaultfd has another signal, which it does not replace
		expect "linked, $backend: a later handler replaces ours" 7 - '' \
			env CHIC_ALLOC_CONF="$PWD/conf" ./linked own_small_stack
	done
	unset LD_LIBRARY_PATH
else
	not_ok "linked" "cannot compile"
fi

# Where reports go.
reported "into a file" 139 1 report $under -o guard.output=report -- ./bugs bug
expect "and nowhere else" 139 - - $under -o guard.output=report -- ./bugs bug
if whole 2 report; then
	ok "behind the one that is there"
else
	not_ok "behind the one that is there" "$(cat report)"
fi
rm report
reported "a relative name is where the program began" 139 1 report \
	$under -o guard.output=report -- ./bugs elsewhere
rm -f report
mkdir 'a%b'
cd 'a%b' || exit 99
$under -o guard.output='r%%.%p' -- ../bugs bug >../out 2>../err
cd ..
set -- 'a%b'/r%.[0-9]*
if whole 1 "$1"; then
	ok "with the process id in its name"
else
	not_ok "with the process id in its name" "$(ls 'a%b')"
fi
expect "a file that cannot be written" 139 - \
	'guard: output = .*/none/report: cannot be written, error 2$' \
	$under -o guard.output=none/report -- ./bugs bug
has_frame "and then it goes to stderr" "$overflow"
expect "stderr by its name" 139 - "$overflow" $under -o guard.output=/dev/stderr -- ./bugs bug

finish
