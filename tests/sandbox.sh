# SPDX-License-Identifier: BSD-2-Clause
#
# Where a shell test of an installed command works: an empty folder that goes when it
# ends, nothing of chic-alloc in the environment, the functions of lib.sh.  To be sourced
# first; $chic is the command, $tmp the folder.
# shellcheck shell=sh

set -u
umask 022
chic=${CHIC_ALLOC:-chic-alloc}
tests=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
unset CHIC_ALLOC_CONF CHIC_ALLOC_MODULE CHIC_ALLOC_OPTIONS CHIC_ALLOC_RUN
unset CHIC_ALLOC_DISABLE GLIBC_TUNABLES LD_PRELOAD
ulimit -c 0
cd "$tmp" || exit 99
# shellcheck source=tests/lib.sh
. "$tests/lib.sh"

# no_conf: not even the system's configuration
no_conf()
{
	: >none.conf
	CHIC_ALLOC_CONF=$tmp/none.conf
	export CHIC_ALLOC_CONF
}

# compiled COMPILER ARGUMENTS...: without which there is no test
compiled()
{
	"$@" 2>err && return
	echo "1..0 # SKIP cannot compile: $(head -n 1 err)"
	exit 77
}
