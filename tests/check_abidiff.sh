#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What programs, vendors' modules and packages were built with still fits: functions,
# their parameters and public structures, compared by libabigail's abidiff.
#
#	check_abidiff.sh	with the descriptions in tests/abi, as the last release
#				wrote them: nothing went, nothing changed
#	check_abidiff.sh tag	with the last git tag, which is built
#	check_abidiff.sh write	write the descriptions, for a release
#
# What is new is no change.  `make abi-descriptions` is the last of these.  The description
# module is that of chic_module.h, by a fixture that has all of a module's entries.

: "${top_srcdir:?}" "${top_builddir:?}" "${CC:=cc}"
descriptions=$top_srcdir/tests/abi
objects='libchic_alloc=.libs/libchic_alloc.so
libchic_alloc_preload=.libs/libchic_alloc_preload.so
libchic_rt=.libs/libchic_rt.so
module=tests/modules/.libs/good_mixed.so'
may_grow='chic_layer|chic_module_args|chic_alloc_info|chic_interposed'
failed=0
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT

unable()
{
	echo "SKIP: $1"
	exit 77
}

not_ok()
{
	echo "not ok - $1"
	failed=1
}

# object NAME FOLDER: its file in a build folder
object()
{
	echo "$2/$(echo "$objects" | sed -n "s/^$1=//p")"
}

# ---------------------------------------------------------- descriptions ----

# Not where the sources were, nor what is no promise.
describe()
{
	abidw --exported-interfaces-only --suppressions "$descriptions/private.suppr" \
		--no-comp-dir-path --no-corpus-path --no-show-locs --no-elf-needed \
		--no-write-default-sizes --no-parameter-names --type-id-style hash "$1" |
		sed -E "s|(<abi-instr .*path=').*/(loader\|runtime\|tests)/|\\1\\2/|"
}

write()
{
	for name in $(echo "$objects" | sed 's/=.*//'); do
		describe "$(object "$name" "$top_builddir")" >"$descriptions/$name.abi" || exit
		echo "$descriptions/$name.abi: written"
	done
}

# ------------------------------------------------------------ comparison ----

# fits WHAT OLD NEW: OLD and NEW are libraries or descriptions
fits()
{
	abidiff --exported-interfaces-only --leaf-changes-only --no-added-syms \
		--suppressions "$descriptions/private.suppr" "$2" "$3" >"$tmp/diff" 2>&1
	case $? in
	0) ;;
	4 | 12) only_grew ;; # changed, and incompatibly so
	*) return 1 ;;
	esac
}

# Structures that begin with their own size may grow; the report has nothing but that.
# (A suppression by has_data_member_inserted_at hides what changes in them besides.)
only_grew()
{
	! grep -vE "^ +type size changed from [0-9]+ to |^ +[0-9]+ data member insertions?:\$|\
^ +'.*', at offset [0-9]+ \(in bits\)|summary: 0 Removed, 0 Changed,|^Leaf changes summary: |\
^Changed leaf types summary: |^'struct ($may_grow)' changed:\$|^\$" "$tmp/diff" >/dev/null
}

# compared WHAT OLD NEW
compared()
{
	if fits "$@"; then
		echo "ok - $1"
	else
		not_ok "$1"
		sed 's/^/# /' "$tmp/diff"
	fi
}

has_debug_information()
{
	readelf -SW "$1" | grep -q ' \.debug_info '
}

check()
{
	for name in $(echo "$objects" | sed 's/=.*//'); do
		compared "$name: what was promised is there" "$descriptions/$name.abi" \
			"$(object "$name" "$top_builddir")"
	done
	check_differences
}

# ----------------------------------------------------- that it would fail ----

