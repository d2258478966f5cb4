#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a program and looks at it from outside: watched.py FOLDER PROGRAM [ARG…]; or: watched.py --search CANARIES FOLDER…

FOLDER/out and FOLDER/err get what it prints, FOLDER/seen what any user could see of it while it ran (command line, name of each
thread, children), FOLDER/last its command line when it was seen last, FOLDER/limits its limits. Ends with its status.

--search: CANARIES has a NAME VALUE a line. Each value is searched for in all contents and names below the folders: as it is,
percent-encoded, in hex and in Base64 at each of its three places. Prints where; ends with 1 when there was one."""
import base64, os, subprocess, sys, time, urllib.parse


def look(pid):
    base = f"/proc/{pid}/task"
    words = [open(f"/proc/{pid}/cmdline", "rb").read()]
    for task in os.listdir(base):
        words += [open(f"{base}/{task}/{name}", "rb").read() for name in ("comm", "children")]
    return words


def watch(folder, command):
    os.makedirs(folder, exist_ok=True)
    seen, last, limits = set(), b"", b""
    with open(f"{folder}/out", "wb") as out, open(f"{folder}/err", "wb") as err:
        run = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        while run.poll() is None:
            try:
                words = look(run.pid)
                if os.readlink(f"/proc/{run.pid}/exe") == os.path.realpath(command[0]) and words[0]:
                    seen.update(words)
                    last = words[0]
                    limits = open(f"/proc/{run.pid}/limits", "rb").read()
            except OSError:
                pass
            time.sleep(0.004)
    for name, data in (("seen", b"\n".join(sorted(seen))), ("last", last), ("limits", limits)):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data.replace(b"\0", b"\n"))
    return run.returncode


def forms(value):
    raw = value.encode()
    yield "as it is", raw
    yield "in hex", raw.hex().encode()
    for keep in ("", "/"):
        yield "percent-encoded", urllib.parse.quote(value, safe=keep).encode()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield "in Base64", coded[(0, 2, 3)[shift]:len(coded) - (shift + len(raw)) % 3]


def search(canaries, folders):
    wanted = [(line.split(" ", 1)[0], how, form) for line in open(canaries).read().splitlines() for how, form in forms(line.split(" ", 1)[1])]
    found = set()
    for folder in folders:
        for at, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(at, name)
                for where, data in (("name", path.encode()), ("contents", open(path, "rb").read())):
                    found |= {f"{secret} {how} in the {where} of {path}" for secret, how, form in wanted if form in data}
    print(*sorted(found), sep="\n")
    return 1 if found else 0


sys.exit(search(sys.argv[2], sys.argv[3:]) if sys.argv[1] == "--search" else watch(sys.argv[1], sys.argv[2:]))
