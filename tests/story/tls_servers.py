# SPDX-License-Identifier: MIT
"""Servers for tls_matrix, all in one process, each on a free port: good ones, badly set up ones, and ones that break
the protocol. Reads lines "NAME KIND key=value …" from a file and writes "NAME PORT" lines to another when all listen.

KIND tls:   chain=FILE key=FILE [max=1.1|1.2] [min=1.3] [suites=LIST] [client=needed|asked] [bytes=N] [piece=N] [end=bare|early]
KIND relay: to=NAME alter=key_exchange|finished|suite|data|cut|empty|long|old|drip|slow|stopN     one record of that server is changed
KIND raw:   say=http|ssh|close|silent|reset|noise|alertN
"""
import os
import socket
import ssl
import struct
import sys
import threading
import time

HANDSHAKE, DATA, CHANGE_CIPHER = 22, 23, 20
SERVER_HELLO, CERTIFICATE, KEY_EXCHANGE = 2, 11, 12
VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def tls_context(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # weak certificates and old versions must be servable, so that it is the client that refuses them
    context.set_ciphers(options.get("suites", "ALL") + ":@SECLEVEL=0")
    context.minimum_version = VERSIONS[options["min"]] if "min" in options else ssl.TLSVersion.TLSv1
    if "max" in options:
        context.maximum_version = VERSIONS[options["max"]]
    context.load_cert_chain(options["chain"], options["key"])
    if "client" in options:
        context.load_verify_locations(options["chain"])
        context.verify_mode = ssl.CERT_REQUIRED if options["client"] == "needed" else ssl.CERT_OPTIONAL
    return context


def answer(stream, options):
    body = bytes(i * 7 % 251 for i in range(1000)) * (int(options.get("bytes", "1000")) // 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    whole, piece = head + body, int(options.get("piece", "65536"))
    for place in range(0, len(whole), piece):
        stream.sendall(whole[place:place + piece])


def swallow(stream, limit):
    """What is left of a request, so that closing does not reset."""
    stream.settimeout(1)
    try:
        while limit > 0 and (got := stream.recv(65536)):
            limit -= len(got)
    except OSError:
        pass


def serve_tls(connection, options, context, ports):
    del ports
    stream = context.wrap_socket(connection, server_side=True)
    request = b""
    while b"\r\n\r\n" not in request:
        got = stream.recv(65536)
        if not got:
            break
        request += got
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    if options.get("end") == "early":
        answer(stream, options)
        time.sleep(0.3)
    swallow(stream, length - len(body))
    if options.get("end") != "early":
        answer(stream, options)
    if options.get("end") == "bare":
        connection = socket.socket(fileno=stream.detach())
        connection.shutdown(socket.SHUT_WR)
        connection.close()
        return
    stream = stream.unwrap()
    stream.close()


def read_exactly(connection, count):
    got = b""
    while len(got) < count:
        piece = connection.recv(count - len(got))
        if not piece:
            raise ConnectionError
        got += piece
    return got


def pump(source, target):
    try:
        while got := source.recv(65536):
            target.sendall(got)
    except OSError:
        pass


def altered(kind, body, how, secret):
    """The record's body as the client will get it; None: unchanged."""
    if how == "key_exchange" and kind == HANDSHAKE and not secret and body[0] == KEY_EXCHANGE:
        return body[:-1] + bytes([body[-1] ^ 1])
    if how == "finished" and kind == HANDSHAKE and secret:
        return body[:-1] + bytes([body[-1] ^ 1])
    if how == "data" and kind == DATA:
        return body[:20] + bytes([body[20] ^ 1]) + body[21:]
    if how == "suite" and kind == HANDSHAKE and not secret and body[0] == SERVER_HELLO:
        place = 39 + body[38]
        return body[:place] + b"\x00\x2f" + body[place + 2:]
    if how == "old" and kind == HANDSHAKE and body[0] == SERVER_HELLO:
        return body[:4] + b"\x03\x02" + body[6:]
    if how == "empty" and kind == HANDSHAKE and not secret and body[0] == CERTIFICATE:
        return bytes([CERTIFICATE, 0, 0, 3, 0, 0, 0])
    return None


def serve_relay(connection, options, context, ports):
    del context
    server = socket.create_connection(("127.0.0.1", ports[options["to"]]))
    threading.Thread(target=pump, args=(connection, server), daemon=True).start()
    secret, done, how = False, False, options["alter"]
    left = int(how[4:]) if how.startswith("stop") else None
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            head = read_exactly(server, 5)
            kind, version, length = struct.unpack(">BHH", head)
            body = read_exactly(server, length)
            changed = None if done else altered(kind, body, how, secret)
            if how == "long" and not done:
                connection.sendall(struct.pack(">BHH", kind, version, 40000) + body)
                time.sleep(0.2)
                return
            if how == "cut" and kind == HANDSHAKE and body[0] == CERTIFICATE:
                connection.sendall(head + body[:len(body) // 2])
                return
            if changed is not None:
                body, done = changed, True
            if how == "old":
                version = 0x0302
            record = struct.pack(">BHH", kind, version, len(body)) + body
            if left is not None:
                record, left = record[:left], left - len(record[:left])
            for place in range(len(record) if how in ("drip", "slow") else 0):
                connection.sendall(record[place:place + 1])
                time.sleep(0.02 if how == "slow" else 0)
            if how not in ("drip", "slow"):
                connection.sendall(record)
            if left == 0:
                return
            secret = secret or kind == CHANGE_CIPHER
    finally:
        # the pump still holds both sockets: closing alone would send nothing
        for end in (connection, server):
            end.shutdown(socket.SHUT_RDWR)
        server.close()


def serve_raw(connection, options, context, ports):
    del context, ports
    say = options["say"]
    if say == "ssh":
        connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    if say == "reset":
        connection.recv(10)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    if say == "close":
        connection.recv(4096)
        return
    connection.recv(4096)
    if say == "http":
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    elif say == "noise":
        connection.sendall(bytes(range(128, 228)))
    elif say.startswith("alert"):
        connection.sendall(bytes([21, 3, 3, 0, 2, 2, int(say[5:])]))
    elif say == "silent":
        time.sleep(10)
    connection.shutdown(socket.SHUT_WR)
    swallow(connection, 65536)


KINDS = {"tls": serve_tls, "relay": serve_relay, "raw": serve_raw}


def one(serve, connection, options, context, ports):
    try:
        with connection:
            connection.settimeout(10)
            serve(connection, options, context, ports)
    except (OSError, ssl.SSLError, ConnectionError):
        pass


def listen(listener, serve, options, context, ports):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=one, args=(serve, connection, options, context, ports), daemon=True).start()


def main(plan, port_file):
    ports = {}
    for line in open(plan, encoding="ascii"):
        name, kind, *pairs = line.split()
        options = dict(pair.split("=", 1) for pair in pairs)
        context = tls_context(options) if kind == "tls" else None
        listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        ports[name] = listener.getsockname()[1]
        threading.Thread(target=listen, args=(listener, KINDS[kind], options, context, ports), daemon=True).start()
    with open(port_file + ".new", "w", encoding="ascii") as out:
        out.writelines(f"{name} {port}\n" for name, port in ports.items())
    os.rename(port_file + ".new", port_file)
    threading.Event().wait()


main(sys.argv[1], sys.argv[2])
