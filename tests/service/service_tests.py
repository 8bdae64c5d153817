#!/usr/bin/env python3
"""The service as its users meet it: the real program, the real sandbox, files dropped, requests made, kills."""
import argparse
import concurrent.futures
import http.client
import json
import multiprocessing
import os
import random
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import failed, sandbox, write_input  # noqa: E402

PATIENCE = 60  # seconds that anything may take
TOKEN = "a-token-of-the-service-tests"


class service:
    """A running service with a client."""

    def __init__(self, program, folder, apollo, extra=(), environment=None, inbox="inbox", ledger="ledger.db"):
        self.program, self.folder, self.apollo, self.extra = program, folder, apollo, list(extra)
        self.inbox = os.path.join(folder, inbox)
        self.ledger = os.path.join(folder, ledger)
        os.makedirs(self.inbox, exist_ok=True)
        self.environment = {**os.environ, "APOLLO_API_KEY": apollo.key, **(environment or {})}
        self.process = None

    def options(self):
        return ["--inbox", self.inbox, "--ledger", self.ledger, "--set", f"apollo.base_url={self.apollo.base_url}",
                "--set", f"apollo.ca_file={self.apollo.ca_file}", "--set", "serve.settle=200ms", "--set",
                "serve.poll=300ms", "--set", "import.chunk_size=8", "--set", "send.settle_time=1s", "--set",
                "send.backoff_base=50ms", "--set", "send.request_timeout=5s", *self.extra]

    def start(self, or_dead=False, descriptors=None, listen=("--listen", "127.0.0.1:0")):
        def bounded():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.log = open(os.path.join(self.folder, "service.log"), "ab")
        self.process = subprocess.Popen([self.program, "serve", *listen, *self.options()],
                                        env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        preexec_fn=bounded)
        said = self.process.stdout.readline().strip()
        if not said.startswith("listen="):
            if or_dead and self.process.wait(timeout=PATIENCE) == -signal.SIGKILL:
                return self
            raise failed(f"the service did not start: {open(self.log.name).read()[-2000:]}")
        self.address = said.split("=", 1)[1]
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise failed("the service did not stop")

    def connection(self):
        host, port = self.address.rsplit(":", 1)
        return http.client.HTTPConnection(host, int(port), timeout=PATIENCE)

    def ask(self, method, path, body=None, headers=None):
        connection = self.connection()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def get(self, path, expect=200):
        status, _, body = self.ask("GET", path)
        if status != expect:
            raise failed(f"GET {path} said {status}: {body}")
        return json.loads(body)

    def drop(self, source, name):
        hidden = os.path.join(self.inbox, "." + name)
        shutil.copyfile(source, hidden)
        os.rename(hidden, os.path.join(self.inbox, name))

    def text_of_log(self):
        with open(os.path.join(self.folder, "service.log"), encoding="utf-8") as f:
            return f.read()


