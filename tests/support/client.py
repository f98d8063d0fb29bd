"""Small HTTP clients that send exactly what they are told to."""

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field

TIMEOUT_S = 30


@dataclass
class Response:
    status: int
    headers: list  # (name, value) in the order and spelling of the wire
    body: bytes = b""
    trailers: list = field(default_factory=list)

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def spelling(self, name):
        """How the server spelt this header, or None."""
        return next((key for key, _ in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


def send(address, method, target, headers=(), body=None, host=None, context=None, timeout=TIMEOUT_S):
    """One request on a connection of its own; the target and the header spelling reach the wire unchanged."""
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    extra = {"context": context} if context else {}
    connection = kind(*address, timeout=timeout, **extra)
    if isinstance(body, str):
        body = body.encode()
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    names = {name.lower() for name, _ in pairs}
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if "host" not in names:
            connection.putheader("Host", host or f"{address[0]}:{address[1]}")
        for name, value in pairs:
            connection.putheader(name, value)
        if body is not None and "content-length" not in names and "transfer-encoding" not in names:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Response(answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


class Wire:
    """A TCP connection for bytes that no client library would send."""

    def __init__(self, address, context=None, timeout=TIMEOUT_S):
        self.socket = socket.create_connection(address, timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if context:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def fill(self):
        """Reads what there is; False at the end of the stream."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLEOFError):
            data = b""
        self.buffer += data
        return bool(data)

    def until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise EOFError(f"connection ended before {mark!r}; got {self.buffer!r}")
        head, self.buffer = self.buffer.split(mark, 1)
        return head

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise EOFError(f"connection ended before {count} bytes; got {self.buffer!r}")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def response(self, method="GET"):
        """The next response; interim (1xx) answers are returned like any other, without a body."""
        head = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, *_ = head[0].split(" ", 2)
        assert version == "HTTP/1.1", head[0]
        headers = []
        for line in head[1:]:
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))
        answer = Response(int(status), headers)
        if answer.status < 200 or answer.status in (204, 304) or method == "HEAD":
            return answer
        if (answer.header("transfer-encoding") or "").lower() == "chunked":
            while size := int(self.until(b"\r\n").split(b";")[0], 16):
                answer.body += self.exactly(size)
                assert self.exactly(2) == b"\r\n"
            while line := self.until(b"\r\n"):
                name, value = line.decode("latin-1").split(":", 1)
                answer.trailers.append((name, value.strip()))
        elif answer.header("content-length") is not None:
            answer.body = self.exactly(int(answer.header("content-length")))
        else:
            while self.fill():
                pass
            answer.body, self.buffer = self.buffer, b""
        return answer

    def at_end(self):
        """True when the server closes without another byte."""
        if self.buffer:
            return False
        return not self.fill()
