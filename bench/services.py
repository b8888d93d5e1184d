"""See bench/services."""

import argparse
import contextlib
import os
import re
import statistics
import subprocess
import time

from figures import cpu_of, machine, measure, memory_of
from office.office import Office
from office.process import free_port
from rivals import Sshd

BUILD = os.environ["SEALPOST_BUILD"]


class Bench:
    def __init__(self, folder):
        self.folder = folder
        self.office = Office(os.path.join(folder, "o"), BUILD)
        self.office.create(certd=True)
        self.office.add_creditd(settings="balance = 1000000;", tariff="0:1,1000000:2")
        self.office.run("certd", "--migrate")
        self.alice, self.bob = self.office.station("alice"), self.office.station("bob")
        self.office.introduce()
        self.account = self.office.open_account("alice", 1000000)
        self.alice.sealpost("credits", "add", "1000", "--account", self.account)
        self.sshd = Sshd(os.path.join(folder, "ssh"), free_port())

    def close(self):
        self.sshd.stop()
        self.office.stop()

    def one_byte(self, times):
        """One byte there by each way, by turns: seconds."""
        byte = os.path.join(self.folder, "byte")
        with open(byte, "wb") as f:
            f.write(b"x")
        goal = os.path.join(self.folder, "goal")
        os.makedirs(goal)
        mux = ["-o", f"ControlPath={self.folder}/mux", "-o", "ControlMaster=auto", "-o", "ControlPersist=60"]
        ways = {
            "Sealpost, paid and postmarked": lambda n: self.alice.sealpost("send", "--to", self.bob.name, "--receipt",
                                                                           "postmarked", byte),
            "Sealpost, direct receipt": lambda n: self.alice.sealpost("send", "--to", self.bob.name, "--receipt", "direct", byte),
            "scp": lambda n: subprocess.run(self.sshd.scp(byte, f"{goal}/{n}"), check=True),
            "ssh over a standing connection": lambda n: subprocess.run([*self.sshd.ssh(*mux), f"cat >{goal}/m{n}"], check=True,
                                                                       input=b"x"),
            "rsync -a": lambda n: subprocess.run(["rsync", "-a", "-e", self.sshd.rsh(), byte, f"127.0.0.1:{goal}/r{n}"],
                                                 check=True),
        }
        took = {name: [] for name in ways}
        for n in range(times + 1):
            for name, way in ways.items():
                start = time.monotonic()
                way(n)
                if n > 0:       # the first one warms up
                    took[name].append(time.monotonic() - start)
        subprocess.run([*self.sshd.ssh(*mux), "-O", "exit"], check=False, capture_output=True)
        return took

    def load(self, service, what, connections, count, directory, word):
        """So many requests: (per second, milliseconds of the service's processor time each, PostgreSQL's)."""
        pid = self.office.services[service].pid()
        database = self.office.cluster.daemon.pid()
        before, before_db = cpu_of(pid), self.database_cpu(database)
        done = subprocess.run([self.office.program("bench/service_load"), what, directory, str(connections), str(count), word],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"bench: {what}: {done.stdout}{done.stderr}")
        number, seconds = done.stdout.split()
        cpu, cpu_db = cpu_of(pid) - before, self.database_cpu(database) - before_db
        return int(number) / float(seconds), cpu / count * 1000, cpu_db / count * 1000

    @staticmethod
    def database_cpu(postmaster):
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], check=True, capture_output=True,
                                  text=True).stdout.split()
        used = 0
        for pid in [str(postmaster), *children]:
            try:
                used += cpu_of(pid)
            except OSError:
                pass
        return used

    def tokens(self, count, start):
        path = os.path.join(self.folder, f"tokens{start}")
        rows = self.office.admin_sql(f"SELECT key.invite('p' || n, 'd', 'Example Post') FROM generate_series({start}, "
                                     f"{start + count - 1}) n")
        with open(path, "w", encoding="ascii") as f:
            f.writelines(row[0] + "\n" for row in rows)
        return path


def openssl_speed():
    """P-256 signatures and checks a second of one core, by openssl itself: the bound that no service can pass."""
    out = subprocess.run(["openssl", "speed", "-seconds", "1", "ecdsap256"], check=True, capture_output=True, text=True).stdout
    sign, verify = re.search(r"ecdsa \(nistp256\)\s+\S+s\s+\S+s\s+(\S+)\s+(\S+)", out).groups()
    return float(sign), float(verify)


def byte_table(took):
    ours = statistics.median(next(iter(took.values())))
    rows = ["| | median ms | 99th percentile | × Sealpost's |", "|---|---|---|---|"]
    for name, all_ in took.items():
        m = statistics.median(all_)
        rows.append(f"| {name} | {m * 1000:.1f} | {sorted(all_)[min(len(all_) - 1, int(len(all_) * 0.99))] * 1000:.1f} | {m / ours:.2f} |")
    return "\n".join(rows)


def run(bench, args):
    print(f"{machine()}; everything in {args.dir}; PostgreSQL with fsync on")
    took = bench.one_byte(args.times)
    print(f"\none byte, {args.times} times each, by turns\n\n" + byte_table(took) + "\n", flush=True)
    state = bench.alice.path("station")
    rounds, number = {}, 1
    for _ in range(args.rounds):
        for what, service, word, directory in (
                ("lookup", "keyd", bench.bob.name, state), ("topup", "creditd", bench.account, state),
                ("postmark", "certd", state, bench.bob.path("station")), ("enrol", "keyd", None, None)):
            count = {"lookup": 5 * args.count, "enrol": args.count // 4}.get(what, args.count)
            if what == "enrol":
                word, directory = bench.tokens(count, number), os.path.join(bench.folder, f"e{number}")
                number += count
            rounds.setdefault(what, []).append(bench.load(service, what, 4, count, directory, word))
    sign, verify = openssl_speed()
    print("| request | a second | service's CPU ms each | PostgreSQL's |\n|---|---|---|---|")
    for what, figures in rounds.items():
        rate, cpu, db = (statistics.median(f[i] for f in figures) for i in range(3))
        print(f"| {what} | {rate:.0f} | {cpu:.2f} | {db:.2f} |")
    print(f"\nOne core makes {sign:.0f} P-256 signatures or {verify:.0f} checks a second (openssl speed, same minutes).\n")
    print("| daemon | resident MiB | at most |\n|---|---|---|")
    for name, d in [("peerd, sender", bench.alice.daemon), ("peerd, recipient", bench.bob.daemon), *bench.office.services.items()]:
        print("| %s | %.1f | %.1f |" % (name, *memory_of(d.pid())))
    return {"machine": machine(), "one_byte": took, "services": rounds, "openssl": [sign, verify]}


def main():
    p = argparse.ArgumentParser(prog="bench/services", description="One byte to the postmarked receipt; requests a second.")
    p.add_argument("--times", type=int, default=50, help="one byte by each way (50)")
    p.add_argument("--count", type=int, default=2000, help="requests a run; a quarter as many enrolments, five times as many look-ups (2,000)")
    p.add_argument("--rounds", type=int, default=3, help="runs of each kind (3)")
    p.add_argument("--dir", default="/var/tmp", help="where the office is made: on a real disk, for real syncs (/var/tmp)")
    p.add_argument("--json", help="file for every single figure")
    args = p.parse_args()
    measure(args, lambda folder: contextlib.closing(Bench(folder)), run)


main()
