#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Builds for another machine than this one, and their tests.
#
#	foreign.sh i386		32 bits, by -m32
#	foreign.sh arm64	by the cross compiler, run by qemu-user
#
# inih and libcheck for it come from Debian's packages for that machine, which are
# unpacked, not installed; so is a cross compiler that is not there.  Works in a folder
# below $ACCEPTANCE_DIR (default: the current folder) from $top_srcdir, where ./configure
# is; FOREIGN_DIR keeps it.

set -u
umask 022
tree=$(cd "${top_srcdir:-.}" && pwd)
# shellcheck source=tests/results.sh
. "$(dirname "$0")/results.sh"

# Nothing can follow.
unable()
{
	skip "$arch" "$1"
	end
}

broken()
{
	fail "$arch: $1" "$work/log"
	end
}

# Debian's libraries for the machine, below $root; the lists are this machine's sources'.
libraries()
{
	set -- -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$work/apt" \
		-o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt/cache" \
		-o APT::Sandbox::User=root
	mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debs" "$root"
	: >"$work/apt/status"
	apt-get -q "$@" update || [ -n "$(ls "$work"/apt/lists/*Packages* 2>/dev/null)" ] || return
	(cd "$work/debs" && apt-get -q "$@" download libinih-dev check libsubunit-dev) || return
	for deb in "$work"/debs/*.deb; do
		dpkg-deb -x "$deb" "$root" || return
	done
}

# Debian's cross compiler and emulator below $cross: gcc-multilib and the package of the
# compiler do not suffer each other.
unpack_compiler()
{
	version=$(apt-cache depends "gcc-$triplet" |
		sed -n 's/.*Depends: gcc-\([0-9]*\)-.*/\1/p' | head -n 1)
	mkdir -p "$cross/debs" && cd "$cross/debs" || return
	apt-get -q download "binutils-$triplet" "cpp-$version-$triplet" "gcc-$version-$triplet" \
		"g++-$version-$triplet" "libc6-$arch-cross" "libc6-dev-$arch-cross" \
		"linux-libc-dev-$arch-cross" "libgcc-$version-dev-$arch-cross" "libgcc-s1-$arch-cross" \
		"libstdc++6-$arch-cross" "libstdc++-$version-dev-$arch-cross" qemu-user-static || return
	for deb in *.deb; do
		dpkg-deb -x "$deb" "$cross" || return
	done
	sed -i "s|/usr/$triplet/|$cross&|g" "$cross/usr/$triplet/lib/libc.so"
	ln -sf "$triplet-gcc-$version" "$cross/usr/bin/$triplet-gcc" &&
		ln -sf "$triplet-g++-$version" "$cross/usr/bin/$triplet-g++"
}

# For those that are unpacked: where they and their libraries are, and what runs programs.
use_unpacked()
{
	PATH=$cross/usr/bin:$PATH
	LD_LIBRARY_PATH=$(dirname "$(ls "$cross"/usr/lib/*/libbfd-*.so | head -n 1)")
	export PATH LD_LIBRARY_PATH
	emulator="$cross/usr/bin/qemu-aarch64-static -L $cross/usr/$triplet"
}

