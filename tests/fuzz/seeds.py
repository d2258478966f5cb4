#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# seeds.py: writes the seeds of the fuzz targets dump_unwind, dump_pe, dump_minidump and dump_core that are laid out by hand
# here, into tests/fuzz/seeds, and some of dump_metadata, dump_managed and dump_analyze. They are kept there, so this runs only
# when a layout changes.
import os
from struct import pack

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seeds")
CODE, TABLES, MORE = 0x1000, 0x4000, 0x4800
BASE, STACK, OTHER = 0x140000000, 0x200000, 0x300000


def keep(target, name, data):
    os.makedirs(os.path.join(HERE, target), exist_ok=True)
    with open(os.path.join(HERE, target, name), "wb") as file:
        file.write(data)


# --- dump_unwind: a mode, 32 registers, then pieces of 256 bytes over these places

PLACES = [BASE + TABLES, BASE + TABLES + 256, BASE + MORE, STACK, STACK + 256, BASE + CODE, OTHER, OTHER + 256]


def unwind(name, mode, registers, memory):
    room = bytearray(256 * len(PLACES))
    for address, data in memory.items():
        data = bytes(data)
        at = next(i for i, place in enumerate(PLACES) if place <= address < place + 256)
        start = 256 * at + address - PLACES[at]
        assert start + len(data) <= len(room)
        room[start:start + len(data)] = data
    used = len(bytes(room).rstrip(b"\0"))
    values = [0] * 32
    for number, value in registers.items():
        values[number] = value
    keep("dump_unwind", name, bytes([mode]) + pack("<32H", *values) + bytes(room[:used]))


def words(*values):
    return pack(f"<{len(values)}Q", *(value & (1 << 64) - 1 for value in values))


X64_SP, X64_BP, X64_PC = 21, 22, 16
X86_SP, X86_BP, X86_PC = 21, 28, 29


def x64(name, info, code=b"", stack=b"", registers=None, entries=None, pc=0x40, more=None, mode=4):
    entries = entries or [(CODE, CODE + 0x100, TABLES + 0x60)]
    entries = entries + [(0x7ff0, 0x7ff8, 0)] * (8 - len(entries))
    memory = {BASE + TABLES: b"".join(pack("<III", *entry) for entry in entries), BASE + TABLES + 0x60: info,
              BASE + CODE + 0x40: code, STACK: stack or words(*[BASE + CODE + 0x41] * 30)}
    memory.update(more or {})
    unwind(name, mode, {X64_PC: pc, **(registers or {})}, memory)


def arm64(name, word, record=b"", pc=0x40, stack=None, registers=None):
    memory = {BASE + TABLES: pack("<II", CODE, word) + pack("<II", 0x7ff0, 0) * 11, BASE + TABLES + 0x60: record,
              BASE + CODE: pack("<I", 0x94000000) * 64,
              STACK: words(*(stack or [STACK + 0x80, BASE + CODE + 0x44] * 16)),
              STACK + 256: words(*[0, BASE + CODE + 0x48] * 16)}
    unwind(name, 12, {0: pc, 29: 0x40, 30: 0xc044, **(registers or {})}, memory)


def packed(flag, length, f, i, h, cr, frame):
    return flag | length << 2 | f << 13 | i << 16 | h << 20 | cr << 21 | frame << 23


def record(length, single, epilogs, count):
    return pack("<I", length | single << 21 | epilogs << 22 | count << 27)


def make_arm64():
    for n, (f, i, h, cr, frame) in enumerate([(0, 0, 0, 3, 2), (0, 3, 0, 3, 66), (0, 0, 0, 0, 400), (0, 0, 0, 2, 2), (0, 4, 0, 1, 4),
                                              (0, 3, 0, 1, 2), (0, 1, 0, 1, 1), (7, 10, 1, 3, 14), (2, 0, 0, 0, 2), (0, 0, 1, 0, 4)]):
        for pc in (0, 4, 0x40, 0x7c):
            arm64(f"arm64-packed-{n}-{pc:x}", packed(1, 32, f, i, h, cr, frame), pc=pc)
    arm64("arm64-fragment", packed(2, 32, 0, 0, 0, 3, 2))
    arm64("arm64-leaf", packed(1, 4, 0, 0, 0, 0, 0))
    codes = [b"\x03", b"\x24", b"\x42", b"\x83", b"\xc1\x01", b"\xc8\x82", b"\xcc\x43", b"\xd1\x05", b"\xd4\x41", b"\xd6\x42",
             b"\xd8\x42", b"\xda\x43", b"\xdc\x42", b"\xde\x41", b"\xe0\0\0\x02", b"\xe1", b"\xe2\x04", b"\xe3\xe5\xec",
             b"\xe6\xc8\0", b"\xe7\x53\x01", b"\xe7\x33\x01", b"\xe7\x13\x41", b"\xe9", b"\xea", b"\xfc", b"\xdf\0", b"\xf8\0", b"\xfb\0\0\0\0"]
    for n, code in enumerate(codes):
        arm64(f"arm64-code-{n}", TABLES + 0x60, record(32, 0, 0, 2) + (code + b"\xe4").ljust(8, b"\xe3"))
    usual = b"\xe1\xc8\x1e\xd8\x1c\x9f\xe4\xe3"
    for pc in (0, 8, 0x40, 0x70, 0x7c):
        arm64(f"arm64-record-{pc:x}", TABLES + 0x60, record(32, 1, 0, 2) + usual, pc=pc)
        arm64(f"arm64-scopes-{pc:x}", TABLES + 0x60, record(32, 0, 2, 2) + pack("<II", 0x10, 0x1b | 1 << 22) + usual, pc=pc)
    arm64("arm64-second-word", TABLES + 0x60, pack("<II", 32, 2 << 16) + usual)


