#!/usr/bin/env python3
"""`plan` keeps to import.memory however long and different the notes are.

  plan_memory.py --program PATH

Plans 64 MB of notes, each of them different and the largest groups last, with import.memory = 16 MiB. Fails where the
peak memory passes 70 MiB, or where the largest groups are not shown with their notes. The same notes as rejected rows,
written by `plan --rejects`, must take no more than 48 MiB.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile

ROWS, NOTE = 2_000, 32_000
MOST, MOST_OF_REJECTS = 70 * 1024, 48 * 1024  # KiB


def write_rejects(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("contact_id,note\n")
        for row in range(ROWS):
            f.write(f"no id {row},{'x' * NOTE}\n")


def write_rows(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("contact_id,user_id,type,status,due_at,note\n")
        for row in range(ROWS + 20):
            note = row if row < ROWS else ROWS - 1 - row % 10  # the last ten groups have three rows
            f.write(f"{row:024x},66302798d03b9601c7934ebf,call,scheduled,2027-03-01T10:00:00Z,{note:08}{'x' * (NOTE - 8)}\n")


def plan(program, path, folder, wanted=0, more=()):
    out = os.path.join(folder, "out")
    child = os.fork()
    if child == 0:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.execve(program, [program, "plan", "--json", "--quiet", "--set", "import.memory=16MiB", *more, path],
                  {"PATH": os.environ["PATH"], "HOME": folder})
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != wanted:
        sys.exit(f"FAILED: plan said {code}")
    with open(out, encoding="utf-8") as f:
        return json.load(f), used.ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    program = os.path.abspath(parser.parse_args().program)
    folder = tempfile.mkdtemp(prefix="taskbarge-plan-")
    try:
        path = os.path.join(folder, "contacts.csv")
        write_rows(path)
        said, peak = plan(program, path, folder)
        write_rejects(path)
        fix = os.path.join(folder, "fix.csv")
        defaults = [word for field in ("user_id=66302798d03b9601c7934ebf", "type=call", "status=scheduled",
                                       "due_at=2027-03-01T10:00:00Z") for word in ("--set", f"defaults.{field}")]
        rejected, peak_of_rejects = plan(program, path, folder, 65, [*defaults, "--rejects", "-o", fix])
        written = os.path.getsize(fix)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{ROWS:,} notes of {NOTE:,} bytes: peak {peak / 1024:.1f} MiB")
    shown = [(group["rows"], int(group["note"][:8]), len(group["note"])) for group in said["largest_groups"]]
    if shown != [(3, ROWS - 10 + i, NOTE) for i in range(10)]:
        sys.exit(f"FAILED: the largest groups are {shown}")
    print(f"the same as rejects: peak {peak_of_rejects / 1024:.1f} MiB, {written:,} bytes written")
    if rejected["rejected"] != ROWS or written < ROWS * NOTE:
        sys.exit(f"FAILED: {rejected['rejected']} rows rejected, {written} bytes of them written")
    if peak_of_rejects > MOST_OF_REJECTS:
        sys.exit(f"FAILED: more than {MOST_OF_REJECTS // 1024} MiB for rejects")
    if peak > MOST:
        sys.exit(f"FAILED: more than {MOST // 1024} MiB")


if __name__ == "__main__":
    main()
