"""A lane: two stations that deliver to each other, one of which may be killed at any time; and what must be true afterwards.

What is checked after each kill, whoever was killed: one delivery, identical; one charge; a settled frank; a postmarked receipt
that sealpost and stock openssl accept; credit.check() true; nothing left over."""

import contextlib
import glob
import json
import os
import re
import sqlite3
import subprocess
import time

from office.process import OfficeError

from .table import HERE

SPENT = 3       # serial.state
EVENT_KINDS = {1: "send", 2: "receive", 3: "credit", 4: "hand_in", 5: "hand_in"}


class Problem(Exception):
    """What is not as it must be."""


def must(what, words):
    if not what:
        raise Problem(words)


def wait(what, seconds, words):
    end = time.monotonic() + seconds
    while not (value := what()):
        must(time.monotonic() < end, f"not within {seconds} s: {words() if callable(words) else words}")
        time.sleep(0.03)
    return value


def machine_states():
    """{kind: {number: NAME}}, from the machines' tables."""
    found = {}
    for kind, name in EVENT_KINDS.items():
        with open(os.path.join(HERE, "..", "..", "peerd", "events", name + ".def"), encoding="utf-8") as f:
            found[kind] = {int(n): word for n, word in re.findall(r"^STATE\((\d+), (\w+)", f.read(), re.M)}
    return found


STATES = machine_states()


def ask(station, question, *values):
    """Rows of a station's database, running or not."""
    db = sqlite3.connect(f"file:{station.path('peer.db')}?mode=ro", uri=True, timeout=10)
    try:
        return db.execute(question, values).fetchall()
    finally:
        db.close()


def pending(station):
    """How its pending events stand in the database: what a kill leaves."""
    return [f"{'' if kind < 4 else {4: 'postmark ', 5: 'lodge '}[kind]}{STATES[kind].get(state, state)}" for kind, state in
            ask(station, "SELECT kind, state FROM event WHERE ended = 0 ORDER BY number")]


# ---- faults ----

def arm(daemon, point):
    """The daemon dies at this point, from now on."""
    path = os.path.join(daemon.folder, "fault")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(point)
    os.replace(path + ".new", path)


def disarm(daemon):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(daemon.folder, "fault"))


