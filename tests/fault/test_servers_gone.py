"""Redis or Kafka gone, paused, back again: new events are refused in time, accepted ones stay, nothing spins."""

import os
import pathlib
import time

import pytest

import headgate as program
from events import Events, Ledger, stage, warm
from headgate import wait_for
from servers import KafkaBroker, RedisServer
from test_store import cpu_seconds, refused

REFUSED_WITHIN_S = 8
IDLE_CPU_SHARE = 0.15  # of one processor, sanitizers and all


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "ledger")


class Redis:
    name = "redis"

    def __init__(self, folder):
        self.server = RedisServer(folder)
        self.options = ["--queue", self.server.url() + "?prefix=gone", "--queue-option", "redis.timeout=1s",
                        "--queue-option", "redis.lease-timeout=2s"]


class Kafka:
    name = "kafka"

    def __init__(self, folder):
        self.server = KafkaBroker(folder, "group.min.session.timeout.ms=1000")
        self.server.port = None

    @property
    def options(self):
        return ["--queue", self.server.url("gone"), "--queue-option", "kafka.topic.partitions=2",
                "--queue-option", "kafka.session.timeout.ms=3000", "--queue-option", "kafka.heartbeat.interval.ms=500",
                "--queue-option", "kafka.message.timeout.ms=3000", "--queue-option", "kafka.socket.timeout.ms=2000"]


@pytest.fixture(params=[name for name in ("redis", "kafka")
                        if name in os.environ.get("HEADGATE_TEST_ENGINES", "redis,kafka")])
def queue(request, tmp_path):
    queue = {"redis": Redis, "kafka": Kafka}[request.param](tmp_path / request.param)
    queue.server.start()
    yield queue
    queue.server.stop()


@pytest.fixture
def server(serve, project, ledger, queue):
    template = stage(project, ledger, {"plain": {}, "failing": {}, "narrow": {"ReservedConcurrentExecutions": 1}})
    server = serve(template, *queue.options, "--retry-scale", "0.02", "--isolation", "none",
                   "--drain-timeout", "3s")
    warm(server, "plain")
    events = Events(server)
    wait_for(lambda: events.try_publish("plain").status == 202, "the first event", 30)
    return server


def refused_in_time(events):
    began = time.monotonic()
    refused(wait_for(lambda: not_202(events.try_publish("plain", timeout=30)), "a refusal", 30))
    return time.monotonic() - began


def not_202(answer):
    return answer if answer.status != 202 else None


def is_202(answer):
    return answer if answer.status == 202 else None


def stays_quiet(server, seconds=4):
    before, began = cpu_seconds(server.pid), time.monotonic()
    time.sleep(seconds)
    share = (cpu_seconds(server.pid) - before) / (time.monotonic() - began)
    assert share < IDLE_CPU_SHARE, f"{share:.0%} of a processor for nothing"


@pytest.mark.timeout(240)
def test_killed_and_started_again(server, queue, ledger):
    events = Events(server)
    accepted = [events.publish("narrow", {"do": ["sleep:0.05"], "n": n}) for n in range(30)]
    accepted += [events.publish("failing", {"do": ["raise", "ok"]}) for _ in range(5)]
    ledger.wait(accepted[0])
    queue.server.kill9()
    assert refused_in_time(events) < REFUSED_WITHIN_S
    stays_quiet(server)
    # What needs no queue goes on.
    assert server.invoke("plain", b'{"value": 5}').body == b"5"
    # A page of what this node knows, or a refusal; never a wait without end.
    assert server.manage("GET", "/_headgate/events", timeout=15).status in (200, 503)
    queue.server.start()
    wait_for(lambda: events.try_publish("plain").status == 202, "events to be taken again", 60)
    for request_id in accepted:
        assert events.wait(request_id, timeout=90)["condition"] == "Success"


@pytest.mark.timeout(240)
def test_paused(server, queue, ledger):
    """It neither answers nor closes: the worst kind of silence."""
    events = Events(server)
    accepted = [events.publish("narrow", {"do": ["sleep:0.05"], "n": n}) for n in range(10)]
    queue.server.pause()
    try:
        assert refused_in_time(events) < REFUSED_WITHIN_S
        stays_quiet(server)
    finally:
        queue.server.resume()
    wait_for(lambda: events.try_publish("plain").status == 202, "events to be taken again", 60)
    for request_id in accepted:
        assert events.wait(request_id, timeout=90)["condition"] == "Success"


@pytest.mark.timeout(240)
def test_not_there_at_the_start(serve, project, ledger, queue):
    queue.server.stop()
    template = stage(project, ledger, {"plain": {}})
    server = serve(template, *queue.options, "--isolation", "none")
    events = Events(server)
    refused(events.try_publish("plain"))
    assert server.invoke("plain", b'{"value": 5}').body == b"5"
    stays_quiet(server)
    queue.server.start()
    taken = wait_for(lambda: is_202(events.try_publish("plain")), "events to be taken", 60)
    assert events.wait(taken.header("x-amzn-requestid"), timeout=60)["condition"] == "Success"


@pytest.mark.timeout(240)
def test_it_ends_in_order_while_the_server_is_gone(server, queue, ledger):
    events = Events(server)
    request_id = events.publish("plain", {"do": ["sleep:0.5"]})
    ledger.wait(request_id)
    queue.server.kill9()
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 15
    queue.server.start()
    server.start()
    assert events.wait(request_id, timeout=60)["condition"] == "Success"


def test_redis_without_persistence_is_told(serve, project, ledger, tmp_path):
    redis = RedisServer(tmp_path / "redis", "--appendonly", "no")
    redis.options = ("--appendonly", "no")
    redis.start()
    try:
        server = serve(stage(project, ledger, {"plain": {}}), "--queue", redis.url())
        assert server.log_lines("append"), server.stderr()
    finally:
        redis.stop()


def test_redis_with_a_wrong_password(project, ledger, tmp_path):
    redis = RedisServer(tmp_path / "redis", "--requirepass", "right")
    redis.answers = lambda: redis.client(password="right").ping()
    wait_started(redis)
    try:
        result = program.run("serve", stage(project, ledger, {"plain": {}}), "--queue",
                             f"redis://:wrong@127.0.0.1:{redis.port}/0", "--data-dir", tmp_path / "data",
                             "--api", "127.0.0.1:0", "--listen", "127.0.0.1:0")
        assert result.returncode == 1 and "wrong" not in result.stderr.replace("WRONGPASS", "")
    finally:
        redis.stop()


def wait_started(redis):
    answers = redis.answers

    def patient():
        try:
            return answers()
        except Exception:
            return False
    redis.answers = patient
    redis.start()
