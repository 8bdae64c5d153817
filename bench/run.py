#!/usr/bin/python3
"""Measures taskbarge beside the parts that it is made of, in one run, and says how far it is from each target.

usage: bench/run.sh [--rows N] [--rounds N] [--work FOLDER] [--only WORD,...] [--docs]

Everything is run in turn, round after round, so that a machine that changes its speed changes it for all. Times are
wall time and CPU time (user and system of the whole process), memory is the peak of resident memory; of all rounds the
median counts. The sandbox runs beside the client on the same machine, answers with ids only and has no limits.
"""
import argparse
import csv
import json
import math
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parent
BUILD = REPO / "build" / "bench"
TASKBARGE = BUILD / "src" / "cli" / "taskbarge"
MIB = 1024.0
PARTS = ("read", "import", "scripts", "memory", "results", "growth")
CHUNK = 100
CONNECTIONS = 8
TABLE_BEGIN, TABLE_END = "<!-- table -->", "<!-- end of table -->"


class Run:
    """One process from start to end: its times, its memory, what it printed."""

    def __init__(self, command, env=None, codes=(0,)):
        # A process started from here counts this one's memory as its own; `time` is small.
        measured = ["/usr/bin/time", "-q", "-f", "peak %M"]
        began = time.monotonic()
        with subprocess.Popen(
            measured + [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True
        ) as process:
            # What these programs print fits a pipe; results go to a file.
            _, status, usage = os.wait4(process.pid, 0)
            self.wall = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            self.out, self.err = process.stdout.read(), process.stderr.read()
        self.cpu = usage.ru_utime + usage.ru_stime
        self.err, _, peak = self.err.rpartition("peak ")
        self.mib = int(peak or 0) / MIB
        if process.returncode not in codes:
            sys.exit(f"{' '.join(map(str, command))}: exit code {process.returncode}\n{self.out}{self.err}")


class Sandbox:
    """A fresh sandbox for one client."""

    def __init__(self, folder, limits="0,0,0"):
        self.state = folder / "sandbox"
        none = "0,0,0"
        self.process = subprocess.Popen(
            [TASKBARGE, "sandbox", "--state", self.state, "--minimal-answers", "--no-gzip", "--quiet", "--limits", limits]
            + ["--search-limits", none, "--users-limits", none, "--usage-limits", none],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        told = {}
        while "APOLLO_API_KEY" not in told:
            line = self.process.stdout.readline()
            if not line:
                sys.exit("the sandbox did not start")
            name, _, value = line.strip().partition("=")
            told[name] = value
        self.url, self.ca = told["base_url"], told["ca_file"]
        self.env = dict(os.environ, APOLLO_API_KEY=told["APOLLO_API_KEY"])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def create_requests(self):
        """How many requests came in on bulk_create, by its own count."""
        import ssl
        import urllib.request

        request = urllib.request.Request(
            self.url.replace("/api/v1", "") + "/sandbox/stats", headers={"x-api-key": self.env["APOLLO_API_KEY"]}
        )
        with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=self.ca)) as answer:
            stats = json.load(answer)
        return sum(stats["routes"]["bulk_create"]["by_status"].values())


