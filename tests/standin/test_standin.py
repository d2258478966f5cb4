#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The stand-in itself, asked by foreign clients (http.client, raw sockets, curl). Ends with "N passed, N failed, N skipped"."""

import base64
import hashlib
import http.client
import io
import json
import os
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
count = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, good, seen=""):
    count["passed" if good else "failed"] += 1
    if not good:
        print("BAD ", name, str(seen)[:300])


class Server:
    def __init__(self, folder, *more, tls=False):
        port_file = os.path.join(folder, f"port{len(more)}{tls}")
        command = [sys.executable, os.path.join(HERE, "kudu.py"), "--port", "0", "--port-file", port_file, *more]
        self.context = None
        if tls:
            command += ["--tls", f"{folder}/pki/server.pem", f"{folder}/pki/server.key"]
            self.context = ssl.create_default_context(cafile=f"{folder}/pki/ca.pem")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(port_file):
                break
            time.sleep(0.02)
        self.port = int(open(port_file).read())
        self.instances = self.get_json("/_standin/state")["instances"]

    def connection(self):
        if self.context:
            return http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=20)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def get(self, path, method="GET", body=None, **fields):
        """Status, fields and body; body None when it broke off."""
        c = self.connection()
        try:
            c.request(method, path, body=body, headers={k.replace("_", "-"): v for k, v in fields.items()})
            r = c.getresponse()
            try:
                return r.status, r.headers, r.read()
            except (http.client.IncompleteRead, OSError):
                return r.status, r.headers, None
        finally:
            c.close()

    def get_json(self, path, **fields):
        return json.loads(self.get(path, **fields)[2].decode("utf-8-sig"))

    def set(self, **pairs):
        status, _, body = self.get("/_standin/set?" + urllib.parse.urlencode(pairs))
        assert status == 200, body

    def reset(self, **pairs):
        self.get("/_standin/reset")
        self.set(**pairs)

    def log(self):
        return [json.loads(line) for line in self.get("/_standin/log")[2].decode().splitlines()]

    def raw(self, path, seconds=3.0, head=""):
        """Every byte that came until the end, and whether that was a reset."""
        s = socket.create_connection(("127.0.0.1", self.port), timeout=seconds)
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n{head}\r\n".encode())
        data = bytearray()
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    return bytes(data), "end"
                data += more
        except ConnectionResetError:
            return bytes(data), "reset"
        except TimeoutError:
            return bytes(data), "open"
        finally:
            s.close()


P = "/api/processes"


def dump_checks(data, kind, pid):
    magic, version, streams, directory, _, _, flags = struct.unpack_from("<4sIIIIIQ", data)
    good = magic == b"MDMP" and version & 0xFFFF == 0xA793 and directory == 32 and flags == kind | 0x20000
    for n in range(streams):
        number, size, rva = struct.unpack_from("<III", data, 32 + 12 * n)
        good = good and rva + size <= len(data)
        if number == 9:
            ranges, base = struct.unpack_from("<QQ", data, rva)
            total = sum(struct.unpack_from("<QQ", data, rva + 16 + 16 * i)[1] for i in range(ranges))
            good = good and base + total == len(data)
        if number == 5:
            _, size, at = struct.unpack_from("<QII", data, rva + 4)
            good = good and at + size == len(data)
        if number == 15:
            good = good and struct.unpack_from("<I", data, rva + 8)[0] == pid
    return good


