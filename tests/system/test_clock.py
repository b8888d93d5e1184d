"""Wall clocks that jump, in both directions, at whoever: a delivery is made once or not at all, and the user reads that it is a clock."""

import concurrent.futures
import os
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
    assert "set the clock of the machine that is wrong" in told[0], told[0]
    assert "set the clock of the machine that is wrong" in told[1] or "has ended or not begun" in told[1], told[1]


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
