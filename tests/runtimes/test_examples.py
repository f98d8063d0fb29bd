"""The functions of examples/, called with the parts of events that they read."""

import json
import os
import shutil
import subprocess

import pytest

import harness

EXAMPLES = os.path.join(harness.ROOT, "examples")
HTTP_EVENT = {"requestContext": {"http": {"method": "POST", "path": "/echo/a/b"}}, "pathParameters": {"proxy": "a/b"}}


@pytest.fixture
def start(tmp_path):
    started = []

    def start(command, folder, handler, **options):
        shutil.copytree(os.path.join(EXAMPLES, folder), str(tmp_path / "code"))
        runtime = harness.RuntimeProcess(command, tmp_path / "code", handler=handler, **options)
        started.append(runtime)
        return runtime

    yield start
    for runtime in started:
        runtime.close()


def test_hello(start, python):
    runtime = start([python, harness.PYTHON_BOOTSTRAP], "hello", "app.handler", env={"GREETING": "Hello"})
    assert json.loads(runtime.invoke({}).json["body"]) == {"message": "Hello, world!"}
    assert json.loads(runtime.invoke({"pathParameters": {"name": "Ada"}}).json["body"]) == {"message": "Hello, Ada!"}


def test_echo(start):
    if harness.node() is None:
        pytest.skip("node is not installed")
    runtime = start([harness.node(), harness.NODE_BOOTSTRAP], "echo", "index.handler")
    result = runtime.invoke({**HTTP_EVENT, "body": "e30=", "isBase64Encoded": True}).json
    assert json.loads(result["body"]) == {"method": "POST", "proxy": "a/b", "query": {}, "body": "{}"}


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The native example, built with the sanitizers so that a slip shows."""
    compiler = shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    program = str(tmp_path_factory.mktemp("native") / "bootstrap")
    source = os.path.join(EXAMPLES, "native", "bootstrap.c")
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined"]
    subprocess.run([compiler, *flags, "-o", program, source], check=True)
    return program


def test_native_hello(start, native, transport):
    runtime = start([native], "native", "hello", transport=transport)
    for _ in range(3):
        assert runtime.invoke().json["body"] == "Hello from C\n"


def test_native_echo(start, native, transport):
    runtime = start([native], "native", "echo", transport=transport)
    for payload in (b"{}", b'{"text": "%b"}' % (b"x" * 5000000), b'"\xc3\xa9"'):
        assert runtime.invoke(payload).body == payload


def test_native_writes_once(start, native):
    runtime = start([native], "native", "hello", transport="packets")
    runtime.invoke()
    runtime.invoke()
    runtime.wait_until_idle(3)
    assert len(runtime.writes) == 3


def test_native_ends_with_the_platform(start, native, transport):
    runtime = start([native], "native", "echo", transport=transport)
    runtime.invoke()
    runtime.wait_until_idle(2)
    for connection in runtime._connections:
        connection.shutdown(2)
    runtime.events.put(None)
    assert runtime.exit_status() == 0
    assert runtime.log("stderr") == ""


def test_native_ends_when_refused(start, native):
    runtime = start([native], "native", "echo")
    runtime.answers.put(403)
    runtime.invoke()
    assert runtime.exit_status() == 1
