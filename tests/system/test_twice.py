"""Every letter is safe to hear twice: as another letter with the same in it, before and after a restart of whoever hears it."""

import contextlib
import os

import pytest
from conftest import NUMBERS, charging, retire
from test_delivery import only, wait_for
from wallets import SPENT, free, give_credits, serials, taken, tool
from wire import Wire


@pytest.fixture(scope="module")
def office():
    with charging() as o:
        yield o


@contextlib.contextmanager
def wired(office, bobs=""):
    n = next(NUMBERS)
    a, b = office.station(f"alice{n}"), office.station(f"bob{n}", settings=bobs)
    give_credits(office, a, 10)
    wire = Wire(a, b)
    yield a, b, wire
    wire.close()
    for s in (a, b):
        retire(office, s)


def send(a, b, tmp_path):
    (tmp_path / "f").write_bytes(os.urandom(5000))
    a.sealpost("send", "--no-wait", "--receipt", "none", "--to", b.name, str(tmp_path / "f"))


def ended(station):
    return only(wait_for(lambda: [e for e in station.json("log") if e["ended"] and e["kind"] in ("send", "receive")], 30))


def again(office, wire, to, tmp_path):
    """Everything that was said to a station, once more: what was said, and the answers."""
    sender = wire.stations[1 - wire.stations.index(to)]
    said = tool(office, "letter_again", sender.path("station"), to.path("station"), to.port, *wire.save(to, tmp_path))
    return sorted({line for line in said.splitlines() if not line.startswith(("ping ", "get "))})


def whole(station):
    """All that a station knows of its one event but how long ago that was."""
    event = only(station.json("show", ended(station)["id"]))
    return event, sorted(os.walk(station.path("received"))), serials(station), taken(station)


def says_the_same_twice(office, wire, to, tmp_path, answers):
    """At once, again, and after a restart: the same answers, and nothing happens."""
    before = whole(to)
    assert again(office, wire, to, tmp_path) == answers
    assert again(office, wire, to, tmp_path) == answers
    to.daemon.stop()
    to.start()
    assert again(office, wire, to, tmp_path) == answers
    assert whole(to) == before


def test_rx08_rc13_wal01_a_delivery_heard_twice_is_one(office, tmp_path):
    with wired(office) as (a, b, wire):
        send(a, b, tmp_path)
        assert ended(a)["result"] == "delivered" and ended(b)["result"] == "delivered"
        says_the_same_twice(office, wire, b, tmp_path, ["frank_letter answer NOTFOUND", "offer_letter done_letter"])
        says_the_same_twice(office, wire, a, tmp_path, ["done_letter answer NOTFOUND"])
        assert [state for _, _, _, state in serials(a)] == [SPENT] and free(a) == 9


def test_a_cancel_heard_twice_is_one(office, tmp_path):
    with wired(office, bobs='accept = "ask";') as (a, b, wire):
        send(a, b, tmp_path)
        wait_for(lambda: [e for e in b.json("log", "--pending") if e["state"] == "ASKED"], 30)
        a.sealpost("cancel", only(a.json("log", "--sent"))["id"])
        assert ended(b)["result"] == "cancelled"
        wire.letters[1][:] = wire.letters[1][-1:]       # the cancel; the offer would begin it anew
        says_the_same_twice(office, wire, b, tmp_path, ["cancel_letter answer OK"])


def test_again_and_a_refusal_heard_twice_are_one(office, tmp_path):
    with wired(office, bobs='accept = "ask";') as (a, b, wire):
        send(a, b, tmp_path)
        wait_for(lambda: [e for e in b.json("log", "--pending") if e["state"] == "ASKED"], 30)
        wait_for(lambda: only(a.json("log", "--sent"))["state"] == "WAITING", 30)
        b.sealpost("refuse", only(b.json("log"))["id"])
        assert ended(a)["result"] == "refused" and ended(b)["result"] == "refused"
        says_the_same_twice(office, wire, a, tmp_path, ["again answer NOTFOUND"])
        says_the_same_twice(office, wire, b, tmp_path, ["offer_letter refuse_letter"])
        assert free(a) == 10


def test_what_the_recipient_gave_up_is_said_with_its_signature(office, tmp_path):
    with wired(office, bobs='accept = "ask";') as (a, b, wire):
        send(a, b, tmp_path)
        wait_for(lambda: [e for e in b.json("log", "--pending") if e["state"] == "ASKED"], 30)
        b.sealpost("cancel", only(b.json("log"))["id"])
        event = only(a.json("show", ended(a)["id"]))
        assert event["state"] == "GIVEN_UP" and event["result"] == "cancelled"
        assert event["signed_end"] == {"what": "CANCEL", "by": b.full_name}
        assert f"given up by {b.full_name}" in a.sealpost("show", event["id"]).stdout
        says_the_same_twice(office, wire, b, tmp_path, ["offer_letter cancel_letter"])
        says_the_same_twice(office, wire, a, tmp_path, ["cancel_letter answer OK"])
        no = a.sealpost("retry", event["id"], check=False)
        assert no.returncode == 1 and "nothing to try again: it is given up by the recipient" in no.stderr
