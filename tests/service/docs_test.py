#!/usr/bin/python3
"""docs/service.md against the source: problem types, words of the log, events, routes and states that it lists.

Needs Debian's python3-yaml, which only Debian's Python finds."""
import glob
import os
import re
import sys

import yaml

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
failures = []


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def expect_same(what, documented, real):
    for one in sorted(documented - real):
        failures.append(f"{what}: {one} is documented, and is not there")
    for one in sorted(real - documented):
        failures.append(f"{what}: {one} is there, and is not documented")
    if not real:
        failures.append(f"{what}: none found; the source looks different from what this test can read")


def table(page, header):
    """The rows of the table with that header line, as lists of cells without back quotes."""
    lines = page.split(header + "\n", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().replace("`", "") for cell in line.strip("|").split("|")])
    return rows


def check_problems(page, description, source):
    calls = r"\b(?:problem|refuse)\(\s*(\d{3}),\s*\"([a-z-]+)\""
    real = set(re.findall(calls, source))
    # Each call with a status that is a number must be one that the pattern reads.
    if len(re.findall(r"\b(?:problem|refuse)\(\s*\d{3}\b", source)) != len(re.findall(calls, source)):
        failures.append("problems: a call that this test cannot read")
    documented = {(status, kind) for status, kind, _ in table(page, "| status | type | what to do |")}
    expect_same("problems", documented, real)
    expect_same("problems of openapi.yaml", set(re.findall(r"/problems/([a-z-]+)[,\]}\n]", description)), {k for _, k in real})


def check_log(page, source):
    fixed = re.findall(r"(?:\blines(?:\(\))?|\blog_?)\.(debug|info|warn|error)\(\s*\"([a-z_]+)\"", source)
    real = {("warning" if level == "warn" else level, word) for level, word in fixed}
    chosen = set()  # words whose level depends on something
    for call in re.findall(r"\b(?:log_?|lines)\.write\((.*?)\{\{", source, re.S):
        chosen |= set(re.findall(r'(?<!== )"([a-z_]+)"', call))
    rows = [(levels.split(", "), word) for levels, word, _ in table(page, "| level | event | when |")]
    expect_same("words of the log", {word for _, word in rows}, {word for _, word in real} | chosen)
    for levels, word in rows:
        known = {level for level, w in real if w == word}
        if known and known != set(levels):
            failures.append(f"words of the log: {word} is {sorted(known)}, not {levels}")
    if [w for _, w in rows if [x for _, x in rows].count(w) > 1]:
        failures.append("words of the log: one stands there twice")


def check_events(page, description, source):
    real = set(re.findall(r"\.tell\(\s*\"([a-z]+)\"", source)) | set(re.findall(r"\"event: ([a-z]+)\\n", source))
    expect_same("events", {row[0] for row in table(page, "| event | data |")}, real)
    events = description["paths"]["/v1/events"]["get"]["responses"]["200"]["content"]["text/event-stream"]["x-events"]
    expect_same("events of openapi.yaml", set(events), real)
    schemas = description["components"]["schemas"]
    for kind, data in table(page, "| event | data |"):
        keys = set(schemas[events[kind]["$ref"].rsplit("/", 1)[1]]["properties"])
        told = set(re.findall(r"[a-z_]+", data))
        if "the counts of rows" in data:
            told |= {"rows", "created", "duplicate", "duplicate_pending", "duplicate_unknown", "duplicate_failed",
                     "rejected", "failed", "unknown", "pending"}
        if not keys <= told:
            failures.append(f"events: {kind} has {sorted(keys - told)}, which is not documented")


def check_routes_and_states(page, description):
    documented = {tuple(row[0].split(" ")) for row in table(page, "| route | does |")}
    real = {(method.upper(), path) for path, item in description["paths"].items() for method in item if method in ("get", "post", "put", "delete")}
    expect_same("routes", documented, real)
    schemas = description["components"]["schemas"]
    expect_same("states of imports", {row[0] for row in table(page, "| import | where | means |")},
                set(schemas["Import"]["properties"]["state"]["enum"]))
    expect_same("states of jobs", {row[0] for row in table(page, "| job | and | means |")},
                set(schemas["JobFields"]["properties"]["state"]["enum"]))


def check_links(path):
    page = read(path)
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", page):
        if target and "://" not in target and not os.path.exists(os.path.join(ROOT, os.path.dirname(path), target)):
            failures.append(f"{path}: {target} is not there")
    anchors = {re.sub(r"[^a-z0-9_ -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", page, re.M)}
    for anchor in re.findall(r"\]\(#([^)]*)\)", page):
        if anchor not in anchors:
            failures.append(f"{path}: there is no #{anchor}")


def main():
    page, text = read("docs/service.md"), read("docs/openapi.yaml")
    description = yaml.safe_load(text)
    source = "\n".join(read(path) for path in sorted(glob.glob(os.path.join(ROOT, "src/service/**/*.cpp"), recursive=True)))
    check_problems(page, text, source)
    check_log(page, source)
    check_events(page, description, source)
    check_routes_and_states(page, description)
    for path in ("README.md", "docs/service.md", "docs/metrics.md", "docs/notifications.md", "docs/commands.md",
                 "docs/architecture.md"):
        check_links(path)
    for failure in failures:
        print(failure, file=sys.stderr)
    if not failures:
        print("docs/service.md and the source agree")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
