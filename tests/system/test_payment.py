"""Deliveries between two stations that cost credits: what is charged, when, and that it is charged once whatever breaks."""

import os
import sqlite3

import pytest

from conftest import NUMBERS, UNHURRIED, charging, retire
from test_breaks import history
from test_delivery import deliver, only, wait_for
from wallets import FRANKED, SPENT, VOID, free, give_credits, is_the_same_everywhere, old_copy, put_back, serials, taken

MB = 1_000_000
BIG = 300 * MB


@pytest.fixture(scope="module")
def office():
    with charging() as o:
        yield o


@pytest.fixture
def pair(office):
    """Two fresh stations that know each other; the first has 10 credits."""
    n = next(NUMBERS)
    a, b = office.station(f"alice{n}", settings='idle = "2 s";' + UNHURRIED), office.station(f"bob{n}", settings='idle = "2 s";')
    office.introduce(f"alice{n}", f"bob{n}")
    give_credits(office, a, 10)
    yield a, b
    retire(office, a)
    retire(office, b)


@pytest.fixture
def creditd(office):
    """Running afterwards, too."""
    yield office.services["creditd"]
    if not office.services["creditd"].running():
        office.start_service("creditd")


def file_of(tmp_path, size, name="f"):
    path = tmp_path / name
    with open(path, "wb") as f:
        f.truncate(size)
    return str(path)


def states(station):
    return [state for _, _, _, state in serials(station)]


def sent(a):
    return a.json("log", "--sent")


def received(b):
    return b.json("log", "--received")


def ended(a, b, seconds=120):
    wait_for(lambda: not a.json("log", "--pending"), seconds)
    wait_for(lambda: not b.json("log", "--pending"), seconds)


def is_delivered_once(a, b, price):
    """One event on each side, one packet placed, the price charged once, with the serials that the recipient took."""
    assert only(sent(a))["result"] == only(received(b))["result"] == "delivered"
    assert len(os.listdir(b.path("received", a.name))) == 1 and os.listdir(b.path("received", ".incoming")) == []
    assert free(a) == 10 - price and states(a) == [SPENT], serials(a)
    assert len(taken(b)) == price and is_the_same_everywhere(a, b)


# ---- prices ----

def test_wal01_wal05_wal07_the_balance_falls_by_the_price_of_the_size(pair, tmp_path):
    a, b = pair
    left = 10
    for size, price in ((0, 1), (1, 1), (MB - 1, 1), (MB, 2), (MB + 1, 2)):
        out, into = deliver(a, b, file_of(tmp_path, size))
        left -= price
        assert (out["result"], into["result"]) == ("delivered", "delivered")
        assert free(a) == left and set(states(a)) == {SPENT}
        assert f"paid with {price} credits" in history(b, into)
    assert is_the_same_everywhere(a, b)


def test_wal05_the_sum_of_the_files_decides_and_not_the_packet(pair, tmp_path):
    a, b = pair
    tree = tmp_path / "tree"
    tree.mkdir()
    for n in range(9):
        (tree / str(n)).write_bytes(b"x" * 111_111)
    deliver(a, b, tree)                     # 999,999 bytes, and a tar of more than a million
    assert free(a) == 9
    (tree / "one-more").write_text("x")
    deliver(a, b, tree)
    assert free(a) == 7


def test_wal01_each_recipient_costs(office, pair, tmp_path):
    a, b = pair
    n = next(NUMBERS)
    c = office.station(f"carol{n}")
    office.introduce(os.path.basename(a.home), f"carol{n}")
    a.sealpost("send", "--to", b.name, "--to", c.name, file_of(tmp_path, 5))
    assert free(a) == 8 and len(taken(b)) == len(taken(c)) == 1
    assert {n for _, n in taken(b)}.isdisjoint(n for _, n in taken(c))
    retire(office, c)


# ---- what costs nothing ----

def test_wal01_a_refused_delivery_costs_nothing(pair, tmp_path):
    a, b = pair
    b.sealpost("book", "rm", a.name)
    assert a.sealpost("send", "--to", b.name, file_of(tmp_path, MB), check=False).returncode == 3
    wait_for(lambda: free(a) == 10)
    assert serials(a) == [] and taken(b) == []
    b.sealpost("book", "add", a.name)
    deliver(a, b, file_of(tmp_path, MB))
    assert free(a) == 8


