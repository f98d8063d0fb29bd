"""Fixtures that every black-box test uses."""

import itertools
import subprocess
from dataclasses import dataclass

import pytest

import headgate as program
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
