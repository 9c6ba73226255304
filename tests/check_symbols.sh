#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# What the finished objects export and ask for, and by which version.  A name too many is a
# promise to keep for ever; a call through the PLT to a function of our own can be
# hijacked by the program, and one to __tls_get_addr allocates.

top_srcdir=${top_srcdir:-.}
libdir=${CHIC_ALLOC_LIBDIR:-.libs}
moduledir=${CHIC_ALLOC_MODULEDIR:-modules/.libs}
library=$libdir/libchic_alloc.so
preload=$libdir/libchic_alloc_preload.so
runtime=$libdir/libchic_rt.so
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

fail()
{
	printf 'check_symbols.sh: %s\n' "$*" >&2
	failed=1
}

# Names an object defines for others, without their versions.
exports()
{
	nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u
}

imports()
{
	nm -D --undefined-only "$1" | awk '{ sub(/@.*/, "", $2); print $2 }' | sort -u
}

# expect_same WHAT EXPECTED FOUND: two sorted lists, one name per line
expect_same()
{
	diff "$2" "$3" >"$tmp/diff" && return
	fail "$1 (< expected, > found):"
	grep '^[<>]' "$tmp/diff" >&2
}

# Names of functions and variables in declarations.
names_in()
{
	${CC:-cc} -E -P -I"$tmp/include" "$1" | sed "$2" |
		grep -oE '\bchic_(rt|alloc)_[a-z0-9_]+ ?\(|extern int chic_[a-z0-9_]+' |
		sed -E 's/ ?\($//; s/extern int //' | sort -u
}

# What chic-alloc ps reads; in no header.
private_says()
{
	echo chic_alloc_status
}

# The headers with something that the preprocessor keeps where the runtime begins.
mark_headers()
{
	mkdir "$tmp/include" || exit 99
	for file in "$top_srcdir"/include/*.h
	do
		sed 's|^/\*.* the runtime: libchic_rt .*|int chic_runtime_begins;|' \
			"$file" >"$tmp/include/${file##*/}"
	done
	names_in "$tmp/include/chic_rt.h" '1,/chic_runtime_begins/d' >"$tmp/runtime"
	names_in "$tmp/include/chic_alloc.h" '' | comm -23 - "$tmp/runtime" >"$tmp/public"
	{ cat "$tmp/public"; private_says; } | sort -u >"$tmp/loader"
	[ "$(wc -l <"$tmp/loader")" -gt 15 ] || fail "the headers declare too little"
}

preload_says()
{
	for name in malloc free calloc realloc reallocarray memalign aligned_alloc \
		posix_memalign valloc pvalloc malloc_usable_size free_sized \
		free_aligned_sized mallinfo mallinfo2 malloc_trim mallopt malloc_stats \
		malloc_info cfree chic_alloc_preload_start __register_atfork dlopen dlmopen \
		sigaction signal bsd_signal sysv_signal __sysv_signal sigset sigignore \
		siginterrupt sigaltstack
	do
		echo $name
	done
	# operator new and new[], delete and delete[]; S stands for size_t
	for name in nwS nwSRKSt9nothrow_t nwSSt11align_val_t nwSSt11align_val_tRKSt9nothrow_t \
		naS naSRKSt9nothrow_t naSSt11align_val_t naSSt11align_val_tRKSt9nothrow_t
	do
		echo "_Z$name"
	done | sed "s/^\(_Zn[wa]\)S/\1$size_t/"
	for which in l a
	do
		for name in '' RKSt9nothrow_t $size_t St11align_val_t \
			St11align_val_tRKSt9nothrow_t ${size_t}St11align_val_t
		do
			echo "_Zd${which}Pv$name"
		done
	done
}

own_calls()
{
	readelf -rW "$1" | awk '/JUMP_SLO|PLT32/ && $5 ~ /^chic_/ { print $5 }' |
		sed 's/@.*//' | grep -v '^chic_alloc_preload_start$'
}

# versions FILE: names with the version of each, as in "malloc@@V"
versions()
{
	nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" { print $3 }' | sort -u
}

# check_versions WHAT FILE VERSION LIST: every name in the list has that version, by default
check_versions()
{
	sed "s/\$/@@$3/" "$4" | sort -u >"$tmp/expected"
	versions "$2" >"$tmp/found"
	expect_same "versions of $1" "$tmp/expected" "$tmp/found"
}

# What a version script names, where it names all one by one.
map_says()
{
	sed 's|/\*.*\*/||' "$1" | sed -n '/^global:/,/^local:/s/^\t\(chic_[a-z0-9_]*\);.*/\1/p' | sort -u
}