def test_wal01_a_delivery_cancelled_before_it_is_accepted_costs_nothing(pair, tmp_path):
    a, b = pair
    b.daemon.stop()
    a.sealpost("send", "--no-wait", "--to", b.name, file_of(tmp_path, 5))
    event = wait_for(lambda: [e for e in sent(a) if e["state"] == "OFFERING"])[0]
    assert free(a) == 9
    a.sealpost("cancel", event["id"])
    assert only(sent(a))["result"] == "cancelled"
    assert free(a) == 10 and serials(a) == []
    b.start()
    deliver(a, b, file_of(tmp_path, 5))
    assert free(a) == 9 and is_the_same_everywhere(a, b)


def test_wal01_a_delivery_that_fails_before_it_is_accepted_costs_nothing(pair, tmp_path):
    a, b = pair
    path = file_of(tmp_path, 5)
    b.daemon.stop()
    a.sealpost("send", "--no-wait", "--to", b.name, path)
    wait_for(lambda: [e for e in sent(a) if e["state"] == "OFFERING"])
    a.daemon.kill()
    os.unlink(path)
    a.start()
    wait_for(lambda: not a.json("log", "--pending"))
    assert only(sent(a))["result"] == "failed" and free(a) == 10 and serials(a) == []


@pytest.mark.parametrize("by", ["sender", "recipient"])
def test_wal01_a_delivery_cancelled_after_the_frank_left_is_void(pair, tmp_path, by):
    a, b = pair
    a.sealpost("send", "--no-wait", "--to", b.name, file_of(tmp_path, BIG))
    event = only(wait_for(lambda: [e for e in received(b) if e["done"] > 0]))
    assert states(a) == [FRANKED] and free(a) == 8
    (a if by == "sender" else b).sealpost("cancel", event["id"])
    ended(a, b)
    assert states(a) == [VOID] and free(a) == 8 and len(taken(b)) == 2
    assert only(received(b))["result"] == "cancelled"
    # void for good: the next one pays with others
    out, _ = deliver(a, b, file_of(tmp_path, 5))
    assert out["result"] == "delivered" and free(a) == 7
    assert sorted(states(a)) == [SPENT, VOID] and len({n for _, n in taken(b)}) == 3


# ---- want of credits ----

def test_wal02_wal03_at_zero_nothing_is_sent_and_the_user_learns_what_to_do(office, pair, tmp_path):
    _, a = pair     # bob has none
    b = pair[0]
    done = a.sealpost("send", "--to", b.name, file_of(tmp_path, 1), check=False)
    assert done.returncode == 4, done.stderr
    assert "no credits left" in done.stderr and "sealpost credits" in done.stderr, done.stderr
    assert sent(a) == [] and received(b) == []
    assert a.sealpost("send", "--no-wait", "--to", b.name, file_of(tmp_path, 1), check=False).returncode == 4
    give_credits(office, a, 1)
    out, into = deliver(a, b, file_of(tmp_path, 1))
    assert (out["result"], into["result"]) == ("delivered", "delivered") and free(a) == 0
    assert a.sealpost("send", "--to", b.name, file_of(tmp_path, 1), check=False).returncode == 4
    assert len(received(b)) == 1


def test_wal02_too_few_credits_for_this_size_send_nothing(office, pair, tmp_path):
    b, a = pair
    give_credits(office, a, 1)
    done = a.sealpost("send", "--to", b.name, file_of(tmp_path, MB), check=False)
    assert done.returncode == 4, done.stderr
    said = done.stdout + done.stderr
    assert "this costs 2 credits" in said and "sealpost credits" in said, said
    assert received(b) == [] and free(a) == 1 and serials(a) == []
    deliver(a, b, file_of(tmp_path, MB - 1))        # what it is enough for still goes
    assert free(a) == 0 and is_the_same_everywhere(a, b)


def test_wal01_the_oldest_sheet_is_spent_first_and_the_next_goes_on(office, pair, tmp_path):
    b, a = pair
    give_credits(office, a, 3)
    give_credits(office, a, 4)
    for left in (5, 3, 1):      # 3: one credit stays behind on the first sheet
        deliver(a, b, file_of(tmp_path, MB))
        assert free(a) == left
    deliver(a, b, file_of(tmp_path, 1))
    assert free(a) == 0 and is_the_same_everywhere(a, b)


# ---- breaks ----

