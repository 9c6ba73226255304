#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Stock allocators by configuration alone: found by name, given their options, the
# same to programs whatever heap serves, counted exactly, and harmless when their
# file is gone.  Prints TAP.
#
# Works on the tree that was built, or without its variables on what is installed.
# An allocator that is not installed makes the test count as skipped.

set -u
umask 022
chic=${CHIC_ALLOC:-chic-alloc}
sources=${top_srcdir:-$(dirname "$0")/..}/tests
sources=$(cd "$sources" && pwd) || exit 99
cc=${CC:-cc} cxx=${CXX:-c++}
if [ -n "${CHIC_ALLOC_LIBDIR:-}" ]; then
	CHIC_ALLOC_PRESETDIR=${top_builddir:?}/conf/presets
	export CHIC_ALLOC_PRESETDIR
	include=$top_srcdir/include libdir=$CHIC_ALLOC_LIBDIR
else
	include=$(pkg-config --variable=includedir chic-alloc)/chic-alloc
	libdir=$(pkg-config --variable=libdir chic-alloc)
fi
preload=$libdir/libchic_alloc_preload.so
tmp=$(mktemp -d) || exit 99
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN CHIC_ALLOC_DISABLE
unset GLIBC_TUNABLES LD_PRELOAD MALLOC_CONF SCUDO_OPTIONS
cd "$tmp" || exit 99
. "$sources/lib.sh"

# judge STATUS NAME WHY
judge()
{
	if [ "$1" -eq 0 ]; then
		ok "$2"
	else
		not_ok "$2" "$3"
	fi
}

# The presets' names and, as any library's, a soname.
heaps='jemalloc mimalloc tcmalloc tbbmalloc scudo libtcmalloc.so.4'

library_of()
{
	case $1 in
	scudo) echo libclang_rt.scudo_standalone ;;
	tcmalloc) echo libtcmalloc_minimal.so ;;
	lib*) echo "$1" ;;
	*) echo "lib$1.so" ;;
	esac
}

package_of()
{
	case $1 in
	jemalloc) echo libjemalloc2 ;;
	mimalloc) echo libmimalloc2.0 ;;
	tcmalloc) echo libtcmalloc-minimal4 ;;
	tbbmalloc) echo libtbbmalloc2 ;;
	scudo) echo libclang-rt-dev ;;
	libtcmalloc.so.4) echo libgoogle-perftools4 ;;
	esac
}

# A file that says `module = STACK`; messages go to standard error.
conf_of()
{
	{
		echo "[allocator]"
		echo "module = $1"
		echo "log = stderr"
		echo "on_error = default"
	} >stack.conf
	echo "$tmp/stack.conf"
}

# Nothing but the presets.
: >none.conf
CHIC_ALLOC_CONF=$tmp/none.conf
export CHIC_ALLOC_CONF
there=''
missing=''
for heap in $heaps; do
	if "$chic" info -F file "$heap" >/dev/null 2>&1; then
		there="$there $heap"
	else
		skip "$heap" "$(package_of "$heap") is not installed"
		missing="$missing $(package_of "$heap")"
	fi
done

$cc -O1 -w -fno-builtin -o semantics "$sources/vendor/semantics.c" || exit 99
$cc -O1 -Wall -I"$include" -o linked "$sources/vendor/linked.c" -L"$libdir" \
	-lchic_alloc "-Wl,-rpath,$libdir" || exit 99
$cxx -O1 -Wall -std=c++17 -o news "$sources/vendor/news.cc" 2>err || rm -f news

# preloaded STACK COMMAND...: by LD_PRELOAD alone, without `run`
preloaded()
{
	conf=$(conf_of "$1")
	shift
	env CHIC_ALLOC_CONF="$conf" LD_PRELOAD="$preload" "$@"
}

# Its messages first, so that `linked` names its layers after them.
linked()
{
	conf=$(conf_of "$1")
	shift
	env CHIC_ALLOC_CONF="$conf" "$@" ./linked
}

# ------------------------------------------------------------------- by name ---

expect "without a stack no allocator is loaded" 0 - - sh -c \
	"'$chic' run cat /proc/self/maps | grep -E 'lib(jemalloc|mimalloc|tcmalloc|tbbmalloc)'; :"