class Lane:
    """a sends to b. Everything that a sent is known here, so that it can be compared at any time."""

    def __init__(self, office, number, folder, settings=""):
        self.office, self.folder = office, folder
        os.makedirs(folder, exist_ok=True)
        words = 'return_host = "127.0.0.1"; compress = "no";' + settings     # large files are holes, and take their time
        self.a = office.station(f"alice{number}", settings=words)
        self.b = office.station(f"bob{number}", settings=words)
        office.introduce(f"alice{number}", f"bob{number}")
        self.account = office.open_account(self.a.person, 10000)
        self.topup(200)
        self.files, self.orders, self.spent, self.got = 0, {}, 0, 200

    def topup(self, number):
        self.a.sealpost("credits", "add", str(number), "--account", self.account)

    def victim(self, who):
        return {"sender": self.a, "wallet": self.a, "recipient": self.b}.get(who) or self.office.services[who]

    def daemon(self, who):
        return getattr(self.victim(who), "daemon", self.victim(who))

    def restart(self, who):
        """After a kill, with no fault."""
        disarm(self.daemon(who))
        if self.daemon(who) is self.victim(who):
            if not self.victim(who).running():
                self.office.start_service(who)
        else:
            self.victim(who).start()

    def fell(self, daemon, seconds):
        """Until the kill fell, or what else was armed."""
        if not daemon.wait_gone(seconds):
            disarm(daemon)
            raise Problem("the point was not reached")

    def die(self, who, seconds=30):
        """The same; the state in which it did."""
        self.fell(self.daemon(who), seconds)
        return self.state()

    def state(self):
        them = [(name, pending(s)) for name, s in (("sender", self.a), ("recipient", self.b))]
        return "; ".join(f"{name} {', '.join(found)}" for name, found in them if found) or "nothing pending"

    # ---- deliveries ----
    def file(self, size=1500):
        self.files += 1
        path = os.path.join(self.folder, f"f{self.files}")
        with open(path, "wb") as f:
            if size > 1_000_000:
                f.truncate(size)
            else:
                f.write(os.urandom(size))
        return path

    def send(self, path, *words):
        """Gives the order; whether it was answered."""
        return self.a.sealpost("send", "--no-wait", *words, "--to", self.b.name, path, check=False).returncode == 0

    def log(self, station, *words):
        return [e for e in station.json("log", "-n", "1000", *words)]

    def idle(self, seconds=90):
        for s in (self.a, self.b):
            wait(lambda s=s: not pending(s), seconds, lambda: f"nothing is pending any more; now: {self.state()}")

    def new(self):
        """The sender's entries that no test has looked at."""
        return [e for e in self.log(self.a, "--sent") if e["id"] not in self.orders]

    def delivered(self, path, ordered=True, payment="paid", receipt="postmarked"):
        """One delivery of this file, or none if the order was not answered; the words for the table."""
        self.idle()
        new = self.new()
        must(len(new) == 1 or (not ordered and not new), f"{len(new)} orders for one")
        if not new:
            self.whole()
            return "the order was not taken: nothing happened"
        event = new[0]
        self.orders[event["id"]] = path
        must(event["result"] == "delivered", f"the sender's event ended as {event}")
        there = [e for e in self.log(self.b) if e["id"] == event["id"] and e["kind"] == "receive"]
        must(len(there) == 1 and there[0]["result"] == "delivered", f"the recipient's: {there}")
        self.spent += event["price"]
        self.identical(path, there[0]["placed"])
        if receipt:
            self.receipt(event, there[0], receipt, payment)
        wait(lambda: self.marks(event["id"]) == event["price"], 30, "the frank is settled")
        self.whole()
        return "delivered once, paid once"

    def ended(self, *results):
        """One event, that did not deliver: nothing was placed, nothing charged."""
        self.idle()
        new = self.new()
        must(len(new) == 1 and new[0]["result"] in results, f"the sender's events: {new}")
        self.orders[new[0]["id"]] = None
        must(self.marks(new[0]["id"]) == 0, "it was charged")
        self.whole()
        return f"{new[0]['result']}: nothing delivered, nothing charged"

    def identical(self, path, placed):
        with open(path, "rb") as sent, open(os.path.join(placed, os.path.basename(path)), "rb") as got:
            while True:
                one, two = sent.read(1 << 20), got.read(1 << 20)
                must(one == two, f"{placed} is not what was sent")
                if not one:
                    return

    def receipt(self, event, there, receipt, payment):
        proof = self.a.sealpost("--json", "verify", event["receipt_file"], there["placed"])
        must(json.loads(proof.stdout.splitlines()[0])["postmarked"] == (receipt == "postmarked"), proof.stdout)
        must(not event["payment"] or event["payment"] == payment, f"the payment is said to be {event['payment']}")
        folder = os.path.join(self.folder, "openssl")
        os.makedirs(folder, exist_ok=True)
        lines = self.a.sealpost("receipt", "show", "--openssl", event["receipt_file"]).stdout.splitlines()
        done = subprocess.run(["bash", "-e"], input="\n".join(lines), cwd=folder, check=False, capture_output=True, text=True)
        must(done.returncode == 0, f"openssl does not accept the receipt: {done.stderr}")
        if receipt == "postmarked":
            must(there["receipt_file"] and os.path.exists(there["receipt_file"]), "the recipient has a copy of the postmarked receipt")
            rows = self.office.cluster.sql(f"SELECT count(*) FROM cert.v_receipt WHERE transfer = '{event['id']}' AND signed IS NOT NULL")
            must(rows == [["1"]], f"postmarks of one receipt: {rows}")

    def marks(self, transfer):
        return int(self.office.cluster.sql("SELECT count(*) FROM credit.mark JOIN credit.settlement USING (settlement) "
                                           f"WHERE transfer = '{transfer}'")[0][0])

    # ---- everything at once ----
    def whole(self):
        """What must be true of both stations and the ledger when nothing is pending."""
        spent = [(t, n) for t, first, count, state in ask(self.a, "SELECT transfer, first, count, state FROM serial")
                 if state == SPENT for n in range(first, first + count)]
        must(len(spent) == self.spent, f"{len(spent)} credits are spent, {self.spent} were charged")
        taken = ask(self.b, "SELECT transfer, serial FROM taken")
        delivered = {bytes.fromhex(t.replace("-", "")) for t, path in self.orders.items() if path}
        must(sorted(spent) == sorted((t, n) for t, n in taken if t in delivered), "spent and taken serials differ")
        folders = glob.glob(self.b.path("received", self.a.name, "*"))
        must(len(folders) == len(delivered), f"{len(delivered)} deliveries, but {folders}")
        left = [p for s in (self.a, self.b) for pattern in ("received/.incoming/*", "**/*.new", "**/*.tmp")
                for p in glob.glob(s.path(pattern), recursive=True, include_hidden=True)]
        wait(lambda: not [p for p in left if os.path.exists(p)], 5, f"left over: {left}")
        kept = [str(e["id"]) for e in self.log(self.a, "--failed")]     # so that they can be tried again
        left = [p for s in (self.a, self.b) for p in glob.glob(s.path("outgoing/*")) if os.path.basename(p) not in kept]
        wait(lambda: not [p for p in left if os.path.exists(p)], 5, f"left over: {left}")
        self.ledger()

    def ledger(self):
        bad = self.office.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE")
        must(bad == [], f"credit.check() says {bad}")


def gone(daemon_command):
    """A command whose daemon may die under it."""
    with contextlib.suppress(OfficeError, subprocess.TimeoutExpired):
        return daemon_command()
    return None
