# SPDX-License-Identifier: BSD-2-Clause
#
# match.awk -v how=exact|about WANT GOT: whether what a command printed is what stands in
# the document, line by line; else says where not, with status 1.  check_docs.sh says what
# `...` is and how numbers are compared.

function pattern(s)
{
	gsub(/[][\\.^$*+?(){}|]/, "[&]", s)
	gsub(/\[\\\]/, "\\\\", s); gsub(/\[\^\]/, "\\^", s)
	gsub(/\[[.]\]\[[.]\]\[[.]\]/, ".*", s)
	return "^" s "$"
}

# With any number in place of any other, and with blanks that depend on their width.  A
# number that is all of a line is an answer, and none that differs.
function rough(s)
{
	if (how != "about" || s ~ /^[0-9]+$/)
		return s
	gsub(/0x[0-9a-f]+/, "0", s);
	gsub(/[0-9]+([.,][0-9]+)*/, "0", s)
	gsub(/0 (ns|us|ms|s)( |$)/, "0 s ", s); gsub(/0 [KMG]iB/, "0 MiB", s)
	gsub(/[ \t]+/, " ", s); sub(/^ /, "", s); sub(/ $/, "", s)
	return s
}

function same(i, j) { return got[j] ~ pattern(want[i]) }

# What compare finds is the machine's.
function verdict(   j)
{
	for (j = 1; j <= m; j++)
		if (got[j] ~ /^(Best: [a-z]+, |Nothing is better than the default )/)
			exit 0
	print "expected one of compare's verdicts"
	exit 1
}

FILENAME == ARGV[1] { want[++n] = rough($0); next }
{ got[++m] = rough($0); raw[m] = $0 }

END {
	i = j = 1
	while (i <= n) {
		if (how == "about" && want[i] ~ /^Best: /)
			verdict()
		if (want[i] == "...") {
			if (++i > n)
				exit 0
			if (how == "about" && want[i] ~ /^Best: /)
				continue
			while (j <= m && !same(i, j))
				j++
		}
		if (j > m || !same(i, j)) {
			print "expected: " want[i] "\nfound:    " (j > m ? "the end" : raw[j])
			exit 1
		}
		i++; j++
	}
	if (j <= m) {
		print "more than was expected: " raw[j]
		exit 1
	}
}
