# SPDX-License-Identifier: BSD-2-Clause
#
# What shell tests share: results as TAP, and commands with what is expected of
# them.  To be sourced in a folder of the test's own, for the files out and err.
# shellcheck shell=sh

n=0
failures=0

ok()
{
	n=$((n + 1))
	echo "ok $n - $1"
}

not_ok()
{
	n=$((n + 1))
	failures=$((failures + 1))
	echo "not ok $n - $1"
	echo "# $2"
	sed 's/^/# stdout: /' out
	sed 's/^/# stderr: /' err
}

skip()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# Whether a file has the pattern; "-" is "it is empty", nothing is "whatever".
has()
{
	case $2 in
	'') return 0 ;;
	-) [ ! -s "$1" ] ;;
	*) grep -Eq -e "$2" "$1" ;;
	esac
}

# expect NAME STATUS STDOUT STDERR COMMAND...
expect()
{
	name=$1 want=$2 want_out=$3 want_err=$4
	shift 4
	"$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne "$want" ]; then
		not_ok "$name" "status $status, expected $want"
	elif ! has out "$want_out"; then
		not_ok "$name" "stdout does not match '$want_out'"
	elif ! has err "$want_err"; then
		not_ok "$name" "stderr does not match '$want_err'"
	else
		ok "$name"
	fi
}

# equal NAME EXPECTED COMMAND...: status 0 and exactly this on stdout
equal()
{
	name=$1 want=$2
	shift 2
	"$@" >out 2>err </dev/null
	status=$?
	if [ $status -eq 0 ] && [ "$(cat out)" = "$want" ]; then
		ok "$name"
	else
		not_ok "$name" "status $status, expected 0 and '$want'"
	fi
}

# refused NAME PATTERN COMMAND...: status 1, nothing on stdout, one line on
# stderr that matches and says what was expected, and no program was started
refused()
{
	name=$1 pattern=$2
	shift 2
	rm -f started
	"$@" >out 2>err </dev/null
	status=$?
	if [ $status -ne 1 ]; then
		not_ok "$name" "status $status, expected 1"
	elif [ -s out ]; then
		not_ok "$name" "something on stdout"
	elif [ "$(wc -l <err)" -ne 1 ]; then
		not_ok "$name" "not one line on stderr"
	elif ! grep -Eq "^chic-alloc: .*$pattern" err; then
		not_ok "$name" "stderr does not match '$pattern'"
	elif [ -e started ]; then
		not_ok "$name" "the program was started"
	else
		ok "$name"
	fi
}

json_valid()
{
	name=$1
	shift
	if ! command -v python3 >/dev/null; then
		skip "$name" "no python3"
		return
	fi
	"$@" >out 2>err
	if python3 -m json.tool <out >json 2>err; then
		ok "$name"
	else
		not_ok "$name" "not JSON"
	fi
}

# expect, for a COMMAND that is started with SIGCHLD ignored
expect_childless()
{
	if ! env --ignore-signal=CHLD true 2>err; then
		skip "$1" "env knows no --ignore-signal"
		return
	fi
	name=$1 want=$2 want_out=$3 want_err=$4
	shift 4
	expect "$name" "$want" "$want_out" "$want_err" env --ignore-signal=CHLD "$@"
}

# The plan, and whether all was well.
finish()
{
	echo "1..$n"
	[ $failures -eq 0 ] || echo "# $failures of $n failed" >&2
	[ $failures -eq 0 ]
}