for heap in $there; do
	library=$(library_of "$heap")
	expect "$heap: run loads it" 0 "/$library" - "$chic" run -m "$heap" cat /proc/self/maps
	equal "$heap: info -F kind" heap "$chic" info -F kind "$heap"
	expect "$heap: info names the file" 0 "/$library" - "$chic" info -F file "$heap"
	case $heap in
	lib*) ;;
	*) expect "$heap: list shows it" 0 "^$heap .* heap .*/$library" - "$chic" list ;;
	esac
	expect "$heap: config is content" 0 "^module = $heap " - "$chic" config -m "$heap"
done
json_valid "list --json with stock libraries" "$chic" list --json
refused "a heap above a heap" "'mimalloc' below 'libtcmalloc.so.4'|heap" \
	"$chic" run -m 'libtcmalloc.so.4, mimalloc' touch started

# ---------------------------------------------------------------- static TLS ---

# told: the assignment that the message on err asks for
told()
{
	sed -n 's/.*with \(GLIBC_TUNABLES=[^ ;]*\);.*/\1/p' err
}

# tls NAME PATTERN COMMAND...: loads the library, or says how; then it does as told
tls()
{
	name=$1 pattern=$2
	shift 2
	"$@" >out 2>err
	status=$?
	cat out err >both
	if [ $status -ne 0 ]; then
		not_ok "$name" "status $status"
	elif grep -q "$pattern" both; then
		ok "$name: at once"
	elif ! grep -q 'static TLS block ([0-9]* bytes): start .* chic-alloc run' err; then
		not_ok "$name" "neither loaded nor told how"
	else
		told=$(told)
		env "$told" "$@" >out 2>err
		cat out err >both
		if grep -q "$pattern" both; then
			ok "$name: with $told"
		else
			not_ok "$name" "not loaded with $told"
		fi
	fi
}

for heap in $there; do
	library=$(library_of "$heap")
	conf=$(conf_of "$heap")
	tls "$heap: plain LD_PRELOAD" "/$library" \
		env CHIC_ALLOC_CONF="$conf" LD_PRELOAD="$preload" cat /proc/self/maps
	tls "$heap: linked" "^layer.*${library%%.so*}" env CHIC_ALLOC_CONF="$conf" ./linked
done

if "$chic" info jemalloc >/dev/null 2>&1; then
	conf=$(conf_of jemalloc)
	expect "what is in GLIBC_TUNABLES stays, what is too small goes" 0 - \
		'GLIBC_TUNABLES=glibc.malloc.perturb=3:glibc.rtld.optional_static_tls=4096;' \
		env CHIC_ALLOC_CONF="$conf" LD_PRELOAD="$preload" \
		GLIBC_TUNABLES=glibc.rtld.optional_static_tls=600:glibc.malloc.perturb=3 true
	# shellcheck disable=SC2016
	tunables='grep -q libjemalloc /proc/$$/maps && echo "$GLIBC_TUNABLES"'
	equal "run makes room" glibc.rtld.optional_static_tls=4096 \
		"$chic" run -m jemalloc sh -c "$tunables"
	equal "run keeps other tunables" \
		glibc.malloc.perturb=3:glibc.rtld.optional_static_tls=4096 \
		env GLIBC_TUNABLES=glibc.malloc.perturb=3 "$chic" run -m jemalloc sh -c "$tunables"
	equal "run replaces what is too small" glibc.rtld.optional_static_tls=4096 \
		env GLIBC_TUNABLES=glibc.rtld.optional_static_tls=600 \
		"$chic" run -m jemalloc sh -c "$tunables"
	equal "run leaves what is enough" glibc.rtld.optional_static_tls=9000 \
		env GLIBC_TUNABLES=glibc.rtld.optional_static_tls=9000 \
		"$chic" run -m jemalloc sh -c "$tunables"
	equal "one run inside another" glibc.rtld.optional_static_tls=4096 \
		"$chic" run -m jemalloc "$chic" run sh -c "$tunables"
fi

# ------------------------------------------------------------------- options ---

with_option()
{
	heap=$1 name=$2
	shift 2
	case " $there " in
	*" $heap "*) expect "$heap: $name" "$@" ;;
	esac
}

with_option jemalloc "an option arrives" 0 '' '^  opt.dirty_decay_ms: 77 ' "$chic" run \
	-m jemalloc -o jemalloc.dirty_decay_ms=77 -o jemalloc.stats_print=true true
with_option jemalloc "below a filter too" 0 '' '^  opt.dirty_decay_ms: 77 ' "$chic" run \
	-m 'counting, jemalloc' -o jemalloc.dirty_decay_ms=77 -o jemalloc.stats_print=true true
