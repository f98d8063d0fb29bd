#!/usr/bin/env python3
"""Asynchronous events: durable 202s against other brokers, end to end, backlog and memory.

Usage: load/events_bench.py [--program PATH] [--rounds N] [--seconds S] [--only e,f,g] [--backlog N]

(e) what is acknowledged as stored, per second, with 1,024 unacknowledged, 512 bytes and 4 KB; (f) from the 202 to the
handler's end; (g) a backlog: its memory and how fast it drains. Medians of the rounds, which go round the candidates.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import brokers
import peers
from bench import machine, ratio
from measure import h2load, median, table, wait_for

ROOT = Path(__file__).parent.parent
WINDOW = 1024
SMALL_WINDOW = 256
SMALL = f"Headgate, HTTP/2, flush, only {SMALL_WINDOW} unacknowledged"
EVENT = "X-Amz-Invocation-Type: Event"


def payload(folder, size):
    """A JSON document of exactly that many bytes."""
    path = folder / f"payload-{size}.json"
    path.write_text(json.dumps({"pad": "x" * (size - len(json.dumps({"pad": ""})))}))
    return path


def invoke_url(headgate, function):
    return f"http://127.0.0.1:{headgate.ports['api']}/2015-03-31/functions/{function}/invocations"


def metric(headgate, name, **labels):
    text = urllib.request.urlopen(f"http://127.0.0.1:{headgate.ports['api']}/metrics", timeout=30).read().decode()
    total = 0.0
    for line in text.splitlines():
        match = re.match(r"(\w+)(?:\{(.*)\})? (\S+)$", line)
        if match and match[1] == name and all(f'{key}="{value}"' in (match[2] or "") for key, value in labels.items()):
            total += float(match[3])
    return total


def serve(options, folder, template="events.yaml", *more, data_dir=None):
    return peers.Headgate(options.program, folder, options.threads, template, more, data_dir)


def publish_headgate(headgate, folder, size, seconds, window=WINDOW):
    load = h2load(invoke_url(headgate, "Sink"), headgate.process, 32, window // 32, seconds, headers=[EVENT],
                  data=payload(folder, size))
    if load.failed:
        raise RuntimeError(f"{load.failed} of the requests failed")
    return load.rate, load.p50_us, load.p99_us


def clear(folder):
    """Drops what a server has stored: the next one finds an empty disk cache."""
    for data in folder.iterdir():
        if data.is_dir():
            shutil.rmtree(data, ignore_errors=True)


def ceiling(options, folder, size):
    """What the embedded engine gives without HTTP."""
    data = folder / f"ceiling-{time.time_ns()}"
    run = subprocess.run([options.ceiling, "embedded:", data, "400000", str(size), str(WINDOW)], capture_output=True,
                         text=True, timeout=300, check=True)
    shutil.rmtree(data)
    return " ".join(run.stdout.split())


def bench_durable(options, folder):
    """(e) stored before it is acknowledged."""
    out = []
    for size in (512, 4096):
        candidates = [
            ("Headgate, HTTP/2, flush", lambda: serve(options, folder)),
            (SMALL, lambda: serve(options, folder)),
            ("Headgate, HTTP/2, durability os", lambda: serve(options, folder, "events.yaml", "--durability", "os")),
            (None, lambda: brokers.redis(folder, "always")),
            (None, lambda: brokers.redis(folder, "everysec")),
            (None, lambda: brokers.nats(folder, "always")),
            (None, lambda: brokers.nats(folder, None)),
            (None, lambda: brokers.rabbitmq(folder, "classic")),
            (None, lambda: brokers.rabbitmq(folder, "quorum")),
        ]
        figures, missing = {}, set()
        for _ in range(options.rounds):
            for name, start in candidates:
                if not name and not Path(options.publishers).exists():
                    missing.add("other brokers: librabbitmq-dev and libnats-dev were not there when it was built")
                    continue
                try:
                    server = start()
                except (FileNotFoundError, TimeoutError) as reason:
                    missing.add(str(reason))
                    continue
                try:
                    if name:
                        result = publish_headgate(server, folder, size, options.seconds,
                                                  SMALL_WINDOW if name == SMALL else WINDOW)
                    else:
                        name = server.name
                        result = server.publish(options.publishers, size, options.seconds, WINDOW)
                    figures.setdefault(name, []).append(result)
                finally:
                    (server if hasattr(server, "stop") else server.process).stop()
                    clear(folder)
        medians = {name: [median(column) for column in zip(*rows)] for name, rows in figures.items()}
        ours = medians["Headgate, HTTP/2, flush"][0]
        rows = [[name, f"{rate:,.0f}", ratio(ours, rate), f"{p50:,.0f}", f"{p99:,.0f}"]
                for name, (rate, p50, p99) in medians.items()]
        out.append(table(f"(e) durable, {size} bytes, {WINDOW} unacknowledged",
                         ["server", "acknowledged/s", "Headgate flush/this", "p50 µs", "p99 µs"], rows))
        out += [f"Not measured: {reason}\n" for reason in sorted(missing)]
        out.append(f"The engine by itself, {size} bytes: {ceiling(options, folder, size)}\n")
    return "\n".join(out)


def handled(headgate, function):
    return metric(headgate, "headgate_function_invocations_total", function=function)


def throughput(options, folder, count):
    """Events/s from the first request to the last handler's end, and the acknowledged rate meanwhile."""
    headgate = serve(options, folder)
    try:
        started = time.monotonic()
        run = subprocess.run(
            ["h2load", "-c", "32", "-m", "32", "-t", "1", "-n", str(count), "-H", EVENT, "-d",
             str(payload(folder, 512)), invoke_url(headgate, "Fast")], capture_output=True, text=True, check=True)
        acknowledged = time.monotonic() - started
        if f"{count} succeeded" not in run.stdout:
            raise RuntimeError(run.stdout)
        wait_for(lambda: handled(headgate, "Fast") >= count, "all events to be handled", 300)
        return count / (time.monotonic() - started), count / acknowledged
    finally:
        headgate.process.stop()