def make_x64():
    x64("x64-two", b"\x02\x01\x03\0\x08\x16\x10\x06\x01\x30\0\0")
    x64("x64-three", b"\x03\x01\x01\0\x01\x30")
    x64("x64-large-register", b"\x01\x09\x06\xf5\x09\x0b\x01\0\0\0\x05\x54\x01\0\x01\x50", registers={X64_BP: 0x20})
    x64("x64-machine", b"\x01\x04\x01\0\x04\x1a", stack=words(0, BASE + CODE + 0x50, 0x33, 0x202, STACK + 0x100, 0x2b) * 5)
    x64("x64-machine-plain", b"\x01\x04\x01\0\x04\x0a", stack=words(BASE + CODE + 0x50, 0x33, 0x202, STACK + 0x100, 0x2b) * 6)
    x64("x64-saves", b"\x01\x10\x0c\0\x10\x74\x02\0\x0c\x65\x10\0\0\0\x08\x68\x01\0\x06\x79\x20\0\0\0\x04\x32")
    x64("x64-large", b"\x01\x10\x05\0\x08\x11\x08\0\0\0\x04\x01\x04\0")
    for name, code in (("add", b"\x48\x83\xc4\x20\x41\x5f\x5b\xc3"), ("add-long", b"\x48\x81\xc4\x20\0\0\0\xc2\x08\0"), ("jump", b"\x5b\xe9\0\x10\0\0"),
                       ("short-jump", b"\x5b\xeb\x7f"), ("through", b"\x5b\x48\xff\xe0"), ("import", b"\xff\x25\0\0\0\0"), ("rep", b"\x5b\xf3\xc3")):
        x64(f"x64-end-{name}", b"\x01\x04\x01\0\x04\x32", code)
    for name, code in (("short", b"\x48\x8d\x65\x10\x5d\xc3"), ("long", b"\x48\x8d\xa5\x10\0\0\0\x5d\xc3"), ("high", b"\x49\x8d\x63\x10\x41\x5d\xc3")):
        x64(f"x64-lea-{name}", b"\x01\x01\x02\x05\x01\x03\x01\x50", code, registers={X64_BP: 0x40})
    chain = b"\x21\x04\x01\0\x04\x12\0\0" + pack("<III", CODE + 0x80, CODE + 0x90, TABLES + 0x80)
    x64("x64-chain", chain, more={BASE + TABLES + 0x80: b"\x01\x04\x01\0\x04\x12"})
    x64("x64-points", b"", entries=[(CODE, CODE + 0x80, TABLES + 0x0d), (CODE + 0x80, CODE + 0x100, TABLES + 0x60)], more={BASE + TABLES + 0x60: b"\x01\x04\x01\0\x04\x12"})
    export = bytearray(256)
    export[20:44] = pack("<IIIIII", 3, 2, MORE + 0x40, MORE + 0x60, MORE + 0x70, 0)[:24]
    export[0x40:0x4c] = pack("<III", CODE, CODE + 0x80, MORE + 0x20)
    export[0x60:0x68] = pack("<II", MORE + 0x80, MORE + 0x90)
    export[0x70:0x74] = pack("<HH", 0, 1)
    export[0x80:0x8a] = b"first\0\0\0\0\0"
    export[0x90:0xa3] = b"RtlUserThreadStart\0"
    x64("x64-names", b"\x01\x04\x01\0\x04\x12", more={BASE + MORE: export}, entries=[(CODE, CODE + 0x80, TABLES + 0x60), (CODE + 0x80, CODE + 0x100, TABLES + 0x60)],
        stack=words(1, 2, BASE + CODE + 0x41, 1, 2, BASE + CODE + 0x91, 3))
    x64("x64-groups", b"\x01\x04\x01\0\x04\x02", stack=words(*[7, BASE + CODE + 0x41, 8, BASE + CODE + 0x51] * 8), more={STACK + 256: words(*[7, BASE + CODE + 0x41, 8, BASE + CODE + 0x51] * 8)})
    x64("x64-deep", b"\x01\0\0\0", stack=words(*range(BASE + CODE + 0x41, BASE + CODE + 0x61)), more={STACK + 256: words(*range(BASE + CODE + 0x61, BASE + CODE + 0x81))}, mode=20)
    frames = b"".join(b"\x55\x8b\xec\xe8\0\0\0\0\xff\x15\0\0\0\0\xff\xd0" for _ in range(16))
    chain86 = b"".join(pack("<II", 0x200000 + 8 * (i + 1), 0x40001000 + 8 + 16 * (i % 14)) for i in range(31)) + pack("<II", 0, 0)
    for name, bp, between in (("chain", 0, b""), ("scan", 0x3ff0, b""), ("filled", 0, b"\xc3\xcc\xcc"), ("returned", 0, b"\xc2\x08\0\x55\x8b\xec")):
        unwind(f"x86-{name}", 7, {X86_SP: 0, X86_BP: bp, X86_PC: 0x40},
               {BASE + CODE: frames[:0x20] + between + frames[0x20 + len(between):], BASE + MORE: export, STACK: chain86, STACK + 256: words(0)})