with_option jemalloc "the user's environment comes first" 0 '' '^  opt.dirty_decay_ms: 5 ' \
	env MALLOC_CONF=dirty_decay_ms:5 "$chic" run -m jemalloc \
	-o jemalloc.dirty_decay_ms=77 -o jemalloc.stats_print=true true
with_option jemalloc "children do not inherit options" 1 - - "$chic" run -m jemalloc \
	-o jemalloc.dirty_decay_ms=77 sh -c 'env | grep MALLOC_CONF'
with_option jemalloc "config shows what is passed" 0 \
	'^; passed as MALLOC_CONF=dirty_decay_ms:77,narenas:2$' - "$chic" config -m jemalloc \
	-o jemalloc.dirty_decay_ms=77 -o jemalloc.narenas=2
with_option jemalloc "an unknown option is its own to complain about" 0 '' \
	'Invalid conf pair: no_such_option:1' "$chic" run -m jemalloc \
	-o jemalloc.no_such_option=1 true
with_option mimalloc "an option arrives" 0 '' "mimalloc: option 'verbose': 1" "$chic" run \
	-m mimalloc -o mimalloc.verbose=1 true
with_option mimalloc "and leaves the environment" 1 - '' "$chic" run -m mimalloc \
	-o mimalloc.verbose=1 sh -c 'env | grep MIMALLOC'
with_option tcmalloc "an option arrives" 1 - 'MemoryError|[Cc]annot allocate' "$chic" run \
	-m tcmalloc -o tcmalloc.heap_limit_mb=20 python3 -c 'print(len(bytearray(100000000)))'
with_option scudo "an option arrives" 134 '' "invalid value for int option: 'x'" sh -c \
	"'$chic' run -m scudo -o scudo.quarantine_size_kb=x true 2>&1 | cat >&2; exit 134"
{
	printf '[module tbbmalloc]\npath = libtbbmalloc.so.2\nprefix = scalable_\n'
	printf 'env = TBB_*\nversion = 1\n'
} >tbb.conf
with_option tbbmalloc "an option arrives, by an env of the user's" 0 '' 'TBBmalloc: VERSION' \
	"$chic" run -c tbb.conf -m tbbmalloc true
printf '[module mimalloc]\nverbose = 1\n' >written.conf
with_option mimalloc "an option in a file beside the preset" 0 '' "option 'verbose': 1" \
	"$chic" run -c written.conf -m mimalloc true
printf '[allocator]\nmodule = m\n[module m]\npath = libmimalloc.so.2\nverbose = 1\n' >noenv.conf
with_option mimalloc "an option without env is refused" 1 - \
	"^chic-alloc: $tmp/noenv.conf:5: unknown parameter .*'verbose'.*env" \
	"$chic" run -c noenv.conf true
with_option mimalloc "an option without env: the program starts on the default" 0 '^x$' \
	"noenv.conf:5: unknown parameter .*; the platform heap serves$" \
	env CHIC_ALLOC_OPTIONS=allocator.log=stderr CHIC_ALLOC_CONF="$tmp/noenv.conf" \
	LD_PRELOAD="$preload" echo x
printf '[module m]\npath = libmimalloc.so.2\nenv = M key\n' >badenv.conf
refused "a bad env" "$tmp/badenv.conf:3: env: .*'M key', expected .*NAME key:value," \
	"$chic" run -c badenv.conf touch started

# ----------------------------------------------------------------- semantics ---

# same NAME PROGRAM WANTED COMMAND...: it prints what it printed on the default
same()
{
	name=$1 wanted=$2
	shift 2
	"$@" >out 2>err
	status=$?
	if [ $status -ne 0 ]; then
		not_ok "$name" "status $status"
	elif cmp -s out "$wanted"; then
		ok "$name"
	else
		diff "$wanted" out >differences
		mv differences out
		not_ok "$name" "differs from the default"
	fi
}

"$chic" run ./semantics >default.semantics || exit 99
./linked >default.linked 2>err || exit 99
! grep -E ' no: |something else' default.semantics default.linked >out
judge $? "the default keeps its promises" "see above"
for heap in $there; do
	for telemetry in calls off full; do
		same "$heap: the same to programs, telemetry = $telemetry" default.semantics \
			"$chic" run -m "$heap" -o allocator.telemetry=$telemetry ./semantics
		[ "$heap" != scudo ] || break
	done
	same "$heap: the same below counting" default.semantics \
		"$chic" run -m "counting, $heap" ./semantics
	same "$heap: the same below a guard of some blocks" default.semantics \
		"$chic" run -m "guard, $heap" -o guard.sample=50 ./semantics
	same "$heap: the same to linked programs" default.linked env \
		GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384 \
		CHIC_ALLOC_CONF="$(conf_of "$heap")" ./linked
	layer=$(library_of "$heap" | sed 's/\.so.*//')
	grep -q "^layer .*$layer" err
	judge $? "$heap: and they got it" "no layer $layer"
