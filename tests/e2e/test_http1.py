"""HTTP/1.1 on the wire: connections that stay, pipelining, chunks, 100-continue. Every test speaks raw bytes."""

import json

import pytest

from client import Wire

APP_PY = """
import json
import time


def handler(event, context):
    query = event["queryStringParameters"] or {}
    time.sleep(float(query.get("sleep", "0")))
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": json.dumps(
        {"n": query.get("n"), "body": event["body"], "method": event["httpMethod"], "big": "x" * int(query.get("big", "0"))})}
"""


@pytest.fixture(scope="module")
def server(serve_module):
    project = serve_module.project()
    project.file("src/app.py", APP_PY)
    return serve_module(project.template("""
        Resources:
          F:
            Type: AWS::Serverless::Function
            Properties:
              Handler: app.handler
              Runtime: python3.12
              CodeUri: src
              Timeout: 10
              Events: {E: {Type: Api, Properties: {Path: /x, Method: any}}}
        """))


@pytest.fixture
def wire(server):
    with Wire(server.address) as wire:
        yield wire


def get(number, more=""):
    return f"GET /Prod/x?n={number} HTTP/1.1\r\nHost: h\r\n{more}\r\n"


def test_connection_stays_open(wire):
    for number in range(5):
        wire.send(get(number))
        answer = wire.response()
        assert answer.status == 200
        assert json.loads(answer.body)["n"] == str(number)
        assert (answer.header("connection") or "keep-alive").lower() == "keep-alive"


def test_connection_close_is_honoured(wire):
    wire.send(get(1, "Connection: close\r\n"))
    answer = wire.response()
    assert answer.header("connection").lower() == "close"
    assert wire.at_end()


def test_pipelined_requests_are_answered_in_order(wire):
    wire.send("".join(f"GET /Prod/x?n={number}&sleep={0.3 if number == 0 else 0} HTTP/1.1\r\nHost: h\r\n\r\n"
                      for number in range(8)))
    assert [json.loads(wire.response().body)["n"] for _ in range(8)] == [str(number) for number in range(8)]


def test_pipelining_with_bodies(wire):
    wire.send("".join(f"POST /Prod/x?n={number} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{number}{number}"
                      for number in range(4)))
    assert [json.loads(wire.response().body)["body"] for _ in range(4)] == ["00", "11", "22", "33"]


def test_request_that_arrives_byte_by_byte(wire):
    for byte in get(7).encode():
        wire.send(bytes([byte]))
    assert json.loads(wire.response().body)["n"] == "7"


def test_chunked_request(wire):
    wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in ("3;ext=1\r\nabc\r\n", "0005\r\nde", "fgh\r\n", "A\r\n0123456789\r\n", "0\r\nX-Trailer: 1\r\n\r\n"):
        wire.send(part)
    assert json.loads(wire.response().body)["body"] == "abcdefgh0123456789"
    wire.send(get(1))
    assert wire.response().status == 200


def test_expect_100_continue(wire):
    wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert wire.response().status == 100
    wire.send("hello")
    assert json.loads(wire.response().body)["body"] == "hello"


def test_expect_100_continue_with_a_body_that_does_not_wait(wire):
    wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
    answer = wire.response()
    if answer.status == 100:
        answer = wire.response()
    assert json.loads(answer.body)["body"] == "hello"


def test_expect_100_continue_with_a_body_that_is_too_large(wire):
    wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
    assert wire.response().status == 413


def test_unknown_expectation(wire):
    wire.send("POST /Prod/x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nExpect: miracles\r\n\r\nx")
    assert wire.response().status == 417


def test_head_has_no_body(wire):
    wire.send("HEAD /Prod/x HTTP/1.1\r\nHost: h\r\n\r\n" + get(2))
    head = wire.response("HEAD")
    assert head.status == 200
    assert int(head.header("content-length")) > 0
    assert json.loads(wire.response().body)["n"] == "2"


def test_http_1_0_closes(wire):
    wire.send("GET /Prod/x HTTP/1.0\r\nHost: h\r\n\r\n")
    assert wire.response().status == 200
    assert wire.at_end()


def test_http_1_0_keep_alive(wire):
    wire.send("GET /Prod/x?n=1 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
    answer = wire.response()
    assert answer.header("connection").lower() == "keep-alive"
    wire.send("GET /Prod/x?n=2 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
    assert json.loads(wire.response().body)["n"] == "2"


def test_absolute_form(wire, server):
    wire.send(f"GET http://127.0.0.1:{server.port()}/Prod/x?n=5 HTTP/1.1\r\nHost: 127.0.0.1:{server.port()}\r\n\r\n")
    assert json.loads(wire.response().body)["n"] == "5"


def test_empty_lines_before_a_request_are_skipped(wire):
    wire.send("\r\n" + get(3))
    assert json.loads(wire.response().body)["n"] == "3"


def test_large_answer(wire):
    wire.send("GET /Prod/x?big=3000000 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert len(json.loads(wire.response().body)["big"]) == 3000000


def test_client_that_reads_slowly(server):
    with Wire(server.address) as wire:
        wire.send("GET /Prod/x?big=4000000 HTTP/1.1\r\nHost: h\r\n\r\n" * 3)
        with Wire(server.address) as other:
            other.send(get(1))
            assert other.response().status == 200
        for _ in range(3):
            assert len(json.loads(wire.response().body)["big"]) == 4000000


def test_client_that_goes_away_during_the_call(server):
    for _ in range(5):
        with Wire(server.address) as wire:
            wire.send("GET /Prod/x?sleep=0.2 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert server.get("/Prod/x?n=1").status == 200


def test_half_closed_client_still_gets_its_answer(server):
    import socket
    with Wire(server.address) as wire:
        wire.send("GET /Prod/x?n=4&sleep=0.1 HTTP/1.1\r\nHost: h\r\n\r\n")
        wire.socket.shutdown(socket.SHUT_WR)
        assert json.loads(wire.response().body)["n"] == "4"
        assert wire.at_end()