def test_lists(k):
    k.reset(route="first")
    entries = k.get_json(P)
    names = [e["name"].lower() for e in entries]
    check("list sorted", names == sorted(names))
    check("list lacks is_scm_site", not any("is_scm_site" in e or "environment_variables" in e for e in entries))
    check("one entry lacks user_name", sum("user_name" not in e for e in entries) == 1)
    detail = k.get_json(P + "/0")
    check("0 is Kudu", detail["is_scm_site"] is True and detail["id"] == 6948)
    check("-1 is the worker", k.get_json(P + "/-1")["id"] == 4292)
    check("worker lacks false members", "is_scm_site" not in k.get_json(P + "/4292"))
    check("web job", k.get_json(P + "/6216")["is_webjob"] is True)
    check("child has a parent", k.get_json(P + "/5116")["parent"].endswith("/4292"))
    check("environment by substring", set(k.get_json(P + "/4292/environments/app_pool_id")) == {"APP_POOL_ID", "NOT_APP_POOL_ID_X"})
    check("all of the environment", k.get_json(P + "/4292/environments/all")["WEBSITE_INSTANCE_ID"] == k.instances[0]["id"])
    check("three prefixes", k.get("/api/diagnostics/processes")[0] == 200 == k.get("/diagnostics/processes/0")[0])
    check("dead pid", k.get(P + "/99999")[0] == 404 and "not running" in k.get_json(P + "/99999")["Message"])
    check("no integer", k.get(P + "/abc")[0] == 400)
    check("no route", k.get("/api/crashdumps")[2] == b"\"No route registered for '/api/crashdumps'\"")
    check("query corrupts minidump", "?x=y/dump" in k.get_json(P + "/4292?x=y")["minidump"])
    k.set(workers=0)
    check("-1 without worker", k.get(P + "/-1")[0] == 500 and k.get_json(P + "/-1")["ExceptionType"] == "System.InvalidOperationException")
    k.set(workers=2)
    check("two workers", sum(e["name"] == "w3wp" for e in k.get_json(P)) == 3)
    k.set(extra=4000, names="hostile", href_host="evil.example", shuffle=1, unknown_keys=1)
    many = k.get_json(P)
    check("4,000 processes", len(many) > 4000 and any(e["name"] == "../../x" for e in many))
    check("foreign hrefs", all("evil.example" in e["href"] for e in many))
    check("shuffled, with unknown keys", list(many[0]) != ["id", "name", "machineName", "href", "user_name"] and "x_unknown" in many[0])
    k.reset(details="large", escape="ascii", route="first")
    big = k.get(P + "/4292")[2]
    check("detail over 1 MB with escapes", len(big) > 1 << 20 and b"\\u" in big and json.loads(big)["virtual_memory"] == 2203842945024)
    k.reset(bitness=1, route="first")
    check("bitness", k.get_json(P + "/0")["environment_variables"] == {} and "is_scm_site" not in k.get_json(P + "/0"))
    check("bitness: environments", k.get(P + "/0/environments/x")[0] == 500)
    k.reset(linux="text")
    check("linux", k.get(P)[0] == 400 and k.get(P)[2] == b"Not supported on Linux")
    k.reset(gone="4292", route="first")
    check("gone but listed", any(e["id"] == 4292 for e in k.get_json(P)) and k.get(P + "/4292/dump")[0] == 404)


def test_instances(k):
    k.reset(instances=3)
    state = k.get_json("/_standin/state")["instances"]
    check("disjoint pids", len({p for i in state for p in i["processes"]}) == sum(len(i["processes"]) for i in state))
    check("instance list", k.get_json("/instance/all") == [i["id"] for i in state])
    for one in state:
        status, fields, body = k.get(P, Cookie=f"x=y; ARRAffinity={one['id']}")
        check("routed by cookie", {e["machineName"] for e in json.loads(body)} == {one["machine"]})
    cookies = fields.get_all("Set-Cookie")
    check("cookie pair", cookies[0].startswith(f"ARRAffinity={one['id']};") and cookies[1].startswith(f"ARRAffinitySameSite={one['id']};"))
    seen = {k.get(P)[2] for _ in range(30)}
    check("random without cookie", len(seen) == 3)
    check("random with unknown cookie", len({k.get(P, Cookie="ARRAffinity=f00")[2] for _ in range(30)}) == 3)
    check("?instance= switches", f"ARRAffinity={state[2]['id']}" in k.get("/?instance=" + state[2]["id"])[1]["Set-Cookie"])
    _, fields, _ = k.get(f"{P}/104292/dump", Cookie="ARRAffinity=" + state[1]["id"])
    check("digits in the file name", f"filename=w3wp-{state[1]['id'][:6]}-" in fields["Content-Disposition"])
    k.set(wrong_digits=1)
    check("wrong digits", state[1]["id"][:6] not in k.get(f"{P}/104292/dump", Cookie="ARRAffinity=" + state[1]["id"])[1]["Content-Disposition"])
    k.reset(affinity="off", instance_all="404", cookie_bytes=7000)
    _, fields, _ = k.get(P)
    check("no affinity cookie, a large other one", len(fields.get_all("Set-Cookie")) == 1 and len(fields["Set-Cookie"]) > 7000)
    check("instance list off", k.get("/instance/all")[0] == 404)
    k.reset(affinity="reject")
    check("another instance than asked", json.loads(k.get(P, Cookie="ARRAffinity=" + state[0]["id"])[2])[0]["machineName"] == state[1]["machine"])