done

# ------------------------------------------------------------------ counting ---

# The summary of a program that makes so many blocks.
counted()
{
	rm -f summary
	# shellcheck disable=SC2086
	"$chic" run -m "counting, $heap" $option -o counting.summary=yes \
		-o "counting.output=$tmp/summary" ./news "$1" >out 2>err
}

blocks()
{
	sed -n "s/^$1-blocks *//p" summary
}

for heap in $there; do
	if [ ! -x news ]; then
		skip "$heap: 100,000 by new" "no C++ compiler"
		continue
	fi
	# scudo takes a sample's backtrace, for which the C library loads a library
	option=
	[ "$heap" != scudo ] || option='-o scudo.GWP_ASAN_Enabled=false'
	counted 0
	total=$(blocks total) live=$(blocks live)
	counted 100000
	[ $(($(blocks total) - total)) -eq 100000 ] && [ $(($(blocks live) - live)) -eq 10000 ]
	judge $? "$heap: 100,000 by new are 100,000" \
		"$total before and $(blocks total) after, live $live and $(blocks live)"
done

# ---------------------------------------------------------------- bad files ---

# The library that the next tests damage; any of them does.
good=$("$chic" info -F file mimalloc 2>/dev/null || "$chic" info -F file tcmalloc 2>/dev/null)
mkdir lib

