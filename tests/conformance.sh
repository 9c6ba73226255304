# SPDX-License-Identifier: BSD-2-Clause
#
# Shared by check_conformance*.sh: runs `chic-alloc test` and looks at its TAP.
# Works on the tree that was built (the variables CHIC_ALLOC_* say where things are)
# or, without them, on what is installed.
# shellcheck shell=sh

set -u
umask 022
chic=${CHIC_ALLOC:-chic-alloc}
lib=$(cd "$(dirname "$0")" && pwd)/lib.sh
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
if [ -n "${CHIC_ALLOC_LIBDIR:-}" ]; then
	LD_LIBRARY_PATH=$CHIC_ALLOC_LIBDIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	export LD_LIBRARY_PATH
fi
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
: >"$tmp/none.conf"
CHIC_ALLOC_CONF=$tmp/none.conf
export CHIC_ALLOC_CONF
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$lib"

# run_test ARGUMENT...: sets status; out has what was printed
run_test()
{
	"$chic" test "$@" >out 2>err </dev/null
	status=$?
}

# Whether out is whole: a plan, and as many results, numbered.
whole()
{
	awk 'NR == 1 && $0 != "TAP version 13" { bad = 1 }
		NR == 2 { split($0, plan, "\\.\\."); planned = plan[2] }
		NR > 2 && /^ok / && $2 != ++results { bad = 1 }
		NR > 2 && /^not ok / && $3 != ++results { bad = 1 }
		NR > 2 && !/^(ok|not ok|#) / { bad = 1 }
		END { exit bad || !planned || results != planned }' out
}

# The cases that were skipped, or that failed, in one line.
skipped()
{
	sed -n 's/^ok [0-9]* - \([a-z_]*\) # SKIP .*/\1/p' out | tr '\n' ' '
}

failed()
{
	sed -n 's/^not ok [0-9]* - \([a-z_]*\)$/\1/p' out | tr '\n' ' '
}

# check_passed NAME SKIPPED: all cases of the last run passed but those
check_passed()
{
	name=$1 expected=$2
	if [ "$status" -ne 0 ]; then
		not_ok "$name" "status $status, expected 0"
	elif ! whole; then
		not_ok "$name" "not whole TAP"
	elif [ "$(skipped)" != "${expected:+$expected }" ]; then
		not_ok "$name" "skipped '$(skipped)', expected '$expected'"
	else
		ok "$name"
	fi
}

# passes NAME SKIPPED ARGUMENT...: all cases pass but those, which do not apply
passes()
{
	name=$1 expected=$2
	shift 2
	run_test "$@"
	check_passed "$name" "$expected"
}
