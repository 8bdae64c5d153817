"""The real program against the real sandbox: what the tests in Python share."""
import json
import os
import random
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request

SETTLE = "1s"
MOST_RUNS = 12        # of one job, until it is finished
RUN_SECONDS = 90      # bound of one run
SKIPPED = 77          # exit status by which ctest knows a skipped test
GROUPS, ROWS_A_GROUP, CHUNK = 3, 24, 8


class failed(Exception):
    pass


class sandbox:
    """A running sandbox, with a client for its view for tests."""

    def __init__(self, program, folder, options):
        self.log = open(os.path.join(folder, "sandbox.log"), "ab")
        self.process = subprocess.Popen(
            [program, "sandbox", "--listen", "127.0.0.1:0", "--state", os.path.join(folder, "sandbox"), "--quiet",
             "--minimal-answers", *options], stdout=subprocess.PIPE, stderr=self.log, text=True)
        said = dict(self.process.stdout.readline().strip().split("=", 1) for _ in range(3))
        self.base_url, self.ca_file, self.key = said["base_url"], said["ca_file"], said["APOLLO_API_KEY"]
        self.tls = ssl.create_default_context(cafile=self.ca_file)

    def view(self, path, body=None):
        root = self.base_url.rsplit("/api/v1", 1)[0]
        request = urllib.request.Request(root + path, data=body, headers={"x-api-key": self.key})
        for last in (False, False, True):
            try:
                with urllib.request.urlopen(request, context=self.tls, timeout=20) as answer:
                    return answer.read().decode()
            except urllib.error.URLError as e:
                # A fault of the second connection meets this one, where the program under test made do with one.
                if last or not isinstance(e.reason, (ConnectionResetError, ssl.SSLError)):
                    raise
        return ""

    def stats(self):
        return json.loads(self.view("/sandbox/stats"))

    def tasks(self):
        return [json.loads(line) for line in self.view("/sandbox/tasks").splitlines() if line]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.log.close()


class importer:
    """The program under test with its own ledger."""

    def __init__(self, program, folder, apollo, policy="hold", chunk=CHUNK, extra=()):
        self.program, self.folder = program, folder
        self.ledger = os.path.join(folder, "ledger.db")
        self.input = os.path.join(folder, "contacts.csv")
        self.options = ["--ledger", self.ledger]
        self.import_options = [
            "--base-url", apollo.base_url, "--ca-file", apollo.ca_file, *self.options, "--json", "--quiet",
            "--set", f"send.settle_time={SETTLE}", "--set", f"import.chunk_size={chunk}",
            "--set", "send.connections=3", "--set", f"send.when_unverifiable={policy}",
            "--set", "send.request_timeout=2s", "--set", "send.backoff_base=50ms", "--set", "send.backoff_cap=500ms",
            *extra]
        self.environment = {**os.environ, "APOLLO_API_KEY": apollo.key}
        self.environment.pop("TASKBARGE_KILL_AT", None)

    def start(self, kill_at=None):
        environment = dict(self.environment)
        if kill_at:
            environment["TASKBARGE_KILL_AT"] = kill_at
        return subprocess.Popen([self.program, "import", self.input, *self.import_options], env=environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, kill_at=None):
        process = self.start(kill_at)
        try:
            out, err = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise failed("a run did not end in time")
        return process.returncode, out, err

    def command(self, *words):
        done = subprocess.run([self.program, *words, *self.options], env=self.environment, capture_output=True, text=True,
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def jobs(self):
        if not os.path.exists(self.ledger):
            return []
        code, out, err = self.command("jobs", "--json")
        if code != 0:
            raise failed(f"jobs --json said {code}: {err}")
        return json.loads(out)["jobs"] if out.strip().startswith("{") else json.loads(out)

    def results(self, job):
        code, out, err = self.command("results", str(job), "--format", "jsonl")
        if code != 0:
            raise failed(f"results said {code}: {err}")
        return [json.loads(line) for line in out.splitlines()]

    def check_sums(self):
        """At every moment the states add up to the records read."""
        for job in self.jobs():
            code, out, err = self.command("status", str(job["job"]), "--json")
            status = json.loads(out)
            total = sum(status[s] for s in ("created", "duplicate", "rejected", "failed", "unknown", "pending"))
            if total != status["rows"]:
                raise failed(f"job {job['job']}: {status['rows']} rows, states add up to {total}")


def write_input(path, seed, groups=GROUPS, rows=ROWS_A_GROUP):
    chance = random.Random(seed)
    lines = ["contact_id,user_id,type,status,due_at,note"]
    for group in range(groups):
        for _ in range(rows):
            lines.append(f"{chance.getrandbits(96):024x},66302798d03b9601c7934ebf,call,scheduled,"
                         f"2027-02-{10 + group:02}T10:00:00Z,group {group}")
    chance_order = lines[1:]
    chance.shuffle(chance_order)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join([lines[0], *chance_order]) + "\n")
    return len(chance_order)


def finish(who):
    """Runs the import until its job is finished; checks the sums after each run."""
    for _ in range(MOST_RUNS):
        code, out, err = who.run()
        if code in (70, -signal.SIGSEGV, -signal.SIGABRT) or (code < 0 and code != -signal.SIGKILL):
            raise failed(f"the program ended with {code}: {err}")
        who.check_sums()
        if code in (0, 2):
            return json.loads(out)
        if code not in (75, 69):
            raise failed(f"exit {code}: {err}")
        time.sleep(0.2)  # a parked job waits for the sandbox, not for luck: the number of runs is the bound
    raise failed(f"not finished after {MOST_RUNS} runs; the last said {code}: {err}")


def settle_last(who, summary):
    """Nothing was created after the last requests of a job, so a look-up cannot show that their tasks are absent. After
    one more task it can; a fault may strike again on the way."""
    mine = who.input
    for turn in range(5):
        if summary["unknown"] == 0:
            break
        who.input = os.path.join(who.folder, f"one-more-{turn}.csv")
        write_input(who.input, f"one more {turn}", groups=1, rows=1)
        finish(who)
        done = subprocess.run([who.program, "retry", str(summary["job"]), *who.import_options], env=who.environment,
                              capture_output=True, text=True, timeout=RUN_SECONDS)
        if done.returncode not in (0, 2, 75):
            raise failed(f"retry said {done.returncode}: {done.stderr}")
        summary = json.loads(done.stdout)
    who.input = mine
    who.check_sums()
    return summary


def check_truth(who, apollo, summary, rows, policy):
    """Holds every row's state against what the sandbox has created."""
    results = who.results(summary["job"])
    if len(results) != rows:
        raise failed(f"{len(results)} results for {rows} rows")
    made = {}
    for task in apollo.tasks():
        made.setdefault(task["contact_id"], []).append(task["id"])
    for r in results:
        tasks = made.get(r["contact_id"], [])
        where = f"row {r['row']} is {r['state']} ({r['code']}) with {len(tasks)} tasks"
        if r["state"] == "created" and r["task_id"] not in tasks:
            raise failed(f"{where}: its task id is not among them")
        if r["state"] in ("pending", "rejected", "duplicate"):
            raise failed(f"{where}: not finished")
        if r["state"] == "failed" and tasks:
            raise failed(f"{where}: said to have failed, but created")
        if len(tasks) > 1 and not (policy == "resend" and r["possible_duplicate"]):
            raise failed(f"{where}: made twice")
    return results
