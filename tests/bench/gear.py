# SPDX-License-Identifier: MIT
"""What the bench runs against: a source and a blob sink (tests/sink, two nginx), certificates, and dumps of any size."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "standin"))
from dumps import Dump                                      # noqa: E402

MIB = 1 << 20
INSTANCE = "a1b2c3" + "0" * 58
POOLS = {7: "~1bench", 4292: "bench"}                       # Kudu's own process and the worker
WORKER = 4292
NEEDS = {"/usr/bin/time": "time", "nginx": "nginx-light", "/usr/lib/nginx/modules/ngx_http_lua_module.so": "libnginx-mod-http-lua",
         "curl": "curl", "rclone": "rclone", "openssl": "openssl", "sha256sum": "coreutils"}
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def missing():
    """Debian packages that are not here."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    return [package for need, package in NEEDS.items() if not (os.path.exists(need) if need[0] == "/" else shutil.which(need))]


def ports(count):
    """Free ports: the kernel's choice, or from BENCH_PORT on."""
    base = int(os.environ.get("BENCH_PORT", "0"))
    if base:
        return list(range(base, base + count))
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


class Certificates:
    def __init__(self, folder):
        subprocess.run([os.path.join(TESTS, "pki", "make.sh"), folder], check=True)
        self.ca, self.chain, self.key = (os.path.join(folder, name) for name in ("ca.pem", "server.pem", "server.key"))


class Server:
    """tests/sink/run: the blob sink, and a source of files under /api when `files` is given."""

    def __init__(self, folder, certificates, files=None, chunked=False):
        plain, tls = ports_left.pop(), ports_left.pop()
        environment = dict(os.environ, SINK_CHUNKED="1" if chunked else "")
        if files:
            environment["SINK_FILES"] = files
        os.makedirs(folder)
        with open(os.path.join(folder, "output"), "wb") as output:
            self.process = subprocess.Popen([os.path.join(TESTS, "sink", "run"), folder, str(plain), str(tls), certificates.chain,
                                             certificates.key], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.folder, self.control, self.url = folder, f"http://127.0.0.1:{plain}", f"https://localhost:{tls}"
        self._wait()

    def _wait(self):
        for _ in range(200):
            try:
                self.ask("stats")
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        for name in ("output", "sink.log"):
            path = os.path.join(self.folder, name)
            if os.path.exists(path):
                sys.stderr.write(open(path).read())
        raise SystemExit("bench: the sink does not start")

    def ask(self, what):
        with DIRECT.open(f"{self.control}/_sink/{what}", timeout=10) as answer:
            return dict(line.split() for line in answer.read().decode().splitlines())

    def reset(self, delay=0):
        self.ask("reset")
        self.ask(f"set?delay={delay}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Source:
    """Static files that answer what kudump asks a Kudu: one worker, whose dump is a well-formed minidump of that size."""

    def __init__(self, folder, size, sparse=False):
        self.folder, self.size, self.dump = folder, size, Dump(INSTANCE, WORKER, 2, size)
        processes = os.path.join(folder, "api", "processes")
        for pid in POOLS:
            os.makedirs(os.path.join(processes, str(pid), "environments"))
            self._write(f"{pid}/environments/APP_POOL_ID.json", {"APP_POOL_ID": POOLS[pid]})
            self._write(f"{pid}.json", self._process(pid))
        self._write("0.json", self._process(7))
        self._write("../processes.json", [self._process(pid) for pid in POOLS])
        with open(os.path.join(processes, str(WORKER), "dump.bin"), "wb") as file:
            if sparse:
                file.write(self.dump.head)
                file.truncate(size)
            else:
                for piece in self.dump.pieces():
                    file.write(piece)
        self.sha256 = None if sparse else self.dump.sha256()

    def _process(self, pid):
        return {"id": pid, "name": "w3wp", "machineName": "RD0003FFBENCH1", "user_name": "IIS APPPOOL\\bench", "is_scm_site": pid == 7}

    def _write(self, name, value):
        with open(os.path.join(self.folder, "api", "processes", name), "w") as file:
            json.dump(value, file)

    def path(self):
        return f"/api/processes/{WORKER}/dump?dumpType=2"


ports_left = []


def reserve_ports():
    ports_left.extend(ports(16))
