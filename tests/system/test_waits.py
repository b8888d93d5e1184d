"""Deliveries that wait: for a recipient that is away, for a person who decides, for a user who tries again."""

import contextlib
import os
import signal
import sqlite3
import time

import pytest
from conftest import NUMBERS, UNHURRIED, charging, retire
from test_breaks import history
from test_delivery import deliver, end_of, only, wait_for
from wire import Wire
from wallets import SPENT, VOID, free, give_credits, serials


@pytest.fixture(scope="module")
def office():
    with charging() as o:
        yield o


@contextlib.contextmanager
def two(office, alices="", bobs=""):
    n = next(NUMBERS)
    a = office.station(f"alice{n}", settings=f'attempts = 1; breaks = 2; idle = "2 s"; {UNHURRIED} {alices}')
    b = office.station(f"bob{n}", settings=f'idle = "2 s"; {bobs}')
    office.introduce(f"alice{n}", f"bob{n}")
    for s in (a, b):
        give_credits(office, s, 10)
    yield a, b
    for s in (a, b):
        retire(office, s)


@pytest.fixture
def pair(office):
    with two(office) as them:
        yield them


@pytest.fixture
def asking(office):
    """Bob is asked what he takes."""
    with two(office, bobs='accept = "ask";') as them:
        yield them


def a_file(tmp_path, size=1000, name="f"):
    (tmp_path / name).write_bytes(os.urandom(size))
    return str(tmp_path / name)


def send(a, b, path, *words, check=True):
    return a.sealpost("send", "--no-wait", "--to", b.name, *words, path, check=check)


def sent(a):
    return only(a.json("log", "--sent"))


def received(b):
    return only(b.json("log", "--received"))


def ended(a, seconds=30):
    """The sending, once it is over: sooner than any try by the clock alone."""
    return only(wait_for(lambda: [e for e in a.json("log", "--sent") if e["ended"]], seconds))


def test_tx06_a_sending_waits_until_its_recipient_is_there(pair, tmp_path):
    a, b = pair
    b.daemon.stop()
    send(a, b, a_file(tmp_path), "--wait-for-peer")
    wait_for(lambda: sent(a)["state"] == "WAITING", 60)
    assert sent(a)["next_try"] is not None
    assert any("waits until the recipient is there" in w and "next try in" in w for w in history(a, sent(a)))
    a.daemon.stop()
    a.start()
    wait_for(lambda: sent(a)["state"] == "WAITING", 30)
    b.start()
    assert ended(a)["result"] == "delivered"
    assert end_of(b, sent(a))["result"] == "delivered"


def test_tx05_tx06_without_that_it_fails(pair, tmp_path):
    a, b = pair
    b.daemon.stop()
    send(a, b, a_file(tmp_path))
    assert ended(a, 60)["reason"]["name"] == "CONNECT"
    assert free(a) == 10


def test_tx06_the_setting_makes_it_the_rule(office, tmp_path):
    with two(office, alices="wait_for_peer = true;") as (a, b):
        b.daemon.stop()
        send(a, b, a_file(tmp_path))
        wait_for(lambda: sent(a)["state"] == "WAITING", 60)
        a.sealpost("cancel", sent(a)["id"])
        assert sent(a)["result"] == "cancelled" and free(a) == 10


# ---- a person decides ----
def waits_for_bob(a, b):
    wait_for(lambda: [e for e in b.json("log", "--pending") if e["state"] == "ASKED"], 30)
    wait_for(lambda: sent(a)["state"] == "WAITING", 30)


def test_acc_an_offer_waits_until_it_is_accepted(asking, tmp_path):
    a, b = asking
    path = a_file(tmp_path)
    send(a, b, path)
    waits_for_bob(a, b)
    assert any("a person there has to accept it first" in w for w in history(a, sent(a)))
    assert b.json("status")[0]["asked"] == 1 and "1 offer waits for you" in b.sealpost("status").stdout
    assert not os.path.exists(b.path("received", a.name))
    for s in (a, b):
        s.daemon.stop()
        s.start()
    waits_for_bob(a, b)
    assert free(a) == 9     # reserved, not spent
    b.sealpost("accept", sent(a)["id"])
    assert ended(a)["result"] == "delivered"
    received = end_of(b, sent(a))
    assert open(os.path.join(received["placed"], "f"), "rb").read() == open(path, "rb").read()
    assert [state for _, _, _, state in serials(a)] == [SPENT]
    late = b.sealpost("accept", sent(a)["id"], check=False)
    assert late.returncode == 1 and "it does not wait for you any more: received" in late.stderr


