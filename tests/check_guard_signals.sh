#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What a program sees of its own handlers of SIGSEGV, and how it ends: alone and under
# guard, with each back end, the same.  Prints TAP.

: "${top_srcdir:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

# the dynamic linker finds no function on a small stack
compiled $CC -O0 -w "$top_srcdir/tests/guard_signals.c" -o signals -pthread -Wl,-z,now

# seen FILE COMMAND...: what it prints, and how it ends
seen()
{
	file=$1
	shift
	"$@" >"$file" 2>err </dev/null
	echo "status $?" >>"$file"
}

# same NAME REPORTS: whether both files are, and there is a report or none
same()
{
	if ! cmp -s alone out; then
		not_ok "$1" "alone: $(tr '\n' ';' <alone)"
	elif [ "$(grep -c '^chic-alloc: guard: overflow: ' err)" -ne "$2" ]; then
		not_ok "$1" "expected $2 reports"
	else
		ok "$1"
	fi
}

# How often the fault is at a block of the heap, and reported.
reports()
{
	case $1 in
	by_default | in_function | undeferred | for_once | on_its_stack | off_its_stack | \
		asks_for_no_stack | gives_stack_up | in_thread | in_thread_without_stack | \
		small_stack | small_stack_in_thread | vforked | by_signal | by_sysv_signal | by_sigset | by_siginterrupt) echo 1 ;;
	forked) echo 2 ;;
	twice) echo 3 ;;
	# a signal that is blocked or ignored has no handler; a userfaultfd's is another
	blocked | ignored | by_sigignore) [ "$2" = userfaultfd ] && echo 1 || echo 0 ;;
	*) echo 0 ;;
	esac
}

for backend in userfaultfd madvise mprotect
do
	under="$chic run -m guard -o guard.backend=$backend --"
	$under ./signals list >out 2>err
	if grep -q ' serves$' err; then
		skip "$backend" "$(cat err)"
		continue
	fi
	for scenario in $(./signals list)
	do
		seen alone ./signals null "$scenario"
		# shellcheck disable=SC2086
		seen out $under ./signals null "$scenario"
		same "$backend: $scenario, at an address near 0" 0
		seen alone ./signals none "$scenario"
		# shellcheck disable=SC2086
		seen out $under ./signals heap "$scenario"
		same "$backend: $scenario, behind a block" "$(reports "$scenario" $backend)"
	done
done

# Who is not guarded has no handler and no stack of ours, whatever else serves.
for stack in '' arena counting
do
	for scenario in $(./signals list)
	do
		seen alone ./signals null "$scenario"
		seen out "$chic" run -m "$stack" -- ./signals null "$scenario"
		same "under '$stack': $scenario" 0
	done
done

finish
