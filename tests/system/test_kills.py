"""One kill before and one after every durable step of tests/crash/points; each ends with everything done once, or not at all."""

import time

import pytest

from conftest import charging
from crash.lane import Problem
from crash.scenarios import SCENARIOS
from crash.table import kill_name, note, steps
from crash.town import Town, wanted

LANES = 12
ALONE = {"late", "elsewhere"}      # scenarios that need a service away or changed
STEPS = steps()
KILLS = [(step, n, when) for step in STEPS for n, when in step.kills()]


def is_alone(step):
    return step.scenario in ALONE or step.who in ("keyd", "creditd", "certd")


def run(lane, kill):
    step, n, when = kill
    begin = time.monotonic()
    state, result = SCENARIOS[step.scenario](lane, step.who, f"{step.name}-{when}=kill:{n}")
    note(kill=kill_name(step, n, when), who=step.who, state=state, result=result, seconds=round(time.monotonic() - begin, 1))
    return state, result


@pytest.fixture(scope="module")
def town(request, tmp_path_factory):
    # a recipient's kills first: its sender waits longest
    kills = sorted(wanted(request, "kill", KILLS), key=lambda k: k[0].who != "recipient")
    with charging(certd=True, steered=True) as office:
        t = Town(office, str(tmp_path_factory.mktemp("kills")), LANES, run, kills, lambda kill: is_alone(kill[0]))
        yield t
        t.close()


@pytest.mark.parametrize("kill", KILLS, ids=[f"{s.who}-{kill_name(s, n, w)}" for s, n, w in KILLS])
def test_rc13_wal20_cr11_a_kill_at_any_step_loses_and_doubles_nothing(town, kill):
    try:
        state, result = town.futures[kill].result()
    except Problem as e:
        pytest.fail(str(e))
    assert state and result
