#!/usr/bin/env python3
"""A request that has ended must not arrive any more: the kernel sends nothing for a client that is dead or has given up.

The program runs in a network namespace of its own, behind a link that this test takes down; a relay on the other side
leads to the sandbox. A request is written into the dead link; then its client ends, and the link comes up again. Each
case is also run with sockets as the kernel makes them: there the request arrives, which shows that the test would see it.

  link_tests.py --program PATH --endless PATH killed      the client is killed (SIGKILL)
  link_tests.py --program PATH --endless PATH abandoned   the exchange passes its deadline; the client lives on a little
  link_tests.py --program PATH --endless PATH frozen      the client is stopped for longer than its deadline

Exit status 77: skipped, with the reason.
"""
import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from harness import SKIPPED, failed, importer, sandbox, write_input  # noqa: E402

INSIDE = "TASKBARGE_LINK_TEST_INSIDE"
HERE, THERE = "10.77.0.1", "10.77.0.2"
DEADLINE = 2        # send.request_timeout
PACKETS_HELD = 5    # below TCP, while a neighbour's address is asked for: client::packet_hold
ARRIVES_WITHIN = 20.0
BOUND = 30.0        # of each wait


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def enter_namespace():
    """Starts this script again as root of a network of its own."""
    for tool in ("unshare", "nsenter", "ip"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed (packages util-linux, iproute2)")
    for way in (["--net"], ["--user", "--map-root-user", "--net"]):
        command = ["unshare", *way]
        if subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", [*command, sys.executable, *sys.argv])
    skip("network namespaces are not allowed here (unshare --net, unshare --user --net)")


def until(what, condition):
    end = time.monotonic() + BOUND
    while not condition():
        if time.monotonic() > end:
            raise failed(f"not within {BOUND:.0f} s: {what}")
        time.sleep(0.02)


class link:
    """Two ends of a cable: one here, one in the namespace of a process that holds it."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        mine = os.readlink("/proc/self/ns/net")
        until("a second namespace", lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != mine)
        self.inside = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        for command in (f"ip link add here type veth peer name there netns {self.holder.pid}",
                        f"ip addr add {HERE}/30 dev here", "ip link set lo up", "ip link set here up"):
            subprocess.run(command.split(), check=True)
        for command in (f"ip addr add {THERE}/30 dev there", "ip link set lo up", "ip link set there up"):
            subprocess.run([*self.inside, *command.split()], check=True)

    def set(self, state):
        subprocess.run(["ip", "link", "set", "here", state], check=True)

    def unsent(self):
        """Bytes that the client's kernel holds, sent without acknowledgement or not at all."""
        total = 0
        with open(f"/proc/{self.holder.pid}/net/tcp", encoding="ascii") as table:
            for line in list(table)[1:]:
                total += int(line.split()[4].split(":")[0], 16)
        return total

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()


class relay:
    """An HTTP proxy that knows CONNECT, on this end of the link."""

    def __init__(self):
        self.listener = socket.create_server((HERE, 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(4096)
            if not piece:
                return
            head += piece
        port = int(head.split(b" ")[1].rsplit(b":", 1)[1])
        server = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        threading.Thread(target=self.pipe, args=(server, client), daemon=True).start()
        self.pipe(client, server)

    @staticmethod
    def pipe(source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def stopped(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "T"


def tasks_after(a, case, endless):
    """How many tasks there are some time after the client's end and the link's return."""
    folder = tempfile.mkdtemp(prefix="taskbarge-link-")
    wire, apollo, process = link(), None, None
    try:
        apollo = sandbox(a.program, folder, [])
        proxy = f"http://{HERE}:{relay().port}"
        who = importer(a.program, folder, apollo,
                       extra=["--set", f"send.proxy={proxy}", "--set", "send.max_wait=0s", "--set", "send.max_attempts=1",
                              "--set", f"send.request_timeout={DEADLINE}s"])
        write_input(who.input, "link", groups=1, rows=4)
        environment = dict(who.environment)
        # Before the second request: the first asks for the limits.
        environment["TASKBARGE_STOP_AT"] = "before_write:2"
        if endless:
            environment["LD_PRELOAD"] = a.endless
        process = subprocess.Popen([*wire.inside, a.program, "import", who.input, *who.import_options], env=environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until("the stop before the request", lambda: stopped(process.pid))
        wire.set("down")
        process.send_signal(signal.SIGCONT)
        until("the request in the kernel", lambda: wire.unsent() > 0)
        if case == "killed":
            process.kill()
            process.wait(timeout=BOUND)
            time.sleep(PACKETS_HELD)
        elif case == "abandoned":
            process.wait(timeout=BOUND)
        else:
            process.send_signal(signal.SIGSTOP)
            time.sleep(DEADLINE * 3)  # the case itself: frozen for longer than the deadline
        wire.set("up")
        end = time.monotonic() + ARRIVES_WITHIN
        while time.monotonic() < end and not apollo.tasks():
            time.sleep(0.1)
        return len(apollo.tasks())
    finally:
        if process is not None:
            process.kill()
            process.communicate()
        if apollo is not None:
            apollo.stop()
        wire.close()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--endless", required=True)
    parser.add_argument("case", choices=["killed", "abandoned", "frozen"])
    a = parser.parse_args()
    if INSIDE not in os.environ:
        enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    began = time.monotonic()
    if tasks_after(a, a.case, endless=True) == 0:
        raise failed("the request did not arrive from sockets that send for ever: this test would see nothing")
    seen = time.monotonic() - began
    if (made := tasks_after(a, a.case, endless=False)) != 0:
        raise failed(f"{made} tasks of a request that had ended")
    print(f"{a.case}: arrived without the bounds after {seen:.1f} s in all, and did not with them")


if __name__ == "__main__":
    try:
        main()
    except failed as why:
        print(f"FAILED: {why}", file=sys.stderr)
        sys.exit(1)