def test_dumps(k):
    k.reset(route="first")
    for kind, size in ((0, 300 << 10), (1, 600 << 10), (2, 64 << 20)):
        status, fields, body = k.get(f"{P}/4292/dump?dumpType={kind}")
        digest = hashlib.sha256(body).hexdigest()
        check("dump shape", status == 200 and len(body) == size == int(fields["Content-Length"]) and dump_checks(body, kind, 4292))
        last = k.get_json("/_standin/dumps")[-1]
        check("digest told", last["sha256"] == digest and last["bytes"] == size and last["complete"], last)
        check("digest foretold", k.get_json(f"/_standin/expected?pid=4292&type={kind}")["sha256"] == digest)
    check("block stamps in order", all(int.from_bytes(body[o:o + 8], "little") == o for o in range(8192, len(body), 4096)))
    check("another pid, other bytes", k.get(f"{P}/6948/dump")[2] != k.get(f"{P}/4292/dump")[2])
    check("octet-stream", fields["Content-Type"] == "application/octet-stream")
    for framing in ("chunked", "close"):
        k.set(framing=framing, chunk_bytes=70001, chunk_ext=1, trailers=1)
        status, fields, body = k.get(f"{P}/4292/dump?dumpType=1")
        check(framing, "Content-Length" not in fields and hashlib.sha256(body).hexdigest() == k.get_json("/_standin/dumps")[-1]["sha256"])
    k.set(hash="lazy", framing="length")
    body = k.get(f"{P}/4292/dump?dumpType=1")[2]
    check("lazy digest", hashlib.sha256(body).hexdigest() == k.get_json("/_standin/dumps")[-1]["sha256"])
    for size in (1, 8191, 8192, 8193, (1 << 20) - 1, 1 << 20, (1 << 20) + 1):
        k.set(dump_bytes=size)
        body = k.get(f"{P}/4292/dump?dumpType=2")[2]
        check(f"size {size}", len(body) == size and hashlib.sha256(body).hexdigest() == k.get_json(f"/_standin/expected?pid=4292&type=2")["sha256"])
    k.reset(route="first")
    check("dumpType=abc is 0", len(k.get(f"{P}/4292/dump?dumpType=abc")[2]) == 300 << 10)
    check("Range ignored", k.get(f"{P}/4292/dump", Range="bytes=5-")[0] == 200)
    check("HEAD", k.get(f"{P}/4292/dump", method="HEAD")[0] == 405)
    check("POST", k.get(f"{P}/4292/dump", method="POST")[2].startswith(b'"No route'))
    check("format=foo", k.get(f"{P}/4292/dump?format=foo")[0] == 400)
    check("format=7", b"Dump format (7)" in k.get(f"{P}/4292/dump?format=7")[2])
    with zipfile.ZipFile(io.BytesIO(k.get(f"{P}/4292/dump?format=Zip")[2])) as z:
        inside = hashlib.sha256(z.read("minidump.dmp")).hexdigest()
        check("zip", len(z.namelist()) == 3 and inside == k.get_json("/_standin/dumps")[-1]["sha256"])
    k.set(zip_missing=1)
    check("zip without dump", len(zipfile.ZipFile(io.BytesIO(k.get(f"{P}/4292/dump?format=1")[2])).namelist()) == 2)
    k.set(sku="Free")
    check("Free SKU", k.get_json(f"{P}/4292/dump?dumpType=2")["Message"] == "Site sku (Free) does not support full minidump." and k.get(f"{P}/4292/dump?dumpType=3")[0] == 200)
    for junk, size in (("tiny", 8192), ("short", 256), ("empty", 0)):
        k.reset(junk=junk, route="first")
        check(junk, len(k.get(f"{P}/4292/dump?dumpType=2")[2]) == size)
    for junk in ("html", "nomdmp", "badversion", "truncated"):
        k.reset(junk=junk, route="first")
        body = k.get(f"{P}/4292/dump?dumpType=2")[2]
        check(junk, (body[:4] != b"MDMP" if junk in ("html", "nomdmp") else True) and (junk == "html" or not dump_checks(body, 2, 4292)))
    for error, status in (("vanished", 404), ("during", 500), ("diskfull", 500), ("denied", 500), ("exited", 500)):
        k.reset(dump_error=error, route="first")
        check(error, k.get(f"{P}/4292/dump")[0] == status)


