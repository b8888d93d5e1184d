"""Networks that lose, double, reorder and block, and floods: deliveries come through."""

import os
import random
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pytest
from conftest import NUMBERS, _build, retire, sanitizer_reports
from office.office import Office
from office.process import free_port
from test_delivery import deliver
from test_resume import MIB, big_file, delivered, order, under_way


class Path(threading.Thread):
    """A proxy for datagrams in front of a station's command port. Each sender keeps an address of its own at the station.

    loss, double, late: shares of the letters of both ways; block: drop every datagram; one_way: let no answers through.
    tcp: the same port number over TCP goes through, too."""

    def __init__(self, station, loss=0.0, double=0.0, late=0.0, host="127.0.0.1", seed=1):
        super().__init__(daemon=True)
        self.station, self.loss, self.double, self.late, self.host = station, loss, double, late, host
        self.block = self.one_way = False
        self.passed = []        # letters to the station, the newest last
        self.seen, self.lost = 0, 0
        self.random = random.Random(seed)
        self.target = (station.address.rsplit(":", 1)[0], station.port)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = free_port()
        self.front.bind((host, port))
        self.listener.bind((host, port))
        self.listener.listen()
        self.address = f"{host}:{port}"
        self.backs, self.pipes, self.waiting = {}, {}, []
        self.over = False
        self.start()

    def run(self):
        while not self.over:
            ready, _, _ = select.select([self.front, self.listener, *self.backs.values(), *self.pipes], [], [], 0.01)
            for s in ready:
                self._read(s)
            now = time.monotonic()
            due, self.waiting = [w for w in self.waiting if w[0] <= now], [w for w in self.waiting if w[0] > now]
            for _, s, data, to in due:
                self._give(s, data, to)

    def _read(self, s):
        if s is self.listener:
            here, _ = s.accept()
            there = socket.create_connection(self.target)
            self.pipes[here], self.pipes[there] = there, here
        elif s in self.pipes:
            try:
                data = s.recv(65536)
            except OSError:
                data = b""
            if data:
                self.pipes[s].sendall(data)
            else:
                for end in (s, self.pipes[s]):
                    self.pipes.pop(end, None)
                    end.close()
        elif s is self.front:
            data, sender = s.recvfrom(2048)
            self.passed = [*self.passed[-63:], data]
            if sender not in self.backs:
                self.backs[sender] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                self.backs[sender].bind((self.target[0], 0))
            self._pass(self.backs[sender], data, self.target)
        else:
            sender = next(a for a, b in self.backs.items() if b is s)
            try:
                data = s.recv(2048)
            except OSError:
                return
            if not self.one_way:
                self._pass(self.front, data, sender)

    def _pass(self, s, data, to):
        self.seen += 1
        if self.block or self.random.random() < self.loss:
            self.lost += 1
            return
        for _ in range(2 if self.random.random() < self.double else 1):
            if self.random.random() < self.late:
                self.waiting.append((time.monotonic() + self.random.uniform(0.01, 0.3), s, data, to))
            else:
                self._give(s, data, to)

    @staticmethod
    def _give(s, data, to):
        try:
            s.sendto(data, to)
        except OSError:
            pass

    def close(self):
        self.over = True
        self.join()
        for s in [self.front, self.listener, *self.backs.values(), *self.pipes]:
            s.close()


@pytest.fixture
def path(pair):
    """Paths to stations, which end with the test."""
    made = []

    def make(station, **options):
        made.append(Path(station, **options))
        return made[-1]

    yield make
    for p in made:
        p.close()


def through(a, b, ab, ba):
    """They reach each other through these paths only."""
    a.sealpost("book", "add", b.name, "--address", ab.address)
    b.sealpost("book", "add", a.name, "--address", ba.address)


def letters(station):
    return station.json("status")[0]["letters"]


def test_a_third_of_all_letters_lost_doubled_and_late_in_both_directions(pair, path, tmp_path):
    a, b = pair
    ab, ba = path(b, loss=0.3, double=0.3, late=0.3), path(a, loss=0.3, double=0.3, late=0.3, seed=2)
    through(a, b, ab, ba)
    for i in range(5):
        (tmp_path / f"f{i}").write_bytes(os.urandom(10_000))
        sent, received = deliver(a, b, tmp_path / f"f{i}")
        assert (sent["result"], received["result"]) == ("delivered", "delivered")
    assert ab.lost > 0 and ab.seen > 10
    assert len(b.json("log", "--received")) == 5     # each once


def test_answers_that_never_come_back_by_datagram(pair, path, tmp_path):
    a, b = pair
    ab, ba = path(b), path(a)
    ab.one_way = True
    through(a, b, ab, ba)
    (tmp_path / "f").write_bytes(os.urandom(10_000))
    sent, received = deliver(a, b, tmp_path / "f")
    assert (sent["result"], received["result"]) == ("delivered", "delivered")
    assert len(b.json("log", "--received")) == 1


def test_a_station_that_moves_in_mid_transfer_is_followed(office, tmp_path):
    """The recipient's port changes while a packet is on its way: its own letters say where it is."""
    n = next(NUMBERS)
    a = office.station(f"alice{n}", settings='idle = "2 s";')
    b = office.station(f"bob{n}", settings='idle = "2 s";')
    office.introduce(f"alice{n}", f"bob{n}")
    file = big_file(tmp_path / "big", 300 * MIB)
    order(a, b, file)
    under_way(a, 50 * MIB)
    move(b)
    delivered(a, b, file)
    retire(office, a)
    retire(office, b)


def move(station):
    """The same station at another port."""
    old = station.port
    station.daemon.stop()
    station.port = free_port()
    conf = station.path("peerd.conf")
    with open(conf, encoding="utf-8") as f:
        text = f.read().replace(f"port = {old};", f"port = {station.port};")
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)
    station.start()


def test_ipv6_for_letters_and_data(office, tmp_path):
    n = next(NUMBERS)
    a, b = (office.station(f"{name}{n}", on="::1") for name in ("alice", "bob"))
    a.sealpost("book", "add", b.name, "--address", f"[::1]:{b.port}")
    b.sealpost("book", "add", a.name, "--address", f"[::1]:{a.port}")
    (tmp_path / "f").write_bytes(os.urandom(100_000))
    sent, received = deliver(a, b, tmp_path / "f")
    assert (sent["result"], received["result"]) == ("delivered", "delivered")
    assert a.json("who", b.full_name)[0]["address"] == f"[::1]:{b.port}"
    retire(office, a)
    retire(office, b)


def test_services_by_ipv6(tmp_path):
    """keyd at [::1]: in its invitation, in the roster, and in what stations ask of it."""
    folder = tempfile.mkdtemp(prefix="spo6")
    os.chmod(folder, 0o755)
    office = Office(folder, _build("SP_BUILD", "build-check"), keyd_host="[::1]")
    try:
        office.create()
        a, b = office.station("alice", on="::1"), office.station("bob")     # one speaks IPv6 alone, the other IPv4
        a.sealpost("book", "add", b.name)                                  # asks keyd
        b.sealpost("book", "add", a.name)
        assert b.json("status")[0]["enrolled"]
    finally:
        office.stop()
        problems = sanitizer_reports(office)
        shutil.rmtree(folder, ignore_errors=True)
    assert not problems, problems
