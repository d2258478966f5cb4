#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A stand-in for Kudu (SCM): python3 kudu.py --port 0 --port-file FILE [--tls CERT KEY] [--log FILE] [--set key=value]…

Only Python's standard library. What it can be told is in README.md; everything but the port and TLS may be changed while it runs, at /_standin/."""

import argparse
import itertools
import json
import os
import signal
import socket
import ssl
import sys
import threading
import time

sys.dont_write_bytecode = True      # a test leaves nothing in the tree

from dumps import Dump, default_bytes
from settings import Settings, markdown
from site_answers import Site
from wire import Closed, Fault, Nap, Reply, Wire

CONTROL = "/_standin/"


class Journal:
    """What was seen: one object a request, in order of arrival."""

    def __init__(self, path):
        self.condition = threading.Condition()
        self.entries, self.open = [], 0
        self.file = open(path, "a", encoding="utf-8") if path else None

    def begin(self, entry):
        with self.condition:
            self.entries.append(entry)
            self.open += 1

    def end(self, entry):
        with self.condition:
            self.open -= 1
            self.condition.notify_all()
            if self.file:
                self.file.write(json.dumps(shown(entry)) + "\n")
                self.file.flush()

    def settle(self, seconds=0.3):
        """Waits a moment for answers whose last byte is already with the client."""
        with self.condition:
            self.condition.wait_for(lambda: self.open == 0, seconds)

    def clear(self):
        with self.condition:
            self.entries.clear()

    def lines(self):
        with self.condition:
            return "".join(json.dumps(shown(entry)) + "\n" for entry in list(self.entries))


def shown(value):
    """A copy in which digests that were put off are worked out."""
    if isinstance(value, dict):
        for key, one in value.items():
            if callable(one):
                value[key] = one()
        return {key: shown(one) for key, one in value.items()}
    return value


