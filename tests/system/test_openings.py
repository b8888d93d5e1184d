"""What comes to a station's command port is taken for what it is, and what a delivery leaves behind at its end."""

import os
import subprocess

import pytest
from conftest import _pair
from test_delivery import deliver, only
from wallets import tool

DATA_PORTS = range(21000, 22000)


@pytest.fixture
def mallory(office, pair, tmp_path):
    """A station in bob's book: the folder of her keys. She has no peerd."""
    _, b = pair
    folder = str(tmp_path / "mallory")
    name = f"mallory{os.path.basename(b.home)}"
    assert name in tool(office, "credit_client", "enrol", folder, office.invite(name, "x"))
    b.sealpost("book", "add", f"{name}@post.example")
    subprocess.run([office.program("tests/tools/frank_client"), "sheet", folder, folder, "station", str(tmp_path / "sheet")],
                   check=True)
    return folder


def ask(office, folder, b, sheet, *words):
    return tool(office, "frank_client", "pay", folder, b.path("station"), b.port, sheet, *words)


@pytest.mark.parametrize("what", ["receipt", "files"])
def test_sys02_rx03_a_station_of_the_book_learns_nothing_of_anothers_delivery(office, pair, mallory, tmp_path, what):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    said = ask(office, mallory, b, str(tmp_path / "sheet"), f"letter={what}", f"transfer={sent['id']}")
    assert said.startswith("answer NOTFOUND "), said
    # an offer of hers under that id is another transfer, and is taken for an offer
    assert ask(office, mallory, b, str(tmp_path / "sheet"), "price=0", "stop", f"transfer={sent['id']}").startswith("accept ")
    assert only([e for e in b.json("log", "--received") if e["peer"] == a.full_name])["result"] == "delivered"
    assert a.sealpost("who", b.name).returncode == 0       # and a question who is there for that


def test_rx11_the_sender_is_known_before_anything_is_opened(office, pair, tmp_path):
    """A station that was enrolled after bob had entered its person: its certificate comes with its first letter."""
    a, b = pair
    phone = office.station(f"phone{os.path.basename(a.home)}", person=a.person, station="phone")
    phone.sealpost("book", "add", b.name, "--address", b.address)
    (tmp_path / "f").write_text("x")
    _, received = deliver(phone, b, tmp_path / "f")
    assert received["peer"] == f"{a.person}/phone@post.example"
    assert received["placed"].startswith(b.path("received", a.name) + "/")
    phone.daemon.stop()


def connections(daemon):
    """Remote ports of a daemon's TCP connections that stand."""
    pid = daemon.pid()
    sockets = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return [int(row[2].split(":")[1], 16) for row in rows if row[3] == "01" and f"socket:[{row[9]}]" in sockets]


def test_tx10_at_the_end_the_connection_is_gone_the_credits_removed_and_the_event_logged(paid_office, tmp_path):
    for a, b in _pair(paid_office):
        paid_office.rich(a, 25)
        (tmp_path / "f").write_bytes(os.urandom(2_000_000))
        a.sealpost("send", "--to", b.name, str(tmp_path / "f"))
        assert [port for port in connections(a.daemon) if port in DATA_PORTS] == []
        credits = only(a.json("credits"))
        assert (credits["free"], credits["reserved"], credits["spent"]) == (23, 0, 2)
        event = only(a.json("log", "--sent"))
        words = [row["what"] for row in only(a.json("show", event["id"]))["history"]]
        assert event["ended"] and words.index("sends") < words.index("delivered; fetches the receipt")
