"""Postmarked deliveries with real daemons: by themselves, with certd away, with peers that die in between, and with credits."""

import os
import re
import subprocess
import time

import pytest

from conftest import NUMBERS, opened, retire
from test_delivery import deliver, only, wait_for
from wallets import SPENT, free, give_credits, old_copy, put_back, serials


@pytest.fixture(scope="module")
def office():
    with opened() as o:
        o.add_certd()
        yield o


@pytest.fixture
def pair(office):
    """Two stations that know each other; the first can be called back. certd runs before and after."""
    if not office.services["certd"].running():
        office.start_service("certd")
    n = next(NUMBERS)
    a = office.station(f"alice{n}", settings='return_host = "127.0.0.1";')
    b = office.station(f"bob{n}")
    office.introduce(f"alice{n}", f"bob{n}")
    yield a, b
    for s in (a, b):
        retire(office, s)


def postmarks(office, transfer):
    return office.cluster.sql(f"SELECT number, payment FROM cert.v_receipt WHERE transfer = '{transfer}'")


def idle(*stations, seconds=60):
    for s in stations:
        wait_for(lambda s=s: not s.json("log", "--pending"), seconds)


def show(station, transfer):
    return only(station.json("show", transfer))


def verified(station, path):
    """The one receipt of a delivery, as sealpost verifies it."""
    return only(station.json("verify", path))


