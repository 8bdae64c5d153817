#!/usr/bin/env python3
"""What a job leaves on the disk, and what reading it back takes.

  footprint.py --program PATH [--rows N ...]

For each number of rows: imports a file of that many from the sandbox, then tells the ledger's size against the input's, the
peak memory of `results` (CSV and JSONL), what de-duplication costs a second import whose task details are new, and the ledger's size
after `prune`. Fails where the ledger has more than 1.5 times the input, or where the memory of `results` grows with
the rows.
"""
import argparse
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, importer, sandbox  # noqa: E402

MOST_OF_INPUT = 1.5
MOST_GROWTH = 6 * 1024   # KiB of peak memory between the fewest and the most rows
ROWS_A_GROUP = 2000
EMPTY_LEDGER = 180 * 1024   # bytes: a page for each table and index


def write_rows(path, count, note, seed=1):
    chance = random.Random(seed)
    groups = max(1, count // ROWS_A_GROUP)
    with open(path, "w", encoding="utf-8") as f:
        f.write("contact_id,user_id,type,status,due_at,note\n")
        for _ in range(count):
            group = chance.randrange(groups)
            f.write(f"{chance.getrandbits(96):024x},66302798d03b9601c7934ebf,call,scheduled,"
                    f"2027-03-{1 + group // 1440:02}T{group // 60 % 24:02}:{group % 60:02}:00Z,{note} {group}\n")
    return os.path.getsize(path)


def measured(words, environment, out):
    """Runs to the end; gives exit code, peak memory in KiB and CPU seconds."""
    child = os.fork()
    if child == 0:
        fd = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, 1)
        os.execve(words[0], words, environment)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_maxrss, used.ru_utime + used.ru_stime


def import_file(who, out):
    code, _, cpu = measured([who.program, "import", who.input, *who.import_options], who.environment, out)
    if code != 0:
        raise failed(f"import said {code}")
    with open(out, encoding="utf-8") as f:
        return json.load(f), cpu


def count_lines(path):
    with open(path, "rb") as f:
        return sum(block.count(b"\n") for block in iter(lambda: f.read(1 << 20), b""))


def one_size(program, rows):
    folder = tempfile.mkdtemp(prefix="taskbarge-footprint-")
    apollo = sandbox(program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0"])
    try:
        out = os.path.join(folder, "out")
        who = importer(program, folder, apollo, chunk=100, extra=["--set", "send.connections=8"])
        size = write_rows(who.input, rows, "campaign")
        first, cpu_alone = import_file(who, out)
        if first["created"] != rows:
            raise failed(f"{first}")
        ledger = os.path.getsize(who.ledger)
        peaks = {}
        for kind in ("csv", "jsonl"):
            code, peaks[kind], _ = measured([program, "results", "1", "--format", kind, *who.options], who.environment, out)
            if code != 0 or count_lines(out) != rows + (kind == "csv"):
                raise failed(f"results --format {kind}: exit {code}, {count_lines(out)} lines")
        who.input = os.path.join(folder, "other.csv")
        write_rows(who.input, rows, "another")
        other, cpu_beside = import_file(who, out)
        if other["created"] != rows:
            raise failed(f"{other}")
        with sqlite3.connect(who.ledger) as book:
            book.execute("UPDATE jobs SET finished_at = finished_at - 100 * 86400000")
        book.close()
        code, _, cpu_prune = measured([program, "prune", "--older-than", "90d", "--json", *who.options], who.environment, out)
        with open(out, encoding="utf-8") as f:
            pruned = json.load(f)
        if code != 0 or len(pruned["pruned"]) != 2:
            raise failed(f"prune: {pruned}")
        print(f"{rows:,} rows: input {size / 1e6:.1f} MB, ledger {ledger / 1e6:.1f} MB ({ledger / size:.2f} times the input); "
              f"results peak {peaks['csv'] / 1024:.1f} MiB (CSV), {peaks['jsonl'] / 1024:.1f} MiB (JSONL); "
              f"import {cpu_alone:.2f} s of CPU, beside as many earlier rows with other details {cpu_beside:.2f} s; "
              f"both jobs pruned in {cpu_prune:.2f} s of CPU: {pruned['bytes_before'] / 1e6:.1f} MB to "
              f"{pruned['bytes_after'] / 1e6:.1f} MB", flush=True)
        if ledger > MOST_OF_INPUT * size:
            raise failed(f"the ledger has {ledger / size:.2f} times the input")
        if (pruned["bytes_after"] - EMPTY_LEDGER) * 2 > pruned["bytes_before"] - EMPTY_LEDGER:
            raise failed("prune gave too little back")
        return peaks
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    a = parser.parse_args()
    try:
        peaks = [one_size(a.program, rows) for rows in sorted(a.rows)]
        for kind in ("csv", "jsonl"):
            if peaks[-1][kind] > peaks[0][kind] + MOST_GROWTH:
                raise failed(f"results --format {kind}: {peaks[0][kind]} KiB grow to {peaks[-1][kind]} KiB")
        return 0
    except failed as e:
        print(f"FAILED: {e}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
