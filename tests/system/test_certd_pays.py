"""certd beside a real creditd on one database: franks settled with their postmarks, once, whatever dies in between; and the
letters that tell senders of them."""

import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from conftest import opened
from office.process import free_port
from test_certd_daemon import same_parts
from test_creditd_daemon import Client, waits_for_a_call

FAULTS = ["cert.postmark_begin-after", "cert.postmark_finish-before", "cert.postmark_finish-after"]


class Post:
    """An office with creditd and certd; Alice sends, Bob receives."""

    def __init__(self, office):
        self.office = office
        office.add_creditd('balance = 100000; tariff = ["0:1", "1000000:2"];')
        office.add_certd()
        self.alice, self.bob = Client(office, "alice/laptop"), Client(office, "bob/desk")
        self.address = f"127.0.0.1:{office.facts['certd_port']}"
        self.made = 0

    def tool(self, *words, ok=True):
        done = subprocess.run([self.office.program("tests/tools/postmark_client"), *words], capture_output=True, text=True,
                              check=False, timeout=60)
        assert "ERROR: " not in done.stderr and "runtime error" not in done.stderr, done.stderr
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout.splitlines()[-1].split()[1:]

    def make(self, *words):
        """What Bob would hand in of a delivery by Alice: a folder."""
        self.made += 1
        out = self.office.path(f"made{self.made}")
        self.tool("make", self.alice.dir, self.bob.dir, out, *words)
        return out

    def paid(self, serial, *words, sheet="sheet"):
        return self.make("price=1", "frank", f"sheet={self.alice.file(sheet)}.stmt", f"serial={serial}", *words)

    def hand(self, made, out=None, ok=True):
        return self.tool("hand", self.bob.dir, self.address, os.path.join(made, "request"), out or made, ok=ok)

    def get(self, who, made):
        out = made + "." + who.name.split("/", 1)[0]
        return self.tool("get", who.dir, self.address, transfer(made), out), out

    def sql(self, text):
        return self.office.cluster.sql(text)

    def marks(self, made):
        return int(self.sql("SELECT count(*) FROM credit.mark JOIN credit.settlement USING (settlement) "
                            f"WHERE transfer = '{transfer(made)}'")[0][0])


def transfer(made):
    with open(os.path.join(made, "transfer"), encoding="ascii") as f:
        return f.read()


def content(*path):
    with open(os.path.join(*path), "rb") as f:
        return f.read()


@pytest.fixture(scope="module")
def office():
    with opened() as o:
        yield Post(o)


@pytest.fixture
def post(office):
    """Alice has a fresh sheet; the ledger is whole at the end."""
    if not office.office.services["certd"].running():
        office.office.start_service("certd")
    account = office.office.open_account("alice", 100)
    office.sheet = office.alice.sheet(account)
    yield office
    assert office.office.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []


# ---- franks ----

