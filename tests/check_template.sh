#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# modules/template as a vendor uses it: copied, built against an installed chic-alloc
# that pkg-config finds, its own suite run, installed, used, uninstalled, renamed.
# Not part of make check, which works on what is not installed: ./bootstrap check
# calls it with PKG_CONFIG_PATH after make install.  Prints TAP.

set -u
umask 022
top_srcdir=$(cd "${top_srcdir:-.}" && pwd)
for tool in autoreconf automake libtoolize pkg-config make "${CC:-cc}"
do
	command -v "$tool" >/dev/null || { echo "1..0 # SKIP no $tool"; exit 77; }
done
pkg-config --exists chic-alloc || { echo "1..0 # SKIP pkg-config finds no chic-alloc"; exit 77; }
tmp=$(mktemp -d) || exit 99
link=
trap 'rm -rf "$tmp" ${link:+"$link"}' EXIT
prefix=$(pkg-config --variable=prefix chic-alloc)
confdir=$(pkg-config --variable=confdir chic-alloc)
moduledir=$(pkg-config --variable=moduledir chic-alloc)
presetdir=$(pkg-config --variable=presetdir chic-alloc)
chic=$(pkg-config --variable=bindir chic-alloc)/chic-alloc
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE CHIC_ALLOC_MODULEDIR CHIC_ALLOC_PRESETDIR CHIC_ALLOC_PRELOAD LD_PRELOAD
# Only where chic-alloc's folders are a test's to write into.
ours=false
[ ! -w "$moduledir" ] || [ ! -w "$confdir" ] || [ "${prefix#/usr}" != "$prefix" ] || ours=true
# That of the project whose tests these are is none of the template's business.
unset MAKEFLAGS MAKELEVEL TESTS
n=0
failures=0
skipped=0

verdict()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failures=$((failures + 1))
		echo "not ok $n - $2"
		sed 's/^/# /' "$tmp/out" | tail -n 40
	fi
}

# does NAME COMMAND...: exits with 0
does()
{
	name=$1
	shift
	"$@" >"$tmp/out" 2>&1
	verdict $? "$name"
}

# says NAME PATTERN COMMAND...: exits with 0 and prints the pattern
says()
{
	name=$1 pattern=$2
	shift 2
	"$@" >"$tmp/out" 2>&1 && said "$pattern"
	verdict $? "$name"
}

# What the last command printed.
said()
{
	grep -Eq -e "$1" "$tmp/out"
}

# files NAME FOLDER FILE...: the folder has exactly these files in it
files()
{
	name=$1 folder=$2
	shift 2
	printf '%s\n' "$@" | sed '/^$/d' | sort >"$tmp/want"
	(cd "$folder" 2>/dev/null && find . -type f | sed 's|^\.||' | sort) >"$tmp/found"
	diff "$tmp/want" "$tmp/found" >"$tmp/out" 2>&1
	verdict $? "$name"
}

# Answers with a number when what was read back is what was written.
cat >"$tmp/work.sh" <<'SH'
i=0
while [ $i -lt 3000 ]; do echo "$((i * 7919 % 3001)) line $i"; i=$((i + 1)); done >"$1"
sort -n --parallel=2 -S 1M "$1" | awk '$1 < last { exit 1 } { last = $1; seen[$1] = $0 }
	END { for (i in seen) n++; print n " lines" }'
grep -o '/[a-z]*\.so' /proc/self/maps | sort -u
SH

# in_source COMMAND...: in the vendor's folder
in_source()
{
	(cd "$tmp/source" && "$@")
}

# ------------------------------------------- a prefix of the vendor's own ---

own=$tmp/own
cp -r "$top_srcdir/modules/template" "$tmp/source" || exit 99
chmod -R u+w "$tmp/source"

does "autoreconf" in_source autoreconf -fi
does "configure with a prefix of its own" in_source ./configure -q --prefix="$own" \
	CFLAGS="-g -O2 -Werror"
does "make" in_source make
says "make check runs chic-alloc's suite" '^# PASS: +[0-9][0-9]' in_source make check

