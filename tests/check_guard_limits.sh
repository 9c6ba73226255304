#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What guard must not stop: programs with little data, few addresses or locked memory,
# many threads and processes; under each back end that works here.  Prints TAP.

: "${top_srcdir:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

compiled $CC -O0 -fno-builtin -pthread -w "$top_srcdir/tests/guard_limits.c" -o limits

# limited ULIMIT-ARGUMENTS -- COMMAND...
limited()
{
	sh -c 'while [ "$1" != -- ]; do ulimit "$1" "$2" || exit 99; shift 2; done; shift; exec "$@"' \
		sh "$@"
}

# lives SCENARIO STDERR [ULIMIT ARGUMENTS]
lives()
{
	scenario=$1 words=$2
	shift 2
	expect "$backend: $scenario${*:+, ulimit $*}" 0 '^(well|not permitted)$' \
		"$words; back end $backend\$" limited "$@" -- "$chic" run -m guard \
		-o guard.backend=$backend -o guard.summary=yes -- ./limits $scenario
}

for backend in userfaultfd madvise mprotect
do
	"$chic" run -m guard -o guard.backend=$backend -o guard.summary=yes -- true 2>err
	grep -q "; back end $backend\$" err || {
		skip "$backend" "$(head -n 1 err)"
		continue
	}
	lives few_data ' [1-9][0-9]* unguarded' -d 100000
	lives threads ''
	lives threads '' -v 1000000
	lives vforked ''
	lives forks ''
	lives locked ''
	# no more than this may be locked, where there is a limit
	lives locked '' -l 64
done
finish