def frame_entries(cie, fde_codes, size=0x100):
    """.eh_frame_hdr with one row, a CIE at +0x20 and its FDE behind it."""
    cie = b"\x01" + cie
    cie = pack("<II", len(cie) + 4 + (-len(cie) % 4), 0) + cie + bytes(-len(cie) % 4)
    start = 0x20 + len(cie)
    body = pack("<I", start + 4) if False else b""
    fde = pack("<I", len(cie) + 4) + pack("<iI", CODE - (TABLES + start + 8), size) + b"\0" + fde_codes
    fde += bytes(-len(fde) % 4)
    head = b"\x01\x1b\x03\x3b" + pack("<iI", 0x1c, 1) + pack("<ii", CODE - TABLES, start)
    return head.ljust(0x20, b"\0") + cie + body + pack("<I", len(fde)) + fde


CIE_X64 = b"zR\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01"
CIE_SIGNAL = b"zRS\0\x01\x78\x10\x01\x1b\x0c\x07\x08\x90\x01"
CIE_FULL = b"zPLR\0\x01\x78\x10\x07\x1b\0\0\0\0\x1b\x1b\x0c\x07\x08\x90\x01"
CIE_ARM64 = b"zR\0\x04\x78\x1e\x01\x1b\x0c\x1f\0"


def elf(name, mode, cie, codes, stack=None, registers=None, more=None):
    pointers = words(*(stack or [STACK + 0x40, BASE + CODE + 0x45] * 16))
    memory = {BASE + TABLES: frame_entries(cie, codes), STACK: pointers, STACK + 256: words(*[0, BASE + CODE + 0x51] * 16)}
    memory.update(more or {})
    unwind(name, mode, registers or {X64_PC: 0x40, X64_BP: 0x20}, memory)


