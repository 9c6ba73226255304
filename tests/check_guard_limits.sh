#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What guard must not stop: programs with little data, few addresses or locked memory,
# many threads and processes; under each back end that works here.  Prints TAP.

set -u
umask 022
: "${top_srcdir:?}" "${CC:=cc}"
lib=$(cd "$(dirname "$0")" && pwd)/lib.sh
chic=${CHIC_ALLOC:-chic-alloc}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
ulimit -c 0
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$lib"

$CC -O0 -fno-builtin -pthread -w "$top_srcdir/tests/guard_limits.c" -o limits 2>err || {
	echo "1..0 # SKIP cannot compile: $(head -n 1 err)"
	exit 77
}

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
