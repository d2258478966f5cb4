#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy that does to CONNECT what the others will not: connect_proxy.py --port-file FILE --log FILE [MODE]…

    ntlm            wants NTLM or Negotiate, as Windows proxies do
    tls             answers with a TLS alert, as a port that wants TLS itself
    silent          takes the question and says nothing
    drip            its answer comes a byte each 2 ms, after an interim one
    idle=S          a tunnel ends when the origin says nothing for S seconds
    cut=N           each tunnel ends after N bytes from the client, in the middle of whatever it is
Every name leads to 127.0.0.1. One line a CONNECT goes to the log: target, and the login as sent.
"""
import argparse, socket, threading, time

ALERT = bytes([0x15, 3, 3, 0, 2, 2, 70])
NTLM = (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n"
        b"Content-Type: text/html\r\nContent-Length: 5000\r\n\r\n" + b"<title>Sign in</title>".ljust(5000))


def pump(source, target, limit):
    sent = 0
    try:
        while limit is None or sent < limit:
            data = source.recv(65536 if limit is None else min(65536, limit - sent))
            if not data:
                break
            target.sendall(data)
            sent += len(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(sock, options):
    head = b""
    while b"\r\n\r\n" not in head:
        more = sock.recv(1)
        if not more:
            return
        head += more
    lines = head.decode("latin-1").split("\r\n")
    method, target = lines[0].split(" ")[:2]
    login = next((line for line in lines if line.lower().startswith("proxy-authorization:")), "-")
    with open(options.log, "a") as log:
        log.write(f"{method} {target} {login}\n")
    if "ntlm" in options.mode:
        sock.sendall(NTLM)
        return
    if "tls" in options.mode:
        sock.sendall(ALERT)
        return
    if "silent" in options.mode:
        sock.recv(1)
        return
    origin = socket.create_connection(("127.0.0.1", int(target.rsplit(":", 1)[1])))
    answer = b"HTTP/1.0 200 Connection established\r\n\r\n"
    if "drip" in options.mode:
        for byte in b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer:
            sock.sendall(bytes([byte]))
            time.sleep(0.002)
    else:
        sock.sendall(answer)
    limit = next((int(mode[4:]) for mode in options.mode if mode.startswith("cut=")), None)
    origin.settimeout(next((float(mode[5:]) for mode in options.mode if mode.startswith("idle=")), None))
    back = threading.Thread(target=pump, args=(origin, sock, None), daemon=True)
    back.start()
    pump(sock, origin, limit)
    back.join()
    origin.close()


def connection(sock, options):
    with sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            serve(sock, options)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("mode", nargs="*")
    options = parser.parse_args()
    open(options.log, "w").close()
    listener = socket.create_server(("127.0.0.1", 0))
    with open(options.port_file, "w") as file:
        file.write(str(listener.getsockname()[1]))
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=connection, args=(sock, options), daemon=True).start()


main()
