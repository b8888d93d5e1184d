"""What the scenarios share: a post office for the whole run, and fresh stations for whoever asks."""

import contextlib
import itertools
import os
import re
import shutil
import signal
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from office.office import TARIFF, Office      # noqa: E402

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NUMBERS = itertools.count(1)
# hundreds of megabytes take seconds, however fast the machine is: there is a middle in which something can happen
UNHURRIED = 'send_rate = "100 MiB";'

# A run in the background ignores Ctrl-C, and what it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def _build(variable, default):
    path = os.environ.get(variable, os.path.join(SOURCE, default))
    if not os.path.exists(os.path.join(path, "peerd", "peerd")):
        pytest.fail(f"nothing is built in {path}; set {variable} or run ./check")
    return path


def _office(build, steered=False, keyd_host="127.0.0.1", **services):
    # short, because UNIX sockets lie in it
    folder = tempfile.mkdtemp(prefix="spo", dir=os.environ.get("TMPDIR", "/tmp"))
    os.chmod(folder, 0o755)
    office = Office(folder, build, keyd_host=keyd_host, steered=steered)
    office.create(**services)
    return office


@contextlib.contextmanager
def opened(**services):
    """An office of the sanitizer build for a while: no daemon of it may have said anything a sanitizer says."""
    o = _office(_build("SP_BUILD", "build-check"), **services)
    try:
        yield o
    finally:
        o.stop()
        problems = sanitizer_reports(o)
        shutil.rmtree(o.folder, ignore_errors=True)
    assert not problems, "\n".join(problems)


@contextlib.contextmanager
def charging(certd=False, **services):
    """The same, where deliveries cost credits and one station may hold many."""
    with opened(**services) as o:
        o.add_creditd("balance = 100000;", tariff=TARIFF)
        if certd:
            o.add_certd()
        yield o


@pytest.fixture(scope="session")
def office():
    """Everything but stations, from the sanitizer build."""
    with opened() as o:
        yield o


@pytest.fixture(scope="session")
def paid_office():
    """With creditd and certd: deliveries cost credits, receipts are postmarked."""
    with opened(credits=True, certd=True) as o:
        yield o


@pytest.fixture(scope="session")
def fast_office():
    """The same from the release build, for what moves gigabytes."""
    o = _office(_build("SP_RELEASE", "build-release"))
    yield o
    o.stop()
    shutil.rmtree(o.folder, ignore_errors=True)


def sanitizer_reports(office):
    """What a sanitizer said in any log of the office: a failure of whatever test ran last."""
    found = []
    for part in [*office.services.values(), *(s.daemon for s in office.stations.values())]:
        for mark in re.findall(r"^(?:=+\d+=+ERROR|.*runtime error:|.*ThreadSanitizer:).*$", part.log(), re.M):
            found.append(f"{part.name}: {mark}")
    return found


@pytest.fixture
def pair(office):
    """Two fresh stations that know each other; gone after the test."""
    yield from _pair(office, UNHURRIED)


@pytest.fixture
def fast_pair(fast_office):
    yield from _pair(fast_office)


def _pair(office, settings=""):
    n = next(NUMBERS)
    a, b = office.station(f"alice{n}", settings=settings), office.station(f"bob{n}")
    office.introduce(f"alice{n}", f"bob{n}")
    yield a, b
    for s in (a, b):
        retire(office, s)


def needs_loop():
    """A bare chroot has no loop devices."""
    if not os.path.exists("/dev/loop-control"):
        pytest.skip("explained: there are no loop devices here")


def retire(office, station):
    """Stops a station and forgets it; what it logged must be free of sanitizer reports."""
    station.daemon.stop()
    problems = re.findall(r"^(?:=+\d+=+ERROR|.*runtime error:).*$", station.daemon.log(), re.M)
    name = os.path.basename(station.home)
    office.stations.pop(name, None)
    office.facts["stations"].pop(name, None)
    shutil.rmtree(station.home, ignore_errors=True)
    assert not problems, "\n".join(problems)
