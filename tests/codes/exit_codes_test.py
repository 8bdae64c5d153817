#!/usr/bin/env python3
"""The tables of exit codes, in the help and on the pages, are those of report/exit_code, and no other number is told.

  exit_codes_test.py ROOT
"""
import glob
import os
import re
import sys

# Tables that list every code: the file, and the words above the table.
WHOLE_TABLES = [("README.md", "## Exit codes"), ("docs/commands.md", "## Exit codes"),
                ("docs/when-something-goes-wrong.md", "## By exit code")]
# Places that name some, each of which must be one: in words, or as a list.
IN_WORDS = re.compile(r"\bexit(?:s with| code(?: is)?)? (\d+)\b|\bcode is (\d+)\b")
LISTS = [("docs/openapi.yaml", r"exit_code: \{.*enum: \[([\d, ]+)\]"), ("config/taskbarge.service", r"RestartPreventExitStatus=([\d ]+)")]


def text_of(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def codes_of_source(root):
    """The codes by name, and the name for each kind of error."""
    body = re.search(r"enum class exit_code : int \{(.*?)\};", text_of(root, "include/taskbarge/report/exit_code.hpp"), re.S).group(1)
    codes = {name: int(number) for name, number in re.findall(r"^\s*(\w+) = (\d+)", body, re.M)}
    switch = re.search(r"exit_code_of\(core::errc code\) \{(.*?)\n\}", text_of(root, "src/report/exit_code.cpp"), re.S).group(1)
    of_errors, waiting = {}, []
    for error, name in re.findall(r"case errc::(\w+):|return exit_code::(\w+);", switch):
        if error:
            waiting.append(error)
        else:
            of_errors.update((one, codes[name]) for one in waiting)
            waiting = []
    return codes, of_errors


def rows_below(text, words):
    """The cells of the first table below these words."""
    table = re.search(r"^\|.*?(?=^[^|])", text[text.index(words):], re.S | re.M).group(0)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def main():
    root = sys.argv[1]
    codes, of_errors = codes_of_source(root)
    all_codes = set(codes.values())
    failures = []

    def hold(what, told, meant):
        if told != meant:
            failures.append(f"{what} tells {sorted(told)}, report/exit_code has {sorted(meant)}")

    def are_some(what, told):
        if not told or not told <= all_codes:
            failures.append(f"{what} tells {sorted(told)}, not all of which report/exit_code has")

    for name, words in WHOLE_TABLES:
        hold(f"{name}, {words}", {int(row[0]) for row in rows_below(text_of(root, name), words)}, all_codes)
    help_text = text_of(root, "src/cli/help.hpp")
    listed = re.search(r"^Exit codes:\n(.*?)\n\n", help_text, re.S | re.M).group(1)
    hold("taskbarge --help", {int(code) for code in re.findall(r"^ *(\d+)  ", listed, re.M)}, all_codes)
    for line in re.findall(r"^Exit codes: (.*?)\)\"", help_text, re.S | re.M):
        are_some(f"the help of a command ({line[:40]}...)", {int(code) for code in re.findall(r"\b\d+\b", line)})
    hold_errors = {}
    for row in rows_below(text_of(root, "docs/codes.md"), "## Errors"):
        hold_errors.update((error, int(row[2])) for error in re.findall(r"`(\w+)`", row[0]))
    if hold_errors != of_errors:
        differ = sorted(set(hold_errors.items()) ^ set(of_errors.items()))
        failures.append(f"docs/codes.md, ## Errors and report/exit_code differ in {differ}")
    are_some("docs/service.md", {int(row[0]) for row in rows_below(text_of(root, "docs/service.md"), "| exit code | means |")})
    for name, pattern in LISTS:
        lists = re.findall(pattern, text_of(root, name))
        are_some(name, {int(code) for one in lists for code in re.findall(r"\d+", one)})
    pages = ["README.md"] + [os.path.relpath(path, root) for path in sorted(glob.glob(os.path.join(root, "docs/**/*.md"), recursive=True))]
    for name in pages:
        for found in IN_WORDS.finditer(text_of(root, name)):
            are_some(f"{name}, \"{found.group(0)}\"", {int(found.group(1) or found.group(2))})

    for failure in failures:
        print(f"FAILED: {failure}")
    print(f"{len(all_codes)} exit codes, {len(of_errors)} kinds of error, {len(pages)} pages")
    return 1 if failures or len(all_codes) < 9 or len(of_errors) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
