#!/usr/bin/env python3
"""What refusals cost: the exact number of requests of each case, and the least that it could be.

  refusals_test.py --program PATH            fails where a figure differs from the table in docs/refusals.md
  refusals_test.py --program PATH --write    writes the table anew

Each case is an import by the real program against the real sandbox, over one connection, so that its requests come in one
order and their number is exact. What became of each contact is checked too: the bad ones failed, no good one did.
"""
import argparse
import json
import math
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, importer, sandbox  # noqa: E402

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "refusals.md")
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
OWNER, OTHER_OWNER = "66302798d03b9601c7934ebf", "66302798d03b9601c7934ec0"


def contact(number):
    return f"{number:024x}"


def search_least(size, bad):
    """In the worst case: the refused request, and a yes or no for each halving of the C(size, bad) possibilities."""
    return 1 + math.ceil(math.log2(math.comb(size, bad)))


def least_of_chunks(numbers, bad):
    bad, sum_of = set(bad), 0
    for at in range(0, len(numbers), 100):
        chunk = numbers[at:at + 100]
        k = len(bad.intersection(chunk))
        sum_of += search_least(len(chunk), k) if k else 1
    return sum_of


def in_runs(numbers, count):
    chance, out = random.Random(7), set()
    while len(out) < count:
        at = chance.randrange(len(numbers))
        for n in numbers[at:at + chance.randint(1, 9)]:
            if len(out) < count:
                out.add(n)
    return sorted(out)


class case:
    """`groups` are lists of contact numbers, one due date each, all of OWNER but for those in `owners`."""

    def __init__(self, name, groups, least, bad=(), named=False, faults=(), expect_failed=None, owners=None, budget=None,
                 chunk=100, codes=(), most=None):
        self.most = most
        self.name, self.groups, self.least = name, groups, least
        self.bad, self.named, self.faults = set(bad), named, list(faults)
        self.expect_failed = self.bad if expect_failed is None else set(expect_failed)
        self.owners, self.budget, self.chunk, self.codes = owners or {}, budget, chunk, set(codes)

    def if_known(self):
        """Requests for the good rows alone, were bad ones and limits known beforehand."""
        limits = [int(f.split("=")[1]) for f in self.faults if f.startswith("cap")]
        size = min([self.chunk, *limits])
        return sum(math.ceil(len(set(group) - self.expect_failed) / size) for group in self.groups)


def rows(first, count):
    return list(range(first, first + count))


def cases():
    thousand = rows(1, 1000)
    one = search_least(100, 1)
    yield case("none bad", [thousand], 10)
    yield case("one bad, in the middle (row 537)", [thousand], 9 + one, bad=[537])
    yield case("one bad, the very first row", [thousand], 9 + one, bad=[1])
    yield case("one bad, the very last row", [thousand], 9 + one, bad=[1000])
    yield case("one bad, named in the text", [thousand], 9 + 2, bad=[537], named=True)
    yield case("three bad in one chunk", [thousand], 9 + search_least(100, 3), bad=[510, 537, 599])
    yield case("three bad in one chunk, named one by one", [thousand], 9 + 4, bad=[510, 537, 599], named=True)
    yield case("five bad in five chunks", [thousand], 5 + 5 * one, bad=[150, 350, 550, 750, 950], budget="200")
    yield case("five bad in five chunks, named", [thousand], 5 + 5 * 2, bad=[150, 350, 550, 750, 950], named=True)
    yield case("first and last of every chunk bad (20)", [thousand], 10 * search_least(100, 2),
               bad=[n for k in range(10) for n in (100 * k + 1, 100 * k + 100)], budget="1000")
    yield case("one bad contact in 20 due dates", [rows(1, 100)] * 20, 19 + one, bad=[40])
    yield case("all 100 bad, beside a good group", [rows(1, 100), rows(101, 100)], 1 + 4, bad=rows(1, 100),
               codes=["refused_422", "details_refused"])
    yield case("bad details: an owner that Apollo refuses, 3 due dates of 200 rows",
               [rows(1, 200), rows(1, 200), rows(1, 200), rows(201, 100)], 4 + 1, faults=[f"bad_user={OTHER_OWNER}"],
               owners={0: OTHER_OWNER, 1: OTHER_OWNER, 2: OTHER_OWNER}, expect_failed=rows(1, 200),
               codes=["refused_422", "details_refused"])
    yield case("at most 50 contacts a request (422)", [thousand], 1 + 20, faults=["cap=50"])
    yield case("at most 30 contacts a request (413)", [thousand], 1 + math.ceil(1000 / 30), faults=["cap:413=30"])
    yield case("at most one contact a request", [rows(1, 100)], 1 + 100, faults=["cap=1"])
    yield case("one bad and at most 50 contacts a request", [thousand], 1 + 19 + search_least(50, 1), bad=[537],
               faults=["cap=50"])
    yield case("at most 25 contacts a request (422)", [rows(1, 2000)], 1 + 80, faults=["cap=25"])
    yield case("40 bad in one chunk", [thousand], 9 + search_least(100, 40), bad=rows(501, 40))
    yield case("40 bad in one chunk, with a budget of 50", [thousand], 9 + search_least(100, 40), bad=rows(501, 40),
               budget="50", codes=["refused_422", "not_isolated"])
    large = rows(1, 20000)
    for share in (0.5, 1, 3):
        bad = random.Random(7).sample(large, round(len(large) * share / 100))
        yield case(f"{share} % bad, anywhere", [large], least_of_chunks(large, bad), bad=bad, most=1.25)
    for share in (1, 3):
        bad = in_runs(large, round(len(large) * share / 100))
        yield case(f"{share} % bad, in runs of up to nine", [large], least_of_chunks(large, bad), bad=bad, most=1.25)


