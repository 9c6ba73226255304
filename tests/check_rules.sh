#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Rules for single programs, as one preload for all of them meets: which rule real
# programs, links, scripts and their interpreters get, that the command foretells
# it, and that others run on the platform heap.  Prints TAP.
#
# Works on the tree that was built, or without its variables on what is installed.

set -u
umask 022
chic=${CHIC_ALLOC:-chic-alloc}
sources=$(cd "${top_srcdir:-$(dirname "$0")/..}/tests" && pwd) || exit 99
libdir=${CHIC_ALLOC_LIBDIR:-$(pkg-config --variable=libdir chic-alloc)}
preload=$libdir/libchic_alloc_preload.so
tmp=$(mktemp -d) || exit 99
tmp=$(cd "$tmp" && pwd -P) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN CHIC_ALLOC_DISABLE
unset GLIBC_TUNABLES LD_PRELOAD
cd "$tmp" || exit 99
. "$sources/lib.sh"
CHIC_ALLOC_CONF=$tmp/rules.conf
export CHIC_ALLOC_CONF

# One program under many names: it prints its own memory map.
mkdir -p bin opt/one/bin opt/two/deep/bin
cat=$(command -v cat) || exit 99
cp "$cat" bin/alpha
cp "$cat" bin/gamma
cp "$cat" "bin/two words"
cp "$cat" opt/one/bin/alpha
cp "$cat" opt/two/deep/bin/alpha
ln -s alpha bin/beta
ln -s "$tmp/bin/beta" link-to-link
ln -s bin short
# shellcheck disable=SC2016
printf '#!/bin/sh\ncat /dev/null\nwhile read -r line; do echo "$line"; done </proc/$$/maps\n' \
	>bin/script
chmod +x bin/script
interpreter=$(readlink -f /bin/sh)

# The modules that a memory map shows, as 'counting arena' or 'none'.
stack_of()
{
	found=
	for module in counting guard arena libmimalloc libtcmalloc_minimal libtbbmalloc
	do
		grep -q "/$module\.so" "$1" && found="$found${found:+ }$module"
	done
	echo "${found:-none}"
}

# foretold PROGRAM: what the command says that it will get
foretold()
{
	"$chic" config -p "$1" 2>err | sed -n 's/^\(filters\|module\) = *\(.*[^ ]\) *;.*/\2/p' |
		sed '3,$d' >out
	set -- "$(sed -n 2p out)" "$(sed -n 1p out)"
	[ "$1" != filters\ = ] || set -- '' "$2"
	echo "$1 $2" | sed 's/default//; s/,/ /g; s/  */ /g; s/^ //; s/ $//; s/^$/none/'
}

# gets NAME STACK PROGRAM: preloaded, it has this stack, and config -p said so
gets()
{
	name=$1 want=$2 program=$3
	env LD_PRELOAD="$preload" "$program" /proc/self/maps >out 2>err </dev/null
	status=$?
	got=$(stack_of out)
	: >out
	said=$(foretold "$program")
	if [ $status -ne 0 ]; then
		not_ok "$name" "status $status"
	elif [ "$got" != "$want" ]; then
		not_ok "$name" "got $got, expected $want"
	elif [ "$said" != "$want" ]; then
		not_ok "$name" "config -p says $said, expected $want"
	else
		ok "$name"
	fi
}

rules()
{
	printf "$@" >rules.conf
}

# ------------------------------------------------------------- what is met ---

rules '[program alpha]\nmodule = arena\n'
gets "a label is the program's name" arena bin/alpha
gets "wherever it is" arena "$tmp/opt/one/bin/alpha"
gets "a link by the name of what it leads to" arena bin/beta
gets "a link to a link" arena ./link-to-link
gets "no other program" none bin/gamma
gets "not the machine's either" none cat
PATH=$tmp/bin:$PATH gets "found in PATH" arena alpha

rules '[program beta]\nmodule = arena\n'
gets "a link by its own name" arena bin/beta
gets "but not what it leads to" none bin/alpha