does "make install with DESTDIR" in_source make install DESTDIR="$tmp/stage"
files "puts module and preset below DESTDIR and prefix" "$tmp/stage$own" \
	/lib/chic-alloc/modules/acme.so /lib/chic-alloc/conf.d/acme.conf
does "make install" in_source make install
says "chic-alloc info reads the module" '^name: +acme$' \
	"$chic" info "$own/lib/chic-alloc/modules/acme.so"
says "its parameter is declared" '^slab \(size, default 1M, 64K-1G\): ' \
	"$chic" info -F parm "$own/lib/chic-alloc/modules/acme.so"

cat "$own/lib/chic-alloc/conf.d/acme.conf" - >"$tmp/acme.ini" <<'INI'

[allocator]
module = acme
INI
says "the preset says where the module is" "^module = acme +; .*acme.ini:" \
	"$chic" config -c "$tmp/acme.ini"
says "a real program works under it" '^3000 lines$' \
	"$chic" run -c "$tmp/acme.ini" -- sh "$tmp/work.sh" "$tmp/lines"
said '^/acme\.so$'
verdict $? "and has it mapped"
says "also below a filter" '^/acme\.so$' \
	"$chic" run -c "$tmp/acme.ini" -m counting,acme -- sh "$tmp/work.sh" "$tmp/lines"
"$chic" run -c "$tmp/acme.ini" -o acme.slab=1K -- true >"$tmp/out" 2>&1
grep -q 'acme.*: parameter slab, got .1K., expected .*64K-1G' "$tmp/out"
verdict $? "a bad value is refused with what was expected"

# What the README says of a prefix of one's own.
if $ours; then
	link=$confdir/acme.conf
	does "a link to the preset" ln -s "$own/lib/chic-alloc/conf.d/acme.conf" "$link"
	says "makes the name enough" '^/acme\.so$' \
		"$chic" run -m acme -- sh "$tmp/work.sh" "$tmp/lines"
	rm -f "$link"
fi

does "make uninstall" in_source make uninstall
files "leaves nothing" "$own" ''
does "make distcheck" in_source make distcheck
rm -f "$tmp"/source/acme-*.tar.*

# --------------------------------------------------- chic-alloc's prefix ---

does "configure without a prefix" in_source ./configure -q
does "make" in_source make clean all
does "make install with DESTDIR" in_source make install DESTDIR="$tmp/stage2"
files "goes where chic-alloc looks" "$tmp/stage2" "$moduledir/acme.so" "$presetdir/acme.conf"
if $ours; then
	does "make install" in_source make install
	says "the name is enough" '^3000 lines$' \
		"$chic" run -m acme -- sh "$tmp/work.sh" "$tmp/lines"
	said '^/acme\.so$'
	verdict $? "and it is mapped"
	says "the preset is read" "^slab = 4M +; $presetdir/acme.conf:" "$chic" config -m acme
	does "make uninstall" in_source make uninstall
	does "leaves nothing" test ! -e "$moduledir/acme.so" -a ! -e "$presetdir/acme.conf"
else
	skipped=1
	echo "SKIP: the module beside chic-alloc: $moduledir is the system's"
fi

# ----------------------------------------------------- under another name ---

# What the README says: its code block under "Make it yours".
sed -n '/^## Make it yours/,$s/^    //p' "$tmp/source/README.md" >"$tmp/rename.sh"
in_source make maintainer-clean >"$tmp/out" 2>&1
does "the README's way to another name" in_source sh -e "$tmp/rename.sh"
does "autoreconf" in_source autoreconf -fi
does "configure" in_source ./configure -q --prefix="$own"
does "make" in_source make
does "make check" in_source make check
says "the module has the new name" '^mine$' "$chic" info -F name "$tmp/source/.libs/mine.so"
does "no file has the old one" test -z "$(find "$tmp/source" -name 'acme*')"
grep -l acme "$tmp"/source/*.* >"$tmp/out" 2>&1
does "nor what is in them" test ! -s "$tmp/out"

echo "1..$n"
echo "$((n - failures)) passed, $failures failed, $skipped skipped"
[ $failures -eq 0 ]
