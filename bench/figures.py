"""Honest figures: contenders take turns in the same minutes, medians, ratios to Sealpost, processor time beside wall time."""

import json
import os
import resource
import shutil
import statistics
import tempfile
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid):
    """User and system seconds of a process and of its children that ended."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return sum(int(x) for x in fields[11:15]) / TICK


def memory_of(pid):
    """(resident now, the most so far) in MiB."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        rows = dict(line.split(":", 1) for line in f if ":" in line)
    return tuple(int(rows[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Contender:
    """One way to do the job. run() does it once; before() clears what an earlier turn left; pids: daemons whose time counts."""

    def __init__(self, name, run, before=lambda: None, check=lambda: None, pids=lambda: []):
        self.name, self.run, self.before, self.check, self.pids = name, run, before, check, pids
        self.walls, self.cpus = [], []

    def turn(self, first):
        self.before()
        pids = self.pids()
        cpu, start = children_cpu() + sum(map(cpu_of, pids)), time.monotonic()
        self.run()
        self.walls.append(time.monotonic() - start)
        time.sleep(0.2)     # sessions of a server end a little later; their processor time counts when they did
        self.cpus.append(children_cpu() + sum(map(cpu_of, pids)) - cpu)
        if first:
            self.check()

    def wall(self):
        return statistics.median(self.walls)

    def cpu(self):
        return statistics.median(self.cpus)


def race(contenders, rounds, say):
    """Each once a round, the first one another each time."""
    for n in range(rounds):
        order = contenders[n % len(contenders):] + contenders[:n % len(contenders)]
        for c in order:
            c.turn(n == 0)
        say(f"  round {n + 1} of {rounds}: " + ", ".join(f"{c.name} {c.walls[-1]:.2f}" for c in contenders))


def race_table(contenders, size):
    """Markdown: medians, the spread, and how many times as long as the first one each takes."""
    ours = contenders[0]
    rows = ["| | median s | fastest … slowest | MB/s | × Sealpost's time | CPU s (both ends) |", "|---|---|---|---|---|---|"]
    for c in contenders:
        rows.append(f"| {c.name} | {c.wall():.2f} | {min(c.walls):.2f} … {max(c.walls):.2f} | {size / c.wall() / 1e6:.0f} | "
                    f"{c.wall() / ours.wall():.2f} | {c.cpu():.2f} |")
    return "\n".join(rows)


def race_facts(contenders):
    return {c.name: {"walls": c.walls, "cpus": c.cpus} for c in contenders}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "unknown processor")
    return f"{os.cpu_count()} × {model}, Linux {os.uname().release}"


def measure(args, opened, run):
    """run(bench, args) with the bench that the context opened(folder) gives, in a folder below args.dir that is gone afterwards; what it
    returns goes into the file args.json, if there is to be one."""
    folder = tempfile.mkdtemp(prefix="spb", dir=args.dir)
    os.chmod(folder, 0o755)
    try:
        with opened(folder) as bench:
            facts = run(bench, args)
        if args.json:
            with open(args.json, "w", encoding="utf-8") as f:
                json.dump(facts, f, indent=1)
    finally:
        shutil.rmtree(folder)
