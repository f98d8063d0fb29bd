#!/usr/bin/env python3
"""Many functions on one machine: made, listed, called, idle, changed, and there again after a restart.

Usage: load/functions_bench.py [--program PATH] [--functions N] [--called N] [--updates N] [--idle SECONDS]

All functions are made by the management API from one package with a native bootstrap, so that what is measured is the server.
Memory is the server's own resident set; its functions' processes are not counted.
"""

import argparse
import base64
import http.client
import io
import json
import os
import re
import shutil
import tempfile
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench import machine
from measure import Process, accepts, free_port, median, table, wait_for

ROOT = Path(__file__).parent.parent
ROLE = "arn:aws:iam::000000000000:role/bench"
WORKERS = 4
SETTLE_S = 2


class Api:
    """The management port: one connection for each thread."""

    def __init__(self, port):
        self.port = port
        self.local = threading.local()

    def __call__(self, method, path, document=None, body=None):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(document) if document is not None else body)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text) if text else None


def package():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("bootstrap", (2026, 1, 2, 3, 4, 6))
        info.external_attr = 0o100755 << 16
        archive.writestr(info, (ROOT / "load/app/native/bootstrap").read_bytes())
    return base64.b64encode(out.getvalue()).decode()


class Server:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rows = []

    def start(self):
        port = free_port()
        began = time.monotonic()
        self.process = Process(
            [self.options.program, "serve", "--data-dir", self.folder / "data", "--listen", "127.0.0.1:0",
             "--api", f"127.0.0.1:{port}", "--idle-timeout", f"{self.options.idle}s", "--threads", "2"],
            self.folder / "headgate.log", cwd=self.folder)
        wait_for(lambda: accepts(port), "the management port")
        self.api = Api(port)
        wait_for(self.is_ready, "readiness")
        return time.monotonic() - began

    def is_ready(self):
        try:
            self.api("GET", "/_headgate/health")
            return True
        except (OSError, http.client.HTTPException, RuntimeError):
            self.api = Api(self.api.port)
            return False

    def health(self, what):
        return self.api("GET", "/_headgate/health")["workers"][what]

    def rss_mib(self):
        return self.process.rss_kib() / 1024

    def switches(self):
        """How often the server's threads have waited for something."""
        count = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            count += int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", (task / "status").read_text()).group(1))
        return count

    def wake_ups(self):
        """A second, once what was done before is written and cleaned up."""
        time.sleep(SETTLE_S)
        before, began = self.switches(), time.monotonic()
        time.sleep(SETTLE_S)
        return (self.switches() - before) / (time.monotonic() - began)

    def row(self, what, value):
        self.rows.append([what, value])


def timed(call):
    began = time.monotonic()
    call()
    return time.monotonic() - began


def each(server, names, call):
    """Calls for all names, some at a time; the times of each, and of all."""
    times = []

    def one(name):
        times.append(timed(lambda: call(name)))
    with ThreadPoolExecutor(WORKERS) as pool:
        total = timed(lambda: list(pool.map(one, names)))
    return total, median(times) * 1000, max(times) * 1000


def make_all(server, names):
    code = package()
    empty = server.rss_mib()

    def create(name):
        server.api("POST", "/2015-03-31/functions", {
            "FunctionName": name, "Runtime": "provided.al2023", "Handler": "hello", "Role": ROLE,
            "Timeout": 30, "Code": {"ZipFile": code}})
    total, middle, worst = each(server, names, create)
    rss = server.rss_mib()
    server.row("CreateFunction, each", f"{middle:.1f} ms (worst {worst:.0f} ms)")
    server.row("all of them", f"{total:.1f} s")
    server.row("memory of the server before and after", f"{empty:.1f} and {rss:.1f} MiB")
    server.row("memory of one function that nobody calls", f"{(rss - empty) * 1024 / len(names):.1f} KiB")


def list_all(server, count):
    found, marker = 0, ""

    def walk():
        nonlocal found, marker
        while True:
            page = server.api("GET", f"/2015-03-31/functions?MaxItems=50{marker}")
            found += len(page["Functions"])
            if not page.get("NextMarker"):
                return
            marker = f"&Marker={page['NextMarker']}"
    seconds = timed(walk)
    assert found == count, found
    server.row("ListFunctions, all pages of 50", f"{seconds * 1000:.0f} ms")


def call_all(server, names):
    def call(name):
        server.api("POST", f"/2015-03-31/functions/{name}/invocations", body="{}")
    total, middle, worst = each(server, names, call)
    server.row(f"first call of {len(names):,} functions, each", f"{middle:.1f} ms (worst {worst:.0f} ms)")
    server.row("all of them", f"{total:.1f} s")
    server.row("environments then", server.health("environments"))
    server.row("memory of the server then", f"{server.rss_mib():.1f} MiB")


def idle(server):
    server.row("wake-ups of the idle server with its environments", f"{server.wake_ups():.0f} a second")
    began = time.monotonic()
    wait_for(lambda: server.health("environments") == 0, "idle environments to end", server.options.idle + 60)
    server.row(f"all retired ({server.options.idle} s idle) after", f"{time.monotonic() - began:.1f} s more")
    server.row("memory of the server then", f"{server.rss_mib():.1f} MiB")
    server.row("wake-ups of the idle server without any", f"{server.wake_ups():.0f} a second")


def update_under_load(server, names):
    """One function is called without a pause while all are changed in turn."""
    target, over, failures, calls = names[0], threading.Event(), [], []

    def load():
        while not over.is_set():
            try:
                calls.append(timed(lambda: server.api("POST", f"/2015-03-31/functions/{target}/invocations", body="{}")))
            except RuntimeError as failure:
                failures.append(str(failure))
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    before = server.rss_mib()
    number = [0]

    def change(name):
        number[0] += 1
        server.api("PUT", f"/2015-03-31/functions/{name}/configuration", {"Description": f"change {number[0]}"})
    turns = [names[at % len(names)] if at % 10 else target for at in range(server.options.updates)]
    try:
        times = [timed(lambda name=name: change(name)) for name in turns]
    finally:
        over.set()
        for thread in threads:
            thread.join()
    server.row(f"{len(turns):,} updates under load, each", f"{median(times) * 1000:.1f} ms")
    server.row("calls meanwhile, and those that failed", f"{len(calls):,} and {len(failures)}")
    server.row("memory of the server before and after", f"{before:.1f} and {server.rss_mib():.1f} MiB")
    if failures:
        print(failures[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build/release/headgate", type=Path)
    parser.add_argument("--functions", default=1000, type=int)
    parser.add_argument("--called", default=1000, type=int, help="how many of them are called")
    parser.add_argument("--updates", default=2000, type=int)
    parser.add_argument("--idle", default=10, type=int, help="idle time-out of environments, in seconds")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="headgate-functions-"))
    names = [f"fn-{number:05}" for number in range(options.functions)]
    server = Server(options, folder)
    try:
        server.start()
        make_all(server, names)
        list_all(server, len(names))
        call_all(server, names[: options.called])
        idle(server)
        update_under_load(server, names[: options.called])
        server.process.stop()
        server.row("start with all of them, until ready", f"{server.start() * 1000:.0f} ms")
        server.row("memory of the server then", f"{server.rss_mib():.1f} MiB")
    finally:
        server.process.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(machine())
    print(table(f"{options.functions:,} functions", ["what", "measured"], server.rows))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
