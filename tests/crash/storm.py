"""Random kills: a paid office whose stations send to each other all the time, while a seeded stream of kill -9 falls on everything.

    storm = Storm(office, folder, seed)
    storm.run(200)              that many kills
    storm.settle()              everything runs again, until nothing is pending
    storm.check()               every delivery compared, every receipt verified, every credit counted; a summary in words
"""

import collections
import contextlib
import glob
import json
import os
import random
import re
import signal
import subprocess
import threading
import time

from office.office import DOMAIN
from office.process import OfficeError

from .lane import ask, must, pending, wait

PEOPLE = ("alice", "bob", "carol")
SERVICES = ("keyd", "creditd", "certd")
POSTGRES = ("PostgreSQL, immediate shutdown", "PostgreSQL, killed")
SETTINGS = 'return_host = "127.0.0.1"; attempts = 100; breaks = 1000;'
OPEN_MOST = 4           # orders of a station at once
TOPUP = 5
GRANTED = 20            # state of a top-up


class Order:
    def __init__(self, title, by, to, path):
        self.title, self.by, self.to, self.path, self.answered = title, by, to, path, False


class Storm:
    def __init__(self, office, folder, seed, say=print, large=60_000_000):
        self.office, self.folder, self.random, self.say, self.large = office, folder, random.Random(seed), say, large
        self.stations = {p: office.station(p, settings=SETTINGS) for p in PEOPLE}
        office.introduce(*PEOPLE)
        self.accounts = {p: office.open_account(p, 100_000) for p in PEOPLE}
        for p, s in self.stations.items():
            s.sealpost("credits", "add", "500", "--account", self.accounts[p])
        self.down, self.orders, self.states, self.kills = {}, [], collections.Counter(), 0
        self.numbers, self.over = 0, threading.Event()

    # ---- what goes on meanwhile ----
    def content(self, rng, name):
        """A file, a tree or a larger file."""
        path = os.path.join(self.folder, name)
        kind = rng.random()
        if kind < 0.6:
            with open(path, "wb") as f:
                f.write(os.urandom(rng.randrange(200_000)))
        elif kind < 0.9:
            for i in range(rng.randrange(1, 40)):
                folder = os.path.join(path, f"d{i % 5}")
                os.makedirs(folder, exist_ok=True)
                with open(os.path.join(folder, f"f{i}"), "wb") as f:
                    f.write(os.urandom(rng.randrange(5_000)))
        else:
            with open(path, "wb") as f:
                f.truncate(rng.randrange(self.large // 4, self.large))
        return path

    def traffic(self, person, seed):
        """One station's user: sends to the others, buys credits now and then; is told sometimes that peerd does not run."""
        rng, s, number = random.Random(seed), self.stations[person], 0
        while not self.over.wait(rng.uniform(0.05, 0.6)):
            with contextlib.suppress(Exception):
                if sum(not e["ended"] for e in s.json("log", "--pending", check=False) if e["kind"] == "send") >= OPEN_MOST:
                    continue
            if rng.random() < 0.1:
                with subprocess.Popen([s.office.program("peerd/cli/sealpost"), "--home", s.home, "credits", "add", str(TOPUP)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=s.office.daemon_env()) as child:
                    time.sleep(0.1)
                    child.kill()        # the asking; the top-up goes on
                continue
            number += 1
            order = Order(f"packet {number} of {person}", person, rng.choice([p for p in PEOPLE if p != person]), None)
            order.path = self.content(rng, f"{person}-{number}")
            self.orders.append(order)
            done = s.sealpost("send", "--no-wait", "--title", order.title, "--to", f"{order.to}@{DOMAIN}", order.path, check=False)
            order.answered = done.returncode == 0

    # ---- the kills ----
    def state_of(self, victim):
        """What it is doing, as its database says."""
        if victim in self.stations:
            found = collections.Counter(pending(self.stations[victim]))
            return ", ".join(f"{n} {state}" for state, n in sorted(found.items())) or "nothing pending"
        try:
            return self.office.cluster.sql({
                "certd": "SELECT count(*) || ' postmarks unsigned, ' || (SELECT count(*) FROM cert.queue) || ' in the queue' FROM "
                         "cert.v_receipt WHERE signed IS NULL",
                "creditd": "SELECT count(*) || ' sheets' FROM credit.v_sheet",
                "keyd": "SELECT count(*) || ' certificates' FROM key.v_certificate"}.get(
                    victim, "SELECT count(*) || ' transactions running' FROM pg_stat_activity WHERE state = 'active' AND "
                            "pid <> pg_backend_pid()"))[0][0]
        except OfficeError:
            return "the database away"

    def kill(self):
        up = [v for v in [*PEOPLE, *PEOPLE, *SERVICES, *POSTGRES] if v not in self.down and
              not (v in POSTGRES and any(p in self.down for p in POSTGRES))]
        if not up:
            return
        victim = self.random.choice(up)
        if victim in self.stations:
            self.stations[victim].daemon.signal(signal.SIGKILL)
            state = self.state_of(victim)
            self.stations[victim].daemon.wait_gone(10)
        elif victim in SERVICES:
            state = self.state_of(victim)
            self.office.services[victim].kill()
        elif victim == POSTGRES[0]:
            state = self.state_of(victim)
            self.office.cluster.daemon.signal(signal.SIGQUIT)
            self.office.cluster.daemon.wait_gone(20)
        else:
            state = self.state_of(victim)
            self.office.cluster.kill()
        self.kills += 1
        self.states[(victim, state if victim in self.stations else "")] += 1
        self.down[victim] = time.monotonic() + self.random.choice((0, 0.1, 0.5, 1.5))
        self.say(f"kill {self.kills}: {victim} ({state})")

    def up(self, victim):
        if victim in POSTGRES:
            self.office.cluster.start()
        elif any(p in self.down for p in POSTGRES) and victim in SERVICES:
            return      # a service wants its database when it starts
        elif victim in SERVICES:
            self.office.start_service(victim)
        else:
            self.stations[victim].start()
        del self.down[victim]

    def raise_the_dead(self, all_of_them=False):
        for victim in sorted(self.down, key=lambda v: v not in POSTGRES):
            if all_of_them or self.down[victim] <= time.monotonic():
                self.up(victim)

    def run(self, kills):
        threads = [threading.Thread(target=self.traffic, args=(p, self.random.random())) for p in PEOPLE]
        for t in threads:
            t.start()
        try:
            while self.kills < kills:
                time.sleep(self.random.uniform(0.05, 0.8))
                self.raise_the_dead()
                self.kill()
        finally:
            self.over.set()
            for t in threads:
                t.join()

    # ---- afterwards ----
    def settle(self, seconds=240):
        self.raise_the_dead(all_of_them=True)
        for p, s in self.stations.items():
            wait(lambda s=s: not pending(s), seconds, lambda p=p, s=s: f"{p} has nothing pending; now {pending(s)}: "
                 f"{[e for e in s.json('log', '--pending')]}")

    def logs(self):
        return {p: s.json("log", "-n", "1000") for p, s in self.stations.items()}

    def check(self):
        logs, spent, ids = self.logs(), collections.Counter(), {p: set() for p in PEOPLE}
        taken = 0
        for order in self.orders:
            sent = [e for e in logs[order.by] if e["kind"] == "send" and e["title"] == order.title]
            must(len(sent) == 1 or (not order.answered and not sent), f"{order.title}: {len(sent)} events for one order")
            if sent:
                taken += 1
                self.check_one(order, sent[0], logs)
                spent[order.by] += sent[0]["price"]
                ids[order.to].add(bytes.fromhex(sent[0]["id"].replace("-", "")))
        for p, s in self.stations.items():
            self.check_station(p, s, spent[p], ids[p])
        bad = self.office.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE")
        must(bad == [], f"credit.check() says {bad}")
        return self.summary(taken, sum(spent.values()))

    def check_one(self, order, event, logs):
        must(event["result"] == "delivered" and event["postmarked"] and event["payment"] == "paid", f"{order.title}: {event}")
        there = [e for e in logs[order.to] if e["id"] == event["id"] and e["kind"] == "receive"]
        must(len(there) == 1 and there[0]["result"] == "delivered", f"{order.title}: at the recipient {there}")
        placed = there[0]["placed"]
        same = subprocess.run(["diff", "-r", order.path, os.path.join(placed, os.path.basename(order.path))], check=False,
                              capture_output=True)
        must(same.returncode == 0, f"{order.title}: differs from what was sent")
        s = self.stations[order.by]
        proof = json.loads(s.sealpost("--json", "verify", event["receipt_file"], placed).stdout.splitlines()[0])
        must(proof["postmarked"], f"{order.title}: {proof}")
        os.makedirs(os.path.join(self.folder, "openssl"), exist_ok=True)
        lines = s.sealpost("receipt", "show", "--openssl", event["receipt_file"]).stdout
        done = subprocess.run(["bash", "-e"], input=lines, cwd=os.path.join(self.folder, "openssl"), check=False,
                              capture_output=True, text=True)
        must(done.returncode == 0, f"{order.title}: openssl does not accept the receipt: {done.stderr}")
        marks, postmarks = self.office.cluster.sql(
            "SELECT (SELECT count(*) FROM credit.mark JOIN credit.settlement USING (settlement) "
            f"WHERE transfer = '{event['id']}'), (SELECT count(*) FROM cert.v_receipt WHERE transfer = '{event['id']}')")[0]
        must((int(marks), postmarks) == (event["price"], "1"), f"{order.title}: {marks} credits settled, {postmarks} postmarks")

    def check_station(self, person, s, price, ids):
        serials = ask(s, "SELECT count, state FROM serial")
        must(sum(n for n, state in serials if state == 3) == price, f"{person}: spent {serials}, charged {price}")
        must(not [1 for n, state in serials if n > 0 and state in (1, 2)], f"{person}: serials are still reserved")
        took = {t for t, in ask(s, "SELECT DISTINCT transfer FROM taken")}
        must(took == ids, f"{person}: took franks of {len(took)} deliveries, got {len(ids)}")
        folders = [f for p in PEOPLE for f in glob.glob(s.path("received", f"{p}@{DOMAIN}", "*"))]
        must(len(folders) == len(ids), f"{person}: {len(folders)} folders for {len(ids)} deliveries")
        left = [f for pattern in ("received/.incoming/*", "outgoing/*", "**/*.new") for f in glob.glob(
            s.path(pattern), recursive=True, include_hidden=True)]
        wait(lambda: not [f for f in left if os.path.exists(f)], 5, f"left over: {left}")
        granted = len(ask(s, "SELECT 1 FROM event WHERE kind = 3 AND state = ?", GRANTED)) - 1
        holds, free = (int(n) for n in self.office.admin_sql(
            f"SELECT holds, on_sheets FROM credit.v_account WHERE number = '{self.accounts[person]}'")[0])
        must(holds == 100_000 - 500 - TOPUP * granted, f"{person}: the account holds {holds} after {granted} top-ups")
        must(s.json("credits")[0]["free"] == 500 + TOPUP * granted - price, f"{person}: the wallet's sum is wrong")
        must(free == 500 + TOPUP * granted - price, f"{person}: {free} credits are out at creditd")

    def summary(self, taken, spent):
        by = collections.Counter()
        for (victim, _), n in self.states.items():
            by[victim] += n
        lines = [f"{self.kills} kills: " + ", ".join(f"{victim} {n}" for victim, n in sorted(by.items())),
                 f"{taken} deliveries of {len(self.orders)} orders (the others were never answered), each identical, delivered once, "
                 f"postmarked once; {spent} credits charged, each settled once", "credit.check() is true; nothing is left over",
                 "states in which stations were killed:"]
        seen = collections.Counter()
        for (victim, state), n in self.states.items():
            if victim in PEOPLE:
                for word in re.findall(r"\d+ ([^,]+)|(nothing pending)", state):
                    seen[word[0] or word[1]] += n
        return "\n".join(lines + [f"  {state}: {n}" for state, n in seen.most_common()])
