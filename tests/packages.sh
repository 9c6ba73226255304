#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The Debian packages, from the sources to a machine that is booted with them.
#
#	packages.sh STEP...
#
#	build		dpkg-buildpackage as an ordinary user without a network, lintian
#	install		in a fresh Debian: install, upgrade, remove, purge
#	newcomer	with nothing but the packages: mariadb to jemalloc and back
#	boot		the preload library in /etc/ld.so.preload, and all that may be
#			wrong with a configuration: the machine comes up
#	autopkgtest	debian/tests by the real thing; needs a network
#
# All but build want root, for namespaces, and a mirror for the fresh Debian.  Works in
# a folder below $ACCEPTANCE_DIR (default: the current folder); with PACKAGES_BASE a
# Debian in that folder is used, or made there and left.  With PACKAGES_CHECK=yes the
# build runs its tests; PACKAGES_DEBS is a folder of packages that were built already.
# chic-alloc's sources are a build folder's, $PACKAGES_BUILD, where there is a `make dist`.

set -u
umask 022
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
machine=

cleanup()
{
	stop_machine
	rm -rf "$work"
}

# ----------------------------------------------------------------- build ----

# Who has no rights here; not 65534, which stands for root in some namespaces.
ordinary()
{
	if [ "$(id -u)" != 0 ]; then
		"$@"
		return
	fi
	chown -R 12345:12345 "$work/deb"
	set -- setpriv --reuid=12345 --regid=12345 --clear-groups "$@"
	unshare -n true 2>/dev/null && set -- unshare -n "$@"
	"$@"
}

sources()
{
	(cd "${PACKAGES_BUILD:?}" && make -s dist) || return
	version=$(sed -n 's/^chic-alloc (\([^-]*\)-.*/\1/p;q' "$tree/debian/changelog")
	mkdir "$work/deb" && cd "$work/deb" || return
	cp "$PACKAGES_BUILD/chic-alloc-$version.tar.xz" "chic-alloc_$version.orig.tar.xz" &&
		tar xf "chic-alloc_$version.orig.tar.xz" &&
		cp -r "$tree/debian" "chic-alloc-$version"
}

build_packages()
{
	cd "$work/deb/chic-alloc-$version" || return
	options=nocheck
	[ "${PACKAGES_CHECK:-}" != yes ] || options=
	ordinary env -i PATH="$PATH" HOME=/nonexistent TMPDIR=/tmp LC_ALL=C.UTF-8 \
		DEB_BUILD_OPTIONS="$options parallel=$(nproc)" dpkg-buildpackage -us -uc
}

