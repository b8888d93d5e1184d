"""Who guesses tokens, and who connects and says nothing or as little as can be: nobody gets in, it ends, it is logged a few times and
not thousands of times, and whoever is known is served meanwhile."""

import contextlib
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest
from conftest import NUMBERS, UNHURRIED, retire
from test_delivery import deliver, wait_for
from test_floods import paid_pair       # noqa: F401 (a fixture)
from test_hostile_network import path, through      # noqa: F401
from test_resume import MIB, big_file, order

LOG_BURST = 20       # SP_LOG_BURST: lines a minute of each kind


def lines(daemon, event, since=0):
    return [line for line in daemon.log()[since:].splitlines() if line.split(" ")[2:3] == [event]]


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid()}/fd"))


def listens_on(daemon, first=21000, last=21999):
    """The ports in this range on which it takes connections."""
    held = {os.readlink(f"/proc/{daemon.pid()}/fd/{fd}") for fd in os.listdir(f"/proc/{daemon.pid()}/fd")}
    ports = set()
    with open("/proc/net/tcp", encoding="ascii") as f:
        for row in (line.split() for line in f.readlines()[1:]):
            port = int(row[1].split(":")[1], 16)
            if row[3] == "0A" and first <= port <= last and f"socket:[{row[9]}]" in held:
                ports.add(port)
    return ports


def connected(source, port):
    s = socket.socket()
    s.bind((source, 0))
    s.settimeout(10)
    try:
        s.connect(("127.0.0.1", port))
    except OSError:
        s.close()
        return None
    return s


class Background(threading.Thread):
    """Something that goes on until the block ends; a failure of it is the block's."""

    def __init__(self, step):
        super().__init__(daemon=True)
        self.step, self.over, self.problem = step, False, None

    def run(self):
        try:
            while not self.over:
                self.step()
        except BaseException as e:      # pylint: disable=broad-except
            self.problem = e

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.join()
        if self.problem is not None:
            raise self.problem


