"""What happens when something breaks: silence, half transfers, kills between two durable steps, a full or closed disk."""

import os
import signal
import time

import pytest
from conftest import UNHURRIED, retire
from office.process import OfficeError
from test_delivery import end_of, only, wait_for


def history(station, event):
    return [row["what"] for row in only(station.json("show", event["id"]))["history"]]


def start_to_die(station, fault):
    """With a fault; what a start itself writes down may be where it falls, then the station is started again without."""
    try:
        station.start(SEALPOST_FAULT=fault)
    except OfficeError:
        assert not station.daemon.running()
        station.start()
        return False
    return True


@pytest.fixture
def slow_pair(office):
    """A pair that gives a silent connection up after a second, with a data range of its own at bob's."""
    a = office.station("alices", settings='idle = "1 s";' + UNHURRIED)
    b = office.station("bobs", settings='idle = "1 s"; data_port_first = 25100; data_port_last = 25103;')
    office.introduce("alices", "bobs")
    yield a, b
    retire(office, a)
    retire(office, b)


def test_tx08_rx05_a_silent_connection_is_ended_and_tried_again(slow_pair, tmp_path):
    a, b = slow_pair
    (tmp_path / "big").write_bytes(os.urandom(300_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    event = only(wait_for(lambda: [e for e in a.json("log") if e["done"] > 0]))
    b.daemon.signal(signal.SIGSTOP)
    wait_for(lambda: any("break 1 of 20" in w for w in history(a, event)), 30)
    b.daemon.signal(signal.SIGCONT)
    wait_for(lambda: not a.json("log", "--pending"), 120)
    assert only(a.json("log"))["result"] == "delivered"
    assert end_of(b, event)["result"] == "delivered"


def test_rx04_rx07_a_half_transfer_is_an_error_and_nothing_is_unpacked(slow_pair, tmp_path):
    a, b = slow_pair
    (tmp_path / "big").write_bytes(os.urandom(300_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    event = only(wait_for(lambda: [e for e in b.json("log") if e["done"] > 0]))
    with open(f"/proc/{b.daemon.pid()}/net/tcp", encoding="ascii") as f:
        ports = {int(line.split()[1].split(":")[1], 16) for line in f.readlines()[1:]}
    assert ports & set(range(25100, 25104)), "the data port is not in the range of the settings"
    a.daemon.kill()
    wait_for(lambda: any("receive error" in w for w in history(b, event)), 60)
    assert not os.path.exists(b.path("received", a.name))
    assert only(b.json("log", "--pending"))["state"] == "INTERRUPTED"
    b.sealpost("cancel", event["id"])
    assert only(b.json("log"))["result"] == "cancelled"
    wait_for(lambda: os.listdir(b.path("received", ".incoming")) == [], 20)
    a.start()
    wait_for(lambda: not a.json("log", "--pending"), 60)
    assert only(a.json("log"))["result"] in ("failed", "cancelled", "refused")


def test_rx13_a_folder_that_cannot_be_written_fails_cleanly(pair, tmp_path):
    a, b = pair
    if os.geteuid() == 0:
        pytest.fail("run as an ordinary user: root writes everywhere")
    (tmp_path / "f").write_text("x")
    os.makedirs(b.path("received"), exist_ok=True)
    os.chmod(b.path("received"), 0o500)
    done = a.sealpost("send", "--to", b.name, str(tmp_path / "f"), check=False)
    os.chmod(b.path("received"), 0o700)
    assert done.returncode == 1
    event = end_of(b, only(a.json("log", "--failed")))
    assert event["reason"]["name"] == "IO"
    assert any("Permission denied" in words for words in history(b, event)), history(b, event)
    assert a.sealpost("send", "--to", b.name, str(tmp_path / "f")).returncode == 0


def test_a_file_that_changes_while_it_is_sent_is_never_a_silent_mixture(pair, tmp_path):
    a, b = pair
    big = tmp_path / "big"
    big.write_bytes(os.urandom(300_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(big))
    wait_for(lambda: [e for e in a.json("log") if e["done"] > 0])
    with open(big, "r+b") as f:
        f.seek(299_000_000)
        f.write(b"changed")
    wait_for(lambda: not a.json("log", "--pending"), 120)
    event = only(a.json("log"))
    assert event["result"] in ("failed", "incomplete") and event["reason"]["name"] == "CHANGED", event


def test_acc02_who_is_taken_out_in_mid_transfer_may_end_it_but_not_begin_it_again(pair, tmp_path):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(300_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    wait_for(lambda: [e for e in b.json("log") if e["done"] > 0])
    b.sealpost("book", "rm", a.name)
    wait_for(lambda: not a.json("log", "--pending"), 120)
    first = only(a.json("log"))
    assert first["result"] == end_of(b, first)["result"] == "delivered", "what was accepted is accepted"
    b.sealpost("book", "add", a.name)
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    event = only(wait_for(lambda: [e for e in b.json("log", "--pending") if e["done"] > 0]))
    a.daemon.kill()
    wait_for(lambda: only(b.json("log", "--pending"))["state"] == "INTERRUPTED", 30)
    b.sealpost("book", "rm", a.name)
    a.start()
    wait_for(lambda: not a.json("log", "--pending"), 60)
    assert only(a.json("log", "--failed"))["result"] == "refused"
    refused = end_of(b, event)
    assert (refused["id"], refused["result"], refused["reason"]["name"]) == (event["id"], "refused", "NOTINBOOK")
    wait_for(lambda: os.listdir(b.path("received", ".incoming")) == [], 20)
    assert len(os.listdir(b.path("received", a.name))) == 1


def test_a_sender_taken_out_of_the_book_is_refused_from_then_on(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    a.sealpost("send", "--to", b.name, str(tmp_path / "f"))
    b.sealpost("book", "rm", a.name)
    assert a.sealpost("send", "--to", b.name, str(tmp_path / "f"), check=False).returncode == 3
    b.sealpost("book", "add", a.name)
    time.sleep(0.1)
    assert a.sealpost("send", "--to", b.name, str(tmp_path / "f")).returncode == 0
