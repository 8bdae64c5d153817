#!/usr/bin/env python3
"""A ledger that is not the newest is found out, and going on with it makes no task twice.

Each case runs the real program against the real sandbox over TLS, takes the ledger's files away or puts others in their
place, and holds what becomes of it against what the sandbox has created. Exit status 0 when the case held.

  ledger_tests.py --program PATH restored       a copy made at 30 and 80 % of a job is put back
  ledger_tests.py --program PATH emptied        the file has 0 bytes
  ledger_tests.py --program PATH removed        the file is gone, its lock file is there
  ledger_tests.py --program PATH log_lost       -wal is deleted after a kill
  ledger_tests.py --program PATH log_cut        -wal is cut in half after a kill
  ledger_tests.py --program PATH log_changed    one byte of -wal is changed after a kill
  ledger_tests.py --program PATH lock_removed   the lock file is deleted during a run, and another run begins
  ledger_tests.py --program PATH file_replaced  the file is replaced by a copy during a run
  ledger_tests.py --program PATH two_names      two runs by two names of one ledger
  ledger_tests.py --program PATH hard_link      a second hard link is refused
  ledger_tests.py --program PATH damaged        one bit of a contact that is still to be sent turns
"""
import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import RUN_SECONDS, failed, importer, sandbox, write_input  # noqa: E402

GROUPS, ROWS, CHUNK = 8, 60, 10
ALL = GROUPS * ROWS


class case:
    """One import of ALL rows with some latency, so that there is a middle to interfere in."""

    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="taskbarge-evidence-")
        self.apollo = sandbox(program, self.folder,
                              ["--limits", "0,0,0", "--search-limits", "0,0,0", "--latency", "60ms"])
        self.who = importer(program, self.folder, self.apollo, chunk=CHUNK)
        if write_input(self.who.input, 7, GROUPS, ROWS) != ALL:
            raise failed("the input has another size")

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.apollo.stop()
        if os.environ.get("TASKBARGE_KEEP") is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, suffix=""):
        return self.who.ledger + suffix

    def until(self, tasks, process):
        """Waits until so many tasks were made, for as long as the run goes on."""
        deadline = time.monotonic() + RUN_SECONDS
        while self.apollo.stats()["tasks"] < tasks:
            if process.poll() is not None or time.monotonic() > deadline:
                raise failed(f"the run ended before {tasks} tasks: {process.communicate()}")

    def kill_at(self, tasks):
        process = self.who.start()
        self.until(tasks, process)
        process.kill()
        process.communicate()
        # What was in flight is still to be made.
        seen, deadline = -1, time.monotonic() + RUN_SECONDS
        while seen != self.apollo.stats()["tasks"] and time.monotonic() < deadline:
            seen = self.apollo.stats()["tasks"]
            self.who.command("jobs")

    def expect_choice(self, words):
        """Refused with the reason and both ways on; nothing is sent, and nothing is made."""
        before = self.apollo.stats()["tasks"]
        for command in (self.who.run, lambda: self.who.command("ledger", "check")):
            code, out, err = command()
            if code != 78 or not any(word in out + err for word in words) or "ledger accept" not in out + err:
                raise failed(f"not refused with a choice: {code} {out} {err}")
        if self.apollo.stats()["tasks"] != before:
            raise failed("something was sent nevertheless")

    def accept_and_finish(self):
        code, out, err = self.who.command("ledger", "accept")
        if code != 0 or "Accepted" not in out:
            raise failed(f"ledger accept said {code}: {out} {err}")
        return self.finish()

    def finish(self):
        for _ in range(12):
            code, out, err = self.who.run()
            self.who.check_sums()
            if code in (0, 2):
                return self.check_truth(json.loads(out)["job"])
            if code not in (75, 69):
                raise failed(f"exit {code}: {err}")
        raise failed(f"not finished; the last run said {code}: {err}")

    def check_truth(self, job):
        """Every row accounted for, no contact with two tasks, no row created that is not."""
        made = {}
        for task in self.apollo.tasks():
            made.setdefault(task["contact_id"], []).append(task["id"])
        twice = [contact for contact, tasks in made.items() if len(tasks) > 1]
        if twice:
            raise failed(f"{len(twice)} contacts have two tasks")
        rows = self.who.results(job)
        if len(rows) != ALL:
            raise failed(f"{len(rows)} results for {ALL} rows")
        states = {}
        for row in rows:
            states[row["state"]] = states.get(row["state"], 0) + 1
            if row["state"] == "created" and [row["task_id"]] != made.get(row["contact_id"]):
                raise failed(f"row {row['row']} is said to have a task that it has not")
            if row["state"] not in ("created", "unknown"):
                raise failed(f"row {row['row']} is {row['state']} ({row['code']})")
        return states


def restored(a):
    told = []
    for share in (0.3, 0.8):
        with case(a.program) as c:
            process = c.who.start()
            c.until(int(ALL * share), process)
            with sqlite3.connect(c.path()) as from_, sqlite3.connect(c.path(".copy")) as to:
                from_.backup(to)
            from_.close()
            to.close()
            process.communicate(timeout=RUN_SECONDS)
            for suffix in ("-wal", "-shm"):
                if os.path.exists(c.path(suffix)):
                    os.unlink(c.path(suffix))
            shutil.copy(c.path(".copy"), c.path())
            c.expect_choice(["is older than what was last sent with it"])
            told.append(f"at {share:.0%} {c.accept_and_finish()}")
    return "; ".join(told)