def until(what, condition):
    """Waits for a condition, within bounds; gives what it gave."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise failed(f"not in time: {what}")


def items(where, place):
    folder = os.path.join(where.inbox, place)
    return sorted(name for name in os.listdir(folder)) if os.path.isdir(folder) else []


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def check_no_task_twice(apollo, expected=None):
    made = {}
    for task in apollo.tasks():
        made.setdefault((task["contact_id"], task["due_at"], task["note"]), []).append(task["id"])
    twice = [key for key, ids in made.items() if len(ids) > 1]
    if twice:
        raise failed(f"{len(twice)} tasks twice, such as {twice[0]}")
    if expected is not None and len(made) != expected:
        raise failed(f"{len(made)} tasks instead of {expected}")


def check(condition, what):
    if not condition:
        raise failed(what)


def end_to_end(program, folder, options):
    """Drop, upload, path, kill -9, restart, results, notifications."""
    told, pings = [], []

    class hook(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/hook":
                told.append((dict(self.headers), body))
            else:
                pings.append((self.path, body.decode()))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    receiver = HTTPServer(("127.0.0.1", 0), hook)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    secret = os.path.join(folder, "hook-key")
    with open(os.open(secret, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write("the-key-of-the-hook")
    crm = os.path.join(folder, "crm")
    os.makedirs(crm)
    apollo = sandbox(program, folder, ["--latency", "20ms"])
    try:
        s = service(program, folder, apollo, [
            "--set", f"notify.url=http://127.0.0.1:{receiver.server_port}/hook", "--set", f"notify.secret_file={secret}",
            "--set", f"notify.ping_url=http://127.0.0.1:{receiver.server_port}/check", "--set",
            f"serve.allowed_paths={crm}"]).start()
        check(s.get("/healthz")["status"] == "alive", "healthz")
        check(s.get("/readyz")["ready"] is True, "readyz")

        # A dropped file, with settings beside it.
        source = os.path.join(folder, "source.csv")
        rows = write_input(source, 1)
        with open(os.path.join(s.inbox, "monday.csv.toml"), "w") as f:
            f.write("[defaults]\npriority = \"high\"\n")
        s.drop(source, "monday.csv")
        done = until("monday.csv is done", lambda: items(s, "done"))
        item = os.path.join(s.inbox, "done", done[0])
        check(len(read(os.path.join(item, "results.csv")).splitlines()) == rows + 1, "results of a dropped file")
        summary = json.loads(read(os.path.join(item, "summary.json")))
        check(summary["created"] == rows and summary["exit_code"] == 0, f"summary {summary}")
        check({t["priority"] for t in apollo.tasks()} == {"high"}, "the settings beside the file hold")
        for path in (item, os.path.join(s.inbox, "done")):
            check(os.stat(path).st_mode & 0o077 == 0, f"{path} is open to others")

        # An upload, then kill -9 in the midst of sending, then a start: nothing lost, nothing twice.
        big = os.path.join(folder, "big.csv")
        more = write_input(big, 2, groups=6, rows=160)
        with open(big, "rb") as f:
            status, headers, body = s.ask("POST", "/v1/imports?name=big.csv", body=f, headers={"Content-Type": "text/csv"})
        check(status == 202, f"upload said {status}: {body}")
        place = headers["Location"]
        job = until("the upload has a job", lambda: s.get(place)["job"])
        until("requests are sent", lambda: (s.get(f"/v1/jobs/{job}")["created"] or 0) > 30)
        s.kill()
        s.start()
        until("the upload is done", lambda: s.get(place)["state"] == "done")
        state = s.get(f"/v1/jobs/{job}")
        check(state["created"] == more and state["state"] == "completed", f"after the kill: {state}")
        check_no_task_twice(apollo, rows + more)
        status, headers, body = s.ask("GET", f"/v1/jobs/{job}/results?format=jsonl&only=created")
        check(status == 200 and len(body.splitlines()) == more, "results as a stream")
        check(all(json.loads(line)["file"] == "big.csv" for line in body.splitlines()), "the file's own name in results")

        check(s.ask("GET", f"/v1/jobs/{job}/rejects")[0::2] == (200, ""), "no rejects")
        check(s.ask("GET", f"/v1/jobs/{job}/rejects?sheet=2")[0] == 400, "a sheet that is not there")

        # The same upload again: the same job, nothing sent.
        before = apollo.stats()["tasks"]
        with open(big, "rb") as f:
            status, headers, _ = s.ask("POST", "/v1/imports?name=again.csv", body=f)
        again = until("the second upload is done", lambda: (v := s.get(headers["Location"]))["state"] == "done" and v)
        check(again["job"] == job and apollo.stats()["tasks"] == before, "the same input is the same job")

        # A file by its path, and one of rows that are refused.
        third = os.path.join(crm, "third.csv")
        third_rows = write_input(third, 3, groups=1)
        status, headers, body = s.ask("POST", "/v1/imports", body=json.dumps({"path": third}),
                                      headers={"Content-Type": "application/json"})
        check(status == 202, f"path said {status}: {body}")
        until("the path is done", lambda: s.get(headers["Location"])["state"] == "done")
        check(os.path.exists(third), "a file given by its path stays where it is")
        with open(os.path.join(s.inbox, "bad.csv"), "w") as f:
            f.write("name,phone\nKim,1\n")
        until("bad.csv has failed", lambda: items(s, "failed"))
        bad = items(s, "failed")[0]
        check("contact" in read(os.path.join(s.inbox, "failed", bad, "error.txt")), "why it failed stands beside it")
        view = s.get(f"/v1/imports/{bad}")
        check(view["state"] == "failed" and view["error"], f"the failed import says why: {view}")
        rejects = os.path.join(folder, "rejects.csv")
        with open(rejects, "w") as f:
            f.write("contact_id,user_id,type,status,due_at\n" + "x,66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z\n" * 30)
        s.drop(rejects, "worse.csv")
        until("worse.csv has failed", lambda: len(items(s, "failed")) == 2)
        worst = next(i for i in items(s, "failed") if i.startswith("worse.csv"))
        check(len(read(os.path.join(s.inbox, "failed", worst, "rejects.csv")).splitlines()) == 31, "its rejects beside it")
        status, headers, body = s.ask("GET", f"/v1/imports/{worst}/rejects")
        check(status == 200 and body == read(os.path.join(s.inbox, "failed", worst, "rejects.csv")), f"its rejects: {status} {body}")
        check(headers["Content-Disposition"] == 'attachment; filename="rejects.csv"', f"named so: {headers}")
        check(body.startswith("contact_id,user_id,type,status,due_at,error\nx,"), f"with the error: {body[:200]}")
        status, _, body = s.ask("GET", f"/v1/imports/{bad}/rejects")
        check(status == 404 and "no-rejects" in body, f"no row of bad.csv was read: {status} {body}")
        # Mended by one row only, it goes in: the limit does not count for what was rejected before.
        lines = read(os.path.join(s.inbox, "failed", worst, "rejects.csv")).splitlines()
        mended = os.path.join(folder, "mended.csv")
        with open(mended, "w") as f:
            f.write("\n".join([lines[0], lines[1].replace("x,", f"{999:024x},", 1)] + lines[2:]) + "\n")
        s.drop(mended, "mended.csv")
        mended = until("mended.csv is done", lambda: next((i for i in items(s, "done") if i.startswith("mended.csv")), None))
        check(s.get(f"/v1/jobs/{s.get(f'/v1/imports/{mended}')['job']}")["rejected"] == 29, "one is mended")
        third_rows += 1
        status, _, body = s.ask("GET", f"/v1/imports/{mended}/rejects")
        check(status == 200 and len(body.splitlines()) == 30, f"the rest of a finished one: {status} {body[:200]}")

        # What failed for want of a setting is read again when the setting is there.
        with open(os.path.join(s.inbox, "failed", bad, "settings.toml"), "w") as f:
            f.write("[columns]\ncontact_id = \"name\"\n[import]\nid_pattern = \"[a-zA-Z]+\"\n[defaults]\ntype = \"call\"\n"
                    "user_id = \"Olga\"\nstatus = \"scheduled\"\ndue_at = \"2027-02-10T10:00:00Z\"\n")
        status, headers, body = s.ask("POST", f"/v1/imports/{bad}/retry")
        check(status == 202, f"retry of an import said {status}: {body}")
        kim = until("it is done", lambda: (v := s.get(headers["Location"]))["state"] == "done" and v)
        third_rows += s.get(f"/v1/jobs/{kim['job']}")["created"]
        check(s.ask("POST", f"/v1/imports/{bad}/retry")[0] in (404, 409), "what has not failed is not read again")

        # Events, metrics, notifications.
        stream = s.connection()
        stream.request("GET", "/v1/events", headers={"Last-Event-ID": "0"})
        answer = stream.getresponse()
        check(answer.getheader("Content-Type") == "text/event-stream", "the event stream's type")
        seen = ""
        while "event: import" not in seen:
            seen += answer.readline().decode()
        stream.close()
        _, _, text = s.ask("GET", "/metrics")
        check(f'taskbarge_ledger_rows{{job_state="completed",state="created"}} {rows + more + third_rows}' in text, text)
        check("\ntaskbarge_ready 1\n" in text, text)
        check("\ntaskbarge_last_finished_job_timestamp_seconds 1" in text, text)
        failed_now = len([n for n in os.listdir(os.path.join(s.inbox, "failed")) if not n.startswith(".")])
        check(f"\ntaskbarge_failed_items {failed_now}\n" in text, text)
        status, _, body = s.ask("GET", f"/v1/jobs/{kim['job']}/results?onyl=failed")
        check(status == 400 and "the nearest is only" in body, f"an unknown parameter: {status} {body}")
        until("the hook was told", lambda: len(told) >= 5)
        events = [json.loads(body)["event"] for _, body in told]
        check(events.count("completed") >= 3 and events.count("failed") >= 2, f"told: {events}")
        check(all("X-Taskbarge-Signature" in h for h, _ in told), "notifications are signed")
        until("the monitor was told", lambda: {"/check/start", "/check", "/check/fail"} <= {path for path, _ in pings})
        check(any(" is finished" in body for path, body in pings if path == "/check"), f"pings: {pings}")
        check(s.stop() == 0, "a stop on request is exit 0")
        log = s.text_of_log()
        check(apollo.key not in log and "group 1" not in log, "neither key nor notes in the log")
        return f"{rows + more + third_rows} rows created once, a kill -9 between; {len(told)} notifications"
    finally:
        receiver.shutdown()
        if s.process.poll() is None:
            s.kill()
        apollo.stop()


def commands(program, folder, options):
    """Pause, resume, cancel, retry, verify, reload, a wrong key, a graceful stop."""
    apollo = sandbox(program, folder, ["--latency", "150ms"])
    key_file = os.path.join(folder, "key")

    def write_key(text):
        with open(os.open(key_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as f:
            f.write(text)

    write_key("wrong-key-of-the-test")
    s = service(program, folder, apollo, ["--set", f"apollo.api_key_file={key_file}", "--set", "send.connections=2"])
    s.environment.pop("APOLLO_API_KEY")
    s.start()
    try:
        source = os.path.join(folder, "source.csv")
        rows = write_input(source, 1, groups=3, rows=80)
        s.drop(source, "a.csv")
        until("the wrong key is noticed", lambda: s.ask("GET", "/readyz")[0] == 503)
        check("401" in s.ask("GET", "/readyz")[2], "readyz says why")
        write_key(apollo.key)
        s.process.send_signal(signal.SIGHUP)
        until("requests are sent after the reload", lambda: s.get("/v1/jobs/1")["created"] > 0)
        status, _, body = s.ask("POST", "/v1/jobs/1/pause")
        paused = json.loads(body)
        check(status == 200 and paused["paused"], f"pause: {body}")
        check(0 < paused["created"] < rows, f"paused in the midst: {paused['created']}")
        s.stop()
        s.start()
        check(s.get("/v1/jobs/1")["paused"] and s.get("/v1/jobs/1")["created"] == paused["created"], "a pause outlasts a restart")
        other = os.path.join(folder, "other.csv")
        write_input(other, 2, groups=1, rows=8)
        s.drop(other, "b.csv")
        until("a younger job passes by a paused one", lambda: any(j["job"] == 2 for j in s.get("/v1/jobs?state=completed")["jobs"]))
        check(s.ask("POST", "/v1/jobs/1/resume")[0] == 200, "resume")
        until("it goes on", lambda: s.get("/v1/jobs/1")["created"] > paused["created"])
        status, _, body = s.ask("POST", "/v1/jobs/1/cancel")
        cancelled = json.loads(body)
        check(status == 200 and cancelled["state"] == "completed", f"cancel: {body}")
        check(cancelled["failed"] > 0 and cancelled["created"] + cancelled["failed"] == rows, f"cancelled: {cancelled}")
        until("its input is put away", lambda: any(i.startswith("a.csv") for i in items(s, "done")))
        status, _, body = s.ask("POST", "/v1/jobs/1/retry")
        check(status == 200 and json.loads(body)["created"] == rows, f"retry: {body}")
        item = os.path.join(s.inbox, "done", next(i for i in items(s, "done") if i.startswith("a.csv")))
        until("its results are written anew", lambda: json.loads(read(os.path.join(item, "summary.json")))["created"] == rows)
        check(read(os.path.join(item, "results.csv")).count(",created,") == rows, "all rows in the new results")
        check(s.ask("POST", "/v1/jobs/1/verify")[0] == 200, "verify")
        check(s.ask("POST", "/v1/jobs/99/pause")[0] == 404, "an unknown job")
        check(s.ask("POST", "/v1/jobs/1/explode")[0] == 404, "an unknown command")
        # A stop in the midst of sending: what is in flight is awaited, the rest is pending.
        third = os.path.join(folder, "third.csv")
        third_rows = write_input(third, 3, groups=3, rows=80)
        s.drop(third, "c.csv")
        until("it is sent", lambda: len(s.get("/v1/jobs")["jobs"]) == 3 and s.get("/v1/jobs/3")["created"] > 0)
        check(s.stop() == 0, "graceful stop")
        s.start()
        until("c.csv is done", lambda: s.get("/v1/jobs/3")["state"] == "completed")
        check_no_task_twice(apollo, rows + 8 + third_rows)
        return "pause, resume, cancel, retry, verify, reload, stop: no task twice"
    finally:
        s.kill()
        apollo.stop()


def raw(address, data, wait=10.0):
    """Bytes in, all bytes out until the service closes or nothing comes."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=wait) as c:
        c.sendall(data)
        out = b""
        try:
            while piece := c.recv(65536):
                out += piece
        except TimeoutError:
            pass
        return out


