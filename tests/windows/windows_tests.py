#!/usr/bin/env python3
"""The rate windows over real sockets: used to the full, never overrun.

  windows_tests.py --program PATH pace        one import, 32 connections, short windows
  windows_tests.py --program PATH together    two processes with two jobs on one ledger
  windows_tests.py --program PATH others      somebody else spends the same budget
  windows_tests.py --program PATH park        a wait beyond send.max_wait parks, an early resume sends nothing
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, finish, importer, sandbox, write_input  # noqa: E402

LENGTHS = "2s,6s,60s"
MINUTE, HOUR = 2.0, 6.0


def limits(minute, hour, day, extra=()):
    return ["--limits", f"{minute},{hour},{day}", "--search-limits", "0,0,0", "--window-lengths", LENGTHS,
            "--latency", "20ms", "--latency-jitter", "20ms", *extra]


def options(connections=32):
    return ["--set", f"send.connections={connections}", "--set", f"limits.window_lengths={json.dumps(LENGTHS.split(','))}"]


def least_seconds(requests, minute, hour):
    """docs/rate-limits.md: the last request goes when its window opens, were there no latency."""
    hours, rest = divmod(requests - 1, hour)
    return hours * HOUR + (rest // minute) * MINUTE


def throttled(apollo):
    return apollo.stats()["throttled"]


def pace(program, folder):
    apollo = sandbox(program, folder, limits(10, 25, 1000))
    try:
        who = importer(program, folder, apollo, chunk=10, extra=options())
        rows = write_input(who.input, 3, groups=6, rows=100)
        began = time.monotonic()
        summary = finish(who)
        took = time.monotonic() - began
        least = least_seconds(summary["minimum_requests"], 10, 25)
        if summary["created"] != rows or summary["requests"] != summary["minimum_requests"]:
            raise failed(f"{summary}")
        if throttled(apollo) != 0 or summary["rate_limited"] != 0:
            raise failed(f"{throttled(apollo)} answers 429 although alone")
        print(f"{summary['requests']} requests in {took:.2f} s; the windows allow {least:.2f} s; 429s: 0")
        # A loose bound for a loaded machine; the figures of merit come from the simulation.
        if took > least * 1.5 + 3:
            raise failed("the windows were not used")
    finally:
        apollo.stop()


def together(program, folder):
    apollo = sandbox(program, folder, limits(10, 25, 1000))
    try:
        both = []
        for number in (1, 2):
            who = importer(program, folder, apollo, chunk=10, extra=options(8))
            who.input = os.path.join(folder, f"contacts-{number}.csv")
            rows = write_input(who.input, number, groups=3, rows=80)
            both.append((who, rows, who.start()))
        for who, rows, process in both:
            out, err = process.communicate(timeout=90)
            summary = json.loads(out)
            if process.returncode not in (0, 75) or (process.returncode == 0 and summary["created"] != rows):
                raise failed(f"exit {process.returncode}: {summary} {err}")
        for who, rows, _ in both:
            if finish(who)["created"] != rows:
                raise failed("rows are missing")
        stats = apollo.stats()["routes"]["bulk_create"]["most_in_window"]
        if throttled(apollo) != 0 or stats["minute"] > 10 or stats["hour"] > 25:
            raise failed(f"over a window: {stats}, {throttled(apollo)} answers 429")
        print(f"two processes, fullest windows {stats}; 429s: 0")
    finally:
        apollo.stop()


def others(program, folder):
    apollo = sandbox(program, folder, limits(12, 1000, 10000, ["--fault", "spend=1%50"]))
    try:
        who = importer(program, folder, apollo, chunk=10, extra=options(8))
        rows = write_input(who.input, 5, groups=4, rows=100)
        began = time.monotonic()
        summary = finish(who)
        windows = (time.monotonic() - began) / MINUTE + 1
        if summary["created"] != rows:
            raise failed(f"{summary}")
        if throttled(apollo) > windows:
            raise failed(f"{throttled(apollo)} answers 429 in {windows:.0f} windows")
        print(f"{summary['requests']} requests beside others' in {windows:.0f} windows; 429s: {throttled(apollo)}")
    finally:
        apollo.stop()


def park(program, folder):
    apollo = sandbox(program, folder, limits(10, 20, 1000))
    try:
        who = importer(program, folder, apollo, chunk=10, extra=[*options(4), "--max-wait", "3s"])
        rows = write_input(who.input, 9, groups=3, rows=100)
        code, out, _ = who.run()
        parked = json.loads(out)
        if code != 75 or parked["state"] != "parked" or not parked["resume_at"]:
            raise failed(f"exit {code}: {parked}")
        code, out, _ = who.run()
        early = json.loads(out)
        if code != 75 or early["requests_this_run"] != 0:
            raise failed(f"an early run: exit {code}: {early}")
        time.sleep(HOUR)  # the windows of the sandbox are real time
        summary = finish(who)
        if summary["created"] != rows or throttled(apollo) != 0:
            raise failed(f"{summary}, {throttled(apollo)} answers 429")
        print(f"parked until {parked['resume_at']}, an early run sent nothing; finished after it; 429s: 0")
    finally:
        apollo.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("test", choices=["pace", "together", "others", "park"])
    a = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="taskbarge-windows-")
    try:
        {"pace": pace, "together": together, "others": others, "park": park}[a.test](a.program, folder)
        return 0
    except failed as e:
        print(f"FAILED: {e}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
