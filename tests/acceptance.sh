#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Real programs under each stack, chosen by an INI file alone, against the same
# programs without us: same output, same data read back, same exit status, as an
# ordinary process and as PID 1 of a PID namespace.
#
#	acceptance.sh [small|full] [JOB...]
#
# CHIC_ALLOC is the command under test.  Works in a folder of its own below
# $ACCEPTANCE_DIR (default: the current folder); leaves it there on failure.
#
# A stack that was not loaded would pass every comparison.  So on_error = fail
# stops the program in that case, nothing may be logged, the module must be mapped
# in a program started the same way, and counting's summary must not be empty.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
chic=${CHIC_ALLOC:-chic-alloc}
size=small
case ${1:-} in small | full) size=$1; shift ;; esac
all_jobs='sqlite3 python3 git_log git_gc perl sort gcc gxx stl redis'
jobs=${*:-$all_jobs}
stacks='default arena guard counting counting,guard'
limit=900	# seconds for one program

case $size in
full) statements=100000 commits=1000 lines=1000000 rounds=20000 requests=100000 ;;
small) statements=5000 commits=100 lines=100000 rounds=500 requests=2000 ;;
esac

work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/acceptance.XXXXXX") || exit 2
export HOME="$work" LC_ALL=C TZ=UTC PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1
export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
unset LD_PRELOAD CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS
redis_pid=
passed=0 failed=0 skipped=0

# ---------------------------------------------------------------- input -----

# A script of inserts, selects and deletes, one statement each.
make_sqlite3()
{
	awk -v n="$statements" 'BEGIN {
		print "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, body BLOB);"
		print "CREATE INDEX names ON t(name); BEGIN;"
		for (i = 1; i <= n; i++) {
			if (i % 10 < 7)
				printf "INSERT INTO t VALUES(%d, %cname %d%c, zeroblob(%d) || %d);\n",
					i, 39, i * 7919 % 10007, 39, i % 300, i
			else if (i % 10 < 9)
				printf "SELECT count(*), max(name) FROM t WHERE name > %cname %d%c AND id > %d;\n",
					39, i * 31 % 10000, 39, i - 50
			else
				printf "DELETE FROM t WHERE id = %d;\n", i - 5
		}
		print "COMMIT; SELECT count(*), sum(length(body)), min(name), max(name) FROM t;"
		print "PRAGMA integrity_check;"
	}' >"$work/script.sql"
}

# A history of small changes in forty files.
make_git()
{
	awk -v n="$commits" 'BEGIN {
		for (i = 1; i <= n; i++) {
			text = ""
			for (j = 0; j < 40; j++)
				text = text "line " j " of revision " (j % 5 ? i - i % (j + 1) : i) "\n"
			printf "commit refs/heads/main\nmark :%d\n", i
			printf "author A U Thor <author@example.org> %d +0000\n", 1600000000 + i * 60
			printf "committer A U Thor <author@example.org> %d +0000\n", 1600000000 + i * 60
			message = "change " i "\n"
			printf "data %d\n%s\n", length(message), message
			printf "M 100644 inline folder%d/file%d\ndata %d\n%s\n",
				i % 4, i % 40, length(text), text
		}
	}' >"$work/history"
	git init -q -b main "$work/repo" && git -C "$work/repo" fast-import --quiet <"$work/history"
}

make_sort()
{
	awk -v n="$lines" 'BEGIN {
		for (x = i = 1; i <= n; i++) {
			x = (x * 16807) % 2147483647
			print x, "line", i
		}
	}' >"$work/lines"
}

