#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What README.md, doc/ and the manual pages tell to type is typed here, and what they say
# is printed must be printed.
#
#	check_docs.sh [DOCUMENT...]
#
# CHIC_ALLOC is the command that was built, and $top_builddir the tree it is in; without
# it an installed chic-alloc is taken that pkg-config finds.
#
# In Markdown, commands stand in fenced blocks:
#
#	console		after `$ ` or, for root, `# `; what follows is printed
#	console ~	the same, with other numbers
#	sh		a command a line, which must succeed
#	KIND NAME	the content of a file of that name, unless there is one
#	ini, c		with no name: a configuration that is accepted; a source with all
#			its headers that compiles
#
# In manual pages they stand in literal blocks, where a comment `numbers differ` right
# before the block is the `~` and one of `file NAME` is the file's name, and in .Dl, of
# which only success is demanded.
#
# A line `...` stands for any lines and `...` in a line for any text.  With `~`, numbers,
# units of time and memory and the width of blanks may differ, unless a number is all of a
# line; and from a line `Best: ` on, where chic-alloc compare says what it found, there must
# be one of its verdicts.
#
# Paths: /home/me is the folder of the test, /usr the prefix of chic-alloc, and
# /etc/chic-alloc.conf a file of the test's.  A command that ends in `&` is given a second to
# begin.
#
# What needs root, a service, or minutes is done elsewhere: docs/elsewhere has a line for
# each such command with the file where it is done and a text that must be there.

set -u
umask 022
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
top_builddir=${top_builddir:-.}
tests=$top_srcdir/tests
tmp=$(mktemp -d) || exit 99
background=
trap 'kill $background 2>/dev/null; rm -rf "$tmp"' EXIT
work=$tmp/me etc=$tmp/etc
elsewhere=0
tab=$(printf '\t')
# shellcheck source=tests/results.sh
. "$tests/results.sh"

# ------------------------------------------------------ what is to be tested ---

