'use strict';
// The Runtime API over one raw, persistent connection: an inherited socket, or TCP.
// Speaks just enough HTTP/1.1 for the one server it talks to.

const fs = require('fs');

const API = '/2018-06-01/runtime/';
const NEXT = `GET ${API}invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n`;
const READ_SIZE = 64 * 1024;
const HEAD_MAX = 2 * 1024 * 1024; // client context and X-Ray headers may reach 1 MiB
const HEADER_VALUE = /^[\x20-\x7e]+$/;
const GONE = new Set(['ECONNRESET', 'EPIPE']); // the platform closed the connection

// An inherited blocking socket. Waiting for the next event blocks the whole process, as the
// service freezes it then; it costs one system call instead of a turn of the event loop.
// Node.js marks descriptors below 16 close-on-exec when it starts, so children do not see it.
class BlockingTransport {
  constructor(fd) {
    this.fd = fd;
    this.buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  }

  write(text) {
    const size = fs.writeSync(this.fd, text);
    const total = Buffer.byteLength(text);
    if (size === total) return;
    const rest = Buffer.from(text);
    for (let at = size; at < total; ) at += fs.writeSync(this.fd, rest, at);
  }

  // Hands over what arrives until onBytes says that nothing more is expected.
  wait(onBytes) {
    for (;;) {
      const count = fs.readSync(this.fd, this.buffer, 0, READ_SIZE, null);
      if (onBytes(count === 0 ? null : this.buffer.subarray(0, count))) return;
    }
  }
}

// TCP, or an inherited socket that does not block: read by the event loop.
class StreamTransport {
  constructor(target, onRead, onClosed) {
    const net = require('net');
    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_SIZE),
      callback: (count, buffer) => {
        if (this.onBytes(buffer.subarray(0, count))) this.socket.unref();
        onRead();
        return true;
      },
    };
    this.socket = target.fd !== undefined ? new net.Socket({ ...target, onread }) : net.connect({ ...target, onread });
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => onClosed(error));
    this.socket.on('close', () => onClosed(null));
    this.socket.unref(); // see bootstrap.cjs: the loop is kept alive only while an answer is due
  }

  get fd() {
    const handle = this.socket._handle;
    return handle && handle.fd >= 0 ? handle.fd : undefined;
  }

  write(text) {
    this.socket.write(text);
  }

  wait(onBytes) {
    this.onBytes = onBytes;
    this.socket.ref();
  }
}

