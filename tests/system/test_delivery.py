"""Alice sends to Bob: the main job, as its users see it."""

import json
import os
import subprocess
import time

import pytest
import trees


def only(rows):
    assert len(rows) == 1, rows
    return rows[0]


def end_of(station, event):
    """The same event at the other station, when it has ended there too: it may, a moment after the sender's command did."""
    return wait_for(lambda: next((e for e in station.json("log") if e["id"] == event["id"] and e["ended"]), None))


def deliver(a, b, *paths, words=()):
    """Sends and waits; the sender's and the recipient's event."""
    a.sealpost("send", "--to", b.name, *words, *map(str, paths))
    sent = a.json("log", "--sent", "-n", "1")[0]
    return sent, end_of(b, sent)


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def test_tx01_tx02_tx03_rx01_rc07_rc11_a_file_arrives_with_its_receipt(pair, tmp_path):
    a, b = pair
    file = tmp_path / "letter.txt"
    file.write_text("Dear Bob,\nhere it is.\n")
    sent, received = deliver(a, b, file, words=["-m", "Good morning"])
    assert (sent["result"], received["result"]) == ("delivered", "delivered")
    assert received["peer"] == a.full_name
    placed = os.path.join(received["placed"], "letter.txt")
    assert open(placed).read() == file.read_text()
    assert received["placed"].startswith(b.path("received", a.name) + "/")
    show = only(b.json("show", received["id"]))
    assert show["message"] == "Good morning"
    assert os.path.exists(sent["receipt_file"])


def test_rc01_rc02_rc12_the_receipt_convinces_sealpost_and_openssl(pair, tmp_path):
    a, b = pair
    (tmp_path / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "b").write_bytes(b"")
    sent, _ = deliver(a, b, tmp_path / "a", tmp_path / "b")
    proof = only(a.json("verify", sent["receipt_file"]))
    assert (proof["sender"], proof["recipient"]) == (a.full_name, b.full_name)
    assert (proof["files"], proof["bytes"], proof["root_pinned"]) == (2, 100_000, True)
    folder = tmp_path / "check"
    folder.mkdir()
    commands = a.sealpost("receipt", "show", "--openssl", sent["receipt_file"]).stdout
    assert "openssl cms -verify" in commands
    for line in commands.splitlines():
        if line and not line.startswith("#"):
            subprocess.run(["bash", "-c", line], check=True, cwd=folder)
    # one byte more, and neither believes it
    broken = tmp_path / "broken.receipt"
    data = bytearray(open(sent["receipt_file"], "rb").read())
    data[len(data) // 2] ^= 1
    broken.write_bytes(data)
    assert a.sealpost("verify", str(broken), check=False).returncode == 1


def test_verify_tells_files_that_are_not_what_was_delivered(pair, tmp_path):
    a, b = pair
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "one").write_text("1")
    (tmp_path / "tree" / "two").write_text("2")
    sent, received = deliver(a, b, tmp_path / "tree")
    assert a.sealpost("verify", sent["receipt_file"], str(tmp_path / "tree")).returncode == 0
    placed = os.path.join(received["placed"], "tree")
    assert a.sealpost("verify", sent["receipt_file"], placed).returncode == 0
    (tmp_path / "tree" / "two").write_text("3")
    bad = a.sealpost("verify", sent["receipt_file"], str(tmp_path / "tree"), check=False)
    assert bad.returncode == 1 and "two" in bad.stdout


def test_pk02_pk16_rx08_an_odd_tree_arrives_identical(pair, tmp_path):
    a, b = pair
    tree = tmp_path / "tree"
    left_out = trees.odd_tree(tree)
    sent, received = deliver(a, b, tree)
    trees.assert_same(tree, os.path.join(received["placed"], "tree"), left_out)
    notes = only(b.json("show", received["id"]))["notes"]
    assert "link outside" in notes and "link absolute" in notes
    sparse = os.stat(os.path.join(received["placed"], "tree", "sparse"))
    assert sparse.st_blocks * 512 < 10_000_000, "the holes were filled"


def test_pk02_files_of_several_folders_go_into_one_packet(pair, tmp_path):
    a, b = pair
    for name in ("x", "y"):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / f"{name}.txt").write_text(name)
    _, received = deliver(a, b, tmp_path / "x", tmp_path / "y" / "in", tmp_path / "y" / "in" / "y.txt")
    assert sorted(os.listdir(received["placed"])) == ["in", "x", "y.txt"]
    same = a.sealpost("send", "--to", b.name, str(tmp_path / "x" / "in"), str(tmp_path / "y" / "in"), check=False)
    assert same.returncode == 1 and "in" in same.stdout + same.stderr