def gather(headgate, folder, count):
    """Queues that many events behind the function that sleeps."""
    subprocess.run(["h2load", "-c", "32", "-m", "32", "-t", "1", "-n", str(count), "-H", EVENT, "-d",
                    str(payload(folder, 512)), invoke_url(headgate, "Sink")], capture_output=True, check=True)


def one_by_one(headgate, listener, count=500):
    """Sorted µs from the 202 to the handler's run, and from the request to it, one event at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", headgate.ports["api"])
    after, whole = [], []
    for i in range(count + 50):
        start = time.monotonic()
        connection.request("POST", "/2015-03-31/functions/Notify/invocations", b"{}",
                           {"X-Amz-Invocation-Type": "Event"})
        answer = connection.getresponse()
        answer.read()
        accepted = time.monotonic()
        listener.recv(100)
        ran = time.monotonic()
        if i >= 50:
            after.append((ran - accepted) * 1e6)
            whole.append((ran - start) * 1e6)
    connection.close()
    return sorted(after), sorted(whole)


def latencies(options, folder):
    """p50 and p99 of both; the second two again with 100,000 events queued for another function of concurrency 1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(10)
        headgate = serve(options, folder, "events.yaml", "--parameter-overrides",
                         f"NotifyPort={listener.getsockname()[1]}")
        try:
            after, whole = one_by_one(headgate, listener)
            gather(headgate, folder, 100000)
            _, beside = one_by_one(headgate, listener)
        finally:
            headgate.process.stop()
    return [values[len(values) * share // 100] for values in (after, whole, beside) for share in (50, 99)]


def bench_end_to_end(options, folder):
    """(f) from the 202 to the handler."""
    rates = [throughput(options, folder, options.events) for _ in range(options.rounds)]
    late = [latencies(options, folder) for _ in range(options.rounds)]
    p50, p99, whole50, whole99, beside50, beside99 = (median(column) for column in zip(*late))
    rows = [
        [f"events/s into a trivial native handler, {options.events:,} events", f"{median([r[0] for r in rates]):,.0f}"],
        ["acknowledged/s while they ran", f"{median([r[1] for r in rates]):,.0f}"],
        ["one at a time: 202 → handler, p50 µs", f"{p50:,.0f}"],
        ["one at a time: 202 → handler, p99 µs", f"{p99:,.0f}"],
        ["one at a time: request → handler, p50 µs", f"{whole50:,.0f}"],
        ["one at a time: request → handler, p99 µs", f"{whole99:,.0f}"],
        ["the same beside 100,000 events queued for a function of concurrency 1 that sleeps, p50 µs", f"{beside50:,.0f}"],
        ["the same, p99 µs", f"{beside99:,.0f}"],
    ]
    return table("(f) end to end, embedded engine, durability flush", ["what", "figure"], rows)


def memory(headgate):
    text = Path(f"/proc/{headgate.process.pid}/status").read_text()
    return {key: int(re.search(rf"{key}:\s+(\d+)", text)[1]) / 1024 for key in ("VmRSS", "VmHWM", "RssAnon")}


def bench_backlog(options, folder):
    """(g) a backlog: gathered behind a function that sleeps, drained by one that does not."""
    data = folder / "backlog"
    headgate = serve(options, folder, "events.yaml", "--drain-timeout", "2s", data_dir=data)
    started = time.monotonic()
    gather(headgate, folder, options.backlog)
    filled = time.monotonic() - started
    full = memory(headgate)
    headgate.process.child.terminate()
    headgate.process.child.wait(90)
    headgate.process.stop()
    started = time.monotonic()
    headgate = serve(options, folder, "events-drain.yaml", data_dir=data)
    up = time.monotonic() - started
    peak = 0.0
    try:
        started, before = time.monotonic(), handled(headgate, "Sink")
        goal = min(options.backlog, options.drain)
        while handled(headgate, "Sink") - before < goal - 1:
            peak = max(peak, memory(headgate)["VmRSS"])
            time.sleep(0.05)
            if time.monotonic() - started > 1200:
                raise TimeoutError("the backlog does not drain")
        took = time.monotonic() - started
    finally:
        headgate.process.stop()
    rows = [
        ["events of 512 bytes queued", f"{options.backlog:,}"],
        ["acknowledged/s while it grew", f"{options.backlog / filled:,.0f}"],
        ["RSS when full, MiB (of it anonymous)", f"{full['VmRSS']:.0f} ({full['RssAnon']:.0f})"],
        ["highest RSS while it grew, MiB", f"{full['VmHWM']:.0f}"],
        ["restart on it: up in, ms", f"{up * 1e3:,.0f}"],
        [f"drained, events/s (first {goal:,})", f"{goal / took:,.0f}"],
        ["highest RSS while it drained, MiB", f"{peak:.0f}"],
    ]
    return table("(g) a backlog", ["what", "figure"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=str(ROOT / "build/release/headgate"))
    parser.add_argument("--publishers", default=str(ROOT / "build/release/load/publishers"))
    parser.add_argument("--ceiling", default=str(ROOT / "build/release/load/queue_ceiling"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--events", type=int, default=100000)
    parser.add_argument("--backlog", type=int, default=1000000)
    parser.add_argument("--drain", type=int, default=1000000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default="e,f,g")
    parser.add_argument("--folder", help="where the data goes; a disk, not a tmpfs")
    options, _ = parser.parse_known_args()
    sections = {"e": bench_durable, "f": bench_end_to_end, "g": bench_backlog}
    folder = Path(tempfile.mkdtemp(prefix="headgate-events-", dir=options.folder))
    try:
        peers.prepare_native()
        print(f"Machine: {machine()}. Medians of {options.rounds} rounds of {options.seconds} s; load and server share "
              "the cores.\n", flush=True)
        for letter in filter(sections.get, options.only.split(",")):  # the other letters are bench.py's
            print(sections[letter](options, folder), flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
