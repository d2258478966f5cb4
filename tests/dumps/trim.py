#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trim.py IN OUT [OPTION…]: cuts a small dump out of a big one. What `kudump analyze --json OPTION… IN` reads is found by strace;
OUT keeps the memory that was read, the crashed thread's stack and all that is no memory (headers, notes, streams), but not what
was merely searched. Then OUT is analysed: it must say what IN says. Needs strace; KUDUMP names the binary."""

import bisect
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
KUDUMP = os.environ.get("KUDUMP", os.path.join(ROOT, "build", "kudump"))
PAGE = 4096
STACK = 32768                                            # bytes above the stack pointer that are kept in any case
SEARCH = 24                                              # blocks in a row


def blocks_read(path, options):
    """The blocks of the file that were read, in order, and what was said."""
    with tempfile.NamedTemporaryFile("r") as log:
        run = subprocess.run(["strace", "-f", "-y", "-e", "trace=pread64", "-o", log.name, KUDUMP, "analyze", "--json", *options, path],
                             capture_output=True, check=True)
        name = re.escape(os.path.realpath(path))
        found = re.findall(rf"pread64\(\d+<{name}>, .*, \d+, (\d+)\) = (\d+)", log.read())
    blocks = []
    for offset, length in found:
        first, last = int(offset) // PAGE, (int(offset) + max(int(length), 1) - 1) // PAGE
        blocks += range(first, last + 1)
    return blocks, json.loads(run.stdout)


def searched(blocks):
    """What was read from one end to the other: most of it was not what was looked for."""
    found, run = set(), []
    for block in blocks + [-1]:
        if run and block != run[-1] + 1:
            found.update(run if len(run) >= SEARCH else [])
            run = []
        run.append(block)
    return sorted(found)


def core_memory(file):
    """(address, offset, length, flags) of each loaded segment, and the notes."""
    start, size, count = struct.unpack_from("<Q", file, 32)[0], 56, struct.unpack_from("<H", file, 56)[0]
    loads, notes = [], b""
    for i in range(count):
        kind, flags, offset, address, _physical, length = struct.unpack_from("<IIQQQQ", file, start + i * size)
        if kind == 4:
            notes = file[offset:offset + length]
        elif kind == 1 and length:
            loads.append((address, offset, length, flags))
    return loads, notes


def minidump_memory(file):
    count, directory = struct.unpack_from("<II", file, 8)
    for i in range(count):
        kind, _size, at = struct.unpack_from("<III", file, directory + 12 * i)
        if kind == 9:
            number, offset = struct.unpack_from("<QQ", file, at)
            ranges, base = [], offset
            for k in range(number):
                address, length = struct.unpack_from("<QQ", file, at + 16 + 16 * k)
                ranges.append((address, offset, length, 0))
                offset += length
            return ranges, base, directory + 12 * i
    raise SystemExit("trim: no full dump (no Memory64List)")


def stack_of(said):
    """Where the crashed thread's stack is looked at next: address and length."""
    crash = said.get("crash_info", {}).get("crashing_thread")
    registers = said["threads"][crash]["frames"][0].get("registers", {}) if crash is not None else {}
    return int(registers.get("rsp", "0"), 16), STACK


