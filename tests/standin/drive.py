# SPDX-License-Identifier: MIT
"""%HOME% as /api/vfs shows it, and what /api/command can start there: enough of cmd.exe for mkdir, start and redirection, and ProcDump,
which writes a dump for a while. All instances share %HOME%, as App Service's do."""

import re
import threading
import time

from dumps import Dump, default_bytes
from wire import Reply
from world import Process, instance_id

TOOLS = ("systemdrive", "devtools", "sysinternals")
WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')


class File:
    def __init__(self, name, data=b"", dump=None):
        self.name, self.data, self.dump, self.part, self.mtime, self.locked = name, data, dump, None, time.time(), False

    def size(self):
        if self.part is not None:
            return self.part
        return self.dump.size if self.dump else len(self.data)

    def etag(self):
        ticks = int(self.mtime * 10_000_000) + 621355968000000000
        return '"' + ticks.to_bytes(8, "little").hex() + '"'

    def pieces(self, start, end):
        if not self.dump:
            yield memoryview(self.data)[start:end]
            return
        at = 0
        for piece in self.dump.pieces():
            low, high = max(start - at, 0), min(end - at, len(piece))
            if low < high:
                yield piece[low:high]
            at += len(piece)
            if at >= end:
                return


class Drive:
    def __init__(self, settings, world, error, json):
        self.settings, self.world, self.error, self.json = settings, world, error, json
        self.guard = threading.RLock()
        self.clear()

    def clear(self):
        with self.guard:
            self.files, self.folders = {}, {(), ("logfiles",), ("site",), ("site", "wwwroot")}
            self.names = {("logfiles",): "LogFiles", ("site",): "site", ("site", "wwwroot"): "wwwroot"}
            self.runs = []

    def state(self):
        """What stands under LogFiles/kudump, and which commands were run, for tests."""
        with self.guard:
            left = ["/".join(p) for p in [*self.files, *self.folders] if p[:2] == ("logfiles", "kudump") and len(p) > 2]
            return {"left": sorted(left), "runs": list(self.runs)}

    # ---- /api/vfs

    @staticmethod
    def path_of(text):
        return tuple(part.lower() for part in text.replace("\\", "/").split("/") if part)

    def vfs(self, request):
        text = request.path[len("/api/vfs"):]
        path, slash = self.path_of(text), text.endswith("/")
        if any(part in (".", "..") for part in path):
            return self.error(404, "Not found.")
        if path[:1] == ("systemdrive",):
            return self._tools(request, path, slash)
        with self.guard:
            if path in self.folders:
                return self._folder(request, path, slash)
            found = self.files.get(path)
        if found:
            return self._file(request, path, found, slash)
        missing = "C:\\home\\" + "\\".join(path)
        return self.error(404, f"'{missing}' not found.")

    def _moved(self, request, target):
        return Reply(307, b"", None, [("Location", "https://" + request.field("host") + target)], reason="Temporary Redirect")

    def _folder(self, request, path, slash):
        if request.method == "DELETE":
            return self._delete_folder(request, path)
        if not slash:
            return self._moved(request, request.path + "/")
        found = []
        for other, one in self.files.items():
            if other[:-1] == path:
                found.append(self._entry(request, one.name, one.size(), one.mtime, "application/octet-stream", ""))
        for other in self.folders:
            if other and other[:-1] == path:
                found.append(self._entry(request, self.names.get(other, other[-1]), 0, time.time(), "inode/directory", "/"))
        return self.json(found)

    def _entry(self, request, name, size, mtime, mime, end):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(mtime)) + f".{int(mtime * 1e7) % 10_000_000:07}+00:00"
        return {"name": name, "size": size, "mtime": stamp, "crtime": stamp, "mime": mime,
                "href": f"https://{request.field('host')}{request.path}{name}{end}", "path": f"C:\\home\\{name}"}

    def _delete_folder(self, request, path):
        inside = [p for p in [*self.files, *self.folders] if p[:len(path)] == path and p != path]
        if inside and request.query.get("recursive") != "true":
            return self.error(409, "The directory is not empty.")
        for one in inside:
            self.files.pop(one, None)
            self.folders.discard(one)
        self.folders.discard(path)
        return Reply(200, b"", None)

    def _file(self, request, path, found, slash):
        if slash:
            return self._moved(request, request.path.rstrip("/"))
        etag = found.etag()
        if request.method == "DELETE":
            return self._delete_file(request, path, found, etag)
        if found.locked:
            return self.error(404, "An error has occurred.", ExceptionMessage=f"The process cannot access the file '{found.name}' because it is being used by another process.")
        if request.field("if-none-match") == etag:
            return Reply(304, b"", None, [("ETag", etag)], reason="Not Modified")
        return self._content(request, found, etag)

    def _delete_file(self, request, path, found, etag):
        wanted = request.field("if-match")
        if wanted not in ("*", etag):
            return self.error(412, "ETag does not represent the latest state of the resource.")
        if found.locked:
            return self.error(409, "The process cannot access the file because it is being used by another process.")
        with self.guard:
            self.files.pop(path, None)
        return Reply(200, b"", None)

    def _content(self, request, found, etag):
        size, start, end, status = found.size(), 0, found.size(), 200
        fields = [("ETag", etag), ("Accept-Ranges", "bytes"), ("Last-Modified", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(found.mtime)))]
        wanted = re.match(r"bytes=(\d+)-(\d*)$", request.field("range"))
        if wanted and self.settings.vfs_ranges and request.field("if-range") in ("", etag):
            start, end = int(wanted[1]), int(wanted[2]) + 1 if wanted[2] else size
            if start >= size:
                return Reply(416, b"", None, [("Content-Range", f"bytes */{size}")], reason="Requested Range Not Satisfiable")
            end, status = min(end, size), 206
            fields.append(("Content-Range", f"bytes {start}-{end - 1}/{size}"))
        reply = Reply(status, kind="application/octet-stream", fields=fields, length=end - start, framing="length",
                      produce=lambda write: [write(piece) for piece in found.pieces(start, end)], reason="Partial Content" if status == 206 else None)
        return reply

    def _tools(self, request, path, slash):
        there = {"both": ["procdump.exe", "procdump64.exe"], "64": ["procdump64.exe"], "32": ["procdump.exe"]}.get(self.settings.procdump_tools)
        if path != TOOLS or there is None:
            return self.error(404, "'C:\\" + "\\".join(path[1:]) + "' not found.")
        if not slash:
            return self._moved(request, request.path + "/")
        return self.json([self._entry(request, name, 400000, 1725441164, "application/octet-stream", "") for name in there])

    # ---- /api/command

    def command(self, index, body):
        """Runs it on an instance; what Kudu says of it."""
        machine = self.world.machine(index)
        line = re.sub(r"%(\w+)%", lambda m: {"home": "C:\\home", "systemdrive": "C:", "computername": machine}.get(m[1].lower(), m[0]), body.get("command") or "", flags=re.I)
        with self.guard:
            self.runs.append({"instance": instance_id(index), "command": body.get("command"), "dir": body.get("dir")})
        output, code = "", 0
        for step in re.split(r"\s+&&?\s+", line):
            words = [w.replace('"', "") if not w.startswith('""') else "" for w in WORD.findall(step)]
            if not words:
                continue
            text, code = self._run(index, [w for w in words])
            output += text
            if code and ("&&" in line or words[0] == "(if"):
                break
        return {"Output": output, "Error": "" if code == 0 else output, "ExitCode": code}

    def _home(self, text):
        """A path under %HOME% as the vfs has it, or None."""
        parts = self.path_of(text)
        return parts[2:] if parts[:2] == ("c:", "home") else None

    def _run(self, index, words):
        if words[0].lower() == "(if":
            return self._unless(words[1:])
        if words[0].lower() in ("mkdir", "md"):
            return self._mkdir(words[-1])
        if words[0].lower() == "start":
            return self._start(index, words[1:])
        return f"'{words[0]}' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n", 1

    @staticmethod
    def _unless(words):
        """(if /i not "A"=="B" exit N)"""
        left, _, right = next(w for w in words if "==" in w).partition("==")
        same = left.lower() == right.lower()
        return "", 0 if same else int(words[-1].rstrip(")"))

    def _mkdir(self, text):
        path = self._home(text)
        with self.guard:
            if path is None:
                return "Access is denied.\r\n", 1
            if path in self.folders:
                return f"A subdirectory or file {text} already exists.\r\n", 1
            parts = [p for p in text.replace("\\", "/").split("/") if p][2:]
            for n in range(1, len(path) + 1):
                self.folders.add(path[:n])
                self.names.setdefault(path[:n], parts[n - 1])
        return "", 0

    def _start(self, index, words):
        words = [w for w in words if w.lower() not in ("", "/b")]
        target = None
        if ">" in words:
            place = words.index(">")
            target = self._home(words[place + 1])
            words = words[:place]
        tool = words[0].lower().split("\\")[-1]
        if not tool.startswith("procdump") or target is None or target[:-1] not in self.folders:
            return "The system cannot find the path specified.\r\n", 1
        with self.guard:
            log = self.files[target] = File(target[-1])
        threading.Thread(target=self._tool, args=(index, tool, words[1:], log), daemon=True).start()
        return "", 0

    def _tool(self, index, tool, words, log):
        """The process is in the list for as long as it runs."""
        shown = Process(index, 20000 + len(self.runs) * 4, tool[:-4], "child")
        self.world.tools.setdefault(index, []).append(shown)
        try:
            self._procdump(index, tool, words, log)
        finally:
            self.world.tools[index].remove(shown)

    # ---- ProcDump

    def _say(self, log, text):
        with self.guard:
            log.data += text.replace("\n", "\r\n").encode()
            log.mtime = time.time()

    def _procdump(self, index, tool, words, log):
        s = self.settings
        switches = [w.lower() for w in words if w.startswith("-")]
        plain = [w for w in words if not w.startswith("-")]
        self._say(log, "\nProcDump v11.0 - Sysinternals process dump utility\nSysinternals - www.sysinternals.com\n\n")
        if "-accepteula" not in switches:
            return
        if s.procdump == "slow":
            time.sleep(s.procdump_s)
        if "-n" in switches:
            plain.remove(words[words.index("-n") + 1])
        if "-mc" in switches:
            plain.remove(words[words.index("-mc") + 1])
        process = self.world.find(index, int(plain[0])) if plain and plain[0].isdigit() else None
        if process is None or s.procdump == "exited":
            return self._say(log, f"[12:00:00] The process with PID {plain[0]} could not be found.\n")
        bits = 32 if s.worker_bits == 32 else 64
        if (bits == 64) != tool.endswith("64.exe"):
            return self._say(log, "Error: wrong ProcDump for this process.\n")
        if s.procdump == "noclone" and "-r" in switches:
            return self._say(log, "[12:00:01] Dump 1 error: Error writing dump file: 0x80070006\nThe handle is invalid. (0x00000006, 6)\n")
        if s.procdump == "denied":
            return self._say(log, "Error opening " + process.name + f".exe ({process.pid}):\nAccess is denied. (0x00000005, 5)\n")
        if s.procdump == "diskfull":
            return self._say(log, "[12:00:01] Dump 1 error: Error writing dump file: 0x80070070\nThere is not enough space on the disk. (0x00000070, 112)\n")
        self._write(index, process, 2 if "-ma" in switches else 0, self._home(plain[1]), log)

    def _write(self, index, process, kind, path, log):
        s = self.settings
        size = s.dump_bytes or default_bytes(kind)
        dump = Dump(instance_id(index), process.pid, kind, size)
        text = "C:\\home\\" + "\\".join(path)
        self._say(log, f"[12:00:00] Dump 1 initiated: {text}\n[12:00:00] Dump 1 writing: Estimated dump file size is {size >> 20} MB.\n")
        if s.procdump == "hang":
            time.sleep(s.procdump_s)
            return
        with self.guard:
            out = self.files[path] = File(path[-1], dump=dump)
            out.part, out.locked = 0, True
        steps = max(1, int(s.procdump_s * 10))
        for step in range(steps):
            time.sleep(s.procdump_s / steps)
            out.part, out.mtime = size * (step + 1) // (steps + 1), time.time()
            if s.procdump == "late" and step == steps // 2:
                out.locked = False
                self._say(log, "[12:00:01] Dump 1 complete\n")
            if s.procdump == "dies" and step >= steps // 2:
                out.locked = False
                return
        if path[:-1] not in self.folders:
            return
        out.part, out.mtime, out.locked = None, time.time(), False
        self._say(log, f"[12:00:02] Dump 1 complete: {size >> 20} MB written in 1.9 seconds\n[12:00:02] Dump count reached.\n\n")
