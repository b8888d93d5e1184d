"""See bench/links."""

import argparse
import contextlib
import os
import re
import threading

from figures import Contender, machine, measure, race, race_facts
from loads import emptied, make_file, make_text, make_tree, same, sh, total
from office.link import Link
from office.office import Office
from office.process import free_port
from rivals import Iperf, Sshd

BUILD = os.environ["SEALPOST_BUILD"]
FAR = "delay 50 rate 1G queue 50ms"
# the rate that cubic keeps falls with the square root of the losses: less is sent, so that an end is seen
CASES = {name: (f"{FAR} loss {loss}", congestion, share) for name, loss, congestion, share in (
    ("far-bbr", 0, "bbr", 1), ("far-bbr-0.1", 0.1, "bbr", 1), ("far-bbr-1", 1, "bbr", 1),
    ("far-cubic", 0, "cubic", 1), ("far-cubic-0.1", 0.1, "cubic", 0.125), ("far-cubic-1", 1, "cubic", 0.03125))}


class Watch:
    """ss -ti of the connection that has sent most, every half second while one contender runs."""

    def __init__(self, end):
        self.end, self.best, self.seen = end, 0, {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over.wait(0.5):
            for line in self.end.run("ss", "-tinHO").stdout.splitlines():
                facts = dict(re.findall(r"(\w+):([\d.%/a-z()]+)", line))
                sent, busy = int(facts.get("bytes_acked", 0)), float(facts.get("busy", "0ms").rstrip("ms"))
                if sent >= self.best and sent > 1000000:
                    self.best = sent
                    self.seen = {**facts, "busy": busy, "app": "app_limited" in line,
                                 "algorithm": (re.findall(r"\b(bbr|cubic|reno)\b", line) or ["?"])[0],
                                 "rate": (re.findall(r"delivery_rate (\S+)", line) or ["?"])[0]}

    def stop(self):
        self.over.set()
        self.thread.join()
        if not self.seen:
            return "too short to be seen"
        s = self.seen

        def share(key):
            return re.sub(r".*\((.*)\)", r"\1", s[key]) if key in s else "0%"

        return (f"{s['algorithm']}, {self.best / 1e6:.0f} MB acknowledged, cwnd {s.get('cwnd')} packets, peer's window {s.get('snd_wnd', '?')}, not "
                f"sent {s.get('notsent', 0)}, of {s['busy'] / 1000:.1f} s busy {share('rwnd_limited')} held up by the peer's window "
                f"and {share('sndbuf_limited')} by the send buffer, delivering {s['rate']}, sent again {s.get('retrans', '0/0')}, "
                f"out of data or buffer at times: {'yes' if s['app'] else 'no'}")


class Bench:
    def __init__(self, folder, link):
        self.folder, self.link = folder, link
        self.goal = os.path.join(folder, "goal")
        self.office = Office(os.path.join(folder, "o"), BUILD, keyd_host=link.a.services)
        self.office.create()
        self.alice, self.bob = (self.office.station(name, on=end.address, netns=end.netns)
                                for name, end in (("alice", link.a), ("bob", link.b)))
        self.office.introduce()
        ends = {"there": link.b.inside(), "here": link.a.inside()}
        self.sshd = Sshd(os.path.join(folder, "ssh"), free_port(), link.b.address, **ends)
        self.iperf = Iperf(link.b.address, **ends)
        self.limits = {}

    def close(self):
        self.iperf.stop()
        self.sshd.stop()
        self.office.stop()

    def congestion(self, name):
        for end in (self.link.a, self.link.b):
            # by the route: a namespace may not make any algorithm its own default, and programs need not ask for it
            end.ip("route", "replace", "10.9.0.0/24", "dev", "link", "src", end.address, "congctl", name)

    def window(self, size):
        for end in (self.link.a, self.link.b):
            end.sysctl("net.ipv4.tcp_rmem", f"4096 131072 {size}")
            end.sysctl("net.ipv4.tcp_wmem", f"4096 16384 {size}")

    def found(self, name):
        for folder, dirs, files in os.walk(self.bob.path("received")):
            if name in dirs + files:
                return os.path.join(folder, name)
        raise SystemExit("bench: nothing arrived")

    def watched(self, title, run):
        """run, and the first time what TCP says of it."""
        def go():
            if title in self.limits:
                run()
                return
            watch = Watch(self.link.a)
            try:
                run()
            finally:
                self.limits[title] = watch.stop()
        return go

    def sealpost(self, source, title="Sealpost"):
        name = os.path.basename(source)
        return Contender(title, self.watched(title, lambda: self.alice.sealpost("send", "--to", self.bob.name, source)),
                         before=lambda: emptied(self.bob.path("received")), check=lambda: same(source, self.found(name)),
                         pids=lambda: [self.alice.daemon.pid(), self.bob.daemon.pid()])

    def rival(self, title, source, command):
        return Contender(title, self.watched(title, lambda: sh(command)), before=lambda: emptied(self.goal),
                         check=lambda: same(source, os.path.join(self.goal, os.path.basename(source))))

    def scp(self, source, *more):
        return self.rival(" ".join(["scp", *more]), source, self.sshd.scp(source, self.goal, *more))

    def rsync(self, source, *more, title=None):
        return self.rival(title or " ".join(["rsync -a", *more]), source, self.sshd.rsync(source, self.goal, *more))

    def iperfs(self, size):
        return [Contender(f"iperf3, {n} connection{'s' * (n > 1)}", self.watched(f"iperf3 {n}",
                          lambda n=n: self.iperf.run(size, n))) for n in (1, 8)]


def table(them, sizes):
    """Markdown: as race_table, in Mbit/s of payload."""
    rows = ["| | MB | median s | fastest … slowest | Mbit/s | × Sealpost's time | CPU s (both ends) |", "|---|---|---|---|---|---|---|"]
    for c, size in zip(them, sizes):
        rows.append(f"| {c.name} | {size / 1e6:.0f} | {c.wall():.2f} | {min(c.walls):.2f} … {max(c.walls):.2f} | "
                    f"{size * 8 / c.wall() / 1e6:.0f} | {c.wall() / them[0].wall():.2f} | {c.cpu():.2f} |")
    return "\n".join(rows)


def case(bench, args, orders, congestion, them, sizes):
    bench.link.tell("perfect")
    bench.link.tell(orders)
    bench.congestion(congestion)
    bench.limits.clear()
    print(f"\n{orders}, {congestion}\n", flush=True)
    race(them, args.rounds, lambda line: print(line, flush=True))
    print("\n" + table(them, sizes) + "\n")
    for title, words in bench.limits.items():
        print(f"- {title}: {words}")
    counts = bench.link.counts()
    print(f"- the link itself: {counts['a>b']['full']} packets lost at a full queue, {counts['a>b']['lost']} by chance so far; late by "
          f"{counts['late_ms']} ms on average, {counts['latest_ms']} ms at most")
    return {"orders": orders, "congestion": congestion, "sizes": sizes, "limits": dict(bench.limits), **race_facts(them)}


def far(bench, args, name):
    orders, congestion, share = CASES[name]
    path = os.path.join(bench.folder, "source", "file")
    size = int(args.size * share)
    make_file(path, size)
    them = [bench.sealpost(path), bench.scp(path), bench.rsync(path), *bench.iperfs(size)]
    return case(bench, args, orders, congestion, them, [size] * len(them))


def tree(bench, args):
    """Against a single file of its size; scp takes a round trip and more for each file, and is left out."""
    folder = os.path.join(bench.folder, "source", "tree")
    make_tree(folder, args.files)
    size = total(folder)
    path = os.path.join(bench.folder, "source", "single")
    make_file(path, size)
    them = [bench.sealpost(folder, "Sealpost, tree"), bench.sealpost(path, "Sealpost, one file of its size"),
            bench.rsync(folder, title="rsync -a, tree"), bench.rsync(path, title="rsync -a, one file of its size")]
    return case(bench, args, FAR, "bbr", them, [size] * 4)


def text(bench, args):
    path = os.path.join(bench.folder, "source", "text")
    size = args.size // 2
    make_text(path, size)
    them = [bench.sealpost(path), bench.scp(path), bench.scp(path, "-C"), bench.rsync(path), bench.rsync(path, "-z")]
    return case(bench, args, "delay 5 rate 100M queue 50ms", "bbr", them, [size] * len(them))


def run(bench, args):
    facts = {"machine": machine()}
    print(f"{machine()}; everything in {args.dir}; {args.rounds} rounds, by turns; a rate counts bytes of IP")
    print("largest windows: tcp_rmem, tcp_wmem " + ", ".join(
        bench.link.a.run("sysctl", "-n", f"net.ipv4.{n}").stdout.split()[2] for n in ("tcp_rmem", "tcp_wmem")))
    for name in args.only or [*CASES, "tree", "text"]:
        for folder in (os.path.join(bench.folder, "source"), bench.goal):
            emptied(folder)
        print(f"\n{name}:", flush=True)
        facts[name] = {"tree": tree, "text": text}[name](bench, args) if name in ("tree", "text") else far(bench, args, name)
    return facts


def main():
    p = argparse.ArgumentParser(prog="bench/links", description="Sealpost beside scp, rsync and iperf3 over far and slow links.")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--size", type=int, default=256 << 20, help="of the large file (256 MiB); less of it where cubic meets losses")
    p.add_argument("--files", type=int, default=13000, help="of the tree (13,000)")
    p.add_argument("--only", nargs="+", choices=[*CASES, "tree", "text"], help="these cases")
    p.add_argument("--window", type=int, help="most bytes of a TCP window at both ends, instead of what this machine has")
    p.add_argument("--dir", default="/dev/shm", help="a tmpfs with room for four times SIZE (/dev/shm)")
    p.add_argument("--json", help="file for every single figure")
    args = p.parse_args()
    if Link.missing():
        raise SystemExit("bench: " + Link.missing())

    @contextlib.contextmanager
    def linked(folder):
        with Link(BUILD) as link, contextlib.closing(Bench(folder, link)) as bench:
            if args.window:
                bench.window(args.window)
            yield bench
    measure(args, linked, run)


main()
