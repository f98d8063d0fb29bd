"""Limits: each is answered clearly, bounded, and gives way when the pressure is gone."""

import os
import socket
import threading
import time

import pytest

from client import Wire
from headgate import wait_for

TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context):
            return {"statusCode": 200, "body": str(len(event["body"] or ""))}
      Events: {E: {Type: Api, Properties: {Path: /x, Method: any}}}
"""
MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def server(serve_module):
    return serve_module(serve_module.project().template(TEMPLATE))


def test_many_small_headers(server):
    with Wire(server.address) as wire:
        wire.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\n")
        try:
            for number in range(5000):
                wire.send(f"X-{number}: y\r\n")
        except OSError:
            pass
        assert wire.response().status == 431
        assert wire.at_end()


def test_one_large_header(server):
    with Wire(server.address) as wire:
        wire.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\nX-Big: ")
        try:
            wire.send("y" * 200000 + "\r\n\r\n")
        except OSError:
            pass
        assert wire.response().status == 431


def test_ten_kilobytes_of_headers_are_fine(server):
    assert server.get("/Prod/x", {"X-Big": "y" * 8000}).status == 200


def test_long_target(server):
    with Wire(server.address) as wire:
        try:
            wire.send("GET /Prod/x?" + "y" * 100000 + " HTTP/1.1\r\nHost: h\r\n\r\n")
        except OSError:
            pass
        assert wire.response().status in (414, 431)
    assert server.get("/Prod/x?" + "y" * 4000).status == 200


def test_declared_body_over_the_limit_is_answered_at_once(server):
    with Wire(server.address) as wire:
        wire.send(f"POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: {10 * MEBI + 1}\r\n\r\n")
        answer = wire.response()
        assert answer.status == 413
        assert answer.header("connection").lower() == "close"


def test_chunked_body_over_the_limit(server):
    with Wire(server.address) as wire:
        wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b"x" * MEBI + b"\r\n"
        try:
            for _ in range(12):
                wire.send(chunk)
        except OSError:
            pass
        assert wire.response().status == 413


def test_too_many_connections(serve, project):
    server = serve(project.template(TEMPLATE), "--max-connections", "10")
    held = []
    refused = None
    try:
        for _ in range(30):
            wire = Wire(server.address, timeout=5)
            held.append(wire)
            wire.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\n\r\n")
            try:
                answer = wire.response()
            except (EOFError, ConnectionError, socket.timeout):
                continue
            if answer.status == 503:
                refused = answer
                break
            assert answer.status == 200
    finally:
        for wire in held:
            wire.close()
    assert refused is not None
    assert refused.header("connection").lower() == "close"
    wait_for(lambda: served(server), "connections to be accepted again")


def served(server):
    try:
        return server.get("/Prod/x").status == 200
    except OSError:
        return False


def test_slow_clients_are_ended(server):
    """A head has ten seconds in all; a body may not rest for twenty."""
    with Wire(server.address) as head, Wire(server.address) as body, Wire(server.address) as drip:
        begin = time.monotonic()
        head.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\nX-Slow: ")
        body.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
        drip.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\nX-Drip: ")
        ended = threading.Event()

        def keep_dripping():
            while not ended.wait(0.5):
                try:
                    drip.send("y")
                except OSError:
                    return
        threading.Thread(target=keep_dripping, daemon=True).start()
        for wire, limit in ((head, 10), (drip, 10), (body, 20)):
            answer = wire.response()
            assert answer.status == 408
            assert wire.at_end()
            assert time.monotonic() - begin < limit + 5
        ended.set()


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_closed_connections_leave_nothing_behind(server):
    server.get("/Prod/x")
    before = open_files(server.pid)
    for _ in range(100):
        with Wire(server.address) as wire:
            wire.send("GET /Prod/x HTTP/1.1\r\nHost: h\r\n\r\n")
            wire.response()
    wait_for(lambda: open_files(server.pid) <= before + 1, "descriptors to be closed")


def test_memory_limit_of_a_function(serve, project):
    server = serve(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: index.handler
              Runtime: python3.12
              MemorySize: 128
              Timeout: 20
              InlineCode: |
                def handler(event, context):
                    if event.get("eat"):
                        hoard = bytearray(600 * 1024 * 1024)
                        hoard[::4096] = b"x" * len(hoard[::4096])
                        return len(hoard)
                    return "small"
        """))
    assert server.invoke("F").json() == "small"
    answer = server.invoke("F", b'{"eat": true}')
    assert answer.header("x-amz-function-error") == "Unhandled"
    assert answer.json()["errorType"] in ("Runtime.OutOfMemory", "Runtime.ExitError", "MemoryError")
    assert server.invoke("F").json() == "small"
