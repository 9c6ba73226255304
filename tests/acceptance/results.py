# SPDX-License-Identifier: BSD-2-Clause
"""Results of Python's test-suite, from the XML that it writes: one line per test.

Exits 1 if there are none.
"""
import sys
import xml.etree.ElementTree as ElementTree

results = []
for case in ElementTree.parse(sys.argv[1]).iter("testcase"):
    verdict = [case.get("result", "?")]
    verdict += [child.tag for child in case if child.tag in ("skipped", "failure", "error")]
    results.append(" ".join([case.get("name")] + verdict))
print("\n".join(sorted(results)))
sys.exit(not results)