# As it would be installed: what pkg-config answers about a tree that is only built.
stage()
{
	usr=$tmp/usr version=$("$CHIC_ALLOC" --version | sed 's/.* //')
	mkdir -p "$usr/bin" "$usr/include" "$usr/lib/pkgconfig" "$usr/lib/chic-alloc/modules" \
		"$usr/lib/chic-alloc/conf.d" "$usr/share"
	ln -s "$CHIC_ALLOC" "$usr/bin/chic-alloc"
	cp -R "$top_srcdir/include" "$usr/include/chic-alloc"
	cp -R "$top_srcdir/modules/template" "$usr/share/template"
	cp -P "$top_builddir"/.libs/libchic_*.so* "$usr/lib"
	cp "$top_builddir"/modules/.libs/*.so "$usr/lib/chic-alloc/modules"
	cp "$top_builddir"/conf/presets/*.conf "$usr/lib/chic-alloc/conf.d"
	for pc in chic-alloc chic-rt
	do
		sed -e "s|@prefix@|$usr|; s|@exec_prefix@|$usr|; s|@bindir@|$usr/bin|
			s|@libdir@|$usr/lib|; s|@includedir@|$usr/include|; s|@confdir@|$etc|
			s|@moduledir@|$usr/lib/chic-alloc/modules|; s|@VERSION@|$version|
			s|@presetdir@|$usr/lib/chic-alloc/conf.d|; s|@templatedir@|$usr/share/template|" \
			"$top_srcdir/conf/$pc.pc.in" >"$usr/lib/pkgconfig/$pc.pc"
	done
	chmod -R u+w "$usr"
	confdir=${CHIC_ALLOC_CONFDIR:-/usr/local/etc}
	PKG_CONFIG_PATH=$usr/lib/pkgconfig
	CHIC_ALLOC_MODULEDIR=$usr/lib/chic-alloc/modules
	CHIC_ALLOC_PRESETDIR=$usr/lib/chic-alloc/conf.d
	CHIC_ALLOC_PRELOAD=$usr/lib/libchic_alloc_preload.so
	export PKG_CONFIG_PATH CHIC_ALLOC_MODULEDIR CHIC_ALLOC_PRESETDIR CHIC_ALLOC_PRELOAD
}

take_installed()
{
	pkg-config --exists chic-alloc || { echo "SKIP: pkg-config finds no chic-alloc"; exit 77; }
	unset CHIC_ALLOC_MODULEDIR CHIC_ALLOC_PRESETDIR CHIC_ALLOC_PRELOAD
	usr=$(pkg-config --variable=prefix chic-alloc)
	confdir=$(pkg-config --variable=confdir chic-alloc)
	confdir=${confdir%/*}
}

prepare()
{
	command -v pkg-config >/dev/null || { echo "SKIP: no pkg-config"; exit 77; }
	if [ -n "${CHIC_ALLOC:-}" ]; then
		stage
	else
		take_installed
	fi
	PATH=$(pkg-config --variable=bindir chic-alloc):$PATH
	LD_LIBRARY_PATH=$(pkg-config --variable=libdir chic-alloc)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
	HOME=$work
	LC_ALL=C
	CHIC_ALLOC_CONF=$etc/chic-alloc.conf
	export PATH LD_LIBRARY_PATH HOME LC_ALL CHIC_ALLOC_CONF
	unset CHIC_ALLOC CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN CHIC_ALLOC_DISABLE
	unset GLIBC_TUNABLES LD_PRELOAD XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME
	unset MAKEFLAGS MFLAGS MAKELEVEL TESTS CFLAGS CXXFLAGS LDFLAGS
	# shellcheck disable=SC3045
	ulimit -c 0
	mkdir "$etc" "$tmp/fixtures" "$tmp/bin"
	# where Debian has it
	for flamegraph in /usr/share/perl5/Devel/NYTProf/flamegraph.pl \
		/usr/lib/*/perl5/*/Devel/NYTProf/flamegraph.pl
	do
		[ ! -r "$flamegraph" ] || printf '#!/bin/sh\nexec perl %s "$@"\n' "$flamegraph" \
			>"$tmp/bin/flamegraph.pl"
	done
	chmod -R a+x "$tmp/bin"
	[ ! -e /usr/bin/redis-check-rdb ] || ln -s /usr/bin/redis-check-rdb "$tmp/bin/redis-server"
	PATH=$PATH:$tmp/bin
	if ! sh "$tests/docs/fixtures.sh" "$top_srcdir" "$tmp/fixtures" >"$tmp/output" 2>&1; then
		fail "the files that documents speak of" "$tmp/output"
		exit 1
	fi
}

# What a command needs that a machine may not have; nothing where all is there.
missing()
{
	for tool in autoreconf cc flamegraph.pl gcc gdb google-pprof jq libtoolize perl redis-server sqlite3
	do
		! grep -qw -- "$tool" "$1" || command -v $tool >/dev/null || echo "no $tool"
	done
	for heap in jemalloc mimalloc tbbmalloc tcmalloc
	do
		! grep -q "$heap" "$1" || chic-alloc info $heap >/dev/null 2>&1 || echo "no $heap"
	done
	# Without it only root sees what another process has.
	! grep -q 'chic-alloc ps' "$1" || [ "$(id -u)" = 0 ] ||
		[ "$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null || echo 0)" = 0 ] ||
		echo "no right to look at processes (ptrace_scope)"
}

# ---------------------------------------------------------------- one step ---

# A command on one line, without continuations and comments.
one_line()
{
	sed -e :a -e '/\\$/{N;s/\\\n//;ba' -e '}' -e 's/[ 	][ 	]*# .*//; s/[ 	][ 	]*/ /g; s/ $//' "$1"
}

# Whether the command is done elsewhere, and really is.
done_elsewhere()
{
	one_line "$1" >"$tmp/line"
	awk -F '\t' -v document="$document" 'NR == FNR { line = $0; next }
		$1 == document && $2 == line { print FNR "\t" $3 "\t" $4; exit }' \
		"$tmp/line" "$tests/docs/elsewhere" >"$tmp/where"
	[ -s "$tmp/where" ] || return
	IFS=$tab read -r number place text <"$tmp/where"
	echo "$number" >>"$tmp/used"
	elsewhere=$((elsewhere + 1))
	if grep -qF -e "$text" "$top_srcdir/$place"; then
		pass "$name: in $place"
	else
		echo "docs/elsewhere says that $place has '$text', which it has not" >"$tmp/why"
		fail "$name" "$tmp/why"
	fi
}

# Where chic-alloc is in its own prefix, nobody else has to be asked.
sudo()
{
	"$@"
}

# In this shell, so that cd and variables last.  What goes to standard error comes behind the
# rest: what is not a terminal is written to when a program ends.
type_command()
{
	sed "s|/etc/chic-alloc|$etc/chic-alloc|g" "$1" >"$tmp/command"
	# shellcheck source=/dev/null
	. "$tmp/command" >"$tmp/output" 2>"$tmp/errors" </dev/null
	status=$?
	if grep -q '&$' "$1"; then
		background="$background $!"
		sleep 1
	fi
	sed "s|$work|/home/me|g; s|$confdir/|/etc/|g; s|$etc/|/etc/|g; s|$tmp/bin/|/usr/bin/|g; s|$usr/|/usr/|g" \
		"$tmp/output" "$tmp/errors" >"$tmp/got"
}

