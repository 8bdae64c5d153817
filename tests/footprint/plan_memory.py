#!/usr/bin/env python3
"""`plan` keeps to import.memory however long and different the notes are.

  plan_memory.py --program PATH

Plans 64 MB of notes, each of them different and the largest groups last, with import.memory = 16 MiB. Fails where the
peak memory passes 70 MiB, or where the largest groups are not shown with their notes.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile

ROWS, NOTE = 2_000, 32_000
MOST = 70 * 1024  # KiB


def write_rows(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("contact_id,user_id,type,status,due_at,note\n")
        for row in range(ROWS + 20):
            note = row if row < ROWS else ROWS - 1 - row % 10  # the last ten groups have three rows
            f.write(f"{row:024x},66302798d03b9601c7934ebf,call,scheduled,2027-03-01T10:00:00Z,{note:08}{'x' * (NOTE - 8)}\n")


def plan(program, path, folder):
    out = os.path.join(folder, "out")
    child = os.fork()
    if child == 0:
        os.dup2(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        os.execve(program, [program, "plan", "--json", "--quiet", "--set", "import.memory=16MiB", path],
                  {"PATH": os.environ["PATH"], "HOME": folder})
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
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
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{ROWS:,} notes of {NOTE:,} bytes: peak {peak / 1024:.1f} MiB")
    shown = [(group["rows"], int(group["note"][:8]), len(group["note"])) for group in said["largest_groups"]]
    if shown != [(3, ROWS - 10 + i, NOTE) for i in range(10)]:
        sys.exit(f"FAILED: the largest groups are {shown}")
    if peak > MOST:
        sys.exit(f"FAILED: more than {MOST // 1024} MiB")


if __name__ == "__main__":
    main()