def test_rc01_rc08_rc09_ce04_ce05_a_delivery_is_postmarked_by_itself(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x" * 1000)
    done = a.sealpost("send", "--to", b.name, str(tmp_path / "f"))
    assert "delivered to" in done.stdout and "follows" not in done.stdout
    event = a.json("log", "--sent", "-n", "1")[0]
    assert (event["receipt"], event["result"], event["postmarked"], event["payment"]) == (
        "postmarked", "delivered", True, "free")
    proof = verified(a, event["receipt_file"])
    number, payment = only(postmarks(office, event["id"]))
    assert proof["postmarked"] and proof["root_pinned"] and payment == "free"
    mark = proof["postmark"]
    assert (mark["number"], mark["certd"], mark["tsa"], mark["payment"]) == (
        number, "certd/main@post.example", "tsa/main@post.example", "free")
    text = a.sealpost("receipt", "show", event["id"]).stdout
    assert number in text and "certd/main@post.example" in text and "payment: free" in text
    text = a.sealpost("show", event["id"]).stdout
    assert re.search(r"^postmark +here$", text, re.M) and re.search(r"^payment +free$", text, re.M)
    folder = tmp_path / "check"
    folder.mkdir()
    for line in a.sealpost("receipt", "show", "--openssl", event["receipt_file"]).stdout.splitlines():
        if line and not line.startswith("#"):
            subprocess.run(["bash", "-c", line], check=True, cwd=folder)


def test_rc10_the_recipient_keeps_a_copy(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    idle(b)
    received = show(b, sent["id"])
    assert (received["kind"], received["postmarked"], received["payment"]) == ("receive", True, "free")
    assert any("postmarked by certd/main@post.example" in h["what"] for h in received["history"])
    with open(received["receipt_file"], "rb") as copy, open(sent["receipt_file"], "rb") as original:
        assert copy.read() == original.read()
    assert b.sealpost("verify", received["receipt_file"], received["placed"]).returncode == 0
    assert len(b.json("log")) == 1, "what was handed in is shown as a part of the receiving"


def test_sys07_4_certd_is_away_and_the_postmark_follows(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    office.services["certd"].stop()
    done = a.sealpost("send", "--to", b.name, str(tmp_path / "f"))
    assert "delivered to" in done.stdout and "the postmark follows when certd is back" in done.stdout
    event = only(a.json("log"))
    assert (event["state"], event["delivered"], event["ended"], event["postmarked"]) == ("POSTMARK_LATE", "whole", False, False)
    assert event["receipt_file"] in done.stdout
    assert verified(a, event["receipt_file"])["postmarked"] is False
    assert [e["kind"] for e in b.json("log", "--pending")] == ["postmark"]
    assert [e["kind"] for e in b.json("log")] == ["receive"]
    for s in pair:      # what waits survives
        s.daemon.stop()
        s.start()
    office.start_service("certd")
    idle(a, b, seconds=120)
    event = only(a.json("log"))
    assert event["result"] == "delivered" and event["postmarked"] and event["reason"] is None
    assert verified(a, event["receipt_file"])["postmarked"]
    assert show(b, event["id"])["postmarked"]
    only(postmarks(office, event["id"]))


def test_ce04_certd_calls_the_sender_who_gets_it_at_once(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    office.services["certd"].stop()
    sent, _ = deliver(a, b, tmp_path / "f")
    a.daemon.wait_until(lambda: a.daemon.log().count("no-postmark") >= 4, 90, "asked again and again")   # waits 40 s now
    office.start_service("certd")
    b.daemon.stop()
    b.start()           # hands in at once
    begin = time.monotonic()
    wait_for(lambda: show(a, sent["id"])["postmarked"])
    assert time.monotonic() - begin < 25


def test_ce04_only_a_certd_can_make_a_sender_ask(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    wait_for(lambda: office.services["certd"].log().count(f"called-back transfer={sent['id']} status=OK"))
    office.services["certd"].stop()
    late, _ = deliver(a, b, tmp_path / "f")

    def ready(home, transfer):
        done = subprocess.run([office.program("tests/tools/postmark_client"), "ready", home, a.path("station", "cert.der"),
                               str(a.port), transfer], check=True, capture_output=True, text=True)
        assert done.stdout == "ok\n"

    def asked():
        return a.daemon.log().count("no-postmark")

    a.daemon.wait_until(lambda: asked() >= 3, 90, "asked again and again")      # and does not for 20 s now
    before = asked()
    ready(b.path("station"), late["id"])
    ready(office.path("certd", "state"), sent["id"])        # of one that has ended
    time.sleep(3)
    assert asked() == before
    ready(office.path("certd", "state"), late["id"])
    wait_for(lambda: asked() > before, 10)
    assert show(a, late["id"])["state"] == "POSTMARK_LATE"


def test_rc13_a_receipt_is_postmarked_with_its_sender_gone(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    office.services["certd"].stop()
    sent, _ = deliver(a, b, tmp_path / "f")
    a.daemon.stop()
    office.start_service("certd")
    idle(b, seconds=120)
    only(postmarks(office, sent["id"]))
    b.daemon.stop()
    a.start()
    idle(a, seconds=60)
    assert verified(a, sent["receipt_file"])["postmarked"]


@pytest.mark.parametrize("change, says", [
    ("UPDATE cert.signed s SET p7m = o.p7m, tsr = o.tsr FROM cert.signed o WHERE s.number = '{0}' AND o.number = '{1}'", "receipt"),
    ("UPDATE cert.signed s SET p7m = o.p7m, tsr = o.tsr FROM cert.signed o WHERE s.number = '{0}' AND o.number = '{1}';"
     "UPDATE cert.postmark s SET receipt = o.receipt FROM cert.postmark o WHERE s.number = '{0}' AND o.number = '{1}'",
     "another receipt"),
    ("UPDATE cert.signed s SET tsr = o.tsr FROM cert.signed o WHERE s.number = '{0}' AND o.number = '{1}'", ""),
    ("UPDATE cert.signed SET p7m = set_byte(p7m, 200, get_byte(p7m, 200) # 1) WHERE number = '{0}'", "")])
def test_rc12_what_a_certd_answers_is_checked_before_it_is_taken(office, pair, tmp_path, change, says):
    a, b = pair
    office.services["certd"].stop()
    (tmp_path / "f").write_text("x")
    sent, other = (deliver(a, b, tmp_path / "f")[0] for _ in range(2))
    a.daemon.stop()
    office.start_service("certd")
    idle(b, seconds=120)
    one, two = (postmarks(office, e["id"])[0][0] for e in (sent, other))
    keep = office.cluster.sql("SELECT p.receipt, p7m, tsr FROM cert.postmark p JOIN cert.signed USING (number) "
                              f"WHERE number = '{one}'")[0]
    unlock = "SET session_replication_role = replica; "
    office.cluster.sql(unlock + change.format(one, two))
    a.start()
    wait_for(lambda: show(a, sent["id"])["reason"])
    event = show(a, sent["id"])
    assert (event["state"], event["postmarked"]) == ("POSTMARK_LATE", False) and says in event["reason"]["text"], event
    assert verified(a, sent["receipt_file"])["postmarked"] is False
    wait_for(lambda: show(a, other["id"])["postmarked"])
    office.cluster.sql(unlock + f"UPDATE cert.postmark SET receipt = '{keep[0]}' WHERE number = '{one}'; "
                       f"UPDATE cert.signed SET p7m = '{keep[1]}', tsr = '{keep[2]}' WHERE number = '{one}'")
    idle(a)
    assert verified(a, sent["receipt_file"])["postmark"]["number"] == one


def test_rc09_a_station_learns_of_a_new_certd_when_it_needs_it(tmp_path):
    with opened() as office:
        (tmp_path / "f").write_text("x")
        b = office.station("bob")
        none = b.sealpost("send", "--to", "alice@post.example", "--receipt", "postmarked", str(tmp_path / "f"), check=False)
        assert none.returncode == 1 and "there is no certd" in none.stderr
        b.daemon.stop()
        b.start()
        office.add_certd()
        a = office.station("alice")
        office.introduce()
        sent, _ = deliver(a, b, tmp_path / "f")
        assert sent["receipt"] == "postmarked" and sent["postmarked"]
        assert any("asks to wait" in h["what"] for h in show(a, sent["id"])["history"])
        back, _ = deliver(b, a, tmp_path / "f")
        assert back["receipt"] == "postmarked" and back["postmarked"]


@pytest.mark.threads
def test_ce01_many_at_once(office, pair, tmp_path):
    a, b = pair
    for i in range(10):
        (tmp_path / f"f{i}").write_text(str(i))
        a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / f"f{i}"))
    idle(a, b, seconds=120)
    for event in a.json("log"):
        assert verified(a, event["receipt_file"])["postmark"]["payment"] == "free"
        only(postmarks(office, event["id"]))


def test_rc01_the_class_is_the_senders_choice(office, pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    for words, receipt in ((["--receipt", "none"], "none"), (["--receipt", "direct"], "direct")):
        sent, _ = deliver(a, b, tmp_path / "f", words=words)
        assert sent["receipt"] == receipt and not sent["postmarked"] and sent["payment"] is None
        assert postmarks(office, sent["id"]) == []
    assert not b.json("log", "--pending")
    bad = a.sealpost("send", "--receipt", "certified", "--to", b.name, str(tmp_path / "f"), check=False)
    assert bad.returncode == 1 and "certified" in bad.stderr


def test_rc01_a_file_that_changes_while_it_is_sent_is_incomplete_and_postmarked(office, pair, tmp_path):
    a, b = pair
    big = tmp_path / "big"
    (tmp_path / "other").write_text("x")
    big.write_bytes(os.urandom(120_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "other"), str(big))
    wait_for(lambda: only(a.json("log"))["state"] in ("SENDING", "DELIVERED"))
    with open(big, "ab") as f:
        f.write(b"more")
    idle(a, b, seconds=120)
    event = only(a.json("log"))
    if event["result"] == "delivered":
        pytest.skip("it was sent before it could change")
    assert (event["result"], event["delivered"], event["postmarked"]) == ("incomplete", "incomplete", True)
    assert verified(a, event["receipt_file"])["changed"] == 1


# ---- with credits ----

@pytest.fixture
def paying(paid_office):
    """The office, and two stations of it that know each other; the first has 10 credits. Every book balances at the end."""
    n = next(NUMBERS)
    a, b = paid_office.station(f"alice{n}"), paid_office.station(f"bob{n}")
    paid_office.introduce(f"alice{n}", f"bob{n}")
    give_credits(paid_office, a, 10)
    yield paid_office, a, b
    for name in ("creditd", "certd"):
        if not paid_office.services[name].running():
            paid_office.start_service(name)
    for s in (a, b):
        retire(paid_office, s)
    assert paid_office.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []


def marks(office, transfer):
    return int(office.cluster.sql("SELECT count(*) FROM credit.mark JOIN credit.settlement USING (settlement) "
                                  f"WHERE transfer = '{transfer}'")[0][0])


def test_ce02_wal01_a_postmark_says_that_it_is_paid(paying, tmp_path):
    office, a, b = paying
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    assert (sent["receipt"], sent["price"], sent["payment"]) == ("postmarked", 1, "paid")
    assert verified(a, sent["receipt_file"])["postmark"]["payment"] == "paid"
    assert postmarks(office, sent["id"])[0][1] == "paid" and marks(office, sent["id"]) == 1
    assert "the delivery is paid" in a.sealpost("verify", sent["receipt_file"]).stdout
    idle(b)
    assert show(b, sent["id"])["payment"] == "paid"
    assert free(a) == 9 and [state for *_, state in serials(a)] == [SPENT]


@pytest.mark.parametrize("receipt", ["none", "direct"])
def test_cr08_wal01_without_a_postmark_the_recipient_lodges_the_frank(paying, tmp_path, receipt):
    office, a, b = paying
    (tmp_path / "f").write_text("x")
    office.services["creditd"].stop()
    sent, received = deliver(a, b, tmp_path / "f", words=["--receipt", receipt])
    assert (sent["result"], sent["price"], received["result"]) == ("delivered", 1, "delivered")
    waits = only(b.json("log", "--pending"))
    assert (waits["kind"], waits["id"], waits["doing"]) == ("lodge", sent["id"], "waits for the service")
    assert not received["payment"] and marks(office, sent["id"]) == 0
    b.daemon.stop()
    b.start()
    office.start_service("creditd")
    idle(b, seconds=120)
    assert marks(office, sent["id"]) == 1
    event = show(b, sent["id"])
    assert (event["payment"], event["postmarked"]) == ("paid", False)
    assert any("the frank is settled" in h["what"] for h in event["history"])


def test_wal09_a_credit_spent_twice_is_told_to_whoever_took_it(paying, tmp_path):
    office, a, b = paying
    n = next(NUMBERS)
    c = office.station(f"carol{n}")
    office.introduce(os.path.basename(a.home), f"carol{n}")
    (tmp_path / "f").write_text("x")
    copy = old_copy(a)
    a.start()
    for name in ("certd", "creditd"):
        office.services[name].stop()
    first, _ = deliver(a, b, tmp_path / "f")
    put_back(a, copy)
    a.start()
    second, _ = deliver(a, c, tmp_path / "f")
    assert serials(a)[0][1:3] == (1, 1)
    for name in ("creditd", "certd"):
        office.start_service(name)
    idle(b, c, seconds=120)
    said = sorted((show(b, first["id"])["payment"], show(c, second["id"])["payment"]))
    assert said == ["conflict", "paid"]
    idle(a, seconds=120)
    sent = show(a, second["id"])
    assert (sent["result"], sent["payment"]) == ("delivered", show(c, second["id"])["payment"])
    retire(office, c)