class Samples:
    """The runs of one thing, over the rounds."""

    def __init__(self):
        self.runs = []

    def add(self, wall, cpu, mib=0.0):
        self.runs.append((wall, cpu, mib))

    def median(self, what):
        return statistics.median(r[("wall", "cpu", "mib").index(what)] for r in self.runs)

    def spread(self, what):
        values = [r[("wall", "cpu", "mib").index(what)] for r in self.runs]
        return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = Path(options.work)
        self.work.mkdir(parents=True, exist_ok=True)
        self.samples = {}
        self.points = []
        self.requests = []  # (what, sent, minimum)

    # ------------------------------------------------------------------------------------------------------ running

    def note(self, name, run):
        self.samples.setdefault(name, Samples()).add(run.wall, run.cpu, run.mib)
        print(f"  {name:44} {run.wall:8.2f} s {run.cpu:8.2f} s CPU {run.mib:8.0f} MiB", flush=True)
        return run

    def data(self, rows, groups, form):
        path = self.work / f"contacts-{rows}-{groups}.{form}"
        if not path.exists():
            part = path.with_suffix(".part")
            subprocess.run([BUILD / "bench" / "contacts", str(rows), str(groups), form, part], check=True)
            part.rename(path)
        return path

    def warm(self, path):
        with open(path, "rb", buffering=0) as f:
            while f.read(1 << 22):
                pass

    def bare(self, name, program, *arguments):
        return self.note(name, Run([BUILD / "bench" / program, *arguments]))

    def plan(self, name, path):
        # A ledger of its own, so that the user's is not opened.
        return self.note(name, Run([TASKBARGE, "plan", path, "--ledger", self.work / "no.db", "--quiet"]))

    def remove_ledger(self, ledger):
        for end in ("", "-wal", "-shm", ".lock"):
            Path(str(ledger) + end).unlink(missing_ok=True)

    def load(self, name, path, ledger, limits="0,0,0", more=(), codes=(0,)):
        """One import into a fresh ledger against a fresh sandbox."""
        self.remove_ledger(ledger)
        with Sandbox(self.work, limits) as apollo:
            command = [TASKBARGE, "import", path, "--ledger", ledger, "--base-url", apollo.url, "--ca-file", apollo.ca]
            run = self.note(name, Run(command + ["--json", "--quiet", *more], apollo.env, codes))
            told = json.loads(run.out)
            if codes == (0,):
                self.requests.append((name, apollo.create_requests(), told["minimum_requests"]))
        run.told = told
        return run

    def bodies(self, path):
        """The bodies of an import of that file, one a line."""
        target = self.work / "bodies.jsonl"
        fields = ("user_id", "type", "priority", "status", "due_at", "note")
        groups = {}
        with open(path, newline="", encoding="utf-8") as source:
            for row in csv.DictReader(source):
                groups.setdefault(tuple(row[f] for f in fields), []).append(row["contact_id"])
        with open(target, "w", encoding="utf-8") as out:
            for details, contacts in groups.items():
                for i in range(0, len(contacts) - CHUNK + 1, CHUNK):
                    body = dict(zip(fields, details), contact_ids=contacts[i : i + CHUNK])
                    out.write(json.dumps(body, separators=(",", ":")) + "\n")
        return target

    def wrk(self, name, requests, bodies):
        """wrk's time for so many requests. It runs for a time, not for a number: its rate tells."""
        with Sandbox(self.work) as apollo:
            seconds = max(1, min(3, requests // 2000))
            env = dict(apollo.env, BODIES=str(bodies), SSL_CERT_FILE=apollo.ca)
            run = Run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", HERE / "wrk_bodies.lua", apollo.url], env)
        done = int(re.search(r"(\d+) requests in", run.out)[1])
        if "Non-2xx" in run.out:
            sys.exit("wrk was refused:\n" + run.out)
        run.wall, run.cpu = seconds * requests / done, run.cpu * requests / done
        return self.note(name, run)

    # ------------------------------------------------------------------------------------------------------ the points

    def point(self, number, what, measured, target, met, unit=""):
        self.points.append(
            {"point": number, "what": what, "measured": measured, "target": target, "met": bool(met), "unit": unit}
        )

    def ratio(self, number, what, mine, parts, most, kind="wall"):
        """The median over the rounds of mine / sum of parts, each round's own."""
        rounds = range(min(len(self.samples[n].runs) for n in (mine, *parts)))
        at = ("wall", "cpu", "mib").index(kind)
        values = [
            self.samples[mine].runs[r][at] / sum(self.samples[p].runs[r][at] for p in parts) for r in rounds
        ]
        value = statistics.median(values)
        self.point(number, f"{what} ({min(values):.2f}-{max(values):.2f})", value, f"<= {most}", value <= most, "x")

    def faster(self, number, what, other, mine, least):
        values = [o[0] / m[0] for o, m in zip(self.samples[other].runs, self.samples[mine].runs)]
        value = statistics.median(values)
        self.point(number, f"{what} ({min(values):.1f}-{max(values):.1f})", value, f">= {least}", value >= least, "x")

    def read(self, rows):
        """Point 1: reading."""
        files = {form: self.data(rows, 50, form) for form in ("csv", "jsonl")}
        for r in range(self.options.rounds):
            self.round("reading", r)
            for form, program in (("csv", "bare_csv"), ("jsonl", "bare_jsonl")):
                self.warm(files[form])
                self.bare(f"{form}: {program[5:]} loop alone", program, files[form])
                self.plan(f"{form}: plan", files[form])
        self.ratio(1, "plan of CSV / bare CSVReader loop, wall", "csv: plan", ["csv: csv loop alone"], 1.0)
        self.ratio(1, "the same, CPU", "csv: plan", ["csv: csv loop alone"], math.inf, "cpu")
        self.ratio(1, "plan of JSONL / bare DOM loop, wall", "jsonl: plan", ["jsonl: jsonl loop alone"], 1.2)
        self.ratio(1, "the same, CPU", "jsonl: plan", ["jsonl: jsonl loop alone"], math.inf, "cpu")

    def import_(self, rows):
        """Point 2: an import and its parts, alternating."""
        path = self.data(rows, 50, "csv")
        bodies = self.bodies(self.data(max(rows // 50, 10_000), 50, "csv"))
        ledger = self.work / "import.db"
        for r in range(self.options.rounds):
            self.round("import", r)
            self.warm(path)
            self.bare("parts: CSV loop", "bare_csv", path)
            run = self.load("import", path, ledger)
            self.wrk("parts: wrk, as many requests", run.told["requests"], bodies)
            bare = self.work / "bare.db"
            self.bare("parts: bare ledger writes", "bare_ledger", bare, rows, CHUNK, CONNECTIONS)
            self.remove_ledger(bare)
        parts = ["parts: CSV loop", "parts: wrk, as many requests", "parts: bare ledger writes"]
        self.ratio(2, "import / sum of CSV loop, wrk, ledger, wall", "import", parts, 1.5)
        self.ratio(2, "the same, CPU", "import", parts, 1.25, "cpu")

    def scripts(self, rows):
        """Point 3: what users write."""
        path = self.data(rows, 50, "csv")
        for r in range(self.options.rounds):
            self.round("scripts", r)
            self.warm(path)
            for name, command in (
                ("Python script", ["/usr/bin/python3", HERE / "user_script.py"]),
                ("Node script", ["node", HERE / "user_script.mjs"]),
            ):
                self.note(f"{name}, reading and grouping only", Run(command + [path]))
                with Sandbox(self.work) as apollo:
                    self.note(name, Run(command + [path, apollo.url, apollo.ca], apollo.env))
            self.plan("plan beside scripts", path)
            self.load("import beside scripts", path, self.work / "scripts.db")
        for name in ("Python script", "Node script"):
            self.faster(3, f"import against the {name}, times faster, wall", name, "import beside scripts", 10)
            self.faster(3, f"plan against its reading and grouping", f"{name}, reading and grouping only",
                        "plan beside scripts", 10)
            self.ratio(3, f"memory of import / {name}", "import beside scripts", [name], 0.25, "mib")

    def memory(self, rows):
        """Point 4: peak memory."""
        self.round("memory", 0)
        for n in (rows // 5, rows, rows * 2):
            path = self.data(n, 50, "csv")
            for name, run in (
                (f"plan of {n:,} rows", self.plan(f"plan of {n:,} rows", path)),
                (f"import of {n:,} rows", self.load(f"import of {n:,} rows", path, self.work / "memory.db")),
            ):
                most = 64 + 32 * n / MIB / MIB
                self.point(4, f"peak memory, {name}", run.mib, f"<= {most:.0f} MiB", run.mib <= most, " MiB")
        groups = rows // 10
        path = self.data(rows, groups, "csv")
        run = self.plan(f"plan of {groups:,} groups", path)
        self.point(4, f"peak memory, plan of {groups:,} groups", run.mib, "<= 256 MiB", run.mib <= 256, " MiB")
        # Half a million requests are more than memory needs: planned completely, parked after a hundred.
        run = self.load(f"import of {groups:,} groups, parked", path, self.work / "memory.db", "100,0,0",
                        ("--max-wait", "1s"), (75,))
        self.point(4, f"peak memory, import of {groups:,} groups", run.mib, "<= 256 MiB", run.mib <= 256, " MiB")

    def results(self, rows):
        """Points 6 and 7: on the ledger of a finished import."""
        path = self.data(rows, 50, "csv")
        ledger = self.work / "import.db"
        with Sandbox(self.work) as apollo:
            where = ["--ledger", ledger, "--base-url", apollo.url, "--ca-file", apollo.ca]
            self.remove_ledger(ledger)
            self.note("import for results", Run([TASKBARGE, "import", path, *where, "--quiet"], apollo.env))
            small_path, small = self.data(rows // 5, 50, "csv"), self.work / "small.db"
            self.remove_ledger(small)
            Run([TASKBARGE, "import", small_path, "--ledger", small, *where[2:], "--quiet"], apollo.env)
            out = self.work / "results.csv"
            for r in range(self.options.rounds):
                self.round("results", r)
                self.warm(path)
                self.note("results as CSV", Run([TASKBARGE, "results", "1", "--ledger", ledger, "-o", out]))
                self.note("results as CSV, a fifth", Run([TASKBARGE, "results", "1", "--ledger", small, "-o", out]))
                self.note("hashing alone", Run(["openssl", "dgst", "-sha256", path]))
                self.note("import of a finished file", Run([TASKBARGE, "import", path, *where, "--quiet"], apollo.env))
                self.note("resume JOB", Run([TASKBARGE, "resume", "1", *where, "--quiet"], apollo.env))
                self.note("status JOB", Run([TASKBARGE, "status", "1", "--ledger", ledger]))
            lines = sum(1 for _ in open(out, "rb"))
            if lines != rows // 5 + 1:
                sys.exit(f"results: {lines} lines instead of {rows // 5 + 1}")
            out.unlink()
        rate = rows / self.samples["results as CSV"].median("wall") / 1e6
        self.point(6, "results as CSV, million rows a second", rate, ">= 1", rate >= 1)
        growth = self.samples["results as CSV"].median("mib") - self.samples["results as CSV, a fifth"].median("mib")
        # SQLite's page cache, 16 MiB, is not yet full with few rows.
        self.point(6, "results: more memory than for a fifth of the rows", growth, "<= 16 MiB", growth <= 16, " MiB")
        self.ratio(7, "import of a finished file / hashing it, wall", "import of a finished file", ["hashing alone"], 1.1)
        for name in ("resume JOB", "status JOB"):
            value = self.samples[name].median("wall")
            self.point(7, name, value, "<= 0.2 s", value <= 0.2, " s")

    def growth(self, rows):
        """Point 8: time against rows."""
        sizes = [rows // 50, rows // 5, rows, rows * 2]
        for r in range(min(3, self.options.rounds)):
            self.round("growth", r)
            for n in sizes:
                path = self.data(n, 50, "csv")
                self.warm(path)
                self.plan(f"growth: plan {n}", path)
                measured = self.samples.get(f"import of {n:,} rows")
                if measured:  # by memory()
                    self.samples[f"growth: import {n}"] = measured
                elif n <= rows // 5 or r == 0:
                    self.load(f"growth: import {n}", path, self.work / "growth.db")
        for what in ("plan", "import"):
            for kind in ("wall", "cpu"):
                times = [self.samples[f"growth: {what} {n}"].median(kind) for n in sizes]
                slope = exponent(sizes, times)
                self.point(8, f"{what}: exponent of {kind} time against rows", slope, "<= 1.05", slope <= 1.05)

    def round(self, what, r):
        print(f"{what}, round {r + 1}", flush=True)

    # ------------------------------------------------------------------------------------------------------ the end

    def run(self):
        rows = self.options.rows
        calls = {"read": self.read, "import": self.import_, "scripts": lambda n: self.scripts(n // 5)}
        calls |= {"memory": self.memory, "results": self.results, "growth": self.growth}
        for part in self.options.only:
            calls[part](rows)
        if self.requests:
            wrong = [r for r in self.requests if r[1] != r[2]]
            self.point(5, f"imports with more requests than the minimum, of {len(self.requests)}", len(wrong), "0",
                       not wrong)
        self.points.sort(key=lambda p: p["point"])

    def report(self):
        print(f"\n{self.options.rows:,} rows, {self.options.rounds} rounds, {os.cpu_count()} cores, "
              f"load {os.getloadavg()[0]:.1f} at the end\n")
        print(f"{'':46} {'wall s, median (range)':>26} {'CPU s, median (range)':>26} {'MiB':>6}")
        for name, samples in self.samples.items():
            print(f"{name:46} {samples.spread('wall'):>26} {samples.spread('cpu'):>26} {samples.median('mib'):6.0f}")
        print(f"\n{'point':5} {'':68} {'measured':>12} {'target':>12}")
        for p in self.points:
            target = "" if p["target"] == "<= inf" else p["target"]
            verdict = "" if not target else "met" if p["met"] else "NOT MET"
            print(f"{p['point']:5} {p['what']:68} {p['measured']:10.2f}{p['unit']:5} {target:>12} {verdict}")
        kept = self.work / "bench.json"
        kept.write_text(json.dumps({
            "rows": self.options.rows,
            "rounds": self.options.rounds,
            "points": [dict(p, target="" if p["target"] == "<= inf" else p["target"]) for p in self.points],
            "samples": {name: s.runs for name, s in self.samples.items()},
        }, indent=1))
        if self.options.docs:
            self.write_docs(kept)

    def write_docs(self, kept):
        """Replaces the table and the picture of docs/performance.md."""
        page, picture = REPO / "docs" / "performance.md", REPO / "docs" / "performance.png"
        subprocess.run([HERE / "plot_speed.py", kept, picture], check=True)
        lines = [
            f"{self.options.rows:,} rows, {self.options.rounds} rounds, {os.cpu_count()} cores ({cpu_name()}), "
            f"{date.today()}, load {os.getloadavg()[0]:.1f} at the end:",
            "",
            "| point | what (range over the rounds) | measured | target | |",
            "|---|---|---|---|---|",
        ]
        for p in self.points:
            target = "" if p["target"] == "<= inf" else p["target"]
            verdict = "" if not target else "met" if p["met"] else "not met"
            lines.append(f"| {p['point']} | {p['what']} | {p['measured']:.2f}{p['unit']} | {target} | {verdict} |")
        lines += ["", "| run | wall s, median (range) | CPU s, median (range) | MiB |", "|---|---|---|---|"]
        for name, s in self.samples.items():
            lines.append(f"| {name} | {s.spread('wall')} | {s.spread('cpu')} | {s.median('mib'):.0f} |")
        text = page.read_text(encoding="utf-8")
        before, _, rest = text.partition(TABLE_BEGIN)
        _, _, after = rest.partition(TABLE_END)
        if not after:
            sys.exit(f"{page}: the marks around the table are missing")
        page.write_text(before + TABLE_BEGIN + "\n" + "\n".join(lines) + "\n" + TABLE_END + after, encoding="utf-8")


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        return next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown")


def exponent(sizes, times):
    """The slope of the straight line through the logarithms."""
    xs, ys = [math.log(n) for n in sizes], [math.log(t) for t in times]
    mx, my = statistics.fmean(xs), statistics.fmean(ys)
    return sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="100000 takes a minute")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", default=str(BUILD / "run"), help="for data and ledgers: 12 GB at full size, on a real disk")
    parser.add_argument("--only", default=",".join(PARTS), type=lambda text: text.split(","), help=", ".join(PARTS))
    parser.add_argument("--docs", action="store_true", help="write table and picture into docs/performance.*")
    options = parser.parse_args()
    if options.rows < 50_000:
        parser.error("--rows: at least 50000, below that starting up is all that is measured")
    if unknown := set(options.only) - set(PARTS):
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    if isinstance(options.only, str):
        options.only = options.only.split(",")
    bench = Bench(options)
    bench.run()
    bench.report()


if __name__ == "__main__":
    main()