def emptied(a):
    with case(a.program) as c:
        c.kill_at(ALL // 2)
        for suffix in ("-wal", "-shm"):
            os.unlink(c.path(suffix))
        open(c.path(), "wb").close()
        c.expect_choice(["is missing or empty"])
        return c.accept_and_finish()


def removed(a):
    with case(a.program) as c:
        c.kill_at(ALL // 2)
        for suffix in ("", "-wal", "-shm"):
            os.unlink(c.path(suffix))
        c.expect_choice(["is missing or empty"])
        code, out, err = c.who.command("jobs")
        if code != 78:
            raise failed(f"jobs said {code}: {out} {err}")
        return c.accept_and_finish()


def damage_log(a, damage):
    with case(a.program) as c:
        c.kill_at(ALL // 2)
        damage(c.path("-wal"))
        c.expect_choice(["is older than what was last sent with it"])
        return c.accept_and_finish()


def log_lost(a):
    return damage_log(a, os.unlink)


def log_cut(a):
    return damage_log(a, lambda path: os.truncate(path, os.path.getsize(path) // 2))


def log_changed(a):
    def damage(path):
        with open(path, "r+b") as f:
            f.seek(os.path.getsize(path) // 2)
            byte = f.read(1)
            f.seek(-1, os.SEEK_CUR)
            f.write(bytes([byte[0] ^ 1]))
    return damage_log(a, damage)


def lock_removed(a):
    with case(a.program) as c:
        first = c.who.start()
        c.until(ALL // 4, first)
        os.unlink(c.path(".lock"))
        states = c.finish()
        _, err = first.communicate(timeout=RUN_SECONDS)
        if first.returncode != 78 or "was removed or replaced" not in err:
            raise failed(f"the first run went on: {first.returncode} {err}")
        return states


def file_replaced(a):
    with case(a.program) as c:
        first = c.who.start()
        c.until(ALL // 4, first)
        shutil.copy(c.path(), c.path(".copy"))
        os.rename(c.path(".copy"), c.path())
        _, err = first.communicate(timeout=RUN_SECONDS)
        if first.returncode != 78 or "was removed or replaced" not in err:
            raise failed(f"the run went on: {first.returncode} {err}")
        for suffix in ("-wal", "-shm"):
            if os.path.exists(c.path(suffix)):
                os.unlink(c.path(suffix))
        c.expect_choice(["is older than what was last sent with it"])
        return c.accept_and_finish()


def two_names(a):
    with case(a.program) as c:
        os.symlink("ledger.db", os.path.join(c.folder, "other.db"))
        first = c.who.start()
        c.until(CHUNK, first)
        other = [word if word != c.who.ledger else os.path.join(c.folder, "other.db") for word in c.who.import_options]
        second = subprocess.run([a.program, "import", c.who.input, *other], env=c.who.environment, capture_output=True,
                                text=True, timeout=RUN_SECONDS)
        if second.returncode != 75:
            raise failed(f"the second name was no obstacle: {second.returncode} {second.stderr}")
        first.communicate(timeout=RUN_SECONDS)
        if first.returncode != 0 or os.path.exists(os.path.join(c.folder, "other.db.lock")):
            raise failed(f"the first run ended with {first.returncode}")
        return c.finish()


def hard_link(a):
    with case(a.program) as c:
        c.kill_at(CHUNK)
        os.link(c.path(), os.path.join(c.folder, "other.db"))
        code, _, err = c.who.run()
        if code != 78 or "hard link" not in err:
            raise failed(f"not refused: {code} {err}")
        os.unlink(os.path.join(c.folder, "other.db"))
        return c.finish()


def damaged(a):
    with case(a.program) as c:
        c.kill_at(ALL // 4)
        with sqlite3.connect(c.path()) as book:
            chunk, ids = book.execute("SELECT chunk, contact_ids FROM packed_contacts JOIN chunks ON id = chunk "
                                      "WHERE state = 'planned' ORDER BY id DESC LIMIT 1").fetchone()
            book.execute("UPDATE packed_contacts SET contact_ids = ? WHERE chunk = ?",
                         (bytes([ids[0] ^ 4]) + ids[1:], chunk))
        book.close()
        code, _, err = c.who.run()
        if code != 78 or f"damaged (chunk {chunk})" not in err:
            raise failed(f"not refused: {code} {err}")
        code, out, err = c.who.command("ledger", "check")
        if code != 78 or f"contacts of chunk {chunk}" not in out:
            raise failed(f"ledger check said {code}: {out} {err}")
        code, out, err = c.who.command("results", "1")
        if code != 78:
            raise failed(f"results said {code}: {err}")
        with sqlite3.connect(c.path()) as book:
            book.execute("UPDATE packed_contacts SET contact_ids = ? WHERE chunk = ?", (ids, chunk))
        book.close()
        code, out, err = c.who.command("ledger", "check")
        if code != 0 or "The ledger is whole." not in out:
            raise failed(f"ledger check of the mended ledger said {code}: {out} {err}")
        return c.finish()


CASES = [restored, emptied, removed, log_lost, log_cut, log_changed, lock_removed, file_replaced, two_names, hard_link,
         damaged]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("case", choices=[one.__name__ for one in CASES])
    a = parser.parse_args()
    try:
        print(next(one for one in CASES if one.__name__ == a.case)(a))
        return 0
    except failed as why:
        print(f"FAILED {a.case}: {why}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
