#!/usr/bin/env python3
"""Kills and faults: whatever breaks and whenever, no row is lost and no task is made twice.

Each case runs the real program against the real sandbox over TLS, kills it where it is told to, runs it again until the
job is finished, and then holds the ledger against what the sandbox has created. Exit status 0 when every case held.

  crash_tests.py --program PATH matrix [--reduced] [--jobs N]   sandbox faults x fault points x policies
  crash_tests.py --program PATH kills [--count N]               kills at random moments of an import with latency
  crash_tests.py --program PATH disk-full                       the ledger's disk fills up, and has room again
  crash_tests.py --program PATH prune                           a prune is killed at each of its transactions
  crash_tests.py --program PATH silent                          a stop while a server says nothing
  crash_tests.py --program PATH forced                          a stop that waits for nothing
  crash_tests.py --program PATH verify                          a verify of a finished job is killed
  crash_tests.py --program PATH contacts                        finding contacts is killed at each of its steps
"""
import argparse
import concurrent.futures
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import (RUN_SECONDS, SKIPPED, check_truth, failed, finish, importer, sandbox, settle_last,
                     write_input)  # noqa: E402

FAULT_POINTS = [
    "plan_part", "planned", "plan_committed", "before_intent", "before_commit", "after_commit", "intent_recorded",
    "before_write", "after_write", "answer_read", "before_outcome", "outcome_recorded", "before_look_up",
    "after_look_up", "before_settlement", "after_settlement",
]
# One strike in four or so: most chunks go through, as the look-up needs a task that is known to exist. Several stand
# with a space between them.
FAULTS = [
    "429=1@2,5", "429=date+1@2", "429=missing@2", "429=0@2", "429:hour=1@3",
    "500:before%25", "500:after%25", "500:later:300ms%25", "502:before%25", "502:after%25", "503:before%25",
    "503:after%25", "504:later:500ms%25", "408:after%25",
    "stall:before@2", "stall:after@2", "reset:accept@2", "reset:handshake@2", "reset:request%25", "reset:before%25",
    "reset:after%25", "reset:mid_answer%25", "close:after%25", "cut%25", "length=+100%25", "length=-20@2", "html:after%25",
    "html:before%25", "success_false:after%25", "garbage:after%25", "missing=3%25", "missing:before=2%25",
    "repeated=1%25", "foreign%25", "anonymous=2%25", "dribble=300ms%25", "delay:after=300ms%25", "close_after=2",
    "lag=400ms", "search/403", "search/500%20", "search/reset%20", "visible=20", "skew=-5m",
    "copy=30ms%25", "copy=0ms%25 bad_contact%3", "previous%25", "previous:before%25", "same_id%25", "500:after:echo%25",
    # Clocks and pages matter to look-ups alone: something is in doubt in each of these.
    "skew:tasks=-5m reset:after%25", "skew:tasks=+2h reset:after%25", "skew:date=-5m reset:after%25",
    "skew:date=+2h reset:after%25", "no_date%25 reset:after%25", "no_date search/no_date 500:before%25",
    "search/hides=2%50 reset:after%25", "search/hides=2 500:before%25", "search/longer=2%50 reset:after%25",
]