def pieces_of(ranges, blocks, stack):
    """What of the memory lies in these blocks of the file or on that stack: [block or None, address, offset, length, flags] each."""
    pieces = []
    for address, offset, length, flags in sorted(ranges):
        first, last = offset // PAGE, (offset + length - 1) // PAGE
        low, high = (place - address + offset for place in (stack[0] - PAGE, stack[0] + stack[1]))
        on_stack = range(max(first, low // PAGE), min(last, high // PAGE) + 1)
        inside = blocks[bisect.bisect_left(blocks, first):bisect.bisect_right(blocks, last)]
        for block in sorted(set(inside).union(on_stack)):
            begin, end = max(offset, block * PAGE), min(offset + length, (block + 1) * PAGE)
            pieces.append([None if block in on_stack else block, address + begin - offset, begin, end - begin, flags])
    return pieces


def joined(pieces, blocks):
    """Those of the kept blocks, as [address, offset, length, flags], neighbours joined."""
    found = []
    for block, at, begin, length, flags in pieces:
        if block is not None and block not in blocks:
            continue
        if found and [found[-1][0] + found[-1][2], found[-1][1] + found[-1][2], found[-1][3]] == [at, begin, flags]:
            found[-1][2] += length
        else:
            found.append([at, begin, length, flags])
    return found


def write_core(file, pieces, notes, path):
    head = bytearray(file[:64])
    struct.pack_into("<Q", head, 32, 64)
    struct.pack_into("<Q", head, 40, 0)
    struct.pack_into("<H", head, 56, 1 + len(pieces))
    struct.pack_into("<HHH", head, 58, 0, 0, 0)
    offset = 64 + 56 * (1 + len(pieces))
    table = struct.pack("<IIQQQQQQ", 4, 0, offset, 0, 0, len(notes), 0, 4)
    gap = -(offset + len(notes)) % PAGE
    offset += len(notes) + gap
    for address, _from, length, flags in pieces:
        table += struct.pack("<IIQQQQQQ", 1, flags, offset, address, 0, length, length, PAGE)
        offset += length
    with open(path, "wb") as out:
        out.write(bytes(head) + table + notes + bytes(gap))
        for _address, begin, length, _flags in pieces:
            out.write(file[begin:begin + length])


def write_minidump(file, pieces, base, slot, path):
    head = bytearray(file[:base])
    head += bytes(-len(head) % 16)
    listed = struct.pack("<QQ", len(pieces), len(head) + 16 + 16 * len(pieces))
    listed += b"".join(struct.pack("<QQ", address, length) for address, _offset, length, _flags in pieces)
    struct.pack_into("<II", head, slot + 4, len(listed), len(head))
    with open(path, "wb") as out:
        out.write(bytes(head) + listed)
        for _address, begin, length, _flags in pieces:
            out.write(file[begin:begin + length])


def without_file(said):
    return {key: value for key, value in said.items() if key not in ("file", "soft_errors", "modules", "unloaded_modules")}


class Cutter:
    """Writes what is left of a dump, and asks whether it still says the same."""

    def __init__(self, source, target, options):
        self.target, self.options = target, options
        self.blocks, said = blocks_read(source, options)
        self.said = without_file(said)
        with open(source, "rb") as opened:
            self.file = opened.read()

        touched = sorted(set(self.blocks))
        if self.file[:4] == b"MDMP":
            ranges, self.base, self.slot = minidump_memory(self.file)
        else:
            ranges, self.notes = core_memory(self.file)
        self.pieces = pieces_of(ranges, touched, stack_of(said))

    def write(self, blocks):
        pieces = joined(self.pieces, blocks)
        if self.file[:4] == b"MDMP":
            write_minidump(self.file, pieces, self.base, self.slot, self.target)
        else:
            write_core(self.file, pieces, self.notes, self.target)

    def same(self, blocks):
        self.write(blocks)
        run = subprocess.run([KUDUMP, "analyze", "--json", *self.options, self.target], capture_output=True)
        return run.returncode == 0 and without_file(json.loads(run.stdout)) == self.said

    def cut(self):
        keep, size = set(self.blocks), 512
        if not self.same(keep):
            raise SystemExit(f"trim: {self.target} would say something else")
        doubtful = searched(self.blocks)
        while size:
            for at in range(0, len(doubtful), size):
                if self.same(keep.difference(doubtful[at:at + size])):
                    keep.difference_update(doubtful[at:at + size])
            doubtful = [block for block in doubtful if block in keep]
            size //= 8
        self.write(keep)


def main():
    if len(sys.argv) < 3:
        raise SystemExit("usage: trim.py IN OUT [OPTION...]")
    Cutter(sys.argv[1], sys.argv[2], sys.argv[3:]).cut()
    print(f"{sys.argv[2]}: {os.path.getsize(sys.argv[2]) >> 10} KiB of {os.path.getsize(sys.argv[1]) >> 10}")


if __name__ == "__main__":
    main()
