"""Wall clocks that jump, in both directions, at whoever: a delivery is made once or not at all, and the user reads that it is a clock."""

import concurrent.futures
import contextlib
import os
import re
import sqlite3
import time

import pytest

from conftest import NUMBERS, charging
from crash.lane import Lane, pending, wait

DAY = 86_400_000
YEARS = 3653 * DAY
# beyond the 24 hours that two stations help each other over
JUMPS = {"days ahead": 3 * DAY // 2, "days back": -3 * DAY // 2, "ten years ahead": YEARS, "ten years back": -YEARS}


@pytest.fixture(scope="module")
def office():
    with charging(certd=True, steered=True) as o:
        yield o


@pytest.fixture
def lane(office, tmp_path):
    return Lane(office, next(NUMBERS), str(tmp_path))


def set_clock(daemon, ms):
    path = os.path.join(daemon.folder, "clock")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(str(ms))
    os.replace(path + ".new", path)


@pytest.fixture
def clocks():
    """Sets clocks; all are right again afterwards."""
    moved = []

    def jump(daemon, ms):
        moved.append(daemon)
        set_clock(daemon, ms)
    yield jump
    for daemon in moved:
        set_clock(daemon, 0)


def side_by_side(office, tmp_path, cases, fn):
    """fn(lane, *case) of all cases at once, each with stations of its own; the first that failed fails the test."""
    lanes = [Lane(office, next(NUMBERS), str(tmp_path / str(n))) for n in range(len(cases))]
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        return [f.result() for f in [pool.submit(fn, lane, *case) for lane, case in zip(lanes, cases)]]


WHO = ("sender", "recipient")


def test_rc13_a_clock_that_jumps_in_mid_delivery_and_comes_back(office, tmp_path):
    def one(lane, who, ms):
        path = lane.file(60_000_000)
        lane.send(path)
        wait(lambda: lane.b.json("log", "-n", "1"), 60, "under way")
        set_clock(lane.daemon(who), ms)
        time.sleep(1)
        set_clock(lane.daemon(who), 0)
        if wait(lambda: pending(lane.a) in ([], ["POSTMARK_LATE"]) and (pending(lane.a) or ["ended"]), 90, "delivered")[0] != "ended":
            lane.a.daemon.stop()        # certd was asked at a wrong time, and the next time is some minutes off
            lane.a.start()
        return lane.delivered(path)
    side_by_side(office, tmp_path, [(who, ms) for who in WHO for ms in JUMPS.values()], one)


def test_a_clock_that_is_wrong_delivers_nothing_and_costs_nothing(office, tmp_path):
    """And when it is right again, the next delivery goes as ever."""
    def one(lane, who, ms):
        set_clock(lane.daemon(who), ms)
        said = lane.a.sealpost("send", "--to", lane.b.name, lane.file(), check=False)
        assert said.returncode in (1, 3, 4), said.stdout
        set_clock(lane.daemon(who), 0)
        lane.idle()
        if lane.new():
            lane.ended("failed", "refused")
        path = lane.file()
        again = lane.a.sealpost("send", "--to", lane.b.name, path, check=False)
        assert again.returncode == 0, (who, ms, again.stdout, again.stderr)
        lane.delivered(path)
        return said.stdout + said.stderr
    told = side_by_side(office, tmp_path, [(who, ms) for who in WHO for ms in JUMPS.values()], one)
    for text, who, jump in zip(told, [who for who in WHO for _ in JUMPS], [*JUMPS, *JUMPS]):
        assert "differs by" in text or (who == "sender" and "has ended" in text), (who, jump, text)
        assert "differs by" not in text or "set the clock of the machine that is wrong" in text, text


@pytest.mark.parametrize("days", [2, -2])
def test_cr11_a_creditd_whose_clock_is_wrong_grants_nothing_and_says_why(office, lane, clocks, days):
    clocks(office.services["creditd"], days * DAY)
    before = lane.a.json("credits")[0]["free"]
    done = lane.a.sealpost("credits", "add", "5", "--account", lane.account, check=False)
    assert done.returncode == 1 and "is the clock right?" in done.stdout + done.stderr, done.stdout
    set_clock(office.services["creditd"], 0)
    assert lane.a.json("credits")[0]["free"] == before
    lane.topup(5)
    assert lane.a.json("credits")[0]["free"] == before + 5
    lane.ledger()


@pytest.mark.parametrize("hours, words", [(5, "ahead of"), (-5, "behind")])
def test_clocks_that_differ_by_hours_are_helped_over_and_named(office, lane, clocks, hours, words):
    """The certificates began an hour before: a recipient that is behind has been here in time, and knows better."""
    path = lane.file()
    lane.a.sealpost("send", "--to", lane.b.name, path)
    lane.delivered(path)
    clocks(lane.b.daemon, hours * 3_600_000)
    path = lane.file()
    lane.a.sealpost("send", "--to", lane.b.name, path)
    lane.delivered(path)
    assert re.search(rf"the clock of {lane.b.full_name} is (299|300) minutes {words} this one", notes(lane.a)), notes(lane.a)


# ---- what has ended ----

HOURS_26 = 26 * 3_600_000      # a sheet that lives a day has ended by then
BEYOND_A_FRANK = 80 * 3_600_000


@contextlib.contextmanager
def sheets_live(office, life):
    """Those that creditd issues meanwhile."""
    creditd, conf = office.services["creditd"], office.path("creditd", "creditd.conf")
    with open(conf, encoding="utf-8") as f:
        before = f.read()

    def say(text):
        with open(conf, "w", encoding="utf-8") as f:
            f.write(text)
        creditd.stop()
        office.start_service("creditd")
    say(before + f'sheet_life = "{life}";\n')
    try:
        yield
    finally:
        say(before)


@pytest.fixture
def lane_of_a_day(office, tmp_path):
    """Whose credits end in a day."""
    with sheets_live(office, "1 d"):
        return Lane(office, next(NUMBERS), str(tmp_path))


def credits(station):
    return station.json("credits")[0]


def forget_the_mark(station):
    """As if it had never heard of a service."""
    with contextlib.closing(sqlite3.connect(station.path("peer.db"))) as db, db:
        db.execute("DELETE FROM clock")


def notes(station):
    return "\n".join(station.json("status")[0]["lacks"])


def test_wal03_wal09_a_sheet_that_has_ended_pays_nothing_ever_again(office, lane_of_a_day, clocks):
    lane = lane_of_a_day
    a, services = lane.a, list(office.services.values())

    # by its own clock alone: nothing is paid, and it is good again when that clock is
    clocks(a.daemon, HOURS_26)
    said = a.sealpost("send", "--to", lane.b.name, lane.file(), check=False)
    assert said.returncode == 4 and "the time of the credits here has ended, if the clock is right" in said.stderr + said.stdout, said
    assert (credits(a)["free"], credits(a)["ended"]) == (0, 200) and not lane.new()
    assert "200  not spent in time" in a.sealpost("credits").stdout
    clocks(a.daemon, 0)
    assert (credits(a)["free"], credits(a)["ended"]) == (200, 0)

    # by everybody's: new ones pay
    for daemon in (*services, a.daemon, lane.b.daemon):
        clocks(daemon, HOURS_26)
    lane.topup(5)
    assert (credits(a)["free"], credits(a)["ended"]) == (5, 200)
    path = lane.file()
    a.sealpost("send", "--to", lane.b.name, path)
    lane.delivered(path)

    # set back, it stays ended: the postmark's time is past, before and after a start
    clocks(a.daemon, 0)
    for _ in range(2):
        assert (credits(a)["free"], credits(a)["ended"]) == (4, 200)
        assert "the clock of this machine is behind the time that services have told" in notes(a)
        a.daemon.kill()
        a.start()
    assert " clock-behind " in a.daemon.log()

    # and when it turns out that everybody's clock had been ahead it is good again
    for daemon in (*services, lane.b.daemon):
        clocks(daemon, 0)
    for station in (a, lane.b):
        station.daemon.stop()
        station.start()
    wait(lambda: credits(a)["free"] == 204 and "services have told" not in notes(lane.b), 20, "keyd's word and the own clock brought the mark back")
    assert "services have told" not in notes(a)
    path = lane.file()
    a.sealpost("send", "--to", lane.b.name, path)
    lane.delivered(path)


@pytest.mark.parametrize("service, words", [("certd", []), ("creditd", ["--receipt", "direct"])])
def test_wal09_a_frank_taken_in_time_is_settled_however_late(office, lane, clocks, service, words):
    """Its 72 hours are for whoever takes it: creditd and certd settle it for as long as receipts are handed in."""
    office.services[service].stop()
    path = lane.file()
    lane.send(path, *words)
    wait(lambda: [p for p in pending(lane.b) if p.split()[0] in ("postmark", "lodge")], 60, f"{service} is waited for")
    for daemon in (*office.services.values(), lane.a.daemon, lane.b.daemon):
        clocks(daemon, BEYOND_A_FRANK)
    office.start_service(service)
    for station in (lane.a, lane.b):
        station.daemon.stop()
        station.start()
    lane.delivered(path, receipt="postmarked" if service == "certd" else "direct")


def test_wal09_a_frank_that_has_ended_is_not_taken_by_a_clock_that_was_set_back(office, lane, clocks):
    a, b, services = lane.a, lane.b, list(office.services.values())
    for daemon in (*services, a.daemon, b.daemon):
        clocks(daemon, BEYOND_A_FRANK)
    path = lane.file()
    a.sealpost("send", "--to", b.name, path)
    lane.delivered(path)

    # the recipient has seen that day, the sender knows nothing of it
    a.daemon.stop()
    forget_the_mark(a)
    for station in (a, b):
        clocks(station.daemon, 0)
    a.start()
    said = a.sealpost("send", "--to", b.name, lane.file(), check=False)
    assert said.returncode == 3 and "the frank is not valid for this delivery" in said.stdout, said
    lane.ended("refused")
    assert "the frank has ended; if it has not, the clock is wrong here or at the sender" in b.daemon.log()

    # but it was everybody's mistake: keyd says so when it is asked next
    for daemon in services:
        clocks(daemon, 0)
    b.daemon.stop()
    b.start()
    wait(lambda: "services have told" not in notes(b), 20, "keyd's word and the own clock brought the mark back")
    path = lane.file()
    a.sealpost("send", "--to", b.name, path)
    lane.delivered(path)


# ---- services ----

def test_sys16_cr11_clocks_of_services_that_jump(office, tmp_path, clocks):
    """Whatever the services' clocks show: an id, a number, a charge is there once, and all is settled when they are right again."""
    certd, creditd = office.services["certd"], office.services["creditd"]
    lane = Lane(office, next(NUMBERS), str(tmp_path))
    for ms in (2 * DAY, -2 * DAY, YEARS, -YEARS):
        clocks(certd, ms)
        clocks(creditd, ms)
        path = lane.file()
        lane.send(path)
        wait(lambda: [p for p in pending(lane.b) if p.split()[0] == "postmark"] or not pending(lane.a), 60, "received")
        for event in lane.b.json("log", "--pending") + lane.a.json("log", "--pending"):
            assert event["reason"] is None or "is the clock right" in event["reason"]["text"], (ms, event)
        clocks(certd, 0)
        clocks(creditd, 0)
        for station in (lane.a, lane.b):
            station.daemon.stop()
            station.start()
        lane.delivered(path)
    rows = office.cluster.sql("SELECT count(*), count(DISTINCT number), count(*) FILTER (WHERE received > now() + interval '7 days') "
                              "FROM cert.v_receipt")
    assert rows[0][0] == rows[0][1] and rows[0][2] == "0", rows


def test_sys16_a_keyd_whose_clock_is_wrong_certifies_nobody_for_another_time(office, clocks):
    """A certificate that does not hold now is not taken; one that is some days old is as good as any."""
    keyd = office.services["keyd"]
    for ms in (2 * DAY, -2 * DAY, YEARS, -YEARS):
        name = f"carol{next(NUMBERS)}"
        station = office.station(name, enrol=False)
        clocks(keyd, ms)
        said = station.sealpost("enrol", office.invite(name, "desktop"), check=False)
        clocks(keyd, 0)
        if ms != -2 * DAY:
            assert said.returncode == 1 and "is the clock right, and that of who issued it?" in said.stderr, (ms, said)
            assert not station.json("status")[0]["enrolled"]
            station.sealpost("enrol", office.invite(name, "desktop"))
        assert station.json("status")[0]["enrolled"]
    rows = office.cluster.sql("SELECT count(*), count(DISTINCT cert_serial) FROM key.v_certificate")
    assert rows[0][0] == rows[0][1]
