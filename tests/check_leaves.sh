#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# A module that leaves most to the heap below is not asked about that, where this is a
# heap and nothing else; and what is its own gets to it.  Prints TAP.

: "${top_srcdir:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

# compile ARGUMENTS...
compile()
{
	compiled $CC -O1 -fno-builtin -pthread -I"$top_srcdir/include" "$@"
}
compile -shared -fPIC "$top_srcdir/tests/leaves_module.c" -o leaves.so
compile "$top_srcdir/tests/leaves_program.c" -o program

# leaving NAME LOW HIGH STACK TELEMETRY [KEY=VALUE]: how often the module is asked; what
# it kept comes back to it, and what others have only where it is always asked
leaving()
{
	name=$1 low=$2 high=$3
	cat >conf <<-INI
		[allocator]
		on_error = fail
		module = $4
		telemetry = $5
		[module leaves]
		path = $tmp/leaves.so
		${6-}
	INI
	"$chic" run -c conf -- ./program >out 2>err </dev/null
	status=$?
	# shellcheck disable=SC2046
	set -- $(sed -n 's/^asked \(.*\) kept \(.*\) back \(.*\) strangers /\1 \2 \3 /p' err)
	if [ $status -ne 0 ]; then
		not_ok "$name" "status $status, expected 0"
	elif [ $# -ne 4 ]; then
		not_ok "$name" "it did not say how often it was asked"
	elif [ "$1" -lt "$low" ] || [ "$1" -gt "$high" ]; then
		not_ok "$name" "asked $1 times, expected $low to $high"
	elif [ $(($2 - $3)) -gt 5 ]; then
		not_ok "$name" "$2 kept, $3 came back"
	elif [ "$high" -lt 10000 ] && [ "$4" -gt 100 ]; then
		not_ok "$name" "$4 blocks that are not its own came to it"
	else
		ok "$name"
	fi
}

# The program asks 200,000 times.
leaving "one in a hundred is the module's" 1900 2100 leaves off
leaving "the same in a program whose calls are counted" 1900 70000 leaves calls
leaving "a module that says nothing is always asked" 200000 201000 leaves off 'says = no'
leaving "with bytes counted it is always asked" 200000 201000 leaves full
leaving "over a module it is always asked" 200000 201000 'leaves, arena' off
finish
