'use strict';
// The Runtime API over one raw, persistent connection: an inherited socket, or TCP.
// Speaks just enough HTTP/1.1 for the one server it talks to.

const fs = require('fs');
const net = require('net');

const API = '/2018-06-01/runtime/';
const NEXT = `GET ${API}invocation/next HTTP/1.1\r\nHost: runtime\r\n\r\n`;
const READ_SIZE = 64 * 1024;
const HEAD_MAX = 2 * 1024 * 1024; // client context and X-Ray headers may reach 1 MiB
const HEADER_VALUE = /^[\x20-\x7e]+$/;
const TAKEN = "the function closed the runtime's connection";

class Connection {
  // onEvent(headers, body) is called for every answer to GET next; onLost(reason) once, when
  // there is nothing left to talk to: reason is empty if the platform closed the connection.
  constructor(onEvent, onLost) {
    this.onEvent = onEvent;
    this.onLost = onLost;
    this.expected = []; // what the coming answers answer: an onAck function, or null for GET next
    this.chunks = [];
    this.size = 0;
    this.needed = 0; // nothing can be parsed before this many bytes are here
    this.lastAck = null;
    this.identity = null;

    const onread = {
      buffer: Buffer.allocUnsafeSlow(READ_SIZE),
      callback: (count, buffer) => {
        this.onBytes(buffer.subarray(0, count));
        return true;
      },
    };
    const inherited = process.env.HEADGATE_RUNTIME_FD;
    delete process.env.HEADGATE_RUNTIME_FD;
    if (inherited !== undefined) {
      this.socket = new net.Socket({ fd: Number(inherited), readable: true, writable: true, onread });
      this.remember(Number(inherited));
    } else {
      const address = process.env.AWS_LAMBDA_RUNTIME_API || '';
      const colon = address.lastIndexOf(':');
      this.socket = net.connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), onread });
      this.socket.setNoDelay(true);
      this.socket.once('connect', () => this.remember(this.socket._handle.fd));
    }
    this.socket.on('error', (error) => this.onLost(this.isTaken() ? TAKEN : error.message));
    this.socket.on('close', () => this.onLost(this.isTaken() ? TAKEN : ''));
  }

  remember(fd) {
    const { ino, dev } = fs.fstatSync(fd);
    this.identity = { fd, ino, dev };
  }

  // The function may have closed this descriptor and got its number again for a file of its own.
  isTaken() {
    if (this.identity === null) return false;
    try {
      const { ino, dev } = fs.fstatSync(this.identity.fd);
      return ino !== this.identity.ino || dev !== this.identity.dev;
    } catch {
      return !this.socket.destroyed;
    }
  }

  next() {
    this.expected.push(null);
    this.socket.write(NEXT);
  }

  // Posts body; with onAck null, the following GET next goes out in the same write.
  post(path, body, errorType, onAck) {
    if (this.isTaken()) {
      this.onLost(TAKEN);
      return;
    }
    const extra =
      errorType !== undefined && HEADER_VALUE.test(errorType)
        ? `Lambda-Runtime-Function-Error-Type: ${errorType}\r\n`
        : '';
    const request =
      `POST ${API}${path} HTTP/1.1\r\nHost: runtime\r\nContent-Type: application/json\r\n${extra}` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    if (onAck !== null) {
      this.expected.push(onAck);
      this.socket.write(request);
    } else {
      this.expected.push(this.onAck, null);
      this.socket.write(request + NEXT);
    }
  }

  onAck(status, body) {
    // 413: the caller has been told that the result is too large, and this environment lives on.
    if (status !== 202 && status !== 413) {
      this.onLost(`the platform refused a result with status ${status}: ${body}`);
    }
  }

  onBytes(bytes) {
    let data = bytes;
    if (this.size > 0) {
      this.chunks.push(Buffer.from(bytes));
      this.size += bytes.length;
      if (this.size < this.needed) return;
      data = Buffer.concat(this.chunks, this.size);
      this.chunks = [];
      this.size = 0;
    }
    while (data.length > 0) {
      const used = this.take(data);
      if (used === 0) {
        this.chunks = [Buffer.from(data)]; // the read buffer is used again
        this.size = data.length;
        return;
      }
      data = data.subarray(used);
    }
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
      this.onEvent(headers, body);
    } else {
      this.onLost(`GET invocation/next was answered with ${status}: ${body}`);
    }
  }
}

module.exports = { Connection };
