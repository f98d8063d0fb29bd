"""Real servers that tests talk to: each on a free port of 127.0.0.1, with all its state in a folder of its own."""

import fcntl
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import random
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from headgate import ROOT, wait_for

KAFKA_SH = ROOT / "tools/kafka.sh"


def free_port(count=1):
    """The first of `count` neighbouring ports that nobody listens on; below those that outgoing connections take."""
    lowest_outgoing = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10000, max(lowest_outgoing, 20000) - count)
        sockets = []
        try:
            for offset in range(count):
                sockets.append(socket.socket())
                sockets[-1].bind(("127.0.0.1", port + offset))
            return port
        except OSError:
            pass
        finally:
            for each in sockets:
                each.close()


def is_listening(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class RedisServer:
    """redis-server that flushes every command before it answers."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.options = options
        self.process = None

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
                   "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no", *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            start_new_session=True)
        wait_for(self.answers, "redis to answer", 20)
        return self

    def answers(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            return self.client().ping()
        except Exception:
            return False

    def client(self, **options):
        import redis
        return redis.Redis(port=self.port, socket_timeout=5, **options)

    def url(self, database=0):
        return f"redis://127.0.0.1:{self.port}/{database}"

    def stop(self):
        if self.process:
            self.resume()
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)


class KafkaBroker:
    """A broker of tools/kafka.sh. Whoever is first in the folder starts it; it goes on when its data is there."""

    def __init__(self, folder, *settings):
        self.folder = pathlib.Path(folder)
        self.settings = settings
        self.port = None

    def start(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            port_file = self.folder / "port"
            self.port = int(port_file.read_text()) if port_file.exists() else free_port(2)
            port_file.write_text(str(self.port))
            is_fresh = not (self.folder / "broker").exists()
            if not self.is_running():
                self.start_broker(port_file, is_fresh)
            if is_fresh:
                self.wake()
        return self

    def start_broker(self, port_file, is_fresh):
        try:
            self.command("start", self.folder / "broker", self.port, *self.settings)
        except subprocess.CalledProcessError:
            if not is_fresh:
                raise
            # Somebody was quicker to take one of its ports.
            shutil.rmtree(self.folder / "broker", ignore_errors=True)
            self.port = free_port(2)
            port_file.write_text(str(self.port))
            self.command("start", self.folder / "broker", self.port, *self.settings)

    def wake(self):
        """A fresh broker makes its own topics when groups and producers first ask for them, which takes it seconds."""
        from kafka import KafkaConsumer, KafkaProducer
        address = f"127.0.0.1:{self.port}"
        self.create_topic("wake")
        producer = KafkaProducer(bootstrap_servers=address, enable_idempotence=True)
        producer.send("wake", b"up").get(30)
        producer.close()
        consumer = KafkaConsumer("wake", bootstrap_servers=address, group_id="wake", auto_offset_reset="earliest")
        wait_for(lambda: consumer.poll(timeout_ms=200), "the broker to serve a group", 30)
        consumer.close()

    @staticmethod
    def command(*arguments):
        # A file, not a pipe: the broker outlives the script and would hold it open.
        with open(os.devnull, "r+b") as nothing:
            subprocess.run([str(KAFKA_SH), *map(str, arguments)], check=True, timeout=180,
                           stdin=nothing, stdout=nothing, env=dict(os.environ, KAFKA_HEAP="320m"))

    @property
    def pid(self):
        return int((self.folder / "broker/pid").read_text())

    def is_running(self):
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except (OSError, ValueError):
            return False
        return "State:\tZ" not in status and "State:\tX" not in status

    def url(self, prefix):
        return f"kafka://127.0.0.1:{self.port}?prefix={prefix}"

    def stop(self):
        if self.is_running():
            os.kill(self.pid, signal.SIGCONT)
        self.command("stop", self.folder / "broker")

    def kill9(self):
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.is_running(), "the broker to be dead", 20)

    def pause(self):
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def create_topic(self, name, partitions=1):
        from kafka.admin import KafkaAdminClient, NewTopic
        from kafka.errors import TopicAlreadyExistsError
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{self.port}")
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])
        except TopicAlreadyExistsError:
            pass
        finally:
            admin.close()

    def read(self, topic, count, timeout=20):
        """The first `count` messages of a topic as (key, value, headers), or as many as came in time."""
        from kafka import KafkaConsumer
        consumer = KafkaConsumer(topic, bootstrap_servers=f"127.0.0.1:{self.port}", auto_offset_reset="earliest",
                                 enable_auto_commit=False)
        found, deadline = [], time.monotonic() + timeout
        try:
            while len(found) < count and time.monotonic() < deadline:
                for messages in consumer.poll(timeout_ms=200).values():
                    found += [(each.key, each.value, dict(each.headers)) for each in messages]
        finally:
            consumer.close()
        return found


class MotoServer:
    """moto's server: SQS, SNS, EventBridge and S3 over their HTTP protocols."""

    KEYS = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    def start(self):
        program = pathlib.Path(sys.executable).with_name("moto_server")
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(program), "-H", "127.0.0.1", "-p", str(self.port)], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                                            env=dict(os.environ, MOTO_ACCOUNT_ID="000000000000"))
        wait_for(lambda: is_listening(self.port), "moto to listen", 60)
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self):
        """What a program needs to take this server for the real one."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": self.KEYS["aws_access_key_id"],
                "AWS_SECRET_ACCESS_KEY": self.KEYS["aws_secret_access_key"]}

    def client(self, service):
        import boto3
        return boto3.client(service, endpoint_url=self.url, **self.KEYS)

    def reset(self):
        urllib.request.urlopen(urllib.request.Request(self.url + "/moto-api/reset", method="POST"), timeout=10).close()

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


class Webhook:
    """Takes records over HTTP and keeps them; answers what it is told to, 200 otherwise."""

    def __init__(self):
        self.requests = []
        self.answers = []  # (status, headers) for the next requests
        self.lock = threading.Lock()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with hook.lock:
                    status, headers = hook.answers.pop(0) if hook.answers else (200, {})
                    hook.requests.append(Received(self.path, dict(self.headers.items()), body, status, time.monotonic()))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a sender that was killed is no news
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def fail(self, status, times, headers=None):
        with self.lock:
            self.answers += [(status, headers or {})] * times

    def taken(self, path="/"):
        """What came to a path and was answered with 2xx."""
        with self.lock:
            return [each for each in self.requests if each.path == path and each.status // 100 == 2]

    def wait(self, path="/", count=1, timeout=20):
        wait_for(lambda: len(self.taken(path)) >= count, f"{count} records at {path}", timeout)
        return self.taken(path)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Received:
    def __init__(self, path, headers, body, status, at):
        self.path, self.headers, self.body, self.status, self.at = path, headers, body, status, at

    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)

    def is_signed_with(self, secret):
        text = self.header("X-Headgate-Timestamp").encode() + b"." + self.body
        return self.header("X-Headgate-Signature") == "sha256=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
