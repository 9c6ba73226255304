# SPDX-License-Identifier: BSD-2-Clause
#
# Results of long tests, many of which take machines of their own, and of their scripts that
# run in these; $said is a file for what commands say.
# shellcheck shell=sh

passed=0 failed=0 skipped=0
said=${said:-/tmp/said}

pass()
{
	passed=$((passed + 1))
	printf 'ok       %s\n' "$1"
}

# fail NAME [FILE WITH WHAT WAS SAID]
fail()
{
	failed=$((failed + 1))
	printf 'FAILED   %s\n' "$1"
	tail -n 30 "${2:-/dev/null}" | sed 's/^/         /'
}

skip()
{
	skipped=$((skipped + 1))
	printf 'SKIP: %s: %s\n' "$1" "$2"
}

# Whether the pattern was said; "-" is "nothing was", '' "whatever".
said_that()
{
	case $1 in
	'') return 0 ;;
	-) [ ! -s "$said" ] ;;
	*) grep -Eq -e "$1" "$said" ;;
	esac
}

# expect NAME PATTERN COMMAND...: status 0, and that was said
expect()
{
	name=$1 pattern=$2
	shift 2
	"$@" >"$said" 2>&1 </dev/null
	status=$?
	if [ $status -ne 0 ]; then
		echo "status $status" >>"$said"
	elif said_that "$pattern"; then
		pass "$name"
		return
	fi
	echo "expected '$pattern'" >>"$said"
	fail "$name" "$said"
}

# The command is to fail.
not()
{
	! "$@"
}

end()
{
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed -eq 0 ]
	exit
}

# of_maps FILE: which of our libraries and heaps a process has, on one line
of_maps()
{
	grep -oE '(chic_alloc_preload|arena|counting|guard|mimalloc|jemalloc)[^/]*$' "$1" |
		sed 's/\.so.*//' | sort -u | tr '\n' ' '
	echo
}