# changed HEADER SED: the module's fixture with another chic_module.h
changed()
{
	rm -rf "$tmp/include"
	cp -r "$top_srcdir/include" "$tmp/include" && chmod -R u+w "$tmp/include" || exit 99
	sed "$2" "$top_srcdir/include/$1" >"$tmp/include/$1"
	! cmp -s "$tmp/include/$1" "$top_srcdir/include/$1" || not_ok "$1 is as it was after $2"
	$CC -g -O0 -w -fPIC -shared -Wl,-soname,good_mixed.so -fvisibility=hidden -D_GNU_SOURCE \
		${DEFINE:+"$DEFINE"} -I"$tmp/include" -I"$top_srcdir/tests/modules" \
		"$top_srcdir/tests/modules/good_mixed.c" -o "$tmp/good_mixed.so" 2>"$tmp/diff"
}

# noticed WHAT HEADER SED, and unnoticed: what is done to the header
noticed()
{
	changed "$2" "$3" || { not_ok "$1 is compiled"; cat "$tmp/diff"; return; }
	if fits "$1" "$descriptions/module.abi" "$tmp/good_mixed.so"; then
		not_ok "$1 is noticed"
	else
		echo "ok - $1 is noticed"
	fi
}

unnoticed()
{
	changed "$2" "$3" || { not_ok "$1 is compiled"; cat "$tmp/diff"; return; }
	compared "$1 is none" "$descriptions/module.abi" "$tmp/good_mixed.so"
}

check_differences()
{
	unnoticed "no change but a comment" chic_module.h '1i /* changed */'
	unnoticed "a structure that begins with its size, and grows," chic_module.h \
		'/^struct chic_module_args {/,/^};/s/^};/int more;};/'
	noticed "a member of another type" chic_module.h \
		'/^struct chic_module_param {/,/^};/s/uint64_t number/uint32_t number/'
	noticed "a structure that gets one in between" chic_module.h \
		's/^struct chic_module_param {/&void *more;/'
	noticed "a member of one that may grow" chic_module.h \
		'/^struct chic_module_args {/,/^};/s/size_t n_params/uint32_t n_params/'
	noticed "what one that may grow gets in between" chic_module.h \
		'/^struct chic_module_args {/,/^};/s/size_t n_params/int more; &/'
	noticed "a structure that grows and does not say its size" chic_rt.h \
		'/^typedef struct ValueMutPtr {/,/^}/s/^}/int more;}/'
	DEFINE=-Dgood_mixed_owns=good_mixed_has
	noticed "a function with another name" chic_module.h '1i /* changed */'
	DEFINE=
}

# ------------------------------------------------------------------- tag ----

# The last tag before what is built: one of this very commit says nothing about it.
last_tag()
{
	(cd "$top_srcdir" && { git describe --tags --abbrev=0 'HEAD^' || git describe --tags --abbrev=0; }) \
		2>/dev/null
}

build_tag()
{
	mkdir -p "$tmp/tag/build" && (cd "$top_srcdir" && git archive "$1") | tar xf - -C "$tmp/tag" &&
		cd "$tmp/tag" && autoreconf -fi && cd build && ../configure -q CFLAGS='-g -O2' &&
		make -s -j"$(nproc)" libchic_alloc.la libchic_alloc_preload.la libchic_rt.la \
			tests/modules/good_mixed.la
}

tag()
{
	tag=$(last_tag) || { echo "no git tag so far: nothing to compare with"; return; }
	(build_tag "$tag") >"$tmp/log" 2>&1 || { tail "$tmp/log"; not_ok "$tag is built"; return; }
	for name in $(echo "$objects" | sed 's/=.*//'); do
		compared "$name: what $tag promised is there" "$(object "$name" "$tmp/tag/build")" \
			"$(object "$name" "$top_builddir")"
	done
}

command -v abidiff >/dev/null || unable "no abidiff (package abigail-tools)"
case $(uname -m):$($CC -dM -E -x c /dev/null | grep -c '__LP64__') in
x86_64:1) ;;
*) unable "the descriptions are those of x86-64" ;;
esac
has_debug_information "$(object libchic_alloc "$top_builddir")" ||
	unable "the libraries have no debug information"
case ${1:-check} in
check | write | tag) "${1:-check}" ;;
*) sed -n '6,11s/^#	//p' "$0" >&2; exit 2 ;;
esac
exit $failed
