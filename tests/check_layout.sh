#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The layouts of chic_rt.h on machines that are not here: the assertions of
# tests/abi_runtime.c, by a clang that knows the target and without its C library.

: "${top_srcdir:?}"
failed=0

command -v clang >/dev/null || { echo "SKIP: no clang, which knows other machines"; exit 77; }
for target in wasm32 wasm64 i386-linux-gnu x86_64-linux-gnu armv7-linux-gnueabihf \
	armv7m-none-eabi aarch64-linux-gnu riscv32 riscv64-linux-gnu mips-linux-gnu powerpc64le-linux-gnu
do
	for language in c c++
	do
		[ $language = c ] && include=abi_runtime.c || include=chic_rt.h
		out=$(echo "#include \"$include\"" | clang --target=$target -x $language \
			-ffreestanding -fsyntax-only -Wall -Wextra -Werror \
			-I"$top_srcdir/include" -I"$top_srcdir/tests" - 2>&1)
		if [ $? -eq 0 ]
		then
			echo "ok - $target, $language"
			continue
		fi
		case $out in
		*"unknown target triple"* | *"unable to create target"*)
			echo "ok - # SKIP $target: this clang does not know it"
			continue
			;;
		esac
		printf 'not ok - %s, %s\n%s\n' "$target" "$language" "$out"
		failed=1
	done
done
exit $failed