rules '[program x]\nmatch = %s\nmodule = arena\n' "$tmp/bin/alpha"
gets "a path" arena "$tmp/bin/alpha"
gets "started by a relative path" arena ./bin/alpha
gets "started by way of another folder" arena short/alpha
gets "by a link" arena bin/beta
gets "the same name elsewhere is another" none opt/one/bin/alpha

rules '[program x]\nmatch = %s\nmodule = arena\n' "$tmp/bin/beta"
gets "the path of a link" arena "$tmp/bin/beta"
gets "is not that of its target" none "$tmp/bin/alpha"

rules '[program x]\nmatch = %s/opt/*/bin/alpha\nmodule = arena\n' "$tmp"
gets "a glob on the path" arena opt/one/bin/alpha
gets "whose '*' is one folder" none opt/two/deep/bin/alpha
gets "and that begins at the root" none bin/alpha

rules '[program x]\nmatch = al*, g?mma, [t]wo*\nmodule = arena\n'
gets "a glob on the name" arena bin/alpha
gets "the second of a list" arena bin/gamma
gets "a name with a blank" arena "bin/two words"
rules '[program two words]\nmodule = arena\n'
gets "a label with a blank" arena "bin/two words"

rules '[program script]\nmodule = arena\n'
gets "a script by its name" arena bin/script
rules '[program x]\nmatch = %s\nmodule = arena\n' "$tmp/bin/script"
gets "a script by its path" arena "$tmp/bin/script"
rules '[program %s]\nmodule = arena\n' "${interpreter##*/}"
gets "a script by its interpreter's name" arena bin/script
rules '[program x]\nmatch = %s\nmodule = arena\n' "$interpreter"
gets "a script by its interpreter's path" arena bin/script
rules '[program script]\nmodule = arena\n[program x]\nmatch = %s\nmodule = guard\n' "$interpreter"
gets "a path is better than a name, the interpreter's too" guard bin/script

# -------------------------------------------------------------- which of many ---

cat >rules.conf <<CONF
[program a path]
match = $tmp/bin/alpha
module = guard
[program a glob on the path]
match = $tmp/*/*/bin/alpha
module = counting
[program alpha]
module = arena
[program a glob]
match = *
module = counting, arena
CONF
gets "a path before all" guard bin/alpha
gets "a glob on the path before a name" counting opt/one/bin/alpha
gets "a name before a glob" arena opt/two/deep/bin/alpha
gets "a glob at last" 'counting arena' bin/gamma
rules '[program a]\nmatch = al*\nmodule = arena\n[program b]\nmatch = *pha\nmodule = guard\n'
gets "the later of two that are equal" guard bin/alpha
rules '[program b]\nmatch = alpha, nothing\nmodule = arena\n[program a]\nmatch = *\nmodule = guard\n'
gets "the best of a list counts" arena bin/alpha

# ------------------------------------------------------------ what a rule says ---

cat >rules.conf <<CONF
[allocator]
module = arena
filters = counting
[program alpha]
module = guard
[program gamma]
module =
[program two words]
filters =
CONF
gets "filters stand before a rule's stack" 'counting guard' bin/alpha
gets "and before that of all programs" 'counting arena' opt/../bin/script
gets "an empty stack leaves the filters" counting bin/gamma
gets "a rule without filters of its own name" arena "bin/two words"
rules '[allocator]\nmodule = arena\n[program alpha]\nmodule = default\n'
gets "a rule may say default" none bin/alpha
gets "for one program" arena bin/gamma
rules '[program alpha]\nmodule = arena\n'
expect "the environment's stack comes before a rule" 0 '/guard\.so' - env \
	LD_PRELOAD="$preload" CHIC_ALLOC_MODULE=guard bin/alpha /proc/self/maps
equal "and an empty one is none" '' env LD_PRELOAD="$preload" CHIC_ALLOC_MODULE= sh -c \
	'bin/alpha /proc/self/maps | grep arena\\.so; :'

# on_error of a rule counts where that of the whole system must not
rules '[program alpha]\nmodule = nothing\non_error = fail\nlog = stderr\n'
expect "on_error = fail of a rule stops this program" 1 - \
	'^chic-alloc: .*nothing\.so.*not started$' env LD_PRELOAD="$preload" bin/alpha /dev/null
