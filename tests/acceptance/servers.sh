# SPDX-License-Identifier: BSD-2-Clause
#
# What the jobs with a server share.  A server is started in the background of its
# job, which stops it; what a job leaves behind is stopped when it ends.

servers=

# serve COMMAND...: in the background; its words go to server.log
serve()
{
	"$@" >>server.log 2>&1 &
	server=$!
	servers="$servers $server"
}

# await COMMAND...: until it succeeds, while the server lives
await()
{
	for _ in $(seq 300)
	do
		"$@" >/dev/null 2>&1 && return
		kill -0 "$server" 2>/dev/null || break
		sleep 0.1
	done
	echo "not answered: $*" && cat server.log
	return 1
}

# server_maps NAME: the maps of the process of that name below the one started last
server_maps()
{
	for pid in $(descendants "$server")
	do
		[ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] || continue
		cat "/proc/$pid/maps" >maps.server && return
	done
	echo "found no process $1"
	return 1
}

# ended: the status of the server that was told to stop
ended()
{
	wait "$server"
	ended=$?
	servers=
	return $ended
}

# timeout, which each server has in front, kills what does not obey.
stop_servers()
{
	[ -n "$servers" ] || return
	# shellcheck disable=SC2086
	kill $servers 2>/dev/null
	wait
}