# Real source: the loader itself, all of it in one unit per compiler.
make_gcc()
{
	mkdir "$work/src"
	cp "$top"/loader/*.[ch] "$top"/include/*.h "$work/src"
	rm -f "$work/src"/cli* "$work/src"/preload*
	[ $size = full ] || rm -f "$work"/src/[d-z]*.c
}

make_stl()
{
	g++ -std=c++17 -O2 -pthread "$here/acceptance/containers.cc" -o "$work/containers"
}

# Debian's redis-server package only adds a service to what redis-tools brings.
make_redis()
{
	redis=$(command -v redis-server) || {
		redis=$work/redis-server
		ln -s "$(command -v redis-check-rdb)" "$redis"
	}
	awk 'BEGIN {
		for (i = 0; i < 5000; i++)
			printf "SET stable:%d value-%d-%0*d\r\nRPUSH list:%d a b %d\r\n",
				i, i * i, i % 90 + 1, i, i % 100, i
	}' >"$work/commands"
}

# ----------------------------------------------------------------- jobs -----
# Each runs its program once with the words "$@" in front, in a fresh folder.  What
# it leaves there in `output*` must be the same with and without us.

job_sqlite3()
{
	"$@" sqlite3 data.db <"$work/script.sql" >output 2>&1 || return
	sqlite3 data.db .dump >output.dump
}

job_python3()
{
	"$@" "$(command -v python3)" "$here/acceptance/batch.py" "$rounds" >output 2>&1
}

job_git_log()
{
	"$@" git -C "$work/repo" log -p >output 2>&1
}

job_git_gc()
{
	cp -r "$work/repo" repo
	"$@" git -C repo gc --quiet >output 2>&1 || return
	git -C repo fsck --full >output.fsck 2>&1
	git -C repo log -p >output.log 2>&1
	git -C repo count-objects -v | grep -E '^(count|in-pack|packs):' >output.count
}

job_perl()
{
	"$@" perl "$here/acceptance/text.pl" "$((lines / 10))" >output 2>&1
}

job_sort()
{
	"$@" sort --parallel=2 "$work/lines" >output 2>&1
}

job_gcc()
{
	for source in "$work"/src/*.c
	do
		"$@" gcc -std=gnu11 -O2 -fPIC -I"$work/src" -DCHIC_ALLOC_VERSION='"0"' \
			-DCHIC_ALLOC_MODULEDIR='"/m"' -DCHIC_ALLOC_SYSCONFDIR='"/e"' \
			-DCHIC_ALLOC_PRESETDIR='"/p"' -DCHIC_ALLOC_RUNDIR='"/r"' \
			-DCHIC_ALLOC_PRELOAD='"/l"' -c "$source" \
			-o "output.$(basename "$source" .c)" >>output 2>&1 || return
	done
}

job_gxx()
{
	"$@" g++ -std=c++17 -O2 -c "$here/acceptance/containers.cc" -o output.object >output 2>&1
}

job_stl()
{
	"$@" "$work/containers" "$((rounds * 5))" >output 2>&1
}

redis_cli()
{
	redis-cli -s redis.sock "$@"
}

# redis_start PREFIX...: a server in this folder, in the background
redis_start()
{
	"$@" "$redis" --port 0 --unixsocket redis.sock --save '' \
		--enable-debug-command yes --daemonize no >>server.log 2>&1 &
	redis_pid=$!
	for try in $(seq 100)
	do
		[ "$(redis_cli ping 2>/dev/null)" = PONG ] && return
		kill -0 $redis_pid 2>/dev/null || break
		sleep 0.1
	done
	echo "redis-server did not start:" && cat server.log
	return 1
}

redis_stop()
{
	redis_cli shutdown save >/dev/null
	wait $redis_pid
	redis_status=$?
	redis_pid=
	return $redis_status
}

redis_saved()
{
	for try in $(seq 300)
	do
		redis_cli info persistence | tr -d '\r' >info
		grep -q '^rdb_bgsave_in_progress:0' info && break
		sleep 0.1
	done
	grep '^rdb_last_bgsave_status' info
}

job_redis()
{
	redis_start "$@" >output || return
	redis_cli --pipe <"$work/commands" >/dev/null
	redis-benchmark -s redis.sock -q -n "$requests" \
		-t set,get,incr,lpush,rpop,sadd,hset,zadd,mset >/dev/null &
	benchmark=$!
	sleep 0.2
	redis_cli bgsave >/dev/null
	wait $benchmark || echo "redis-benchmark: $?" >>output
	redis_saved >>output
	redis_cli debug digest >>output
	redis_stop || return
	redis_start "$@" >>output || return
	redis_cli debug digest >>output
	redis_cli get stable:4711 >>output
	redis_cli lrange list:42 0 -1 >>output
	redis_cli dbsize >>output
	redis_stop
}

# ------------------------------------------------------------- the table ----

# The INI file of a stack.
config()
{
	cat <<-INI
		[allocator]
		module = $1
		on_error = fail
		log = $2/log
		[module counting]
		summary = yes
		output = $2/summary.%p
	INI
}

now()
{
	awk '{ print $1 }' /proc/uptime
}

# attempt JOB FOLDER PREFIX...: status and files of one run
attempt()
{
	job=$1 folder=$2
	shift 2
	mkdir -p "$folder"
	start=$(now)
	(
		cd "$folder" || exit
		trap '[ -z "$redis_pid" ] || kill $redis_pid' EXIT
		"job_$job" "$@"
		echo $? >output.status
	)
	echo "$(now) $start" | awk '{ printf "%.2f", $1 - $2 }' >"$folder/time"
}

# What differs between a run and its reference, and proof that the stack served.
verdict()
{
	reference=$1 folder=$2 stack=$3
	for file in "$reference"/output*
	do
		cmp "$file" "$folder/$(basename "$file")" 2>&1
	done
	if [ -s "$folder/log" ]
	then
		echo "logged: $(head -n 1 "$folder/log")"
	fi
	case $stack in
	counting*)
		cat "$folder"/summary.* 2>/dev/null | grep -q '[1-9]' ||
			echo "no summary of counting in $folder"
		;;
	esac
}

# Under the stack named, are we there?  Seen in the maps of a program.
mapped()
{
	stack=$1
	shift
	maps=$("$@" cat /proc/self/maps) || return
	for file in libchic_alloc_preload $(echo "$stack" | tr , ' ')
	do
		[ "$file" = default ] || echo "$maps" | grep -q "/$file\.so" || {
			echo "no $file.so in /proc/self/maps"
			return 1
		}
	done
}

cell()
{
	row=$1 name=$2 stack=$3
	folder=$work/run/$name/$row/$stack
	shift 3
	mkdir -p "$folder"
	config "$(echo "$stack" | sed 's/,/, /g')" "$folder" >"$folder/stack.ini"
	attempt "$row" "$folder" "$@" "$chic" run -c "$folder/stack.ini" --
	complaint=$(verdict "$work/run/$row" "$folder" "$stack"
		mapped "$stack" "$@" "$chic" run -c "$folder/stack.ini" -- 2>&1)
	if [ -z "$complaint" ]
	then
		passed=$((passed + 1))
		printf ' %18s' "PASS $(cat "$folder/time")"
		rm -rf "$folder"
	else
		failed=$((failed + 1))
		printf ' %18s' "FAIL $(cat "$folder/time")"
		echo "$row under $stack, $name: $complaint" >>"$work/complaints"
	fi
}

table()
{
	name=$1
	shift
	printf '\n%s\n%-9s %9s' "$name" program without
	printf ' %18s' $stacks
	echo
	for row in $jobs
	do
		printf '%-9s %9s' "$row" "$(cat "$work/run/$row/time")"
		for stack in $stacks
		do
			cell "$row" "$(echo "$name" | tr ' ' _)" "$stack" "$@"
		done
		echo
	done
}

# Words that start a program as PID 1 of a new namespace, if that is allowed here: as
# root, in a chroot where / is no mount, or in a user namespace of one's own.
find_namespace()
{
	for try in '' '--propagation unchanged' --map-root-user
	do
		namespace="unshare $try --pid --fork --kill-child --mount-proc"
		$namespace true 2>/dev/null && return
	done
	namespace=
	return 1
}

for row in $jobs
do
	make=$(echo "$row" | sed 's/git_.*/git/; s/gxx/none/')
	case " ${made:-} " in *" $make "*) continue ;; esac
	made="${made:-} $make"
	case $make in python3 | perl | none) continue ;; esac
	"make_$make" || { echo "acceptance.sh: no input for $row" >&2; exit 2; }
done

echo "acceptance, $size: PASS is same output, data read back and exit status; seconds"
for row in $jobs
do
	attempt "$row" "$work/run/$row" timeout $limit
	[ -s "$work/run/$row/output" ] || [ -s "$work/run/$row/output.object" ] ||
		[ "$row" = git_gc ] || [ "$row" = gcc ] ||
		{ echo "acceptance.sh: $row does not even run without us" >&2; exit 2; }
done
table "as an ordinary process" timeout $limit
if find_namespace
then
	# shellcheck disable=SC2086
	table "as PID 1" timeout $limit $namespace
else
	echo "as PID 1: skipped, unshare --pid is not allowed here"
	skipped=$((skipped + 1))
fi

echo
if [ -e "$work/complaints" ]
then
	cat "$work/complaints"
	echo "what was found is in $work"
else
	rm -rf "$work"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
