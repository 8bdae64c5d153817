#!/usr/bin/python3
"""Reads the metrics' text with Prometheus' parser, checks names by Prometheus' conventions, and the page against both."""

import argparse
import re
import subprocess
import sys

from prometheus_client.parser import text_string_to_metric_families

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)


def sample_names(name, kind):
    return {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}


def check_names(families):
    for name, (kind, labels) in families.items():
        expect(re.fullmatch(r"(taskbarge|process)_[a-z0-9]+(_[a-z0-9]+)*", name), f"{name}: not snake_case with a prefix")
        expect((kind == "counter") == name.endswith("_total"), f"{name}: _total is for counters, and all of them")
        expect(not re.search(r"_(sum|count|bucket|info_total)$", name), f"{name}: an ending that is a histogram's")
        expect(not re.search(r"_(ms|msec|milliseconds|microseconds|minutes|hours|days|kb|mb|percent|percentage)(_|$)",
                             name), f"{name}: not in a base unit")
        expect(not re.search(rf"_({kind}|counter|gauge|histogram|summary)(_|$)", name), f"{name}: names its type")
        for label in labels:
            expect(re.fullmatch(r"[a-z][a-z0-9_]*", label), f"{name}: label {label}")
            expect(label not in name.split("_"), f"{name}: says its label {label} in its name")


def documented(page):
    """Name -> (type, labels) of the rows of the page's tables."""
    out = {}
    for line in page.splitlines():
        cells = [c.strip() for c in line.split("|")]
        if len(cells) < 6 or not cells[1].startswith("`"):
            continue
        name = cells[1].strip("`")
        expect(name not in out, f"{name}: twice on the page")
        out[name] = (cells[2], set(re.findall(r"`([a-z_]+)`", cells[3])))
    return out


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--program", required=True)
    options.add_argument("--page", required=True)
    options = options.parse_args()
    text = subprocess.run([options.program], check=True, capture_output=True, timeout=30, text=True).stdout

    typed = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
    helped = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.M))
    expect(len(typed) > 20, "hardly any metric")
    expect(typed.keys() == helped.keys(), f"without HELP or TYPE: {typed.keys() ^ helped.keys()}")
    expect(len(re.findall(r"^# TYPE ", text, re.M)) == len(typed), "a family comes twice")

    values, labels = {}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            expect(key not in values, f"{key} comes twice")
            values[key] = sample.value
            labels.setdefault(sample.name, set()).update(sample.labels)
    families = {}
    for name, kind in typed.items():
        seen = set()
        for sample in sample_names(name, kind):
            expect(sample in labels, f"{sample} has no sample")
            seen |= labels.pop(sample, set())
        families[name] = (kind, seen - {"le"})
    expect(not labels, f"samples of no family: {sorted(labels)}")
    check_names(families)

    def is_value(value, name, **wanted):
        got = values.get((name, tuple(sorted(wanted.items()))))
        expect(got == value, f"{name} {wanted}: {got}, not {value}")

    is_value(1, "taskbarge_build_info", version='0.1.0"a\\b\nc')
    is_value(107, "taskbarge_rows_read_total")
    is_value(100, "taskbarge_rows_total", state="created")
    is_value(5, "taskbarge_ledger_rows", job_state="parked", state="pending")
    is_value(0, "taskbarge_ledger_rows", job_state="completed", state="created")
    is_value(12, "taskbarge_ledger_jobs", state="completed")
    is_value(1.5, "taskbarge_wait_seconds_total")
    is_value(50, "taskbarge_apollo_rate_limit_left_requests", route="tasks/bulk_create", window="minute")
    is_value(None, "taskbarge_apollo_rate_limit_left_requests", route="tasks/bulk_create", window="hour")
    is_value(48120, "taskbarge_contacts")
    is_value(1, "taskbarge_contacts_complete")
    is_value(1789998000, "taskbarge_contacts_as_of_timestamp_seconds")
    is_value(1, "taskbarge_contacts_refreshes_total", outcome="completed")
    is_value(0, "taskbarge_contacts_refreshes_total", outcome="failed")
    is_value(1, "taskbarge_http_requests_total", route="GET /v1/jobs/{job}", status="404")
    is_value(1, "taskbarge_apollo_answers_total", status="none")
    is_value(2, "taskbarge_apollo_request_duration_seconds_count")
    is_value(60.4, "taskbarge_apollo_request_duration_seconds_sum")
    is_value(1, "taskbarge_apollo_request_duration_seconds_bucket", le="0.5")
    is_value(2, "taskbarge_apollo_request_duration_seconds_bucket", le="+Inf")

    with open(options.page, encoding="utf-8") as page:
        told = documented(page.read())
    for name in sorted(told.keys() | families.keys()):
        expect(name in told, f"{name}: not on the page")
        expect(name in families, f"{name}: on the page only")
        if name in told and name in families:
            expect(told[name] == families[name], f"{name}: {families[name]}, on the page {told[name]}")

    for what in failures:
        print(what, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
