#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# doc/writing-a-module.md says what is true.  Its blocks of C that are marked acme.c
# are the template's source, whole and in order, and the filter in chic-module(7)
# compiles and serves a program.  With the argument `run`, the tutorial's
# commands are run as they are printed, on an installed chic-alloc that pkg-config
# finds, and print what is printed there: ./bootstrap check does that after make
# install.
#
# In what is expected, a line `...` stands for any lines and `...` in a line for any
# text.  /home/me is the folder of the test and /usr the prefix of chic-alloc; a block
# marked with the name of a file is written to that file.

set -u
umask 022
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
page=$top_srcdir/doc/writing-a-module.md
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
steps=$tmp/steps work=$tmp/me
mkdir "$steps" "$work"
passed=0 failed=0

pass()
{
	passed=$((passed + 1))
	echo "ok - $1"
}

fail()
{
	failed=$((failed + 1))
	echo "not ok - $1"
	sed 's/^/# /' "$2"
}

# Cut the page into steps/NNN.SUFFIX: file (its name in NNN.name), or command and want.
cut_page()
{
	awk -v steps="$steps" '
		function step(suffix) { return sprintf("%s/%03d.%s", steps, n, suffix) }
		/^```./ { mode = substr($1, 4); name = $2; n++ }
		/^```/ { open = !open; if (open && name) print name >step("name"); more = 0; next }
		!open { next }
		name { print >step("file"); next }
		mode == "console" && (more || /^\$ /) {
			if (!more) { n++; sub(/^\$ /, "") }
			more = /\\$/
			print >step("command")
			printf "" >step("want")
			next
		}
		mode == "console" { print >step("want") }
	' "$page"
}

# The blocks marked acme.c, less empty lines, are the file less empty lines.
check_source()
{
	for name in "$steps"/*.name
	do
		[ "$(cat "$name")" != acme.c ] || cat "${name%.name}.file"
	done | sed '/^$/d' >"$tmp/said"
	sed '/^$/d' "$top_srcdir/modules/template/acme.c" >"$tmp/is"
	if [ -s "$tmp/is" ] && diff "$tmp/is" "$tmp/said" >"$tmp/diff"; then
		pass "the tutorial shows the whole of acme.c"
	else
		fail "the tutorial shows the whole of acme.c (< the file, > the tutorial)" "$tmp/diff"
	fi
}

check_filter()
{
	sed -n '/^\.Sh EXAMPLES/,/^\.Ed/p' "$top_srcdir/man/chic-module.7" |
		sed -n '/^#include/,/^\.Ed/p' | sed '/^\.Ed/d; s/\\e/\\/g' >"$work/tally.c"
	if ${CC:-cc} -O2 -Wall -Wextra -Werror -fPIC -shared -I"$top_srcdir/include" \
		-o "$work/tally.so" "$work/tally.c" >"$tmp/output" 2>&1 &&
		CHIC_ALLOC_CONF='' "$CHIC_ALLOC" run -m "$work/tally.so" -o allocator.on_error=fail \
			grep -om1 'tally\.so' /proc/self/maps >"$tmp/output" 2>&1 &&
		[ "$(cat "$tmp/output")" = tally.so ]
	then
		pass "the filter in chic-module(7) works"
	else
		fail "the filter in chic-module(7) works" "$tmp/output"
	fi
}

# matches WANT GOT: line by line, `...` as said above
matches()
{
	awk '
		function pattern(s) {
			gsub(/[][\\.^$*+?(){}|]/, "[&]", s)
			gsub(/\[\\\]/, "\\\\", s); gsub(/\[\^\]/, "\\^", s)
			gsub(/\[[.]\]\[[.]\]\[[.]\]/, ".*", s)
			return "^" s "$"
		}
		NR == FNR { want[++n] = $0; next }
		{ got[++m] = $0 }
		END {
			i = j = 1
			while (i <= n) {
				if (want[i] == "...") {
					if (++i > n) exit 0
					while (j <= m && got[j] !~ pattern(want[i])) j++
				}
				if (j > m || got[j] !~ pattern(want[i])) {
					print "expected: " want[i] "\nfound:    " got[j]
					exit 1
				}
				i++; j++
			}
			if (j > m) exit 0
			print "more than was expected: " got[j]
			exit 1
		}
	' "$1" "$2"
}

# Where chic-alloc is in its own prefix, nobody else has to be asked.
sudo()
{
	"$@"
}

run_step()
{
	cp "$1" "$tmp/command"
	# In this shell, so that cd lasts.
	. "$tmp/command" >"$tmp/output" 2>&1 </dev/null
	sed "s|$work|/home/me|g; s|$prefix/|/usr/|g" "$tmp/output" >"$tmp/got"
	if matches "${1%.command}.want" "$tmp/got" >"$tmp/why"; then
		pass "\$ $(head -n 1 "$1")"
	else
		sed 's/^/  /' "$tmp/got" >>"$tmp/why"
		fail "\$ $(head -n 1 "$1")" "$tmp/why"
	fi
}

run_steps()
{
	cd "$work" || exit 99
	for step in "$steps"/*.command "$steps"/*.name
	do
		echo "$step"
	done | sort >"$tmp/order"
	while read -r step <&3
	do
		case $step in
		*.command) run_step "$step" ;;
		*) [ "$(cat "$step")" = acme.c ] ||
			sed "s|/home/me|$work|g" "${step%.name}.file" >"$(cat "$step")" ;;
		esac
	done 3<"$tmp/order"
}

cut_page
check_source
[ -z "${CHIC_ALLOC:-}" ] || check_filter
if [ "${1:-}" = run ]; then
	for tool in autoreconf automake libtoolize pkg-config make gcc
	do
		command -v "$tool" >/dev/null || { echo "SKIP: no $tool"; exit 77; }
	done
	pkg-config --exists chic-alloc || { echo "SKIP: pkg-config finds no chic-alloc"; exit 77; }
	prefix=$(pkg-config --variable=prefix chic-alloc)
	[ -w "$(pkg-config --variable=moduledir chic-alloc)" ] ||
		{ echo "SKIP: chic-alloc's folders cannot be written to"; exit 77; }
	PATH=$(pkg-config --variable=bindir chic-alloc):$PATH
	LC_ALL=C
	export PATH LC_ALL
	unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
	unset CHIC_ALLOC_DISABLE CHIC_ALLOC_MODULEDIR CHIC_ALLOC_PRESETDIR CHIC_ALLOC_PRELOAD LD_PRELOAD
	unset MAKEFLAGS MFLAGS MAKELEVEL TESTS
	run_steps
fi
echo "$passed passed, $failed failed, 0 skipped"
[ $failed -eq 0 ]
