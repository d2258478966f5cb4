# SPDX-License-Identifier: MIT
"""One measured run of one command or pipe: wall time, CPU of its processes, peak memory, and how much others used the machine."""

import os
import shlex
import statistics
import subprocess
import tempfile
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()
TIME = "/usr/bin/time"
PF_KTHREAD = 0x200000
QUIET = 0.12                # of all cores, used by others: above this a run waits
LOUD = 0.15                 # of all cores over a run: above this it is done again
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.lower().endswith("_proxy") and not name.startswith(("KUDUMP_", "AZURE_", "RCLONE_", "SSL_CERT_"))}


class Broken(Exception):
    """A command failed, or did not do what it was measured at."""


class Run:
    """What one run cost: seconds of wall time, CPU seconds (user and system) and peak RSS in KiB of each process."""

    def __init__(self, wall, cpu, rss, foreign, kernel):
        self.wall, self.cpu, self.rss, self.foreign, self.kernel = wall, cpu, rss, foreign, kernel
        self.flight = 0                     # most requests in flight that the sink saw

    def loudness(self):
        return self.foreign / (self.wall * CORES)

    def as_record(self):
        return {name: value for name, value in vars(self).items()}


def _busy():
    """CPU seconds that all cores spent, by the kernel's own sum."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS


def _spent(pids):
    """CPU seconds of these processes so far, and those of the kernel's threads (writing pages back, mostly)."""
    own = kernel = 0.0
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        seconds = (int(fields[11]) + int(fields[12])) / TICKS
        if int(fields[6]) & PF_KTHREAD:
            kernel += seconds
        elif int(name) in pids:
            own += seconds
    return own, kernel


def _children(pid):
    """A server's processes: itself and its workers."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return {pid} | {int(child) for child in children.read().split()}
    except OSError:
        return {pid}


class Machine:
    """Knows which processes belong to the bench, so that it can tell what others do."""

    def __init__(self, patience, in_all):
        self.patience, self.in_all = patience, in_all       # seconds to wait for quiet: before one run, and in all
        self.servers = []
        self.waited = self.repeated = 0.0                   # seconds

    def is_patient(self):
        return self.waited + self.repeated < self.in_all

    def _sample(self):
        pids = {os.getpid()}
        for server in self.servers:
            pids |= _children(server)
        own, kernel = _spent(pids)
        return _busy(), own, kernel

    def wait_for_quiet(self):
        """Until others leave most of the machine alone, or patience ends."""
        until = time.monotonic() + self.patience
        while True:
            begin, before = time.monotonic(), self._sample()
            time.sleep(0.3)
            after, span = self._sample(), time.monotonic() - begin
            others = after[0] - before[0] - (after[1] - before[1])
            if others / (span * CORES) < QUIET or time.monotonic() > until or not self.is_patient():
                return
            self.waited += span

    def run(self, pipe, watch=None):
        """Runs the commands of a pipe at once, each through `time`, which tells the peak RSS. (The kernel counts a child's
        peak from the fork on: started by this Python itself, a small program would show Python's size.) `watch` is called
        with the process id of the last `time`."""
        notes = [tempfile.NamedTemporaryFile(prefix="kudump-bench-") for _ in pipe]
        complaints = tempfile.TemporaryFile()
        commands = [[TIME, "-f", "%M", "-o", note.name] + command for note, command in zip(notes, pipe)]
        before, begin = self._sample(), time.monotonic()
        running, source = [], subprocess.DEVNULL
        for place, command in enumerate(commands):
            last = place == len(commands) - 1
            process = subprocess.Popen(command, stdin=source, stdout=subprocess.DEVNULL if last else subprocess.PIPE,
                                       stderr=complaints, env=ENVIRONMENT)
            if source is not subprocess.DEVNULL:
                source.close()
            source = process.stdout
            running.append(process)
        if watch:
            watch(running[-1].pid)
        cpu, failed = 0.0, None
        for command, process in zip(pipe, running):
            _pid, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            cpu += usage.ru_utime + usage.ru_stime
            if process.returncode != 0:
                failed = f"status {process.returncode} of {shlex.join(command)}"
        wall, after = time.monotonic() - begin, self._sample()
        if failed:
            complaints.seek(0)
            raise Broken(failed + "\n" + complaints.read(4000).decode(errors="replace"))
        kernel = after[2] - before[2]
        foreign = after[0] - before[0] - (after[1] - before[1]) - kernel - cpu
        rss = [int(open(note.name).read().split()[-1]) for note in notes]
        return Run(wall, cpu, rss, max(0.0, foreign), kernel)


class Watcher:
    """Looks at the child of a process until it ends."""

    def __init__(self):
        self.most = 0

    def start(self, parent):
        threading.Thread(target=self._look, args=(parent,), daemon=True).start()

    def _look(self, parent):
        child = None
        while True:
            try:
                if child is None:
                    with open(f"/proc/{parent}/task/{parent}/children") as children:
                        child = (children.read().split() or [None])[0]
                else:
                    with open(f"/proc/{child}/smaps_rollup") as rollup:
                        self.most = max(self.most, *(int(line.split()[1]) for line in rollup if line.startswith("Rss:")))
            except (OSError, TypeError):
                return
            time.sleep(0.005 if child is None else 0.02)


class Contender:
    """A named pipe of commands that is measured again and again. `pipe()` gives the commands; `prepare()` makes the place
    ready, `check(run)` raises Broken when the work was not done; both are not measured."""

    def __init__(self, name, pipe, prepare, check):
        self.name, self.pipe, self.prepare, self.check = name, pipe, prepare, check
        self.runs = []

    def once(self, machine):
        self.prepare()
        machine.wait_for_quiet()
        run = machine.run(self.pipe())
        self.check(run)
        return run

    def again(self, machine, tries=3):
        """A run that others disturbed is done again; the quietest counts."""
        best = None
        for _ in range(tries):
            run = self.once(machine)
            if best is None or run.loudness() < best.loudness():
                best = run
            if best.loudness() <= LOUD or not machine.is_patient():
                break
            machine.repeated += run.wall
        self.runs.append(best)

    def resident(self, machine):
        """The most KiB that were resident at once, counted page by page: the sum that `time` gives is up to 64 pages a core
        off, which is much of a program of 1.5 MiB. Not to be measured in time."""
        watcher = Watcher()
        self.prepare()
        self.runs.append(machine.run(self.pipe(), watcher.start))
        self.check(self.runs[-1])
        return watcher.most

    def median(self, field):
        return statistics.median(getattr(run, field) for run in self.runs)

    def least_and_most(self, field):
        values = [getattr(run, field) for run in self.runs]
        return min(values), max(values)

    def peak_rss(self):
        """KiB, the most of all runs, for each process of the pipe."""
        return [max(run.rss[place] for run in self.runs) for place in range(len(self.runs[0].rss))]


def in_turns(contenders, count, machine, warm_up, tell):
    """A B A B…: slow changes of the machine meet all alike. Each second round goes backwards."""
    if warm_up:
        for contender in contenders:
            tell(f"warming up: {contender.name}")
            contender.once(machine)
    for number in range(count):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            contender.again(machine)
            run = contender.runs[-1]
            tell(f"{number + 1}/{count} {contender.name}: {run.wall:.2f} s, CPU {run.cpu:.2f} s, others {100 * run.loudness():.0f} %")
