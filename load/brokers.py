"""The peers of the durable 202: Redis, RabbitMQ and NATS JetStream, each set to be as durable as the row says."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from measure import Process, accepts, free_port, tool, wait_for

ROOT = Path(__file__).parent.parent


def program_of(name, *elsewhere):
    found = tool(name, *elsewhere)
    if not found:
        raise FileNotFoundError(f"{name} is not installed")
    return found


class Broker:
    def __init__(self, name, protocol, process, port, environment=None):
        self.name, self.protocol, self.process, self.port = name, protocol, process, port
        self.environment = environment or {}
        wait_for(lambda: accepts(port), name, 90)

    def publish(self, publishers, size, seconds, window):
        """messages/s, p50 and p99 in µs of send → acknowledgement."""
        run = subprocess.run(
            [str(word) for word in (publishers, self.protocol, "127.0.0.1", self.port, size, seconds, window)],
            env=dict(os.environ, **self.environment), capture_output=True, text=True, timeout=120, check=True)
        return tuple(float(word) for word in run.stdout.split())

    def stop(self):
        self.process.stop()


def redis(folder, policy):
    port = free_port()
    data = folder / f"redis-{port}"
    data.mkdir()
    process = Process(
        [program_of("redis-server"), "--port", port, "--bind", "127.0.0.1", "--dir", data, "--appendonly", "yes",
         "--appendfsync", policy, "--save", ""], folder / "redis.log")
    return Broker(f"Redis XADD, appendfsync {policy}", "redis", process, port)


def nats(folder, sync):
    port = free_port()
    pinned = ROOT / ".tools/bin/nats-server"  # Debian's is too old to flush each message
    program = pinned if pinned.exists() else program_of("nats-server")
    config = folder / f"nats-{port}.conf"
    config.write_text(f'listen: "127.0.0.1:{port}"\n'
                      f'jetstream {{ store_dir: "{folder}/nats-{port}"\n{f"sync_interval: {sync}" if sync else ""} }}\n')
    process = Process([program, "-c", config], folder / "nats.log")
    return Broker(f"NATS JetStream, {'sync ' + sync if sync else 'as it comes (sync every 2 min)'}", "nats", process, port)


def rabbitmq(folder, kind):
    port = free_port()
    home = folder / f"rabbitmq-{port}"
    home.mkdir()
    home.chmod(0o777)
    folder.chmod(0o755)
    environment = {
        "RABBITMQ_NODE_PORT": str(port), "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_NODENAME": f"bench{port}@localhost", "RABBITMQ_MNESIA_BASE": str(home / "data"),
        "RABBITMQ_LOG_BASE": str(home / "log"), "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
        "RABBITMQ_PID_FILE": str(home / "pid"), "ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_ADDRESS": "127.0.0.1",
        "HOME": str(home),
    }
    if os.getuid() == 0:
        shutil.chown(home, pwd.getpwnam("rabbitmq").pw_uid)
    log = folder / f"rabbitmq-{port}.log"
    process = Process([program_of("rabbitmq-server", "/usr/sbin/rabbitmq-server")], log, env=dict(os.environ, **environment))
    broker = Broker(f"RabbitMQ {kind} queue, persistent, confirms", "amqp", process, port, {"AMQP_QUEUE_TYPE": kind})
    wait_for(lambda: "completed with" in log.read_text(), "RabbitMQ", 90)
    return broker
