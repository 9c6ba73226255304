#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The AppArmor abstraction, where AppArmor's parser is: it is accepted, it allows all that
# a program under the preload library opens besides its own files, and not more than that
# it says.  Needs no kernel with AppArmor.  Prints TAP.

: "${top_srcdir:?}" "${top_builddir:?}" "${CHIC_ALLOC_LIBDIR:?}" "${CHIC_ALLOC_MODULEDIR:?}"
: "${CHIC_ALLOC_CONFDIR:?}" "${CHIC_ALLOC_PRELOAD:?}" "${CC:=cc}"
# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

skip_all()
{
	echo "SKIP: $1"
	echo "1..0 # SKIP $1"
	exit 77
}

PATH=$PATH:/usr/sbin:/sbin
command -v apparmor_parser >/dev/null || skip_all "no apparmor_parser (package apparmor)"
[ -e /etc/apparmor.d/abstractions/base ] || skip_all "no /etc/apparmor.d/abstractions/base"

# parse OPTION...: the profile of a program that includes the abstraction
parse()
{
	apparmor_parser --skip-kernel-load --skip-cache -I "$tmp" -I /etc/apparmor.d "$@" profile
}

mkdir abstractions || exit 99
cp "$top_srcdir/conf/apparmor/chic-alloc" abstractions
cat >profile <<'PROFILE'
abi <abi/3.0>,
include <tunables/global>
profile chic /usr/bin/program {
  include <abstractions/base>
  include <abstractions/chic-alloc>
}
PROFILE
expect "the parser accepts it" 0 - '' parse
expect "as the kernel is to have it" 0 '' '' parse --stdout

# What is allowed: MODE <tab> REGEX a line; its globs as regular expressions.
parse --debug 2>err | sed -n 's/^Mode:\t\([a-z]*\):[^\t]*\tName:\t(\(.*\))$/\1\t\2/p' | awk -F '\t' '
	function regex(glob,    i, c, out) {
		for (i = 1; i <= length(glob); i++) {
			c = substr(glob, i, 1)
			if (c == "*" && substr(glob, i + 1, 1) == "*") { out = out ".*"; i++ }
			else if (c == "*") out = out "[^/]*"
			else if (c == "?") out = out "[^/]"
			else if (c == "{") { out = out "("; depth++ }
			else if (c == "}") { out = out ")"; depth-- }
			else if (c == "," && depth) out = out "|"
			else if (c ~ /[.+$()|]/) out = out "[" c "]"
			else out = out c
		}
		return "^" out "$"
	}
	{ gsub("//+", "/", $2); print $1 "\t" regex($2) }' >rules
[ -s rules ] || { cat err; exit 99; }
for mode in r w m; do
	sed -n "s/^[a-z]*${mode}[a-z]*\t//p" rules >"rules.$mode"
done

# allowed MODE PATH
allowed()
{
	echo "$2" | grep -Eqf "rules.$1"
}

# allows MODE PATH..., and forbids the same
allows()
{
	mode=$1
	shift
	for path; do
		expect "$mode $path" 0 - '' allowed "$mode" "$path"
	done
}

forbids()
{
	mode=$1
	shift
	for path; do
		expect "not $mode $path" 1 - '' allowed "$mode" "$path"
	done
}

allows r /etc/chic-alloc.conf /etc/chic-alloc.conf.d/ /etc/chic-alloc.conf.d/50-site.conf \
	/etc/chic-alloc.disable /run/chic-alloc.conf.d/ /run/chic-alloc.conf.d/now.conf \
	/usr/lib/chic-alloc/conf.d/ /usr/lib/x86_64-linux-gnu/chic-alloc/conf.d/vendors.conf \
	/usr/lib64/chic-alloc/conf.d/vendors.conf /usr/lib/chic-alloc/modules/guard.so \
	/proc/4711/maps /proc/4711/task/4712/comm
allows m /usr/lib/aarch64-linux-gnu/chic-alloc/modules/guard.so \
	/usr/lib64/libchic_alloc_preload.so /usr/lib/i386-linux-gnu/libchic_rt.so.0.0.0
allows w /dev/log
forbids r /etc/shadow /etc/chic-alloc.conf.d/50-site.conf.dpkg-new /etc/chic-alloc.conf.d/x/y.conf \
	/root/chic-alloc.conf /proc/4711/environ