class Connection {
  // onEvent(headers, body) is called for every answer to GET next; onLost(reason) when there is
  // nothing left to talk to: reason is empty if it was the platform that closed the connection.
  constructor(onEvent, onLost) {
    this.onEvent = onEvent;
    this.onLost = onLost;
    this.expected = []; // what the coming answers answer: an onAck function, or null for GET next
    this.chunks = [];
    this.size = 0;
    this.needed = 0; // nothing can be parsed before this many bytes are here
    this.lastAck = null;
    this.identity = null;
    this.event = null; // received, not yet handed over
    this.deliverBytes = (bytes) => this.onBytes(bytes);

    const inherited = process.env.HEADGATE_RUNTIME_FD;
    delete process.env.HEADGATE_RUNTIME_FD;
    if (inherited !== undefined) {
      this.transport = new BlockingTransport(Number(inherited));
    } else {
      const address = process.env.AWS_LAMBDA_RUNTIME_API || '';
      const colon = address.lastIndexOf(':');
      this.useStream({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) });
    }
    this.isTaken();
  }

  useStream(target) {
    this.transport = new StreamTransport(
      target,
      () => this.handOver(),
      (error) => this.onFailed(error)
    );
  }

  // The function may have closed this descriptor and got its number again for a file of its own.
  isTaken() {
    const fd = this.transport.fd;
    if (fd === undefined) return false; // not connected yet
    try {
      const { ino, dev } = fs.fstatSync(fd);
      if (this.identity === null) this.identity = { ino, dev };
      return ino !== this.identity.ino || dev !== this.identity.dev;
    } catch {
      return true;
    }
  }

  onFailed(error) {
    if (this.isTaken()) this.onLost("the function closed the runtime's connection");
    else this.onLost(error === null || GONE.has(error.code) ? '' : error.message);
  }

  next() {
    this.expected.push(null);
    this.exchange(NEXT);
  }

  // Posts body; with onAck null, the following GET next goes out in the same write.
  post(path, body, errorType, onAck) {
    const extra =
      errorType !== undefined && HEADER_VALUE.test(errorType)
        ? `Lambda-Runtime-Function-Error-Type: ${errorType}\r\n`
        : '';
    const request =
      `POST ${API}${path} HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\n${extra}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    if (onAck !== null) {
      this.expected.push(onAck);
      this.exchange(request);
    } else {
      this.expected.push(this.onAck, null);
      this.exchange(request + NEXT);
    }
  }

  exchange(text) {
    if (this.isTaken()) {
      this.onFailed(null);
      return;
    }
    try {
      this.transport.write(text);
      this.transport.wait(this.deliverBytes);
    } catch (error) {
      if (error.code === 'EAGAIN') {
        this.useStream({ fd: this.transport.fd, readable: true, writable: true });
        this.transport.wait(this.deliverBytes);
      } else {
        this.onFailed(error);
      }
    }
    this.handOver();
  }

  onAck(status, body) {
    // 413: the caller has been told that the result is too large, and this environment lives on.
    if (status !== 202 && status !== 413) {
      this.onLost(`the platform refused a result with status ${status}: ${body}`);
    }
  }

  // Returns true when every answer that is due has come.
  onBytes(bytes) {
    if (bytes === null) {
      this.onFailed(null);
      return true;
    }
    let data = bytes;
    if (this.size > 0) {
      this.chunks.push(Buffer.from(bytes));
      this.size += bytes.length;
      if (this.size < this.needed) return false;
      data = Buffer.concat(this.chunks, this.size);
      this.chunks = [];
      this.size = 0;
    }
    while (data.length > 0) {
      const used = this.take(data);
      if (used === 0) {
        this.chunks = [Buffer.from(data)]; // the read buffer is used again
        this.size = data.length;
        return false;
      }
      data = data.subarray(used);
    }
    return this.expected.length === 0;
  }

  // Outside of any reading, so that what the handler throws is not taken for a lost connection.
  handOver() {
    const event = this.event;
    this.event = null;
    if (event !== null) this.onEvent(event.headers, event.body);
  }

  // Takes one answer from the front of data; returns its length, or 0 if it is not complete.
  take(data) {
    const ack = this.lastAck;
    if (this.expected[0] === this.onAck && ack !== null && data.length >= ack.length) {
      if (ack.compare(data, 0, ack.length) === 0) {
        this.expected.shift();
        return ack.length;
      }
    }
    const end = data.indexOf('\r\n\r\n');
    if (end < 0) {
      if (data.length > HEAD_MAX) this.onLost('the head of a Runtime API answer is too long');
      this.needed = 0;
      return 0;
    }
    const lines = data.toString('utf8', 0, end).split('\r\n');
    const status = Number(lines[0].slice(9, 12));
    const headers = {};
    for (let i = 1; i < lines.length; i++) {
      const colon = lines[i].indexOf(':');
      headers[lines[i].slice(0, colon).toLowerCase()] = lines[i].slice(colon + 1).trim();
    }
    const stop = end + 4 + Number(headers['content-length']);
    if (!(status >= 200 && stop >= end + 4) || this.expected.length === 0) {
      this.onLost(`malformed Runtime API answer: ${lines[0]}`);
      return data.length;
    }
    if (data.length < stop) {
      this.needed = stop;
      return 0;
    }
    this.deliver(status, headers, data, end + 4, stop);
    return stop;
  }

  deliver(status, headers, data, start, stop) {
    const onAck = this.expected.shift();
    const body = data.toString('utf8', start, stop);
    if (onAck !== null) {
      if (status === 202) this.lastAck = Buffer.from(data.subarray(0, stop));
      onAck.call(this, status, body);
    } else if (status === 200) {
      this.event = { headers, body };
    } else {
      this.onLost(`GET invocation/next was answered with ${status}: ${body}`);
    }
  }
}

module.exports = { Connection };
