# SPDX-License-Identifier: MIT
"""What Kudu, its front end and ARM answer: a request in, a Reply out."""

import base64
import hashlib
import json
import re
import threading
import time
import uuid
import zipfile

from drive import Drive
from dumps import Dump, core_of, default_bytes
from wire import Reply
from world import Shares, World, instance_id

PREFIXES = ("/api/processes", "/api/diagnostics/processes", "/diagnostics/processes")
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
LOGIN = "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/oauth2/authorize?client_id=x"
SIGN_IN = b"<!DOCTYPE html><html><head><title>Sign in to your account</title></head><body>Sign in</body></html>" + b" " * 3000
INTEGER = re.compile(r"[+-]?\d{1,10}$")
INT_MAX = 2147483647
DUMP_ERRORS = {
    "during": "Process with an Id of {pid} has exited.", "diskfull": "There is not enough space on the disk.", "denied": "Access is denied",
    "partial": "Only part of a ReadProcessMemory or WriteProcessMemory request was completed",
    "memory": "Not enough memory resources are available to process this command."}
SHARING = "The process cannot access the file 'C:\\home\\LogFiles\\minidump\\minidump.dmp' because it is being used by another process."
ARM = re.compile(r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/Microsoft\.Web/sites/([^/]+)(?:/slots/([^/]+))?(/.*)$", re.I)


def page(title, text):
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\r\n".encode()


def integer(text):
    """What .NET's binder makes of it: the int32, or None."""
    return int(text) if INTEGER.match(text.strip()) and abs(int(text)) <= INT_MAX else None


class Token:
    """Who holds a dump file, and of which site."""

    def __init__(self, request):
        self.host = request.field("host").partition(":")[0]


class Site:
    def __init__(self, settings, nap):
        self.settings, self.nap = settings, nap
        self.world, self.share = World(settings), Shares(settings)
        self.drive = Drive(settings, self.world, self.error, self.json)
        self.guard = threading.Lock()
        self.sent = []                  # dumps that went out in full
        self.counts = {}
        self.changed()

    def reset(self):
        self.share.clear()
        self.drive.clear()
        with self.guard:
            self.sent.clear()
        self.changed()

    def changed(self, names=("fault", "fail")):
        """Settings are new; what counts down starts again when one of its settings was among them."""
        self.world.changed()
        if not any(name.startswith("fa") for name in names):
            return
        with self.guard:
            self.counts = {"skip": self.settings.fault_skip, "times": self.settings.fault_times or 1 << 60}
            self.failures = {}
            for part in filter(None, self.settings.fail.split(",")):
                route, times, status = (part + ":503").split(":")[:3]
                self.failures[route] = [int(times or 1), int(status)]

    # ---- faults by route

    def route(self, request):
        """Name of the route, and the id where there is one."""
        path = request.path
        if path == "/instance/all":
            return "instances", None
        if path.rstrip("/") == "/api/environment":
            return "environment", None
        if path.startswith("/subscriptions/"):
            return "arm", None
        if path == "/api/vfs" or path.startswith("/api/vfs/"):
            return ("vfs-dump" if request.method == "GET" and path.endswith("/dump.dmp") else "vfs"), None
        if path.rstrip("/") == "/api/command":
            return "command", None
        for prefix in PREFIXES:
            if path.rstrip("/") == prefix:
                return "list", None
            if path.startswith(prefix + "/"):
                parts = path[len(prefix) + 1:].split("/")
                if len(parts) == 1:
                    return ("self" if parts[0] == "0" else "detail"), parts
                if parts[1] == "dump" and len(parts) == 2:
                    return "dump", parts
                if parts[1] == "environments" and len(parts) == 3:
                    return "env", parts
                if parts[1] == "stop" and len(parts) == 2:
                    return "stop", parts
        return "other", None

    def _routes_match(self, text, route):
        return any(name in text.split(",") for name in ("any", route, route.partition("-")[0]))

    def fault_due(self, route):
        """True when this answer is to be broken; counts fault_skip and fault_times down."""
        s = self.settings
        if s.fault == "none" or not self._routes_match(s.fault_route, route):
            return False
        with self.guard:
            if self.counts["skip"] > 0:
                self.counts["skip"] -= 1
                return False
            self.counts["times"] -= 1
            return self.counts["times"] >= 0

    def _failure(self, route):
        with self.guard:
            for name in (route, route.partition("-")[0], "any"):
                left = self.failures.get(name)
                if left and left[0] > 0:
                    left[0] -= 1
                    return left[1]
        return None

    # ---- answers of all kinds

    def json(self, value, status=200):
        return Reply(status, self.world.dumps(value))

    def error(self, status, message, **more):
        kind = self.settings.error_body
        if kind == "empty":
            return Reply(status, b"", None)
        if kind == "html":
            return Reply(status, page(f"{status}", "An error occurred."), HTML)
        if kind == "text":
            return Reply(status, message.encode(), TEXT)
        body = json.dumps({"Message": message, **more}, ensure_ascii=False, separators=(",", ":")).encode()
        return Reply(status, (b"\xef\xbb\xbf" if kind == "bom" else b"") + body)

    def _no_route(self, request):
        return Reply(404, json.dumps(f"No route registered for '{request.path}'").encode())

    def answer(self, request, entry):
        """The Reply, with the fields that all answers carry."""
        route, parts = self.route(request)
        entry["route"] = route
        index = self.world.choose(request.query.get("instance") or request.cookie("ARRAffinity"))
        entry["instance"] = instance_id(index)
        self.nap(self.settings.latency)
        reply = self._front(request, entry, route) or self._kudu(request, entry, route, parts, index)
        if self._routes_match(self.settings.fault_route, route) and self.settings.json_cut and reply.produce is None:
            reply.body = reply.body[:self.settings.json_cut]
            reply.length = len(reply.body)
        self._decorate(request, reply, index)
        return reply

    def _decorate(self, request, reply, index):
        s = self.settings
        host = request.field("host").partition(":")[0]
        reply.fields += [("Cache-Control", "no-cache"), ("Pragma", "no-cache"), ("Expires", "-1"), ("Server", "Microsoft-IIS/10.0"),
                         ("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + s.clock))),
                         ("x-ms-request-id", request.field("x-arr-log-id") or request.field("x-ms-request-id") or str(uuid.uuid4()))]
        if s.affinity not in ("off", "deaf"):
            one = instance_id(index)
            reply.fields += [("Set-Cookie", f"ARRAffinity={one};Path=/;HttpOnly;Secure;Domain={host}"),
                             ("Set-Cookie", f"ARRAffinitySameSite={one};Path=/;HttpOnly;SameSite=None;Secure;Domain={host}")]
        if s.cookie_bytes:
            reply.fields.append(("Set-Cookie", "Big=" + "c" * s.cookie_bytes + ";Path=/"))

    # ---- the front end: trouble and login

    def _front(self, request, entry, route):
        s = self.settings
        status = self._failure(route)
        if status:
            kind, body = {"json": (None, b""), "empty": (None, b"")}.get(s.fail_body, (HTML, page(f"{status} Service Unavailable", "The service is unavailable.")))
            if s.fail_body == "json":
                kind, body = "application/json", b'{"Message":"The service is unavailable."}'
            return Reply(status, body, kind, [("Retry-After", s.retry_after)] if s.retry_after else [])
        return self._login(request, entry)

    def _challenge(self, status=401, bearer=False):
        body = page("401 - Unauthorized", "Access is denied due to invalid credentials.") if self.settings.challenge == "html" else b""
        scheme = f'Bearer realm="{self.settings.site}.scm.azurewebsites.net"' if bearer or self.settings.challenge == "bearer" else 'Basic realm="site"'
        return Reply(status, body, HTML if body else None, [("WWW-Authenticate", scheme)] if status == 401 else [])

    def _login(self, request, entry):
        s = self.settings
        entry["auth"], good = self._credentials(request)
        if s.deny == "ip":
            return Reply(403, page("403 - Forbidden", "The web app you have attempted to reach has blocked your access."), HTML, reason="Ip Forbidden")
        if s.deny == "stopped":
            return Reply(403, page("Error 403 - This web app is stopped.", "The web app you have attempted to reach is currently stopped."), HTML, reason="Site Disabled")
        if s.deny == "login":
            return Reply(302, page("Object moved", "here"), HTML, [("Location", LOGIN)])
        if s.deny == "login200":
            return Reply(200, SIGN_IN, HTML)
        if s.deny == "unauthorized":
            return self._challenge()
        if s.deny == "forbidden":
            return Reply(403, b"", None)
        if s.deny == "basic_off" and entry["auth"].startswith("basic"):
            return self._challenge()
        if s.auth == "none" or good:
            return None
        browser = "Mozilla" in request.field("user-agent") or "text/html" in request.field("accept")
        if s.browser_login and browser and entry["auth"] == "none":
            return Reply(302, page("Object moved", "here"), HTML, [("Location", LOGIN)])
        if entry["auth"] == "bearer:bad":
            return self._challenge(s.bearer_reject, bearer=True)
        return self._challenge()

    def _credentials(self, request):
        """What was sent, as told in the log (never the secret), and whether the settings accept it."""
        s = self.settings
        scheme, _, value = request.field("authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                same = base64.b64decode(value, validate=True).decode() == f"{s.user}:{s.password}"
            except ValueError:
                same = False
            return "basic:ok" if same else "basic:bad", same and s.auth in ("basic", "any")
        if scheme.lower() == "bearer":
            same = self._is_good_jwt(value) if s.audience else value in s.token.split()
            return "bearer:ok" if same else "bearer:bad", same and s.auth in ("bearer", "any")
        return ("none" if not scheme else "other"), False

    def _is_good_jwt(self, token):
        s = self.settings
        try:
            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==="))
        except (IndexError, ValueError):
            return False
        return claims["aud"] in s.audience.split() and claims["exp"] > time.time() and str(claims.get("jti")) not in s.revoke.split()

    # ---- Kudu

    def _kudu(self, request, entry, route, parts, index):
        s = self.settings
        if route == "arm":
            return self._arm(request, entry)
        if route.startswith("vfs"):
            return self.drive.vfs(request)
        if route == "command":
            return self._command(request, index)
        if request.method in ("DELETE", "POST") and route in ("detail", "self", "stop"):
            entry["danger"] = "process killed"
            return Reply(204, b"", None)
        if route == "other" or route == "stop":
            return Reply(200, page("Kudu Services", ""), HTML) if request.path == "/" else self._no_route(request)
        if request.method == "HEAD":
            return self.error(405, "The requested resource does not support http method 'HEAD'.")
        if request.method != "GET":
            return self._no_route(request)
        if route == "instances":
            return self._instances(request)
        if route == "environment":
            return self.json({"version": "101.40904.0.0", "siteLastModified": "2024-09-04T09:12:44.1870000Z"})
        if s.linux.startswith("monitor"):
            return self._monitor(request, entry, route, parts, index)
        if s.linux != "off":
            return self._linux()
        base = self._base(request)
        if route == "list":
            self.nap(s.list_delay)
            return self.json(self._envelope(request, self.world.list(index, base)))
        pid = integer(parts[0])
        if pid is None:
            return self.error(400, "The request is invalid.", MessageDetail="The parameters dictionary contains a null entry for parameter 'id' of non-nullable type 'System.Int32'.")
        if route == "dump":
            return self.dump(request, entry, index, pid)
        if route == "self" and s.self_error:
            return self.error(s.self_error, "An error has occurred.")
        found, failure = self._find(index, pid)
        if failure:
            return failure
        if route == "env":
            return self._environments(found, parts[2])
        self.nap(s.detail_delay)
        return self.json(self._envelope(request, self.world.detail(found, base, self._origin(request) + request.target)))

    def _command(self, request, index):
        """Always 200 when it ran at all; the front end may have given up meanwhile."""
        s = self.settings
        if request.method != "POST":
            return self._no_route(request)
        try:
            body = json.loads(request.body)
        except ValueError:
            return self.error(400, "The request is invalid.")
        if s.command == "off":
            return Reply(403, b"", None)
        if s.command == "fails":
            return self.json({"Output": "", "Error": "The system cannot find the file specified", "ExitCode": -1})
        if s.command == "elsewhere":
            index = (index + 1) % s.instances
        said = self.drive.command(index, body)
        if s.command == "cut":
            return Reply(s.gateway_status, page(f"{s.gateway_status} - The request timed out.", "The web server failed to respond."), HTML)
        return self.json(said)

    def _origin(self, request):
        return "https://" + (self.settings.href_host or request.field("host"))

    def _base(self, request):
        prefix = next(p for p in PREFIXES if request.path.startswith(p))
        return self._origin(request) + prefix

    def _find(self, index, pid):
        try:
            found = self.world.find(index, pid)
        except LookupError:
            return None, self.error(500, "An error has occurred.", ExceptionMessage="Sequence contains no elements",
                                    ExceptionType="System.InvalidOperationException", StackTrace="   at System.Linq.Enumerable.First[TSource](IEnumerable`1 source)\r\n")
        if found is None:
            return None, self.error(404, f"Process with an Id of {pid} is not running.")
        return found, None

    def _environments(self, process, word):
        if self.settings.bitness:
            return self.error(500, "An error has occurred.", ExceptionMessage="The current process should run in 64 bit mode to access information about another 64 bit process.",
                              ExceptionType="System.ComponentModel.Win32Exception", StackTrace="   at Kudu\r\n")
        every = self.world.environment(process)
        return self.json({k: v for k, v in every.items() if word.lower() == "all" or word.lower() in k.lower()})

    def _instances(self, request):
        ids, kind = self.world.ids(), self.settings.instance_all
        if kind == "404":
            return self._no_route(request)
        if kind == "html":
            return Reply(200, SIGN_IN, HTML)
        if kind == "string":
            return self.json(json.dumps(ids))
        return self.json(ids)

    def _monitor(self, request, entry, route, parts, index):
        """KuduLite hands these on to dotnet-monitor."""
        s = self.settings
        problem = lambda status, title: Reply(status, json.dumps({"type": "about:blank", "title": title, "status": status}).encode(), "application/problem+json")
        runtimes = [p for p in self.world.processes(index).values() if p.role == "child"]
        name = "id" if s.linux == "monitor-id" else "pid"
        show = lambda p: {name: p.pid, "uid": str(uuid.UUID(int=p.pid)), "name": p.name, "isDefault": p is runtimes[0]}
        if route == "list":
            return self.json([show(p) for p in runtimes])
        if route == "env":
            return self.json({"APP_POOL_ID_X": "wrong"})
        found = next((p for p in runtimes if parts[0] == str(p.pid)), None)
        if found is None:
            return problem(400, "Unable to discover a target process.")
        if route != "dump":
            return self.json({**show(found), "commandLine": "dotnet app.dll", "operatingSystem": "linux", "processArchitecture": "x64"})
        kind = request.query.get("type", "WithHeap")
        if kind not in ("WithHeap", "Mini", "Full", "Triage"):
            return problem(400, "The value is not valid for type.")
        if s.monitor_busy:
            return problem(429, "Too many dump requests.")
        self.nap(s.dump_delay)
        body = core_of(instance_id(index), found.pid, kind)
        entry["dump"] = told = {"pid": found.pid, "type": kind, "bytes": 0, "complete": False, "sha256": None}
        reply = Reply(200, kind="application/octet-stream", produce=lambda write: write(memoryview(body)), framing="chunked")

        def done(complete, sent):
            told.update(bytes=sent, complete=complete, sha256=hashlib.sha256(body[:sent]).hexdigest())
            if complete:
                with self.guard:
                    self.sent.append(dict(told, instance=instance_id(index)))
        reply.done = done
        return reply

    def _linux(self):
        kind = self.settings.linux
        if kind == "mono":
            return self.error(400, "Not supported on Linux")
        if kind == "unconfigured":
            return Reply(404, b"The dotnet-monitor tool is not configured to run", TEXT)
        return Reply(400, b"Not supported on Linux", TEXT)

    # ---- the dump

    def dump(self, request, entry, index, pid, kind=None):
        """Kudu's order: format, SKU, process, the one file, writing, answer."""
        s = self.settings
        if kind is None:
            kind = integer(request.query.get("dumpType", "0")) or 0
        form, failure = self._format(request.query.get("format", "raw"))
        if failure:
            return failure
        if kind == 2 and s.sku == "Free":
            return self.error(500, "Site sku (Free) does not support full minidump.")
        found, failure = self._find(index, pid)
        if failure:
            return failure
        if s.dump_error == "vanished":
            return self.error(404, f"Process with an Id of {pid} is not running.")
        entry["dump"] = told = {"pid": found.pid, "type": kind, "bytes": 0, "complete": False, "sha256": None}
        token = Token(request)
        if s.overlap == "global" and not self.share.take(token, s.overlap_wait):
            entry["overlap"] = True
            return self.error(500, SHARING)
        reply = None
        try:
            reply = self._written(found, kind, form, index, token, told)
        finally:
            if reply is None or (reply.produce is None and not getattr(reply, "keeps", False)):
                self.share.give(token)
        return reply

    def _format(self, word):
        known = {"raw": "raw", "0": "raw", "zip": "zip", "1": "zip"}.get(word.lower())
        if known:
            return known, None
        if INTEGER.match(word):
            return None, self.error(400, f"Dump format ({int(word)}) is not supported.")
        return None, self.error(400, f"Requested value '{word}' was not found.")

    def _written(self, process, kind, form, index, token, told):
        """The time it takes to write the dump, then the answer."""
        s = self.settings
        if 0 < s.gateway_cut_s < s.dump_delay:
            return self._gateway_cut(token)
        self.nap(s.dump_delay)
        if s.dump_error == "exited":
            return self.error(500, "An error has occurred.", ExceptionMessage=f"Cannot process request because the process ({process.pid}) has exited.",
                              ExceptionType="System.InvalidOperationException", StackTrace="   at System.Diagnostics.Process.GetProcessHandle\r\n")
        if s.dump_error in DUMP_ERRORS:
            return self.error(500, DUMP_ERRORS[s.dump_error].format(pid=process.pid))
        if s.junk == "html":
            return Reply(200, SIGN_IN, HTML)
        size = {"tiny": 8192, "short": 256, "empty": 0}.get(s.junk, s.dump_bytes or default_bytes(kind))
        dump = Dump(instance_id(index), process.pid, kind, size, s.junk)
        return self._stream(process, dump, form, index, token, told)

    def _gateway_cut(self, token):
        s = self.settings
        self.nap(s.gateway_cut_s)
        timer = threading.Timer(s.dump_delay - s.gateway_cut_s, self.share.give, [token])
        timer.daemon = True
        timer.start()
        if s.gateway_status == 502:
            reply = Reply(502, page("502 - Web server received an invalid response while acting as a gateway or proxy server.", "x" * 1200), HTML)
        else:
            reply = Reply(500, page("500 - The request timed out.", "The web server failed to respond within the specified time."), HTML)
        reply.keeps = True
        return reply

    def _stream(self, process, dump, form, index, token, told):
        s = self.settings
        digest = hashlib.sha256() if s.hash == "send" or form == "zip" else None
        told["size"] = dump.size
        if form == "zip":
            told["zip"] = True
            reply = Reply(200, kind="application/zip", produce=lambda write: self._zip(dump, write, digest, s.zip_missing), framing="chunked")
        else:
            def produce(write):
                for piece in dump.pieces():
                    write(piece)
                    if digest:
                        digest.update(piece)
            reply = Reply(200, kind="application/octet-stream", produce=produce, length=dump.size, framing=s.framing)
            reply.partial = digest.update if digest else lambda data: None

        def done(complete, sent):
            self.share.give(token)
            told.update(bytes=sent, complete=complete)
            told["sha256"] = digest.hexdigest() if digest else (lambda: dump.sha256(sent))
            if complete:
                with self.guard:
                    self.sent.append(dict(told, instance=instance_id(index)))
        reply.done = done
        reply.fields.append(("Content-Disposition", f"attachment; filename={self._file_name(process, form, index)}"))
        return reply

    @staticmethod
    def _zip(dump, write, digest, missing):
        """The zip as Kudu streams it; the digest is of the dump inside."""
        class Out:
            def write(self, data):
                write(memoryview(data).cast("B"))
                return len(data)

            def flush(self):
                pass
        with zipfile.ZipFile(Out(), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            if not missing:
                with archive.open(zipfile.ZipInfo("minidump.dmp"), "w", force_zip64=dump.size > 0xFFFFFFF0) as entry:
                    for piece in dump.pieces():
                        entry.write(piece)
                        digest.update(piece)
            archive.writestr("sos.dll", b"MZ sos" * 100)
            archive.writestr("mscordacwks.dll", b"MZ dac" * 100)

    def _file_name(self, process, form, index):
        s = self.settings
        if s.filename:
            name = s.filename
        else:
            digits = instance_id(index + 1000 if s.wrong_digits else index)[:6]
            stamp = time.strftime("%m-%d-%H-%M-%S", time.gmtime())
            name = f"{process.name}-{digits}-{stamp}.{'zip' if form == 'zip' else 'dmp'}"
        name = name.replace("\r", "_").replace("\n", "_")
        return f'"{name}"' if s.filename_quoted else name

    # ---- ARM

    def _envelope(self, request, value):
        """Kudu's own ARM shape when x-ms-geo-location is there."""
        place = request.field("x-ms-geo-location")
        if not place:
            return value
        base = request.field("referer").partition("?")[0].rstrip("/")
        wrap = lambda one, path: {"id": path, "name": f"{self.settings.site}/{one['id']}", "type": "Microsoft.Web/sites/instances/processes",
                                  "location": place, "properties": one}
        if isinstance(value, list):
            return {"value": [wrap(one, f"{base}/{one['id']}") for one in value]}
        return wrap(value, base)

    def _arm_error(self, status, code, message):
        return Reply(status, json.dumps({"error": {"code": code, "message": message}}).encode())

    def _arm(self, request, entry):
        """GET instances, [instances/{id}/]processes[/{pid}[/dump]]."""
        s, match = self.settings, ARM.match(request.path)
        if not match or "api-version" not in request.query:
            return self._arm_error(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")
        parts = match[5].strip("/").split("/")
        if parts == ["instances"]:
            return self._arm_instances(request)
        index = self.world.choose(None)
        if parts[0] == "instances" and len(parts) > 1:
            if parts[1] not in self.world.ids():
                return self._arm_error(404, "NotFound", f"Instance {parts[1]} not found.")
            index, parts = self.world.ids().index(parts[1]), parts[2:]
        entry["instance"] = instance_id(index)
        if parts[:1] != ["processes"] or request.method != "GET":
            return self._arm_error(404, "NotFound", "Not found.")
        return self._arm_process(request, entry, index, parts[1:])

    def _arm_instances(self, request):
        s = self.settings
        first, page = int(request.query.get("$skiptoken", 0)), s.arm_page or s.instances
        rows = [self._arm_instance(request, i) for i in range(first, min(first + page, s.instances))]
        host = s.arm_next or f"{request.scheme}://{request.field('host')}"
        more = f"{host}{request.path}?api-version={request.query['api-version']}&$skiptoken={first + page}"
        return self.json({"value": rows, "nextLink": more if first + page < s.instances else None})

    def _arm_instance(self, request, index):
        one = instance_id(index)
        return {"id": f"{request.path}/{one}", "name": one, "type": "Microsoft.Web/sites/instances", "location": "West Europe",
                "properties": {"state": "READY", "machineName": self.world.machine(index)}}

    def _arm_process(self, request, entry, index, parts):
        s = self.settings
        published = {"id": "identifier", "name": "deployment_name"} if s.arm_schema else {}
        wrap = lambda one: {"id": request.path, "name": f"{s.site}/{instance_id(index)}/{one['id']}", "type": "Microsoft.Web/sites/instances/processes",
                            "location": "West Europe", "properties": {published.get(k, k): v for k, v in one.items()}}
        base = f"https://{s.site}.scm.azurewebsites.net/api/processes"
        if not parts:
            return self.json({"value": [wrap(one) for one in self.world.list(index, base)]})
        found, failure = self._find(index, integer(parts[0]) if integer(parts[0]) is not None else -2)
        if failure:
            return failure
        if len(parts) == 1:
            one = self.world.detail(found, base, f"{base}/{found.pid}")
            if s.arm_role == "reader":
                one["environment_variables"] = {}
                del one["command_line"]
            return self.json(wrap(one))
        if s.arm_role == "reader":
            return Reply(401, b"", None)
        if parts[1:] == ["dump"] and not s.arm_timeout:
            return self.dump(request, entry, index, found.pid, kind=0)
        if s.arm_timeout:
            return self._arm_error(504, "GatewayTimeout", "The gateway did not receive a response from 'Microsoft.Web' within the specified time period.")
        return self._arm_error(404, "NotFound", "Not found.")
