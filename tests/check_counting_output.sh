#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What counting writes of real programs: its figures, its formats in the tools that
# read them, and files that are whole however the program ends.

: "${CHIC_ALLOC:?}"
chic=$CHIC_ALLOC
srcdir=$(cd "${top_srcdir:-$(dirname "$0")/..}" && pwd)
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
unset LD_PRELOAD CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_DISABLE
. "$srcdir/tests/lib.sh"

${CC:-cc} -g -O1 -fno-builtin -fno-optimize-sibling-calls -pthread "$srcdir/tests/counting/known.c" \
	-o known || exit 1

# counted OPTIONS... -- PROGRAM...: a run with output to the file report
counted()
{
	rm -f report
	# the shell says on stderr by which signal a program ended
	{
		"$chic" run -m counting -o "counting.output=$tmp/report" "$@" >out 2>err </dev/null
		status=$?
	} 2>/dev/null
}

# figure NAME: of the report
figure()
{
	awk -v name="$1" '$1 == name { print $2 }' report
}

# same NAME FOUND EXPECTED
same()
{
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "found '$2', expected '$3'"
	fi
}

# holds NAME FILE PATTERN
holds()
{
	if has "$2" "$3"; then
		ok "$1"
	else
		not_ok "$1" "$2 does not match '$3'"
		sed 's/^/# report: /' "$2" | head -n 40
	fi
}

# ----------------------------------------------------------------- exact ---

# What starting costs is in both, and so not in the difference.
# difference FIGURE LESS MORE: of two runs
difference()
{
	counted -- ./known "$2" "$3"
	before=$(figure "$1")
	counted -- ./known "$2" "$4"
	echo $(($(figure "$1") - before))
}

same "a thousand blocks more are a thousand more" "$(difference total-blocks blocks 1000 2000)" 1000
same "and their bytes" "$(difference total-bytes blocks 1000 2000)" 104000
same "and half of them live" "$(difference live-blocks blocks 1000 2000)" 500
same "in four threads" "$(difference total-blocks threads 1000 2000)" 4000
same "whose blocks live on" "$(difference live-blocks threads 1000 2000)" 2000
counted -- ./known threads 1000
holds "threads that ended are told apart" report '^ended +4000 +416000 +2000 +208000$'
holds "the peak's bound is printed" report '^peak-within +[1-9]'
counted -- ./known blocks 1000
same "one thread has an exact peak" "$(figure peak-within)" 0

# --------------------------------------------------------------- formats ---

counted -o counting.format=json -o counting.sites=0 -- ./known leaks 100
json_valid "JSON" cat report
if command -v python3 >/dev/null; then
	python3 - report >out 2>err <<-'PY'
		import json, sys
		r = json.load(open(sys.argv[1]))
		assert r["program"] == "known", r["program"]
		assert sum(s["blocks"] for s in r["sizes"]) == r["total"]["blocks"]
		assert sum(s["bytes"] - s["freed_bytes"] for s in r["sizes"]) == r["live"]["bytes"]
		assert sum(t["blocks"] for t in r["threads"]) + r["ended_threads"]["blocks"] \
			== r["total"]["blocks"]
		site = r["sites"]["by_live_bytes"][0]
		assert site["stack"][0]["symbol"] == "leaky", site
		assert site["blocks"] == 100 and site["freed_blocks"] == 0, site
	PY
	same "JSON has the figures" "$?" 0
else
	skip "JSON has the figures" "no python3"
fi

counted -o counting.sites=0 -- ./known leaks 100
holds "leaks are named" report '^ +.*/known\+0x[0-9a-f]+ \(leaky\+0x'
holds "with their size" report '^site 1 +100 +100[0-9]{3} +100 +100[0-9]{3}$'

counted -o counting.sites=0 -o counting.format=collapsed -- ./known leaks 100
holds "collapsed stacks" report '^known;.*;main;.*leaky 100[0-9]{3}$'
flamegraph=$(command -v flamegraph.pl || echo /usr/share/perl5/Devel/NYTProf/flamegraph.pl)
if [ -r "$flamegraph" ]; then
	perl "$flamegraph" --countname bytes report >flame.svg 2>err
	holds "flamegraph.pl draws them" flame.svg '<title>leaky \(1[0-9,]+ bytes'
else
	skip "flamegraph.pl draws them" "no flamegraph.pl (Debian: libdevel-nytprof-perl)"
fi
counted -o counting.sites=0 -o counting.format=collapsed -o counting.value=total -- \
	./known blocks 1000
holds "collapsed stacks of all that was allocated" report ';blocks 104000$'

counted -o counting.sites=0 -o counting.format=pprof -- ./known leaks 100
if command -v google-pprof >/dev/null; then
	google-pprof --text --inuse_objects ./known report >pprof.out 2>err
	holds "google-pprof reads the profile" pprof.out '^ +100 +[0-9.]+% +[0-9.]+% +100 .* leaky$'
	google-pprof --text --alloc_space --lines ./known report >pprof.out 2>err
	holds "and finds lines" pprof.out ' leaky .*/known\.c:[0-9]+$'
else
	skip "google-pprof reads the profile" "no google-pprof (Debian: google-perftools)"
	skip "and finds lines" "no google-pprof (Debian: google-perftools)"
fi
counted -o counting.sites=16K -- ./known leaks 50000
live=$(awk '/^sites by live/ { live = 1 } live && $1 == "site" { print $4; exit }' report)
if [ "${live:-0}" -gt 40000000 ] && [ "$live" -lt 60000000 ]; then
	ok "an estimate is near"