@pytest.mark.parametrize("who", ["sender", "recipient"])
def test_wal01_tx08_a_retry_after_a_break_pays_with_the_same_serials(pair, tmp_path, who):
    a, b = pair
    a.sealpost("send", "--no-wait", "--to", b.name, file_of(tmp_path, BIG))
    wait_for(lambda: [e for e in received(b) if e["done"] > 0])
    before, victim = serials(a), a if who == "sender" else b
    assert [state for *_, state in before] == [FRANKED]
    victim.daemon.kill()
    victim.start()
    ended(a, b)
    is_delivered_once(a, b, 2)
    assert [row[:3] for row in serials(a)] == [row[:3] for row in before]


# ---- a wallet that is not the present one ----

def test_wal09_an_old_copy_of_the_wallet_pays_nobody_twice(office, creditd, pair, tmp_path):
    a, b = pair
    copy = old_copy(a)
    office.services["creditd"].stop()       # who would find the copy out at its next contact
    a.start()
    deliver(a, b, file_of(tmp_path, MB))
    assert free(a) == 8
    put_back(a, copy)
    a.start()
    assert free(a) == 10
    before = taken(b)
    done = a.sealpost("send", "--to", b.name, file_of(tmp_path, 1), check=False)
    assert done.returncode in (1, 3), done.stdout
    event = only(sent(a))
    assert event["result"] == "refused" and event["reason"]["name"] == "SPENT", event
    assert "the credit was spent before" in done.stderr + done.stdout
    assert taken(b) == before and len(received(b)) == 2
    assert len(os.listdir(b.path("received", a.name))) == 1
    assert states(a) == [VOID] and free(a) == 9


def test_wal09_another_stations_wallet_pays_nothing(office, pair, tmp_path):
    """A copied database of credits: the sheet belongs to another station."""
    b, a = pair
    a.daemon.stop()
    db = sqlite3.connect(a.path("peer.db"))
    db.execute("ATTACH ? AS other", (b.path("peer.db"),))
    db.execute("INSERT INTO sheet SELECT * FROM other.sheet")
    db.commit()
    db.close()
    a.start()
    assert free(a) == 10
    assert a.sealpost("send", "--to", b.name, file_of(tmp_path, 1), check=False).returncode in (1, 3)
    event = only(received(b))
    assert event["result"] == "refused" and event["reason"]["name"] == "FRANK"
    assert "the sheet was issued to another station" in str(b.json("show", event["id"]))


# ---- last, because it changes the office's prices ----

def test_wal05_a_new_tariff_is_for_new_sheets(office, pair, tmp_path):
    a, b = pair
    deliver(a, b, file_of(tmp_path, MB))
    assert free(a) == 8
    conf = office.path("creditd", "creditd.conf")
    with open(conf, "a", encoding="utf-8") as f:
        f.write('tariff = ["0:3", "1000000:4"];\n')
    office.services["creditd"].stop()
    office.start_service("creditd")
    office.admin_sql(office.run("creditd", "--sign-tariff", "0:3,1000000:4"))
    for station in (a, b):      # to learn the prices
        station.daemon.stop()
        station.start()
    give_credits(office, a, 10)
    assert free(a) == 18
    deliver(a, b, file_of(tmp_path, MB))        # the old sheet keeps its steps
    assert free(a) == 16
    for left in (15, 14, 13, 12, 11, 10):
        deliver(a, b, file_of(tmp_path, 1))
        assert free(a) == left
    deliver(a, b, file_of(tmp_path, 1))
    assert free(a) == 7
    deliver(a, b, file_of(tmp_path, MB))
    assert free(a) == 3 and is_the_same_everywhere(a, b)


def test_cr10_a_creditd_beyond_ones_share_of_the_roster_is_believed_by_its_certificate(office, pair, tmp_path):
    """The last one here: the roster names no creditd any more. The sheet's sender has the certificate, too."""
    a, b = pair
    office.admin_sql("SELECT key.admin_remove_service('creditd', 'main')")
    b.daemon.stop()
    b.start()
    wait_for(lambda: "no creditd is known: credits can't be had" in b.json("status")[0]["lacks"])
    out, into = deliver(a, b, file_of(tmp_path, 100))
    price = 10 - free(a)        # the test before this one may have changed it
    assert price > 0 and (out["result"], into["result"], into["price"]) == ("delivered", "delivered", price)
    assert f"paid with {price} credits" in history(b, into)
