# SPDX-License-Identifier: BSD-2-Clause
#
# stress-ng's stressors of malloc and of fork.  Its report without what differs from
# run to run: times, process numbers and what it says of the machine.

# stress PREFIX... -- OPTIONS...
stress()
{
	"$@" --verify --timeout 300 >stress.log 2>&1
	status=$?
	sed -E 's/^stress-ng: ([a-z]+): +\[[0-9]+\] */\1 /; s/ in [0-9.]+ ?(s|secs|mins)\b.*//' stress.log |
		grep -E 'dispatching|successful|failed|fail|error|warn' | sort -u >output
	return $status
}

job_malloc()
{
	stress "$@" stress-ng --malloc 2 --malloc-ops 400000 --malloc-pthreads 2
}

job_fork()
{
	stress "$@" stress-ng --fork 2 --fork-ops 4000
}
