#!/usr/bin/env python3
"""Runs the program under mixed load for minutes and fails if it grows.

Two rounds: the release build, whose memory, descriptors and child processes must be where they were after the warm-up;
and the dev build, whose leak checker has the last word when it ends. `make soak SOAK_ARGS="--seconds 600"`.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))

import headgate  # noqa: E402
from client import Wire  # noqa: E402
from project import Project  # noqa: E402

GROWTH_LIMIT_KIB = 4096  # what allocators and caches may still settle by after the warm-up
APP_PY = """
import os
import time


def handler(event, context):
    path = event["rawPath"]
    if path == "/exit":
        os._exit(1)
    if path == "/raise":
        raise ValueError("asked for")
    if path == "/slow":
        time.sleep(0.3)
    return {"statusCode": 200, "body": "x" * (300000 if path == "/big" else 100)}
"""
TEMPLATE = """
Resources:
  App:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.12
      CodeUri: src
      Timeout: 5
      Events: {All: {Type: HttpApi}}
"""


class Load:
    """Clients of every kind, until told to stop."""

    def __init__(self, server):
        self.server = server
        self.is_over = threading.Event()
        self.counts = {}
        self.threads = [threading.Thread(target=self.repeat, args=(work,), daemon=True)
                        for work in (self.keep_alive, self.one_shot, self.go_away, self.malformed, self.crash, self.invoke)]

    def repeat(self, work):
        while not self.is_over.is_set():
            try:
                work()
                self.counts[work.__name__] = self.counts.get(work.__name__, 0) + 1
            except (OSError, EOFError):
                self.counts["dropped"] = self.counts.get("dropped", 0) + 1

    def keep_alive(self):
        with Wire(self.server.address) as wire:
            for path in ("/a", "/big", "/raise", "/a") * 5:
                wire.send(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n")
                wire.response()

    def one_shot(self):
        self.server.post("/post", b"y" * 50000, {"Content-Type": "text/plain"})

    def go_away(self):
        with Wire(self.server.address) as wire:
            wire.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\nGET /big HTTP/1.1\r\nHost: h\r\n\r\n")
        # Unhindered it is a flood whose peaks, not leaks, decide what memory the allocator keeps.
        self.is_over.wait(0.02)

    def malformed(self):
        with Wire(self.server.address) as wire:
            wire.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            wire.response()

    def crash(self):
        self.server.get("/exit")
        self.is_over.wait(0.5)

    def invoke(self):
        self.server.invoke("App", json.dumps({"rawPath": "/a"}), {"X-Amz-Log-Type": "Tail"})

    def run(self, seconds):
        """h2load brings the bulk over HTTP/1.1 and HTTP/2; the threads bring the trouble."""
        for thread in self.threads:
            thread.start()
        bulk = [subprocess.Popen(["h2load", "-D", str(seconds), "-c", "4", *more, self.server.url + "/a"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for more in (["--h1"], ["-m", "8"])]
        for process in bulk:
            process.wait()
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        print("  load:", ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())))


def state_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    rss = int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))
    # A child belongs to the thread that made it.
    children = [child for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
                for child in (task / "children").read_text().split()]
    return {"rss_kib": rss, "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "children": len(children)}


def settle(server):
    """Waits until nothing changes any more: connections are closed, idle environments retired."""
    last, since = None, time.monotonic()
    deadline = since + 60
    while time.monotonic() < deadline:
        now = state_of(server.pid)
        if last is None or (now["descriptors"], now["children"]) != (last["descriptors"], last["children"]):
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 5:
            break
        time.sleep(0.2)
    return state_of(server.pid)


def soak(build, seconds, folder):
    headgate.BINARY = ROOT / "build" / build / "headgate"
    print(f"{build}: {seconds} s")
    project = Project(folder / "project")
    project.file("src/app.py", APP_PY)
    server = headgate.Headgate(project.template(TEMPLATE), folder / "run", "--idle-timeout", "2s").start()
    try:
        Load(server).run(max(10, seconds // 4))
        before = settle(server)
        Load(server).run(seconds)
        after = settle(server)
    finally:
        server.stop()
    print(f"  before {before}\n  after  {after}")
    faults = []
    if build == "release" and after["rss_kib"] > before["rss_kib"] + GROWTH_LIMIT_KIB:
        faults.append(f"memory grew by {after['rss_kib'] - before['rss_kib']} KiB")
    if after["descriptors"] > before["descriptors"]:
        faults.append(f"descriptors grew from {before['descriptors']} to {after['descriptors']}")
    if after["children"] > before["children"]:
        faults.append(f"child processes grew from {before['children']} to {after['children']}")
    return [f"{build}: {fault}" for fault in faults]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=180, help="length of each round after its warm-up")
    parser.add_argument("--builds", nargs="+", default=["release", "dev"])
    options = parser.parse_args()
    faults = []
    for build in options.builds:
        with tempfile.TemporaryDirectory() as folder:
            try:
                faults += soak(build, options.seconds, pathlib.Path(folder))
            except AssertionError as fault:
                faults.append(f"{build}: {fault}")
    print("\n".join(faults) or "soak: nothing grew, nothing leaked")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
