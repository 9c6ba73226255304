#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What who packages chic-alloc builds on: parts that can be left out, any prefix, an
# uninstall that leaves nothing, flags that are honoured, the same bytes from the same
# sources wherever they are, and the RPM spec.
#
#	builds.sh TARBALL [TEST...]
#
# Tests are same, autoreconf, names, parts, prefix, rpm; all but the last want the first.
# Works in a folder below $ACCEPTANCE_DIR (default: the current folder).

set -u
umask 022
here=$(cd "$(dirname "$0")" && pwd)
tarball=${1:?}
shift
case $tarball in
/*) ;;
*) tarball=$PWD/$tarball ;;
esac
package=$(basename "$tarball" .tar.xz)
work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/builds.XXXXXX") || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
said=$work/said
# shellcheck source=tests/results.sh
. "$here/results.sh"
# shellcheck source=tests/elf.sh
. "$here/elf.sh"
unset LD_PRELOAD CHIC_ALLOC_CONF CHIC_ALLOC_MODULE
hardened='-g -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2'
MAKEFLAGS="-s -j$(nproc)"
export MAKEFLAGS

# build FOLDER [CONFIGURE-ARGUMENT]...: the tarball in that folder, as a distribution does
build()
{
	unpack "$1" && shift &&
		"../$package/configure" -q CFLAGS="$hardened -ffile-prefix-map=$(dirname "$PWD")=." \
			CXXFLAGS="$hardened" LDFLAGS=-Wl,-z,relro,--hash-style=sysv "$@" && make
}

unpack()
{
	mkdir -p "$work/$1" && cd "$work/$1" && tar xf "$tarball" && mkdir build && cd build || return
}

install_to()
{
	rm -rf "$work/dest"
	make install DESTDIR="$work/dest"
}

installed()
{
	(cd "$work/dest" && find . ! -type d | sort)
}

# -------------------------------------------------------------- the same ----

test_same()
{
	for folder in one some/where/else; do
		build $folder --prefix=/usr --sysconfdir=/etc >"$said" 2>&1 && install_to >>"$said" 2>&1 ||
			{ fail "reproducible: it is built in $folder" "$said"; return 1; }
		mv "$work/dest" "$work/dest.$(basename $folder)"
	done
	expect "reproducible: from two folders the same bytes" - \
		diff -r "$work/dest.one" "$work/dest.else"
	for object in "$work"/dest.one/usr/bin/chic-alloc "$work"/dest.one/usr/lib/*.so \
		"$work"/dest.one/usr/lib/chic-alloc/modules/*.so; do
		expect "flags: CFLAGS reach $(basename "$object")" __stack_chk_fail nm -D "$object"
		readelf -dSW "$object" >"$work/elf"
		expect "flags: LDFLAGS reach $(basename "$object")" - \
			not grep GNU_HASH "$work/elf"
	done
	expect "flags: what our own add" - hardened "$work/dest.one"
}

# From the tarball, with what its ./configure is made by made anew.
test_autoreconf()
{
	command -v autoreconf >/dev/null || { skip autoreconf "no autoreconf"; return; }
	unpack again >"$said" 2>&1 || { fail "autoreconf: the tarball is unpacked" "$said"; return; }
	expect "autoreconf -fi: on the tarball" '' autoreconf -fi "../$package"
	expect "autoreconf -fi: its configure" '' "../$package/configure" -q --prefix=/usr \
		--sysconfdir=/etc CFLAGS="$hardened -ffile-prefix-map=$(dirname "$PWD")=." \
		CXXFLAGS="$hardened" LDFLAGS=-Wl,-z,relro,--hash-style=sysv
	expect "autoreconf -fi: it is built" '' make
	expect "autoreconf -fi: and installed" '' install_to
	expect "autoreconf -fi: the same bytes" - diff -r "$work/dest.one" "$work/dest"
}

# What is installed, and how it is called.
test_names()
{
	(cd "$work/dest.one" && find . ! -type d | sort) >"$work/all"
	expect "names: no .la, no static library" - not grep -E '\.(la|a)$' "$work/all"
	grep /modules/ "$work/all" >"$work/modules"
	expect "names: modules without a version" - not grep -v '/[a-z]*\.so$' "$work/modules"
	expect "names: there are modules" 'guard\.so' cat "$work/modules"
}

# ----------------------------------------------------------------- parts ----

# without PART PATTERN: of the files, just those that match are not there
without()
{
	cd "$work/one/build" || return
	"../$package/configure" -q --prefix=/usr --sysconfdir=/etc --disable-"$1" \
		CFLAGS="$hardened" >"$said" 2>&1 && make >>"$said" 2>&1 && install_to >>"$said" 2>&1 ||
		{ fail "without $1: it is built and installed" "$said"; return; }
	installed >"$work/less"
	grep -vE "$2" "$work/all" >"$work/want"
	expect "without $1: just that is not there" - diff "$work/want" "$work/less"
	expect "without $1: something is not there" '' not cmp "$work/all" "$work/less"
	leaves_nothing "without $1"
}

leaves_nothing()
{
	expect "$1: uninstall" '' make uninstall DESTDIR="$work/dest"
	expect "$1: no file is left" - installed
	expect "$1: no folder of ours is left" - find "$work/dest" -name '*chic-alloc*'
}

test_parts()
{
	without cli 'bin/chic-alloc|bash-completion|man1/'
	without modules 'modules/|chic-alloc-(arena|counting|guard)\.7'
	without preload 'libchic_alloc_preload'
	without runtime '(libchic_rt|chic-rt)\.'
	expect "a part that is neither" "got 'maybe', expected yes or no" \
		sh -c "! ../$package/configure -q --enable-cli=maybe"
}

# ---------------------------------------------------------------- prefix ----

# Linked with libchic_alloc as pkg-config says, and told by nobody but itself where that is.
linked_program()
{
	cat >"$work/linked.c" <<-'C'
		#include <chic_alloc.h>
		int main(void)
		{
			return !chic_rt_alloc(100, 16).ptr;
		}
	C
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig
	export PKG_CONFIG_PATH
	# shellcheck disable=SC2046
	${CC:-cc} "$work/linked.c" -o "$work/linked" $(pkg-config --cflags --libs chic-alloc) \
		"-Wl,-rpath,$prefix/lib" && CHIC_ALLOC_MODULE=arena "$work/linked"
}

# ldconfig knows nothing of the prefix; modules are somewhere else altogether.
test_prefix()
{
	cd "$work/one/build" || return
	prefix=$work/p/r
	chic=$prefix/bin/chic-alloc
	expect "prefix: configure --with-moduledir" '' "../$package/configure" -q \
		--prefix="$prefix" --with-moduledir="$work/p/mods" CFLAGS="${hardened#-g }"
	expect "prefix: it is built" '' sh -c 'make clean && make'
	expect "prefix: and installed" '' make install
	expect "prefix: ldconfig does not know it" - not sh -c 'ldconfig -p | grep libchic_'
	expect "prefix: modules are in their folder" '' ls "$work/p/mods/guard.so"
	expect "prefix: the command finds them" "^file: +$work/p/mods/guard.so" "$chic" info guard
	expect "prefix: a program is served" "$work/p/mods/arena.so" \
		"$chic" run -m arena -- cat /proc/self/maps
	printf '[program cat]\nmodule = counting\n' >"$prefix/etc/chic-alloc.conf.d/cat.conf"
	expect "prefix: by its own configuration" "$work/p/mods/counting.so" \
		env LD_PRELOAD="$prefix/lib/libchic_alloc_preload.so" cat /proc/self/maps
	expect "prefix: a linked program" - linked_program
	rm "$prefix/etc/chic-alloc.conf.d/cat.conf"
	expect "prefix: no path of the sources is in what is installed" - \
		not grep -rlE "$work/one/(build|$package)" "$prefix" "$work/p/mods"
	expect "prefix: uninstall" '' make uninstall
	expect "prefix: no file is left" - find "$work/p" ! -type d
}

# ------------------------------------------------------------------- rpm ----

test_rpm()
{
	command -v rpmbuild >/dev/null || { skip rpm "no rpmbuild (package rpm)"; return; }
	# what it wants is installed by another name here
	rpmbuild -ta --nodeps --nocheck --define "_topdir $work/rpm" "$tarball" >"$said" 2>&1 ||
		{ fail "rpm: rpmbuild" "$said"; return; }
	pass "rpm: rpmbuild"
	for part in chic-alloc chic-alloc-libs chic-alloc-preload chic-alloc-modules \
		chic-alloc-devel chic-rt chic-rt-devel; do
		expect "rpm: $part" '' sh -c "rpm -qpl '$work'/rpm/RPMS/*/$part-0*.rpm"
	done
	expect "rpm: what modules depend on" '^chic-alloc-module-abi-1' \
		sh -c "rpm -qp --provides '$work'/rpm/RPMS/*/chic-alloc-modules-0*.rpm"
	expect "rpm: the configuration is kept" '^/etc/chic-alloc.conf$' \
		sh -c "rpm -qpc '$work'/rpm/RPMS/*/chic-alloc-0*.rpm"
}

for test in ${*:-same autoreconf names parts prefix rpm}; do
	"test_$test" || break
done
end
