#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A server or proxy that tells everybody what it was told: echo.py --port-file FILE

Every request is refused, with its login (as sent and decoded), target and headers in the answer: in the body as Kudu's, Resource
Manager's or a blob service's error, a page or plain text, and in the reason phrase, Location and x-ms-error-code.
GET /_echo?status=500&form=json sets status and form (json, arm, blob, page, text, empty) of what follows."""
import argparse, base64, html, json, socket, threading, urllib.parse

how = {"status": 500, "form": "json"}


def decoded(value):
    try:
        return base64.b64decode(value.partition(" ")[2], validate=True).decode("latin-1")
    except ValueError:
        return ""


def body_of(words):
    form = how["form"]
    if form == "json":
        return "application/json", json.dumps({"Message": words, "ExceptionMessage": words})
    if form == "arm":
        return "application/json", json.dumps({"error": {"code": "Refused", "message": words}}, separators=(",", ":"))
    if form == "blob":
        return "application/xml", f'<?xml version="1.0"?><Error><Code>{words}</Code><Message>{html.escape(words)}</Message></Error>'
    if form == "page":
        return "text/html", f"<html><title>{words}</title><h1>{words}</h1></html>"
    return "text/plain", words if form == "text" else ""


def answer(head):
    line, *lines = head.split("\r\n")
    target = line.split(" ")[1]
    if target.startswith("/_echo"):
        how.update(urllib.parse.parse_qsl(target.partition("?")[2]))
        return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    fields = dict(one.split(": ", 1) for one in lines if ": " in one)
    login = next((value for name, value in fields.items() if name.lower().endswith("authorization")), "none")
    login = f"{login.partition(' ')[2]} {decoded(login)} {target.partition('?')[2]}".strip()
    kind, body = body_of(f"{login} {target} {' '.join(lines)}")
    where = "".join(c for c in login if c.isalnum())
    return (f"HTTP/1.1 {how['status']} {login}\r\nContent-Type: {kind}\r\nContent-Length: {len(body.encode('latin-1'))}\r\n"
            f"Location: https://{where}.example/{login}\r\nx-ms-error-code: {where[:60]}\r\nX-Squid-Error: ERR {login}\r\nConnection: close\r\n"
            f"Proxy-Authenticate: Basic realm=\"{login}\"\r\nWWW-Authenticate: Basic realm=\"{login}\"\r\n\r\n{body}")


def serve(sock):
    with sock:
        sock.settimeout(10)
        data = b""
        try:
            while b"\r\n\r\n" not in data:
                more = sock.recv(65536)
                if not more:
                    return
                data += more
            head, _, rest = data.partition(b"\r\n\r\n")
            text = head.decode("latin-1")
            left = next((int(one.split(":")[1]) for one in text.lower().split("\r\n") if one.startswith("content-length:")), 0) - len(rest)
            while left > 0 and (more := sock.recv(65536)):
                left -= len(more)
            sock.sendall(answer(text).encode("latin-1"))
        except OSError:
            pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0))
    with open(options.port_file, "w") as file:
        file.write(str(listener.getsockname()[1]))
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


main()
