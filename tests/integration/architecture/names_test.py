#!/usr/bin/env python3
"""The names of the tests of a build say what each case is, and are the same at each build.

  names_test.py CTEST BUILD      reads `ctest -N`; a case must be no number that counts, no address and no bytes
"""
import re
import subprocess
import sys

BAD = re.compile(r"GetParam|-byte object|0x[0-9a-f]{4}|[^ -~]")


def main():
    ctest, build = sys.argv[1:]
    listed = subprocess.run([ctest, "-N", "--test-dir", build], check=True, capture_output=True, text=True).stdout
    names = re.findall(r"^ *Test *#\d+: (.*)$", listed, re.M)
    # Cases without a name generator are counted from 0, up to one less than there are.
    cases = {}
    for name in names:
        suite, _, case = name.rpartition("/")
        cases.setdefault(suite, []).append(case)
    counted = {suite for suite, found in cases.items() if suite and sorted(found) == sorted(map(str, range(len(found))))}
    bad = sorted(name for name in names if BAD.search(name) or name.rpartition("/")[0] in counted)
    for name in bad:
        print(f"FAILED: {name}: give INSTANTIATE_TEST_SUITE_P a name generator (tests/support/case_names.hpp)")
    print(f"{len(names)} names, {len(bad)} of them bad")
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
