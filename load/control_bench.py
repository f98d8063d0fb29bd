#!/usr/bin/env python3
"""The management API in figures: create to first invocation, lists and restarts with many functions, updates under load.

Usage: load/control_bench.py [--program PATH] [--functions N] [--creates N] [--seconds S] [--only create,list,restart,update]

Calls go over plain keep-alive connections, so that no SDK is measured. Everything is on one machine: the load shares the cores.
"""

import argparse
import base64
import concurrent.futures
import http.client
import io
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
import zipfile
from pathlib import Path

from measure import Process, free_port, table, wait_for

ROOT = Path(__file__).parent.parent
FUNCTIONS = "/2015-03-31/functions"
ROLE = "arn:aws:iam::000000000000:role/r"


def zip_of(source):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("index.py", source)
    return base64.b64encode(out.getvalue()).decode()


HELLO = zip_of("def handler(event, context):\n    return 1\n")


class Api:
    """One connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method, path, document=None, expect=(200, 201, 202, 204)):
        body = None if document is None else json.dumps(document)
        self.connection.request(method, path, body, {"content-type": "application/json"} if body else {})
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status not in expect:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")
        return json.loads(content) if content else None

    def create(self, name, code=HELLO):
        self.call("POST", FUNCTIONS, {"FunctionName": name, "Runtime": "python3.12", "Handler": "index.handler",
                                      "Role": ROLE, "Code": {"ZipFile": code}})

    def invoke(self, name):
        return self.call("POST", f"{FUNCTIONS}/{name}/invocations", {})


class Server:
    def __init__(self, options, folder):
        self.options, self.folder = options, Path(folder)
        self.port = free_port()
        self.process = None

    def start(self):
        """Milliseconds from the start of the process until it is ready."""
        begin = time.perf_counter()
        self.process = Process([self.options.program, "serve", "--api", f"127.0.0.1:{self.port}", "--listen",
                                f"127.0.0.1:{free_port()}", "--data-dir", self.folder / "data", "--access-log", "off",
                                "--log-level", "warn"], self.folder / "log", cwd=self.folder)
        wait_for(self.is_ready, "the server to be ready", 120)
        return (time.perf_counter() - begin) * 1000

    def is_ready(self):
        try:
            Api(self.port).call("GET", "/_headgate/health")
            return True
        except (OSError, RuntimeError, http.client.HTTPException):
            return False

    def stop(self):
        self.process.stop()

    def api(self):
        return Api(self.port)


def timed(action, *arguments):
    begin = time.perf_counter()
    action(*arguments)
    return (time.perf_counter() - begin) * 1000


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def row(name, values):
    return [name, len(values)] + [f"{quantile(values, share):.2f}" for share in (0.5, 0.99)] + [f"{max(values):.2f}"]


TIMES = ["what", "times", "p50 ms", "p99 ms", "most ms"]


def bench_create(options, server):
    """One call after the other, then eight clients at once. Each function has code of its own."""
    rows = []
    for clients in (1, 8):
        def one(number, api):
            name = f"c{clients}-{number}"
            code = zip_of(f"def handler(event, context):\n    return {number}\n# {clients}\n")
            create = timed(api.create, name, code)
            return create, timed(api.invoke, name)
        mine = threading.local()

        def run(number):
            if not hasattr(mine, "api"):
                mine.api = server.api()
            return one(number, mine.api)
        begin = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(clients) as pool:
            results = list(pool.map(run, range(options.creates)))
        seconds = time.perf_counter() - begin
        label = f"{clients} client{'s' if clients > 1 else ''}"
        rows.append(row(f"CreateFunction, {label}", [create for create, _ in results]))
        rows.append(row(f"first Invoke (cold), {label}", [invoke for _, invoke in results]))
        rows.append(row(f"create → first answer, {label}", [sum(both) for both in results]))
        rows.append([f"functions made and run, {label}", f"{len(results) / seconds:.0f}/s", "", "", ""])
    return table("Create to first invocation", TIMES, rows)


def fill(options, server):
    """Functions of one and the same code; as many as asked for."""
    mine = threading.local()

    def run(number):
        if not hasattr(mine, "api"):
            mine.api = server.api()
        return timed(mine.api.create, f"many-{number:06d}")
    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        values = list(pool.map(run, range(options.functions)))
    return values, options.functions / (time.perf_counter() - begin)


def bench_list(options, server, made):
    api, pages, marker = server.api(), [], ""
    found = 0
    begin = time.perf_counter()
    while marker is not None:
        start = time.perf_counter()
        answer = api.call("GET", FUNCTIONS + ("?Marker=" + marker if marker else ""))
        pages.append((time.perf_counter() - start) * 1000)
        found += len(answer["Functions"])
        marker = answer.get("NextMarker")
    whole = (time.perf_counter() - begin) * 1000
    single = [timed(api.call, "GET", f"{FUNCTIONS}/many-{number % options.functions:06d}") for number in range(500)]
    values, rate = made
    return table(f"With {found:,} functions", TIMES, [
        row(f"CreateFunction, 8 clients ({rate:.0f}/s)", values), row("ListFunctions, one page of 50", pages),
        [f"ListFunctions, all {len(pages)} pages", 1, f"{whole:.0f}", "", ""], row("GetFunction", single)])


def bench_restart(options, server):
    times = []
    for _ in range(3):
        server.stop()
        times.append(server.start())
    server.api().invoke("many-000000")
    return table(f"Restart with {options.functions:,} functions", TIMES, [row("start → ready", times)])


def bench_update(options, server):
    """Invocations by four clients, alone and while code and configuration are updated."""
    rows = []
    server.api().create("target")
    server.api().invoke("target")
    for label, updates in (("no updates", False), ("updates one after the other", True)):
        end = time.monotonic() + options.seconds
        failed, values, updated = [], [], []

        def load():
            api, own = server.api(), []
            while time.monotonic() < end:
                try:
                    own.append(timed(api.invoke, "target"))
                except Exception as error:  # every kind counts
                    failed.append(error)
                    api = server.api()
            values.extend(own)

        def update():
            api, number = server.api(), 0
            while time.monotonic() < end:
                number += 1
                begin = time.perf_counter()
                if number % 2:
                    api.call("PUT", f"{FUNCTIONS}/target/code", {
                        "ZipFile": zip_of(f"def handler(event, context):\n    return {number}\n")})
                else:
                    api.call("PUT", f"{FUNCTIONS}/target/configuration", {"Description": str(number)})
                updated.append((time.perf_counter() - begin) * 1000)
                time.sleep(0.1)
        threads = [threading.Thread(target=load) for _ in range(4)] + ([threading.Thread(target=update)] if updates else [])
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        rows.append(row(f"Invoke, {label}: {len(failed)} failed", values))
        if updated:
            rows.append(row("update", updated))
        if failed:
            print(failed[0], file=sys.stderr)
    return table("Updates under load", TIMES, rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(ROOT / "build/release/headgate"))
    parser.add_argument("--functions", type=int, default=10000)
    parser.add_argument("--creates", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--only", default="create,list,restart,update")
    options = parser.parse_args()
    wanted = options.only.split(",")
    folder = tempfile.mkdtemp(prefix="headgate-control-")
    server = Server(options, folder)
    try:
        server.start()
        if "create" in wanted:
            print(bench_create(options, server), flush=True)
        if "update" in wanted:
            print(bench_update(options, server), flush=True)
        if "list" in wanted or "restart" in wanted:
            made = fill(options, server)
        if "list" in wanted:
            print(bench_list(options, server, made), flush=True)
        if "restart" in wanted:
            print(bench_restart(options, server), flush=True)
        server.stop()
    finally:
        if server.process and server.process.child.poll() is None:
            server.process.child.send_signal(signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
