#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Real programs under each stack, chosen by an INI file alone, against the same
# programs without us: same output, same data read back, same exit status.
#
#	acceptance.sh [small|full] [PROGRAM...]
#
# CHIC_ALLOC is the command under test; PROGRAM is a name of the table below or a
# glob.  STACKS, if set, are the only stacks.  Works in a folder of its own below
# $ACCEPTANCE_DIR (default: the current folder); leaves it there on failure.
#
# What a program does here is in acceptance/*.sh.
#
# A stack that was not loaded would pass every comparison.  So on_error = fail
# stops the program in that case, nothing may be logged, the stack's files must be
# mapped with us and not without, and counting's summary must not be empty.

set -u
top=$(cd "$(dirname "$0")/.." && pwd)
here=$top/tests/acceptance
chic=$(command -v "${CHIC_ALLOC:-chic-alloc}") || chic=${CHIC_ALLOC:-chic-alloc}
size=small
case ${1:-} in small | full) size=$1; shift ;; esac
wanted=${*:-*}
limit=900	# seconds for one program

# Our own modules, as an ordinary process and as PID 1 of a PID namespace.
own_stacks='default arena guard counting counting,guard'
# Vendors' heaps.  no-rule: we are there, and nothing is configured for the program.
vendor_stacks='no-rule jemalloc mimalloc tcmalloc counting,mimalloc'
# guard with a back end that the system may not have.
guard_stacks='guard-userfaultfd guard-madvise guard-mprotect'

# The size from which a program runs under our own stacks, under the vendors', and under
# each back end of guard; what it works on, and what must be installed.
#
# Not under guard, which ends them for what they do: stress-ng writes eight bytes into
# blocks of seven by calloc(), and python3's daemon threads use freed memory at its end;
# and python3's test_subprocess, which knows all descriptors that are open.
programs()
{
	cat <<-'END'
		sqlite3      small  small  small  sqlite3   sqlite3
		python3      small  small  full   -         python3
		git_log      small  full   small  git       git
		git_gc       small  full   full   git       git
		perl         small  small  full   -         perl
		sort         small  full   -      sort      sort
		gcc          small  full   full   gcc       gcc
		gxx          small  full   full   -         g++
		stl          small  small  full   stl       g++
		redis        small  small  small  redis     redis-cli redis-benchmark redis-check-rdb
		lua          small  full   small  -         lua
		live         -      -      full   live      gcc
		man          -      small  -      -         man
		fakeroot     -      small  -      -         fakeroot tar
		faketime     -      small  -      -         faketime python3
		eatmydata    -      small  -      -         eatmydata python3 sqlite3
		node         -      full   full   -         node
		php          -      full   full   -         php
		ruby         full   full   full   -         ruby
		java         -      -      full   java      keytool
		emacs        -      full   full   -         emacs
		postgresql   -      full   full   -         postgres initdb pgbench psql readable
		mariadb      -      full   full   mariadb   mariadbd mariadb-install-db mariadb sysbench
		malloc       -      full   -      -         stress-ng
		fork         -      full   full   -         stress-ng
		py_json      -      full   -      -         python3 module:test.test_json
		py_zlib      -      full   -      -         python3 module:test.test_zlib
		py_sqlite3   -      full   -      -         python3 module:test.test_sqlite3
		py_mmap      -      full   -      -         python3 module:test.test_mmap
		py_ctypes    -      full   -      -         python3 module:test.test_ctypes
		py_thread    -      full   -      -         python3 module:test.test_threading
		py_process   -      full   -      -         python3 module:test.test_subprocess
		py_multi     -      full   full   -         python3 module:test.test_multiprocessing_fork
	END
}

for group in "$here"/*.sh
do
	# shellcheck source=/dev/null
	. "$group"
done

# ---------------------------------------------------------------- running ---

work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/acceptance.XXXXXX") || exit 2
mkdir "$work/tmp" && chmod 755 "$work" && chmod 1777 "$work/tmp" || exit 2
passed=0 failed=0 skipped=0
# The distribution's programs, whatever else calls itself python3 here.
for dir in /sbin /bin /usr/sbin /usr/bin /usr/lib/postgresql/*/bin
do
	PATH=$dir:$PATH
done
export PATH HOME="$work" TMPDIR="$work/tmp" LC_ALL=C TZ=UTC
export PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1 GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat
unset LD_PRELOAD GLIBC_TUNABLES CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS

now()
{
	awk '{ print $1 }' /proc/uptime
}

