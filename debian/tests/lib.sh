# What the tests share: a process under a stack, looked at from outside.
set -eu
umask 022
cd "$AUTOPKGTEST_TMP"

# has PID LIBRARY...: they are mapped, and the command says so
has()
{
	pid=$1
	shift
	for library in "$@"; do
		grep -q "/$library" "/proc/$pid/maps" || { echo "$pid has no $library" >&2; exit 1; }
	done
	chic-alloc ps -p "$pid"
}

# until COMMAND...: for half a minute
until_good()
{
	for _ in $(seq 150); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.2
	done
	echo "in vain: $*" >&2
	exit 1
}