def make_elf():
    codes = {"advance": b"\x41\x0e\x10\x86\x02\x41\x0d\x06", "state": b"\x41\x0e\x10\x0a\x41\x0e\x18\x0b\x41", "restore": b"\x86\x02\x41\xc6\x06\x03\x05\x03\x02",
             "same": b"\x08\x03\x07\x06\x09\x03\x06\x41", "offsets": b"\x11\x03\x7e\x14\x0c\x02\x15\x0d\x7e\x2f\x0e\x02\x2e\x08\x41", "sf": b"\x12\x07\x7f\x13\x7e\x41",
             "far": b"\x02\x10\x03\x10\0\x04\x10\0\0\0\x0e\x10", "set": b"\x01" + pack("<i", -0x3000) + b"\x0e\x10",
             "expression": b"\x0f\x03\x77\x08\x06\x10\x03\x02\x77\0\x16\x06\x03\x77\x08\x06", "undefined": b"\x07\x10", "bad": b"\x3f\0"}
    for name, code in codes.items():
        elf(f"elf-{name}", 5, CIE_X64, code)
        elf(f"elf-full-{name}", 5, CIE_FULL, code)
        elf(f"elf-arm64-{name}", 6, CIE_ARM64, code.replace(b"\x86", b"\x9e"), registers={0: 0x40, 29: 0x20, 30: 0xc044})
    operations = [b"\x08\x10", b"\x09\xf0", b"\x0a\x10\0", b"\x0b\xf0\xff", b"\x0c\x10\0\0\0", b"\x0d\xf0\xff\xff\xff", b"\x0e" + bytes(8), b"\x10\x85\x01",
                  b"\x11\x7f", b"\x12\x13", b"\x31", b"\x92\x07\x08", b"\x23\x08", b"\x96"]
    for code in (0x1a, 0x1c, 0x1e, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e):
        operations.append(b"\x35\x33" + bytes([code]))
    for n, operation in enumerate(operations):
        block = b"\x77\0" + operation + b"\x13\x77\x08"
        elf(f"elf-operation-{n}", 5, CIE_X64, b"\x0f" + bytes([len(block)]) + block)
    elf("elf-signal", 5, CIE_SIGNAL, b"\x0e\x10")
    restore = {BASE + CODE + 0x40: b"\x48\xc7\xc0\x0f\0\0\0\x0f\x05", BASE + TABLES: b"\0"}
    saved = words(*range(5), *range(15), STACK + 0x100, BASE + CODE + 0x60, 0x202, 0x002b000000000033, 0, 14)
    elf("elf-restore", 5, CIE_X64, b"", more={**restore, STACK: saved})
    record = {BASE + TABLES: b"\0", STACK: words(OTHER, 1, 2, 3), STACK + 256: b"\0",
              OTHER: words(*range(5), *range(15), OTHER + 0x100, BASE + CODE + 0x60, 0x202, 0x002b000000000033, 0, 14), OTHER + 256: words(*[BASE + CODE + 0x61] * 8)}
    elf("elf-other-stack", 5, CIE_X64, b"", more=record)
    dynamic = bytearray(256)
    symbols, strings = MORE + 0x60, MORE + 0xc8
    for name, tags in (("hash", [(4, MORE + 0xc0), (5, strings), (6, symbols), (10, 0x30), (0, 0)]), ("gnu", [(5, strings), (6, symbols), (0x6ffffef5, MORE + 0xe0), (0, 0)])):
        dynamic[:len(tags) * 16] = words(*(value for tag in tags for value in tag))
        dynamic[0x60:0x60 + 72] = bytes(24) + pack("<IBBHQQ", 1, 0x12, 0, 1, CODE, 0x50) + pack("<IBBHQQ", 6, 0x12, 0, 1, CODE + 0x50, 0)
        dynamic[0xc0:0xc8] = pack("<II", 1, 3)
        dynamic[0xc8:0xe0] = b"\0main\0clone\0".ljust(24, b"\0")
        dynamic[0xe0:0x100] = pack("<IIII", 1, 1, 1, 0) + pack("<Q", 0) + pack("<II", 1, 0)
        elf(f"elf-symbols-{name}", 5, CIE_X64, b"\x0e\x10", more={BASE + MORE: bytes(dynamic)})


# --- dump_pe: the address asked for, then an image

def pe_image(machine, magic, rva, table, size):
    image = bytearray(0x800)
    image[:2] = b"MZ"
    image[0x3c:0x40] = pack("<I", 0x80)
    image[0x80:0x84] = b"PE\0\0"
    image[0x84:0x88] = pack("<HH", machine, 1)
    image[0x94:0x96] = pack("<H", 240)
    image[0x98:0x9a] = pack("<H", magic)
    image[0x98 + 56:0x98 + 60] = pack("<I", 0x8000)
    places = 0x98 + (112 if magic == 0x20b else 96)
    image[places - 4:places] = pack("<I", 16)
    image[places:places + 8] = pack("<II", 0x400, 0x100)
    image[places + 24:places + 32] = pack("<II", table, size)
    image[0x188 + 8:0x188 + 16] = pack("<II", 0x2000, 0x100)
    image[0x188 + 36:0x188 + 40] = pack("<I", 0x60000020)
    image[0x400 + 20:0x400 + 40] = pack("<IIIII", 3, 2, 0x440, 0x460, 0x470)
    image[0x440:0x44c] = pack("<III", 0x600, 0x680, 0x420)
    image[0x460:0x468] = pack("<II", 0x480, 0x490)
    image[0x470:0x474] = pack("<HH", 0, 1)
    image[0x480:0x486] = b"first\0"
    image[0x490:0x497] = "zw\u00e9ite".encode()
    if machine == 0xaa64:
        image[table:table + 16] = pack("<IIII", 0x600, packed(1, 16, 0, 0, 0, 3, 2), 0x640, 0x580)
        image[0x580:0x58c] = record(64, 0, 0, 1) + b"\xe4\0\0\0"
    else:
        image[table:table + 24] = pack("<IIIIII", 0x600, 0x640, 0x580, 0x640, 0x700, 0x591)
        image[0x580:0x58c] = b"\x01\x04\x01\0\x04\x12\0\0\0\0\0\0"
    return pack("<I", rva) + bytes(image)


