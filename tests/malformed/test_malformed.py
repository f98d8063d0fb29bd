"""Malformed HTTP/1.1: answered as RFC 9112 says, closed, and never a way to smuggle a request."""

import random
import re
import select
import socket
import time

import pytest

from corpus import CASES, NONE, OPEN

TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      Runtime: python3.12
      InlineCode: |
        def handler(event, context):
            if "evil" in event["path"]:
                print("EVIL WAS REACHED", flush=True)
            return {"statusCode": 200, "body": "reached:" + event["path"]}
      Events: {E: {Type: Api, Properties: {Path: "/{proxy+}", Method: any}}}
"""
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def server(serve_module):
    server = serve_module(serve_module.project().template(TEMPLATE))
    assert server.get("/Prod/warm").text == "reached:/warm"
    return server


QUIET_S = 0.4  # how long an open connection must say nothing more after an answer


def exchange(address, data, may_stay_open, limit_s=30):
    """Sends the bytes; reads until the server closes, or has answered and says no more. Returns (bytes, was closed)."""
    seen = b""
    with socket.create_connection(address, timeout=limit_s) as connection:
        connection.setblocking(False)
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            quiet_s = QUIET_S if may_stay_open and seen and not data else limit_s
            readable, writable, _ = select.select([connection], [connection] if data else [], [], quiet_s)
            if not readable and not writable:
                return seen, False
            try:
                if readable:
                    part = connection.recv(65536)
                    if not part:
                        return seen, True
                    seen += part
                if writable and data:
                    data = data[connection.send(data[:65536]):]
            except BlockingIOError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                # A server that has answered may cut what is still being sent.
                return seen, True
    raise AssertionError(f"neither an end nor silence within {limit_s} s; got {seen[:200]!r}")


@pytest.mark.parametrize("name", CASES)
def test_case(server, name):
    data, statuses = CASES[name]
    may_stay_open = OPEN in statuses
    seen, closed = exchange(server.address, data, may_stay_open)
    answers = [int(status) for status in STATUS_LINE.findall(seen) if status != b"100"]
    assert b"reached:/evil" not in seen, "a smuggled request was answered"
    if not answers:
        assert NONE in statuses, f"no answer; closed: {closed}"
        assert closed
        return
    assert answers[0] in statuses, seen[:300]
    if answers[0] >= 400 and answers[0] not in (403, 404):
        assert closed, "the connection stayed open after a refusal"
        assert re.search(rb"(?i)\r\nconnection: close\r\n", seen)
    if not may_stay_open:
        assert closed, "the connection stayed open"
        assert len(answers) <= 2 if name == "connections: preface after a request" else len(answers) == 1


def test_smuggled_request_never_reached_the_function(server):
    assert not server.log_lines("EVIL WAS REACHED")


def test_server_is_alive_and_well(server):
    assert server.get("/Prod/after").text == "reached:/after"


def test_cut_requests(server):
    """Every prefix of a request, then the end of the stream."""
    whole = b"POST /Prod/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nT: 1\r\n\r\n"
    for length in range(len(whole)):
        with socket.create_connection(server.address, timeout=20) as connection:
            connection.sendall(whole[:length])
            connection.shutdown(socket.SHUT_WR)
            seen = b""
            while part := connection.recv(65536):
                seen += part
            assert b"HTTP/1.1 200" not in seen, whole[:length]


@pytest.mark.parametrize("seed", range(4))
def test_mutations(server, seed):
    """Random damage to the whole corpus: nothing crashes, nothing is smuggled past a refusal."""
    rng = random.Random(seed)
    cases = [data for data, _ in CASES.values() if len(data) < 2000]
    for _ in range(150):
        data = bytearray(rng.choice(cases))
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[place] = rng.randrange(256)
            elif kind == 1:
                del data[place:place + rng.randint(1, 4)]
            elif kind == 2:
                data[place:place] = rng.choice([b"\r\n", b"\n", b"\r", b"\0", b" ", b":", b"0", b"chunked", b"\xff"])
            else:
                data[place:place] = data[max(0, place - 10):place]
            if not data:
                data = bytearray(b"x")
        with socket.create_connection(server.address, timeout=20) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            seen = b""
            try:
                while part := connection.recv(65536):
                    seen += part
            except ConnectionResetError:
                pass
            refused = re.search(rb"HTTP/1\.1 (400|408|413|414|417|431|501|505) ", seen)
            assert not (refused and b"HTTP/1.1" in seen[refused.end():]), "an answer after a refusal"
    assert server.get("/Prod/after").status == 200
