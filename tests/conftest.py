"""Fixtures that every black-box test uses."""

import itertools
import os
import pathlib
import shutil
import subprocess
import tempfile
import uuid
from dataclasses import dataclass

import pytest

import headgate as program
import servers
from project import Project


@dataclass
class Certificate:
    cert: object
    key: object


class Servers:
    """Starts servers, and stops each of them when the test or the module is over."""

    def __init__(self, folder):
        self.folder = folder
        self.counter = itertools.count()
        self.running = []

    def project(self):
        return Project(self.folder / f"project{next(self.counter)}")

    def __call__(self, template, *options, **settings):
        assert program.BINARY.exists(), f"{program.BINARY} is not there: build it first, or set HEADGATE_BIN"
        server = program.Headgate(template, self.folder / f"run{next(self.counter)}", *options, **settings)
        self.running.append(server)
        return server.start()

    def bare(self, *options, **settings):
        folder = self.folder / f"empty{next(self.counter)}"
        folder.mkdir()
        return self(None, *options, cwd=folder, **settings)

    def stop(self):
        faults = []
        for server in self.running:
            try:
                server.stop()
            except AssertionError as fault:
                faults.append(str(fault))
        assert not faults, "\n\n".join(faults)


@pytest.fixture
def serve(tmp_path):
    """serve(template, *options) starts a server for one test."""
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def serve_module(tmp_path_factory):
    """The same for a server that all tests of a file share."""
    servers = Servers(tmp_path_factory.mktemp("module"))
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def bare(serve_module):
    """A server without a template, which all tests of a file share: functions come by the API."""
    return serve_module.bare()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")


def make_certificate(folder, name, common_name="localhost"):
    """A self-signed certificate for localhost and 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    pair = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", str(pair.key), "-out", str(pair.cert), "-days", "2", "-subj", f"/CN={common_name}",
         "-addext", f"subjectAltName=DNS:{common_name},IP:127.0.0.1"],
        check=True, capture_output=True)
    return pair


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


# Servers that queues and destinations need. Those that are expensive to start are shared by all workers of a run.

SHARED = "HEADGATE_TEST_SHARED"


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return
    config.shared_folder = tempfile.mkdtemp(prefix="headgate-tests-")
    os.environ[SHARED] = config.shared_folder


def pytest_unconfigure(config):
    folder = getattr(config, "shared_folder", None)
    if folder:
        if (pathlib.Path(folder) / "kafka/port").exists():
            servers.KafkaBroker(pathlib.Path(folder) / "kafka").stop()
        shutil.rmtree(folder, ignore_errors=True)


class Engine:
    """One way of keeping events: gives the options of `serve` that choose it."""

    def __init__(self, name, server=None):
        self.name = name
        self.server = server

    def options(self):
        """Those of a queue that nobody has used."""
        prefix = "t" + uuid.uuid4().hex[:12]
        if self.name == "redis":
            return ["--queue", self.server.url() + f"?prefix={prefix}", "--queue-option", "redis.lease-timeout=2s"]
        if self.name == "kafka":
            return ["--queue", self.server.url(prefix), "--queue-option", "kafka.topic.partitions=2",
                    "--queue-option", "kafka.session.timeout.ms=3000",
                    "--queue-option", "kafka.heartbeat.interval.ms=500"]
        return []


ENGINES = os.environ.get("HEADGATE_TEST_ENGINES", "embedded,redis,kafka").split(",")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = servers.RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka_broker():
    return servers.KafkaBroker(pathlib.Path(os.environ[SHARED]) / "kafka", "group.min.session.timeout.ms=1000").start()


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    server = servers.MotoServer(tmp_path_factory.mktemp("moto")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def webhook():
    hook = servers.Webhook()
    yield hook
    hook.stop()


@pytest.fixture(scope="module", params=ENGINES)
def engine(request):
    """Every test that takes it runs unchanged on each engine."""
    if request.param == "embedded":
        return Engine("embedded")
    return Engine(request.param, request.getfixturevalue({"redis": "redis_server", "kafka": "kafka_broker"}[request.param]))
