#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Stock malloc libraries under chic-alloc test, as they are.

# shellcheck source=tests/conformance.sh
. "$(dirname "$0")/conformance.sh"

cat >vendors.conf <<'INI'
[module tbbmalloc]
path = libtbbmalloc.so.2
prefix = scalable_
INI

# What has no metadata has no init, no owns, no reset, no parameters.
not_for_families="owns kind lifecycle reset params on_top lower_fails"

missing=0

# vendor SONAME PACKAGE [MODULE]
vendor()
{
	if "$chic" info "$1" 2>&1 | grep -q ': not found'; then
		skip "$1" "not installed (Debian: $2)"
		echo "SKIP: $1 is not installed (Debian: $2)" >&2
		missing=$((missing + 1))
	else
		passes "$1" "$not_for_families" -c vendors.conf --work 0.2 "${3:-$1}"
	fi
}

vendor libjemalloc.so.2 libjemalloc2
vendor libmimalloc.so.2 libmimalloc2.0
vendor libtcmalloc_minimal.so.4 libtcmalloc-minimal4
vendor libtbbmalloc.so.2 libtbbmalloc2 tbbmalloc

finish || exit 1
[ $missing -eq 0 ] || exit 77
