"""The scenarios of tests/crash/points: each kills somebody at one point, starts what was killed again, and looks at what came of it.

A scenario gets the lane, who is to die and the point; it returns (the state in which the kill fell, the result in words)."""

import contextlib
import itertools
import os
import shutil
import subprocess
import uuid

from office.process import OfficeError

from .lane import ask, arm, disarm, must, pending, wait

LARGE, CHECKPOINT = 150_000_000, 280_000_000
NAMES = itertools.count(1)


def _send(lane, who, point, *words, payment="paid", receipt="postmarked"):
    path = lane.file()
    arm(lane.daemon(who), point)
    ordered = lane.send(path, *words)
    state = lane.die(who)
    lane.restart(who)
    return state, lane.delivered(path, ordered, payment, receipt)


def delivery(lane, who, point):
    return _send(lane, who, point)


def large(lane, who, point):
    """Large enough for a checkpoint."""
    path = lane.file(CHECKPOINT)
    arm(lane.daemon(who), point)
    ordered = lane.send(path)
    state = lane.die(who)
    lane.restart(who)
    return state, lane.delivered(path, ordered)


def direct(lane, who, point):
    return _send(lane, who, point, "--receipt", "direct", receipt="direct")


def unasked(lane, who, point):
    return _send(lane, who, point, "--receipt", "none", receipt=None)


def late(lane, who, point):
    """With certd away."""
    certd = lane.office.services["certd"]
    certd.stop()
    path = lane.file()
    arm(lane.daemon(who), point)
    ordered = lane.send(path)
    state = lane.die(who, 60)
    lane.office.start_service("certd")
    lane.restart(who)
    return state, lane.delivered(path, ordered)


def away(lane, who, point):
    """With the recipient away at first."""
    lane.b.daemon.stop()
    path = lane.file()
    arm(lane.daemon(who), point)
    ordered = lane.send(path)
    state = lane.die(who, 60)
    lane.b.start()
    lane.restart(who)
    return state, lane.delivered(path, ordered)


