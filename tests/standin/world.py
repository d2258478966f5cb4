# SPDX-License-Identifier: MIT
"""The site as Kudu shows it: instances, processes, their JSON, and the one minidump.dmp that all instances share."""

import hashlib
import json
import random
import threading
import time

PID_STEP = 100000                   # between instances: their pids are disjoint
UNICODE = ["größe", "процесс", "名前プロセス", "emoji-\U0001F4A5", "e\u0301", "\u202egpj.exe"]
HOSTILE = ["../../x", "..\\..\\x", "a/b", "/etc/passwd", "C:\\x", "CON", "x\ny", "x\x1b[31mred", "x\0y", ".", "..", "", " ", "-rf", "%2e%2e", "a" * 300, "\u2028"]
SURROGATE = ["x\ud800", "\udc00y"]


def instance_id(index):
    return hashlib.sha256(f"kudump instance {index}".encode()).hexdigest()


class Process:
    def __init__(self, instance, pid, name, role, parent=-1, user="", children=()):
        self.instance, self.pid, self.name, self.role, self.parent, self.user = instance, pid, name, role, parent, user
        self.children = list(children)

    def pool(self, site):
        return "~1" + site if self.role == "scm" else site


class World:
    def __init__(self, settings):
        self.settings = settings
        self.random = random.Random(settings.seed)
        self.turn = 0
        self.guard = threading.Lock()
        self.cache = {}
        self.tools = {}             # what /api/command started, by instance

    def changed(self):
        with self.guard:
            self.random = random.Random(self.settings.seed)
            self.cache.clear()

    # ---- instances

    def ids(self):
        return [instance_id(i) for i in range(self.settings.instances)]

    def machine(self, index):
        return self.settings.machine_name or f"RD0003FF{0xA1B2C3 + index * 0x111:06X}"

    def choose(self, wanted):
        """Index of the instance that answers a request with this ARRAffinity value (or ?instance=)."""
        s, ids = self.settings, self.ids()
        with self.guard:
            if s.affinity == "reject" and wanted in ids and len(ids) > 1:
                return (ids.index(wanted) + 1) % len(ids)
            if wanted in ids and s.affinity not in ("ignore", "deaf"):
                return ids.index(wanted)
            if s.route == "first":
                return 0
            if s.route == "next":
                self.turn += 1
                return (self.turn - 1) % len(ids)
            return self.random.randrange(len(ids))

    # ---- processes

    def processes(self, index):
        with self.guard:
            if index not in self.cache:
                self.cache[index] = {p.pid: p for p in self._make(index)}
            return self.cache[index]

    def _make(self, index):
        s, base = self.settings, index * PID_STEP
        app = f"IIS APPPOOL\\{s.site}"
        made = [Process(index, base + 6948 + 8 * n, "w3wp", "scm", user=f"IIS APPPOOL\\~1{s.site}") for n in range(s.scms)]
        for n in range(s.workers):
            made.append(Process(index, base + 4292 + 8 * n, s.worker_name, "worker", user=app))
        for n in range(s.children):
            made.append(Process(index, base + 5116 + 8 * n, "dotnet", "child", base + 4292, app))
        for n in range(s.webjobs):
            made.append(Process(index, base + 6216 + 8 * n, "MyJob", "webjob", base + 6948, app))
        for n in range(s.extra):
            kinds = {"unicode": UNICODE, "hostile": HOSTILE, "surrogate": SURROGATE}.get(s.names, ["helper"])
            made.append(Process(index, base + 10000 + 4 * n, kinds[n % len(kinds)], "child", base + 4292, app))
        for parent in made:
            parent.children = [p.pid for p in made if p.parent == parent.pid] if parent.role in ("scm", "worker") else []
        return made

    def scm(self, index):
        return next(p for p in self.processes(index).values() if p.role == "scm")

    def find(self, index, pid):
        """The process that an id names (0: Kudu, -1: the first other w3wp), None, or LookupError for -1 without one."""
        if pid == 0:
            return self.scm(index)
        if pid == -1:
            for p in self.processes(index).values():
                if p.name == "w3wp" and p.role != "scm":
                    return p
            raise LookupError
        if str(pid) in self.settings.gone.split(","):
            return None
        return self.processes(index).get(pid)

    # ---- JSON

    def dumps(self, value):
        s = self.settings
        if s.shuffle or s.unknown_keys:
            value = self._stir(value, random.Random(s.seed))
        text = json.dumps(value, ensure_ascii=s.escape == "ascii", separators=(",", ":"))
        return text.encode("utf-8", "replace")

    def _stir(self, value, chance):
        if isinstance(value, list):
            return [self._stir(v, chance) for v in value]
        if not isinstance(value, dict):
            return value
        items = [(k, self._stir(v, chance)) for k, v in value.items()]
        if self.settings.unknown_keys:
            items.append(("x_unknown", {"id": -7, "name": "wrong", "is_scm_site": True, "deep": [[{"id": [1.5e300, None, False]}]]}))
            items.append(("id2", "\"id\":1,\\\"name\\\":\"w3wp\""))
        if self.settings.shuffle:
            chance.shuffle(items)
        return dict(items)

    def list_entry(self, p, base):
        entry = {"id": p.pid, "name": p.name, "machineName": self.machine(p.instance), "href": f"{base}/{p.pid}"}
        if p.user and self.settings.missing_user < 2 and not (self.settings.missing_user and p.role == "scm" and p.pid % PID_STEP == 6948):
            entry["user_name"] = p.user
        return entry

    def list(self, index, base):
        every = sorted([*self.processes(index).values(), *self.tools.get(index, [])], key=lambda p: (p.name.lower(), p.pid))
        return [self.list_entry(p, base) for p in every]

    def environment(self, p):
        s = self.settings
        env = {"APP_POOL_ID": p.pool(s.site), "COMPUTERNAME": self.machine(p.instance), "WEBSITE_INSTANCE_ID": instance_id(p.instance),
               "WEBSITE_SITE_NAME": s.site, "WEBSITE_SKU": s.sku,
               "PROCESSOR_ARCHITECTURE": "x86" if s.worker_bits == 32 else "AMD64", "APPSETTING_ConnectionString": "Server=db;Password=do-not-print-me",
               "NOT_APP_POOL_ID_X": "wrong"}
        if p.role == "webjob":
            env["WEBJOBS_NAME"] = p.name
        return env

    def detail(self, p, base, self_url):
        s = self.settings
        start = 1725441164 + p.pid % 1000
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(start)) + ".1873214Z"
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".71Z"
        memory = 100000000 + p.pid * 4096
        d = {"id": p.pid, "name": p.name, "machineName": self.machine(p.instance), "href": f"{base}/{p.pid}", "minidump": f"{self_url}/dump",
             "iis_profile_timeout_in_seconds": 180.0, "parent": f"{base}/{p.parent}", "children": [f"{base}/{c}" for c in p.children],
             "threads": [{"id": p.pid + 4 + 4 * n, "href": f"{base}/{p.pid}/threads/{p.pid + 4 + 4 * n}", "state": "Wait"} for n in range(3)],
             "open_file_handles": ["C:\\home\\LogFiles\\Application\\a.log"],
             "modules": [self._module(base, p, 0x7FFD1A2B0000, "ntdll.dll"), self._module(base, p, 0x7FF6C0DE0000, "w3wp.exe")],
             "file_name": f"C:\\Windows\\System32\\inetsrv\\{p.name}.exe", "command_line": f"{p.name}.exe -ap \"{p.pool(s.site)}\"", "user_name": p.user,
             "handle_count": 1021, "module_count": 183, "thread_count": 41, "start_time": stamp,
             "total_cpu_time": "00:01:17.59375", "user_cpu_time": "1.00:01:02", "privileged_cpu_time": "00:00:15.59375",
             "working_set": memory + 13000000, "peak_working_set": memory + 130000000, "private_memory": memory,
             "virtual_memory": 2203842945024, "peak_virtual_memory": 2203900000000, "paged_system_memory": 812344, "non_paged_system_memory": 96544,
             "paged_memory": memory, "peak_paged_memory": memory + 100000000, "time_stamp": now,
             "environment_variables": {} if s.bitness else self.environment(p)}
        if s.missing_user > 1:
            del d["user_name"]
        if p.role == "webjob":
            d["description"] = f"WebJob: {p.name}, Type: continuous"
            if not s.bitness:
                d["is_webjob"] = True
        if p.role == "scm" and not s.bitness:
            d["is_scm_site"] = True
        if s.details == "large":
            d["modules"] = [self._module(base, p, 0x7FF000000000 + n * 0x10000, f"Größe.\U0001F4A5.Module{n:04}.dll") for n in range(700)]
            d["open_file_handles"] = [f"C:\\home\\site\\wwwroot\\größe\\\"{n}\"\\\t\u2028\u0001\\file{n:05}.log" for n in range(12000)]
            d["environment_variables"]["LONG"] = "\\\"é" * 20000
        return d

    @staticmethod
    def _module(base, p, at, name):
        version = None if at % 3 == 0 else "10.0.14393.0"
        return {"base_address": f"{at:x}", "file_name": name, "href": f"{base}/{p.pid}/modules/{at:x}", "file_version": version}


