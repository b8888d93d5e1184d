"""Limits and what runs out: rates, transfers, descriptors, quota, disks, folders. Whatever waits goes on when there is room."""

import os
import re
import shutil
import subprocess
import time

import pytest
from conftest import NUMBERS, retire
from test_delivery import end_of, only, wait_for


@pytest.fixture
def stations(office):
    """Makes pairs that know each other, with settings; gone after the test."""
    made = []

    def make(settings_a="", settings_b=""):
        n = next(NUMBERS)
        a, b = office.station(f"alice{n}", settings=settings_a), office.station(f"bob{n}", settings=settings_b)
        made.extend((a, b))
        office.introduce(f"alice{n}", f"bob{n}")
        return a, b
    yield make
    for s in made:
        retire(office, s)


def history(station, event):
    return [h["what"] for h in only(station.json("show", event["id"]))["history"]]


def send(a, b, *paths):
    a.sealpost("send", "--to", b.name, "--no-wait", *map(str, paths))
    return a.json("log", "-n", "1")[0]


def delivered(a, count, seconds=60):
    wait_for(lambda: len([e for e in a.json("log") if e["result"] == "delivered"]) == count, seconds)


def test_sys04_rates_are_kept_and_sends_wait_their_turn(office, stations, tmp_path):
    a, b = stations("transfers = 1; send_rate = 4000000;", "transfers = 1;")
    c, _ = stations()
    office.introduce(os.path.basename(b.home), os.path.basename(c.home))
    for i in range(4):
        (tmp_path / f"f{i}").write_bytes(os.urandom(4_000_000))
    begin = time.monotonic()
    first = send(a, b, tmp_path / "f0")
    wait_for(lambda: only(a.json("show", first["id"]))["state"] == "SENDING")
    late = [send(a, b, tmp_path / "f1"), send(a, b, tmp_path / "f2")]
    other = send(c, b, tmp_path / "f3")
    delivered(a, 3)
    assert time.monotonic() - begin > 0.9 * 12 / 4
    delivered(c, 1)
    for event in late:
        assert any("waits its turn" in w for w in history(a, event)), history(a, event)
    assert any("the recipient asks to wait" in w for w in history(c, other)), history(c, other)


def test_sys04_a_slow_peer_leaves_the_others_alone(office, stations, tmp_path):
    a, b = stations('receive_rate_peer = "100 KiB";')
    c, _ = stations()
    office.introduce(os.path.basename(a.home), os.path.basename(c.home))
    (tmp_path / "large").write_bytes(os.urandom(60_000_000))
    (tmp_path / "small").write_bytes(os.urandom(50_000))
    slow = send(b, a, tmp_path / "large")
    wait_for(lambda: any(e["state"] == "RECEIVING" for e in a.json("log", "--pending")))
    assert c.sealpost("send", "--to", a.name, str(tmp_path / "small")).returncode == 0
    assert only(b.json("show", slow["id"]))["state"] == "SENDING"
    b.sealpost("cancel", slow["id"])
    wait_for(lambda: not a.json("log", "--pending"))


def test_sys17_descriptors_used_up_make_transfers_wait(stations, tmp_path):
    a, b = stations()
    (tmp_path / "f").write_bytes(os.urandom(3_000_000))
    # what it may have in all decides how many transfers there can be
    b.daemon.stop()
    b.daemon.prefix = ["prlimit", "--nofile=420:436", *b.daemon.prefix]
    b.start()
    assert re.search(r"transfers-most.* most=3\b", b.daemon.log()), b.daemon.log()[-2000:]
    for _ in range(6):
        send(a, b, tmp_path / "f")
    delivered(a, 6)
    # and none are left: nothing crashes, the sending waits, and goes on when there are some again
    have = len(os.listdir(f"/proc/{b.daemon.pid()}/fd"))
    subprocess.run(["prlimit", "--pid", str(b.daemon.pid()), f"--nofile={have + 2}:436"], check=True)
    event = send(a, b, tmp_path / "f")
    wait_for(lambda: any(re.search("wait|attempt|break", w) for w in history(a, event)[2:]), 30)
    subprocess.run(["prlimit", "--pid", str(b.daemon.pid()), "--nofile=436:436"], check=True)
    assert b.daemon.running()
    delivered(a, 7)


@pytest.mark.parametrize("fault", ["place-write=errno:122", "checkpoint-data=errno:28"])
def test_rx13_no_room_while_it_comes_waits_for_room(stations, tmp_path, fault):
    """EDQUOT where files are written; ENOSPC where they are synced: nothing of what was written is believed then."""
    a, b = stations("", "receive_rate = 4000000;")
    b.daemon.stop()
    (tmp_path / "fault").write_text(fault)
    b.start(SEALPOST_FAULT=f"@{tmp_path / 'fault'}")
    (tmp_path / "f").write_bytes(os.urandom(10_000_000))
    event = send(a, b, tmp_path / "f")
    wait_for(lambda: any("no space left" in w for w in history(a, event)), 30)
    assert any("waits for room" in w and "recipient" in w for w in history(a, event)), history(a, event)
    assert only(b.json("log"))["state"] in ("INTERRUPTED", "RECEIVING")
    assert not os.path.exists(b.path("received", a.name))
    (tmp_path / "fault").write_text("")
    delivered(a, 1)
    assert (tmp_path / "f").read_bytes() == open(os.path.join(end_of(b, event)["placed"], "f"), "rb").read()


def test_rx13_a_receiving_folder_that_vanishes(stations, tmp_path):
    a, b = stations('attempts = 1;', "receive_rate = 4000000;")
    (tmp_path / "f").write_bytes(os.urandom(8_000_000))
    event = send(a, b, tmp_path / "f")
    wait_for(lambda: any(e["state"] == "RECEIVING" for e in b.json("log", "--pending")))
    time.sleep(0.5)
    shutil.rmtree(b.path("received"))
    ended = wait_for(lambda: [e for e in a.json("log") if e["result"]], 60)
    assert b.daemon.running()
    assert only(ended)["result"] in ("failed", "delivered")
    if only(ended)["result"] == "delivered":
        assert (tmp_path / "f").read_bytes() == open(os.path.join(end_of(b, event)["placed"], "f"), "rb").read()
    else:
        assert not os.path.exists(b.path("received", a.name))
    send(a, b, tmp_path / "f")
    wait_for(lambda: [e for e in a.json("log") if e["result"] == "delivered"], 60)