def test_overlap(k):
    k.reset(dump_delay=0.5, overlap_wait=0.1)
    ids = [i["id"] for i in k.instances]
    other = threading.Thread(target=k.get, args=(f"{P}/4292/dump",), kwargs={"Cookie": "ARRAffinity=" + ids[0]})
    other.start()
    time.sleep(0.2)
    status, _, body = k.get(f"{P}/104292/dump", Cookie="ARRAffinity=" + ids[1])
    check("overlap across instances", status == 500 and b"being used by another process" in body)
    other.join()
    check("free after completion", k.get(f"{P}/104292/dump", Cookie="ARRAffinity=" + ids[1])[0] == 200)
    check("overlap logged", k.get_json("/_standin/state")["overlaps"] == 1 and sum(bool(e.get("overlap")) for e in k.log()) == 1)
    k.reset(dump_bytes=1 << 30, route="first", overlap_wait=2)
    s = socket.create_connection(("127.0.0.1", k.port)) if not k.context else None
    if s:
        s.sendall(f"GET {P}/4292/dump HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        s.recv(1000)
        s.close()
        k.set(dump_bytes=0)
        check("free after a disconnect", k.get(f"{P}/4292/dump")[0] == 200)
        check("torn dump not among those sent", len(k.get_json("/_standin/dumps")) == 1)
    k.reset(dump_delay=0.8, gateway_cut_s=0.2, gateway_status=502, overlap_wait=0.1, route="first")
    status, fields, body = k.get(f"{P}/4292/dump")
    check("gateway cut", status == 502 and body.startswith(b"<!DOCTYPE") and len(body) > 1200)
    k.set(dump_delay=0)
    check("busy after the cut", k.get(f"{P}/4292/dump")[0] == 500)
    time.sleep(0.7)
    check("free later", k.get(f"{P}/4292/dump")[0] == 200)


def test_login(k):
    basic = lambda text: "Basic " + base64.b64encode(text.encode()).decode()
    k.reset(auth="basic")
    status, fields, _ = k.get(P)
    check("challenge", status == 401 and fields["WWW-Authenticate"].startswith("Basic"))
    check("basic good", k.get(P, Authorization=basic("$contoso:correct-horse"))[0] == 200)
    check("basic bad", k.get(P, Authorization=basic("$contoso:no"))[0] == 401)
    check("bearer not taken", k.get(P, Authorization="Bearer good-token")[0] == 401)
    check("secrets stay out of the log", "correct-horse" not in json.dumps(k.log()) and [e["auth"] for e in k.log()] == ["none", "basic:ok", "basic:bad", "bearer:ok"], k.log())
    status, fields, _ = k.get(P, User_Agent="Mozilla/5.0")
    check("browsers go to the login host", status == 302 and "login.microsoftonline.com" in fields["Location"])
    k.reset(auth="bearer", bearer_reject=403, challenge="empty")
    check("bearer good", k.get(P, Authorization="Bearer good-token")[0] == 200)
    check("wrong audience", k.get(P, Authorization="Bearer other")[0] == 403)
    check("empty challenge", k.get(P)[2] == b"")
    for deny, status in (("ip", 403), ("stopped", 403), ("login", 302), ("login200", 200), ("unauthorized", 401), ("forbidden", 403)):
        k.reset(deny=deny)
        check("deny " + deny, k.get(P)[0] == status)
    k.reset(deny="basic_off", auth="any")
    check("basic off", k.get(P, Authorization=basic("$contoso:correct-horse"))[0] == 401 and k.get(P, Authorization="Bearer good-token")[0] == 200)


def test_http(k):
    k.reset(fail="list:2,dump:1:502", retry_after="1")
    first = k.get(P)
    check("503 twice, then well", [first[0], k.get(P)[0], k.get(P)[0]] == [503, 503, 200] and first[1]["Retry-After"] == "1")
    check("502 once for dumps", [k.get(P + "/-1/dump")[0] for _ in range(2)] == [502, 200])
    for body, start in (("json", b"{"), ("bom", b"\xef\xbb\xbf{"), ("html", b"<"), ("empty", b"")):
        k.reset(error_body=body)
        check("error body " + body, k.get(P + "/1/dump")[2][:len(start)] == start)
    if k.context:
        return
    k.reset(interim="many", lowercase=1, head_pad=33000)
    data, _ = k.raw(P, head="Connection: close\r\n")
    check("interim answers, lower case, long head", data.count(b"100 Continue") == 10 and data.count(b"103 Early") == 10 and b"\r\ncontent-length:" in data and len(data) > 33000)
    k.reset(http10=1, framing="chunked", route="first")
    data, end = k.raw(P + "/4292/dump")
    check("HTTP/1.0", data.startswith(b"HTTP/1.0 200") and b"chunked" not in data[:1000] and end == "end")
    k.reset(keepalive_s=0.3)
    data, end = k.raw(P, seconds=2)
    check("idle close", data.startswith(b"HTTP/1.1 200") and end == "end")
    k.reset(close=1)
    check("Connection: close", b"Connection: close" in k.raw(P)[0])
    k.reset(early_close=1)
    data, end = k.raw(P)
    check("early close", b"Connection: close" not in data and end == "end")
    k.reset(json_framing="chunked", chunk_bytes=1)
    check("chunked JSON", len(k.get_json(P)) == 4)
    k.reset(json_cut=100, fault_route="list")
    check("cut JSON with its length right", len(k.get(P)[2]) == 100 and k.get(P)[1]["Content-Length"] == "100")
    c = k.connection()
    for _ in range(3):
        c.request("GET", P)
        c.getresponse().read()
    c.close()
    check("kept alive", [e["turn"] for e in k.log()[-3:]] == [1, 2, 3])
    c = k.connection()
    c.request("PUT", "/nothing", body=b"x" * 100000, headers={"Expect": "100-continue"})
    check("request body with Expect", c.getresponse().status == 404)


def test_faults(k):
    path = P + "/4292/dump"
    k.reset(route="first")
    whole = k.get(path)[2]
    head, _ = k.raw(path, head="Connection: close\r\n")
    head = head.index(b"\r\n\r\n") + 4
    for at in (0, 1, 5000, len(whole) - 1, len(whole)):
        k.reset(route="first", fault="close", fault_at=at)
        data, end = k.raw(path)
        told = k.log()[-1]["dump"]
        body = data.partition(b"\r\n\r\n")[2]
        check(f"cut at {at}", len(body) == at and end == "end" and told["sha256"] == hashlib.sha256(body).hexdigest() and told["bytes"] == at and told["complete"] == (at == len(whole)), told)
    for at in (0, 1, 20, -1):
        k.reset(route="first", fault="close", fault_where="head", fault_at=at)
        data, end = k.raw(path)
        check(f"cut at {at} of the head", end == "end" and (len(data) == at if at >= 0 else data.endswith(b"\r\n\r")), data)
    k.reset(route="first", fault="rst", fault_at=5000)
    check("reset", k.raw(path)[1] == "reset")
    k.reset(route="first", fault="rst", fault_at=100000, framing="chunked")
    check("reset in a chunked body", k.raw(path)[1] == "reset" and not k.log()[-1]["dump"]["complete"])
    edges = {"size": b"\r\n", "data": b"3e8\r\n", "next": b"\r\n", "last": b"\r\n", "trailer": b"0\r\n"}
    for edge, ending in edges.items():
        k.reset(route="first", fault="close", framing="chunked", chunk_bytes=1000, fault_where=edge, fault_chunk=3)
        data, end = k.raw(path)
        body = data.partition(b"\r\n\r\n")[2]
        lengths = {"size": 2 * 1007, "data": 2 * 1007 + 5, "next": 3 * 1007}
        check("cut at the edge " + edge, end == "end" and data.endswith(ending) and lengths.get(edge, len(body)) == len(body), (len(body), data[-10:]))
    k.reset(route="first", fault="stall", fault_s=0.4, fault_at=10)
    began = time.monotonic()
    check("stall", k.get(path)[2] == whole and time.monotonic() - began > 0.4)
    k.reset(route="first", fault="slow", fault_ms=2, fault_bytes=100, fault_at=10)
    began = time.monotonic()
    check("slow", k.get(path)[2] == whole and time.monotonic() - began > 0.2)
    k.reset(fault="slow", fault_ms=1, fault_where="head", fault_route="any")
    check("slow head", k.get(P)[0] == 200 and k.log()[-1]["fault"] == "slow")
    k.reset(fault="garbage", fault_route="list")
    check("garbage", b"HTTP/1.1" not in k.raw(P)[0])
    k.reset(fault="close", fault_route="list", fault_where="head", fault_skip=1, fault_times=1)
    check("one bad answer among good ones", [len(k.raw(P, head="Connection: close\r\n")[0]) > 0 for _ in range(3)] == [True, False, True])
    k.reset(rate=1 << 20, route="first")
    began = time.monotonic()
    check("rate", k.get(path)[2] == whole and 0.2 < time.monotonic() - began < 1.5)
    k.reset(dump_delay=30)
    began = time.monotonic()
    waiting = threading.Thread(target=lambda: k.raw(path, seconds=10))
    waiting.start()
    time.sleep(0.2)
    k.reset()
    waiting.join()
    check("a reset wakes sleepers", time.monotonic() - began < 3)
    check("unknown setting refused", k.get("/_standin/set?nonsense=1")[0] == 400)


def test_arm(k):
    base = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/contoso"
    k.reset()
    value = k.get_json(base + "/instances?api-version=2025-05-01")["value"]
    check("ARM instances", value[1]["properties"]["machineName"] == k.instances[1]["machine"])
    one = base + "/instances/" + value[1]["name"] + "/processes"
    check("ARM processes", {p["properties"]["id"] for p in k.get_json(one + "?api-version=1")["value"]} == {104292, 105116, 106216, 106948})
    check("ARM dump is always mini", len(k.get(one + "/104292/dump?api-version=1&dumpType=2")[2]) == 300 << 10)
    k.set(arm_role="reader")
    check("ARM reader", k.get(one + "/104292/dump?api-version=1")[0] == 401 and k.get_json(one + "/104292?api-version=1")["properties"]["environment_variables"] == {})
    k.set(arm_timeout=1, arm_role="contributor")
    check("ARM time-out", k.get(one + "/104292/dump?api-version=1")[0] == 504)
    check("Kudu's own envelope", "value" in k.get_json(P, x_ms_geo_location="West Europe"))


def run(k, command, **fields):
    return json.loads(k.get("/api/command", method="POST", body=json.dumps({"command": command, "dir": ""}), **fields)[2])


def test_files(k):
    k.reset(route="first", procdump_s=0.2, dump_bytes=300000)
    machine = k.instances[0]["machine"]
    check("no folder yet", k.get("/api/vfs/LogFiles/kudump/")[0] == 404)
    check("slash missing", k.get("/api/vfs/LogFiles")[0] == 307)
    check("tools", any(e["name"] == "procdump64.exe" for e in k.get_json("/api/vfs/SystemDrive/devtools/sysinternals/")))
    check("guard holds", run(k, f'(if /i not "%COMPUTERNAME%"=="other" exit 77) & mkdir "%HOME%\\x"')["ExitCode"] == 77 and k.get("/api/vfs/x/")[0] == 404)
    line = f'(if /i not "%COMPUTERNAME%"=="{machine}" exit 77) & mkdir "%HOME%\\LogFiles\\kudump\\a" && start "" /b "%SystemDrive%\\devtools\\procdump64.exe"'
    check("started", run(k, line + ' -accepteula -ma 4292 "%HOME%\\LogFiles\\kudump\\a\\dump.dmp" > "%HOME%\\LogFiles\\kudump\\a\\procdump.log" 2>&1 < nul')["ExitCode"] == 0)
    time.sleep(0.05)
    check("listed", any(e["name"] == "procdump64" for e in k.get_json("/api/processes")))
    time.sleep(0.6)
    status, fields, body = k.get("/api/vfs/LogFiles/kudump/a/dump.dmp")
    check("the dump", status == 200 and hashlib.sha256(body).hexdigest() == k.get_json("/_standin/expected?pid=4292&type=2")["sha256"])
    check("its log", b"Dump 1 complete" in k.get("/api/vfs/LogFiles/kudump/a/procdump.log")[2])
    part = k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", Range="bytes=200000-", If_Range=fields["ETag"])
    check("Range", part[0] == 206 and part[2] == body[200000:] and part[1]["Content-Range"] == "bytes 200000-299999/300000")
    check("If-Range of another", k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", Range="bytes=5-", If_Range='"x"')[0] == 200)
    check("past the end", k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", Range="bytes=300000-")[0] == 416)
    check("unchanged", k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", If_None_Match=fields["ETag"])[0] == 304)
    check("delete without ETag", k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", method="DELETE")[0] == 412)
    check("folder not empty", k.get("/api/vfs/LogFiles/kudump/a/", method="DELETE")[0] == 409)
    check("delete", k.get("/api/vfs/LogFiles/kudump/a/dump.dmp", method="DELETE", If_Match=fields["ETag"])[0] == 200)
    check("delete any", k.get("/api/vfs/LogFiles/kudump/a/procdump.log", method="DELETE", If_Match="*")[0] == 200)
    check("delete folder", k.get("/api/vfs/LogFiles/kudump/a/", method="DELETE")[0] == 200 and k.get_json("/_standin/drive")["left"] == [])


def test_tls(k, folder):
    k.reset(route="first", framing="close")
    body = k.get(f"{P}/4292/dump")[2]
    check("until close over TLS", len(body) == 300 << 10 and k.log()[-1]["sni"] == "localhost")
    for notify in (1, 0):
        k.set(notify=notify)
        context = ssl.create_default_context(cafile=f"{folder}/pki/ca.pem")
        with socket.create_connection(("localhost", k.port)) as plain, context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as s:
            s.sendall(f"GET {P}/4292/dump HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            try:
                while s.recv(65536):
                    pass
                end = 1
            except (ssl.SSLEOFError, ConnectionResetError):
                end = 0
        check(f"close_notify {notify}", end == notify, end)
    k.reset(route="first", fault="rst", fault_at=70000)
    check("reset over TLS", k.get(f"{P}/4292/dump")[2] is None)
    if not shutil.which("curl"):
        count["skipped"] += 1
        return
    k.reset(route="first")
    for flags in ([], ["--tls-max", "1.2"]):
        got = subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", f"{folder}/pki/ca.pem", *flags, f"https://localhost:{k.port}{P}/4292/dump?dumpType=2"], capture_output=True, check=False)
        check("curl " + " ".join(flags), hashlib.sha256(got.stdout).hexdigest() == k.get_json("/_standin/dumps")[-1]["sha256"], got.stderr)


def main():
    folder = tempfile.mkdtemp(prefix="kudump-standin.")
    servers = []
    try:
        servers.append(Server(folder, "--set", "site=contoso"))
        plain = servers[0]
        for test in (test_lists, test_instances, test_dumps, test_overlap, test_login, test_http, test_faults, test_arm, test_files):
            test(plain)
        if shutil.which("openssl"):
            subprocess.run([os.path.join(HERE, "..", "pki", "make.sh"), f"{folder}/pki"], check=True)
            servers.append(Server(folder, tls=True))
            test_tls(servers[1], folder)
            test_overlap(servers[1])
        else:
            count["skipped"] += 1
    finally:
        for one in servers:
            one.process.terminate()
            one.process.wait()
        shutil.rmtree(folder)
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
