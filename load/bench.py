#!/usr/bin/env python3
"""Headgate against its peers: one table, one run, the same cores.

Usage: load/bench.py [--program PATH] [--rounds N] [--seconds S] [--only a,b,c,d] [--threads N]

Every figure is the median of the rounds; rounds go round the candidates in turn, so that a slow minute of the
machine hits all of them. The load generator shares the cores. CPU is that of the server and its children.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cold
import peers
from measure import Process, answers, free_port, h2load, median, median_load, real_python, table, wait_for

ROOT = Path(__file__).parent.parent


def ratio(value, base):
    return f"{value / base:.2f}×" if base else "–"


LOAD_HEADER = ["server", "requests/s", "Headgate/this", "p50 µs", "p99 µs", "server CPU µs/request", "failed"]


def bench_static(options, folder):
    """(a) a fixed answer, over three transports."""
    servers = [peers.Headgate(options.program, folder, options.threads).static("/bench/static"),
               peers.nginx(folder, options.threads), peers.haproxy(folder, options.threads)]
    servers = [server for server in servers if server]
    out = []
    try:
        for transport, streams in (("HTTP/1.1", 1), ("h2c", 32), ("h2+TLS", 32), ("HTTP/1.1, one connection", 1)):
            lone = transport.endswith("one connection")
            kind = transport.split(",")[0]
            runs = {server.name: [] for server in servers}
            for _ in range(options.rounds):
                for server in servers:
                    runs[server.name].append(
                        h2load(server.urls[kind], server.process, 1 if lone else 32, streams, options.seconds,
                               http1=kind == "HTTP/1.1"))
            medians = {name: median_load(loads) for name, loads in runs.items()}
            ours = medians["Headgate"].rate
            rows = [[name, f"{m.rate:,.0f}", ratio(ours, m.rate), f"{m.p50_us:,.0f}", f"{m.p99_us:,.0f}",
                     f"{m.cpu_us:.1f}", m.failed] for name, m in medians.items()]
            width = "1 connection" if lone else f"32 connections × {streams}"
            out.append(table(f"(a) static answer, {kind}, {width}", LOAD_HEADER, rows))
    finally:
        for server in servers:
            server.process.stop()
    return "\n".join(out)


def proxy_candidates(options, folder):
    headgate = peers.Headgate(options.program, folder, options.threads)
    found = [("Headgate", headgate, kind, f"/bench/{kind}", None) for kind in ("static", "native", "python", "node")]
    notes = []
    try:
        offline = peers.ServerlessOffline(folder)
        found += [("serverless-offline", offline, kind, f"/{kind}", None) for kind in ("python", "node")]
    except (FileNotFoundError, TimeoutError) as reason:
        notes.append(f"serverless-offline: not measured ({reason})")
    event = peers.write_event(folder)
    try:
        native = peers.HERE / "app" / "native" / "bootstrap"
        emulator = peers.RuntimeInterfaceEmulator(folder, [native])
        found.append(("Runtime Interface Emulator", emulator, "native", "", event))
    except FileNotFoundError as reason:
        notes.append(f"Runtime Interface Emulator: not measured ({reason})")
    return found, notes


def bench_proxy(options, folder):
    """(b) proxy integration to a trivial handler."""
    candidates, notes = proxy_candidates(options, folder)
    out = []
    try:
        for connections in (1, 32):
            runs = {}
            for _ in range(options.rounds):
                for name, server, kind, path, event in candidates:
                    if name == "Runtime Interface Emulator" and connections > 1:
                        continue  # it serves one invocation at a time
                    runs.setdefault((kind, name), []).append(
                        h2load(server.url(path), server.process, connections, 1, options.seconds, http1=True,
                               data=event))
            medians = {key: median_load(loads) for key, loads in runs.items()}
            rows = []
            for (kind, name), m in sorted(medians.items(), key=lambda item: (item[0][0], item[0][1] != "Headgate")):
                rows.append([f"{kind}: {name}", f"{m.rate:,.0f}", ratio(medians[kind, "Headgate"].rate, m.rate),
                             f"{m.p50_us:,.0f}", f"{m.p99_us:,.0f}", f"{m.cpu_us:.1f}", m.failed])
            out.append(table(f"(b) proxy integration, HTTP/1.1, {connections} connection(s)", LOAD_HEADER, rows))
    finally:
        for server in {id(candidate[1]): candidate[1] for candidate in candidates}.values():
            server.process.stop()
    return "\n".join(out + [f"- {note}" for note in notes])


def bench_loop(options, folder):
    """(b) what the gateway adds to a bare Runtime API loop."""
    program = ROOT / "build" / "release" / "load" / "bare_loop"
    if not program.exists():
        return "- bare Runtime API loop: not measured (build/release/load/bare_loop is missing)"
    python, node = real_python(), shutil.which("node")
    app = peers.HERE / "app"
    commands = {
        "native": ([app / "native" / "bootstrap"], app / "native", "hello"),
        "python": ([python, ROOT / "runtimes/python/bootstrap.py"], app / "python", "app.handler"),
        "node": ([node, ROOT / "runtimes/nodejs/bootstrap.cjs"], app / "node", "app.handler"),
    }
    headgate = peers.Headgate(options.program, folder, options.threads)
    rows = []
    try:
        for kind, (command, task_root, handler) in commands.items():
            bare, served = [], []
            for _ in range(options.rounds):
                environment = dict(os.environ, _HANDLER=handler, LAMBDA_TASK_ROOT=str(task_root),
                                   AWS_LAMBDA_FUNCTION_NAME="bench", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
                                   AWS_LAMBDA_FUNCTION_VERSION="$LATEST", AWS_REGION="us-east-1")
                run = subprocess.run([program, "20000", *command], cwd=task_root, env=environment,
                                     capture_output=True, text=True, check=True)
                bare.append(float(re.search(r"p50_us=([\d.]+)", run.stdout).group(1)))
                served.append(h2load(headgate.url(f"/bench/{kind}"), headgate.process, 1, 1, options.seconds,
                                     http1=True).p50_us)
            rows.append([kind, f"{median(bare):.1f}", f"{median(served):.1f}", f"{median(served) - median(bare):.1f}"])
    finally:
        headgate.process.stop()
    return table("(b) p50 at one connection over a bare Runtime API loop",
                 ["runtime", "bare loop µs", "through the gateway µs", "added µs"], rows)


def bench_cold(options, folder):
    """(c) the first request of a new environment, against the bare interpreter."""
    return cold.run(options, folder)


def start_time(program, folder):
    data = folder / f"start-{free_port()}"
    api = free_port()
    began = time.monotonic()
    process = Process([program, "serve", peers.HERE / "app/template.yaml", "--data-dir", data, "--listen",
                       f"127.0.0.1:{free_port()}", "--api", f"127.0.0.1:{api}"], folder / "start.log")
    wait_for(lambda: answers(f"http://127.0.0.1:{api}/_headgate/health"), "health")
    elapsed = time.monotonic() - began
    process.stop()
    return elapsed * 1000


def idle_connections(headgate, count):
    import socket

    before = headgate.process.rss_kib()
    sockets = [socket.create_connection(("127.0.0.1", headgate.ports["listen"])) for _ in range(count)]
    for one in sockets:
        one.sendall(b"GET /bench/static HTTP/1.1\r\nHost: bench\r\n\r\n")
    for one in sockets:
        one.recv(4096)
    after = headgate.process.rss_kib()
    for one in sockets:
        one.close()
    return (after - before) * 1024 / count


def bench_size(options, folder):
    """(d) start-up, sizes and memory."""
    stripped = folder / "stripped"
    subprocess.run(["strip", "-o", stripped, options.program], check=True)
    headgate = peers.Headgate(options.program, folder, options.threads)
    try:
        idle = headgate.process.rss_kib()
        per_connection = idle_connections(headgate, 800)
        environments = []
        for kind in ("native", "python", "node"):
            before = set(headgate.process.family())
            wait_for(lambda: answers(headgate.url(f"/bench/{kind}")), kind)
            fresh = [pid for pid in headgate.process.family() if pid not in before]
            environments.append((kind, sum(headgate.process.rss_kib(pid) for pid in fresh)))
    finally:
        headgate.process.stop()
    rows = [
        ["up (exec to a healthy answer), ms", f"{median([start_time(options.program, folder) for _ in range(options.rounds)]):.1f}"],
        ["binary, stripped, MiB", f"{stripped.stat().st_size / 2**20:.2f}"],
        ["idle memory, MiB", f"{idle / 1024:.1f}"],
        ["memory per idle kept-alive connection, bytes", f"{per_connection:,.0f}"],
    ] + [[f"memory of one idle {kind} environment (its process), MiB", f"{kib / 1024:.1f}"] for kind, kib in environments]
    return table("(d) start-up, size and memory", ["what", "figure"], rows)


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores ({cpu.group(1) if cpu else platform.machine()}), Linux {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/headgate"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="a,b,c,d")
    options, _ = parser.parse_known_args()
    sections = {"a": [bench_static], "b": [bench_proxy, bench_loop], "c": [bench_cold], "d": [bench_size]}
    folder = Path(tempfile.mkdtemp(prefix="headgate-bench-"))
    try:
        peers.make_certificate(folder)
        peers.prepare_native()
        print(f"Machine: {machine()}. Medians of {options.rounds} rounds of {options.seconds} s; the load generator "
              "(h2load, one thread) shares the cores.\n", flush=True)
        for letter in options.only.split(","):
            for section in sections.get(letter, ()):  # the other letters are events_bench.py's
                print(section(options, folder), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