def refusals(program, folder, options):
    """What the service does not do: tokens, paths, origins, sizes, malformed requests."""
    apollo = sandbox(program, folder, [])
    crm = os.path.join(folder, "crm")
    os.makedirs(os.path.join(crm, "sub"))
    secret = os.path.join(folder, "secret.csv")
    write_input(secret, 1)
    os.symlink(secret, os.path.join(crm, "link.csv"))
    os.mkfifo(os.path.join(crm, "fifo.csv"))
    s = service(program, folder, apollo, ["--set", f"serve.allowed_paths={crm}", "--set", "serve.upload_limit=10kB"],
                {"TASKBARGE_TOKEN": TOKEN})
    try:
        for words, code, text in (
                (["--listen", "0.0.0.0:0"], 78, "token"),
                (["--listen", "127.0.0.1:0", "--set", f"serve.token_file={secret}.none"], 78, "token")):
            bare = {k: v for k, v in s.environment.items() if k != "TASKBARGE_TOKEN"}
            done = subprocess.run([program, "serve", *words, *s.options()], env=bare, capture_output=True, text=True, timeout=20)
            check(done.returncode == code and text in done.stderr, f"{words}: exit {done.returncode}: {done.stderr}")
        short = {**s.environment, "TASKBARGE_TOKEN": "short"}
        done = subprocess.run([program, "serve", "--listen", "127.0.0.1:0", *s.options()], env=short, capture_output=True,
                              text=True, timeout=20)
        check(done.returncode == 78, f"a short token: exit {done.returncode}: {done.stderr}")
        s.start()
        try:
            with open(f"/proc/{s.process.pid}/environ", "rb") as f:
                environ = f.read()
            check(TOKEN.encode() not in environ and apollo.key.encode() not in environ, "secrets in the environment")
        except PermissionError:
            check(os.geteuid() != 0, "root may read it")
        bearer = {"Authorization": f"Bearer {TOKEN}"}

        def expect(status, method, path, headers=None, body=None):
            got, answer, text = s.ask(method, path, body=body, headers=headers)
            check(got == status, f"{method} {path} {headers}: {got} instead of {status}: {text}")
            if status >= 400:
                check(answer.get("Content-Type") == "application/problem+json", f"{path}: {answer}")
                check(json.loads(text)["status"] == status, text)
            return text

        expect(200, "GET", "/healthz")
        expect(401, "GET", "/v1/jobs")
        expect(401, "GET", "/metrics")
        expect(401, "GET", "/v1/jobs", {"Authorization": "Bearer " + TOKEN[:-1] + "x"})
        expect(401, "GET", "/v1/jobs", {"Authorization": "Bearer " + TOKEN + "x"})
        expect(200, "GET", "/v1/jobs", bearer)
        expect(403, "GET", "/v1/jobs", {**bearer, "Origin": "https://evil.example"})
        expect(200, "GET", "/v1/jobs", {**bearer, "Origin": "http://" + s.address})
        expect(421, "GET", "/v1/jobs", {**bearer, "Host": "evil.example"})
        expect(404, "GET", "/v1/unknown", bearer)
        expect(405, "DELETE", "/v1/jobs", bearer)
        expect(404, "GET", "/v1/jobs/99", bearer)
        expect(404, "GET", "/v1/jobs/99/results", bearer)
        expect(400, "GET", "/v1/jobs?limit=0", bearer)
        expect(404, "GET", "/v1/jobs/99/rejects?sheet=2", bearer)
        expect(400, "GET", "/v1/imports/..%2f..", bearer)
        expect(400, "POST", "/v1/imports", bearer, b"contact_id\n")
        expect(400, "POST", "/v1/imports?name=..%2fx.csv", bearer, b"contact_id\n")
        expect(413, "POST", "/v1/imports?name=x.csv", bearer, b"x" * 20_000)
        inside = {**bearer, "Content-Type": "Application/JSON ; charset=utf-8"}
        for path, status in ((secret, 403), (os.path.join(crm, "..", "secret.csv"), 403), (os.path.join(crm, "link.csv"), 403),
                             (os.path.join(crm, "fifo.csv"), 400), (os.path.join(crm, "none.csv"), 400),
                             ("/etc/passwd", 403), (crm, 400)):
            got, _, text = s.ask("POST", "/v1/imports", json.dumps({"path": path}), inside)
            check(got in (status, 400 if status == 403 else 403), f"{path}: {got}: {text}")
            check(os.listdir(os.path.join(s.inbox, "processing")) == [], f"{path} was taken")
        expect(400, "POST", "/v1/imports", inside, b"{\"path\": 1}")
        expect(400, "POST", "/v1/imports", inside, b"not json")

        head = f"GET /healthz HTTP/1.1\r\nHost: {s.address}\r\n".encode()
        for data, status in (
                (b"nonsense\r\n\r\n", b"400"), (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
                (head + b"X: " + b"y" * 70_000 + b"\r\n\r\n", b"431"),
                (head + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", b"400"),
                (head + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
                (f"GET /%00 HTTP/1.1\r\nHost: {s.address}\r\n\r\n".encode(), b"400"),
                (f"GET //x/../y HTTP/1.1\r\nHost: {s.address}\r\n\r\n".encode(), b"400")):
            out = raw(s.address, data, 5)
            check(out.startswith(b"HTTP/1.1 " + status), f"{data[:60]}: {out[:100]}")
        check(s.ask("GET", "/healthz")[0] == 200, "it lives")
        check(items(s, "processing") == [] and items(s, "done") == [], "nothing was taken in")
        log = s.text_of_log()
        check(TOKEN not in log, "the token in the log")
        return "tokens, hosts, origins, paths, sizes, malformed requests: refused"
    finally:
        if s.process:
            s.kill()
        apollo.stop()


def supervised(program, folder, options):
    """As systemd runs it: readiness, watchdog, reload and stop are told; a stop does not wait for event streams."""
    apollo = sandbox(program, folder, [])
    address = os.path.join(folder, "notify")
    socket_of_systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    socket_of_systemd.bind(address)
    told = []

    def listen():
        while word := socket_of_systemd.recv(4096):
            told.append(word.decode())

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    s = service(program, folder, apollo, [], {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "400000"})

    def expect(*words):
        """The words told so far, but for those of the watchdog."""
        until(f"{words} told", lambda: [w for w in told if w != "WATCHDOG=1"] == list(words))

    try:
        s.start()
        expect("READY=1")
        until("the watchdog is fed", lambda: told.count("WATCHDOG=1") >= 3)
        s.process.send_signal(signal.SIGHUP)
        expect("READY=1", "RELOADING=1", "READY=1")
        stream = s.connection()
        stream.request("GET", "/v1/events")
        check(stream.getresponse().status == 200, "an event stream")
        began = time.monotonic()
        check(s.stop() == 0, "a stop on request is exit 0")
        took = time.monotonic() - began
        check(took < 8, f"an event stream holds the stop up, which took {took:.1f} s")  # requests under way have 10 s
        expect("READY=1", "RELOADING=1", "READY=1", "STOPPING=1")
        check("service_stopped" in s.text_of_log(), "the end is logged")
        return "ready, alive, reloading, ready, stopping"
    finally:
        if s.process.poll() is None:
            s.kill()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", address)
        listener.join(PATIENCE)
        socket_of_systemd.close()
        apollo.stop()


def two_services(program, folder, options):
    """Two services on one folder and one ledger: each file is taken once."""
    apollo = sandbox(program, folder, ["--latency", "20ms", "--limits", "0,0,0"])
    a = service(program, folder, apollo).start()
    b = service(program, folder, apollo).start()
    try:
        rows = 0
        for i in range(40):
            path = os.path.join(folder, f"{i}.csv")
            rows += write_input(path, 100 + i, groups=1, rows=4)
            a.drop(path, f"{i}.csv")
        until("all are done", lambda: len(items(a, "done")) == 40)
        check_no_task_twice(apollo, rows)
        # What the other one held is taken up when it dies.
        source = os.path.join(folder, "last.csv")
        more = write_input(source, 999, groups=3, rows=1000)
        a.drop(source, "last.csv")
        until("it is taken", lambda: items(a, "processing"))
        a.kill()
        until("the other one finishes it", lambda: len(items(b, "done")) == 41)
        check_no_task_twice(apollo, rows + more)
        return f"41 files, {rows + more} rows, each once"
    finally:
        for one in (a, b):
            if one.process.poll() is None:
                one.kill()
        apollo.stop()


def check_pages(s):
    """Page by page every job comes once, newest first."""
    whole = [job["job"] for job in s.get("/v1/jobs?state=completed&limit=1000")["jobs"]]
    paged, before = [], 0
    while before is not None and len(paged) <= len(whole):
        page = s.get(f"/v1/jobs?state=completed&limit=7&before={before}")
        paged += [job["job"] for job in page["jobs"]]
        before = page["next_before"]
    least = min(len(whole), 1000)
    check(paged[:least] == whole and sorted(set(paged), reverse=True) == paged, f"pages: {paged[:50]} ... {paged[-10:]}")


def planned_once(program, folder, options):
    """Killed at each step between a drop and its noted job, and started with other settings: one job, no task twice."""
    apollo = sandbox(program, folder, ["--limits", "0,0,0"])
    priorities = ("high", "low", "medium")
    # Where the first process dies, and the next one; the last one lives.
    kills = [["inbox.published"], ["inbox.input_moved", "plan_committed"], ["plan_part", "planned"],
             ["planned", "plan_committed"], ["plan_committed"], ["plan_committed", "file_written"],
             ["file_written"], ["file_written", "file_written"]]
    s = None
    try:
        rows = 0
        for number, points in enumerate(kills):
            source = os.path.join(folder, "source.csv")
            rows += write_input(source, 400 + number, groups=2, rows=12)
            for turn, point in enumerate([*points, None]):
                s = service(program, folder, apollo, [
                    "--set", f"defaults.priority={priorities[(number + turn) % 3]}", "--set", f"import.chunk_size={6 + turn}"],
                    {"TASKBARGE_KILL_AT": point} if point else None)
                # The first one to be killed may die before it says where it listens: it is given its file before.
                if turn == 0:
                    s.drop(source, f"{number}.csv")
                s.start(or_dead=point is not None)
                if point:
                    until(f"it dies at {point}", lambda: s.process.poll() is not None)
                    check(s.process.returncode == -signal.SIGKILL, f"{point}: ended with {s.process.returncode}")
                    s.process.stdout.close()
            until(f"{number}.csv is done", lambda: len(items(s, "done")) == number + 1)
            check(items(s, "failed") == [], f"failed: {items(s, 'failed')}")
            jobs = s.get("/v1/jobs")["jobs"]
            check(len(jobs) == number + 1, f"killed at {points}: {len(jobs)} jobs of {number + 1} inputs")
            made = [task["contact_id"] for task in apollo.tasks()]
            check(len(made) == len(set(made)) == rows, f"killed at {points}: {len(made)} tasks for {rows} rows")
            check(s.stop() == 0, "a stop on request is exit 0")
        return (f"{len(kills)} inputs, {sum(map(len, kills))} kills, other settings at each start: "
                f"{rows} rows, each once")
    finally:
        if s and s.process.poll() is None:
            s.kill()
        apollo.stop()


def crowded(program, folder, options):
    """More inputs were left than there are descriptors: they are taken up a part at a time."""
    count, descriptors = 140, 130
    apollo = sandbox(program, folder, ["--limits", "0,0,0", "--usage-limits", "0,0,0"])
    s = service(program, folder, apollo, ["--set", "log.level=warning"])
    try:
        for number in range(count):
            item = os.path.join(s.inbox, "processing", f"{number:03}.csv.20261125T190102Z.1")
            os.makedirs(item, 0o700)
            with open(os.path.join(item, "item.json"), "w") as f:
                json.dump({"name": f"{number:03}.csv", "origin": "inbox", "taken_at": "2026-11-25T19:01:02Z", "first_rows": 0,
                           "again": False, "ticket": f"{number:032x}"}, f)
            with open(os.path.join(item, f"{number:03}.csv"), "w") as f:
                f.write("contact_id,user_id,type,status,due_at\n"
                        f"{number + 1:024x},66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z\n")
        s.start(descriptors=descriptors)
        until("all are done", lambda: len(items(s, "done")) == count)
        check_no_task_twice(apollo, count)
        check(s.stop() == 0, "a stop on request is exit 0")
        check("many open files" not in s.text_of_log(), s.text_of_log()[-2000:])
        return f"{count} inputs with {descriptors} descriptors"
    finally:
        if s.process and s.process.poll() is None:
            s.kill()
        apollo.stop()


def grown(program, folder, options):
    """A writer that goes on after its file was taken: no row is lost without a word, over a kill too."""
    apollo = sandbox(program, folder, ["--latency", "300ms"])
    s = service(program, folder, apollo, ["--set", "send.connections=1"]).start()
    try:
        source = os.path.join(folder, "source.csv")
        rows = write_input(source, 1, groups=2, rows=40)
        lines = read(source).splitlines(keepends=True)

        # Open for writing: it is taken when it is closed, and whole.
        with open(os.path.join(s.inbox, ".open.csv"), "w") as f:
            f.writelines(lines[:30])
            f.flush()
            os.rename(f.name, os.path.join(s.inbox, "open.csv"))
            until("it is told", lambda: "open.csv is open for writing" in s.text_of_log())
            check(items(s, "processing") == [], "a file that is open for writing was taken")
            f.writelines(lines[30:])
        done = until("open.csv is done", lambda: items(s, "done"))
        summary = json.loads(read(os.path.join(s.inbox, "done", done[0], "summary.json")))
        check(summary["rows"] == rows, f"rows of a file that was closed late: {summary}")

        # As where the file system does not tell of writers: rows come after it was planned.
        for name, kills in (("late.csv", False), ("later.csv", True)):
            write_input(source, 2 + kills, groups=2, rows=40)
            s.drop(source, name)
            item = until("it is planned", lambda: next((i for i in items(s, "processing") if i.startswith(name) and
                                                        os.path.exists(os.path.join(s.inbox, "processing", i, "job"))), None))
            with open(os.path.join(s.inbox, "processing", item, name), "a") as f:
                f.write(f"{7 + kills:024x},66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z,late\n")
            if kills:
                s.kill()
                s.start()
            until(f"{name} has failed", lambda: any(i.startswith(name) for i in items(s, "failed")))
            place = os.path.join(s.inbox, "failed", item)
            check("went on to be written" in read(os.path.join(place, "error.txt")), "error.txt says why")
            check(read(os.path.join(place, "results.csv")).count(",created,") == rows, "what was sent stands beside it")
            check(s.get(f"/v1/imports/{item}")["error"].startswith(name), "the API says why")
            # The remedy: the whole file again makes the one task that is missing.
            before = len(apollo.tasks())
            s.drop(os.path.join(place, name), "again-" + name)
            until("it is done", lambda: any(i.startswith("again-" + name) for i in items(s, "done")))
            check(len(apollo.tasks()) == before + 1, f"{len(apollo.tasks()) - before} tasks instead of the missing one")
        check_no_task_twice(apollo, 3 * rows + 2)
        _, _, text = s.ask("GET", "/metrics")
        check('taskbarge_items_finished_total{place="failed"} 1' in text, "it is counted since the kill")
        check(s.text_of_log().count("import_failed") == 2, "it is logged")

        # A second name.
        write_input(source, 5, groups=1, rows=2)
        os.link(source, os.path.join(s.inbox, "linked.csv"))
        until("it is told", lambda: "linked.csv has 2 names" in s.text_of_log())
        os.unlink(source)
        until("linked.csv is done", lambda: any(i.startswith("linked.csv") for i in items(s, "done")))
        check(s.text_of_log().count("linked.csv has 2 names") == 1, "told once")
        return "rows that come late are told, and no file is taken that is open or has two names"
    finally:
        if s.process.poll() is None:
            s.kill()
        apollo.stop()


def descriptors_of(s):
    """How many the service has open. The program keeps that to itself and root; of anybody else's it is not measured."""
    return len(os.listdir(f"/proc/{s.process.pid}/fd")) if os.geteuid() == 0 else 0


def slow_clients(address, count, ends):
    """Connections that say too little, and come back whenever they are cut. A process of its own."""
    host, port = address.rsplit(":", 1)
    starts = (b"", b"GET / HTTP/1.1\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\nX: ",
              f"POST /v1/imports?name=slow.csv HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100000\r\n\r\n".encode())
    chooser = selectors.DefaultSelector()

    def connect(number):
        c = socket.socket()
        c.setblocking(False)
        c.connect_ex((host, int(port)))
        chooser.register(c, selectors.EVENT_READ, number)
        return c

    connections = {number: connect(number) for number in range(count)}
    begun, cuts, sent = set(), 0, 0
    while not ends.is_set():
        for key, _ in chooser.select(0.05):
            try:
                if key.fileobj.recv(4096):
                    continue
            except OSError:
                pass
            cuts += 1
            chooser.unregister(key.fileobj)
            key.fileobj.close()
            begun.discard(key.data)
            connections[key.data] = connect(key.data)
        for number, c in connections.items():
            start = starts[number % len(starts)]
            try:
                if number not in begun:
                    c.send(start)
                    begun.add(number)
                elif number % len(starts) > 1:  # half of them go on, a byte at a time
                    sent += c.send(b"x")
            except OSError:
                pass  # not connected yet, or cut: read() tells
    return cuts, sent


def besieged(program, folder, options):
    """Thousands of clients that say too little do not keep others out, and cut no work."""
    count, most = options.slow, 256
    apollo = sandbox(program, folder, ["--latency", "100ms"])
    s = service(program, folder, apollo, ["--set", "log.level=error"]).start()
    ends = multiprocessing.Event()
    siege = multiprocessing.Process(target=slow_clients, args=(s.address, count, ends))
    try:
        stream = s.connection()
        stream.request("GET", "/v1/events", headers={"Last-Event-ID": "0"})
        events = stream.getresponse()
        siege.start()
        until("all places are taken", lambda: os.geteuid() != 0 or descriptors_of(s) > most)
        source = os.path.join(folder, "source.csv")
        rows = write_input(source, 1, groups=2, rows=40)
        s.drop(source, "a.csv")
        took, descriptors = [], 0
        for _ in range(20):
            began = time.monotonic()
            status, _, _ = s.ask("GET", "/healthz")
            took.append(time.monotonic() - began)
            check(status == 200, f"/healthz said {status}")
            descriptors = max(descriptors, descriptors_of(s))
        # Busy machines have moments of their own: the usual answer is quick, and none is kept out.
        check(sorted(took)[len(took) // 2] < 1 and max(took) < 5, f"/healthz took {max(took):.2f} s")
        check(descriptors < most + 128, f"{descriptors} descriptors")  # a body that does not come has no file yet
        until("the job is done in the midst of it", lambda: items(s, "done"))
        seen = ""
        while '"state":"done"' not in seen:
            line = events.readline().decode()
            check(line, "the event stream was cut")
            seen += line
        check(siege.is_alive(), "the siege ended early")
        check_no_task_twice(apollo, rows)
        return (f"{count} slow connections: 20 times /healthz in at most {max(took) * 1000:.0f} ms, {descriptors} descriptors, "
                "a job and an event stream went on")
    finally:
        ends.set()
        if siege.pid:
            siege.join(PATIENCE)
        if s.process.poll() is None:
            s.kill()
        apollo.stop()


def processor_time(process):
    """Seconds of user and system time."""
    with open(f"/proc/{process.pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(program, folder, options):
    """Many files at once and many clients: nothing lost, memory and descriptors bounded."""
    files, clients, each = options.files, options.clients, 5
    apollo = sandbox(program, folder, ["--limits", "0,0,0", "--usage-limits", "0,0,0"])
    # The looks around are for what others do; as often as in other tests they would be a part of what a file costs.
    s = service(program, folder, apollo, ["--set", "log.level=warning", "--set", "serve.poll=10s"]).start()
    try:
        chance = random.Random(5)
        expected = 0
        staged = os.path.join(folder, "staged")
        os.makedirs(staged)
        for i in range(files):
            name = os.path.join(staged, f"f{i:05}.csv")
            expected += write_input(name, 1000 + i, groups=1, rows=2)
            # Tasks of their own: those with equal details are looked for in all earlier files that have them.
            text = read(name).replace("group 0", f"file {i}")
            with open(name, "w", encoding="utf-8") as f:
                f.write(text)
        processor_before = processor_time(s.process)
        began = time.monotonic()
        for name in sorted(os.listdir(staged)):
            os.rename(os.path.join(staged, name), os.path.join(s.inbox, name))
        body = ("contact_id,user_id,type,status,due_at\n" + "".join(
            f"{chance.getrandbits(96):024x},66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z\n" for _ in range(2)))

        def client(number):
            served = []
            text = body.replace("2027-02-10", f"2027-{1 + number % 12:02}-{1 + number // 12 % 28:02}")
            for i in range(each):
                path = ("/v1/jobs?limit=5", "/v1/imports?limit=5", "/metrics", "/healthz")[(number + i) % 4]
                served.append(s.ask("GET", path)[0])
            served.append(s.ask("POST", f"/v1/imports?name=client-{number}.csv", body=text)[0])
            return served

        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            answers = [status for served in pool.map(client, range(clients)) for status in served]
        clients_took = time.monotonic() - began
        check(all(status in (200, 202) for status in answers), f"answers: {sorted(set(answers))}")
        end = time.monotonic() + options.patience
        descriptors = 0
        while len(items(s, "done")) < files + clients:
            check(time.monotonic() < end, f"only {len(items(s, 'done'))} done, {len(items(s, 'processing'))} in processing, "
                                          f"{len(items(s, 'failed'))} failed")
            descriptors = max(descriptors, descriptors_of(s))
            time.sleep(0.2 if files <= 1000 else 1)
        took = time.monotonic() - began
        processor = (processor_time(s.process) - processor_before) / (files + clients)
        check(items(s, "failed") == [] and items(s, "processing") == [], "some are left")
        expected += 2 * len({(1 + n % 12, 1 + n // 12 % 28) for n in range(clients)})
        check_no_task_twice(apollo, expected)
        check_pages(s)
        with open(f"/proc/{s.process.pid}/status") as f:
            peak = next(int(line.split()[1]) for line in f if line.startswith("VmHWM"))
        check(peak < 256 * 1024, f"peak memory {peak} KiB")
        # Those that wait in the inbox or for their jobs need none: what is unread, the connections, and some of its own.
        check(descriptors < 64 + clients + 100, f"{descriptors} descriptors")
        check(s.stop() == 0, "stop")
        return (f"{files} files and {clients} clients ({len(answers)} answers in {clients_took:.1f} s): all done in {took:.1f} s, "
                f"{(files + clients) / took:.0f} a second, {processor * 1000:.1f} ms of processor time each; "
                f"{expected} tasks, none twice, peak memory {peak // 1024} MiB, at most {descriptors} descriptors")
    finally:
        if s.process.poll() is None:
            s.kill()
        apollo.stop()


def sockets_to(process, port):
    """How many sockets a process has whose other end is that port of this machine."""
    inodes = set()
    for fd in os.listdir(f"/proc/{process.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{process.pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(1 for row in rows if int(row[2].rsplit(":", 1)[1], 16) == port and row[9] in inodes)


def in_flight(program, folder, options):
    """Requests are under way: the job is running; a pause waits for them however short the grace time is, and leaves
    nothing behind; the last word of a service that stops is that it has."""
    apollo = sandbox(program, folder, ["--latency", "3s"])
    port = int(apollo.base_url.split(":")[2].split("/")[0])
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(16)
    s = service(program, folder, apollo,
                ["--set", "send.grace_time=300ms", "--set", "send.request_timeout=20s", "--set", "send.connections=4", "--set",
                 f"notify.url=http://127.0.0.1:{silent.getsockname()[1]}/hook"], {"TASKBARGE_NOTIFY_SECRET": "a secret of the tests"})
    source = os.path.join(folder, "rows.csv")
    write_input(source, 3, groups=4, rows=8)
    try:
        s.start()
        s.drop(source, "rows.csv")
        job = until("a job", lambda: s.get("/v1/jobs")["jobs"])[0]["job"]
        running = until("requests under way", lambda: (v := s.get(f"/v1/jobs/{job}"))["progress"] and
                        v["progress"]["in_flight"] > 1 and v)
        check(running["state"] == "running" and running["error"] is None, f"a job that is worked on: {running}")
        check([j["job"] for j in s.get("/v1/jobs?state=running")["jobs"]] == [job], "it is listed as running")
        check(s.get("/v1/jobs?state=parked")["jobs"] == [], "and not as parked")
        status, _, body = s.ask("POST", f"/v1/jobs/{job}/pause")
        paused = json.loads(body)
        check(status == 200 and paused["paused"], f"pause said {status}: {body}")
        check(paused["unknown"] == 0 and paused["created"] > 0, f"the requests under way were waited for: {body}")
        until("their connections are closed", lambda: sockets_to(s.process, port) == 0)
        status, _, body = s.ask("POST", f"/v1/jobs/{job}/resume")
        check(status == 200, f"resume said {status}: {body}")
        until("it is finished", lambda: s.get(f"/v1/jobs/{job}")["state"] == "completed")
        check_no_task_twice(apollo)
        connection, _ = silent.accept()  # a notification that is never answered
        check(s.stop() == 0, "a stop on request is exit 0")
        connection.close()
        last = s.text_of_log().strip().split("\n")[-1]
        check("service_stopped" in last, f"the last line of the log is {last}")
        return f"paused with {running['progress']['in_flight']} requests under way: none unknown, none left open"
    finally:
        silent.close()
        if s.process and s.process.poll() is None:
            s.kill()
        apollo.stop()


def contact_searches(apollo):
    return apollo.stats()["routes"]["contacts_search"]["requests"]


def write_named(path, column, values, note):
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{column},user_id,type,status,due_at,note\n")
        for value in values:
            f.write(f"{value},66302798d03b9601c7934ebf,call,scheduled,2027-02-10T10:00:00Z,{note}\n")


def contacts(program, folder, options):
    """A file that names its contacts by e-mail waits for the search's window, and no other file for it; a kill while it
    waits; the index is kept fresh with as few requests as can be; nobody's address is told."""
    lengths, per_window, known = ["9s", "1m", "10m"], 8, 2000
    pages = known // 100
    apollo = sandbox(program, folder, ["--contacts", str(known), "--contacts-search-limits", f"{per_window},0,0",
                                       "--window-lengths", ",".join(lengths)])
    s = service(program, folder, apollo, ["--set", f"limits.window_lengths={json.dumps(lengths)}"])
    people = [json.loads(line) for line in apollo.view("/sandbox/contacts").splitlines()]
    seen = {}
    for person in people:
        seen.setdefault(person["email"], []).append(person["id"])
    named = [email for email, ids in seen.items() if email and len(ids) == 1][:300]
    try:
        s.start()
        state = s.get("/v1/contacts")
        check(state["contacts"]["known"] == 0 and state["contacts"]["as_of"] is None, f"nothing is known: {state}")
        check(state["refresh"] == {"state": "idle", "all": False, "ended_at": None, "error": None, "next_at": None},
              f"none is due without the setting: {state}")

        by_email, by_id = os.path.join(folder, "by-email.csv"), os.path.join(folder, "by-id.csv")
        write_named(by_email, "email", named, "by email")
        write_named(by_id, "contact_id", [p["id"] for p in people[:40]], "by id")
        s.drop(by_email, "by-email.csv")
        waiting = until("it waits for the window", lambda: next(
            (i for i in s.get("/v1/imports")["imports"] if i["name"] == "by-email.csv" and i["state"] == "waiting"), None))
        check("window of contacts/search until" in waiting["error"], f"it says what it waits for: {waiting}")
        check(contact_searches(apollo) == per_window, "and has used the window up")
        s.drop(by_id, "by-id.csv")
        until("the other file is done", lambda: any(i.startswith("by-id.csv") for i in items(s, "done")))
        check(s.get(f"/v1/imports/{waiting['import']}")["job"] is None, "while the first still waits")
        s.kill()
        s.start()
        until("it is done", lambda: any(i.startswith("by-email.csv") for i in items(s, "done")))
        check(contact_searches(apollo) == pages, f"{contact_searches(apollo)} requests for {pages} pages, a kill between")
        check_no_task_twice(apollo, len(named) + 40)
        check({t["contact_id"] for t in apollo.tasks() if t["note"] == "by email"} == {seen[e][0] for e in named},
              "each task is its person's")
        job = s.get(f"/v1/imports/{waiting['import']}")["job"]
        line = json.loads(s.ask("GET", f"/v1/jobs/{job}/results?format=jsonl")[2].splitlines()[0])
        check(line["contact_key"] == f"email:{named[0]}" and line["contact_id"] == seen[named[0]][0], f"results: {line}")
        state = s.get("/v1/contacts")
        check(state["contacts"]["complete"] and state["contacts"]["known"] == known, f"all are known: {state}")
        check([w["limit"] for w in state["windows"] if w["route"] == "contacts/search"] == [per_window], f"its window: {state}")

        # A person asks for the whole list: it takes three windows, and one at a time is enough.
        before = contact_searches(apollo)
        check(s.ask("POST", "/v1/contacts/refresh?all=perhaps")[0] == 400, "all is true or false")
        status, _, body = s.ask("POST", "/v1/contacts/refresh?all=true")
        check(status == 202, f"a refresh said {status}: {body}")
        status, _, body = s.ask("POST", "/v1/contacts/refresh")
        check(status == 409 and "refresh-under-way" in body, f"a second one said {status}: {body}")
        until("it waits", lambda: (r := s.get("/v1/contacts")["refresh"])["state"] == "waiting" and r["all"] and r["next_at"])
        # What is known still is, so a file is planned meanwhile without a request.
        write_named(by_email, "email", named[:20], "once more")
        s.drop(by_email, "more.csv")
        until("it is done", lambda: any(i.startswith("more.csv") for i in items(s, "done")))
        until("the whole list is read", lambda: s.get("/v1/contacts")["refresh"]["ended_at"])
        check(contact_searches(apollo) == before + pages, f"{contact_searches(apollo) - before} requests for {pages} pages")

        check(s.text_of_log().count("contacts_refresh_waits") == 1, "its waits are told once")

        # By the setting: what changes in Apollo is known soon, and after a restart nothing is read that is fresh.
        s.stop()
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        apollo.view("/sandbox/contacts", json.dumps({"email": "new.person@elsewhere.example", "created_at": moment,
                                                         "updated_at": moment}).encode())
        s.extra += ["--set", "contacts.refresh=5s"]
        s.start()
        until("the new contact is known", lambda: s.get("/v1/contacts")["contacts"]["known"] == known + 1)
        until("the next one has a time", lambda: s.get("/v1/contacts")["refresh"]["next_at"])
        _, _, text = s.ask("GET", "/metrics")
        for line in (f"taskbarge_contacts {known + 1}", "taskbarge_contacts_complete 1",
                     'taskbarge_contacts_refreshes_total{outcome="completed"} 1'):
            check(f"\n{line}\n" in text, f"{line} is not in {text}")
        check('taskbarge_apollo_rate_limit_left_requests{route="contacts/search",window="minute"}' in text, text)
        asked = contact_searches(apollo)
        s.stop()
        s.extra[-1] = "contacts.refresh=1h"
        s.extra += ["--set", "send.backoff_base=1s"]
        s.start()
        until("the next one is an hour away", lambda: s.get("/v1/contacts")["refresh"]["next_at"])
        check(contact_searches(apollo) == asked, "what is fresh is not read again")

        # An outage is a failure and no window: it is left off soon, and tried again less and less often.
        apollo.view("/sandbox/faults", b"contacts_search/500")
        check(s.ask("POST", "/v1/contacts/refresh")[0] == 202, "a refresh")
        out = until("it has failed", lambda: (r := s.get("/v1/contacts")["refresh"])["error"] and r)
        check("500" in out["error"] and out["state"] == "idle" and out["next_at"], f"why: {out}")
        check(contact_searches(apollo) - asked == 3, f"{contact_searches(apollo) - asked} requests into an outage")
        apollo.view("/sandbox/faults", b"")

        # Apollo refuses: the state says so, the log once.
        check(s.stop() == 0, "a stop on request is exit 0")
        s.environment["APOLLO_API_KEY"] = "wrong-key-of-the-test"
        s.start()
        for _ in range(2):
            before_it = s.get("/v1/contacts")["refresh"]["ended_at"]
            check(s.ask("POST", "/v1/contacts/refresh")[0] == 202, "a refresh")
            refused = until("it is refused", lambda: (r := s.get("/v1/contacts")["refresh"])["ended_at"] != before_it and r)
            check("401" in refused["error"] and refused["next_at"], f"why: {refused}")
        check(s.stop() == 0, "a stop on request is exit 0")
        log = s.text_of_log()
        check(log.count("contacts_not_refreshed reason=unauthorized") == 1, "a failure is told once")
        told = [e for e in (*named, "elsewhere.example") if e in log or e in text]
        check(not told, f"addresses are told, such as {told[:1]}")
        return (f"{len(named) + 60} rows, {len(named) + 20} of them by e-mail; {pages} requests for {pages} pages of contacts over three "
                f"windows and a kill, and again; {contact_searches(apollo) - before - pages} for the changes")
    finally:
        if s.process and s.process.poll() is None:
            s.kill()
        apollo.stop()


def contacts_together(program, folder, options):
    """The service, a file in its inbox and a person at the terminal want Apollo's contacts at once: they take turns, and
    none asks for a page that another has just read for it."""
    known = 2000
    apollo = sandbox(program, folder, ["--contacts", str(known), "--contacts-search-limits", "0,0,0", "--latency", "300ms"])
    s = service(program, folder, apollo, ["--set", "contacts.refresh=1h"])
    emails = [json.loads(line)["email"] for line in apollo.view("/sandbox/contacts").splitlines()]
    named = [email for email in emails if emails.count(email) == 1][:100]
    by_email = os.path.join(folder, "by-email.csv")
    write_named(by_email, "email", named, "by email")
    try:
        s.drop(by_email, "by-email.csv")
        s.start()
        command = [program, "contacts", "refresh", "--json", *[o for o in s.options() if o not in ("--inbox", s.inbox)]]
        person = subprocess.run(command, env=s.environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
        check(person.returncode == 0, f"the person's refresh: {person.returncode} {person.stdout} {person.stderr}")
        until("the file is done", lambda: items(s, "done"))
        state = until("all have ended", lambda: (v := s.get("/v1/contacts"))["refresh"]["state"] == "idle" and v)
        check(state["contacts"]["complete"] and state["contacts"]["known"] == known, f"all are known: {state}")
        check_no_task_twice(apollo, len(named))
        asked = contact_searches(apollo)
        # The whole list once; then what has changed, for each of the others at most.
        check(known // 100 <= asked <= known // 100 + 2, f"{asked} requests for {known // 100} pages")
        return f"three at once: {asked} requests for {known // 100} pages"
    finally:
        if s.process and s.process.poll() is None:
            s.kill()
        apollo.stop()


def held(program, folder, options):
    """An import that waits for a person's word: planned, mended, killed, started, discarded."""
    apollo = sandbox(program, folder, [])
    s = service(program, folder, apollo)
    try:
        s.start()
        csv = "Contact,user_id,type,status,due_at\n" + "".join(
            f"{i:024x},66302798d03b9601c7934ebf,call,scheduled,2031-02-15T10:00:00Z\n" for i in range(1, 21))

        def ask(expect, method, path, body=None):
            status, _, text = s.ask(method, path, body=body)
            check(status == expect, f"{method} {path}: {status} instead of {expect}: {text}")
            return json.loads(text)

        def planned(key):
            return until("a plan", lambda: s.get(f"/v1/imports/{key}")["state"] == "planned")

        one = ask(202, "POST", "/v1/imports?name=list.csv&hold=true", csv)
        check(one["held"] is True and one["bytes"] == len(csv), one)
        key = one["import"]
        planned(key)
        plan = s.get(f"/v1/imports/{key}/plan")
        check(plan["error_code"] == "input" and "contact_id" in plan["error"], plan)
        check([c["column"] for c in plan["columns"]] == ["Contact", "user_id", "type", "status", "due_at"], plan["columns"])
        check(plan["columns"][0]["examples"][0] == f"{1:024x}", plan["columns"])

        wrong = ask(400, "PUT", f"/v1/imports/{key}/settings", "[columns]\ncontact = \"Contact\"\n")
        check("columns.contact" in wrong["detail"], wrong)
        check(s.get(f"/v1/imports/{key}")["state"] == "planned" and s.get(f"/v1/imports/{key}/plan")["settings"] == "",
              "wrong settings are not kept")
        check(ask(400, "PUT", f"/v1/imports/{key}/settings", "[apollo]\nbase_url = \"https://x\"\n")["type"]
              == "/problems/bad-input", "an input's settings may not say where the key goes")
        ask(202, "PUT", f"/v1/imports/{key}/settings", "[columns]\ncontact_id = \"Contact\"\n")
        planned(key)
        plan = s.get(f"/v1/imports/{key}/plan")
        check(plan["error"] is None and plan["plan"]["rows"] == 20 and plan["plan"]["minimum_requests"] == 3, plan)
        check({"field": "contact_id", "column": "Contact", "source": "settings"} in plan["files"][0]["fields"], plan["files"])
        check(plan["plan"]["first_rows"][0]["contact_id"] == f"{1:024x}", plan["plan"]["first_rows"])
        check(s.get("/v1/overview")["imports"]["planned"] == 1, "the overview counts it")

        # Nobody has said so: whatever happens, nothing is sent, and no job is made.
        s.kill()
        s.start()
        planned(key)
        check(apollo.tasks() == [] and s.get("/v1/jobs")["jobs"] == [], "it is held after a kill")

        # What is started is what was looked at, also where somebody else has changed it, or a reload has.
        seen = s.get(f"/v1/imports/{key}/plan")["plan_id"]
        ask(202, "PUT", f"/v1/imports/{key}/settings",
            "[columns]\ncontact_id = \"Contact\"\n[defaults]\npriority = \"high\"\n")
        planned(key)
        check(ask(409, "POST", f"/v1/imports/{key}/start?plan={seen}")["type"] == "/problems/plan-changed", "an old plan")
        ask(202, "PUT", f"/v1/imports/{key}/settings", "[columns]\ncontact_id = \"Contact\"\n")
        planned(key)
        told = s.text_of_log().count("import_planned")
        s.process.send_signal(signal.SIGHUP)
        until("planned again after a reload", lambda: s.text_of_log().count("import_planned") > told)
        planned(key)
        check(apollo.tasks() == [] and s.get("/v1/jobs")["jobs"] == [], "still held")
        ask(202, "POST", f"/v1/imports/{key}/start?plan={s.get(f'/v1/imports/{key}/plan')['plan_id']}")
        until("done", lambda: s.get(f"/v1/imports/{key}")["state"] == "done")
        check_no_task_twice(apollo, 20)
        check(ask(409, "POST", f"/v1/imports/{key}/start")["type"] == "/problems/not-planned", "started once")
        ask(409, "GET", f"/v1/imports/{key}/plan")
        ask(409, "DELETE", f"/v1/imports/{key}")

        other = ask(202, "POST", "/v1/imports?name=other.csv&hold=true", csv.replace("Contact", "contact_id"))["import"]
        planned(other)
        check(ask(200, "DELETE", f"/v1/imports/{other}")["import"] == other, "what was discarded is told")
        ask(404, "GET", f"/v1/imports/{other}")
        ask(404, "POST", f"/v1/imports/{other}/start")
        check(items(s, "processing") == [] and set(items(s, ".incoming")) <= {"claims", "lock"},
              f"its folder is gone: {items(s, '.incoming')}")

        # Said, and killed before anything else: it goes on by itself.
        third = ask(202, "POST", "/v1/imports?name=third.csv&hold=1",
                    csv.replace("Contact", "contact_id").replace("2031", "2032"))["import"]
        planned(third)
        ask(202, "POST", f"/v1/imports/{third}/start")
        s.kill()
        s.start()
        until("done", lambda: s.get(f"/v1/imports/{third}")["state"] == "done")
        check_no_task_twice(apollo, 40)

        # Let go, failed, mended and tried again: the word was for what it was then.
        again = ask(202, "POST", "/v1/imports?name=again.csv&hold=true", csv.replace("2031", "2033"))["import"]
        planned(again)
        ask(202, "POST", f"/v1/imports/{again}/start")
        until("it fails", lambda: s.get(f"/v1/imports/{again}")["state"] == "failed")
        with open(os.path.join(s.inbox, "failed", again, "settings.toml"), "w", encoding="utf-8") as f:
            f.write("[columns]\ncontact_id = \"Contact\"\n")
        check(ask(202, "POST", f"/v1/imports/{again}/retry")["held"] is True, "it is held again")
        planned(again)
        s.kill()
        s.start()
        planned(again)
        check(len(apollo.tasks()) == 40, "nothing is sent without another word")
        ask(202, "POST", f"/v1/imports/{again}/start")
        until("done", lambda: s.get(f"/v1/imports/{again}")["state"] == "done")
        check_no_task_twice(apollo, 60)

        # Removed by hand: it takes no place any more, whatever is asked of it.
        for command in (("POST", "/start"), ("DELETE", ""), None):
            gone = ask(202, "POST", "/v1/imports?name=gone.csv&hold=true", csv)["import"]
            planned(gone)
            shutil.rmtree(os.path.join(s.inbox, "processing", gone))
            if command:
                ask(404, command[0], f"/v1/imports/{gone}{command[1]}")
            until("it is forgotten", lambda: s.get("/v1/overview")["imports"]["planned"] == 0)
        return f"{len(apollo.tasks())} tasks"
    finally:
        s.stop()
        apollo.stop()


def overview(program, folder, options):
    """Of more unfinished jobs than are listed, those that go first."""
    apollo = sandbox(program, folder, [])
    s = service(program, folder, apollo)
    apollo.stop()
    try:
        s.start()
        for i in range(104):
            csv = f"contact_id,user_id,type,status,due_at\n{i:024x},66302798d03b9601c7934ebf,call,scheduled,2031-02-15T10:00:00Z\n"
            status, _, text = s.ask("POST", f"/v1/imports?name=a{i}.csv", body=csv)
            check(status == 202, text)

        def all_parked():
            now = s.get("/v1/overview")
            return now["jobs"]["parked"] + now["jobs"]["running"] == 104 and now

        listed = [job["job"] for job in until("jobs", all_parked)["unfinished"]]
        check(listed == list(range(1, 101)), f"listed: {listed}")
        return f"{len(listed)} of 104 jobs"
    finally:
        s.stop()


def entrance(program, folder, options):
    """Who may do what: the page without a token, a token that may only read, tickets."""
    apollo = sandbox(program, folder, [])
    reading = "r" * 20
    s = service(program, folder, apollo, [], {"TASKBARGE_TOKEN": TOKEN, "TASKBARGE_READ_TOKEN": reading})
    try:
        for variables, word in (({"TASKBARGE_READ_TOKEN": reading}, "serve.token_file"),
                                ({"TASKBARGE_TOKEN": TOKEN, "TASKBARGE_READ_TOKEN": TOKEN}, "the same"),
                                ({"TASKBARGE_TOKEN": TOKEN, "TASKBARGE_READ_TOKEN": "short"}, "16 characters")):
            bare = {k: v for k, v in s.environment.items() if k not in ("TASKBARGE_TOKEN", "TASKBARGE_READ_TOKEN")}
            done = subprocess.run([program, "serve", "--listen", "127.0.0.1:0", *s.options()], env={**bare, **variables},
                                  capture_output=True, text=True, timeout=20)
            check(done.returncode == 78 and word in done.stderr, f"{variables}: exit {done.returncode}: {done.stderr}")
        s.start()
        write, read_only = ({"Authorization": f"Bearer {t}"} for t in (TOKEN, reading))

        def ask(expect, method, path, headers=None, body=None):
            status, answer, text = s.ask(method, path, body=body, headers=headers)
            check(status == expect, f"{method} {path}: {status} instead of {expect}: {text}")
            return answer, text

        answer, text = ask(200, "GET", "/")
        policy = answer["Content-Security-Policy"]
        check(answer["Content-Type"] == "text/html; charset=utf-8" and "<!doctype html>" in text, text)
        check("script-src 'self'" in policy and "unsafe" not in policy and "trusted-types 'none'" in policy, policy)
        check("taskbarge control API" in ask(200, "GET", "/openapi.yaml")[1], "the description")
        check("missing_value" in ask(200, "GET", "/assets/codes.md")[1], "the codes")
        ask(404, "GET", "/assets/none.js")
        ask(400, "GET", "/assets/..%2fcodes.md")
        ask(421, "GET", "/", {"Host": "evil.example"})

        ask(401, "GET", "/v1/overview")
        roles = {t["Authorization"]: json.loads(ask(200, "GET", "/v1/overview", t)[1])["role"] for t in (write, read_only)}
        check(list(roles.values()) == ["write", "read"], roles)
        ask(200, "GET", "/v1/jobs", read_only)
        refused = ask(403, "POST", "/v1/imports?name=x.csv", read_only, b"contact_id\n")[1]
        check(json.loads(refused)["type"] == "/problems/read-only", refused)
        ask(403, "POST", "/v1/jobs/1/cancel", read_only)
        ask(403, "DELETE", "/v1/imports/x", read_only)

        def ticket(path, headers=write):
            return json.loads(ask(201, "POST", "/v1/tickets", headers, json.dumps({"path": path}))[1])["ticket"]

        ask(401, "POST", "/v1/tickets", None, json.dumps({"path": "/v1/events"}))
        for bad in (b"", b"{}", b"[1]", json.dumps({"path": "/metrics"}).encode()):
            ask(400, "POST", "/v1/tickets", write, bad)
        # Once, for its path, for a GET.
        t = ticket("/v1/jobs/7/results", read_only)
        ask(401, "GET", f"/v1/jobs/8/results?ticket={t}")
        ask(404, "GET", f"/v1/jobs/7/results?format=csv&ticket={t}")
        ask(401, "GET", f"/v1/jobs/7/results?format=csv&ticket={t}")
        ask(401, "POST", f"/v1/jobs/7/cancel?ticket={ticket('/v1/jobs/7/cancel')}")
        connection = s.connection()
        connection.request("GET", f"/v1/events?ticket={ticket('/v1/events')}")
        stream = connection.getresponse()
        check(stream.status == 200 and stream.readline() == b"retry: 2000\n", "an event stream by a ticket")
        connection.close()

        # After a reload a ticket from before is worth nothing.
        until_now = ticket("/v1/jobs/7/results")
        s.process.send_signal(signal.SIGHUP)
        until("a reload", lambda: " reloaded" in s.text_of_log())
        ask(401, "GET", f"/v1/jobs/7/results?ticket={until_now}")
        s.stop()

        # Who may do without a token is judged by the address that is listened on, not by one that takes no effect yet.
        settings = os.path.join(folder, "listen.toml")

        def write_listen(address):
            with open(settings, "w", encoding="utf-8") as f:
                f.write(f"[serve]\nlisten = \"{address}\"\n")

        write_listen("127.0.0.1:0")
        for variable in ("TASKBARGE_TOKEN", "TASKBARGE_READ_TOKEN"):
            s.environment.pop(variable)
        s.extra = ["--config", settings]
        s.start(listen=())
        before = s.text_of_log().count(" reloaded")
        write_listen("0.0.0.0:1")
        s.process.send_signal(signal.SIGHUP)
        until("a reload", lambda: s.text_of_log().count(" reloaded") > before)
        check("reload_partial" in s.text_of_log(), "what takes no effect is told")
        ask(200, "GET", "/v1/overview")
        return "every way in"
    finally:
        s.stop()
        apollo.stop()


TESTS = {"contacts": contacts, "contacts-together": contacts_together, "in-flight": in_flight, "end-to-end": end_to_end, "commands": commands, "refusals": refusals, "held": held, "overview": overview, "entrance": entrance, "supervised": supervised, "two-services": two_services,
         "planned-once": planned_once, "crowded": crowded, "grown": grown, "besieged": besieged, "load": load}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("test", choices=TESTS)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--slow", type=int, default=2000)
    parser.add_argument("--patience", type=int, default=600)
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    with tempfile.TemporaryDirectory(prefix="taskbarge-service-") as folder:
        try:
            print(f"{options.test}: {TESTS[options.test](options.program, folder, options)}")
        except Exception as e:
            log = os.path.join(folder, "service.log")
            if os.path.exists(log):
                print(read(log)[-6000:], file=sys.stderr)
            print(f"{options.test}: {type(e).__name__}: {e}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