class Relay:
    """A port in front of another one, to which connections come from this address."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            there = connected(self.source, self.target)
            for a, b in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    @staticmethod
    def _pass(a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        for s in (a, b):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


# ---- invitations ----

def test_ky01_invitations_are_guessed_in_vain_and_a_network_has_few_guesses(office, tmp_path):
    """Thousands of guesses from one network, all in proper form; others enrol meanwhile, and later its own people do."""
    keyd = office.services["keyd"]
    relay = Relay("127.77.0.1", office.facts["keyd_port"])
    n = next(NUMBERS)
    token, own = office.invite(f"guessed{n}", "desktop"), office.invite(f"neighbour{n}", "desktop")
    log, begin = len(keyd.log()), time.monotonic()

    def enrol(folder, invitation, *words):
        return [office.program("tests/tools/enrol_client"), "enrol", str(tmp_path / folder), invitation, *words, relay.address]

    guesser = subprocess.Popen(enrol("g", token, "guess", "4000"), stdout=subprocess.PIPE, text=True)
    s = office.station(f"other{n}")
    said = guesser.communicate()[0]
    took = time.monotonic() - begin
    refused, busy, other = map(int, re.fullmatch(r"ok refused=(\d+) busy=(\d+) other=(\d+)\n", said).groups())
    assert refused + busy == 4000 and other == 0
    assert 0 < refused <= 64 + took + 1      # SP_ENROL_BURST, SP_ENROL_RATE
    # its own network waits a little, and no longer than until the guessing has ended
    wait_for(lambda: subprocess.run(enrol("n", own, "", "0"), stdout=subprocess.DEVNULL, check=False).returncode == 0, 10)
    # the guesses of this minute and of the next one
    assert 0 < len(lines(keyd, "enrol-refused", log)) <= 2 * LOG_BURST
    assert 0 < len(lines(keyd, "enrol-limited", log)) <= 2 * LOG_BURST
    assert office.admin_sql(f"SELECT state FROM key.v_invite WHERE name LIKE 'guessed{n}/%'") == [["open"]]
    relay.close()
    retire(office, s)


# ---- the command port by TCP ----

def test_by_tcp_letters_are_guessed_in_vain_and_the_silent_keep_nobody_out(pair, path, tmp_path):    # noqa: F811
    """While all places of the command port's TCP form are taken by connections that hold half a letter, and somebody guesses."""
    a, b = pair
    ab, ba = path(b), path(a)
    ab.block = ba.block = True           # letters must come by TCP
    through(a, b, ab, ba)
    letter = struct.pack(">I", 980) + b"\x01\x01" + os.urandom(978)
    guesses = [0, 0]        # connections, letters

    def guess():
        """Letters until the connection is ended: nothing else comes back."""
        s = connected(f"127.78.{guesses[0] % 50}.1", b.port)
        guesses[0] += 1
        with contextlib.suppress(OSError):
            while s is not None:
                s.sendall(letter * 4)
                guesses[1] += 4
                s.settimeout(0.01)
                with contextlib.suppress(TimeoutError):
                    assert s.recv(1) == b"", "a guess was answered"
                    break
                s.settimeout(10)
        if s is not None:
            s.close()

    log = len(b.daemon.log())
    held = []
    for i in range(300):
        held.append(connected(f"127.0.2.{1 + i // 16}", b.port))
        with contextlib.suppress(OSError):
            held[-1].sendall(b"\x00\x00\x04")
    with Background(guess):
        for i in range(2):
            (tmp_path / f"f{i}").write_bytes(os.urandom(10_000))
            sent, received = deliver(a, b, tmp_path / f"f{i}")
            assert (sent["result"], received["result"]) == ("delivered", "delivered")
        wait_for(lambda: guesses[1] > 3000, 60)
    assert guesses[0] > 100, "a guesser may go on and on"
    wait_for(lambda: b.json("status")[0]["letters"]["reasons"]["foreign"] > 500)
    assert len(lines(b.daemon, "letters-dropped", log)) < 40     # a few reasons, each once a minute
    assert descriptors(b.daemon) < 350      # SP_LETTER_CONNS, and its own
    for s in held:
        s.close()


# ---- data ports ----

@pytest.fixture
def three(office):
    """alice sends; bob receives, on one data port; carol dies whenever she was accepted, so that bob waits for her."""
    n = next(NUMBERS)
    a = office.station(f"alice{n}", settings=UNHURRIED)
    b = office.station(f"bob{n}", settings="threads = 1;")
    c = office.station(f"carol{n}")
    office.introduce(f"alice{n}", f"bob{n}", f"carol{n}")
    yield a, b, c
    for s in (a, b, c):
        retire(office, s)


def accepted_and_dead(b, c, file):
    """bob keeps a data port open for carol, who does not come."""
    c.daemon.stop()
    c.start(SEALPOST_FAULT="send/*/ACCEPTED-before=kill")
    order(c, b, file)
    wait_for(lambda: listens_on(b.daemon))
    assert c.daemon.wait_gone(20)
    return listens_on(b.daemon).pop()


def test_acc07_data_ports_are_guessed_in_vain_while_packets_come(three, tmp_path):
    a, b, c = three
    (tmp_path / "f").write_bytes(os.urandom(10_000))
    log = len(b.daemon.log())
    port = accepted_and_dead(b, c, tmp_path / "f")
    big = order(a, b, big_file(tmp_path / "big", 100 * MIB))
    tries = 0
    held = []
    while tries < 3000:
        s = connected(f"127.79.{tries % 5}.1", port)
        if s is None:
            break           # carol was waited for long enough
        tries += 1
        with contextlib.suppress(OSError):
            s.sendall(b"SPD1" + os.urandom(200))
        held = [*held[-99:], s]
        assert descriptors(b.daemon) < 200
    assert tries > 200
    for s in held:
        s.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            assert s.recv(1) == b"", "a guess was answered"
        s.close()
    sent = delivered_event(a, b, big)
    assert sent["attempts"] <= 1, sent
    assert 0 < len(lines(b.daemon, "connection-refused", log)) <= 2 * LOG_BURST


