# SPDX-License-Identifier: MIT
"""Big dumps for the bench: a small minidump with other memory around it, and the core of a .NET program that really is so big."""

import os
import shutil
import struct
import subprocess

MEMORY_64 = 9
PIECE = 256 << 10
FREE = 0x7E0000000000                                    # nothing of a Windows process lies there


def _directory(file):
    count, at = struct.unpack_from("<II", file, 8)
    for i in range(count):
        kind, _size, place = struct.unpack_from("<III", file, at + 12 * i)
        if kind == MEMORY_64:
            return at + 12 * i, place
    raise ValueError("no Memory64List")


def inflate(small, big, size):
    """Writes `small` to `big` with as many ranges of noise as make `size` bytes, as a large heap would."""
    with open(small, "rb") as opened:
        file = opened.read()
    slot, place = _directory(file)
    count, base = struct.unpack_from("<QQ", file, place)
    ranges = [struct.unpack_from("<QQ", file, place + 16 + 16 * i) for i in range(count)]
    more = max(0, size - len(file)) // PIECE
    noise = [(FREE + i * (PIECE + 65536), PIECE) for i in range(more)]
    first = base + sum(length for _address, length in ranges)
    head = bytearray(file[:base])
    at = len(head)
    struct.pack_into("<II", head, slot + 4, 16 + 16 * (count + more), at)
    every = ranges + noise
    listed = struct.pack("<QQ", len(every), at + 16 + 16 * len(every)) + b"".join(struct.pack("<QQ", *one) for one in every)
    block = os.urandom(PIECE)
    with open(big, "wb") as out:
        out.write(bytes(head) + listed + file[base:first])
        for _ in noise:
            out.write(block)


def core(folder):
    """A .NET program that fills 900 MiB and crashes; None where there is no dotnet."""
    if not shutil.which("dotnet"):
        return None
    path = os.path.join(folder, "fd10-big-4.core")
    make = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dumps", "make.sh")
    subprocess.run([make, folder, "fd10"], env=dict(os.environ, ONLY="big-4"), stdout=subprocess.DEVNULL, check=True)
    report = path + ".crashreport.json"                  # it would give the answer away
    if os.path.exists(report):
        os.unlink(report)
    return path if os.path.exists(path) else None


def dotnet_dump(folder):
    """From DOTNET_DUMP, PATH, or where core() had it installed; None: it cannot be had."""
    installed = os.path.join(folder, "tools", "dotnet-dump")
    return os.environ.get("DOTNET_DUMP") or shutil.which("dotnet-dump") or (installed if os.path.exists(installed) else None)
