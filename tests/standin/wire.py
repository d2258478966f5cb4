# SPDX-License-Identifier: MIT
"""HTTP/1.1 on a socket: reads requests, sends answers, and breaks them where the settings say."""

import socket
import ssl
import struct
import threading
import time
import urllib.parse

HEAD_MAX = 1 << 20
GARBAGE = b"\x00\xffSSH-2.0-OpenSSH_9.2\r\nthis is not HTTP\r\n\r\n\x01\x02\x03" * 40
REASONS = {200: "OK", 201: "Created", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
           404: "Not Found", 405: "Method Not Allowed", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
           503: "Service Unavailable", 504: "Gateway Timeout"}


class Closed(Exception):
    """The connection is over: by us (a fault) or by the peer."""


class Nap:
    """Sleeps that a reset ends early."""

    def __init__(self):
        self.event = threading.Event()

    def __call__(self, seconds):
        if seconds > 0 and self.event.wait(seconds):
            raise Closed("reset")

    def wake(self):
        old, self.event = self.event, threading.Event()
        old.set()


class Request:
    def __init__(self, line, fields, body):
        self.method, self.target, self.version = line
        self.fields, self.body = fields, body
        path, _, self.query_text = self.target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query = dict(urllib.parse.parse_qsl(self.query_text, keep_blank_values=True))

    def field(self, name):
        return next((v for k, v in self.fields if k.lower() == name), "")

    def cookie(self, name):
        for part in "; ".join(v for k, v in self.fields if k.lower() == "cookie").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return None

    def cookie_names(self):
        text = self.field("cookie")
        return [part.strip().partition("=")[0] for part in text.split(";") if part.strip()]


class Reply:
    """An answer: `body` are bytes, or `produce(write)` makes them as they go out (`length` None when not known)."""

    def __init__(self, status, body=b"", kind="application/json; charset=utf-8", fields=(), reason=None, produce=None, length=None, framing=None):
        self.status, self.reason, self.kind, self.fields = status, reason or REASONS.get(status, "Status"), kind, list(fields)
        self.body, self.produce = body, produce
        self.length = len(body) if produce is None else length
        self.framing = framing
        self.partial = lambda data: None             # the part of a piece that still went out when it broke
        self.done = lambda complete, sent: None      # called once, whatever happened


class Fault:
    """One planned fault of one answer."""

    def __init__(self, s):
        self.kind, self.where, self.at, self.chunk = s.fault, s.fault_where, s.fault_at, s.fault_chunk
        self.seconds, self.gap, self.count = s.fault_s, s.fault_ms / 1000, s.fault_bytes
        self.over = False


