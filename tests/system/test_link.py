"""The tests' own network does what it is told: round trips, losses, rates, kinds, in one direction or both; and it leaves nothing behind."""

import json
import os
import signal
import statistics
import subprocess
import sys

import pytest

from conftest import SOURCE, _build
from office.link import Link, LinkError

pytestmark = pytest.mark.root
PROBE = ["/usr/bin/python3", "-B", os.path.join(SOURCE, "tests", "office", "probe.py")]


@pytest.fixture(scope="module")
def the_link():
    if Link.missing():
        pytest.skip("explained: " + Link.missing())
    with Link(_build("SP_RELEASE", "build-release")) as link:
        yield link


@pytest.fixture
def link(the_link):
    the_link.tell("perfect")
    the_link.tell("seed 1837")
    return the_link


def ping(link, count, interval_ms, address=None, wait_ms=500):
    address = address or link.b.address
    with subprocess.Popen(link.b.inside(*PROBE, "echo", address, "5001"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as echo:
        assert echo.stdout.readline() == "ready\n"
        found = json.loads(link.a.run(*PROBE, "ping", address, "5001", str(count), str(interval_ms), str(wait_ms)).stdout)
        echo.stdin.close()
    return found


def tcp(link, size, address=None):
    """Mbit/s from a to b."""
    address = address or link.b.address
    with subprocess.Popen(link.b.inside(*PROBE, "sink", address, "5000"), stdout=subprocess.PIPE, text=True) as sink:
        assert sink.stdout.readline() == "ready\n"
        link.a.run(*PROBE, "source", address, "5000", str(size))
        found = json.loads(sink.stdout.readline())
    assert found["bytes"] == size
    return size * 8 / found["seconds"] / 1e6


@pytest.mark.parametrize("six", [False, True])
def test_a_delay_is_the_round_trip(link, six):
    address = link.b.address6 if six else link.b.address
    if address is None:
        pytest.skip("explained: this kernel has no IPv6")
    link.tell("a>b delay 30")
    link.tell("b>a delay 70")
    rtts = ping(link, 100, 5, address)["rtts"]
    # the quick quarter: on a busy machine it is the probe that comes late
    assert len(rtts) == 100 and min(rtts) >= 100 and statistics.quantiles(rtts)[0] < 102, sorted(rtts)
    link.tell("a>b jitter 40")
    rtts = ping(link, 40, 20, address)["rtts"]
    assert min(rtts) < 110 and max(rtts) > 125


def test_losses_and_doubles_come_out_as_told(link):
    before = link.counts()
    link.tell("a>b loss 30")
    found = ping(link, 1000, 1)
    assert 640 <= len(found["rtts"]) <= 760 and found["copies"] == len(found["rtts"])
    after = link.counts()
    assert after["a>b"]["lost"] - before["a>b"]["lost"] >= 1000 - len(found["rtts"]) > 0
    assert after["b>a"]["lost"] == before["b>a"]["lost"]
    link.tell("perfect")
    link.tell("b>a duplicate 10 reorder 20 10")
    found = ping(link, 500, 2)
    assert len(found["rtts"]) >= 498 and found["copies"] > 520 and found["late"] > 50, found


@pytest.mark.parametrize("rate", [20, 200])
def test_a_rate_is_kept(link, rate):
    link.tell(f"delay 2 rate {rate}M queue 20ms")
    assert 0.8 * rate < tcp(link, rate * 150_000) < rate


def test_a_full_queue_loses(link):
    link.tell("a>b rate 100k queue 500")
    before = link.counts()["a>b"]["full"]
    found = ping(link, 50, 0)       # some 45 bytes each, 3.6 ms
    assert 10 <= len(found["rtts"]) < 50 and link.counts()["a>b"]["full"] - before == 50 - len(found["rtts"])
    assert 20 < max(found["rtts"]) < 100


def test_without_a_rate_it_is_out_of_the_way(link):
    """Some gigabits a second on an idle machine; a quarter of that is asked for."""
    assert tcp(link, 300_000_000) > 500
    assert tcp(link, 20_000_000, link.b.address6) > 100
    counts = link.counts()
    assert counts["crowded"] == 0 and counts["a>b"]["packets"] > 300_000_000 / 1500


def test_kinds_and_directions(link):
    link.tell("drop udp")
    assert ping(link, 20, 1, wait_ms=200)["rtts"] == []
    assert tcp(link, 1000) > 0
    link.tell("drop nothing")
    link.tell("b>a drop all")
    assert ping(link, 20, 1, wait_ms=200)["rtts"] == []
    link.tell("perfect")
    link.tell("down")
    assert ping(link, 20, 1, wait_ms=200)["rtts"] == []
    link.tell("up")
    assert len(ping(link, 20, 1, wait_ms=200)["rtts"]) == 20
    link.b.move("10.9.0.77")
    assert len(ping(link, 20, 1, wait_ms=200)["rtts"]) == 20
    with pytest.raises(LinkError, match="there is no order faster"):
        link.tell("faster")


def test_nothing_is_left_whatever_happens(link):
    script = (f"import sys, time; sys.path.insert(0, {os.path.join(SOURCE, 'tests')!r}); from office.link import Link\n"
              f"with Link({_build('SP_RELEASE', 'build-release')!r}) as l: print(l.a.netns, flush=True); time.sleep(60)")
    with subprocess.Popen([sys.executable, "-B", "-c", script], stdout=subprocess.PIPE, text=True) as other:
        name = other.stdout.readline().strip()
        assert os.path.exists(f"/run/netns/{name}") and name != link.a.netns, "two links beside one another"
        other.send_signal(signal.SIGKILL)
    with Link(_build("SP_RELEASE", "build-release")) as third:
        assert not os.path.exists(f"/run/netns/{name}")
        ends = [third.a.netns, third.b.netns]
    assert not any(os.path.exists(f"/run/netns/{end}") for end in ends)