def make_pe():
    for machine in (0x8664, 0xaa64):
        for rva in (0x610, 0x650, 0x7f0):
            keep("dump_pe", f"{machine:x}-{rva:x}", pe_image(machine, 0x20b, rva, 0x500, 24))
    keep("dump_pe", "x86", pe_image(0x14c, 0x10b, 0x610, 0x500, 24))


# --- dump_minidump and dump_core: whole files

FROM_FILE = b"\xf1" # the target then reads it by way of a file


def text16(words):
    data = words.encode("utf-16-le", "surrogatepass")
    return pack("<I", len(data)) + data


def minidump(name, streams, blobs=(), version=0xa793, end=b"", count=None, start=b"", target="dump_minidump"):
    """Streams as (type, bytes) follow the directory from 0x200 on, 0x400 apart; blobs lie where they say."""
    room = bytearray(0x200)
    room[:32] = b"MDMP" + pack("<IIIIIQ", version, len(streams) if count is None else count, 32, 0, 1, 2)
    for n, (kind, data, *size) in enumerate(streams):
        at = 0x200 + 0x400 * n
        room[32 + 12 * n:44 + 12 * n] = pack("<III", kind, size[0] if size else len(data), at)
        room[len(room):] = bytes(at - len(room)) + data
    for at, data in blobs:
        room[len(room):] = bytes(max(0, at + len(data) - len(room)))
        room[at:at + len(data)] = data
    keep(target, name, start + bytes(room) + end)


def system(cpu, platform):
    return pack("<HHHBBIIII", cpu, 0, 0, 1, 1, 10, 0, 20348, platform).ljust(56, b"\0")


def threads(*list):
    return pack("<I", len(list)) + b"".join(pack("<IIIIQQIIII", tid, 0, 0, 0, teb, 0x20000, 0x100, 0x3800, size, 0x3000) for tid, teb, size in list)


def module(base, size, name, codeview=0, bytes_=0):
    return pack("<QIIII", base, size, 0, 0x5a5a, name).ljust(76, b"\0") + pack("<II", bytes_, codeview) + bytes(24)


def exception(thread, code, flags, address, *parameters, count=None):
    data = pack("<IIIIQQII", thread, 0, code, flags, 0, address, len(parameters) if count is None else count, 0)
    return (data + words(*parameters)).ljust(160, b"\0") + pack("<II", 1232, 0x3000)


def context(flags_at, flags, size=1232):
    data = bytearray(size)
    data[flags_at:flags_at + 4] = pack("<I", flags)
    return bytes(data)