# No argument is a package whose contents these are.
contents()
{
	for deb in "$work"/deb/*.deb; do
		dpkg-deb -c "$deb"
	done | awk '{ print $6 }' | sort -u
}

same_on_all()
{
	for deb in "$work"/deb/*.deb; do
		package=$(basename "$deb" | cut -d _ -f 1)
		case $package in
		*-dbgsym | chic-alloc) continue ;;
		esac
		[ "$(dpkg-deb -f "$deb" Multi-Arch)" = same ] || { echo "$package"; return 1; }
	done
}

step_build()
{
	for tool in dpkg-buildpackage dh lintian; do
		command -v $tool >/dev/null && continue
		skip build "no $tool (packages dpkg-dev debhelper lintian)"
		return 1
	done
	sources >"$work/log" 2>&1 || { fail "build: sources" "$work/log"; return 1; }
	build_packages >"$work/log" 2>&1 || { fail "build: dpkg-buildpackage" "$work/log"; return 1; }
	pass "build: dpkg-buildpackage as an ordinary user"
	[ -z "$options" ] && grep -E '^# (PASS|SKIP): ' "$work/log" | sed 's/^# /         tests: /'
	mkdir "$work/unpacked"
	for deb in "$work"/deb/*.deb; do
		dpkg-deb -x "$deb" "$work/unpacked"
	done
	contents >"$work/contents"
	for name in libchic-alloc0 libchic-alloc-dev libchic-rt0 libchic-rt-dev chic-alloc-modules \
		libchic-alloc-preload0 chic-alloc; do
		expect "build: $name" . ls "$work/deb/${name}_"*.deb
	done
	expect "build: lintian has no error and no warning" '' lintian_is_quiet
	expect "build: no .la, no static library" - sh -c "! grep -E '\.(la|a)\$' '$work/contents'"
	expect "build: modules without a version" - \
		sh -c "! grep -E 'chic-alloc/modules/.*\.so\.' '$work/contents'"
	expect "build: hardened" - hardened "$work/unpacked"
	expect "build: libraries can be installed for several architectures" - same_on_all
	expect "build: what modules depend on" '^chic-alloc-module-abi-1$' \
		dpkg-deb -f "$(ls "$work"/deb/chic-alloc-modules_*.deb)" Provides
	return 0
}

lintian_is_quiet()
{
	lintian --allow-root -EvIL +pedantic "$work"/deb/*.changes 2>&1 | grep -E '^[EWIPX]: '
	lintian --allow-root --fail-on error,warning "$work"/deb/*.changes
}

# ----------------------------------------------------------------- Debian ----

base_packages=systemd-sysv,dbus,procps,mariadb-server,postgresql,ruby,libjemalloc2,libmimalloc2.0

# A fresh Debian of the release and the mirrors that this machine has.
make_base()
{
	base=${PACKAGES_BASE:-$work/base}
	[ ! -x "$base/usr/bin/dpkg" ] || return 0
	release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	set --
	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
		[ ! -s $file ] || set -- "$@" $file
	done
	mmdebstrap --variant=minbase --include=$base_packages "$release" "$base" "$@"
}

needs_base()
{
	if [ "$(id -u)" != 0 ] || ! unshare -m -p -f -u -i -n -C true 2>/dev/null; then
		skip "$1" "needs root and namespaces"
		return 1
	fi
	command -v mmdebstrap >/dev/null || { skip "$1" "no mmdebstrap"; return 1; }
	[ -z "${base:-}" ] || return 0
	make_base >"$work/log" 2>&1 && return 0
	fail "$1: a fresh Debian" "$work/log"
	base=
	return 1
}

# start_machine NAME [HOOK [LAYER:]]: boot the machine of that name, see container.sh
start_machine()
{
	machine_dir=$work/$1
	mkdir -p "$machine_dir/shared"
	unshare -m -p -f --kill-child -u -i -n -C sh "$here/container.sh" \
		"${3:-}$base" "$machine_dir" "${2:-}" >"$machine_dir/log" 2>&1 </dev/null &
	machine=$!
	for _ in $(seq 300); do
		state=
		first=$(pgrep -P $machine) && state=$(inside systemctl is-system-running 2>/dev/null)
		case $state in
		running | degraded) return 0 ;;
		esac
		kill -0 $machine 2>/dev/null || return 1
		sleep 0.2
	done
	return 1
}

stop_machine()
{
	[ -z "$machine" ] || { kill -9 "$machine"; wait "$machine"; } 2>/dev/null
	machine=
}

inside()
{
	nsenter -t "$first" -m -p -u -i -n -C env -i LC_ALL=C.UTF-8 HOME=/root USER=root \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"
}

# The packages, less those of debug symbols; to machine_dir/shared
share_packages()
{
	mkdir -p "$machine_dir/shared/new" &&
		cp "$work"/deb/*.deb "$machine_dir/shared/new" &&
		rm -f "$machine_dir/shared/new"/*-dbgsym_*
}

# run_inside NAME: a machine, and the script of that name in it
run_inside()
{
	start_machine "$1" || { fail "$1: a machine" "$machine_dir/log"; return 1; }
	share_packages
	cp "$here/packages/$1.sh" "$here/results.sh" "$machine_dir/shared"
	results_inside sh "/shared/$1.sh"
	stop_machine
}

# Of a command inside that ends with "N passed, N failed, N skipped".
results_inside()
{
	inside "$@" >"$work/log" 2>&1 </dev/null
	grep -vE '^[0-9]+ passed' "$work/log"
	count=$(tail -n 1 "$work/log")
	case $count in
	*" passed, "*)
		passed=$((passed + ${count%% passed*}))
		count=${count#*, }
		failed=$((failed + ${count%% failed*}))
		;;
	*) fail "$*: it ends" "$work/log" ;;
	esac
}

step_install()
{
	needs_base install && run_inside install
}

step_newcomer()
{
	needs_base newcomer && run_inside newcomer
}

# ------------------------------------------------------------------ boot ----

# One machine has the packages; of each case another begins with what is in that.
step_boot()
{
	needs_base boot || return
	start_machine boot || { fail "boot: a machine" "$machine_dir/log"; return; }
	share_packages
	cp "$here/packages/boot.sh" "$machine_dir/shared"
	inside sh /shared/boot.sh prepare >"$work/log" 2>&1 || fail "boot: packages" "$work/log"
	stop_machine
	for case in ${PACKAGES_CASES:-$(sh "$here/packages/boot.sh" cases)}; do
		boot_case "$case"
		rm -rf "$work/boot_$case"
	done
}

boot_case()
{
	mkdir -p "$work/boot_$1/shared"
	cp "$here/packages/boot.sh" "$here/results.sh" "$work/boot_$1/shared"
	if start_machine "boot_$1" "sh /shared/boot.sh case $1" "$work/boot/root:"; then
		pass "boot: $1: the machine comes up"
		results_inside sh /shared/boot.sh look "$1"
	else
		fail "boot: $1: the machine comes up" "$machine_dir/log"
	fi
	stop_machine
}

# ----------------------------------------------------------- autopkgtest ----

step_autopkgtest()
{
	needs_base autopkgtest || return
	command -v autopkgtest >/dev/null || { skip autopkgtest "no autopkgtest"; return; }
	mkdir "$work/auto" "$work/auto/root" "$work/auto/work" "$work/auto/mount"
	unshare -m -p -f --kill-child sh -c "
		mount -t overlay -o 'lowerdir=$base,upperdir=$work/auto/root,workdir=$work/auto/work' \
			overlay '$work/auto/mount' &&
		cp /etc/resolv.conf '$work/auto/mount/etc' &&
		mount --bind /dev '$work/auto/mount/dev' &&
		mount -t devpts devpts '$work/auto/mount/dev/pts' &&
		mount -t proc proc '$work/auto/mount/proc' && mount -t proc proc /proc &&
		autopkgtest --no-built-binaries --output-dir='$work/auto/output' \
			--apt-upgrade '$work'/deb/*.deb '$work'/deb/*.dsc -- chroot '$work/auto/mount'
	" >"$work/log" 2>&1
	status=$?
	sed -n 's/^\([a-z]*\) *PASS.*/ok       autopkgtest: \1/p' "$work/auto/output/summary"
	passed=$((passed + $(grep -c PASS "$work/auto/output/summary")))
	for test in $(sed -n 's/^\([a-z]*\) *FAIL.*/\1/p' "$work/auto/output/summary"); do
		cat "$work/auto/output/$test-stdout" "$work/auto/output/$test-stderr" \
			>"$work/said.$test" 2>/dev/null
		fail "autopkgtest: $test" "$work/said.$test"
		status=0
	done
	[ $status -eq 0 ] || fail "autopkgtest" "$work/log"
}

steps=${*:-build install newcomer boot}
work=$(mktemp -d "${ACCEPTANCE_DIR:-$PWD}/packages.XXXXXX") || exit 2
chmod 755 "$work"
# an ordinary user has to get there
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=12345 --clear-groups test -x "$work"; then
	rmdir "$work"
	work=$(TMPDIR=/tmp mktemp -d) && chmod 755 "$work" || exit 2
fi
said=$work/said
# shellcheck source=tests/results.sh
. "$here/results.sh"
# shellcheck source=tests/elf.sh
. "$here/elf.sh"
trap cleanup EXIT
trap 'exit 130' INT TERM
[ -z "${PACKAGES_DEBS:-}" ] || cp -r "$PACKAGES_DEBS" "$work/deb"
[ -d "$work/deb" ] || step_build || end
for step in $steps; do
	[ "$step" = build ] || "step_$step"
done
end
