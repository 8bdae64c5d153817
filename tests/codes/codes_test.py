#!/usr/bin/env python3
"""docs/codes.md lists every code that rows, requests and errors can have, and no other.

  codes_test.py ROOT      the codes of rejected rows are held to the page by the reader's own tests

The codes are read from the sources, from the few forms in which they are written there.
"""
import glob
import os
import re
import sys

FORMS = [
    r'connect_problem\{\s*"([a-z_]+)"', r'return \{"(connect_[a-z]+)"', r'because\(\s*"([a-z_]+)"', r'error_code = [^;]*?"([a-z_]+)"(?: : "([a-z_]+)")?',
    r'create_verdict::\w+,\s*\{\},\s*"([a-z_]+)"', r'create_verdict::\w+,\s*\{\},\s*fmt::format\("([a-z_]+)\{\}"',
    r'"(answer_unreadable)"', r'"(held_[a-z_]+)"', r'chunk_state::refused,\s*"([a-z_]+)"',
    r'refuse\(\s*chunk,\s*"([a-z_]+)"', r'\bcode = "([a-z_]+)"', r'missing_in_answer = "([a-z_]+)"',
    r'ledger_accepted = "([a-z_]+)"',
    r'"(contact_(?:ambiguous|keys_disagree|not_[a-z]+))"', r'"(original_[a-z]+)"', r'(cancelled)",\s*"the job was cancelled',
]
# Written with a status behind them; the page shows those that can occur, or an example.
WITH_STATUS = {"refused_": {"refused_422", "refused_400"}, "http_": {"http_500"}}
# Not of rows, requests or errors: the marks of chunks that were split, and what a request without fault has.
NOT_SHOWN = {"isolating", "created", "too_many_contacts"}


def codes_of_sources(root):
    found = set()
    for folder in ("src/client", "src/job", "src/ledger", "include/taskbarge/ledger"):
        for path in sorted(glob.glob(os.path.join(root, folder, "**", "*.[ch]pp"), recursive=True)):
            text = open(path, encoding="utf-8").read()
            for form in FORMS:
                for match in re.finditer(form, text):
                    found.update(group for group in match.groups() if group)
    for prefix, whole in WITH_STATUS.items():
        if prefix not in found:
            sys.exit(f"FAILED: no code {prefix}... found: the forms above are out of date")
        found = (found - {prefix}) | whole
    return found - NOT_SHOWN


def kinds_of_errors(root):
    text = open(os.path.join(root, "include/taskbarge/core/error.hpp"), encoding="utf-8").read()
    body = re.search(r"enum class errc \{(.*?)\};", text, re.S).group(1)
    return set(re.findall(r"^\s*([a-z_]+),?\s*//", body, re.M))


def documented(root):
    """Codes by section: those in the first cell of each line of a table."""
    sections, title = {}, ""
    for line in open(os.path.join(root, "docs/codes.md"), encoding="utf-8"):
        if line.startswith("## "):
            title = line[3:].strip()
        elif line.startswith("| `"):
            sections.setdefault(title, set()).update(re.findall(r"`([a-z_0-9]+)`", line.split("|")[1]))
    return sections


def main():
    root = sys.argv[1]
    pages = documented(root)
    of_rows = set().union(*(pages.get(t, set()) for t in ("Rows whose contact was not found", "Failed rows", "Unknown rows", "Duplicates without a task", "Requests")))
    bad = 0
    for what, occurring, listed in (("code", codes_of_sources(root), of_rows),
                                    ("kind of error", kinds_of_errors(root), pages.get("Errors", set()))):
        for code in sorted(occurring - listed):
            print(f"FAILED: the {what} {code} is not in docs/codes.md")
        for code in sorted(listed - occurring):
            print(f"FAILED: docs/codes.md has the {what} {code}, which does not occur")
        bad += len(occurring ^ listed)
        print(f"{what}: {len(occurring)} occur, {len(listed)} are documented")
    return 1 if bad or len(of_rows) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())
