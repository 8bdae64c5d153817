#!/usr/bin/env python3
"""What an index of a team's contacts takes: requests, time against the rate windows, memory, disk, look-ups a second.

  contacts_figures.py --program PATH [--contacts N ...]

For each number of contacts a sandbox is filled with so many, all of which have a stage (more than 100,000 are read by stage).
Requests, memory, disk and CPU are those of `contacts refresh --all` without rate windows; the time against the windows of Apollo's
plans is what `plan` forecasts from that number. Look-ups are those of a plan of a file that names half of the contacts by e-mail.
Fails where the index is not complete, where it takes more than 150 bytes a contact on the disk, or 64 MiB of memory.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
from datetime import datetime, timezone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, sandbox  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from footprint import measured  # noqa: E402

MOST_BYTES = 150
MOST_MEMORY = 64 * 1024   # KiB
STAGES = 8
PLANS = (("Basic, Professional", "200,400,2000"), ("Organization", "200,600,6000"))


def write_contacts(path, count):
    with open(path, "w", encoding="utf-8") as f:
        for i in range(count):
            f.write(json.dumps({"id": f"{0x660000000000000000000000 + i:024x}", "email": f"person{i}@company{i % 5000}.example",
                                "hubspot_vid": None, "contact_emails": [],
                                "contact_stage_id": f"{0x610000000000000000000000 + i % STAGES:024x}"}) + "\n")


def write_input(path, count):
    with open(path, "w", encoding="utf-8") as f:
        f.write("email\n")
        for i in range(0, count, 2):
            f.write(f"person{i}@company{i % 5000}.example\n")


def options_of(apollo, folder):
    words = ["--base-url", apollo.base_url, "--ca-file", apollo.ca_file, "--ledger", os.path.join(folder, "ledger.db"), "--json"]
    for setting in ("contacts.budget=100000", "defaults.user_id=66302798d03b9601c7934ebf", "defaults.type=call",
                    "defaults.status=scheduled", "defaults.due_at=2036-12-01T10:00:00Z"):
        words += ["--set", setting]
    return words


def run(program, words, apollo, out):
    code, peak, cpu = measured([program, *words], {**os.environ, "APOLLO_API_KEY": apollo.key}, out)
    with open(out, encoding="utf-8") as f:
        return code, json.load(f), peak, cpu


def forecast(program, folder, contacts, limits):
    """Seconds until all pages were read, as a plan tells them before the first."""
    alone = tempfile.mkdtemp(dir=folder)
    apollo = sandbox(program, alone, ["--contacts-file", os.path.join(folder, "contacts.jsonl"), "--contacts-search-limits", limits])
    try:
        few = os.path.join(alone, "input.csv")
        write_input(few, contacts)
        begun = datetime.now(timezone.utc)
        code, plan, _, _ = run(program, ["plan", few, *options_of(apollo, alone)], apollo, os.path.join(alone, "out"))
        find = plan["contacts_to_find"]
        if code != 0 or not find or not find["expected_end"]:
            raise failed(f"plan: {plan}")
        end = datetime.fromisoformat(find["expected_end"].replace("Z", "+00:00"))
        return max(0, (end - begun).total_seconds())
    finally:
        apollo.stop()


def spoken(seconds):
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    words = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if n]
    return " ".join(words[:2]) or "at once"


def one_size(program, contacts):
    folder = tempfile.mkdtemp(prefix="taskbarge-contacts-")
    try:
        write_contacts(os.path.join(folder, "contacts.jsonl"), contacts)
        times = [spoken(forecast(program, folder, contacts, limits)) for _, limits in PLANS]
        apollo = sandbox(program, folder, ["--contacts-file", os.path.join(folder, "contacts.jsonl"), "--limits", "0,0,0",
                                           "--contacts-search-limits", "0,0,0"])
        try:
            out = os.path.join(folder, "out")
            options = options_of(apollo, folder)
            code, told, peak, cpu = run(program, ["contacts", "refresh", "--all", *options], apollo, out)
            if code != 0 or not told["contacts"]["complete"] or told["contacts"]["known"] != contacts:
                raise failed(f"refresh: {code} {told}")
            requests = sum(apollo.stats()["routes"]["contacts_search"]["by_status"].values())
            disk = os.path.getsize(os.path.join(folder, "ledger.db")) / contacts
            few = os.path.join(folder, "input.csv")
            write_input(few, contacts)
            code, plan, plan_peak, plan_cpu = run(program, ["plan", few, *options], apollo, out)
            if code != 0 or plan["contacts"]["found"] != (contacts + 1) // 2:
                raise failed(f"plan: {code} {plan['contacts']}")
        finally:
            apollo.stop()
        print(f"| {contacts:,} | {requests:,} | {times[0]} | {times[1]} | {cpu:.1f} s | {peak / 1024:.0f} MiB | {disk:.0f} | "
              f"{plan_peak / 1024:.0f} MiB | {(contacts + 1) // 2 / plan_cpu:,.0f} |", flush=True)
        if disk > MOST_BYTES and contacts >= 100000:
            raise failed(f"{disk:.0f} bytes a contact on the disk, {MOST_BYTES} are allowed")
        if max(peak, plan_peak) > MOST_MEMORY:
            raise failed(f"{max(peak, plan_peak)} KiB of memory, {MOST_MEMORY} are allowed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--contacts", type=int, nargs="+", default=[5000, 40000, 100000, 500000])
    chosen = parser.parse_args()
    print("| contacts | requests | " + " | ".join(name for name, _ in PLANS) +
          " | CPU | memory | bytes a contact | memory of a plan | rows found a second of CPU |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for contacts in chosen.contacts:
        one_size(chosen.program, contacts)


if __name__ == "__main__":
    try:
        main()
    except failed as why:
        print(f"contacts_figures: {why}", file=sys.stderr)
        sys.exit(1)
