"""A Runtime API for one runtime process, small enough to see every byte of.

RuntimeProcess starts a runtime with a folder of files as its code and answers it over an inherited
socket ("fd", or "nonblocking"), over one that keeps the boundaries of writes ("packets"), or over TCP.
"""

import glob
import json
import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON_BOOTSTRAP = os.path.join(ROOT, "runtimes", "python", "bootstrap.py")
NODE_BOOTSTRAP = os.path.join(ROOT, "runtimes", "nodejs", "bootstrap.cjs")
REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello"
RUNTIME_FD = 3
DEADLINE_S = 20


def python_interpreters():
    """Every Python 3.8 or later on this machine, one per minor version."""
    found = {}
    patterns = ["/usr/bin/python3.*", "/usr/local/bin/python3.*", "~/.pyenv/versions/3.*/bin/python3.*"]
    for pattern in patterns:
        for path in glob.glob(os.path.expanduser(pattern)):
            match = re.fullmatch(r"python3\.(\d+)", os.path.basename(path))
            if match and int(match.group(1)) >= 8:
                found.setdefault(int(match.group(1)), path)
    return [found[minor] for minor in sorted(found)] or [sys.executable]


def node():
    return shutil.which("node")


class Outcome:
    """What a runtime posted: kind is "response", "error" or "init/error"."""

    def __init__(self, kind, request_id, headers, body):
        self.kind = kind
        self.request_id = request_id
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return "Outcome(%s, %r)" % (self.kind, self.body[:500])


class RuntimeProcess:
    def __init__(self, command, folder, files=(), handler="app.handler", transport="fd", env=None):
        self.folder = str(folder)
        for name, text in dict(files).items():
            path = os.path.join(self.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        self.outcomes = queue.Queue()
        self.events = queue.Queue()
        self.answers = queue.Queue()  # statuses for the next posts, 202 when empty
        self.writes = []  # what each receive brought; exactly the runtime's writes with "packets"
        self.waiting = 0  # how often the runtime asked for an event
        self._changed = threading.Condition()
        environ = self._environment(handler)
        self._theirs = None
        self._listen(transport, environ)
        environ.update(env or {})
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=environ,
            close_fds=False,
            preexec_fn=self._pass_socket_only,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        if self._theirs is not None:
            self._theirs.close()
        self._logs = {"stdout": b"", "stderr": b""}
        self._readers = [
            threading.Thread(target=self._collect, args=(name, stream), daemon=True)
            for name, stream in (("stdout", self.process.stdout), ("stderr", self.process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _pass_socket_only(self):
        # As the launcher does: a low number, which Node.js marks close-on-exec when it starts.
        for number in map(int, os.listdir("/proc/self/fd")):
            try:
                os.set_inheritable(number, number < 3)
            except OSError:
                pass  # the folder that was just read
        if self._theirs is not None:
            os.dup2(self._theirs.fileno(), RUNTIME_FD)

    def _environment(self, handler):
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "_HANDLER": handler,
            "LAMBDA_TASK_ROOT": self.folder,
            "AWS_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/hello",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]0123456789abcdef0123456789abcdef",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        }

    def _listen(self, transport, environ):
        if transport == "tcp":
            self._server = socket.create_server(("127.0.0.1", 0))
            environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:%d" % self._server.getsockname()[1]
            threading.Thread(target=self._accept, daemon=True).start()
            return
        self._server = None
        kind = socket.SOCK_SEQPACKET if transport == "packets" else socket.SOCK_STREAM
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, kind)
        self._theirs.setblocking(transport != "nonblocking")
        environ["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:9"  # must not be used
        environ["HEADGATE_RUNTIME_FD"] = str(RUNTIME_FD)
        self._connections = [ours]
        threading.Thread(target=self._serve, args=(ours,), daemon=True).start()

    def _accept(self):
        self._connections = []
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _collect(self, name, stream):
        for line in iter(stream.readline, b""):
            with self._changed:
                self._logs[name] += line
                self._changed.notify_all()

    def _serve(self, connection):
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                pending = self._receive(connection, pending)
                if pending is None:
                    return
            head, _, pending = pending.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            length = int(headers.get("content-length", 0))
            while len(pending) < length:
                pending = self._receive(connection, pending)
                if pending is None:
                    return
            body, pending = pending[:length], pending[length:]
            try:
                self._answer(connection, method, path, headers, body)
            except OSError:
                return

    def _receive(self, connection, pending):
        try:
            data = connection.recv(1 << 20)
        except OSError:
            return None
        if not data:
            return None
        self.writes.append(data)
        return pending + data

    def _answer(self, connection, method, path, headers, body):
        path = path[len("/2018-06-01/runtime/") :]
        if method == "GET" and path == "invocation/next":
            with self._changed:
                self.waiting += 1
                self._changed.notify_all()
            event = self.events.get()
            if event is not None:
                connection.sendall(event)
            return
        if path == "init/error":
            outcome = Outcome("init/error", None, headers, body)
        else:
            _, request_id, kind = path.split("/")
            outcome = Outcome(kind, request_id, headers, body)
        status = 202 if self.answers.empty() else self.answers.get()
        text = b'{"status":"OK"}' if status == 202 else b'{"errorMessage":"no","errorType":"No"}'
        reply = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
        connection.sendall(reply % (status, len(text), text))
        self.outcomes.put(outcome)

    def deliver(self, payload=b"{}", request_id=REQUEST_ID, deadline_ms=None, **headers):
        """Queues an event. Keywords are further headers, with _ for -."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        lines = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms or int(time.time() * 1000) + 30000),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
        }
        lines.update({name.replace("_", "-"): value for name, value in headers.items()})
        head = "HTTP/1.1 200 OK\r\n" + "".join("%s: %s\r\n" % item for item in lines.items())
        self.events.put(head.encode() + b"Content-Length: %d\r\n\r\n" % len(payload) + payload)

    def outcome(self):
        try:
            return self.outcomes.get(timeout=DEADLINE_S)
        except queue.Empty:
            raise AssertionError("no answer; log: %r" % (self._logs,)) from None

    def invoke(self, payload=b"{}", **options):
        self.deliver(payload, **options)
        return self.outcome()

    def wait_until_idle(self, times):
        """Until the runtime has asked for an event for the times-th time."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.waiting >= times, DEADLINE_S), self._logs

    def log(self, name="stdout", containing=""):
        """The log so far, once it contains that text."""
        with self._changed:
            found = self._changed.wait_for(lambda: containing.encode() in self._logs[name], DEADLINE_S)
            assert found, "%r is not in %r" % (containing, self._logs)
            return self._logs[name].decode()

    def exit_status(self):
        """Waits for the process to end; afterwards the logs are complete."""
        status = self.process.wait(timeout=DEADLINE_S)
        for reader in self._readers:
            reader.join(DEADLINE_S)
        return status

    def close(self):
        self.events.put(None)
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join(DEADLINE_S)
        self.process.stdout.close()
        self.process.stderr.close()
