#!/usr/bin/env python3
"""Events per second and cold starts of the managed runtimes' bootstraps, without the rest of Headgate.

Usage: load/bootstrap_rate.py [--python PYTHON] [--node NODE] [--events N]

A tiny Runtime API at the other end of a socket pair answers at once. "rate" is what one environment
and this program reach together; "per core" is events per second of the environment's own processor
time while both share one core, which leaves out what waking another core costs.
"""

import argparse
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

RUNTIMES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "runtimes")
EVENT = b'{"version":"2.0","routeKey":"GET /hello","rawPath":"/hello","rawQueryString":"","headers":{"host":"localhost"}}'
ACK = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'
DELIVERY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b"Lambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n"
    b"Lambda-Runtime-Deadline-Ms: 4102444800000\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:000000000000:function:hello\r\n"
    b"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(EVENT), EVENT)
)
HANDLERS = {
    "app.py": 'def handler(event, context):\n    return {"statusCode": 200, "body": "hello"}\n',
    "app.js": 'exports.handler = async (event) => ({ statusCode: 200, body: "hello" });\n',
}


def start(command, task_root):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    env = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "_HANDLER": "app.handler",
        "LAMBDA_TASK_ROOT": task_root,
        "AWS_LAMBDA_FUNCTION_NAME": "hello",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "HEADGATE_RUNTIME_FD": str(theirs.fileno()),
    }
    child = subprocess.Popen(command, cwd=task_root, env=env, pass_fds=[theirs.fileno()])
    theirs.close()
    ours.settimeout(20)
    return child, ours


def read_until(sock, text):
    data = b""
    while text not in data:
        chunk = sock.recv(65536)
        if not chunk:
            raise SystemExit("the runtime closed its connection")
        data += chunk
    return data


def rate(command, task_root, events, cores):
    """Events per second, and events per second of the runtime's processor time, on that many cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:cores])
    child, sock = start(command, task_root)
    read_until(sock, b"invocation/next")
    answer = ACK + DELIVERY
    sock.sendall(DELIVERY)
    for _ in range(2000):
        read_until(sock, b"invocation/next")
        sock.sendall(answer)
    cpu_before, started = cpu_seconds(child.pid), time.perf_counter()
    for _ in range(events):
        read_until(sock, b"invocation/next")
        sock.sendall(answer)
    wall = time.perf_counter() - started
    cpu = cpu_seconds(child.pid) - cpu_before
    sock.close()
    child.wait()
    os.sched_setaffinity(0, allowed)
    return events / wall, events / cpu


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cold_start(command, task_root):
    """Seconds from fork to the first answer."""
    begun = time.perf_counter()
    child, sock = start(command, task_root)
    read_until(sock, b"invocation/next")
    sock.sendall(DELIVERY)
    read_until(sock, b"/response")
    taken = time.perf_counter() - begun
    sock.close()
    child.wait()
    return taken


def bare_start(command):
    begun = time.perf_counter()
    subprocess.run(command, check=True, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
    return time.perf_counter() - begun


def report(name, command, bare, task_root, events, limit):
    cold_start(command, task_root)  # fills the bytecode caches
    pairs = [(cold_start(command, task_root), bare_start(bare)) for _ in range(21)]
    cold = statistics.median(c for c, _ in pairs) * 1000
    base = statistics.median(b for _, b in pairs) * 1000
    wall, _ = rate(command, task_root, events, 2)
    _, core = rate(command, task_root, events, 1)
    print(
        "%-8s rate %7.0f/s   per core %7.0f/s   cold start %6.1f ms   bare %6.1f ms   ratio %.2f (limit %.1f)"
        % (name, wall, core, cold, base, cold / base, limit)
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--node", default=shutil.which("node"))
    parser.add_argument("--events", type=int, default=50000)
    args = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, soft), hard))
    with tempfile.TemporaryDirectory() as task_root:
        for name, text in HANDLERS.items():
            with open(os.path.join(task_root, name), "w") as f:
                f.write(text)
        python = os.path.join(RUNTIMES, "python", "bootstrap.py")
        report("python", [args.python, python], [args.python, "-c", "pass"], task_root, args.events, 1.5)
        node = os.path.join(RUNTIMES, "nodejs", "bootstrap.cjs")
        if args.node and os.path.exists(node):
            report("nodejs", [args.node, node], [args.node, "-e", "0"], task_root, args.events, 1.2)


if __name__ == "__main__":
    main()