expect "and no other" 0 - - env LD_PRELOAD="$preload" bin/gamma /dev/null
rules '[program alpha]\nmodule = nothing\nlog = %s/messages\n' "$tmp"
expect "a rule's log" 0 - - env LD_PRELOAD="$preload" bin/alpha /dev/null
expect "has its message" 0 'rules.conf:2: .*nothing\.so.*the platform heap serves$' - \
	cat messages

# --------------------------------------------------- children, one by one ---

rules '[program alpha]\nmodule = arena\n[program gamma]\nmodule = guard\n'
expect "each program of a tree gets its own" 0 - - sh -c "
	LD_PRELOAD='$preload' sh -c '
		cat /proc/self/maps >of-cat
		bin/alpha /proc/self/maps >of-alpha
		bin/gamma /proc/self/maps >of-gamma'"
equal "the first" 'none' stack_of of-cat
equal "the second" arena stack_of of-alpha
equal "the third" guard stack_of of-gamma

# -------------------------------------------------------- stock allocators ---

stock()
{
	heap=$1 package=$2
	printf '[module stock]\npath = %s\n' "$heap" >stock.conf
	[ "$heap" != libtbbmalloc.so.2 ] || echo 'prefix = scalable_' >>stock.conf
	if ! CHIC_ALLOC_CONF=$tmp/stock.conf "$chic" info stock >out 2>err; then
		skip "rules with $heap" "$package is not installed"
		missing="$missing $package"
		return
	fi
	{
		printf '[program alpha]\nmodule = stock\n'
		printf '[program beta]\nmodule = counting, stock\n'
		cat stock.conf
	} >rules.conf
	library=${heap%%.so*}
	for case in "bin/alpha:$library" "bin/gamma:none" "cat:none"; do
		env LD_PRELOAD="$preload" "${case%:*}" /proc/self/maps >map
		equal "$heap: ${case%:*}" "${case#*:}" stack_of map
	done
	env LD_PRELOAD="$preload" bin/beta /proc/self/maps >map
	# both rules match; the link's name and the program's are names, the later wins
	equal "$heap: below a filter" "counting $library" stack_of map
}

missing=
stock libmimalloc.so.2 libmimalloc2.0
stock libtcmalloc_minimal.so.4 libtcmalloc-minimal4
stock libtbbmalloc.so.2 libtbbmalloc2

# In Debian redis-server is a link to redis-check-rdb.
redis=$(command -v redis-check-rdb)
if [ -n "$redis" ]; then
	mkdir redis
	ln -s "$redis" redis/redis-server
	rules '[program redis-server]\nmodule = counting\n[module counting]\nsummary = yes\noutput = %s/summary\n' "$tmp"
	expect "redis-server by the name of its link" 0 '^Redis server v=' - \
		env LD_PRELOAD="$preload" redis/redis-server --version
	expect "got its stack" 0 'redis-server' - cat summary
	rm -f summary
	env LD_PRELOAD="$preload" "$redis" --version >out 2>err
	if [ -e summary ]; then
		not_ok "redis-check-rdb is another" "it was counted"
	else
		ok "redis-check-rdb is another"
	fi
else
	skip "redis-server" "redis-tools is not installed"
	missing="$missing redis-tools"
fi
# Not a shell script that looks for it.
python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null)
if [ -n "$python" ]; then
	printf '#!%s\nprint(open("/proc/self/maps").read())\n' "$python" >bin/tool
	chmod +x bin/tool
	rules '[program p]\nmatch = python3*\nmodule = arena\n[program tool]\nmodule = guard\n'
	env LD_PRELOAD="$preload" "$python" -c 'print(open("/proc/self/maps").read())' \
		>map 2>err
	equal "python3 by a glob" arena stack_of map
	env LD_PRELOAD="$preload" bin/tool >map 2>err
	equal "a program in python by its own name" guard stack_of map
else
	skip "python3" "python3 is not installed"
	missing="$missing python3"
fi

finish || exit 1
[ -z "$missing" ] || { echo "SKIP: not installed:$missing"; exit 77; }
