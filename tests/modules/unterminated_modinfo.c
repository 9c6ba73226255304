// SPDX-License-Identifier: BSD-2-Clause
/*
 * The last string of the metadata has no NUL; in one piece, so that nothing is
 * put behind it.
 */
#include "fixture.h"
#include "must_not_run.h"

__asm__(".pushsection .modinfo, \"a\"\n"
	".asciz \"name=unterminated_modinfo\"\n"
	".asciz \"abi=1\"\n"
	".asciz \"kind=heap\"\n"
	".ascii \"version=1.0\"\n"
	".popsection\n");

FIXTURE_HEAP(unterminated_modinfo)
