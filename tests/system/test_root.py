"""The few scenarios that need root: what travels on the wire, and machines of their own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest
import trees
from conftest import _build, _pair, retire, sanitizer_reports
from office.office import Office
from test_delivery import deliver, end_of, wait_for

pytestmark = pytest.mark.root


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def inside(netns, *words):
    """ip within a namespace; ip -n would want to mount things, which a chroot does not allow."""
    subprocess.run(["nsenter", f"--net=/run/netns/{netns}", "ip", *words], check=True, capture_output=True)


class Hosts:
    """Network namespaces on a bridge of their own: one network, 10.77.N.0/24."""

    def __init__(self, names):
        self.names = names
        self.bridge = "spbr0"
        self.remove()

    def make(self):
        """The bridge and the hosts on it."""
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", "10.77.0.1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        for number, name in enumerate(self.names, 2):
            ip("netns", "add", name)
            ip("link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"v{name}", "master", self.bridge, "up")
            inside(name, "addr", "add", f"10.77.0.{number}/24", "dev", "eth0")
            inside(name, "link", "set", "eth0", "up")
            inside(name, "link", "set", "lo", "up")

    def address(self, name):
        return f"10.77.0.{2 + self.names.index(name)}"

    def remove(self):
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self.bridge], check=False, capture_output=True)


@pytest.fixture
def hosts():
    h = Hosts(["spalice", "spbob"])
    try:
        h.make()
        yield h
    finally:
        h.remove()


def test_bm01_two_machines_with_users_of_their_own(hosts, tmp_path):
    folder = tempfile.mkdtemp(prefix="spo")
    os.chmod(folder, 0o755)
    office = Office(folder, _build("SP_BUILD", "build-check"), keyd_host="10.77.0.1")
    try:
        office.create(credits=True, certd=True)
        a = office.station("alice", on=hosts.address("spalice"), netns="spalice", user="daemon")
        b = office.station("bob", on=hosts.address("spbob"), netns="spbob", user="nobody")
        office.introduce()
        tree = os.path.join(a.home, "tree")
        left_out = trees.odd_tree(tree)
        subprocess.run(["chown", "-Rh", "daemon:nogroup", tree], check=True)
        office.rich(a, 25)
        sent, received = deliver(a, b, tree)
        trees.assert_same(tree, os.path.join(received["placed"], "tree"), left_out)
        assert (sent["postmarked"], sent["payment"], sent["price"]) == (True, "paid", 2)
        assert a.json("verify", sent["receipt_file"])[0]["postmarked"]
        assert a.json("credits")[0]["free"] == 23
        assert all(ok == "t" for _, ok, _ in office.admin_sql("SELECT name, ok, detail FROM credit.check()"))
        assert os.stat(received["placed"]).st_uid != os.stat(tree).st_uid
        assert not sanitizer_reports(office)
    finally:
        office.stop()
        shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 24 MB."""
    path = str(tmp_path / "disk")
    os.mkdir(path)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "small", path], check=True)
    yield path
    subprocess.run(["umount", path], check=True)


def test_rx13_a_full_disk_before_and_in_the_midst(office, small_disk, tmp_path):
    """What never has room is refused; what has none now waits; what runs out of it in the midst goes on when there is some."""
    received = os.path.join(small_disk, "received")
    filler = os.path.join(small_disk, "filler")
    a = office.station("alicef")
    b = office.station("bobf", settings=f'received = "{received}"; reserve = "2 MiB"; receive_rate = 6000000;')

    def words(event):
        return [h["what"] for h in a.json("show", event["id"])[0]["history"]]

    def send(name):
        a.sealpost("send", "--to", b.name, "--no-wait", str(tmp_path / name))
        return a.json("log", "-n", "1")[0]

    def fill(size):
        with open(filler, "wb") as f:
            f.write(bytes(size))
    try:
        office.introduce("alicef", "bobf")
        (tmp_path / "large").write_bytes(os.urandom(40_000_000))
        (tmp_path / "small").write_bytes(os.urandom(12_000_000))
        done = a.sealpost("send", "--to", b.name, str(tmp_path / "large"), check=False)
        sent = a.json("log")[0]
        assert (done.returncode, sent["result"], end_of(b, sent)["result"]) == (3, "refused", "refused")
        assert sent["reason"]["name"] == "LIMIT"
        # before
        fill(14_000_000)
        sent = send("small")
        wait_for(lambda: any("asks to wait: no space left" in w for w in words(sent)))
        assert b.json("log", "--pending") == []
        os.unlink(filler)
        wait_for(lambda: a.json("show", sent["id"])[0]["result"] == "delivered", 40)
        # in the midst: somebody else uses up the reserve
        shutil.rmtree(os.path.join(received, a.name))
        sent = send("small")
        wait_for(lambda: any(e["state"] == "RECEIVING" for e in b.json("log", "--pending")))
        fill(15_500_000)
        wait_for(lambda: any("waits for room" in w and "no space left" in w for w in words(sent)), 30)
        wait_for(lambda: any("are to stay free" in h["what"] for h in b.json("show", sent["id"])[0]["history"]))
        assert not os.path.exists(os.path.join(received, a.name)), "a half packet was placed"
        os.unlink(filler)
        wait_for(lambda: a.json("show", sent["id"])[0]["result"] == "delivered", 40)
        assert os.path.getsize(os.path.join(end_of(b, sent)["placed"], "small")) == 12_000_000
        assert os.listdir(os.path.join(received, ".incoming")) == []
    finally:
        retire(office, a)
        retire(office, b)


class Capture:
    """tcpdump of everything on loopback, until stopped; the bytes it saw."""

    def __init__(self, path):
        self.path = path
        self.process = subprocess.Popen(["tcpdump", "-i", "lo", "-U", "-s", "0", "-w", path, "--immediate-mode"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while b"listening on" not in self.process.stderr.readline():
            assert self.process.poll() is None, "tcpdump does not run"

    def stop(self):
        time.sleep(0.5)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        with open(self.path, "rb") as f:
            return f.read()


def test_sys01_sys03_no_content_in_clear_or_at_a_service(paid_office, tmp_path):
    office = paid_office
    canaries = [b"CANARYname7f3a", b"CANARYmessage91c2", b"CANARYcontent55d0", b"CANARYtitle08aa"]
    gen = _pair(office)
    a, b = next(gen)
    file = tmp_path / (canaries[0].decode() + ".txt")
    file.write_bytes(b"before " + canaries[2] * 100 + b" after")
    office.rich(a, 25)
    capture = Capture(str(tmp_path / "lo.pcap"))
    _, received = deliver(a, b, file, words=["-m", canaries[1].decode(), "--title", canaries[3].decode()])
    wait_for(lambda: not b.json("log", "--pending"))
    seen = capture.stop()
    # all four daemons had a part in it
    assert a.json("log", "--sent")[0]["payment"] == "paid"
    assert len(seen) > 5000 and os.path.exists(received["placed"])
    for canary in canaries:
        assert canary not in seen, f"{canary} travelled in clear"
    # and nothing of it reached a service: not its log, not its database
    dump = subprocess.run(["/usr/lib/postgresql/15/bin/pg_dump", "--inserts"], check=True, capture_output=True,
                          env={**os.environ, **office.cluster.env()}).stdout
    for canary in canaries:
        forms = (canary, canary.hex().encode())
        assert not any(f in dump for f in forms)
        for service in office.services.values():
            assert canary.decode() not in service.log()
    # the test can fail: what does travel in clear is seen
    assert b"SPD1" in seen
    for _ in gen:
        pass
