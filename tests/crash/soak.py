#!/usr/bin/env python3
"""A long import under faults and kills: nothing lost, nothing made twice, every undecidable row listed.

The real program imports a file of --rows rows from the sandbox over TLS. Of the sandbox's create requests --faults
percent go wrong, in fourteen ways; the import is killed with SIGKILL --kills times, at moments that the seed draws over
the whole job (when the sandbox has made so many tasks, and a while after), and started again each time, as cron would.
Afterwards each row of `results` is held against the sandbox's own journal of the tasks that it has made.

  soak.py --program PATH [--rows N] [--kills N] [--faults PERCENT] [--search-visible N] [--seed N]

Without --search-visible the search shows every task; with 50000 it shows as many as Apollo's does, and rows whose fate
cannot be looked up must end as `unknown`. Exit status 0 when every promise held.
"""
import argparse
import collections
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, importer, sandbox, settle_last  # noqa: E402

# What goes wrong, in equal parts.
FAULTS = ["500:before", "500:after", "502:after", "503:before", "504:later:500ms", "408:after", "reset:before",
          "reset:after", "reset:mid_answer", "close:after", "cut", "html:after", "missing=3", "429=1"]
ROWS_A_GROUP = 2000
OWNER = "66302798d03b9601c7934ebf"
KILLS_IN_PLANNING = 0.06     # of all kills
MOST_SECONDS_AFTER = 4.0     # a kill comes up to so long after its number of tasks was reached
MOST_RUNS_MORE = 40          # beyond one a kill, until the job is finished
STATES = ("created", "duplicate", "rejected", "failed", "unknown", "pending")