build()
{
	mkdir -p "$work/build" && cd "$work/build" || return
	lib=$root/usr/lib/$triplet
	# the -dev package's links to shared libraries lead nowhere
	rm -f "$lib"/*.so
	sed -i "s|^prefix=.*|prefix=$root/usr|; s|/usr/lib/|$root/usr/lib/|" "$lib"/pkgconfig/*.pc
	PKG_CONFIG_LIBDIR=$lib/pkgconfig PKG_CONFIG_PATH='' \
		"$tree/configure" -q --enable-werror --host="$host" --prefix="$work/inst" \
		CC="$cc" CXX="$cxx" CFLAGS="-g -O2 $include" CXXFLAGS="-g -O2 $include" \
		INIH_CFLAGS="-I$root/usr/include" INIH_STATIC_LIBS="$lib/libinih.a" \
		CHECK_CFLAGS="-I$root/usr/include" CHECK_LIBS="$lib/libcheck_pic.a $lib/libsubunit.a -lrt -lm -lpthread" &&
		make -s -j"$(nproc)" && make -s install
}

# The tests that make sense there; those that start other programs find them to be of
# another class, and are left out.
tests()
{
	printf 'include Makefile\nlist:\n\t@echo $(UNIT_TESTS)\n' | make -s -f - list | tr ' ' '\n' |
		grep -vE "^tests/check_($without)\$" | tr '\n' ' '
}

check()
{
	cd "$work/build" &&
		make -s -j"$(nproc)" check TESTS="$(tests)" LOG_COMPILER="$emulator"
}

is_foreign()
{
	for object in "$work"/inst/bin/chic-alloc "$work"/inst/lib/*.so.0.* \
		"$work"/inst/lib/chic-alloc/modules/*.so; do
		readelf -hW "$object" | grep -Eq "Machine: +$machine" || { echo "$object"; return 1; }
	done
}

arch=${1:-}
case $arch in
i386)
	triplet=i386-linux-gnu host=i686-linux-gnu cc='gcc -m32' cxx='g++ -m32' machine='Intel 80386'
	emulator='' without='frozen'
	# without the package gcc-multilib, which no cross compiler suffers beside it
	include=
	[ -e /usr/include/asm ] || include="-isystem /usr/include/x86_64-linux-gnu"
	;;
arm64)
	triplet=aarch64-linux-gnu host=aarch64-linux-gnu cc=aarch64-linux-gnu-gcc
	cxx=aarch64-linux-gnu-g++ machine=AArch64 include=
	emulator="$(command -v qemu-aarch64-static || command -v qemu-aarch64) -L /usr/aarch64-linux-gnu"
	# the emulator limits no addresses (acme, arena_spans), speaks itself when a program
	# dies (conform, scope), has signals of its own (fault), takes the advice to guard pages
	# and does nothing (guard), has no flags of mappings (stacktrace), and is not there for
	# programs that others start (start, trust)
	without='frozen|acme|arena_spans|conform|fault|guard|guard_slots|scope|stacktrace'
	without="$without|stacktrace_portable|start|trust"
	# memory that is resident is the emulator's too, as under valgrind
	CHECK_VALGRIND=yes
	export CHECK_VALGRIND
	;;
*)
	sed -n '6,7s/^#	//p' "$0" >&2
	exit 2
	;;
esac
work=${FOREIGN_DIR:-}
if [ -z "$work" ]; then
	work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/foreign.XXXXXX") || exit 2
	trap 'rm -rf "$work"' EXIT
	trap 'exit 130' INT TERM
fi
mkdir -p "$work"
root=$work/root
cross=$work/cross
if [ "$arch" != i386 ] && ! command -v "$cc" >/dev/null; then
	[ -d "$cross" ] || (unpack_compiler) >"$work/log" 2>&1 || unable "no $cc, none by apt-get"
	use_unpacked
fi
echo 'int main(void) { return 0; }' >"$work/a.c"
$cc "$work/a.c" -o "$work/a.out" 2>"$work/log" || unable "$cc does not work"
$emulator "$work/a.out" 2>>"$work/log" || unable "a program of it does not run"
[ -d "$root" ] || libraries >"$work/log" 2>&1 || unable "no libraries by apt-get"
build >"$work/log" 2>&1 || broken "it is built"
pass "$arch: it is built"
is_foreign >"$work/log" 2>&1 || broken "all is for that machine"
check >"$work/log" 2>&1
status=$?
for kind in PASS SKIP; do
	eval "$kind=\$(sed -n 's/^# $kind: *//p' '$work/log' | head -n 1)"
done
passed=$((passed + ${PASS:-0})) skipped=$((skipped + ${SKIP:-0}))
[ $status -eq 0 ] || { grep -E '^(FAIL|ERROR):' "$work/log"; broken "its tests"; }
echo "ok       $arch: $PASS tests"
end
