"""What comes of each line of tests/crash/faults: the scenarios of the kills, where a call fails instead; and those that end with it."""

import concurrent.futures
import contextlib
import os
import re
import socket
import subprocess

from office.process import OfficeError

from .lane import Lane, arm, disarm, must, pending, wait
from .scenarios import CHECKPOINT, SCENARIOS


class FaultyLane(Lane):
    """Where the scenarios kill, here a call fails until that was met and said; then it is mended, and nothing is started again."""

    row = mark = said = mended = None

    def met(self, daemon):
        return os.path.join(daemon.folder, "fault.met")

    def begin(self, row):
        daemon = self.daemon(row.who)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.met(daemon))
        self.row, self.mark, self.said, self.mended = row, len(daemon.log()), "", None

    def history(self):
        """What users of both stations can read of what is new."""
        for s in (self.a, self.b):
            with contextlib.suppress(OfficeError):      # one whose store is full
                for event in [e for e in self.log(s) if e["id"] not in self.orders]:
                    yield from (h["what"] for h in s.json("show", event["id"])[0]["history"])

    def told(self, daemon):
        row = self.row
        if row.point == "accept" and row.who in self.office.services:   # letters to it may all go by UDP
            socket.create_connection((self.office.facts["keyd_host"], self.office.facts[row.who + "_port"])).close()
        wait(lambda: os.path.exists(self.met(daemon)), 60, "the point is reached")
        if row.said != "-" and not re.search(row.said, self.said):
            wait(lambda: re.search(row.said, "\n".join(self.history())), 30,
                 lambda: f"the user reads “{row.said}”: {self.said} {list(self.history())}")
        if row.logged != "-":
            wait(lambda: re.search(row.logged, daemon.log()[self.mark:]), 15,
                 lambda: f"the log says “{row.logged}”: {daemon.log()[self.mark:][-3000:]}")

    def fell(self, daemon, seconds):
        if self.mended:
            self.mended.result()
            return
        self.told(daemon)
        if self.row.expected == "waits":
            must(pending(self.a) or pending(self.b), "it did not wait")
        disarm(daemon)

    def restart(self, who):
        disarm(self.daemon(who))


def _waits(lane, row):
    _, result = SCENARIOS[row.scenario](lane, row.who, row.arming())
    return f"waits; {result}" if row.expected == "waits" else result


def _meanwhile(lane, row):
    """Mended while the command still waits for its answer."""
    def mend():
        lane.told(lane.daemon(row.who))
        disarm(lane.daemon(row.who))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lane.mended = pool.submit(mend)
        return SCENARIOS[row.scenario](lane, row.who, row.arming())[1]


def _ordered(lane, row):
    """After the order, while the recipient is away."""
    lane.b.daemon.stop()
    path = lane.file()
    must(lane.send(path), "the order is answered")
    wait(lambda: pending(lane.a) in (["OFFERING"], ["PAUSED"]), 20, "it is offered")
    arm(lane.a.daemon, row.arming())
    lane.die(row.who)
    lane.b.start()
    return f"waits; {lane.delivered(path)}"


def _fails(lane, row):
    daemon, path = lane.daemon(row.who), lane.file(CHECKPOINT if row.scenario == "large" else 1500)
    arm(daemon, row.arming())
    must(lane.send(path), "the order is answered")
    lane.told(daemon)
    lane.idle()
    disarm(daemon)
    if row.expected == "fails or delivered" and lane.new()[0]["result"] == "delivered":
        return lane.delivered(path)
    return lane.ended("failed")


def _http(station, path):
    """The status of an answer of the control API."""
    return subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", station.path("control"),
                           "http://peerd" + path], check=False, capture_output=True, text=True).stdout


def _command(lane, row, *words):
    daemon, station = lane.daemon(row.who), lane.victim(row.who)
    arm(daemon, row.arming())
    done = station.sealpost(*words, check=False)
    lane.said = done.stderr
    lane.told(daemon)
    must(done.returncode != 0, "the command says that it did not go")
    if row.scenario == "command":
        must(_http(station, "/v1/log?limit=1") == "503", "the control API says so, too")
    disarm(daemon)
    must(not lane.new(), "it was ordered all the same")
    lane.whole()
    return "refused: nothing happened"


def result_of(lane, row):
    """One line of the table, in words."""
    lane.begin(row)
    if row.scenario == "order":
        return _command(lane, row, "send", "--no-wait", "--to", lane.b.name, lane.file())
    if row.scenario == "command":
        return _command(lane, row, "log")
    if row.scenario == "enrol":
        return _meanwhile(lane, row)
    if row.scenario == "ordered":
        return _ordered(lane, row)
    return (_fails if row.expected.startswith("fails") else _waits)(lane, row)