def make_minidumps():
    one = [(3, threads((7, 0x20000, 1232)))]
    x64 = [(0x3000, context(0x30, 0x10001f))]
    names = [(0x3900, text16("C:\\x\ud800y\u00e9\ud83d\ude00.dll")), (0x3a00, b"RSDS" + bytes(range(16)) + pack("<I", 3) + b"a\xff\xe2\x82.pdb\0"),
             (0x3b00, b"NB10" + pack("<III", 0, 5, 6) + b"b.pdb\0"), (0x3c00, b"LEpB" + bytes(range(20)))]
    modules = pack("<I", 4) + module(0x1000, 0x3000, 0x3900, 0x3a00, 34) + module(0x2000, 0x1000, 0x3900, 0x3b00, 22) + module(0x9000, 0, 0) + module(0xa000, 0x1000, 0x3900, 0x3c00, 24)
    info = [(0x47670001, pack("<III", 3, 8, 7)), (0x47670004, b"Name:\tx\nPid:\t77\n"), (15, pack("<IIIIII", 24, 3, 99, 1, 2, 3)), (11, "by procdump \u20ac".encode("utf-16-le")), (10, b"ansi\0")]
    for name, platform, code, flags in (("linux", 0x8201, 11, 1), ("linux-kernel", 0x8201, 11, 0x80), ("linux-abort", 0x8201, 6, 0), ("mac", 0x8101, 1, 2), ("ios", 0x8102, 6, 0), ("solaris", 0x8202, 5, 0)):
        minidump(f"crash-{name}", [(7, system(9, platform))] + one + [(6, exception(7, code, flags, 0x10)), (4, modules)] + info, x64 + names)
    for code in (0, 0x0517a7ed, 0xffffffff, 0xc0000005, 0xc0000006, 0xc0000409, 0xe0434352, 0xe06d7363, 0xc0000374, 0x12345678):
        minidump(f"crash-{code:08x}", [(7, system(9, 2))] + one + [(6, exception(7, code, 1, 0x1000, 1, 0x24, 0xc000009a, 0x1000))], x64)
    minidump("crash-narrow", [(7, system(0, 2)), (3, threads((7, 0, 716))), (6, exception(8, 0xc0000005, 0, -1 & (1 << 64) - 1, 8, 0xfffffffffffffffc))], [(0x3000, context(0, 0x1003f, 716))])
    minidump("crash-many", [(7, system(9, 2))] + one + [(6, exception(7, 0xc0000005, 0, 0, *range(15), count=0xffffffff))], x64)
    minidump("crash-short", [(7, system(9, 2))] + one + [(6, exception(7, 5, 0, 0)[:100])], x64)
    for name, flags_at, flags, size in (("x64", 0x30, 0x10001f, 1232), ("x86", 0, 0x1003f, 716), ("arm64", 0, 0x400007, 912), ("none", 0, 0, 32)):
        minidump(f"no-system-{name}", [(3, threads((7, 0, size)))], [(0x3000, context(flags_at, flags, size))])
    for cpu in (0, 5, 9, 12, 0x8003, 77):
        minidump(f"cpu-{cpu:x}", [(7, system(cpu, 2))] + one + [(4, modules)], [(0x3000, bytes(1232))] + names)
    minidump("twice", [(7, system(9, 2)), (7, system(0, 2)), (0, b"")] + one, x64)
    minidump("torn", [(7, system(9, 2)), (4, modules, 0x7fffffff), (5, pack("<IQII", 9, 0x1000, 0x1000000, 0x200))] + one)
    minidump("more-streams", [(7, system(9, 2))] + one, x64, count=5000)
    minidump("version", [(7, system(9, 2))], version=0xa794)
    minidump("nothing", [(7, system(9, 2))])
    minidump("no-streams", [], count=0)
    keep("dump_minidump", "header", b"MDMP" + pack("<I", 0xa793))
    keep("dump_minidump", "directory", b"MDMP" + pack("<IIIIIQ", 0xa793, 1, 0x7000, 0, 1, 2))
    table = pack("<III", 12, 64, 3) + pack("<I", 7).ljust(48, b"\0") + words(0x1234) + bytes(8)
    minidump("tables", [(7, system(9, 2)), (3, threads((7, 0, 1232), (8, 0, 1232))), (17, table), (24, pack("<I", 9) + pack("<IQ", 8, 0x3900)), (14, pack("<III", 12, 24, 5) + bytes(24)), (9, words(1 << 60, 0x200)), (5, pack("<I", 99))], x64 + names, end=FROM_FILE)
    minidump("bad-tables", [(7, system(9, 2))] + one + [(17, pack("<III", 4, 64, 1)), (14, pack("<III", 12, 8, 1)), (24, b"\1")], x64)
    for n, start in enumerate((b"PK\3\4", b"\x1f\x8b", b"7z\xbc\xaf", b"MSCF", b"MZ", b"PAGEDU64", b"PMDM", b"\xef\xbb\xbf\r\n <html>", b"{", b"hello",
                               b"-----BEGIN BREAKPAD MICRODUMP-----", b"")):
        keep("dump_core", f"other-{n}", start + (b" " * 20 + FROM_FILE if start else b""))


def core(name, notes, head=None, segments=(), end=b"", phnum=None):
    count = 1 + len(segments)
    body = b"".join(pack("<III", len(who), len(data), kind) + who.ljust(8, b"\0") + data + bytes(-len(data) % 4) for kind, who, data in notes)
    at = 64 + 56 * count
    room = bytearray(head or b"\x7fELF\2\1\1".ljust(16, b"\0") + pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, phnum or count, 64, 0, 0))
    room += pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(body), 0, 1)
    for address, size in segments:
        room += pack("<IIQQQQQQ", 1, 5, at + len(body), address, 0, size, size, 4096)
    keep("dump_core", name, bytes(room) + body + end)


def status(tid, signal, sp=0x7000):
    data = bytearray(336)
    data[12:14] = pack("<H", signal)
    data[32:36] = pack("<I", tid)
    data[112 + 152:112 + 160] = pack("<Q", sp)
    return 1, b"CORE\0", bytes(data)