forbids w /etc/chic-alloc.conf /etc/chic-alloc.disable /usr/lib/chic-alloc/modules/guard.so \
	/run/chic-alloc.conf.d/now.conf
forbids m /usr/lib/chic-alloc/conf.d/vendors.conf

# What the presets name is found wherever distributions have it.
sed -n 's/^path = //p' "$top_builddir/conf/presets/vendors.conf" | tr -d ' ' | tr , '\n' >names
for name in $(cat names); do
	case $name in
	/*) allows m "$name" ;;
	*) allows m "/usr/lib/x86_64-linux-gnu/$name" "/usr/lib64/$name" ;;
	esac
done

# ----------------------------------------------------------------- traces ----
# Where the files are that this build has, were it installed below /usr.

as_installed()
{
	sed "s|^$CHIC_ALLOC_MODULEDIR/|/usr/lib/x86_64-linux-gnu/chic-alloc/modules/|
		s|^$CHIC_ALLOC_LIBDIR/|/usr/lib/x86_64-linux-gnu/|
		s|^$CHIC_ALLOC_CONFDIR/|/etc/|
		s|^.*/lib/chic-alloc/conf\\.d|/usr/lib/chic-alloc/conf.d|
		s|/chic-alloc\\.conf\\.d\$|&/|
		s|/conf\\.d\$|&/|
		s|^/proc/self/task/[0-9]*/|/proc/4711/task/4711/|
		s|^/proc/self/|/proc/4711/|"
}

# opened STACK PROGRAM...: what the program opens or asks for, one a line
opened()
{
	stack=$1
	shift
	{
		printf '[allocator]\nmodule = %s\n' "$stack"
		for name in arena counting guard; do
			printf '[module %s]\npath = %s\n' $name "$CHIC_ALLOC_MODULEDIR/$name.so"
		done
		printf '[module mimalloc]\nprefix = mi_\npath = libmimalloc.so.2\n'
		printf '[program other]\nmodule = arena\n'
	} >trace.conf
	# the shell tells of what dies
	{ strace -f -qq -o trace -e trace=open,openat,readlink,access -E CHIC_ALLOC_PRESETDIR \
		-E "LD_PRELOAD=$CHIC_ALLOC_PRELOAD" -E CHIC_ALLOC_CONF="$conf" "$@" \
		>out 2>&1 </dev/null; } 2>died
	sed -n 's/^[^"]*"\([^"]*\)".*/\1/p' trace | grep -v "^$tmp/trace.conf\$" | sort -u
}

# traced NAME PATTERN CONF STACK PROGRAM...: all is allowed; and the trace has the pattern
traced()
{
	name=$1 pattern=$2 conf=$3
	shift 3
	opened "$@" | grep -vxF -f own | as_installed >opened
	: >out
	while read -r path; do
		allowed r "$path" || echo "$path" >>out
	done <opened
	cp opened err
	if ! grep -q "$pattern" opened; then
		not_ok "$name" "it did not open $pattern"
	elif [ -s out ]; then
		not_ok "$name" "not allowed:"
	else
		ok "$name"
	fi
}

compiled "$CC" -O0 -w -fno-builtin -fno-stack-protector "$top_srcdir/tests/guard_report.c" -o bugs \
	-pthread
if strace -f -qq -o own true 2>err; then
	# of the program itself
	for program in true './bugs elsewhere'; do
		strace -f -qq -o trace -e trace=open,openat,readlink,access $program >out 2>&1
		sed -n 's/^[^"]*"\([^"]*\)".*/\1/p' trace
	done | sort -u >own
	# whose functions' names are read, if its profile lets it
	echo "$tmp/bugs" >>own
	traced "what a start without a CHIC_ALLOC_CONF opens" '^/etc/chic-alloc.conf.d/$' '' \
		default true
	for stack in arena counting guard 'counting, guard'; do
		traced "what a start under $stack opens" "/modules/.*${stack##*[, ]}.so" \
			"$tmp/trace.conf" "$stack" true
	done
	traced "what a report of guard's opens" '/maps$\|/comm$' "$tmp/trace.conf" guard ./bugs elsewhere
else
	skip "what a program opens" "strace does not work: $(head -n 1 err)"
fi
finish