def one_case(program, fault, point, policy, seed):
    folder = tempfile.mkdtemp(prefix="taskbarge-crash-")
    chance = random.Random(f"{fault} {point} {policy} {seed}")
    apollo = None
    try:
        options = ["--limits", "0,0,0", "--search-limits", "0,0,0", "--seed", str(chance.randrange(1, 10**6))]
        apollo = sandbox(program, folder, options + [word for one in (fault or "").split() for word in ("--fault", one)])
        who = importer(program, folder, apollo, policy)
        rows = write_input(who.input, seed)
        killed = 0
        if point:
            code, _, err = who.run(f"{point}:{chance.randint(1, 4)}")
            killed = int(code == -signal.SIGKILL)
            if code not in (0, 2, 75, 69, -signal.SIGKILL):
                raise failed(f"the killed run ended with {code}: {err}")
            who.check_sums()
        summary = finish(who)
        results = check_truth(who, apollo, summary, rows, policy)
        states = {}
        for r in results:
            states[r["state"]] = states.get(r["state"], 0) + 1
        return {"fault": fault, "point": point, "policy": policy, "killed": killed, "states": states,
                "requests": summary["requests"], "minimum": summary["minimum_requests"], "error": None}
    except Exception as e:  # every failure of a case is its result
        return {"fault": fault, "point": point, "policy": policy, "killed": 0, "states": {}, "requests": 0, "minimum": 0,
                "error": f"{type(e).__name__}: {e} (kept in {folder})"}
    finally:
        if apollo:
            apollo.stop()
        if not sys.exc_info()[0] and os.environ.get("TASKBARGE_KEEP") is None:
            shutil.rmtree(folder, ignore_errors=True)


def cases_of(reduced):
    if not reduced:
        for policy in ("hold", "resend"):
            for fault in [None] + FAULTS:
                for point in [None] + FAULT_POINTS:
                    yield fault, point, policy
        return
    # Each fault once and each fault point once, in pairs that the seed picks.
    chance = random.Random(7)
    for number, fault in enumerate(FAULTS):
        yield fault, chance.choice([None] + FAULT_POINTS), ("hold", "resend")[number % 2]
    for point in FAULT_POINTS:
        yield chance.choice(["500:after%25", "reset:before%25", None]), point, "hold"


def run_matrix(a):
    cases = list(cases_of(a.reduced))
    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=a.jobs) as pool:
        waiting = [pool.submit(one_case, a.program, fault, point, policy, a.seed) for fault, point, policy in cases]
        for done in concurrent.futures.as_completed(waiting):
            outcomes.append(done.result())
            if outcomes[-1]["error"]:
                print("FAILED", json.dumps(outcomes[-1]), flush=True)
            elif a.verbose:
                print(json.dumps(outcomes[-1]), flush=True)
    bad = [o for o in outcomes if o["error"]]
    total = {}
    for o in outcomes:
        for state, rows in o["states"].items():
            total[state] = total.get(state, 0) + rows
    print(f"{len(outcomes)} cases, {sum(o['killed'] for o in outcomes)} with a kill; rows by state at the end: {total}; "
          f"requests {sum(o['requests'] for o in outcomes)}, minimum {sum(o['minimum'] for o in outcomes)}; "
          f"cases that lost a row, doubled a task or miscounted: {len(bad)}")
    return 1 if bad else 0