def delivered_event(a, b, event):
    wait_for(lambda: not a.json("log", "--pending"), 120)
    sent = next(e for e in a.json("log", "--sent") if e["id"] == event)
    assert sent["result"] == "delivered", sent
    return sent


def trickle(sockets):
    """One byte on each; those that were closed are left."""
    left = []
    for s in sockets:
        try:
            s.send(b"\x00")
            left.append(s)
        except OSError:
            s.close()
    return left


def test_acc07_silent_and_slow_connections_to_a_data_port_hold_up_nobody(three, tmp_path):
    a, b, c = three
    (tmp_path / "f").write_bytes(os.urandom(10_000))
    port = accepted_and_dead(b, c, tmp_path / "f")
    before = descriptors(b.daemon)
    silent = [connected(f"127.80.{i // 40}.1", port) for i in range(200)]
    slow = [connected(f"127.81.{i // 40}.1", port) for i in range(200)]
    # those of one network beyond 16 make way for its own, and the oldest of all beyond 64
    wait_for(lambda: descriptors(b.daemon) <= before + 64 + 4)
    for _ in range(3):
        slow = trickle(slow)
        sent, received = deliver(a, b, tmp_path / "f")
        assert (sent["result"], received["result"]) == ("delivered", "delivered")
        assert descriptors(b.daemon) < before + 64 + 30
    for s in [*silent, *slow]:
        s.close()


# ---- services ----

@pytest.mark.parametrize("role", ["keyd", "creditd", "certd"])
def test_silent_and_slow_connections_to_a_service_hold_up_nobody(paid_office, paid_pair, tmp_path, role):      # noqa: F811
    """1,100 silent ones of one network, of which 1,024 are its share, 200 of others that say a byte now and then, and garbage."""
    a, b = paid_pair
    account = paid_office.open_account(a.person, 1000)
    a.sealpost("credits", "add", "20", "--account", account)
    (tmp_path / "f").write_text("x")
    service, port = paid_office.services[role], paid_office.facts[f"{role}_port"]
    before = descriptors(service)
    silent = [connected("127.82.0.1", port) for _ in range(1100)]
    slow = [connected(f"127.83.{i // 20}.1", port) for i in range(200)]
    wait_for(lambda: before + 1000 < descriptors(service) <= before + 1024 + 200)
    garbage = [0, 0]        # connections, bytes that came back

    def talk():
        s = connected(f"127.84.{garbage[0] % 50}.1", port)
        if s is None:
            return
        garbage[0] += 1
        with contextlib.suppress(OSError):
            s.sendall(b"\x16\x03\x01\x02\x00" + os.urandom(500) if garbage[0] % 2 else os.urandom(500))
            s.settimeout(0.2)
            while data := s.recv(4096):
                garbage[1] += len(data)
        s.close()

    with Background(talk):
        for _ in range(2):
            slow = trickle(slow)
            if role == "keyd":
                a.sealpost("book", "add", b.name, "--address", b.address)
            elif role == "creditd":
                assert "granted: 5 credits" in a.sealpost("credits", "add", "5", "--account", account).stdout
            else:
                sent, received = deliver(a, b, tmp_path / "f")
                assert (sent["result"], received["result"]) == ("delivered", "delivered")
                wait_for(lambda: a.json("show", sent["id"])[0]["postmarked"])    # pylint: disable=cell-var-from-loop
            assert descriptors(service) <= before + 1024 + 200 + 16
    assert garbage[1] <= garbage[0] * 500, "more came back than was sent"
    for s in [*silent, *slow]:
        s.close()
    wait_for(lambda: descriptors(service) < before + 100)
