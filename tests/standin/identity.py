#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Those who give tokens and secrets, for tests: the managed identity endpoint of a VM and of an app, Entra, a Key Vault.

    identity.py --port 0 --port-file FILE [--tls CERT KEY] [--set key=value]…

Each request must be right to the letter: method, headers, parameters, form. What is not is answered as the real one would
answer and counted in /_standin/log as "wrong". Tokens are JWTs with a made-up signature.

    /_standin/set?key=value&…   changes settings      /_standin/log   one JSON object a request      /_standin/reset"""
import argparse
import base64
import json
import os
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEFAULTS = {
    "tenant": "11111111-2222-3333-4444-555555555555",
    "client_id": "99999999-8888-7777-6666-555555555555",
    "secret": "canary-client-secret~&=+% x",
    "assertion": "canary.assertion-1",      # the federated token that is right
    "header": "canary-identity-header",
    "assigned": "99999999-8888-7777-6666-555555555555",   # the user-assigned identity; the machine's own exists too
    "own": "1",                             # 0: the machine has none of its own
    "lifetime": "3600",                     # of tokens, seconds
    "mark": "canary-token",                 # stands in every token
    "numbers": "as the real one",           # strings: expires_in and expires_on as the other kind
    "refused": "",                          # audiences that do not exist, with blanks between
    "fail": "",                             # status:times, answered first
    "retry_after": "",
    "aadsts": "",                           # Entra answers with this code
    "answer": "",                           # html, empty, cut, notoken, long: instead of a token
    "delay": "0",
    "vault": "",                            # NAME=VALUE pairs with newlines between
    "vault_error": "",                      # code of innererror, with 403
    "vault_resource": "https://vault.azure.net",
}


def jwt(audience, lifetime, mark, number):
    now = int(time.time())
    claims = {"aud": audience, "iss": "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/", "nbf": now - 10, "iat": now - 10,
              "exp": now + lifetime, "jti": number, "mark": mark}
    parts = [{"alg": "RS256", "typ": "JWT"}, claims]
    words = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    return ".".join(words + [mark])


class State:
    def __init__(self, pairs):
        self.lock, self.pairs = threading.Lock(), pairs
        self.reset()

    def reset(self):
        self.settings, self.log, self.given = {**DEFAULTS, **self.pairs}, [], 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "standin", ""

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json; charset=utf-8", fields=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.entry["status"] = status
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def wrong(self, status, body, why):
        self.entry["wrong"] = why
        self.answer(status, body)

    def do_GET(self):
        self.handle_any()

    do_POST = do_PUT = do_HEAD = do_GET

    def handle_any(self):
        state, url = self.server.state, urllib.parse.urlsplit(self.path)
        self.s = state.settings
        self.query = urllib.parse.parse_qsl(url.query, keep_blank_values=True, strict_parsing=bool(url.query))
        if url.path.startswith("/_standin/"):
            return self.control(url.path[10:])
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("latin-1")
        self.entry = {"t": time.time(), "method": self.command, "path": url.path, "query": url.query, "headers": sorted(k.lower() for k in self.headers)}
        with state.lock:
            state.log.append(self.entry)
        if float(self.s["delay"]):
            time.sleep(float(self.s["delay"]))
        status, _, times = self.s["fail"].partition(":")
        if status and int(times or 1) > 0:
            self.s["fail"] = f"{status}:{int(times or 1) - 1}"
            return self.answer(int(status), {"error": "busy"}, fields=[("Retry-After", self.s["retry_after"])] if self.s["retry_after"] else [])
        if url.path == "/metadata/identity/oauth2/token":
            return self.machine()
        if url.path == "/msi/token":
            return self.app()
        if url.path.endswith("/oauth2/v2.0/token"):
            return self.entra(url.path.split("/")[1])
        if url.path.startswith("/secrets/"):
            return self.key_vault(url.path.split("/")[2:])
        self.wrong(404, {"error": "not found"}, "path")

    def control(self, page):
        state, self.entry = self.server.state, {}
        if page == "reset":
            state.reset()
            return self.answer(200, {})
        if page == "log":
            return self.answer(200, "".join(json.dumps(e) + "\n" for e in state.log).encode())
        for name, value in self.query:
            if name not in state.settings:
                return self.answer(400, f"no setting {name}".encode())
            state.settings[name] = value
        self.answer(200, state.settings)

    # ---- tokens

    def give(self, audience, form):
        kind = self.s["answer"]
        if kind == "html":
            return self.answer(200, b"<html><title>Sign in</title></html>", "text/html")
        if kind in ("empty", "cut"):
            return self.answer(200, b'{"access_token":"ey' if kind == "cut" else b"")
        with self.server.state.lock:
            self.server.state.given += 1
            number = self.server.state.given
        lifetime, now = int(self.s["lifetime"]), int(time.time())
        token = jwt(audience, lifetime, self.s["mark"], number)
        self.entry["audience"], self.entry["number"] = audience, number
        body = {"token_type": "Bearer", "access_token": token + "x" * (9000 if kind == "long" else 0)}
        if kind == "notoken":
            del body["access_token"]
        swap = self.s["numbers"] == "strings"
        if form == "entra":
            body.update(expires_in=str(lifetime) if swap else lifetime, ext_expires_in=lifetime)
        else:
            body.update(expires_on=now + lifetime if swap else str(now + lifetime), resource=audience)
            if form == "machine":
                body.update(expires_in=str(lifetime), ext_expires_in=str(lifetime), not_before=str(now), client_id=self.s["client_id"])
        self.answer(200, body)

    def parameters(self, wanted, version):
        """The query as a dict; None when it is not exactly api-version, resource and perhaps client_id."""
        names = [name for name, _ in self.query]
        query = dict(self.query)
        return query if len(set(names)) == len(names) and set(names) - {"client_id"} == wanted and query.get("api-version") == version else None

    def machine(self):
        query = self.parameters({"api-version", "resource"}, "2018-02-01")
        if self.command != "GET" or self.headers.get("Metadata") != "true":
            return self.wrong(400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}, "header")
        if "x-forwarded-for" in self.headers or "via" in self.headers or "authorization" in self.headers:
            return self.wrong(403, {"error": "forbidden"}, "proxy or authorization")
        if query is None:
            return self.wrong(400, {"error": "invalid_request", "error_description": "Bad parameters"}, "query")
        if query.get("client_id", self.s["assigned"]) != self.s["assigned"] or ("client_id" not in query and self.s["own"] == "0"):
            return self.answer(400, {"error": "invalid_request", "error_description": "Identity not found"})
        if query["resource"] in self.s["refused"].split():
            return self.answer(400, {"error": "invalid_resource", "error_description": "AADSTS500011: The resource principal named x was not found in the tenant named y."})
        self.give(query["resource"], "machine")

    def app(self):
        query = self.parameters({"api-version", "resource"}, "2019-08-01")
        if self.command != "GET" or self.headers.get("X-IDENTITY-HEADER") != self.s["header"] or "metadata" in self.headers:
            return self.wrong(401, {"statusCode": 401, "message": "Unauthorized"}, "header")
        if query is None:
            return self.wrong(400, {"statusCode": 400, "message": "Bad parameters"}, "query")
        if query.get("client_id", self.s["assigned"]) != self.s["assigned"] or ("client_id" not in query and self.s["own"] == "0"):
            return self.answer(400, {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId."})
        if query["resource"] in self.s["refused"].split():
            return self.answer(400, {"error": {"code": "invalid_resource", "message": "AADSTS500011: The resource principal was not found."}})
        self.give(query["resource"], "app")

    def refuse(self, code, words):
        self.answer(401 if code in (7000215, 7000222) else 400, {
            "error": "invalid_client" if code == 7000215 else "invalid_request", "error_codes": [code], "correlation_id": "c", "trace_id": "t",
            "error_description": f"AADSTS{code}: {words} Trace ID: t Correlation ID: c Timestamp: 2026-11-21 05:00:00Z", "timestamp": "2026-11-21 05:00:00Z",
            "error_uri": f"https://login.microsoftonline.com/error?code={code}"})

    def entra(self, tenant):
        form = urllib.parse.parse_qsl(self.body, keep_blank_values=True, strict_parsing=True)
        got = dict(form)
        wanted = {"grant_type", "client_id", "scope"}
        if self.command != "POST" or self.headers.get("Content-Type") != "application/x-www-form-urlencoded" or "metadata" in self.headers or "authorization" in self.headers:
            return self.wrong(400, {"error": "invalid_request"}, "header")
        wanted |= {"client_secret"} if "client_secret" in got else {"client_assertion_type", "client_assertion"}
        if set(got) != wanted or len(form) != len(got) or self.query or got["grant_type"] != "client_credentials" or not got["scope"].endswith("/.default"):
            return self.wrong(400, {"error": "invalid_request"}, "form")
        if got.get("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
            return self.wrong(400, {"error": "invalid_request"}, "assertion type")
        audience = got["scope"][:-len("/.default")]
        if self.s["aadsts"]:
            return self.refuse(int(self.s["aadsts"]), "Words of the server.")
        if tenant != self.s["tenant"]:
            return self.refuse(90002, f"Tenant '{tenant}' not found.")
        if got["client_id"] != self.s["client_id"]:
            return self.refuse(700016, "Application with identifier x was not found in the directory y.")
        if got.get("client_secret", self.s["secret"]) != self.s["secret"]:
            return self.refuse(7000215, "Invalid client secret provided.")
        if got.get("client_assertion", self.s["assertion"]) != self.s["assertion"]:
            return self.refuse(700024, "Client assertion is not within its valid time range.")
        if audience in self.s["refused"].split():
            return self.refuse(500011, "The resource principal was not found in the tenant.")
        self.give(audience, "entra")

    # ---- the vault

    def key_vault(self, path):
        def error(status, code, inner=None):
            body = {"error": {"code": code, "message": "Words of the server."}}
            if inner:
                body["error"]["innererror"] = {"code": inner}
            self.answer(status, body, fields=[("WWW-Authenticate", f'Bearer authorization="https://login.microsoftonline.com/{self.s["tenant"]}", resource="{self.s["vault_resource"]}"')] if status == 401 else [])
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
        except (IndexError, ValueError):
            claims = {}
        if scheme != "Bearer" or claims.get("aud") != self.s["vault_resource"] or claims.get("exp", 0) < time.time():
            return error(401, "Unauthorized")
        if self.command != "GET" or self.query != [("api-version", "7.4")] or len(path) not in (1, 2):
            self.entry["wrong"] = "request"
            return error(400, "BadParameter")
        if self.s["vault_error"]:
            return error(403, "Forbidden", self.s["vault_error"])
        secrets = dict(line.split("=", 1) for line in self.s["vault"].split("\n") if "=" in line)
        if "/".join(path) not in secrets:
            return error(404, "SecretNotFound")
        self.answer(200, {"value": secrets["/".join(path)], "id": f"https://v/secrets/{path[0]}/0", "attributes": {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable"}, "tags": {}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--set", action="append", default=[])
    args = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", args.port), Handler)
    server.daemon_threads = True
    server.state = State(dict(pair.split("=", 1) for pair in args.set))
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(args.port_file + ".new", "w", encoding="ascii") as out:
        out.write(str(server.server_port))
    os.rename(args.port_file + ".new", args.port_file)
    server.serve_forever()


if __name__ == "__main__":
    main()