def make_cores():
    files = [(0x1000, 0x2000, 0, "/lib/a.so"), (0x2000, 0x3000, 1, "/lib/a.so"), (0x4000, 0x5000, 0, "/memfd:x"), (0x9000, 0x9000, 0, "/z"), (0x10000000, 0x10001000, 2, "/lib/a.so")]
    note = words(len(files), 4096) + b"".join(words(*entry[:3]) for entry in files) + b"".join(entry[3].encode() + b"\0" for entry in files)
    auxv = words(3, 0x1040, 9, 0x1080, 33, 0x7000, 0, 0)
    image = (b"\x7fELF\2\1\1".ljust(16, b"\0") + pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0) + pack("<IIQQQQQQ", 4, 4, 0x80, 0x80, 0, 36, 36, 4)).ljust(0x80, b"\0")
    image += pack("<III", 4, 20, 3) + b"GNU\0" + bytes(range(20))
    for signal, code in ((11, 1), (11, 0x80), (6, -6), (7, 2), (19, 0)):
        info = pack("<iiiiQ", signal, 0, code, 0, 0x6ff8).ljust(128, b"\0")
        core(f"signal-{signal}-{code & 255}", [status(9, signal), (0x53494749, b"CORE\0", info), (3, b"CORE\0", bytes(24) + pack("<I", 99) + bytes(108)), (6, b"CORE\0", auxv), (0x46494c45, b"CORE\0", note), status(10, 0)],
             segments=[(0x1000, 0x1000), (0x7000, 0x1000)], end=image.ljust(0x1000, b"\0") + FROM_FILE)
    core("no-signal", [status(9, 0), status(10, 11), (77, b"LINUX", b"x" * 9)])
    core("files-lie", [status(9, 11), (0x46494c45, b"CORE\0", words(1 << 60, 4096))])
    core("no-thread", [(3, b"CORE\0", bytes(8))])
    core("more-segments", [status(9, 11)], phnum=900)
    for name, head in (("narrow", b"\x7fELF\1\1\1".ljust(64, b"\0")), ("big-endian", b"\x7fELF\2\2\1".ljust(64, b"\0")), ("program", b"\x7fELF\2\1\1".ljust(16, b"\0") + pack("<HH", 2, 62) + bytes(44)),
                       ("sparc", b"\x7fELF\2\1\1".ljust(16, b"\0") + pack("<HH", 4, 43) + bytes(44)), ("no-table", b"\x7fELF\2\1\1".ljust(16, b"\0") + pack("<HH", 4, 62) + bytes(44))):
        core(name, [], head=head)
    keep("dump_core", "header", b"\x7fELF\2\1")


# --- dump_metadata: the block that tests/unit/dump_clr.c lays out is the seed "block"; these are variants of it

BLOCK = 0x7f0000100000


def variant(name, **changes):
    """Each change: aNNN = bytes at that place, or a number, which is the address of a place in the block."""
    with open(os.path.join(HERE, "dump_metadata", "block"), "rb") as file:
        block = bytearray(file.read())
    for place, data in changes.items():
        at, data = int(place[1:], 16), data if isinstance(data, bytes) else words(BLOCK + data)
        block[at:at + len(data)] = data
    keep("dump_metadata", name, bytes(block))


def make_metadata():
    with open(os.path.join(HERE, "dump_metadata", "blob"), "rb") as file:
        blob = file.read()[:0x240]
    held = {"a800": 0x2c0, "a810": 0x700, "a430": 0x800}                                 # an object[] in front of the trace
    string = {"a118": 0x340, "a600": 0x340, "a608": pack("<I", 2) + "hi".encode("utf-16-le")}
    variant("held", **held)
    variant("dynamic-method", a926=pack("<H", 7), a940=0xf00, af00=b"lambda\0")
    variant("words", **string)
    variant("two-strings", **string, a418=0x640, a640=words(BLOCK + 0x340), a648=pack("<I", 2) + "ho".encode("utf-16-le"))
    variant("no-words", **string, a60c=b"\1\0\0\xd8")
    variant("dynamic-module", a308=bytes(8), a310=0x2000, a2000=pack("<I", 0x1000), a2004=blob)
    variant("unknown-type", a100=bytes(8) * 2, a468=pack("<I", 0xe0434352))
    variant("no-parent", a100=0xfff000, a118=0x340, a600=0x340, a468=pack("<I", 0xe0434352), a410=0x600)
    variant("by-layout", a0=b"\1", a308=0x2100, a2100=0x2140, a2108=0x2140, a2140=0x2180, a2188=0x1000)
    variant("by-narrow", a0=b"\1", a20a=pack("<H", 2), a24a=pack("<H", 4))
    variant("code-of-hardware", a100=0xfff000, a468=pack("<I", 0xc0000005))
    variant("self", aa00=0xb10, ab10=0xb10, aa08=pack("<I", 0xffffffff), ac00=0xc00)


# --- dump_managed: a choice, then what lies at BLOCK

