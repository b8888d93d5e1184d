"""Deliveries over networks as they are: far away, losing, doubling and disordering packets, deaf in one direction, without UDP, cut and
joined again, and with a recipient that moves. On the level of IP; needs root."""

import contextlib
import os
import time

import pytest

from conftest import NUMBERS, _build, opened, retire
from office.link import Link
from test_breaks import history
from test_delivery import deliver, end_of, only, wait_for
from test_resume import big_file, delivered, legs, order, under_way

pytestmark = pytest.mark.root
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def world():
    if Link.missing():
        pytest.skip("explained: " + Link.missing())
    with Link(_build("SP_BUILD", "build-check")) as link, opened(keyd_host=link.a.services) as office:
        yield link, office


@contextlib.contextmanager
def stations(world, on, address_a, address_b):
    """The link, and a station at each end that listens on all addresses of its machine."""
    link, office = world
    link.tell("perfect")
    link.tell("seed 1837")
    n = next(NUMBERS)
    a = office.station(f"alice{n}", on=on, netns=link.a.netns, settings='idle = "2 s";')
    b = office.station(f"bob{n}", on=on, netns=link.b.netns, settings='idle = "2 s";')
    a.sealpost("book", "add", b.name, "--address", address_b)
    b.sealpost("book", "add", a.name, "--address", address_a)
    yield link, a, b
    link.tell("perfect")
    retire(office, a)
    retire(office, b)


@pytest.fixture
def pair(world):
    link, _ = world
    with stations(world, "0.0.0.0", link.a.address, link.b.address) as them:
        yield them


def once(a, b, sent, received):
    """Delivered, and nobody saw more than one of it."""
    assert (sent["result"], received["result"]) == ("delivered", "delivered")
    assert len(a.json("log")) == len(b.json("log")) == 1
    assert os.path.exists(sent["receipt_file"])
    assert len(os.listdir(b.path("received", a.name))) == 1


def changed(link, before, what):
    after = link.counts()
    return [after[way][what] - before[way][what] for way in ("a>b", "b>a")]


def test_a_delivery_over_a_long_way(pair, tmp_path):
    link, a, b = pair
    link.tell("delay 50")
    before = time.monotonic()
    once(a, b, *deliver(a, b, big_file(tmp_path / "file", 5 * MIB)))
    # offer and accept, the connection, its opening, done: a round trip each
    assert 0.4 < time.monotonic() - before < 15


def test_a_delivery_over_ipv6(world, tmp_path):
    link, _ = world
    if link.a.address6 is None:
        pytest.skip("explained: this kernel has no IPv6")
    with stations(world, "::", f"[{link.a.address6}]", f"[{link.b.address6}]") as (_, a, b):
        link.tell("delay 5")
        before = link.counts()["a>b"]["bytes"]
        once(a, b, *deliver(a, b, big_file(tmp_path / "file", MIB)))
        assert link.counts()["a>b"]["bytes"] - before > MIB


def test_three_of_ten_packets_lost_in_both_directions(pair, tmp_path):
    link, a, b = pair
    link.tell("delay 2 loss 30")
    before = link.counts()
    (tmp_path / "file").write_bytes(os.urandom(20_000))
    once(a, b, *deliver(a, b, tmp_path / "file"))
    assert min(changed(link, before, "lost")) > 0


def test_bursts_of_losses(pair, tmp_path):
    link, a, b = pair
    link.tell("delay 2 rate 200M bursts 0.5 20 90")
    before = link.counts()
    once(a, b, *deliver(a, b, big_file(tmp_path / "file", MIB // 2)))
    assert changed(link, before, "lost")[0] > 0


def test_doubled_and_disordered_packets_make_one_delivery(pair, tmp_path):
    link, a, b = pair
    link.tell("delay 5 duplicate 30 reorder 30 15")
    before = link.counts()
    once(a, b, *deliver(a, b, big_file(tmp_path / "file", 5 * MIB)))
    assert min(changed(link, before, "doubled")) > 0 and min(changed(link, before, "reordered")) > 0


def test_without_udp_letters_go_over_tcp_and_only_the_first_one_waits(pair, tmp_path):
    link, a, b = pair
    link.tell("delay 5 drop udp")
    before = link.counts()
    (tmp_path / "file").write_bytes(os.urandom(20_000))
    once(a, b, *deliver(a, b, tmp_path / "file"))
    assert changed(link, before, "dropped")[0] >= 5
    # both stations know it from then on
    before = link.counts()
    for _ in range(3):
        sent, received = deliver(a, b, tmp_path / "file")
        assert (sent["result"], received["result"]) == ("delivered", "delivered")
    # not even the tries of one letter: a delivery takes three at least
    assert max(changed(link, before, "dropped")) < 5


def broken_off(a, b, path):
    """The transfer is under way and well before its end."""
    event = order(a, b, path)
    under_way(b, 8 * MIB)
    assert only(a.json("log", "--pending"))["done"] < 30 * MIB
    return event


def test_tx08_ed01_one_direction_dead_for_a_while(pair, tmp_path):
    link, a, b = pair
    path = big_file(tmp_path / "file", 40 * MIB)
    link.tell("delay 5 rate 100M")
    broken_off(a, b, path)
    link.tell("b>a drop all")
    wait_for(lambda: any("break 1 of" in w for w in history(a, only(a.json("log")))), 20)
    assert only(a.json("log", "--pending")), "it went on through a dead line"
    link.tell("b>a drop nothing")
    once(a, b, *delivered(a, b, path))
    assert legs(a, "sent")[-1][0] > 4 * MIB, legs(a, "sent")


def test_ed01_cut_for_five_seconds_and_joined_again(pair, tmp_path):
    link, a, b = pair
    path = big_file(tmp_path / "file", 40 * MIB)
    link.tell("delay 5 rate 100M")
    broken_off(a, b, path)
    link.tell("down")
    time.sleep(5)
    link.tell("up")
    once(a, b, *delivered(a, b, path))
    assert legs(a, "sent")[-1][0] > 4 * MIB, legs(a, "sent")


def test_ed01_a_recipient_that_moves_in_mid_transfer(pair, tmp_path):
    link, a, b = pair
    path = big_file(tmp_path / "file", 40 * MIB)
    link.tell("delay 5 rate 100M")
    broken_off(a, b, path)
    link.b.move("10.9.0.%d" % (int(link.b.address.rsplit(".", 1)[1]) + 10))
    wait_for(lambda: any("break 1 of" in w for w in history(a, only(a.json("log", "--sent")))), 20)
    # a letter from there says where he is now
    (tmp_path / "moved").write_text("We have moved.")
    deliver(b, a, tmp_path / "moved")
    sent, received = delivered(a, b, path)
    assert (sent["result"], end_of(b, sent)["result"]) == ("delivered", "delivered")
    assert len(a.json("log", "--sent")) == 1 and os.path.exists(received["placed"])
    assert legs(a, "sent")[-1][0] > 4 * MIB, legs(a, "sent")
