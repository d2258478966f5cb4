# SPDX-License-Identifier: MIT
"""The bench's findings as markdown that also reads well as plain text."""

import os
import platform
import re
import shutil
import subprocess

from measure import CORES

MIB = 1 << 20


def size(count):
    return f"{count / (1 << 30):g} GiB" if count >= 1 << 30 else f"{count / MIB:g} MiB"


def rows(head, body):
    """A markdown table with its columns aligned."""
    lines = [[cell.replace("|", "\\|") for cell in line] for line in [head] + body]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = "|" + "|".join("-" * (width + 2) if i == 0 else "-" * (width + 1) + ":" for i, width in enumerate(widths)) + "|"
    drawn = ["| " + " | ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(line)) + " |" for line in lines]
    return [drawn[0], rule] + drawn[1:]


def rss(contender):
    return " + ".join(f"{kib / 1024:.1f}" for kib in contender.peak_rss())


def comparison(title, contenders, ours, flight_mib=None):
    """Each contender's medians, and kudump's share of them; `ours` maps a peer's name to the kudump it is held against."""
    head = ["", "wall s", "least-most", "CPU s", "RSS MiB"] + (["in flight"] if flight_mib else []) + ["kudump's wall", "kudump's CPU", "others' CPU"]
    body = []
    for one in contenders:
        least, most = one.least_and_most("wall")
        line = [one.name, f"{one.median('wall'):.2f}", f"{least:.2f}-{most:.2f}", f"{one.median('cpu'):.2f}", rss(one)]
        if flight_mib:
            line.append(f"{max(run.flight for run in one.runs)} x {flight_mib} MiB")
        own = ours.get(one.name)
        line += [f"{own.median(field) / one.median(field):.2f}x" if own else "" for field in ("wall", "cpu")]
        line.append(f"{100 * max(run.loudness() for run in one.runs):.0f} %")
        body.append(line)
    return [f"### {title}", ""] + rows(head, body) + [""]


def goal(words, own, peer, field, most):
    ratio = own.median(field) / peer.median(field)
    return f"- {words}: at most {most:.1f}x, is {ratio:.2f}x: {'met' if ratio <= most else 'MISSED'}", ratio <= most


def bound(words, value, most, unit):
    return f"- {words}: at most {most:g} {unit}, is {value:.2f}: {'met' if value <= most else 'MISSED'}", value <= most


def first_line(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return f"no {command[0]}"


def _field(path, name):
    with open(path) as file:
        for line in file:
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return "unknown"


def _flags():
    has = set(_field("/proc/cpuinfo", "flags").split())
    return ", ".join(words for flag, words in (("aes", "AES-NI"), ("pclmulqdq", "PCLMUL"), ("sha_ni", "SHA-NI")) if flag in has) or "no crypto instructions"


def _file_system(path):
    return " on ".join(first_line("findmnt", "-n", "-o", "FSTYPE,SOURCE", "-T", path).split())


def machine(kudump, source, disk):
    memory = int(_field("/proc/meminfo", "MemTotal").split()[0]) / (1 << 20)
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip()
    curl = " ".join(re.findall(r"curl [\d.]+|OpenSSL/[\w.]+", first_line("curl", "--version")))
    return [f"- machine: {_field('/proc/cpuinfo', 'model name')}, {CORES} cores ({_flags()}), {memory:.1f} GiB, Linux {platform.release()}; "
            f"load when it began {' '.join(f'{load:.2f}' for load in os.getloadavg())}",
            f"- source: nginx over TLS from {_file_system(source)}; disk: {_file_system(disk)}; everything on loopback, no other machine",
            f"- kudump: {first_line(kudump, '--version')}, static, {os.path.getsize(kudump) / 1024:.0f} KiB; "
            f"{curl}; {first_line('rclone', '--version')} ({os.path.getsize(os.path.realpath(shutil.which('rclone'))) / MIB:.1f} MiB); {nginx}"]
