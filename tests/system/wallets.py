"""Wallets looked into and exchanged from outside."""

import os
import subprocess
import time

from crash.lane import ask
from test_creditd_daemon import new_id

FREE, RESERVED, FRANKED, SPENT, VOID = range(5)     # serial.state


def tool(office, name, *words):
    """A line of a test program's, without sanitizer reports."""
    done = subprocess.run([office.program("tests/tools/" + name), *map(str, words)], capture_output=True, text=True, check=False,
                          timeout=60)
    assert "ERROR: " not in done.stderr and "runtime error" not in done.stderr, done.stderr
    assert done.stdout, f"{name} {words}: {done.stderr}"
    return done.stdout.strip()


def fetch_sheet(office, folder, account, number, out):
    """A top-up by whoever is enrolled in the folder: OUT.stmt, .sig and .der."""
    request = new_id()
    assert tool(office, "credit_client", "topup", folder, request, account, number) == "ok ok"
    end = time.monotonic() + 20
    while not (said := tool(office, "credit_client", "get", folder, request, out)).startswith("ok sheet"):
        assert said.startswith("NOTFOUND") and time.monotonic() < end, said
        time.sleep(0.05)


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def give_credits(office, station, number):
    """So many credits for a station, from an account of its own."""
    station.sealpost("credits", "add", str(number), "--account", office.open_account(station.person, number))


def free(station):
    """Credits that can be spent."""
    return ask(station, "SELECT (SELECT coalesce(sum(first + count - next), 0) FROM sheet WHERE closed = 0)"
               " + (SELECT coalesce(sum(count), 0) FROM serial WHERE state = 0)")[0][0]


def serials(station):
    """What was ever reserved and did not come back: (transfer, first, count, state)."""
    return [(t.hex(), first, count, state) for t, first, count, state in
            ask(station, "SELECT transfer, first, count, state FROM serial WHERE state > 0 ORDER BY number")]


def taken(station):
    """What a recipient took: (transfer, serial)."""
    return [(t.hex(), n) for t, n in ask(station, "SELECT transfer, serial FROM taken ORDER BY transfer, serial")]


def is_the_same_everywhere(a, b):
    """Every serial that a spent is one that b took for the same transfer, and the reverse."""
    spent = [(t, n) for t, first, count, state in serials(a) if state == SPENT for n in range(first, first + count)]
    return sorted(spent) == taken(b)


def old_copy(station):
    """The database as it is now, for put_back()."""
    station.daemon.stop()
    return {name: contents(station.path(name)) for name in os.listdir(station.home) if name.startswith("peer.db")}


def put_back(station, copy):
    station.daemon.stop()
    for name in os.listdir(station.home):
        if name.startswith("peer.db"):
            os.unlink(station.path(name))
    for name, what in copy.items():
        with open(station.path(name), "wb") as f:
            f.write(what)
