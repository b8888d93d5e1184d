"""The list of durable steps (tests/crash/points), and what tests saw when they killed there."""

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


def steps():
    found = []
    with open(os.path.join(HERE, "points"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("#"):
                continue
            name, who, scenario, durable, told = (part.strip() for part in line.rstrip("\n").split("|"))
            name, _, passes = name.partition(" x")
            found.append(Step(name, int(passes or 1), who, scenario, durable, told))
    return found


def kill_name(step, n, when):
    """A kill's name in test ids and results: send/*/DONE-after, store-commit-before:3."""
    return f"{step.name}-{when}" + (f":{n}" if step.passes > 1 else "")


def note(**what):
    """One line of results, if somebody wants them: SP_CRASH_RESULTS names the file."""
    path = os.environ.get("SP_CRASH_RESULTS")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            f.write(json.dumps(what) + "\n")