run_command()
{
	step=${1%.command} how=$(cat "${1%.command}.how")
	name="$document:$(cat "$step.line"): $(head -n 1 "$1")"
	done_elsewhere "$1" && return
	if [ -e "$step.root" ]; then
		echo "only root would do that, and docs/elsewhere has no line for it" >"$tmp/why"
		fail "$name" "$tmp/why"
		return
	fi
	missing "$1" >"$tmp/missing"
	if [ -s "$tmp/missing" ]; then
		skip "$name" "$(tr '\n' ' ' <"$tmp/missing")"
		return
	fi
	type_command "$1"
	if [ $status -ne 0 ] && [ ! -s "$step.want" ]; then
		echo "status $status" >>"$tmp/got"
		fail "$name" "$tmp/got"
	elif [ "$how" = not ]; then
		pass "$name"
	elif awk -v how="$how" -f "$tests/docs/match.awk" "$step.want" "$tmp/got" >"$tmp/why" 2>&1
	then
		pass "$name"
	else
		sed 's/^/  /' "$tmp/got" >>"$tmp/why"
		fail "$name" "$tmp/why"
	fi
}

check_ini()
{
	name="$document:$(cat "${1%.ini}.line"): a configuration"
	missing "$1" >"$tmp/missing"
	if [ -s "$tmp/missing" ]; then
		skip "$name" "$(tr '\n' ' ' <"$tmp/missing")"
	elif chic-alloc config -c "$1" >"$tmp/output" 2>&1; then
		pass "$name"
	else
		fail "$name" "$tmp/output"
	fi
}

check_source()
{
	name="$document:$(cat "${1%.c}.line"): a source"
	if ${CC:-cc} -Wall -Wextra -Werror -fsyntax-only -I"$top_srcdir/include" "$1" \
		>"$tmp/output" 2>&1; then
		pass "$name"
	else
		fail "$name" "$tmp/output"
	fi
}

# write_file STEP.file
write_file()
{
	file=$(cat "${1%.file}.name")
	[ -e "$file" ] || sed "s|/home/me|$work|g" "$1" >"$file"
}

# ------------------------------------------------------------- one document ---

cut_document()
{
	case $document in
	man/*) page=1 ;;
	*) page=0 ;;
	esac
	rm -rf "$tmp/steps" "$work"
	mkdir "$tmp/steps"
	cp -R "$tmp/fixtures" "$work"
	: >"$etc/chic-alloc.conf"
	(cd "$top_srcdir" && awk -v page=$page -v steps="$tmp/steps" \
		-f "$tests/docs/cut.awk" "$document")
}

check_document()
{
	document=$1
	cut_document
	find "$tmp/steps" -name '*.command' -o -name '*.file' -o -name '*.ini' -o -name '*.c' \
		-o -name '*.error' | sort >"$tmp/order"
	cd "$work" || exit 99
	while read -r part <&3
	do
		case $part in
		*.command) run_command "$part" ;;
		*.file) write_file "$part" ;;
		*.ini) check_ini "$part" ;;
		*.c) check_source "$part" ;;
		*.error) fail "$document" "$part" ;;
		esac
	done 3<"$tmp/order"
	cd "$tmp" || exit 99
}

# A line of the table that no document asks for any more.
check_unused()
{
	grep -n . "$tests/docs/elsewhere" | grep -v ':#' | cut -d: -f1 | sort >"$tmp/lines"
	sort -u "$tmp/used" | comm -23 "$tmp/lines" - >"$tmp/unused"
	if [ ! -s "$tmp/unused" ]; then
		pass "docs/elsewhere has no line too many"
		return
	fi
	sed 's/^/docs\/elsewhere: no document has the command of line /' "$tmp/unused" >"$tmp/why"
	fail "docs/elsewhere has no line too many" "$tmp/why"
}

: >"$tmp/used"
prepare
all=
if [ $# -eq 0 ]; then
	all=yes
	set -- README.md CONTRIBUTING.md SECURITY.md
	for file in "$top_srcdir"/doc/*.md "$top_srcdir"/man/*.[1-9]
	do
		set -- "$@" "${file#"$top_srcdir"/}"
	done
fi
for one in "$@"
do
	check_document "$one"
done
[ -z "$all" ] || check_unused
echo "$elsewhere commands are run elsewhere"
end