def run(program, c):
    folder = tempfile.mkdtemp(prefix="taskbarge-refusals-")
    faults = list(c.faults)
    if c.bad:
        faults.append(f"bad_contact{':named' if c.named else ''}=" + ",".join(contact(n) for n in sorted(c.bad)))
    options = ["--limits", "0,0,0", "--search-limits", "0,0,0"]
    for fault in faults:
        options += ["--fault", fault]
    apollo = sandbox(program, folder, options)
    try:
        extra = ["--set", "send.connections=1"] + (["--set", f"send.isolation_budget={c.budget}"] if c.budget else [])
        who = importer(program, folder, apollo, chunk=c.chunk, extra=extra)
        with open(who.input, "w", encoding="utf-8") as f:
            f.write("contact_id,user_id,type,status,due_at\n")
            for day, group in enumerate(c.groups):
                for n in group:
                    f.write(f"{contact(n)},{c.owners.get(day, OWNER)},call,scheduled,2027-03-{day + 1:02}T10:00:00Z\n")
        code, out, err = who.run()
        summary = json.loads(out)
        clean = not c.expect_failed
        if code != (0 if clean else 2):
            raise failed(f"{c.name}: exit {code}: {err}")
        check(c, who, apollo, summary)
        return summary
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def check(c, who, apollo, summary):
    asked = apollo.stats()["routes"]["bulk_create"]["requests"]
    if asked != summary["requests"]:
        raise failed(f"{c.name}: the program counts {summary['requests']} requests, the sandbox {asked}")
    made = {(t["contact_id"], t["due_at"][:10]) for t in apollo.tasks()}
    given_up = set()
    for r in who.results(summary["job"]):
        number = int(r["contact_id"], 16)
        row = r["row"]
        if r["state"] == "failed":
            if r["code"] == "not_isolated":
                given_up.add(number)
            elif number not in c.expect_failed:
                raise failed(f"{c.name}: row {row} failed ({r['code']}), but is good")
            elif c.codes and r["code"] not in c.codes:
                raise failed(f"{c.name}: row {row} has the code {r['code']}")
        elif r["state"] != "created" or number in c.expect_failed:
            if not (r["state"] == "created" and number not in c.bad):
                raise failed(f"{c.name}: row {row} is {r['state']}")
    if given_up and "not_isolated" not in c.codes:
        raise failed(f"{c.name}: not isolated: {sorted(given_up)[:5]}")
    if len(made) != summary["created"] or apollo.stats()["tasks_twice"] != 0:
        raise failed(f"{c.name}: {len(made)} tasks for {summary['created']} created rows")


def table(program):
    lines = ["| case | rows | created | failed | if it were known | least | requests |", "|---|--:|--:|--:|--:|--:|--:|"]
    for c in cases():
        s = run(program, c)
        known = c.if_known()
        if s["requests"] < known and s["created"] == sum(len(set(g) - c.expect_failed) for g in c.groups):
            raise failed(f"{c.name}: {s['requests']} requests cannot have created all that")
        if c.most and s["requests"] > c.most * c.least:
            raise failed(f"{c.name}: {s['requests']} requests are more than {c.most} times {c.least}")
        lines.append(f"| {c.name} | {s['rows']:,} | {s['created']:,} | {s['failed']:,} | {known:,} | {c.least:,} | "
                     f"{s['requests']:,} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args()
    try:
        figures = table(a.program)
    except failed as e:
        print(f"FAILED: {e}")
        return 1
    print(figures)
    with open(DOCS, encoding="utf-8") as f:
        page = f.read()
    before, rest = page.split(BEGIN)
    written, after = rest.split(END)
    if a.write:
        with open(DOCS, "w", encoding="utf-8") as f:
            f.write(f"{before}{BEGIN}\n{figures}\n{END}{after}")
        return 0
    if written.strip() != figures:
        print("FAILED: docs/refusals.md has other figures; look at them, then write them with --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
