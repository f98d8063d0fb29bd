"""HTTP/2 without TLS: prior knowledge and Upgrade, by curl, httpx and a bare client."""

import json
import re
import socket
import subprocess
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import httpx
import pytest

from headgate import wait_for

APP_PY = """
import json
import time


def handler(event, context):
    query = event["queryStringParameters"] or {}
    time.sleep(float(query.get("sleep", "0")))
    return {"statusCode": 200, "headers": {"X-Mixed-Case": "1"}, "body": json.dumps({
        "n": query.get("n"), "size": len(event["body"] or ""), "headers": event["headers"],
        "protocol": event["requestContext"]["protocol"], "domain": event["requestContext"]["domainName"],
        "big": "x" * int(query.get("big", "0"))})}
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


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--max-time", "20", *arguments], capture_output=True, text=True, check=True).stdout


class Client:
    """A bare HTTP/2 client on top of the h2 state machine."""

    def __init__(self, address, window=None):
        self.socket = socket.create_connection(address, timeout=20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        if window:
            self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.flush()
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def request(self, target, method="GET", headers=(), body=None, end=True):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [(":method", method), (":scheme", "http"), (":authority", "h"), (":path", target),
                                      *headers], end_stream=body is None and end)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def read(self):
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("connection ended")
        events = self.h2.receive_data(data)
        self.flush()
        self.events += events
        return events

    def until(self, kind, stream=None):
        def find():
            return next((event for event in self.events if isinstance(event, kind) and
                         (stream is None or event.stream_id == stream)), None)
        while not find():
            self.read()
        return find()

    def answer(self, stream):
        """Status and body; gives the window back as it reads."""
        status, body, seen = None, b"", 0
        while True:
            for event in self.events[seen:]:
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                    self.flush()
                elif isinstance(event, h2.events.StreamEnded):
                    return status, body
                elif isinstance(event, h2.events.StreamReset):
                    return event.error_code, body
            seen = len(self.events)
            self.read()


def test_curl_prior_knowledge(server):
    said = curl("--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}", f"{server.url}/Prod/x?n=1")
    body, tail = said.rsplit("\n", 1)
    assert tail == "2 200"
    assert json.loads(body)["n"] == "1"


def test_curl_upgrade(server):
    said = curl("--http2", "-w", "\n%{http_version} %{http_code}", f"{server.url}/Prod/x?n=1", f"{server.url}/Prod/x?n=2")
    assert re.findall(r'"n": "(\d)"', said) == ["1", "2"]
    assert said.count("2 200") == 2


def test_curl_upgrade_with_a_body(server):
    said = curl("--http2", "-d", "x" * 20000, "-w", "\n%{http_code}", f"{server.url}/Prod/x?n=1")
    body, code = said.rsplit("\n", 1)
    assert code == "200"
    assert json.loads(body)["size"] == 20000


def test_httpx(server):
    with httpx.Client(http1=False, http2=True) as client:
        for number in range(3):
            answer = client.get(f"{server.url}/Prod/x?n={number}", headers={"X-Probe": "yes"})
            assert answer.http_version == "HTTP/2"
            assert answer.status_code == 200
            assert answer.json()["n"] == str(number)
            assert answer.json()["headers"]["x-probe"] == "yes"
            assert answer.headers["x-mixed-case"] == "1"
            assert answer.headers["x-amzn-requestid"]
        posted = client.post(f"{server.url}/Prod/x", content=b"y" * 300000, headers={"content-type": "text/plain"})
        assert posted.json()["size"] == 300000


def test_event_looks_as_over_http_1(server):
    with httpx.Client(http1=False, http2=True) as client:
        seen = client.get(f"{server.url}/Prod/x").json()
    assert seen["protocol"] == "HTTP/1.1"
    assert seen["domain"].startswith("127.0.0.1")
    names = {name.lower() for name in seen["headers"]}
    assert "host" in names
    assert not any(name.startswith(":") for name in names)


def test_header_names_are_lower_case_on_the_wire(server):
    with Client(server.address) as client:
        stream = client.request("/Prod/x")
        headers = client.until(h2.events.ResponseReceived, stream).headers
        assert all(name == name.lower() for name, _ in headers)
        assert ("x-mixed-case", "1") in headers
        assert not {"connection", "transfer-encoding", "keep-alive"} & {name for name, _ in headers}


def test_many_streams_at_once(server):
    with Client(server.address) as client:
        streams = [client.request(f"/Prod/x?n={number}&sleep=0.1") for number in range(20)]
        answers = [client.answer(stream) for stream in streams]
    assert [status for status, _ in answers] == [200] * 20
    assert [json.loads(body)["n"] for _, body in answers] == [str(number) for number in range(20)]


def test_slow_stream_does_not_hold_up_a_fast_one(server):
    server.get("/Prod/x")
    with Client(server.address) as client:
        slow = client.request("/Prod/x?sleep=2&n=slow")
        fast = client.request("/Prod/x?n=fast")
        assert json.loads(client.answer(fast)[1])["n"] == "fast"
        assert not any(isinstance(event, h2.events.StreamEnded) and event.stream_id == slow for event in client.events)
        assert json.loads(client.answer(slow)[1])["n"] == "slow"


def test_flow_control_holds_the_answer_back(server):
    with Client(server.address, window=10) as client:
        client.until(h2.events.SettingsAcknowledged)
        stream = client.request("/Prod/x?big=1000")
        event = client.until(h2.events.DataReceived, stream)
        assert len(event.data) <= 10
        status, body = client.answer(stream)
        assert status == 200
        assert len(json.loads(body)["big"]) == 1000


def test_large_answer(server):
    with Client(server.address) as client:
        status, body = client.answer(client.request("/Prod/x?big=3000000"))
    assert status == 200
    assert len(json.loads(body)["big"]) == 3000000


def test_reset_by_the_client(server):
    with Client(server.address) as client:
        for _ in range(5):
            stream = client.request("/Prod/x?sleep=0.2")
            client.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            client.flush()
        status, body = client.answer(client.request("/Prod/x?n=after"))
    assert status == 200
    assert json.loads(body)["n"] == "after"


def test_body_over_the_limit(server):
    with Client(server.address) as client:
        stream = client.request("/Prod/x", "POST", [("content-length", "10485761")], end=False)
        status = dict(client.until(h2.events.ResponseReceived, stream).headers)[":status"]
        assert status == "413"
        assert client.answer(client.request("/Prod/x?n=1"))[0] == 200


def test_header_list_over_the_limit(server):
    with Client(server.address) as client:
        stream = client.request("/Prod/x", headers=[(f"x-{number}", "y" * 4000) for number in range(8)])
        assert client.answer(stream)[0] == 431
        assert client.answer(client.request("/Prod/x?n=1"))[0] == 200
    with Client(server.address) as client:
        with pytest.raises((EOFError, ConnectionError)):
            while True:
                client.answer(client.request("/Prod/x", headers=[(f"x-{n}", "y" * 4000) for n in range(200)]))
    assert server.get("/Prod/x").status == 200


@pytest.mark.parametrize("headers", [
    [("connection", "close")], [("transfer-encoding", "chunked")], [("te", "gzip")], [("content-length", "x")]])
def test_connection_headers_are_refused(server, headers):
    with Client(server.address) as client:
        client.h2.config.validate_outbound_headers = False
        client.h2.config.normalize_outbound_headers = False
        stream = client.request("/Prod/x", headers=headers)
        status, _ = client.answer(stream)
        assert status in (400, h2.errors.ErrorCodes.PROTOCOL_ERROR)


def test_bytes_that_are_no_http_2(server):
    with socket.create_connection(server.address, timeout=20) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 200)
        while connection.recv(65536):
            pass
    assert server.get("/Prod/x").status == 200


def until_closed(connection):
    """Reads until the server ends the connection; returns what came, so that a GOAWAY can be looked for."""
    data = b""
    try:
        while part := connection.recv(65536):
            data += part
    except ConnectionError:
        pass
    return data


def flood(address, frames, count):
    """Sends frames until the server has had enough; True if it ended the connection."""
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"") + frame(4, 1, 0, b""))
        ended = threading.Event()

        def drain():
            until_closed(connection)
            ended.set()
        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        try:
            for number in range(count):
                connection.sendall(frames(number))
                if ended.is_set():
                    break
        except OSError:
            pass
        wait_for(ended.is_set, "the server to end a flooding connection", 20)
        return True


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


# :method GET, :scheme http, :path /Prod/x, :authority h; literals without indexing.
HEADERS = b"\x82\x86\x04\x07/Prod/x\x01\x01h"


@pytest.mark.parametrize("name, frames", [
    ("rapid reset", lambda n: frame(1, 5, 2 * n + 1, HEADERS) + frame(3, 0, 2 * n + 1, (8).to_bytes(4, "big"))),
    ("continuation", lambda n: frame(1, 1, 1, HEADERS) if n == 0 else frame(9, 0, 1, b"\x00\x01a\x01b" * 20)),
    ("ping", lambda n: frame(6, 0, 0, b"12345678") * 20),
    ("settings", lambda n: frame(4, 0, 0, (3).to_bytes(2, "big") + (n % 100).to_bytes(4, "big")) * 20),
    ("empty data", lambda n: frame(1, 4, 1, b"\x83" + HEADERS[1:]) if n == 0 else frame(0, 0, 1, b"") * 20),
])
def test_floods_are_ended(server, name, frames):
    assert flood(server.address, frames, 200000)
    assert server.get("/Prod/x").status == 200


def test_goaway_on_stop_lets_streams_finish(serve, project):
    project.file("src/app.py", APP_PY)
    server = serve(project.template("""
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
    with Client(server.address) as client:
        client.answer(client.request("/Prod/x"))
        stream = client.request("/Prod/x?sleep=1&n=last")
        wait_for(lambda: server.metrics() is not None, "metrics")
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        client.until(h2.events.ConnectionTerminated)
        # The h2 package refuses to go on after a GOAWAY, so the rest is read as bytes.
        rest = until_closed(client.socket)
        got = b"".join(event.data for event in client.events
                       if isinstance(event, h2.events.DataReceived) and event.stream_id == stream)
        assert b'"n": "last"' in got + rest
        stopper.join()
