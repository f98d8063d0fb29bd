"""Measuring tools of the benchmarks: processes with their CPU and memory, load by h2load, medians."""

import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.005)
    raise TimeoutError(f"{what} did not happen within {seconds} s")


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A server and its children, started in a group of its own and killed as one."""

    def __init__(self, command, log, **options):
        self.log = open(log, "wb")
        self.child = subprocess.Popen(
            [str(word) for word in command], stdout=self.log, stderr=self.log, start_new_session=True, **options
        )
        self.pid = self.child.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.child.wait()
        self.log.close()

    def family(self):
        """Process ids of the server and everything below it."""
        children = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except (OSError, IndexError):
                    continue
                children.setdefault(parent, []).append(int(entry.name))
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += children.get(pid, [])
        return found

    def cpu_seconds(self, only_server=False):
        total = 0
        for pid in [self.pid] if only_server else self.family():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def rss_kib(self, pid=None):
        text = Path(f"/proc/{pid or self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text).group(1))


@dataclass
class Load:
    rate: float  # requests per second
    p50_us: float
    p99_us: float
    cpu_us: float  # of the server's processes, per request
    failed: int


def _microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def h2load(url, server, connections, streams, seconds, http1=False, headers=(), warm_up=1, data=None):
    """One run of h2load; latencies come from its own log of requests."""
    log = Path(f"/tmp/h2load-{os.getpid()}.log")
    log.unlink(missing_ok=True)
    command = ["h2load", "-c", connections, "-m", streams, "-t", 1, "-D", seconds, "--warm-up-time", warm_up]
    command += ["--h1"] if http1 else []
    command += ["-d", data] if data else []
    for header in headers:
        command += ["-H", header]
    before, started = server.cpu_seconds(), time.monotonic()
    run = subprocess.run(
        [str(word) for word in command] + [f"--log-file={log}", url], capture_output=True, text=True, check=True
    )
    elapsed = time.monotonic() - started
    after = server.cpu_seconds()
    rate = float(re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", run.stdout).group(1))
    failed = int(re.search(r"(\d+) failed", run.stdout).group(1))
    bad = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", run.stdout)
    failed += sum(int(count) for count in bad.groups()[1:])
    times = sorted(int(line.split("\t")[2]) for line in open(log) if line.count("\t") >= 2)
    log.unlink(missing_ok=True)
    # The warm-up is served too, so CPU is spread over the whole run.
    served = rate * elapsed
    return Load(
        rate=rate,
        p50_us=times[len(times) // 2] if times else float("nan"),
        p99_us=times[len(times) * 99 // 100] if times else float("nan"),
        cpu_us=(after - before) / served * 1e6 if served else float("nan"),
        failed=failed,
    )


def median(values):
    return statistics.median(values)


def median_load(loads):
    return Load(
        rate=median([load.rate for load in loads]),
        p50_us=median([load.p50_us for load in loads]),
        p99_us=median([load.p99_us for load in loads]),
        cpu_us=median([load.cpu_us for load in loads]),
        failed=sum(load.failed for load in loads),
    )


def tool(name, *elsewhere):
    for candidate in (shutil.which(name), *elsewhere):
        if candidate and Path(candidate).exists():
            return str(candidate)
    return None


def real_python(name="python3"):
    """The interpreter behind any wrapper script of that name."""
    path = shutil.which(name)
    if not path:
        return None
    return subprocess.run(
        [path, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True, check=True
    ).stdout.strip()


def table(title, header, rows):
    """A Markdown table."""
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = [f"### {title}", ""]
    for row in [header, ["-" * width for width in widths], *rows]:
        lines.append("| " + " | ".join(str(cell).ljust(width) for cell, width in zip(row, widths)) + " |")
    return "\n".join(lines) + "\n"
