"""The lists of durable steps (tests/crash/points) and of what can be refused (tests/crash/faults), and what tests saw there."""

import errno
import json
import os
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclass(frozen=True)
class Step:
    name: str
    passes: int
    who: str
    scenario: str
    durable: str
    told: str

    def kills(self):
        """(pass, when) of each kill that is tested."""
        if self.scenario == "-":
            return []
        return [(n, when) for n in range(1, self.passes + 1) for when in ("before", "after")]


@dataclass(frozen=True)
class Fault:
    fault: str
    who: str
    stage: str
    point: str
    scenario: str
    expected: str
    said: str
    logged: str

    def arming(self):
        """What makes the call fail; where the number does not matter it is that of EIO."""
        return f"{self.point}=errno:{getattr(errno, self.fault, errno.EIO)}"

    def __str__(self):
        return f"{self.who}-{self.scenario}-{self.point}-{self.fault}".replace(" ", "_")


def _lines(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return [[part.strip() for part in line.rstrip("\n").split("|")] for line in f if not line.startswith("#")]


def steps():
    found = []
    for name, *rest in _lines("points"):
        name, _, passes = name.partition(" x")
        found.append(Step(name, int(passes or 1), *rest))
    return found


def faults():
    return [Fault(*row) for row in _lines("faults")]


def kill_name(step, n, when):
    """A kill's name in test ids and results: send/*/DONE-after, store-commit-before:3."""
    return f"{step.name}-{when}" + (f":{n}" if step.passes > 1 else "")


def note(**what):
    """One line of results, if somebody wants them: SP_CRASH_RESULTS names the file."""
    path = os.environ.get("SP_CRASH_RESULTS")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(json.dumps(what) + "\n")
