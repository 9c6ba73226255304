#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that live on SIGSEGV, or have handlers of their own: under guard they do what
# they do alone, and a bug is reported before they see it.  Prints TAP.

# shellcheck source=tests/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

# Null pointers and full stacks are exceptions, found by SIGSEGV.
cat >Faults.java <<'E'
public class Faults {
	static int length(String s) { return s.length(); }
	static int deep(int n) { return deep(n + 1) + 1; }
	static int nulls(int n) {
		int found = 0;
		for (int i = 0; i < n; i++)
			try { length(i % 2 == 0 ? null : "x"); }
			catch (NullPointerException e) { found++; }
		return found;
	}
	static int full(int n) {
		int found = 0;
		for (int i = 0; i < n; i++)
			try { deep(0); }
			catch (StackOverflowError e) { found++; }
		return found;
	}
	public static void main(String[] args) throws Exception {
		final int[] found = new int[4];
		Thread[] threads = new Thread[4];
		for (int k = 0; k < 4; k++) {
			final int own = k;
			threads[k] = new Thread(() -> found[own] = nulls(20000) + full(3));
			threads[k].start();
		}
		for (Thread t : threads)
			t.join();
		System.out.println(nulls(50000) + " " + full(5) + " " + found[0] + " " +
			found[1] + " " + found[2] + " " + found[3]);
	}
}
E

cat >full.rb <<'E'
def deep(n) deep(n + 1) + 1 end
def full() begin; deep(0); rescue SystemStackError; 1; end end
threads = 4.times.map { Thread.new { full } }
puts (1..5).map { full }.sum, threads.map(&:value).sum
fork { Process.kill(:SEGV, Process.pid); sleep }
Process.wait
puts $?.termsig
E

cat >bug.rb <<'E'
require 'fiddle'
p = Fiddle.malloc(64)
Fiddle::Pointer.new(p)[64, 1] = 'a'
E

cat >bug.py <<'E'
import ctypes, faulthandler, sys
if sys.argv[1] == "handler":
	faulthandler.enable()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
p = libc.malloc(ctypes.c_size_t(64))
ctypes.memset(p + 64, 1, 1)
E

overflow='^chic-alloc: guard: overflow: .*, 1 byte past the block of 64 bytes at 0x[0-9a-f]+$'

# Its own words after ours, and its own end.
sees()
{
	name=$1 want=$2 words=$3
	shift 3
	expect "$name" "$want" - "$overflow" "$@"
	if sed -n "/guard: overflow/,\$p" err | grep -q "$words"; then
		ok "$name, and then its own handler"
	else
		not_ok "$name, and then its own handler" "no '$words' behind the report"
	fi
}

for backend in userfaultfd madvise mprotect
do
	under="$chic run -m guard -o guard.backend=$backend --"
	$under true >out 2>err
	if grep -q ' serves$' err; then
		skip "$backend" "$(cat err)"
		continue
	fi
	if ! command -v java >/dev/null; then
		skip "$backend: java" "no java"
	elif ! javac Faults.java >out 2>err; then
		skip "$backend: java" "no javac"
	else
		expect "$backend: java" 0 '^25000 5 10003 10003 10003 10003$' - \
			$under java -Xss512k Faults
	fi
	if ! command -v ruby >/dev/null; then
		skip "$backend: ruby" "no ruby"
	else
		equal "$backend: ruby" "$(printf '5\n4\n6')" $under ruby full.rb
		sees "$backend: a bug in ruby" 134 '\[BUG\] Segmentation fault at' \
			$under ruby bug.rb
	fi
	if ! command -v python3 >/dev/null; then
		skip "$backend: python3" "no python3"
	else
		sees "$backend: a bug in python3" 139 'Fatal Python error: Segmentation fault' \
			$under python3 bug.py handler
		expect "$backend: the same without a handler" 139 - "$overflow" \
			$under python3 bug.py none
	fi
done

finish
