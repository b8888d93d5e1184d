"""Floods on every port that faces the Internet: whoever is known is answered meanwhile, memory and descriptors stay bounded, nobody
gets more bytes than he sent before his address is proved."""

import os
import re
import struct
import subprocess

import pytest
from test_delivery import deliver, wait_for
from test_hostile_network import path, through      # noqa: F401 (a fixture)
from conftest import NUMBERS, retire


def flood(office, target, number, seen=()):
    """Starts the flood: target is (folder of keys, role, address); seen: letters that are played again, as they were seen."""
    words = [*target, str(number)]
    if seen:
        words.append(os.path.join(office.folder, f"seen{next(NUMBERS)}"))
        with open(words[-1], "wb") as f:
            f.writelines(struct.pack(">H", len(letter)) + letter for letter in seen)
    return subprocess.Popen([office.program("tests/tools/flood_client"), *words], stdout=subprocess.PIPE, text=True)


def ends_even(attack):
    """What came back to the addresses of the flood: never more than went out from each. The letters sent and come back."""
    said = attack.communicate()[0]
    found = re.fullmatch(r"sent (\d+) letters, \d+ bytes; came back (\d+) letters, \d+ bytes; addresses that got more than sent: 0\n", said)
    assert found, said
    return int(found[1]), int(found[2])


def memory(daemon, what):
    """In kB. VmRSS: now; VmHWM: the most since forget_peak()."""
    with open(f"/proc/{daemon.pid()}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what + ":"))


def forget_peak(daemon):
    with open(f"/proc/{daemon.pid()}/clear_refs", "w", encoding="ascii") as f:
        f.write("5")


def through_a_flood(a, b, path, tmp_path, number, most_kb):     # noqa: F811
    """Deliveries while a flood is on b, of which a quarter are a's own letters played again."""
    ab, ba = path(b), path(a)
    through(a, b, ab, ba)
    (tmp_path / "f").write_bytes(os.urandom(100_000))
    deliver(a, b, tmp_path / "f")
    seen = [letter for letter in ab.passed if len(letter) > 150]
    a.sealpost("book", "add", b.name, "--address", b.address)
    b.sealpost("book", "add", a.name, "--address", a.address)
    deliver(a, b, tmp_path / "f")
    before = memory(b.daemon, "VmRSS")
    forget_peak(b.daemon)
    attack = flood(a.office, (b.path("station"), "station", b.address), number, seen)
    done = 0
    try:
        while attack.poll() is None or done < 2:
            sent, received = deliver(a, b, tmp_path / "f")
            assert (sent["result"], received["result"]) == ("delivered", "delivered")
            done += 1
    finally:
        sent, _ = ends_even(attack)
    assert sent > number * 0.9
    assert len(b.json("log", "--received", "-n", "1000")) == done + 2     # what was played again moved nothing
    got = b.json("status")[0]["letters"]
    assert got["in"] > 2_000, "of the others the kernel's queue lost most"
    for reason in ("malformed", "foreign", "cookies"):
        assert got["reasons"][reason] > 0, got
    assert memory(b.daemon, "VmHWM") - before < most_kb and memory(b.daemon, "VmRSS") - before < most_kb
    return got


def test_deliveries_through_a_million_letters_of_a_flood(fast_pair, path, tmp_path):    # noqa: F811
    """Garbage, forged and unknown senders' offers, replays."""
    through_a_flood(*fast_pair, path, tmp_path, 1_000_000, 32_768)


def test_deliveries_through_a_flood_under_sanitizers(pair, path, tmp_path):      # noqa: F811
    a, b = pair
    b.daemon.stop()
    # a sanitizer keeps what is free: little of it, so that memory can be measured
    b.start(ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4")
    through_a_flood(a, b, path, tmp_path, 100_000, 65_536)


# ---- the letter ports of services ----

def letter_port(daemon):
    """The port that a service writes its letters from."""
    held = set()
    for fd in os.listdir(f"/proc/{daemon.pid()}/fd"):
        held.add(os.readlink(f"/proc/{daemon.pid()}/fd/{fd}"))
    with open("/proc/net/udp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    ports = {int(row[1].split(":")[1], 16) for row in rows if f"socket:[{row[9]}]" in held}
    assert len(ports) == 1, ports
    return ports.pop()


@pytest.fixture
def paid_pair(paid_office):
    n = next(NUMBERS)
    a, b = paid_office.station(f"alice{n}", settings='return_host = "127.0.0.1";'), paid_office.station(f"bob{n}")
    paid_office.introduce(f"alice{n}", f"bob{n}")
    yield a, b
    for s in (a, b):
        retire(paid_office, s)


@pytest.mark.parametrize("role", ["creditd", "certd"])
def test_stations_are_called_back_through_a_flood_on_the_services_letter_port(paid_office, paid_pair, tmp_path, role):
    a, b = paid_pair
    account = paid_office.open_account(a.person, 1000)
    a.sealpost("credits", "add", "50", "--account", account)
    service = paid_office.services[role]
    port = letter_port(service)
    (tmp_path / "f").write_text("x")
    before = memory(service, "VmRSS")
    attack = flood(paid_office, (paid_office.path(role, "state"), role, f"127.0.0.1:{port}"), 150_000)
    done = 0
    try:
        while done < 2 or (attack.poll() is None and done < 20):
            if role == "creditd":
                assert "granted: 1 credit" in a.sealpost("credits", "add", "1", "--account", account).stdout
                called = f"called-back req={a.json('log', '-n', '1')[0]['id']} station={a.full_name} status="
            else:
                sent, received = deliver(a, b, tmp_path / "f")
                assert (sent["result"], received["result"]) == ("delivered", "delivered")
                called = f"called-back transfer={sent['id']} status="
            wait_for(lambda: called in service.log())
            assert called + "OK" in service.log()
            done += 1
    finally:
        _, came_back = ends_even(attack)
    assert came_back > 0, "no cookie was given"
    assert letter_port(service) == port
    # a sanitizer keeps 256 MiB of what is free, and its own notes on it
    assert memory(service, "VmRSS") - before < 500_000