class Standin:
    def __init__(self, options):
        self.settings, self.nap = Settings(), Nap()
        for pair in options.set:
            name, _, value = pair.partition("=")
            self.settings.put(name, value)
        self.initial = self.settings.all()
        self.site = Site(self.settings, self.nap)
        self.journal = Journal(options.log)
        self.numbers = itertools.count(1)
        self.began = time.monotonic()
        self.context = self._context(options)

    @staticmethod
    def _context(options):
        if not options.tls:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        context.set_alpn_protocols(["http/1.1"])
        version = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
        if options.ciphers:
            context.set_ciphers(options.ciphers)
        if options.tls_version:
            context.minimum_version = context.maximum_version = version[options.tls_version]

        def remember_name(sock, name, _):
            sock.asked_name = name
        context.sni_callback = remember_name
        return context

    # ---- connections

    def serve(self, listener):
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self.connection, args=(sock, next(self.numbers)), daemon=True).start()

    def connection(self, sock, number):
        wire = None
        try:
            about = {"conn": number}
            if self.context:
                sock.settimeout(30)
                sock = self.context.wrap_socket(sock, server_side=True)
                about.update(tls=sock.version(), cipher=sock.cipher()[0], resumed=sock.session_reused, sni=getattr(sock, "asked_name", None))
            wire = Wire(sock, self.settings, self.nap)
            for turn in itertools.count(1):
                request = wire.read_request()
                request.scheme = "https" if self.context else "http"
                if not self.exchange(wire, request, dict(about, turn=turn)) or turn == self.settings.keepalive_max:
                    break
        except (Closed, OSError):
            pass
        finally:
            wire.close() if wire else sock.close()

    def exchange(self, wire, request, about):
        """One request and its answer; False when the connection ends with it."""
        if request.path.startswith(CONTROL):
            return wire.send(request, self.control(request), None, plain=True)
        entry = self._entry(request, about)
        self.journal.begin(entry)
        reply, wire.hit = None, False
        try:
            reply = self.site.answer(request, entry)
            entry["status"] = reply.status
            fault = Fault(self.settings) if self.site.fault_due(entry["route"]) else None
            reply.done = self._once(reply.done)
            return wire.send(request, reply, fault)
        except (Closed, OSError) as why:
            entry["broken"] = str(why)
            raise
        finally:
            if reply is not None:
                reply.done(False, 0)
            if wire.hit:
                entry["fault"] = self.settings.fault
            entry["seconds"] = round(time.monotonic() - self.began - entry["t"], 3)
            self.journal.end(entry)

    @staticmethod
    def _once(done_by):
        """done() for the first caller only: the wire, or we when the wire never came so far."""
        first = [done_by]

        def done(complete, sent):
            if first:
                first.pop()(complete, sent)
        return done

    def _entry(self, request, about):
        quiet = ("authorization", "cookie")
        return {"t": round(time.monotonic() - self.began, 3), **about, "method": request.method, "path": request.path, "query": request.query_text,
                "version": request.version, "host": request.field("host"), "affinity": request.cookie("ARRAffinity"), "cookies": request.cookie_names(),
                "headers": {k.lower(): v for k, v in request.fields if k.lower() not in quiet}}

    # ---- control pages

    def control(self, request):
        name = request.path[len(CONTROL):]
        handler = getattr(self, "page_" + name, None)
        if handler is None:
            return Reply(404, b"no such control page\n", "text/plain")
        try:
            return handler(request)
        except (KeyError, ValueError) as why:
            return Reply(400, f"{why}\n".encode(), "text/plain")

    @staticmethod
    def _json(value):
        return Reply(200, json.dumps(value).encode() + b"\n", "application/json")

    def page_set(self, request):
        """key=value&…: changes settings; answers with all of them."""
        for name, value in request.query.items():
            self.settings.put(name, value)
        self.site.changed(request.query)
        return self._json(self.settings.all())

    def page_reset(self, request):
        """All settings as at the start, log and dumps forgotten, sleepers woken (their connections close), the dump file free."""
        self.settings.__dict__.update(self.initial)
        self.nap.wake()
        self.journal.settle()
        self.journal.clear()
        self.site.reset()
        return self._json(self.settings.all())

    def page_log(self, request):
        """One JSON object a line; ?clear=1 forgets them afterwards."""
        self.journal.settle()
        text = self.journal.lines()
        if request.query.get("clear"):
            self.journal.clear()
        return Reply(200, text.encode(), "application/x-ndjson")

    def page_dumps(self, request):
        """The dumps that went out in full, in order: instance, pid, type, size, bytes, sha256."""
        self.journal.settle()
        return self._json([shown(one) for one in self.site.sent])

    def page_expected(self, request):
        """?pid=&type=[&size=][&count=]: size and sha256 of a dump (of its first count bytes) without sending it."""
        pid, kind = int(request.query["pid"]), int(request.query.get("type", "0"))
        size = int(request.query.get("size", 0)) or self.settings.dump_bytes or default_bytes(kind)
        world = self.site.world
        for index, one in enumerate(world.ids()):
            if pid in world.processes(index):
                dump = Dump(one, pid, kind, size, self.settings.junk)
                count = int(request.query.get("count", size))
                return self._json({"instance": one, "pid": pid, "type": kind, "size": size, "count": count, "sha256": dump.sha256(count)})
        raise KeyError(f"no pid {pid}")

    def page_drive(self, request):
        """What is left under LogFiles/kudump, and the commands that were run."""
        return self._json(self.site.drive.state())

    def page_state(self, request):
        """Instances with machine names and pids, whether a dump is being taken, how many overlapped."""
        world = self.site.world
        instances = [{"id": one, "machine": world.machine(i), "processes": {str(p.pid): p.role for p in world.processes(i).values()}}
                     for i, one in enumerate(world.ids())]
        return self._json({"instances": instances, "busy": self.site.share.holder is not None, "overlaps": self.site.share.violations, "open": self.journal.open})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port-file")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--tls-version", choices=("1.2", "1.3"))
    parser.add_argument("--log", help="JSON lines are added here too")
    parser.add_argument("--ciphers", help="OpenSSL's list for TLS 1.2")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--table", action="store_true", help="print the settings as Markdown and end")
    options = parser.parse_args()
    if options.table:
        print(markdown())
        return
    standin = Standin(options)
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.create_server((options.host, options.port), family=family, backlog=256)
    port = listener.getsockname()[1]
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{port}\n")
        os.replace(options.port_file + ".new", options.port_file)
    print(port, flush=True)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    try:
        standin.serve(listener)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
