# SPDX-License-Identifier: BSD-2-Clause
#
# What bash would offer for a command line, one a line; the completion of a shell that
# somebody sits at, bash-completion loaded.
#
#	complete.bash COMPLETION WORD... LAST
#
# LAST, which may be empty, is where the cursor stands.
# shellcheck shell=bash

# shellcheck source=/dev/null
. /usr/share/bash-completion/bash_completion || exit 77
# shellcheck source=/dev/null
. "$1" || exit 2
shift

# as readline breaks a line into words
COMP_WORDS=()
for word; do
	while [[ $word == *=* && $word != = ]]; do
		[[ -z ${word%%=*} ]] || COMP_WORDS+=("${word%%=*}")
		COMP_WORDS+=("=")
		word=${word#*=}
	done
	COMP_WORDS+=("$word")
done
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE=$*
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9 COMP_KEY=9
[[ $COMP_CWORD -gt 0 ]] || exit 2

how=$(complete -p chic-alloc) || exit 2
function=$(sed -n 's/.* -F \([^ ]*\).*/\1/p' <<<"$how")
"$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" \
	2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"
