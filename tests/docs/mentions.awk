# SPDX-License-Identifier: BSD-2-Clause
#
# mentions.awk OPTIONS TEXT: each command line in the text that begins with chic-alloc
# is held to what --help says.  OPTIONS has "COMMAND" and "COMMAND OPTION yes|no" a line,
# the last whether it takes a value; TEXT has "PLACE<tab>COMMAND LINE" a line.

function wrong(what) { print place ": " what ": " text; bad = 1 }

FILENAME == ARGV[1] { known[$1] = 1; if (NF == 3) { option[$1, $2] = 1; value[$1, $2] = $3 }; next }

{
	place = $0; sub(/\t.*/, "", place)
	text = $0; sub(/^[^\t]*\t/, "", text)
	n = split(text, word, " ")
	if (word[2] ~ /^-/ || word[2] == "" || word[2] ~ /^[A-Z]+$/)
		next
	if (!(word[2] in known)) {
		wrong("chic-alloc has no command '" word[2] "'")
		next
	}
	for (i = 3; i <= n && word[i] ~ /^-./ && word[i] != "--"; i++) {
		name = word[i]
		sub(/[=|,;].*/, "", name)
		if (!((word[2], name) in option))
			wrong(word[2] " has no option '" name "'")
		else if (value[word[2], name] == "yes" && word[i] !~ /=/)
			i++
	}
}

END { exit bad }