def run_kills(a):
    folder = tempfile.mkdtemp(prefix="taskbarge-kills-")
    chance = random.Random(a.seed)
    apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0", "--latency", "120ms"])
    try:
        who = importer(a.program, folder, apollo, chunk=10)
        rows = write_input(who.input, a.seed, groups=10, rows=260)
        kills = unfinished = in_flight = 0
        for _ in range(a.count):
            process = who.start()
            time.sleep(chance.uniform(0.15, 0.9))  # the moment of the kill is what chance decides here
            process.kill()
            process.communicate()
            kills += 1
            who.check_sums()
            jobs = who.jobs()
            if not jobs or jobs[-1]["state"] == "completed":
                continue
            unfinished += 1
            code, out, _ = who.command("status", str(jobs[-1]["job"]), "--json")
            in_flight += int(json.loads(out)["unknown"] > 0)
        summary = settle_last(who, finish(who))
        check_truth(who, apollo, summary, rows, "hold")
        if summary["created"] != rows:
            raise failed(f"{summary['created']} of {rows} rows created")
        print(f"{kills} kills, {unfinished} of an unfinished job, {in_flight} with a request in flight; {rows} rows, each with "
              f"exactly one task; {summary['requests']} requests, minimum {summary['minimum_requests']}")
        if a.count >= 30 and (unfinished < 15 or in_flight < 10):
            raise failed("too few kills hit what they were meant to hit")
        return 0
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_disk_full(a):
    """A small file system of its own is filled up, and emptied again. Needs the right to mount one."""
    folder = tempfile.mkdtemp(prefix="taskbarge-full-")
    disk = os.path.join(folder, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True).returncode != 0:
        print("skipped: no right to mount a small file system here")
        os.rmdir(disk)
        os.rmdir(folder)
        return SKIPPED
    apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0"])
    try:
        who = importer(a.program, folder, apollo, chunk=10)
        who.ledger = os.path.join(disk, "ledger.db")
        who.options[who.options.index("--ledger") + 1] = who.ledger
        who.import_options[who.import_options.index("--ledger") + 1] = who.ledger
        rows = write_input(who.input, a.seed, groups=5, rows=200)
        ballast = os.path.join(disk, "ballast")
        parked = 0
        # Less and less ballast: full while planning, then full while sending, at last room enough.
        for kib in (4000, 3900, 3800, 3700, 3600, 3500, 3400, 3300, 3200, 3000, 2800, 0):
            with open(ballast, "wb") as f:
                try:
                    f.write(bytes(kib * 1024))
                except OSError:
                    pass  # what the ledger holds already counts as well: full is full
            code, _, err = who.run()
            if code in (0, 2):
                break
            if code != 75:
                raise failed(f"exit {code} with {kib} KiB taken: {err}")
            parked += 1
            os.unlink(ballast)
            who.check_sums()
        summary = finish(who)
        check_truth(who, apollo, summary, rows, "hold")
        if parked == 0 or summary["created"] != rows:
            raise failed(f"parked {parked} times, {summary['created']} of {rows} rows created")
        print(f"parked {parked} times for want of room; then {rows} rows, each with exactly one task")
        return 0
    finally:
        apollo.stop()
        subprocess.run(["umount", disk], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def age(ledger, days):
    """The ledger's jobs finished so long ago."""
    with sqlite3.connect(ledger) as book:
        book.execute("UPDATE jobs SET finished_at = finished_at - ? * 86400000", (days,))
    book.close()


def prune(who, *words, kill_at=None):
    environment = {**who.environment, **({"TASKBARGE_KILL_AT": kill_at} if kill_at else {})}
    return subprocess.run([who.program, "prune", "--older-than", "90d", "--json", *words, *who.options], env=environment,
                          capture_output=True, text=True, timeout=RUN_SECONDS)


def run_prune(a):
    """A copy of one ledger for each kill: what is left is whole, and the next prune and imports go on with it."""
    folder = tempfile.mkdtemp(prefix="taskbarge-prune-")
    apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0"])
    try:
        who = importer(a.program, folder, apollo)
        rows = write_input(who.input, a.seed)
        finish(who)
        age(who.ledger, 100)
        whole = who.ledger + ".whole"
        shutil.copy(who.ledger, whole)
        lines = open(who.input, encoding="utf-8").read().splitlines()
        kills = 0
        for words in ([], ["--forget-keys"]):
            points = ["prune_marked:1"] + [f"prune_step:{n}" for n in range(1, 100)]
            for point in points:
                # The lock file goes too: it would say that the copy is older than what was sent with it.
                for suffix in ("-wal", "-shm", ".lock", ""):
                    if os.path.exists(who.ledger + suffix):
                        os.unlink(who.ledger + suffix)
                shutil.copy(whole, who.ledger)
                killed = prune(who, *words, kill_at=point)
                if killed.returncode == 0 and point != points[0]:
                    break  # it has fewer transactions than that
                if killed.returncode != -signal.SIGKILL:
                    raise failed(f"{point}: exit {killed.returncode}: {killed.stderr}")
                kills += 1
                who.check_sums()
                done = prune(who, *words)
                if done.returncode != 0:
                    raise failed(f"{point}: the next prune said {done.returncode}: {done.stderr}")
                who.check_sums()
                job = who.jobs()[0]
                if not job["pruned_at"] or job["created"] != rows:
                    raise failed(f"{point}: {job}")
                # The same input, and the same rows as another one.
                code, out, err = who.run()
                if words:  # forgotten: the rows are new, and nothing may be sent for this test's account of tasks
                    if json.loads(out)["job"] == job["job"]:
                        raise failed(f"{point}: the forgotten input is still known")
                    continue
                if code != 0 or json.loads(out)["job"] != job["job"]:
                    raise failed(f"{point}: the same input is not known any more: {out} {err}")
                other = os.path.join(folder, "other.csv")
                with open(other, "w", encoding="utf-8") as f:
                    f.write("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
                mine, who.input = who.input, other
                code, out, err = who.run()
                who.input = mine
                if code != 0 or json.loads(out)["duplicate"] != rows or json.loads(out)["requests"] != 0:
                    raise failed(f"{point}: the keys are not whole: {out} {err}")
        print(f"{kills} kills; after each the sums stood, the next prune went on, and without --forget-keys the same input "
              f"was known and all of {rows} rows were duplicates")
        return 0 if kills > 10 else 1
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_silent(a):
    """One SIGTERM ends a run whose question is not answered: it asks for limits or owners, nothing was to be created."""
    bound = 10  # seconds; what it must not wait for are the 60 s of send.request_timeout
    cases = 0
    for scheme, column in (("http", ""), ("https", ""), ("http", "owner_email")):
        folder = tempfile.mkdtemp(prefix="taskbarge-silent-")
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(RUN_SECONDS)
            source = os.path.join(folder, "contacts.csv")
            with open(source, "w", encoding="utf-8") as f:
                owner = "user_id" if not column else column
                f.write(f"contact_id,{owner},type,status,due_at\n" + "".join(
                    f"{n:024x},{'ann@example.com' if column else '66302798d03b9601c7934ebf'},call,scheduled,"
                    "2027-02-10T10:00:00Z\n" for n in range(1, 20)))
            ledger = os.path.join(folder, "ledger.db")
            run = subprocess.Popen(
                [a.program, "import", source, "--base-url", f"{scheme}://127.0.0.1:{server.getsockname()[1]}/api/v1",
                 "--ledger", ledger, "--json", "--quiet", "--set", "send.connect_timeout=60s"],
                env={**os.environ, "APOLLO_API_KEY": "a-key"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                taken, _ = server.accept()
                taken.settimeout(RUN_SECONDS)
                with taken:
                    said = taken.recv(65536)  # a request, or the first words of TLS
                    if scheme == "http" and (b"users/search" if column else b"usage_stats") not in said:
                        raise failed(f"asked something else: {said[:200]}")
                    began = time.monotonic()
                    run.send_signal(signal.SIGTERM)
                    out, err = run.communicate(timeout=bound)
            except subprocess.TimeoutExpired:
                raise failed(f"{scheme} {column}: still there {time.monotonic() - began:.0f} s after the signal")
            finally:
                if run.poll() is None:
                    run.kill()
                    run.communicate()
            if run.returncode != 75 or json.loads(out)["requests"] != 0:
                raise failed(f"{scheme} {column}: exit {run.returncode}: {out} {err}")
            cases += 1
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{cases} silent servers: each run ended by one signal, without an answer")
    return 0


def run_forced(a):
    """A stop that is forced, by a second signal or at the end of the grace, while outcomes wait to be written."""
    ended = []
    for by_grace in (False, True):
        folder = tempfile.mkdtemp(prefix="taskbarge-forced-")
        latency = "20s" if by_grace else "100ms"
        apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0", "--latency", latency])
        try:
            who = importer(a.program, folder, apollo, chunk=2)
            write_input(who.input, a.seed, groups=2, rows=600)
            # The name is long enough for the heap: freed memory would be read for it.
            team = "a-team-with-a-name-that-is-not-kept-within-the-string-itself"
            command = [who.program, "import", who.input, *who.import_options, "--set", f"apollo.team={team}"]
            run = subprocess.Popen(command + (["--set", "send.grace_time=300ms"] if by_grace else []),
                                   env=who.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                wanted, state = (1, "sending") if by_grace else (9, "created")
                deadline = time.monotonic() + RUN_SECONDS
                while count_chunks(who.ledger, state) < wanted:
                    if time.monotonic() > deadline or run.poll() is not None:
                        raise failed(f"no chunk became {state}: {run.communicate()}")
                    time.sleep(0.02)
                book = sqlite3.connect(who.ledger, isolation_level=None, timeout=RUN_SECONDS)
                if not by_grace:
                    book.execute("BEGIN IMMEDIATE")
                    time.sleep(0.6)  # answers come; what they say waits for this transaction
                began = time.monotonic()
                run.send_signal(signal.SIGINT)
                if not by_grace:
                    time.sleep(0.2)
                    run.send_signal(signal.SIGINT)
                    time.sleep(0.3)
                    book.execute("COMMIT")
                out, err = run.communicate(timeout=10)
            finally:
                if run.poll() is None:
                    run.kill()
                    run.communicate()
            if run.returncode != 75:
                raise failed(f"exit {run.returncode}: {out} {err}")
            book.text_factory = bytes
            books = book.execute("SELECT DISTINCT team FROM books UNION SELECT team FROM windows").fetchall()
            book.close()
            if books != [(team.encode(),)]:
                raise failed(f"windows of {books} in the ledger")
            ended.append(f"{time.monotonic() - began:.1f} s")
        finally:
            apollo.stop()
            shutil.rmtree(folder, ignore_errors=True)
    print(f"ended after {ended[0]} by a second signal, {ended[1]} by the grace; nothing foreign in the ledger")
    return 0


def run_verify(a):
    """A verify of a finished job is killed: what was told of the job's end counts as old from its beginning on."""
    folder = tempfile.mkdtemp(prefix="taskbarge-verify-")
    apollo = sandbox(a.program, folder, ["--limits", "0,0,0", "--search-limits", "0,0,0"])
    try:
        who = importer(a.program, folder, apollo)
        rows = write_input(who.input, a.seed)
        finish(who)
        job = who.jobs()[0]["job"]
        killed = subprocess.run([who.program, "verify", str(job), *who.import_options],
                                env={**who.environment, "TASKBARGE_KILL_AT": "before_commit:1"}, capture_output=True,
                                text=True, timeout=RUN_SECONDS)
        if killed.returncode != -signal.SIGKILL:
            raise failed(f"exit {killed.returncode}: {killed.stderr}")
        with sqlite3.connect(who.ledger) as book:
            state, reopened = book.execute("SELECT state, reopened FROM jobs WHERE id = ?", (job,)).fetchone()
        book.close()
        if (state, reopened) != ("completed", 1):
            raise failed(f"the job is {state}, reopened {reopened}")
        who.check_sums()
        if who.jobs()[0]["created"] != rows:
            raise failed(f"{who.jobs()[0]}")
        print("a verify was killed: the job's results count as old, its sums stand")
        return 0
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


# Pages that are asked for together: what is lost by a kill.
PAGES_TOGETHER = 4
TEAM = 1450


def contacts_case(program, name, points, key_of, extra, before, least, missing=0):
    """Keys of some contacts of a team, imported with a kill at each point in turn; `least` are the requests by route
    that an import without kills makes."""
    folder = tempfile.mkdtemp(prefix="taskbarge-contacts-")
    unlimited = [word for route in ("limits", "search-limits", "contacts-search-limits", "contact-limits")
                 for word in (f"--{route}", "0,0,0")]
    apollo = sandbox(program, folder, [*unlimited, "--contacts", str(TEAM)])
    try:
        who = importer(program, folder, apollo, chunk=100, extra=[
            "--set", "defaults.user_id=66302798d03b9601c7934ebf", "--set", "defaults.type=call", "--set",
            "defaults.status=scheduled", "--set", "defaults.due_at=2036-12-01T10:00:00Z",
            "--set", "import.max_rejects=100%", *extra])
        people = [json.loads(line) for line in apollo.view("/sandbox/contacts").splitlines() if line]
        column, keys, wanted = key_of(people)
        with open(who.input, "w", encoding="utf-8") as f:
            f.write("\n".join([column, *keys]) + "\n")
        if before:
            code, _, err = who.command(*before, "--base-url", apollo.base_url, "--ca-file", apollo.ca_file)
            if code != 0:
                raise failed(f"{name}: {' '.join(before)} said {code}: {err}")
        kills = 0
        for point in points:
            code, _, err = who.run(point)
            if code != -signal.SIGKILL:
                raise failed(f"{name}: it was to be killed at {point} and ended with {code}: {err}")
            kills += 1
            who.check_sums()
        summary = finish(who)
        stats = apollo.stats()
        if stats["tasks_twice"] or {t["contact_id"] for t in apollo.tasks()} != wanted:
            raise failed(f"{name}: {stats['tasks']} tasks, {stats['tasks_twice']} twice, {len(wanted)} contacts wanted")
        if summary["rejected"] != missing or summary["created"] != len(wanted):
            raise failed(f"{name}: {summary['created']} created, {summary['rejected']} rejected")
        for route, requests in least.items():
            made = sum(stats["routes"][route]["by_status"].values())
            if made > requests + PAGES_TOGETHER * kills:
                raise failed(f"{name}: {made} requests to {route}, {requests} are the least, {kills} kills")
        return kills
    finally:
        apollo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run_contacts(a):
    def by_salesforce(people):
        # Of one that no contact has only an index that is complete tells.
        some = people[::7]
        return "salesforce_id", [p["salesforce_contact_id"] for p in some] + ["0035g0000zzzzzz"], {p["id"] for p in some}

    def by_email(people):
        some = sorted(people, key=lambda p: p["created_at"])[:6]  # not on the page of the newest
        return "email", [p["email"] for p in some], {p["id"] for p in some}

    def ids(people):
        some = people[::5]
        return "contact_id", [p["id"] for p in some] + [f"{0xdead0000 + i:024x}" for i in range(9)], {p["id"] for p in some}

    pages = -(-TEAM // 100)
    whole = ["contacts_page:1"] * 5 + ["contacts_dropped:1", "contacts_read:1", "planned:1", "plan_committed:1"]
    searched = ["contacts_page:1", "contacts_search:1", "contacts_search:2"]
    kills = contacts_case(a.program, "the whole list", whole, by_salesforce, [], None, {"contacts_search": pages},
                          missing=1)
    kills += contacts_case(a.program, "searches", searched, by_email, ["--set", "contacts.additional_emails=false"], None,
                           {"contacts_search": 1 + 6})
    kills += contacts_case(a.program, "ids", [f"contact_checked:{n}" for n in (1, 3, 2)], ids, [],
                           ["contacts", "refresh"], {"contacts_search": pages, "contact": 9}, missing=9)
    print(f"finding contacts: {kills} kills; each contact has one task, and no page was read more than once for nothing")
    return 0


def count_chunks(ledger, state):
    try:
        with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as book:
            return book.execute("SELECT count(*) FROM chunks WHERE state = ?", (state,)).fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # not there yet


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    commands = parser.add_subparsers(dest="command", required=True)
    matrix = commands.add_parser("matrix")
    matrix.add_argument("--reduced", action="store_true")
    matrix.add_argument("--jobs", type=int, default=4)
    kills = commands.add_parser("kills")
    kills.add_argument("--count", type=int, default=30)
    commands.add_parser("disk-full")
    commands.add_parser("prune")
    commands.add_parser("silent")
    commands.add_parser("forced")
    commands.add_parser("verify")
    commands.add_parser("contacts")
    a = parser.parse_args()
    try:
        return {"matrix": run_matrix, "kills": run_kills, "disk-full": run_disk_full, "prune": run_prune,
                "silent": run_silent, "forced": run_forced, "verify": run_verify,
                "contacts": run_contacts}[a.command](a)
    except failed as e:
        print(f"FAILED: {e}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
