"""One kill before and one after every durable step of tests/crash/points; each ends with everything done once, or not at all."""

import concurrent.futures
import itertools
import os
import queue
import threading
import time

import pytest

from conftest import charging
from crash.lane import Lane, Problem
from crash.scenarios import SCENARIOS
from crash.table import kill_name, note, steps

LANES = 12
ALONE = {"late", "elsewhere"}      # scenarios that need a service away or changed
STEPS = steps()
KILLS = [(step, n, when) for step in STEPS for n, when in step.kills()]


def is_alone(step):
    return step.scenario in ALONE or step.who in ("keyd", "creditd", "certd")


class Town:
    """An office whose lanes take one kill after the other; kills of services have the office for themselves."""

    def __init__(self, office, folder, kills):
        self.office, self.folder = office, folder
        self.lanes = queue.SimpleQueue()
        self.numbers, self.lock = itertools.count(LANES), threading.Lock()
        self.pool = concurrent.futures.ThreadPoolExecutor(LANES)
        for number in range(LANES):
            self.open_lane(number)
        # a recipient's kills first: its sender waits longest
        self.futures = {kill: self.pool.submit(self.run, *kill) for kill in sorted(kills, key=lambda k: k[0].who != "recipient")
                        if not is_alone(kill[0])}
        together = list(self.futures.values())
        self.alone = concurrent.futures.ThreadPoolExecutor(1)
        self.futures.update((kill, self.alone.submit(self.run_alone, together, *kill)) for kill in kills if is_alone(kill[0]))

    def open_lane(self, number):
        self.lanes.put(Lane(self.office, number, os.path.join(self.folder, str(number))))

    def run_alone(self, others, *kill):
        concurrent.futures.wait(others)
        return self.run(*kill)

    def run(self, step, n, when):
        lane = self.lanes.get()
        try:
            begin = time.monotonic()
            point = f"{step.name}-{when}=kill:{n}"
            state, result = SCENARIOS[step.scenario](lane, step.who, point)
            note(kill=kill_name(step, n, when), who=step.who, state=state, result=result, seconds=round(time.monotonic() - begin, 1))
            return state, result
        except Exception:
            # what is left of it must not fail the kills after it
            with self.lock:
                number = next(self.numbers)
                lane = Lane(self.office, number, os.path.join(self.folder, str(number)))
            raise
        finally:
            for name in ("keyd", "creditd", "certd"):
                lane.restart(name)
            self.lanes.put(lane)


@pytest.fixture(scope="module")
def town(request, tmp_path_factory):
    wanted = [tuple(i.callspec.params["kill"]) for i in request.session.items if i.fspath == request.node.fspath and
              "kill" in getattr(i, "callspec", request).params] if request.session.items else KILLS
    with charging(certd=True, steered=True) as office:
        t = Town(office, str(tmp_path_factory.mktemp("kills")), wanted)
        yield t
        for pool in (t.pool, t.alone):
            pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("kill", KILLS, ids=[f"{s.who}-{kill_name(s, n, w)}" for s, n, w in KILLS])
def test_rc13_wal20_cr11_a_kill_at_any_step_loses_and_doubles_nothing(town, kill):
    try:
        state, result = town.futures[kill].result()
    except Problem as e:
        pytest.fail(str(e))
    assert state and result