def test_acc_accepted_while_the_sender_is_away_it_comes_when_it_is_back(asking, tmp_path):
    a, b = asking
    send(a, b, a_file(tmp_path))
    waits_for_bob(a, b)
    a.daemon.stop()
    b.sealpost("accept", sent_id(b))
    b.sealpost("accept", sent_id(b))        # again is fine
    a.start()
    assert ended(a)["result"] == "delivered"


def sent_id(b):
    return only(b.json("log", "--pending"))["id"]


def test_acc_refused_by_a_person_is_final_and_free(asking, tmp_path):
    a, b = asking
    send(a, b, a_file(tmp_path))
    waits_for_bob(a, b)
    b.sealpost("refuse", sent(a)["id"])
    assert ended(a)["result"] == "refused" and ended(a)["reason"]["name"] == "REFUSED"
    assert received(b)["result"] == "refused"
    assert free(a) == 10 and not os.path.exists(b.path("received", a.name))
    again = a.sealpost("retry", sent(a)["id"], check=False)
    assert again.returncode == 1 and "nothing to try again" in again.stderr


def test_acc_undecided_offers_end(office, tmp_path):
    with two(office, alices='event_life = "6 s";', bobs='accept = "ask"; event_life = "4 s";') as (a, b):
        send(a, b, a_file(tmp_path))
        waits_for_bob(a, b)
        wait_for(lambda: received(b)["ended"], 30)
        assert received(b)["state"] == "FAILED"
        assert ended(a, 60)["result"] == "failed" and free(a) == 10


def test_two_that_wait_for_each_other_keep_quiet(office, tmp_path):
    with two(office, alices='accept = "ask";', bobs='accept = "ask";') as (a, b):
        send(a, b, a_file(tmp_path))
        send(b, a, a_file(tmp_path, name="g"))
        wait_for(lambda: all(e["state"] in ("ASKED", "WAITING") for s in (a, b) for e in s.json("log", "--pending")), 30)
        before = [s.json("status")[0]["letters"]["out"] for s in (a, b)]
        time.sleep(4)
        assert all(s.json("status")[0]["letters"]["out"] - n < 8 for s, n in zip((a, b), before))


# ---- once more ----
def test_ed06_a_sending_that_failed_is_tried_again_and_paid_once(pair, tmp_path):
    a, b = pair
    send(a, b, a_file(tmp_path, 200_000_000))
    wait_for(lambda: sent(a)["done"] > 0, 30)
    b.daemon.signal(signal.SIGSTOP)
    first = ended(a, 60)
    assert first["result"] == "failed"
    wait_for(lambda: [state for _, _, _, state in serials(a)] == [VOID], 10)
    b.daemon.signal(signal.SIGCONT)
    done = a.sealpost("retry", first["id"])
    assert "delivered to" in done.stdout
    assert sent(a)["id"] == first["id"] and sent(a)["result"] == "delivered"
    assert [state for _, _, _, state in serials(a)] == [SPENT] and free(a) == 8
    assert len(os.listdir(b.path("received", a.name))) == 1


def test_wal01_what_was_cancelled_can_be_tried_again(pair, tmp_path):
    a, b = pair
    send(a, b, a_file(tmp_path, 200_000_000))
    wait_for(lambda: sent(a)["done"] > 0, 30)
    a.sealpost("cancel", sent(a)["id"])
    wait_for(lambda: received(b)["ended"], 30)
    a.daemon.stop()
    a.start()
    a.sealpost("retry", sent(a)["id"])
    assert sent(a)["result"] == "delivered" and received(b)["result"] == "delivered"
    assert [state for _, _, _, state in serials(a)] == [SPENT]


def test_what_was_cancelled_by_the_recipient_is_not_taken_again(pair, tmp_path):
    a, b = pair
    send(a, b, a_file(tmp_path, 200_000_000))
    wait_for(lambda: any(e["done"] > 0 for e in b.json("log", "--received")), 30)
    b.sealpost("cancel", received(b)["id"])
    first = ended(a, 60)
    a.sealpost("retry", first["id"], check=False)
    assert ended(a, 60)["result"] != "delivered" and received(b)["result"] == "cancelled"


def test_a_delivery_that_is_done_is_not_tried_again(pair, tmp_path):
    a, b = pair
    deliver(a, b, a_file(tmp_path))
    done = a.sealpost("retry", sent(a)["id"], check=False)
    assert done.returncode == 1 and "nothing to try again: it is delivered" in done.stderr
    missing = a.sealpost("retry", "01234567-89ab-7cde-8123-456789abcdef", check=False)
    assert missing.returncode == 1 and "no event has the id" in missing.stderr


