"""The Runtime API over one raw, persistent connection: an inherited socket, or TCP.

Speaks just enough HTTP/1.1 for the one server it talks to. It imports nothing that
a bare interpreter has not loaded already, because every import delays a cold start.
"""

import os

READ_SIZE = 65536
HEAD_MAX = 2 * 1024 * 1024  # client context and X-Ray headers may reach 1 MiB
JOIN_MAX = 65536  # above this, writev spares a copy of the body
API = b"/2018-06-01/runtime/"
NEXT = b"GET " + API + b"invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n"


class ConnectionTaken(Exception):
    """The function closed the connection, or put something else in its place."""


class PlatformGone(Exception):
    """The other end has closed: there will be no more events."""


class ProtocolError(Exception):
    """The platform answered something this client cannot continue from."""


def connect():
    """Opens the connection; afterwards the environment does not mention an inherited socket."""
    inherited = os.environ.pop("HEADGATE_RUNTIME_FD", None)
    if inherited is not None:
        fd = int(inherited)
        os.set_inheritable(fd, False)
        os.set_blocking(fd, True)
        return Connection(fd)

    import _socket

    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    sock.connect((host or "127.0.0.1", int(port)))
    sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
    fd = sock.detach()
    os.set_inheritable(fd, False)
    return Connection(fd)


class Connection:
    __slots__ = ("_fd", "_identity", "_owner", "_pending", "_last_ack")

    def __init__(self, fd):
        status = os.fstat(fd)
        self._fd = fd
        self._identity = (status.st_ino, status.st_dev)
        self._owner = os.getpid()
        self._pending = b""
        self._last_ack = None

    def _check_ownership(self):
        # A forked child that falls back into this loop must not answer for its parent.
        if os.getpid() != self._owner:
            os._exit(0)
        # The handler may have closed this descriptor and got its number again for a file of its own.
        try:
            status = os.fstat(self._fd)
        except OSError:
            raise ConnectionTaken("the function closed the runtime's connection") from None
        if (status.st_ino, status.st_dev) != self._identity:
            raise ConnectionTaken("the function closed the runtime's connection")

    def send(self, *parts):
        """Writes the parts in one system call whenever the kernel takes them all."""
        self._check_ownership()
        try:
            total = 0
            for part in parts:
                total += len(part)
            if total <= JOIN_MAX:
                parts = (b"".join(parts),)
                sent = os.write(self._fd, parts[0])
            else:
                sent = os.writev(self._fd, parts)
            if sent != total:
                rest = memoryview(b"".join(parts))[sent:]
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
        except OSError as e:
            raise PlatformGone(str(e)) from None

    def _read(self):
        try:
            data = os.read(self._fd, READ_SIZE)
        except OSError as e:
            raise PlatformGone(str(e)) from None
        if not data:
            raise PlatformGone("the platform closed the connection")
        return data

    def receive_ack(self):
        """Reads the answer to a POST and returns its status."""
        data = self._pending or self._read()
        ack = self._last_ack
        if ack is not None and data.startswith(ack):
            self._pending = data[len(ack) :]
            return 202
        self._pending = data
        status, _, _, raw = self._receive()
        if status == 202:
            self._last_ack = raw
        return status

    def receive_event(self):
        """Reads the answer to GET next: its headers by lower-case name, and its body."""
        status, headers, body, _ = self._receive()
        if status != 200:
            raise ProtocolError("GET invocation/next was answered with %d: %r" % (status, body[:200]))
        return headers, body

    def _receive(self):
        data = self._pending or self._read()
        end = data.find(b"\r\n\r\n")
        while end < 0:
            if len(data) > HEAD_MAX:
                raise ProtocolError("the head of a Runtime API answer is over %d bytes" % HEAD_MAX)
            data += self._read()
            end = data.find(b"\r\n\r\n")
        headers = {}
        try:
            lines = data[:end].decode("utf-8", "replace").split("\r\n")
            status = int(lines[0][9:12])
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            start = end + 4
            stop = start + int(headers["content-length"])
        except (ValueError, KeyError):
            raise ProtocolError("malformed Runtime API answer: %r" % data[: end + 4][:200]) from None
        missing = stop - len(data)
        if missing > 0:
            chunks = [data]
            while missing > 0:
                chunk = self._read()
                chunks.append(chunk)
                missing -= len(chunk)
            data = b"".join(chunks)
        raw = data[:stop]
        self._pending = data[stop:]
        return status, headers, raw[start:], raw


def post(path, body, content_type, error_type=None):
    """The parts of a POST, ready for Connection.send."""
    extra = b""
    if error_type is not None and error_type.isascii() and error_type.isprintable():
        extra = b"Lambda-Runtime-Function-Error-Type: %b\r\n" % error_type.encode("ascii")
    head = b"POST %b%b HTTP/1.1\r\nHost: runtime\r\nContent-Type: %b\r\n%bContent-Length: %d\r\n\r\n" % (
        API,
        path,
        content_type,
        extra,
        len(body),
    )
    return head, body