def test_rx12_a_packet_never_replaces_another(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("first")
    _, first = deliver(a, b, tmp_path / "f", words=["--title", "report"])
    (tmp_path / "f").write_text("second")
    _, second = deliver(a, b, tmp_path / "f", words=["--title", "report"])
    assert first["placed"] != second["placed"]
    assert open(first["placed"] + "/f").read() == "first"
    assert open(second["placed"] + "/f").read() == "second"


@pytest.mark.threads
def test_sys04_sys05_many_transfers_at_once_both_ways(pair, tmp_path):
    a, b = pair
    for i in range(12):
        (tmp_path / f"f{i}").write_bytes(os.urandom(300_000 + i))
    for i in range(12):
        one, two = (a, b) if i % 2 else (b, a)
        one.sealpost("send", "--no-wait", "--to", two.name, str(tmp_path / f"f{i}"))
    for s in pair:
        wait_for(lambda s=s: sum(e["ended"] for e in s.json("log")) == 12, 60)
        assert [e["result"] for e in s.json("log")] == ["delivered"] * 12, s.json("log")


def test_rc01_rx06_class_none_asks_for_no_receipt(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, received = deliver(a, b, tmp_path / "f", words=["--receipt", "none"])
    assert sent["result"] == received["result"] == "delivered"
    assert sent["receipt_file"] is None


def test_acc02_acc07_a_stranger_is_refused_and_both_logs_say_so(office, pair, tmp_path):
    a, b = pair
    b.sealpost("book", "rm", a.name)
    (tmp_path / "f").write_text("x")
    done = a.sealpost("send", "--to", b.name, str(tmp_path / "f"), check=False)
    assert done.returncode == 3
    ours = a.json("log", "--failed")[0]
    theirs = end_of(b, ours)
    assert ours["result"] == "refused"
    assert theirs["result"] == "refused" and theirs["reason"]["name"] == "NOTINBOOK"
    assert not os.path.exists(b.path("received", a.name))


def test_tx05_sys07_nobody_there_ends_as_a_failure(pair, tmp_path):
    a, b = pair
    b.daemon.stop()
    (tmp_path / "f").write_text("x")
    begin = time.monotonic()
    done = a.sealpost("send", "--to", b.name, str(tmp_path / "f"), check=False)
    assert done.returncode == 1 and time.monotonic() - begin < 120
    event = a.json("log", "--failed")[0]
    assert event["reason"]["name"] == "CONNECT" and event["attempts"] == 3


def test_tx15_wal01_cancel_gives_up_on_both_sides(pair, tmp_path):
    a, b = pair
    b.daemon.stop()
    (tmp_path / "f").write_text("x")
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "f"))
    event = only(a.json("log", "--pending"))
    wait_for(lambda: a.json("show", event["id"])[0]["state"] != "WALKING")
    a.sealpost("cancel", event["id"])
    assert a.json("log", "--failed")[0]["result"] == "cancelled"
    again = a.sealpost("cancel", event["id"], check=False)
    assert again.returncode == 1


def test_log01_log07_the_log_survives_a_restart(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    a.daemon.stop()
    a.start()
    again = a.json("show", sent["id"][:13])[0]
    assert again["result"] == "delivered" and again["receipt_file"] == sent["receipt_file"]
    assert [h["state"] for h in again["history"]][-1] == "DELIVERED"


@pytest.mark.parametrize("killed", ["sender", "recipient"])
def test_rc13_a_kill_in_mid_transfer_ends_with_one_delivery(pair, tmp_path, killed):
    a, b = pair
    victim = a if killed == "sender" else b
    (tmp_path / "big").write_bytes(os.urandom(80_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    wait_for(lambda: (b.json("log", "--pending") or b.json("log")))
    victim.daemon.kill()
    victim.start()
    wait_for(lambda: not a.json("log", "--pending"), 120)
    assert only(a.json("log"))["result"] == "delivered"
    wait_for(lambda: not b.json("log", "--pending"), 60)
    received = only(b.json("log"))
    assert received["result"] == "delivered"
    assert open(received["placed"] + "/big", "rb").read() == (tmp_path / "big").read_bytes()
    assert os.listdir(b.path("received", ".incoming")) == []


def test_4_known_stations_need_no_service(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    office.stop("keyd")
    office.cluster.stop()
    try:
        sent, _ = deliver(a, b, tmp_path / "f")
        assert sent["result"] == "delivered"
        for s in pair:
            s.daemon.stop()
            s.start()
        sent, _ = deliver(a, b, tmp_path / "f")
        assert sent["result"] == "delivered"
    finally:
        office.cluster.start()
        office.start("keyd")


def test_pk08_pk09_who_and_message_are_shown(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    _, received = deliver(a, b, tmp_path / "f", words=["-m", "two\nlines – ✓", "--title", "My title"])
    text = b.sealpost("show", received["id"]).stdout
    assert a.full_name in text and "lines – ✓" in text and "My title" in text


def test_ky01_bm02_sys10_enrolment_tells_what_is_wrong(office, pair):
    a, _ = pair
    fresh = office.station("mallory", enrol=False)
    try:
        bad = fresh.sealpost("enrol", "sealpost:enrol?nonsense", check=False)
        assert bad.returncode == 1 and bad.stderr.startswith("sealpost: ")
        token = office.invite("mallory", "desktop")
        wrong = token[:-1] + ("A" if token[-1] != "A" else "Q")
        assert fresh.sealpost("enrol", wrong, check=False).returncode == 1
        early = fresh.sealpost("send", "--to", a.name, "/etc/hosts", check=False)
        assert early.returncode == 1 and "enrol" in early.stderr
        assert "You are mallory/desktop@post.example" in fresh.sealpost("enrol", token).stdout
        assert fresh.sealpost("enrol", token).returncode == 0, "the same token by the same station is no mistake"
    finally:
        from conftest import retire
        retire(office, fresh)


def test_bk01_a_name_that_keyd_does_not_know(pair):
    a, _ = pair
    done = a.sealpost("book", "add", "nobody@post.example", check=False)
    assert done.returncode == 1 and "nobody@post.example" in done.stderr


def test_sch07_sch08_who_says_who_is_there(pair):
    a, b = pair
    assert "is there" in a.sealpost("who", b.name).stdout
    b.daemon.stop()
    gone = a.sealpost("who", b.name, check=False)
    assert gone.returncode == 1 and "does not answer" in gone.stdout


def test_gui20_the_control_socket_is_the_users_alone(pair):
    a, _ = pair
    assert os.stat(a.path("control")).st_mode & 0o777 == 0o600
    status = json.loads(a.sealpost("--json", "status").stdout)
    assert status["enrolled"] and status["name"] == a.full_name