class Wire:
    def __init__(self, sock, settings, nap):
        self.sock, self.settings, self.nap = sock, settings, nap
        self.tls = isinstance(sock, ssl.SSLSocket)
        self.buffer = bytearray()
        self.fault = None
        self.hit = False                # a fault happened in the answer at hand
        self.position = 0               # bytes of the head or body sent so far
        self.part = "head"
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # ---- reading

    def _fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise Closed("peer closed")
        self.buffer += data

    def read_request(self):
        """The next request; Closed when the peer went or kept still for too long."""
        self.sock.settimeout(self.settings.keepalive_s or None)
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > HEAD_MAX:
                raise Closed("head too large")
            self._fill()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        self.buffer = bytearray(rest)
        lines = head.decode("latin-1").split("\r\n")
        line = lines[0].split(" ")
        if len(line) != 3:
            raise Closed("bad request line")
        fields = [(k, v.strip()) for k, _, v in (text.partition(":") for text in lines[1:])]
        request = Request(line, fields, b"")
        request.body = self._read_body(request)
        self.sock.settimeout(None)
        return request

    def _read_body(self, request):
        size = int(request.field("content-length") or 0)
        if size and request.field("expect").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self.buffer) < size:
            self._fill()
        body = bytes(self.buffer[:size])
        del self.buffer[:size]
        return body

    # ---- sending

    def send(self, request, reply, fault, plain=False):
        """Sends it; False when the connection must close now. `plain`: none of the settings, for control pages."""
        s = self.settings
        self.fault, self.hit = fault, False
        http10 = s.http10 and not plain
        framing = reply.framing or ("length" if plain else s.json_framing)
        if reply.length is None and framing == "length":
            framing = "chunked"
        if http10 and framing == "chunked":
            framing = "close"
        close = framing == "close" or (not plain and (s.close or http10)) or request.field("connection").lower() == "close"
        if fault and fault.kind in ("garbage", "silent"):
            self._instead(fault)
        if not plain:
            self._send_interim()
        self._start("head")
        self._push(self._head(reply, framing, close, http10, plain))
        self._edge_at_end()
        if request.method == "HEAD" or reply.status in (204, 304):
            reply.done(True, 0)
            return not close
        self._start("body", reply.length)
        self._send_body(reply, framing)
        return not (close or (s.early_close and not plain))

    def _head(self, reply, framing, close, http10, plain):
        s = self.settings
        fields = list(reply.fields)
        if reply.kind:
            fields.insert(0, ("Content-Type", reply.kind))
        if framing == "length":
            fields.append(("Content-Length", str(reply.length)))
        elif framing == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
            if s.trailers:
                fields.append(("Trailer", "X-Checked"))
        if close:
            fields.append(("Connection", "close"))
        if not plain:
            if s.fold:
                fields.append(("X-Folded", "first\r\n second"))
            fields += [(f"X-Pad-{n}", "p" * min(500, s.head_pad - 500 * n)) for n in range((s.head_pad + 499) // 500)]
            if s.lowercase:
                fields = [(k.lower(), v) for k, v in fields]
        line = f"HTTP/1.{0 if http10 else 1} {reply.status} {reply.reason}\r\n"
        return (line + "".join(f"{k}: {v}\r\n" for k, v in fields) + "\r\n").encode("utf-8", "replace")

    def _send_interim(self):
        hundred, early = b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\nContent-Length: 5\r\n\r\n"
        for data in {"100": [hundred], "103": [early], "both": [hundred, early], "many": [hundred, early] * 10}.get(self.settings.interim, []):
            self.sock.sendall(data)

    def _instead(self, fault):
        """No answer at all."""
        self.hit = True
        if fault.kind == "garbage":
            self.sock.sendall(GARBAGE)
        else:
            self.nap(fault.seconds)
        raise Closed(fault.kind)

    def _send_body(self, reply, framing):
        sent, complete = 0, False

        def write(data):
            nonlocal sent
            self.payload = 0            # of this write, when it breaks in the middle
            try:
                self._write_chunks(data) if framing == "chunked" else self._count(data)
            finally:
                sent += self.payload
                if self.payload < len(data) and reply.produce:
                    reply.partial(data[:self.payload])
        try:
            self.chunk = 0
            if reply.produce:
                reply.produce(write)
            elif reply.body:
                write(memoryview(reply.body))
            if framing == "chunked":
                self._edge("last")
                self._push(b"0\r\n")
                self._edge("trailer")
                self._push(b"X-Checked: yes\r\nX-Other: 1\r\n\r\n" if self.settings.trailers else b"\r\n")
            self._edge_at_end()
            complete = True
        finally:
            reply.done(complete or (framing == "length" and sent == reply.length), sent)

    def _count(self, data):
        """Body bytes: out, and added to self.payload as far as they went."""
        before = self.position
        try:
            self._push(data)
        finally:
            self.payload += self.position - before

    def _write_chunks(self, data):
        size = max(1, self.settings.chunk_bytes)
        quick = self.fault is None and not self.settings.rate
        for at in range(0, len(data), size):
            piece = data[at:at + size]
            extension = ';name="va\\"lue;x";flag' if self.settings.chunk_ext else ""
            line = f"{len(piece):x}{extension}\r\n".encode()
            self.chunk += 1
            if quick:
                self._push(b"".join((line, piece, b"\r\n")))
                self.payload += len(piece)
                continue
            self._edge("size")
            self._push(line)
            self._edge("data")
            self._count(piece)
            self._edge("crlf")
            self._push(b"\r\n")
            self._edge("next")

    # ---- where faults happen

    def _start(self, part, total=None):
        self.part, self.position, self.total = part, 0, total

    def _edge(self, name):
        f = self.fault
        if f and not f.over and f.where == name and (self.chunk == f.chunk or name in ("last", "trailer")):
            self._act(f, b"")

    def _edge_at_end(self):
        """A fault planned exactly behind the last byte."""
        f = self.fault
        if f and not f.over and f.where == self.part and f.at == self.position and f.kind != "slow":
            self._act(f, b"")

    def _push(self, data):
        f = self.fault
        if f is not None and not f.over and f.where == self.part:
            at = self._resolve(f, len(data))
            if self.position <= at < self.position + len(data):
                cut = at - self.position
                self._out(data[:cut])
                data = self._act(f, data[cut:])
        elif f is not None and f.over and f.where == self.part and f.kind == "slow":
            data = self._slow(f, data)
        self._out(data)

    def _resolve(self, f, count):
        if f.at >= 0:
            return f.at
        return (self.total if self.total is not None else self.position + count) + f.at

    def _act(self, f, rest):
        """Does what was planned; the bytes that are still to be sent normally."""
        f.over = self.hit = True
        if f.kind == "stall":
            self.nap(f.seconds)
            return rest
        if f.kind == "slow":
            f.left = f.count or 1 << 62
            return self._slow(f, rest)
        if f.kind == "rst":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
        raise Closed(f.kind)

    def _slow(self, f, data):
        many = min(f.left, len(data))
        for n in range(many):
            self._out(data[n:n + 1])
            self.nap(f.gap)
        f.left -= many
        return data[many:]

    def _out(self, data):
        if not len(data):
            return
        if self.part == "body" and self.settings.rate:
            return self._out_at_rate(data)
        self.sock.sendall(data)
        self.position += len(data)

    def _out_at_rate(self, data):
        step = max(1, self.settings.rate // 50)
        for at in range(0, len(data), step):
            piece = data[at:at + step]
            began = time.monotonic()
            self.sock.sendall(piece)
            self.position += len(piece)
            self.nap(len(piece) / self.settings.rate - (time.monotonic() - began))

    # ---- the end

    def close(self):
        try:
            if self.tls and self.settings.notify and self.sock.fileno() >= 0:
                self.sock.settimeout(0)
                try:
                    self.sock.unwrap()          # sends close_notify; the peer's is not waited for
                except (OSError, ValueError):
                    pass
            elif self.sock.fileno() >= 0:
                self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.sock.close()