else
	not_ok "an estimate is near" "found '$live', expected about 50000000"
fi

# ------------------------------------------------------------------- ends ---

for how in kill _exit segv exit
do
	counted -o counting.interval=1 -- ./known ends $how
	holds "after $how the report is whole" report '^thread [0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+$'
	same "after $how nothing else is left" "$(ls -d report*)" report
done
counted -o counting.interval=1 -o counting.sites=4K -- ./known alone
same "intervals need no thread" "$(cat out)" 1

mkdir pids
"$chic" run -m counting -o "counting.output=$tmp/pids/%p" -- perl -e '
	my @kids = map { my $pid = fork; if (!$pid) { my @a = (1 .. 10000); exit 0 } $pid } 1 .. 3;
	waitpid($_, 0) for @kids; print "$$ @kids\n"' >out 2>err
same "each child has a report of its own" "$(ls pids | sort -n | xargs)" \
	"$(tr ' ' '\n' <out | sort -n | xargs)"
same "and that is four" "$(ls pids | wc -l)" 4
mkdir forks
"$chic" run -m counting -o "counting.output=$tmp/forks/%p" -o counting.signal=USR2 \
	-o counting.format=json -o counting.sites=1K -- ./known forks 200 >out 2>err
same "children of a process that is reporting" "$? $(ls forks | wc -l)" "0 201"
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys
for name in sys.argv[1:]: json.load(open(name))' forks/* >out 2>err
	same "have reports that are whole" "$?" 0
else
	skip "have reports that are whole" "no python3"
fi
counted -- perl -e 'my $pid = fork; if ($pid) { waitpid($pid, 0); print $$ } else { exit 0 }'
holds "a child leaves its parent's alone" report "^chic-alloc: counting: pid $(cat out), perl\$"
counted -o counting.interval=1 -- perl -e '
	if (!fork) { for (1 .. 130) { my @a = (1 .. 1000); select undef, undef, undef, 0.01 } exit 0 }
	wait; syswrite STDOUT, "waited"; kill 9, $$'
same "also at intervals" "$(cat out; ls | grep '^report')" waited

echo before >report
"$chic" run -m counting -o counting.output=/nonexistent/report -o counting.interval=1 -- \
	./known ends exit >out 2>err
same "what cannot be written stops nobody" "$?" 0
same "and is told once" "$(cat err)" \
	'chic-alloc: counting: output: cannot open "/nonexistent/report": No such file or directory'

(
	ulimit -f 0
	"$chic" run -m counting -o "counting.output=$tmp/long" -- perl -e 'exit 3' 2>&1
	echo "status $?"
) | cat >out
same "a limit on the length of files" "$(cat out)" \
	"chic-alloc: counting: output: cannot write \"$tmp/long\": File too large
status 3"

# The descriptors of stderr and of its copy are files of the program.
cat >takes.pl <<'E'
	use POSIX;
	POSIX::close($_) for 2, ($ARGV[0] ? 100 : ());
	POSIX::open("data", O_RDWR | O_CREAT | O_TRUNC) == 2 or exit 1;
E
for way in '' all
do
	"$chic" run -m counting -o counting.summary=yes -- perl takes.pl $way >out 2>err
	same "a program that has another file for stderr${way:+, and none for its copy}" \
		"$? $(wc -c <data) $(grep -c '^live-blocks' err)" "0 0 $([ "$way" ] && echo 0 || echo 1)"
done
"$chic" run -m counting -o counting.summary=yes -- perl takes.pl >out 2>&-
same "a program that was started without stderr" "$? $(wc -c <data)" "0 0"

# A process may be asked, and goes on.
rm -f report
"$chic" run -m counting -o counting.signal=USR2 -o "counting.output=$tmp/report" -- sh -c '
	kill -USR2 $$; test -s report && echo there; kill -TERM $$' >out 2>err
same "a signal asks for a report" "$(cat out)" there
"$chic" run -m counting -o counting.signal=USR2 -o "counting.output=$tmp/report2" -- perl -e '
	$SIG{USR2} = sub { print "mine\n" }; kill "USR2", $$; print -e "report2" ? "theirs\n" : ""' \
	>out 2>err
same "a handler of the program comes first" "$(cat out)" mine

# ----------------------------------------------------------------- stacks ---

for stack in "counting, guard" "guard, counting" "counting, arena" "arena, counting"
do
	rm -f report
	"$chic" run -m "$stack" -o "counting.output=$tmp/report" -o counting.sites=4K -- \
		./known threads 1000 >out 2>err
	same "$stack" "$?" 0
	# a module in front may have served all of it
	case $stack in
	counting*) holds "$stack counts" report '^total-blocks +[1-9]' ;;
	*) holds "$stack counts" report '^total-blocks +[0-9]' ;;
	esac
done
refused "counting twice" "got 'counting' again, expected each module once" \
	"$chic" run -m "counting, counting" -- touch started
if "$chic" run -m libjemalloc.so.2 -- true >out 2>err; then
	rm -f report
	"$chic" run -m "counting, libjemalloc.so.2" -o "counting.output=$tmp/report" -o counting.sites=0 -- \
		./known leaks 100 >out 2>err
	holds "counting, jemalloc" report '\(leaky\+0x'
else
	skip "counting, jemalloc" "libjemalloc.so.2 is not installed"
fi

finish