def make_managed():
    dynamic, strings, symbols, hashes, relative, descriptor = 0x100, 0x200, 0x300, 0x400, 0x500, 0x800
    name, json = b"DotNetRuntimeContractDescriptor\0", b'{"types":{},"globals":{"ThreadStore":[[0],"pointer"],"ExceptionMethodTable":[[1],"pointer"]}}'
    code = 5381
    for byte in name[:-1]:
        code = code * 33 + byte & 0xffffffff
    image = bytearray(0x1800)
    for at, data in ((0, b"\x7fELF\2\1"), (32, words(64)), (56, b"\1"), (64, pack("<I", 2)), (80, words(dynamic)), (strings + 1, name), (symbols + 24, pack("<IBBHQ", 1, 0, 0, 5, descriptor)),
                     (dynamic, words(5, strings, 6, BLOCK + symbols, 0x6ffffef5, hashes, 7, relative, 0x6ffffff9, 4, 0, 0)), (hashes, pack("<III", 1, 1, 1)), (hashes + 24, pack("<II", 1, code | 1)),
                     (relative, words(descriptor + 16, 8, 0x900, descriptor + 32, 8, 0xa00, 0xa00, 8, 0xb00, 0xa08, 8, 0xc00)), (descriptor, b"DNCCDAC\0" + pack("<II", 1, len(json))),
                     (descriptor + 24, pack("<I", 2)), (0x900, json), (0x1100, b"@(#)Version 9.0.1")):
        image[at:at + len(data)] = data
    keep("dump_managed", "symbol", b"\x1a" + bytes(image))


# --- dump_analyze: what to write, then a dump: this has all that a report may tell

def make_reports():
    triage = b"""{"version":"1.0.0","runtime_base":"0x140000000","runtime_type":"4","runtime_version":"9.0.16","reason":"1","thread":"0x7","message":"Unhandled","exception":
{"address":"0x1F00","hr":"0x80131999","message":"no \\"way\\"","type":"Shop.Bad","stack":[{"ip":"0x140000620","name":"Shop.Orders.Load"},{"ip":"0x140000621"}],
"inner":[{"address":"0x2F00","hr":"0x80131509","message":"\\u4e2d","type":"Shop.Worse","stack":[{"ip":"0x140000620","name":"Shop.Orders.Load"}]}]}}"""
    image = pe_image(0x8664, 0x20b, 0, 0x500, 24)[4:]
    registers = bytearray(context(0x30, 0x10001f))
    registers[0x98:0xa0], registers[0xf8:0x100] = words(0x20000), words(0x140000610)
    stack = words(1, 2, *[0x140000620, 3, 4] * 10) # each frame of the image's function has two words and a return address
    ranges = pack("<I", 4) + b"".join(pack("<QII", *row) for row in ((0x20000, len(stack), 0x3800), (0x140000000, len(image), 0x4000), (0x50000, len(triage), 0x5000), (0x60000, 0x80, 0x5800)))
    listed = module(0x140000000, 0x8000, 0x3900) + module(0x7ff000000000, 0x1000, 0x3a00)
    listed = pack("<I", 2) + listed[:24] + pack("<IIII", 0xfeef04bd, 0, 0x20003, 0x40005) + listed[40:]
    gone = pack("<III", 12, 24, 2) + b"".join(pack("<QIIII", base, 0x1000, 0, 9, 0x3a00) for base in (0x70000, 0x80000))
    streams = [(7, system(9, 2)), (3, threads((7, 0x60000, 1232), (8, 0x60000, 1232))), (4, listed), (5, ranges), (15, pack("<IIIIII", 24, 3, 99, 1, 2, 3)), (14, gone), (11, "by procdump".encode("utf-16-le")),
               (24, pack("<I", 1) + pack("<IQ", 7, 0x3b00))]
    blobs = [(0x3000, bytes(registers)), (0x3800, stack), (0x3900, text16("C:\\shop.exe")), (0x3a00, text16("a\u202e.dll")), (0x3b00, text16("main")), (0x4000, image), (0x5000, triage), (0x5800, bytes(0x80))]
    for name, choice, *crash in (("managed", 0, 0xc0000409, 0, 0x140000610, 0x48, 0x50000, len(triage)), ("managed-redacted", 2, 0xc0000409, 0, 0x140000610, 0x48, 0x50000, len(triage)),
                                 ("managed-json", 5, 0xc0000409, 0, 0x140000610, 0x48, 0x50000, len(triage)), ("native", 0, 0xc0000005, 0, 0x140000610, 1, 8),
                                 ("native-json", 4, 0xc0000005, 0, 0x140000610, 1, 8), ("none", 1)):
        minidump(name, streams + ([(6, exception(7, *crash))] if crash else []), blobs, start=bytes([choice]), target="dump_analyze")


make_minidumps()
make_metadata()
make_managed()
make_reports()
make_cores()
make_arm64()
make_x64()
make_elf()
make_pe()