# All processes below a process, in whatever groups and sessions they are.
descendants()
{
	ps -e -o pid=,ppid= | awk -v root="$1" '
		{ parent[$1] = $2 }
		END {
			for (pid in parent) {
				for (p = parent[pid]; p in parent && p != root; p = parent[p])
					;
				if (p == root)
					print pid
			}
		}'
}

# Nobody is left behind when this script is told to stop.
interrupted()
{
	trap '' INT TERM
	# shellcheck disable=SC2046
	kill $(descendants $$) 2>/dev/null
	wait
	rm -rf "$work"
	exit 130
}
trap interrupted INT TERM

# attempt PROGRAM FOLDER PREFIX...: status and files of one run.  A job runs its
# program once with the words "$@" in front, in a fresh folder.  What it leaves there
# in `output*` must be the same with and without us; `maps*` are what /proc/PID/maps
# showed.  Its status is 0 if it could do what it was to do.
attempt()
{
	name=$1 folder=$2
	shift 2
	mkdir -p "$folder" && chmod 1777 "$folder"
	begun=$(now)
	(
		cd "$folder" || exit
		trap stop_servers EXIT
		trap 'exit 143' INT TERM
		"job_$name" "$@"
		echo $? >"$folder/output.status"
	) &
	wait $!
	echo "$(now) $begun" | awk '{ printf "%.2f", $1 - $2 }' >"$folder/time"
	rm -rf "$work/tmp"/*
}

# -------------------------------------------------------------- comparing ---

# The INI file of a stack.
config()
{
	case $1 in
	no-rule) printf '[program another]\nmodule = mimalloc\n[allocator]\n' ;;
	guard-*) printf '[module guard]\nbackend = %s\n[allocator]\nmodule = guard\n' "${1#*-}" ;;
	*) printf '[allocator]\nmodule = %s\n' "$(echo "$1" | sed 's/,/, /g')" ;;
	esac
	cat <<-INI
		on_error = fail
		log = $2/log
		[module counting]
		summary = yes
		output = $2/summary.%p
	INI
}

# Files of a stack as they are called in /proc/PID/maps.
files_of()
{
	echo libchic_alloc_preload
	echo "$1" | tr , '\n' |
		sed -E '/^(no-rule|default)$/d; s/^guard-.*/guard/; s/^(.*)malloc$/lib&/'
}

# maps_lack FILE STACK: which of the stack's files are not there
maps_lack()
{
	files_of "$2" | while read -r file
	do
		grep -qs "/${file}[^/]*\.so" "$1" || echo "no $file in $(basename "$1")"
	done
}

differs()
{
	cmp -s "$1" "$2" && return
	echo "$(basename "$1") differs:"
	diff -a "$1" "$2" 2>&1 | head -n 6 | cut -c1-200
}

# What differs between a run and its reference, and proof that the stack served.
verdict()
{
	reference=$1 folder=$2 stack=$3
	[ -e "$reference/output.status" ] || echo "nothing to compare with in $reference"
	for file in "$reference"/output* "$reference"/maps*
	do
		copy=$folder/$(basename "$file")
		case $file in
		*'*') ;;
		*/maps*) maps_lack "$copy" "$stack" ;;
		*) differs "$file" "$copy" ;;
		esac
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

# A program without us must work, and have nothing of ours nor of a vendor's in it but
# what it was linked with.
reference()
{
	row=$1
	folder=$work/run/$row
	attempt "$row" "$folder" timeout -k 30 $limit
	[ "$(cat "$folder/output.status")" = 0 ] || echo "does not even run without us"
	[ "$(cat "$folder"/output* | wc -c)" -gt 50 ] || echo "says next to nothing"
	for maps in "$folder"/maps*
	do
		[ -e "$maps" ] || continue
		grep -E '/lib(chic_alloc|mimalloc|tcmalloc)[^/]*\.so' "$maps"
		[ "$row" = redis ] || grep -E '/libjemalloc[^/]*\.so' "$maps"
	done
}

# ------------------------------------------------------------- the table ----

complain()
{
	echo "$*" >>"$work/complaints"
	failed=$((failed + 1))
}

# cell PROGRAM TITLE STACK PREFIX...
cell()
{
	row=$1 title=$2 stack=$3
	folder=$work/run/$row/$(echo "$title" | tr ' ' _)/$stack
	shift 3
	mkdir -p "$folder"
	config "$stack" "$folder" >"$folder/stack.ini"
	attempt "$row" "$folder" "$@" "$chic" run -c "$folder/stack.ini" --
	"$@" "$chic" run -c "$folder/stack.ini" -- cat /proc/self/maps >"$folder/maps" 2>&1
	complaint=$(verdict "$work/run/$row" "$folder" "$stack"
		maps_lack "$folder/maps" "$stack")
	if [ -z "$complaint" ]
	then
		passed=$((passed + 1))
		printf ' %18s' "PASS $(cat "$folder/time")"
		rm -rf "$folder"
	else
		complain "$row under $stack, $title: $complaint"
		printf ' %18s' "FAIL $(cat "$folder/time")"
	fi
}