# check_debian PACKAGE FILE: the package's symbols file, which is not in a tarball
check_debian()
{
	symbols=$top_srcdir/debian/$1.symbols
	[ -e "$symbols" ] || return
	sed -n 's/^ \([^ ]*\) .*/\1/p' "$symbols" | grep -v "^(arch-bits=$other_bits)" |
		sed 's/^([^)]*)//' | sort -u >"$tmp/expected"
	nm -D --defined-only --with-symbol-versions "$2" | awk '
		$2 == "A" { sub(/@+.*/, "", $3); print $3 "@" $3; next }
		{ sub(/@@/, "@", $3); print $3 }' | sort -u >"$tmp/found"
	expect_same "debian/$1.symbols and what it has" "$tmp/expected" "$tmp/found"
}

check_library()
{
	exports "$library" >"$tmp/found"
	expect_same "exports of libchic_alloc.so" "$tmp/loader" "$tmp/found"
	map_says "$top_srcdir/loader/libchic_alloc.map" >"$tmp/found"
	expect_same "names in loader/libchic_alloc.map" "$tmp/loader" "$tmp/found"
	check_versions libchic_alloc.so "$library" CHIC_ALLOC_0 "$tmp/loader"
	check_debian libchic-alloc0 "$library"
	! own_calls "$library" || fail "libchic_alloc.so calls itself through the PLT"
	readelf -dW "$library" | grep -q "SONAME.*\[libchic_alloc\.so\.0\]" ||
		fail "libchic_alloc.so: soname is not libchic_alloc.so.0"
}

check_preload()
{
	{ preload_says; grep -E '^chic_alloc_' "$tmp/loader" | grep -v autoload; } | sort -u >"$tmp/expected"
	exports "$preload" >"$tmp/found"
	expect_same "exports of libchic_alloc_preload.so" "$tmp/expected" "$tmp/found"
	readelf -dW "$preload" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' |
		grep -vE '^lib(c|dl|pthread)\.so\.|^ld-linux' >"$tmp/found"
	: >"$tmp/expected"
	expect_same "what libchic_alloc_preload.so needs besides" "$tmp/expected" "$tmp/found"
	! imports "$preload" | grep -E '^(malloc|free|calloc|realloc)$' ||
		fail "libchic_alloc_preload.so asks somebody else for malloc"
}

# All memory comes by the hooks, which are called by name: a host may have its own.
check_runtime()
{
	exports "$runtime" >"$tmp/found"
	expect_same "exports of libchic_rt.so" "$tmp/runtime" "$tmp/found"
	check_versions libchic_rt.so "$runtime" CHIC_RT_0 "$tmp/runtime"
	check_debian libchic-rt0 "$runtime"
	: >"$tmp/expected"
	own_calls "$runtime" | sort -u | comm -13 "$tmp/loader" - >"$tmp/found"
	expect_same "names of its own that libchic_rt.so calls through the PLT" \
		"$tmp/expected" "$tmp/found"
	! imports "$runtime" | grep -E '(alloc|memalign|^free|map)$' | grep -v '^chic_rt_' ||
		fail "libchic_rt.so has memory past the hooks"
	readelf -dW "$runtime" | grep -q "SONAME.*\[libchic_rt\.so\.0\]" ||
		fail "libchic_rt.so: soname is not libchic_rt.so.0"
}

# Rules for every object that lives inside other programs.
check_guest()
{
	readelf -dW "$1" | grep -q NODELETE || fail "$1: not linked with -z nodelete"
	! imports "$1" | grep -E '__tls_get_addr' ||
		fail "$1: dynamic TLS, which allocates inside __tls_get_addr"
	! imports "$1" | grep -E '^ini_' || fail "$1: inih is not linked in statically"
	tls=$(readelf -lW "$1" | awk '$1 == "TLS" { print $6 }')
	[ $((${tls:-0})) -le 64 ] || fail "$1: $((tls)) bytes of static TLS, expected at most 64"
}

check_module()
{
	name=$(basename "$1" .so | tr - _)
	exports "$1" | grep -v "^${name}_" >"$tmp/found"
	: >"$tmp/expected"
	expect_same "exports of $1 without the prefix ${name}_" "$tmp/expected" "$tmp/found"
	[ -n "$(exports "$1")" ] || fail "$1 exports nothing"
}

for tool in nm readelf awk
do
	command -v $tool >/dev/null || { echo "check_symbols.sh: no $tool" >&2; exit 77; }
done
readelf -h "$preload" | grep -q 'Class: *ELF64' && size_t=m other_bits=32 || size_t=j other_bits=64

mark_headers
check_library
check_preload
check_runtime
for file in "$library" "$preload" "$runtime" "$moduledir"/*.so
do
	check_guest "$file"
done
for file in "$moduledir"/*.so
do
	check_module "$file"
done
exit $failed