# ---- what only the recipient knows ----
@pytest.fixture
def dying(office):
    """Bob dies when the packet is in its place, before he can say so."""
    with two(office) as (a, b):
        b.daemon.stop()
        b.start(SEALPOST_FAULT="receive/PLACING/MOVED-after=kill")
        yield a, b


def test_tx06_rc13_when_everything_was_sent_the_recipient_is_waited_for(dying, tmp_path):
    a, b = dying
    send(a, b, a_file(tmp_path))
    assert b.daemon.wait_gone(60)
    wait_for(lambda: sent(a)["state"] == "WAITING", 60)
    b.start()
    assert ended(a)["result"] == "delivered" and received(b)["result"] == "delivered"
    assert [state for _, _, _, state in serials(a)] == [SPENT]


@pytest.mark.parametrize("restart", [False, True])
def test_wal01_rc13_what_was_given_up_too_late_is_delivered_and_paid(dying, tmp_path, restart):
    a, b = dying
    send(a, b, a_file(tmp_path))
    assert b.daemon.wait_gone(60)
    wait_for(lambda: sent(a)["state"] == "CONFIRMING" or sent(a)["state"] == "WAITING", 30)
    a.sealpost("cancel", sent(a)["id"])
    assert sent(a)["result"] == "cancelled" and [state for _, _, _, state in serials(a)] == [VOID]
    if restart:
        a.daemon.stop()
        a.start()
    b.start()
    wait_for(lambda: sent(a)["result"] == "delivered", 30)
    assert received(b)["result"] == "delivered" and os.path.exists(sent(a)["receipt_file"])
    wait_for(lambda: [state for _, _, _, state in serials(a)] == [SPENT], 10)
    assert only(a.json("show", sent(a)["id"]))["signed_end"] is None


def test_acc_a_refusal_is_signed_kept_and_said_again(asking, tmp_path):
    a, b = asking
    send(a, b, a_file(tmp_path))
    waits_for_bob(a, b)
    event = b.json("refuse", sent(a)["id"])
    assert only(event)["result"] == "refused"
    assert b.sealpost("refuse", sent(a)["id"]).stdout == f"refused: {sent(a)['id']}\n"      # again is fine
    b.daemon.kill()
    b.start()
    assert b.sealpost("refuse", sent(a)["id"]).returncode == 0
    assert ended(a)["result"] == "refused"
    assert only(a.json("show", sent(a)["id"]))["signed_end"] == {"what": "REFUSE", "by": b.full_name}
    late = b.sealpost("accept", sent(a)["id"], check=False)
    assert late.returncode == 1 and "it does not wait for you any more: refused" in late.stderr
    mine = a.sealpost("accept", sent(a)["id"], check=False)
    assert mine.returncode == 1 and "it is no offer to you" in mine.stderr


def test_wal01_a_sheet_that_was_closed_pays_no_retry(pair, tmp_path):
    a, b = pair
    send(a, b, a_file(tmp_path, 200_000_000))
    wait_for(lambda: sent(a)["done"] > 0, 30)
    a.sealpost("cancel", sent(a)["id"])
    wait_for(lambda: [state for _, _, _, state in serials(a)] == [VOID], 10)
    a.daemon.stop()
    with sqlite3.connect(a.path("peer.db")) as db:
        db.execute("UPDATE sheet SET closed = 1")
    a.start()
    no = a.sealpost("retry", sent(a)["id"], check=False)
    assert no.returncode == 1 and "has ended: send it anew" in no.stderr
    assert [state for _, _, _, state in serials(a)] == [VOID] and sent(a)["result"] == "cancelled"


@pytest.mark.parametrize("how", ["cancel", "killed"])
def test_a_sender_that_missed_the_end_asks_once_more(office, tmp_path, how):
    """Bob's letter is lost, and this was the last connection there was to be."""
    with two(office) as (a, b):
        wire = Wire(a, b)
        send(a, b, a_file(tmp_path, 200_000_000))
        wait_for(lambda: any(e["done"] > 0 for e in b.json("log", "--received")), 30)
        a.daemon.signal(signal.SIGSTOP)
        wire.cut = True
        b.sealpost("cancel", received(b)["id"])
        wait_for(lambda: received(b)["ended"], 10)
        if how == "killed":
            b.daemon.kill()
            b.start()
        wire.cut = False
        a.daemon.signal(signal.SIGCONT)
        event = ended(a, 60)
        assert event["result"] == "cancelled" and event["state"] == "GIVEN_UP"
        assert any("the recipient is asked how it stands" in w for w in history(a, event)) or how == "killed"
        assert only(a.json("show", event["id"]))["signed_end"] == {"what": "CANCEL", "by": b.full_name}
        wire.close()
