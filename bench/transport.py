"""See bench/transport."""

import argparse
import contextlib
import os

from figures import Contender, machine, measure, memory_of, race, race_facts, race_table
from loads import emptied, make_file, make_tree, same, sh, total
from office.office import Office
from office.process import free_port
from rivals import Sshd

BUILD = os.environ["SEALPOST_BUILD"]


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.office = Office(os.path.join(folder, "o"), BUILD)
        self.office.create(credits=True, certd=True)
        self.alice, self.bob = self.office.station("alice"), self.office.station("bob")
        self.office.introduce()
        self.office.rich(self.alice, 100)
        self.goal = os.path.join(folder, "goal")
        self.sshd = Sshd(os.path.join(folder, "ssh"), free_port())

    def peers(self):
        return [self.alice.daemon.pid(), self.bob.daemon.pid()]

    def received(self):
        return self.bob.path("received")

    def found(self, name):
        """Where a packet's only member lies."""
        for folder, dirs, files in os.walk(self.received()):
            if name in dirs + files:
                return os.path.join(folder, name)
        raise SystemExit("bench: nothing arrived")

    def contenders(self, source):
        name, goal = os.path.basename(source), self.goal
        parent = os.path.dirname(source)
        gcm = ("-c", "aes128-gcm@openssh.com")

        def post(receipt):
            return lambda: self.alice.sealpost("send", "--to", self.bob.name, "--receipt", receipt, source)

        def tar(*more):
            return lambda: sh(f"tar -C {parent} -cf - {name} | {' '.join(self.sshd.ssh(*more))} tar -C {goal} -xf -", shell=True)

        def rival(title, run):
            return Contender(title, run, before=lambda: emptied(goal), check=lambda: same(source, os.path.join(goal, name)),
                             pids=lambda: [self.sshd.daemon.pid])

        def sealpost(title, receipt):
            return Contender(title, post(receipt), before=lambda: emptied(self.received()),
                             check=lambda: same(source, self.found(name)), pids=self.peers)

        return [
            sealpost("Sealpost, paid and postmarked", "postmarked"),
            sealpost("Sealpost, direct receipt", "direct"),
            rival("scp", lambda: sh(self.sshd.scp(source, goal))),
            rival("scp -c aes128-gcm", lambda: sh(self.sshd.scp(source, goal, *gcm))),
            rival("rsync -a", lambda: sh(self.sshd.rsync(source, goal))),
            rival("tar \\| ssh tar", tar()),
            rival("tar \\| ssh -c aes128-gcm tar", tar(*gcm)),
        ]

    def memory(self):
        rows = ["| daemon | resident MiB | at most |", "|---|---|---|"]
        for name, pid in [("peerd, sender", self.alice.daemon.pid()), ("peerd, recipient", self.bob.daemon.pid()),
                          *((n, d.pid()) for n, d in self.office.services.items())]:
            now, most = memory_of(pid)
            rows.append(f"| {name} | {now:.1f} | {most:.1f} |")
        return "\n".join(rows)

    def close(self):
        self.sshd.stop()
        self.office.stop()


def main():
    p = argparse.ArgumentParser(prog="bench/transport", description="Sealpost beside scp, rsync and tar over ssh.")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--size", type=int, default=4 << 30, help="of the large file (4 GiB)")
    p.add_argument("--files", type=int, default=13000, help="of the tree (13,000)")
    p.add_argument("--dir", default="/dev/shm", help="a tmpfs with room for four times SIZE (/dev/shm)")
    p.add_argument("--json", help="file for every single figure")
    args = p.parse_args()
    measure(args, lambda folder: contextlib.closing(Bench(folder)), run)


def run(bench, args):
    facts = {"machine": machine()}
    print(f"{machine()}; everything in {args.dir}; {args.rounds} rounds, by turns")
    source = os.path.join(bench.folder, "source")
    os.makedirs(source)
    for what in ("file", "tree"):
        path = os.path.join(source, what)
        if what == "file":
            make_file(path, args.size)
        else:
            make_tree(path, args.files)
        size = total(path)
        print(f"\n{what}: {size / 1e6:.0f} MB", flush=True)
        them = bench.contenders(path)
        race(them, args.rounds, lambda line: print(line, flush=True))
        print(race_table(them, size))
        facts[what] = {"bytes": size, **race_facts(them)}
        emptied(source)
        emptied(bench.goal)
        emptied(bench.received())
    print("\n" + bench.memory())
    return facts


main()