# table TITLE STACKS ROWS PREFIX...
table()
{
	title=$1 stacks=$2 rows=$3
	shift 3
	[ -n "$stacks" ] && [ -n "$rows" ] || return
	printf '\n%s\n%-10s %8s' "$title" program without
	# shellcheck disable=SC2086
	printf ' %18s' $stacks
	echo
	for row in $rows
	do
		printf '%-10s %8s' "$row" "$(cat "$work/run/$row/time")"
		for stack in $stacks
		do
			cell "$row" "$title" "$stack" "$@"
		done
		echo
	done
}

# --------------------------------------------------------- what is there ----

skip()
{
	echo "SKIP: $*"
	skipped=$((skipped + 1))
}

# What a program needs and is not here.
missing()
{
	for need in "$@"
	do
		case $need in
		module:*) python3 -c "import ${need#*:}" >/dev/null 2>&1 || echo "$need" ;;
		readable) as_user test -x "$chic" -a -r "$work" || echo "a tree that nobody can read" ;;
		*) command -v "$need" >/dev/null || echo "$need" ;;
		esac
	done
}

is_wanted()
{
	set -f
	for pattern in $wanted
	do
		# shellcheck disable=SC2254
		case $1 in $pattern) set +f; return ;; esac
	done
	set +f
	return 1
}

# Whether something from this size on runs now.
is_due()
{
	[ "$1" = small ] || [ "$1" = "$size" ]
}

# Fills stacks with those of a list whose files load, and that are to be tried.
usable_stacks()
{
	stacks=
	for stack in $1
	do
		case " ${STACKS-$stack} " in *" $stack "*) ;; *) continue ;; esac
		config "$stack" "$work" >"$work/stack.ini"
		if "$chic" run -c "$work/stack.ini" -- true 2>"$work/error"
		then
			stacks="$stacks $stack"
		else
			skip "$stack: $(head -n 1 "$work/error")"
		fi
	done
}

# Takes from guard_stacks those whose back end this system has not.
usable_backends()
{
	stacks=
	for stack in $guard_stacks
	do
		case " ${STACKS-$stack} " in *" $stack "*) ;; *) continue ;; esac
		config "$stack" "$work" >"$work/stack.ini"
		"$chic" run -c "$work/stack.ini" -- true
		if [ -s "$work/log" ]
		then
			echo "not here: $stack: $(head -n 1 "$work/log")"
			rm "$work/log"
		else
			stacks="$stacks $stack"
		fi
	done
}

# Fills own_rows, vendor_rows and guard_rows with what runs here, its input made and
# its reference taken.
prepare_rows()
{
	own_rows='' vendor_rows='' guard_rows='' made=' - '
	programs >"$work/programs"
	while read -r row own vendor guard input needs
	do
		is_wanted "$row" || continue
		is_due "$own" || is_due "$vendor" || is_due "$guard" || continue
		# shellcheck disable=SC2086
		absent=$(missing $needs | tr '\n' ' ')
		[ -z "$absent" ] || { skip "$row: missing: $absent"; continue; }
		case $made in
		*" $input "*) ;;
		*) "make_$input" || { complain "$row: no input"; continue; } ;;
		esac
		made="$made$input "
		complaint=$(reference "$row")
		[ -z "$complaint" ] || { complain "$row without us: $complaint"; continue; }
		! is_due "$own" || own_rows="$own_rows $row"
		! is_due "$vendor" || vendor_rows="$vendor_rows $row"
		! is_due "$guard" || guard_rows="$guard_rows $row"
	done <"$work/programs"
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

echo "acceptance, $size: PASS is same output, data read back and exit status; seconds"
prepare_rows
usable_stacks "$own_stacks" && own_stacks=$stacks
usable_stacks "$vendor_stacks" && vendor_stacks=$stacks
usable_backends && guard_stacks=$stacks
table "as an ordinary process" "$own_stacks" "$own_rows" timeout -k 30 $limit
table "over heaps of vendors" "$vendor_stacks" "$vendor_rows" timeout -k 30 $limit
table "under each back end of guard" "$guard_stacks" "$guard_rows" timeout -k 30 $limit
if find_namespace
then
	# shellcheck disable=SC2086
	table "as PID 1" "$own_stacks" "$own_rows" timeout -k 30 $limit $namespace
else
	skip "as PID 1: unshare --pid is not allowed here"
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