class Share:
    """%HOME%\\LogFiles\\minidump\\minidump.dmp: one dump at a time, whatever the instance."""

    def __init__(self):
        self.condition = threading.Condition()
        self.holder = None
        self.violations = 0

    def take(self, token, wait_s):
        """True when the file is ours; False, and a violation counted, when another dump held it all that time."""
        with self.condition:
            if self.condition.wait_for(lambda: self.holder is None, wait_s):
                self.holder = token
                return True
            self.violations += 1
            return False

    def give(self, token):
        with self.condition:
            if self.holder is token:
                self.holder = None
                self.condition.notify_all()

    def clear(self):
        with self.condition:
            self.holder = None
            self.violations = 0
            self.condition.notify_all()


class Shares:
    """One Share, or one for each Host."""

    def __init__(self, settings):
        self.settings, self.guard, self.each = settings, threading.Lock(), {}

    def _of(self, token):
        with self.guard:
            return self.each.setdefault(token.host if self.settings.by_host else "", Share())

    def take(self, token, wait_s):
        return self._of(token).take(token, wait_s)

    def give(self, token):
        self._of(token).give(token)

    def clear(self):
        for one in list(self.each.values()):
            one.clear()

    @property
    def holder(self):
        return next((one.holder for one in list(self.each.values()) if one.holder is not None), None)

    @property
    def violations(self):
        return sum(one.violations for one in list(self.each.values()))