# byte OFFSET OCTAL: of lib/libvendor.so.1
byte()
{
	cp "$good" lib/libvendor.so.1
	printf "\\$2" | dd of=lib/libvendor.so.1 bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# broken WHAT PATTERN: what is in lib now keeps nobody from starting
broken()
{
	for path in "$tmp/lib/libvendor.so.1" libvendor.so.1; do
		case $path in
		/*) how="$1, by path" ;;
		*) how="$1, by soname" ;;
		esac
		printf '[allocator]\nmodule = vendor\nlog = stderr\n[module vendor]\npath = %s\n' \
			"$path" >broken.conf
		expect "$how: a program starts on the default" 0 '^libc' - sh -c "
			LD_LIBRARY_PATH='$tmp/lib' CHIC_ALLOC_CONF='$tmp/broken.conf' \
			LD_PRELOAD='$preload' sed -n 's/.*\(libvendor\|libc\.so\).*/\1/p' \
			/proc/self/maps 2>message | sort -u"
		one_message "$how" "$2"
		expect "$how: a linked program starts on the default" 0 '' '' sh -c "
			LD_LIBRARY_PATH='$tmp/lib:$libdir' CHIC_ALLOC_CONF='$tmp/broken.conf' \
			./linked >linked.out 2>message && cmp linked.out default.linked &&
			! grep 'layer vendor' message && sed -i /^layer/d message"
		one_message "$how, linked" "$2"
		expect "$how: run refuses" 1 - "^chic-alloc: $tmp/broken.conf:[25]: .*" \
			env LD_LIBRARY_PATH="$tmp/lib" "$chic" run -c broken.conf echo started
	done
}

# Exactly one line, which names the file, says why, and what serves.
one_message()
{
	if [ "$(wc -l <message)" -eq 1 ] &&
		grep -Eq "^chic-alloc: $tmp/broken.conf:[25]: .*libvendor.so.1.*($2).*; the platform heap serves$" message
	then
		ok "$1: one message says why"
	else
		cp message err
		not_ok "$1: one message says why" "not one line that matches '$2'"
	fi
}

if [ -n "$good" ]; then
	cp "$good" lib/libvendor.so.1
	printf '[module vendor]\npath = %s\n' "$tmp/lib/libvendor.so.1" >vendor.conf
	expect "a copy of the library works" 0 '/libvendor.so.1$' - \
		"$chic" run -c vendor.conf -m vendor cat /proc/self/maps
	rm lib/libvendor.so.1
	broken "file removed" 'No such file'
	echo "this is a text, and long enough to have had room for the header of a library" \
		>lib/libvendor.so.1
	broken "a text file" 'ELF'
	: >lib/libvendor.so.1
	broken "an empty file" 'too short|expected|ELF'
	byte 18 267
	broken "a library of another machine" 'machine|No such file|wrong ELF'
	byte 4 001
	broken "a library of another word size" 'ELFCLASS|No such file'
	head -c 20000 "$good" >lib/libvendor.so.1
	broken "a library cut short" truncated
	# The linker passes over what is for another machine; so do we.
	byte 18 267
	mkdir lib2
	cp "$good" lib2/libvendor.so.1
	printf '[module vendor]\npath = libvendor.so.1\n' >vendor.conf
	expect "the next folder's is taken" 0 "^$tmp/lib2/libvendor.so.1$" - env \
		LD_LIBRARY_PATH="$tmp/lib:$tmp/lib2" CHIC_ALLOC_CONF="$tmp/vendor.conf" \
		"$chic" info -F file vendor
	expect "as the linker takes it" 0 "$tmp/lib2/libvendor.so.1$" - env \
		LD_LIBRARY_PATH="$tmp/lib:$tmp/lib2" "$chic" run -c vendor.conf -m vendor \
		cat /proc/self/maps
	printf '[module vendor]\npath = libnone.so.1, libvendor.so.1\n' >vendor.conf
	expect "the first of a list that is there" 0 "$tmp/lib2/libvendor.so.1$" - env \
		LD_LIBRARY_PATH="$tmp/lib:$tmp/lib2" "$chic" run -c vendor.conf -m vendor \
		cat /proc/self/maps
	printf '[module vendor]\npath = libnone.so.1, libnone.so.2\n' >vendor.conf
	refused "none of a list" "vendor.conf:2: path: found none of 'libnone.so.1, libnone.so.2'" \
		"$chic" run -c vendor.conf -m vendor touch started
fi

# ------------------------------------------- programs with a heap already ---

$cc -O1 -w -fno-builtin -o own "$sources/preload_own_malloc.c" -ldl || exit 99
for heap in $there; do
	"$chic" run -m "$heap" ./own >out 2>err
	judge $? "$heap: a program that defines malloc keeps its own" "it took ours"
done

# redis_says COMMAND...
redis_says()
{
	redis-cli -s "$tmp/socket" "$@" 2>&1
}

# The server of Debian is a link to another name, and linked with jemalloc.
start_server()
{
	"$chic" run -m "$1" "$tmp/redis-server" --port 0 --unixsocket "$tmp/socket" \
		--dir "$tmp" --save '' >server.log 2>&1 &
	server=$!
	tries=0
	until redis_says ping | grep -q PONG; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

stop_server()
{
	redis_says shutdown nosave >out
	wait "$server"
	status=$?
	server=
	return $status
}

# Bytes that the library merely linked has given out itself.
linked_bytes()
{
	redis_says info memory | tr -d '\r' | sed -n 's/^allocator_allocated://p'
}

redis()
{
	start_server "$1"
	judge $? "$1: redis starts" "no answer"
	grep -q "$(library_of "${1##*, }")" /proc/$server/maps
	judge $? "$1: redis has it mapped" "$(cat server.log)"
	redis_says eval "for i = 1, 20000 do
		redis.call('set', 'key' .. i, string.rep('x', 600)) end" 0 >out
	equal "$1: redis keeps what it is given" 20000 redis-cli -s "$tmp/socket" dbsize
	sleep 0.3 # its statistics are of ten times a second
	bytes=$(linked_bytes)
	case $1 in
	*jemalloc) [ "$bytes" -gt 10000000 ] ;;
	*) [ "$bytes" -lt 1000000 ] ;;
	esac
	judge $? "$1: what is merely linked is replaced" "it gave out $bytes bytes"
	redis_says bgsave >out
	stop_server
	judge $? "$1: redis ends" "status $status"
}

redis_program=$(command -v redis-check-rdb)
if [ -z "$redis_program" ]; then
	skip "redis" "redis-tools is not installed"
	missing="$missing redis-tools"
elif ! ldd "$redis_program" | grep -q libjemalloc; then
	skip "redis" "it is not linked with jemalloc here"
else
	ln -s "$redis_program" redis-server
	for stack in jemalloc mimalloc tcmalloc 'counting, mimalloc'; do
		case $there in
		*"${stack##*, }"*) redis "$stack" ;;
		esac
	done
	expect "options of a library that is linked as well are told to be late" 0 'v=' \
		'libjemalloc.so.2: is in the program already.*MALLOC_CONF=narenas:2' \
		"$chic" run -m jemalloc -o jemalloc.narenas=2 ./redis-server --version
fi

finish || exit 1
[ -z "$missing" ] || { echo "SKIP: not installed:$missing"; exit 77; }