def write_rows(path, count, seed):
    """Groups that stand mixed through the file, each with its own due date; each contact once."""
    chance = random.Random(seed)
    groups = max(1, count // ROWS_A_GROUP)
    with open(path, "w", encoding="utf-8") as f:
        f.write("contact_id,user_id,type,status,due_at,note\n")
        for row in range(count):
            # The row's number in the id: contacts differ, and the journal tells the row of each task.
            group = chance.randrange(groups)
            minute = group % 60
            hour = group // 60 % 24
            day = 1 + group // 1440
            f.write(f"{chance.getrandbits(64):016x}{row + 1:08x},{OWNER},call,scheduled,"
                    f"2027-03-{day:02}T{hour:02}:{minute:02}:00Z,campaign {group}\n")


def row_of(contact):
    return int(contact[16:], 16)


class journal:
    """The sandbox's journal, read as it grows: how many tasks there are by now."""

    def __init__(self, path):
        self.path, self.read, self.lines = path, 0, 0

    def count(self):
        with open(self.path, "rb") as f:
            f.seek(self.read)
            while block := f.read(1 << 20):
                self.read += len(block)
                self.lines += block.count(b"\n")
        return self.lines


def plan_kills(count, rows, seed):
    """(tasks made, seconds after that) of each kill, in order; the first ones while the plan is still being made."""
    chance = random.Random(f"kills {seed}")
    early = round(count * KILLS_IN_PLANNING)
    at = [0] * early + sorted(chance.randrange(1, rows) for _ in range(count - early))
    return [(tasks, chance.uniform(0.05, MOST_SECONDS_AFTER) * chance.random()) for tasks in at]


def run_until_killed(who, log, tasks, seconds, limit):
    """One run. True: it was killed; else what it printed is in `out`."""
    process = who.start()
    end = time.monotonic() + limit
    while process.poll() is None and log.count() < tasks:
        if time.monotonic() > end:
            process.kill()
            process.communicate()
            raise failed(f"a run did not reach {tasks} tasks in {limit} s")
        time.sleep(0.01)
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True, None, ""
    if process.returncode not in (0, 2, 69, 75):
        raise failed(f"exit {process.returncode}: {err}")
    return False, (process.returncode, out), err


def check_sum(who):
    """The states add up; says whether rows were in doubt at the moment of the kill."""
    jobs = who.jobs()
    if not jobs:
        return "planning"
    code, out, err = who.command("status", str(jobs[-1]["job"]), "--json")
    status = json.loads(out)
    if sum(status[s] for s in STATES) != status["rows"]:
        raise failed(f"the states do not add up: {out}")
    return "in doubt" if status["unknown"] else "settled"


def drive(who, log, a):
    """Kills, starts again, until the job is finished. Gives the last summary and what the kills hit."""
    hit = collections.Counter()
    killed = runs = 0
    for tasks, seconds in plan_kills(a.kills, a.rows, a.seed):
        for _ in range(MOST_RUNS_MORE):
            was_killed, ended, err = run_until_killed(who, log, tasks, seconds, a.run_limit)
            runs += 1
            if was_killed:
                break
            code, out = ended
            if code in (0, 2):
                raise failed(f"the job was finished before kill {killed + 1} of {a.kills}")
            time.sleep(0.2)  # parked
        else:
            raise failed("parked again and again")
        killed += 1
        hit[check_sum(who)] += 1
        if a.verbose:
            print(f"kill {killed} at {log.count()} tasks ({time.monotonic() - a.began:.0f} s): {dict(hit)}", flush=True)
    for _ in range(MOST_RUNS_MORE):
        was_killed, ended, err = run_until_killed(who, log, a.rows + 1, a.run_limit, a.run_limit)
        runs += 1
        if was_killed:
            raise failed("the last run did not end in time")
        check_sum(who)
        if ended[0] in (0, 2):
            return json.loads(ended[1]), hit, runs
        if a.verbose:
            print(f"run {runs}: {err.strip()}", flush=True)
        time.sleep(0.2)
    raise failed("not finished")


def read_journal(path):
    """The ids of the tasks made for each row, and the groups that they were made in."""
    made = collections.defaultdict(list)
    with open(path, encoding="utf-8") as f:
        for line in f:
            task = json.loads(line)
            made[row_of(task["contact_id"])].append(task["id"])
    return made


def check_results(path, made, rows):
    """Holds every line of `results` against the journal. Gives rows by state and code, and the faults found."""
    seen = collections.Counter()
    wrong = collections.Counter()
    examples = {}
    expected = 0

    def note(kind, r):
        wrong[kind] += 1
        examples.setdefault(kind, r)

    with open(path, encoding="utf-8") as f:
        for line in f:
            r = json.loads(line)
            expected += 1
            tasks = made.get(r["row"], [])
            seen[r["state"], r["code"] or ""] += 1
            if r["row"] != expected or row_of(r["contact_id"]) != r["row"]:
                note("lost", r)
            if len(tasks) > 1:
                note("twice", r)
            if r["state"] == "created" and r["task_id"] not in tasks:
                note("said to be created, but is not", r)
            if r["state"] == "failed" and tasks:
                note("said to have failed, but is created", r)
            if r["state"] in ("pending", "rejected", "duplicate"):
                note("not finished", r)
            if r["possible_duplicate"]:
                note("sent again while in doubt", r)
            if not tasks and r["state"] not in ("unknown", "failed"):
                note("lost", r)
    if expected != rows:
        wrong["lost"] += abs(rows - expected)
    return seen, wrong, examples


def soak(a, folder):
    a.began = time.monotonic()
    log_path = os.path.join(folder, "journal.jsonl")
    visible = a.search_visible or 2 * a.rows
    faults = []
    for fault in FAULTS:
        faults += ["--fault", f"{fault}%{a.faults / len(FAULTS):.4f}"]
    apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0", "--seed", str(a.seed),
                                         "--latency", "20ms", "--latency-jitter", "20ms", "--search-visible", str(visible),
                                         "--journal", log_path, *faults])
    try:
        who = importer(a.program, folder, apollo, chunk=a.chunk,
                       extra=["--set", "send.connections=8", "--set", f"limits.search_visible={visible}"])
        write_rows(who.input, a.rows, a.seed)
        log = journal(log_path)
        summary, hit, runs = drive(who, log, a)
        if not a.search_visible:
            summary = settle_last(who, summary)
        took = time.monotonic() - a.began
        results = os.path.join(folder, "results.jsonl")
        code, _, err = who.command("results", str(summary["job"]), "--format", "jsonl", "-o", results)
        if code != 0:
            raise failed(f"results said {code}: {err}")
        stats = apollo.stats()
    finally:
        apollo.stop()
    made = read_journal(log_path)
    seen, wrong, examples = check_results(results, made, a.rows)
    struck = sum(f["strikes"] for f in stats["faults"])
    states = collections.Counter()
    for (state, _), count in seen.items():
        states[state] += count
    print(f"{a.rows} rows, {a.kills} kills ({hit['planning']} while planning, {hit['in doubt']} with rows in doubt), "
          f"{runs} runs, {took:.0f} s; search shows {'all tasks' if not a.search_visible else visible}")
    print(f"lost {wrong['lost']}, twice {wrong['twice']}")
    print("rows: " + ", ".join(f"{state}{' ' + code if code else ''} {count}"
                               for (state, code), count in sorted(seen.items())))
    print(f"requests {summary['requests']}, minimum {summary['minimum_requests']}, extra "
          f"{summary['requests'] - summary['minimum_requests']} ({struck} requests struck by faults, {summary['rate_limited']} "
          f"of them 429s); look-ups {sum(stats['routes']['search']['by_status'].values())}")
    if wrong:
        for kind, count in wrong.items():
            print(f"FAILED: {kind}: {count}, such as {examples.get(kind)}")
        return 1
    for state in ("created", "failed", "unknown"):
        if states[state] != summary[state]:
            print(f"FAILED: the summary says {summary[state]} {state}, the results {states[state]}")
            return 1
    if not a.search_visible and states["created"] != a.rows:
        print("FAILED: the search shows everything, so every row can be settled")
        return 1
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--faults", type=float, default=5.0)
    parser.add_argument("--search-visible", type=int, default=0)
    parser.add_argument("--chunk", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run-limit", type=int, default=3600, help="seconds that one run may take")
    parser.add_argument("--folder", help="where the files are kept, and stay")
    parser.add_argument("--verbose", action="store_true")
    a = parser.parse_args()
    folder = a.folder or tempfile.mkdtemp(prefix="taskbarge-soak-")
    os.makedirs(folder, exist_ok=True)
    try:
        return soak(a, folder)
    except failed as e:
        print(f"FAILED: {e}")
        return 1
    finally:
        if not a.folder:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