@contextlib.contextmanager
def _asking(lane):
    """The recipient's user decides what is taken."""
    path = lane.b.path("peerd.conf")
    with open(path, encoding="utf-8") as f:
        before = f.read()

    def set_to(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        lane.b.daemon.stop()
        lane.b.start()

    set_to(before + 'accept = "ask";\n')
    try:
        yield
    finally:
        set_to(before)


def _decide(lane, verb):
    """As soon as the recipient's user is asked, if it is not decided yet."""
    wait(lambda: "ASKED" in pending(lane.b) or not pending(lane.a), 60, lambda: f"the user is asked; now: {lane.state()}")
    for event in [e for e in lane.b.json("log", "--pending") if e["state"] == "ASKED"]:
        lane.b.sealpost(verb, event["id"], check=False)


def _decided(lane, who, point, verb, result):
    with _asking(lane):
        arm(lane.daemon(who), point)
        ordered = lane.send(lane.file())
        if "/ASK" not in point:
            wait(lambda: pending(lane.a) == ["WAITING"] and pending(lane.b) == ["ASKED"], 30, "both wait")
            _decide(lane, verb)
        state = lane.die(who)
        lane.restart(who)
        _decide(lane, verb)
        return state, result(ordered)


def asked(lane, who, point):
    """The recipient's user is asked, and accepts."""
    return _decided(lane, who, point, "accept", lambda ordered: lane.delivered(os.path.join(lane.folder, f"f{lane.files}"), ordered))


def turned_down(lane, who, point):
    """The recipient's user is asked, and refuses."""
    return _decided(lane, who, point, "refuse", lambda ordered: lane.ended("refused"))


def awaited(lane, who, point):
    """The recipient is away, and waited for."""
    lane.b.daemon.stop()
    path = lane.file()
    arm(lane.daemon(who), point)
    ordered = lane.send(path, "--wait-for-peer")
    state = lane.die(who, 90)
    lane.b.start()
    lane.restart(who)
    return state, lane.delivered(path, ordered)


def retried(lane, who, point):
    """Cancelled after it was franked, then tried again."""
    path = lane.file()
    arm(lane.b.daemon, "receive/*/PAID-after=kill")
    lane.send(path)
    lane.die("recipient")
    event = wait(lambda: lane.a.json("log", "--pending"), 10, "it is pending")[0]
    lane.a.sealpost("cancel", event["id"])
    lane.restart("recipient")
    wait(lambda: not pending(lane.a), 10, "it is cancelled")
    arm(lane.daemon(who), point)
    lane.a.sealpost("retry", "--no-wait", event["id"], check=False)
    state = lane.die(who)
    lane.restart(who)
    if not pending(lane.a) and lane.new()[0]["result"] == "cancelled":
        lane.a.sealpost("retry", "--no-wait", event["id"])
    return state, lane.delivered(path)


def cancel(lane, who, point):
    """The sender's user cancels while the recipient is away."""
    lane.b.daemon.stop()
    path = lane.file()
    lane.send(path)
    event = wait(lambda: lane.a.json("log", "--pending"), 10, "it is pending")[0]
    wait(lambda: pending(lane.a) in (["OFFERING"], ["PAUSED"]), 20, "it is offered")
    arm(lane.daemon(who), point)
    lane.a.sealpost("cancel", event["id"], check=False)
    state = lane.die(who)
    lane.restart(who)
    cancelled = not pending(lane.a)
    lane.b.start()
    return state, lane.ended("cancelled") if cancelled else lane.delivered(path)


def refused(lane, who, point):
    """The sender is not in the recipient's book."""
    lane.b.sealpost("book", "rm", lane.a.name)
    try:
        arm(lane.daemon(who), point)
        lane.send(lane.file())
        state = lane.die(who)
        lane.restart(who)
        result = lane.ended("refused")
    finally:
        lane.b.start()
        lane.b.sealpost("book", "add", lane.a.name, "--address", lane.a.address)
    return state, result


def stopped(lane, who, point):
    """The recipient's user cancels what the sender, who was killed, has not sent yet."""
    arm(lane.a.daemon, "send/*/ACCEPTED-after=kill")
    lane.send(lane.file())
    lane.die("sender")
    event = wait(lambda: [e for e in lane.b.json("log", "--pending") if e["kind"] == "receive"], 10, "it is under way")[0]
    arm(lane.daemon(who), point)
    lane.b.sealpost("cancel", event["id"], check=False)
    state = lane.die(who)
    lane.restart(who)
    if [e for e in lane.b.json("log", "--pending") if e["id"] == event["id"]]:
        lane.b.sealpost("cancel", event["id"])
    lane.restart("sender")
    return state, lane.ended("cancelled", "failed", "refused")


def missing(lane, who, point):
    """The file that was ordered is gone at the next start."""
    path = lane.file()
    arm(lane.daemon(who), "order-after=kill")
    lane.send(path)
    lane.die(who)
    os.unlink(path)
    return _die_at_start(lane, who, point, lambda: lane.ended("failed"))


def withdrawn(lane, who, point):
    """The recipient's user cancels while the sender waits for its next attempt."""
    path = lane.file()
    arm(lane.b.daemon, "receive/*/PAID-after=kill")
    lane.send(path)
    lane.die("recipient")
    event = ask(lane.b, "SELECT id FROM event WHERE ended = 0 AND kind = 2")[0][0].hex()
    arm(lane.daemon(who), point)
    lane.restart("recipient")
    lane.b.sealpost("cancel", str(uuid.UUID(event)))
    state = lane.die(who)
    lane.restart(who)
    return state, lane.ended("cancelled", "failed", "refused")


def mend(lane, who, point):
    """The event has ended, and its serials are not marked."""
    lane.b.daemon.stop()
    lane.send(lane.file())
    event = wait(lambda: lane.a.json("log", "--pending"), 10, "it is pending")[0]
    wait(lambda: pending(lane.a) in (["OFFERING"], ["PAUSED"]), 20, "it is offered")
    arm(lane.daemon(who), "store/serials-void-before=kill")
    lane.a.sealpost("cancel", event["id"], check=False)
    lane.die(who)
    lane.b.start()
    return _die_at_start(lane, who, point, lambda: lane.ended("cancelled"))


def again(lane, who, point):
    """Killed in mid-transfer, and again at the start that follows."""
    path = lane.file()
    arm(lane.daemon(who), ("send/*/ACCEPTED" if who == "sender" else "receive/*/PAID") + "-after=kill")
    lane.send(path)
    lane.die(who)
    return _die_at_start(lane, who, point, lambda: lane.delivered(path))


def _die_at_start(lane, who, point, result):
    arm(lane.daemon(who), point)
    lane.daemon(who).start()
    state = lane.die(who)
    lane.restart(who)
    return state, result()


def broken(lane, who, point):
    """The other one is killed in mid-transfer, which breaks the connection."""
    path = lane.file(LARGE)
    lane.send(path)
    wait(lambda: [e for e in lane.b.json("log", "--pending") if e["done"] > 0], 30, "it is under way")
    arm(lane.daemon(who), point)
    (lane.a if who == "recipient" else lane.b).daemon.kill()
    state = lane.die(who)
    lane.a.start()
    lane.restart(who)
    return state, lane.delivered(path)


def back(lane, who, point):
    """The recipient is killed before it has written down that everything came, and says that it has started again."""
    path = lane.file()
    arm(lane.b.daemon, "receive/*/CHECKED-before=kill")
    ordered = lane.send(path)
    lane.die("recipient")
    wait(lambda: pending(lane.a) == ["CONFIRMING"], 20, "everything was sent")
    arm(lane.daemon(who), point)
    lane.restart("recipient")
    state = lane.die(who)
    lane.restart(who)
    return state, lane.delivered(path, ordered)


def clash(lane, who, point):
    """The name that was written down is taken by somebody else before the rename."""
    path = lane.file()
    arm(lane.daemon(who), "receive/*/SYNCED-after=kill")
    lane.send(path)
    lane.die(who)
    goal = ask(lane.b, "SELECT paths FROM event WHERE ended = 0 AND kind = 2")[0][0]
    os.mkdir(goal)

    def result():
        words = lane.idle() or os.rmdir(goal) or lane.delivered(path)
        return words + ", under the next name"
    return _die_at_start(lane, who, point, result)


def book(lane, who, point):
    lane.b.sealpost("book", "rm", lane.a.name)
    arm(lane.daemon(who), point)
    answered = lane.b.sealpost("book", "add", lane.a.name, "--address", lane.a.address, check=False).returncode == 0
    state = lane.die(who)
    lane.restart(who)
    there = any(e["name"] == lane.a.name for e in lane.b.json("book"))
    must(there or not answered, "the entry was answered and is not there")
    if not there:
        lane.b.sealpost("book", "add", lane.a.name, "--address", lane.a.address)
    return state, "the entry is there" if there else "the entry is not there, and nobody was told so"


# ---- credits ----

@contextlib.contextmanager
def _adding(lane, number, account):
    with subprocess.Popen([lane.office.program("peerd/cli/sealpost"), "--home", lane.a.home, "credits", "add", str(number),
                           "--account", account], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env=lane.office.daemon_env()) as child:
        try:
            yield child
        finally:
            child.kill()


def _credits(lane):
    return lane.a.json("credits")[0]["free"]


def _holds(lane, account):
    return int(lane.office.admin_sql(f"SELECT holds FROM credit.v_account WHERE number = '{account}'")[0][0])


def topup(lane, who, point):
    free, holds, asked = _credits(lane), _holds(lane, lane.account), len(ask(lane.a, "SELECT 1 FROM event WHERE kind = 3"))
    arm(lane.daemon(who), point)
    with _adding(lane, 5, lane.account):
        state = lane.die(who)
        lane.restart(who)
        if not point.startswith("topup-order-before"):
            # others may have met the point before the command was there
            wait(lambda: len(ask(lane.a, "SELECT 1 FROM event WHERE kind = 3")) > asked, 30, "the order is there")
        lane.idle()
    got = len(ask(lane.a, "SELECT 1 FROM event WHERE kind = 3")) - asked
    must(got == 1 or point.startswith("topup-order-before"), f"{got} requests for one")
    must(_credits(lane) == free + 5 * got, f"{_credits(lane) - free} credits came of 5")
    must(_holds(lane, lane.account) == holds - 5 * got, "the account was charged otherwise")
    lane.whole()
    return state, "granted once, charged once" if got else "the order was not taken: nothing happened"


def denied(lane, who, point):
    empty, free = lane.office.admin_sql(f"SELECT credit.admin_open_account('{lane.a.name}')")[0][0], _credits(lane)
    arm(lane.daemon(who), point)
    with _adding(lane, 5, empty):
        state = lane.die(who)
        lane.restart(who)
        wait(lambda: lane.log(lane.a)[0]["result"] == "denied", 60, "it was denied")
        lane.idle()
    must(_credits(lane) == free, "credits came of a denial")
    must(lane.log(lane.a)[0]["result"] == "denied", "it does not say so")
    lane.whole()
    return state, "denied: nothing changed"


def start(lane, who, point):
    """The wallet is reported at a start; then it pays as before."""
    lane.a.daemon.stop()
    arm(lane.daemon(who), point)
    with contextlib.suppress(OfficeError):
        lane.a.start() if who == "creditd" else lane.a.daemon.start()
    state = lane.die(who)
    lane.restart(who)
    lane.a.start()
    path = lane.file()
    return state, lane.delivered(path, lane.send(path))


# ---- a station is made ----

def enrol(lane, who, point):
    office, name = lane.office, f"carol{next(NAMES)}"
    carol = office.station(name, enrol=False)
    token = office.invite(name, "desktop")
    daemon = carol.daemon if who == "enrolling" else office.services[who]
    arm(daemon, point)
    carol.sealpost("enrol", token, check=False)
    try:
        lane.fell(daemon, 20)
        disarm(daemon)
        papers = sorted(os.path.basename(f) for f in os.listdir(carol.path("station"))) if os.path.exists(carol.path("station")) else []
        if who == "enrolling":
            carol.start()
        else:
            lane.restart(who)
        if not carol.json("status")[0]["enrolled"]:
            carol.sealpost("enrol", token)
        must(carol.json("status")[0]["enrolled"], "not enrolled")
        count = office.cluster.sql(f"SELECT count(*) FROM key.v_certificate WHERE name = '{carol.full_name}'")
        must(count == [["1"]], f"certificates: {count}")
        must(not [f for f in os.listdir(carol.path("station")) if f.endswith(".new")], "left over")
    finally:
        disarm(daemon)
        carol.daemon.stop()
        office.stations.pop(name)
        office.facts["stations"].pop(name)
        shutil.rmtree(carol.home, ignore_errors=True)
    return f"{len(papers)} files", "enrolled with the same invitation, one certificate"


# ---- franks that are settled elsewhere ----

SETTLE = "credit.settle(bytea, text, uuid, text, bytea, integer[], integer[], integer, bytea, bytea, bytea)"


def elsewhere(lane, who, point):
    """As if creditd's schema were in another database: certd lodges the frank at creditd."""
    lane.office.cluster.sql(f"REVOKE EXECUTE ON FUNCTION {SETTLE} FROM cert_owner")
    try:
        path = lane.file()
        arm(lane.daemon(who), point)
        ordered = lane.send(path)
        state = lane.die(who, 60)
        lane.restart(who)
        lane.office.cluster.sql("UPDATE cert.lodging SET due = now() WHERE settled IS NULL")
        return state, lane.delivered(path, ordered, payment="pending")
    finally:
        lane.office.cluster.sql(f"GRANT EXECUTE ON FUNCTION {SETTLE} TO cert_owner")


SCENARIOS = {fn.__name__: fn for fn in (delivery, large, direct, unasked, late, away, asked, turned_down, awaited, retried, cancel, refused, stopped, missing, withdrawn, mend, again, broken, back,
                                        clash, book, topup, denied, start, enrol, elsewhere)}