def test_ce02_ce03_ce05_rc12_a_postmark_settles_its_frank_and_openssl_proves_it(post):
    made = post.paid(1)
    number, payment, standing, received = post.hand(made)
    assert (payment, standing) == ("paid", "in-force") and abs(int(received) - time.time()) < 30
    assert post.marks(made) == 1
    assert post.sql(f"SELECT payment, settlement FROM cert.v_receipt WHERE number = '{number}'") == [["paid", "paid"]]
    got, out = post.get(post.alice, made)
    assert got[0] == number and same_parts(made, out)
    text = check_with_openssl(out)
    for line in (f"transfer {transfer(made)}", "sender alice/laptop@post.example", "recipient bob/desk@post.example",
                 "certd certd/main@post.example", "payment paid"):
        assert f"\n{line}\n" in text, text
    # a bit more or less, and stock openssl says no
    for name in ("postmark.p7m", "receipt.p7m"):
        bytes_of = bytearray(content(out, name))
        bytes_of[len(bytes_of) // 2] ^= 1
        with open(os.path.join(out, name), "wb") as f:
            f.write(bytes_of)
        with pytest.raises(AssertionError):
            check_with_openssl(out)
        shutil.copy(os.path.join(made, name), os.path.join(out, name))
    check_with_openssl(out)


def check_with_openssl(out):
    """cms -verify and ts -verify, with certificates taken out of the .receipt; the postmark's text."""
    done = subprocess.run(["sh", "-ec", """
        tar xf x.receipt chain.pem
        csplit -sz -f cert -b %d.pem chain.pem '/BEGIN/' '{*}'
        cat cert0.pem cert1.pem > ca.pem
        openssl cms -verify -inform DER -in postmark.p7m -CAfile ca.pem -purpose any -out said.txt
        openssl cms -verify -inform DER -in receipt.p7m -CAfile ca.pem -purpose any -out receipt.txt
        openssl ts -verify -in postmark.tsr -data postmark.p7m -CAfile ca.pem"""], cwd=out, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and "Verification: OK" in done.stdout + done.stderr, done.stderr
    return content(out, "said.txt").decode()


def test_the_same_again_is_the_same_postmark_and_costs_nothing(post):
    made = post.paid(2)
    first = post.hand(made)
    tsr = content(made, "postmark.tsr")
    assert post.hand(made) == first and content(made, "postmark.tsr") == tsr
    assert post.marks(made) == 1


def test_a_serial_spent_twice_is_a_conflict_with_both_franks_kept(post):
    first, second = post.paid(3), post.paid(3)
    assert post.hand(first)[1] == "paid"
    number, payment = post.hand(second)[:2]
    assert payment == "conflict"
    assert post.marks(first) == 1 and post.marks(second) == 0
    assert post.sql(f"SELECT settlement FROM cert.v_receipt WHERE number = '{number}'") == [["conflict"]]
    kept = post.sql("SELECT e.what, e.transfer, s.transfer, e.frank <> s.frank, e.proof = p.receipt FROM credit.evidence e "
                    "JOIN credit.settlement s USING (settlement) JOIN cert.postmark p ON p.transfer = e.transfer "
                    f"WHERE e.transfer = '{transfer(second)}'")
    assert kept == [["spent twice", transfer(second), transfer(first), "t", "t"]]
    # the receipt is as good as any: the sender's fault is not the recipient's
    assert "\npayment conflict\n" in check_with_openssl(second)


@pytest.mark.parametrize("how,payment,settlement", [
    (("price=1", "frank", "serial=4"), "pending", "unknown"),               # a sheet that creditd never issued
    (("price=2", "frank", "sheet", "serial=4"), "conflict", "price"),       # not the sheet's price for five bytes
    (("price=1", "frank", "sheet", "serial=4000"), "conflict", "price"),    # beyond the sheet
    (("price=1", "frank", "sheet", "serial=4294967290"), "conflict", "unfit: no sheet has such serials"),
    (("price=1",), "pending", "no frank")])
def test_a_frank_that_does_not_pay_is_said_and_the_receipt_postmarked(post, how, payment, settlement):
    made = post.make(*(f"sheet={post.alice.file('sheet')}.stmt" if w == "sheet" else w for w in how))
    number, stated = post.hand(made)[:2]
    assert stated == payment and post.marks(made) == 0
    assert post.sql(f"SELECT settlement FROM cert.v_receipt WHERE number = '{number}'") == [[settlement]]


def test_ce01_many_at_once_are_settled_once_each(post):
    made = [post.paid(5 + n // 2) for n in range(12)]     # each serial twice
    answers = {}

    def one(m, out):
        os.mkdir(out)
        answers[out] = post.hand(m, out)
    threads = [threading.Thread(target=one, args=(m, m + end)) for m in made for end in (".1", ".2")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(answers) == 24 and all(answers[m + ".1"] == answers[m + ".2"] and same_parts(m + ".1", m + ".2") for m in made)
    for a, b in zip(made[::2], made[1::2]):
        assert sorted(answers[m + ".1"][1] for m in (a, b)) == ["conflict", "paid"]
        assert post.marks(a) + post.marks(b) == 1
    assert "database-error" not in post.office.services["certd"].log()


@pytest.mark.parametrize("fault", FAULTS)
def test_killed_between_two_steps_there_is_one_postmark_and_one_settlement(post, fault):
    certd = post.office.services["certd"]
    made = post.paid(1)
    assert certd.stop()
    certd.start({"SEALPOST_FAULT": f"{fault}=kill"})
    certd.wait_until(lambda: certd.log().rstrip().endswith(f"port={post.office.facts['certd_port']}"), 30, "said that it is ready")
    post.hand(made, ok=False)
    assert certd.wait_gone(10)
    before = post.sql(f"SELECT number, signed IS NOT NULL, payment FROM cert.v_receipt WHERE transfer = '{transfer(made)}'")
    assert len(before) == 1 and before[0][1:] == ["t" if fault == "cert.postmark_finish-after" else "f", "paid"]
    post.office.start_service("certd")
    again = post.hand(made)
    assert again[:2] == [before[0][0], "paid"]
    got, out = post.get(post.alice, made)
    assert got == again and same_parts(made, out)
    assert post.marks(made) == 1
    assert post.sql("SELECT count(*) FROM cert.queue") == [["0"]]


# ---- franks that creditd settles elsewhere ----

SETTLE = "credit.settle(bytea, text, uuid, text, bytea, integer[], integer[], integer, bytea, bytea, bytea)"


@pytest.fixture
def apart(post):
    """As if creditd's schema were in another database: certd may not settle."""
    post.sql(f"REVOKE EXECUTE ON FUNCTION {SETTLE} FROM cert_owner")
    yield post
    post.sql(f"GRANT EXECUTE ON FUNCTION {SETTLE} TO cert_owner")
    if not post.office.services["creditd"].running():
        post.office.start_service("creditd")


def lodged(post, number):
    return post.sql(f"SELECT payment, settlement, lodged FROM cert.v_receipt WHERE number = '{number}'")[0]


def test_a_pending_frank_is_lodged_until_creditd_has_said_what_became_of_it(apart):
    post = apart
    first, second, foreign = post.paid(11), post.paid(11), post.make("price=1", "frank", "serial=1")
    number, payment = post.hand(first)[:2]
    assert payment == "pending"
    wait_until(lambda: lodged(post, number) == ["pending", "not here", "paid"])
    assert post.marks(first) == 1
    for made, answer in ((second, "conflict"), (foreign, "unknown")):
        number = post.hand(made)[0]
        wait_until(lambda n=number, a=answer: lodged(post, n) == ["pending", "not here", a])
    assert post.sql(f"SELECT e.proof = p.receipt FROM credit.evidence e JOIN cert.postmark p USING (transfer) "
                    f"WHERE transfer = '{transfer(second)}'") == [["t"]]


def test_a_creditd_that_is_away_is_asked_again_and_the_frank_settled_once(apart):
    post = apart
    post.office.services["creditd"].stop()
    made = post.paid(12)
    number, payment = post.hand(made)[:2]
    assert payment == "pending"
    wait_until(lambda: post.sql(f"SELECT tries, answer > 0, settled IS NULL FROM cert.lodging WHERE number = '{number}'") ==
               [["1", "t", "t"]], 30)
    assert lodged(post, number)[2] == "waiting"
    post.office.start_service("creditd")
    # killed before the answer is written down, certd asks once more
    certd = post.office.services["certd"]
    assert certd.stop()
    post.sql(f"UPDATE cert.lodging SET due = now() WHERE number = '{number}'")
    certd.start({"SEALPOST_FAULT": "cert.lodged-before=kill"})
    assert certd.wait_gone(30)
    assert post.marks(made) == 1 and lodged(post, number)[2] == "waiting"
    post.sql(f"UPDATE cert.lodging SET due = now() WHERE number = '{number}'")
    post.office.start_service("certd")
    wait_until(lambda: lodged(post, number)[2] == "paid")
    assert post.marks(made) == 1


# ---- letters to senders ----

def test_ce04_the_sender_is_told_at_once_where_its_offer_says(post):
    port = free_port()
    made = post.paid(6, f"return=127.0.0.1:{port}")
    with waits_for_a_call(post.alice, port) as waiting:
        assert waiting.stdout.readline() == "ok listening\n"
        number = post.hand(made)[0]
        assert waiting.stdout.readline() == f"ok ready {transfer(made)} {number}\n"
    wait_until(lambda: post.sql(f"SELECT letters, told IS NOT NULL FROM cert.v_receipt WHERE number = '{number}'") == [["1", "t"]])


def wait_until(ready, seconds=10):
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end
        time.sleep(0.05)


def letters(listener, seconds=1.5):
    """Letters that come in this time, each counted once however often it was sent."""
    end, found = time.monotonic() + seconds, set()
    while (left := end - time.monotonic()) > 0:
        listener.settimeout(left)
        try:
            found.add(listener.recv(2048))
        except TimeoutError:
            break
    return found


def test_rc13_three_letters_at_most_and_the_postmark_waits_for_its_sender(post):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        made = post.paid(7, f"return=127.0.0.1:{listener.getsockname()[1]}")
        number = post.hand(made)[0]
        seen = letters(listener)
        assert len(seen) == 1     # again and again, the same one
        for n in (2, 3, 4):
            # the next would come after a minute, after an hour, never
            post.sql(f"UPDATE cert.notice SET due = now() WHERE number = '{number}'")
            post.hand(post.make())
            seen |= letters(listener)
            assert len(seen) == min(n, 3)
    assert post.sql(f"SELECT letters, told FROM cert.v_receipt WHERE number = '{number}'") == [["3", ""]]
    assert post.get(post.alice, made)[0][0] == number


def test_nobody_is_told_who_gave_no_address_or_one_that_leads_nowhere(post):
    silent, nowhere = post.make(), post.make("return=no-such-host.invalid:7325")
    assert [post.hand(m)[1] for m in (silent, nowhere)] == ["free", "free"]
    assert post.sql(f"SELECT letters IS NULL FROM cert.v_receipt WHERE transfer = '{transfer(silent)}'") == [["t"]]
    wait_until(lambda: post.sql(f"SELECT letters, told FROM cert.v_receipt WHERE transfer = '{transfer(nowhere)}'") == [["1", ""]])
    assert post.get(post.alice, nowhere)[0][1] == "free"


# ---- looking up ----

def test_ce10_a_certification_is_found_by_its_number(post):
    made = post.paid(8)
    number = post.hand(made)[0]
    found = post.office.admin_sql("SELECT transfer, sender, recipient, class, payment, signed IS NOT NULL, p7m_bytes "
                                  f"FROM cert.v_receipt WHERE number = '{number}'")
    assert found == [[transfer(made), "alice/laptop@post.example", "bob/desk@post.example", "postmarked", "paid", "t",
                      str(len(content(made, "postmark.p7m")))]]
    # the number stands in the signed text, and is the time-stamp's serial number
    assert f"\nnumber {number}\n" in check_with_openssl(made)
    done = subprocess.run(["openssl", "ts", "-reply", "-in", os.path.join(made, "postmark.tsr"), "-text"], capture_output=True,
                          text=True, check=True)
    assert number.replace("-", "").upper().lstrip("0") in done.stdout.upper()
