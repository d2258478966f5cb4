# SPDX-License-Identifier: MIT
"""Dumps made up as they are sent: any size in one MiB of memory.

A dump's bytes follow from (instance, pid, type, size) alone. Every 4096 bytes carry their own offset and the dump's identity, so that
a lost, doubled or swapped piece changes the digest; the rest is one random MiB again and again."""

import array
import functools
import hashlib
import struct

MIB = 1 << 20
PAGE = 4096
HEAD = 2 * PAGE                     # header, directory and streams; memory begins here
TEMPLATE = hashlib.shake_256(b"kudump stand-in").digest(MIB)
DEFAULT_BYTES = {0: 300 << 10, 1: 600 << 10}


def default_bytes(kind):
    return 64 << 20 if kind & 2 else DEFAULT_BYTES.get(kind, 300 << 10)


class Dump:
    def __init__(self, instance, pid, kind, size, junk="none"):
        self.instance, self.pid, self.kind, self.size, self.junk = instance, pid, kind & 0xFFFFFFFF, size, junk
        name = f"{instance}/{pid}/{self.kind}/{size}".encode()
        self.identity = int.from_bytes(hashlib.sha256(name).digest()[:8], "little")
        self.head = self._head()[:size]

    def pieces(self, room=MIB):
        """Memoryviews of the whole dump in order; each is valid until the next is asked for."""
        block = bytearray(TEMPLATE)
        view = memoryview(block)
        words = view.cast("B").cast("Q")
        words[1::PAGE // 8] = memoryview(array.array("Q", [self.identity] * (MIB // PAGE)))
        for start in range(0, self.size, MIB):
            words[0::PAGE // 8] = memoryview(array.array("Q", range(start, start + MIB, PAGE)))
            if start == 0:
                view[:len(self.head)] = self.head
            count = min(MIB, self.size - start)
            for at in range(0, count, room):
                yield view[at:min(at + room, count)]
            if start == 0 and self.size > MIB:
                block[:HEAD] = TEMPLATE[:HEAD]
                words[1:HEAD // 8:PAGE // 8] = memoryview(array.array("Q", [self.identity] * (HEAD // PAGE)))

    def sha256(self, count=None):
        """Of the first count bytes; the last answers are remembered."""
        return _sha256(self.instance, self.pid, self.kind, self.size, self.junk, self.size if count is None else count)

    def _head(self):
        full = bool(self.kind & 2)
        memory = self.size - HEAD
        streams = [(7, self._system()), (4, self._modules()), (3, self._threads())]
        streams.append((9, self._memory64(memory)) if full else (5, self._memory(memory)))
        streams.append((15, struct.pack("<III", 24, 1, self.pid & 0xFFFFFFFF) + bytes(12)))
        version = 0xA793 if self.junk != "badversion" else 0xA700
        flags = self.kind | 0x20000
        head = bytearray(struct.pack("<4sIIIIIQ", b"MDMP", version, len(streams), 32, 0, 1732166400, flags))
        at = 32 + 12 * len(streams)
        body = bytearray()
        for number, data in streams:
            head += struct.pack("<III", number, len(data), at + len(body))
            body += data + bytes(-len(data) % 4)
        head += body
        assert len(head) <= 7000
        head += bytes(7000 - len(head)) + self._string("C:\\Windows\\System32\\ntdll.dll") + self._string("C:\\Windows\\System32\\inetsrv\\w3wp.exe")
        head += bytes(HEAD - len(head))
        if self.junk == "nomdmp":
            head[0:4] = b"PK\x03\x04"
        return bytes(head)

    @staticmethod
    def _string(text):
        data = text.encode("utf-16-le")
        return struct.pack("<I", len(data)) + data + b"\0\0"

    @staticmethod
    def _system():
        return struct.pack("<HHHBBIIIIIHH", 9, 6, 0x5507, 2, 3, 10, 0, 14393, 2, 0, 0, 0) + bytes(24)

    @classmethod
    def _modules(cls):
        first = 7000
        second = first + len(cls._string("C:\\Windows\\System32\\ntdll.dll"))
        entries = ((0x7FFD1A2B0000, 0x1E0000, first), (0x7FF6C0DE0000, 0xA000, second))
        return struct.pack("<I", 2) + b"".join(struct.pack("<QIIII", base, size, 0, 0x5F000000, name) + bytes(84) for base, size, name in entries)

    def _threads(self):
        return struct.pack("<I", 1) + struct.pack("<IIIIQQIIII", self.pid + 4, 0, 0x20, 8, 0x7FF5FFFF0000, 0x10000, 0, 0, 0, 0)

    def _memory(self, memory):
        """Mini: one range of at most 4 GiB - 1, from the page after the streams to the end."""
        memory = max(0, min(memory * (2 if self.junk == "truncated" else 1), 0xFFFFFFFF))
        return struct.pack("<I", 1) + struct.pack("<QII", 0x10000, memory, HEAD)

    def _memory64(self, memory):
        """Full: ranges whose sizes sum up exactly to the end of the file (junk=truncated: to twice as much)."""
        memory = max(memory, 0) * (2 if self.junk == "truncated" else 1)
        count = max(1, min(200, memory // (64 << 10)))
        sizes = [memory // count // PAGE * PAGE] * count
        sizes[-1] += memory - sum(sizes)
        start, ranges = 0x10000, b""
        for size in sizes:
            ranges += struct.pack("<QQ", start, size)
            start += (size + 0x1FFFF) & ~0xFFFF
        return struct.pack("<QQ", count, HEAD) + ranges


@functools.lru_cache(maxsize=256)
def _sha256(instance, pid, kind, size, junk, count):
    left, digest = count, hashlib.sha256()
    for piece in Dump(instance, pid, kind, size, junk).pieces():
        digest.update(piece[:left])
        left -= min(left, len(piece))
        if not left:
            break
    return digest.hexdigest()


def core_of(instance, pid, kind):
    """A small ELF core of a 64-bit process: a note, one segment of memory."""
    memory = hashlib.shake_256(f"{instance}/{pid}/{kind}".encode()).digest(300 << 10)
    note = struct.pack("<III", 5, 336, 1) + b"CORE\0\0\0\0" + bytes(336)
    at = 64 + 2 * 56
    head = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8) + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    rows = struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(note), len(note), 4)
    rows += struct.pack("<IIQQQQQQ", 1, 6, at + len(note), 0x7F0000000000, 0, len(memory), len(memory), 4096)
    return head + rows + note + memory
