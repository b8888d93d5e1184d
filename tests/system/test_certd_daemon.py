"""certd as a whole: its steps before the first start, postmarks, who may have them, and what it survives."""

import os
import re
import shutil
import subprocess
import threading
import time
import uuid

import pytest

import postgres
from office.process import Daemon, free_port
from test_keyd_daemon import BUILD, Keyd

CERTD = os.path.join(BUILD, "certd/certd")
CLIENT = os.path.join(BUILD, "tests/tools/postmark_client")
SCHEMA = os.path.join(postgres.SOURCE, "certd/schema")

# What certd needs of creditd's schema, and no more: each serial once.
CREDIT = """
CREATE ROLE credit_test_owner;
CREATE SCHEMA credit AUTHORIZATION credit_test_owner;
CREATE TABLE credit.mark (sheet bytea, serial int, transfer uuid, PRIMARY KEY (sheet, serial));
ALTER TABLE credit.mark OWNER TO credit_test_owner;
CREATE FUNCTION credit.settle(sheet_hash bytea, station text, transfer uuid, recipient text, offer_hash bytea,
    firsts integer[], counts integer[], price integer, frank bytea, frank_signature bytea, proof bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    s int;
    before uuid;
    word text := 'paid';
BEGIN
    IF price = 99 THEN RAISE EXCEPTION 'something is wrong over here'; END IF;
    IF price = 98 THEN RETURN 'unknown'; END IF;
    IF price = 97 THEN RETURN 'closed'; END IF;
    FOR i IN 1 .. cardinality(firsts) LOOP
        FOR s IN firsts[i] .. firsts[i] + counts[i] - 1 LOOP
            SELECT m.transfer INTO before FROM credit.mark m WHERE m.sheet = sheet_hash AND m.serial = s;
            IF before = settle.transfer THEN word := 'same';
            ELSIF FOUND THEN RETURN 'conflict';
            ELSE INSERT INTO credit.mark VALUES (sheet_hash, s, settle.transfer); END IF;
        END LOOP;
    END LOOP;
    RETURN word;
END $$;
ALTER FUNCTION credit.settle OWNER TO credit_test_owner;
REVOKE ALL ON FUNCTION credit.settle FROM PUBLIC;
"""


class Certd:
    """A certd in a folder of its own, with its keyd, on one database."""

    def __init__(self, folder, keyd):
        self.folder, self.keyd, self.db = str(folder), keyd, keyd.db
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.conf = os.path.join(self.folder, "certd.conf")
        self.settings = {"listen": self.address, "state": "certs", "database": self.db.conninfo("cert_daemon"),
                         "database_owner": self.db.conninfo("cert_owner"), "schema_dir": SCHEMA}
        self.write()
        os.makedirs(os.path.join(self.folder, "certd"), exist_ok=True)
        self.daemon = Daemon("certd", os.path.join(self.folder, "certd"), [CERTD, "--config", self.conf])
        self.expected = set()
        self.numbers = iter(range(1000))

    def write(self):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.writelines(f'{k} = "{v}";\n' for k, v in self.settings.items())

    def step(self, *words, ok=True):
        done = subprocess.run([CERTD, "--config", self.conf, *words], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) == ok, done.stderr + done.stdout
        return done.stdout if ok else done.stderr

    def token(self, role, name="main"):
        return self.db.one(f"SELECT key.admin_service('{role}', '{name}', ARRAY['{self.address}'])", "post_admin")

    def enrol(self):
        self.step("--enrol", self.token("certd"), "--enrol-tsa", self.token("tsa"))

    def start(self, **env):
        before = len(self.daemon.log())
        self.daemon.start(env)
        self.daemon.wait_until(lambda: " ready " in self.daemon.log()[before:], 30, "said that it is ready")

    def check_log(self):
        bad = [line for line in self.daemon.log().splitlines() if line[:3] in ("<3>", "<4>")
               and line.split(" ")[2] not in self.expected]
        assert not bad, bad
        assert "ERROR: " not in self.daemon.log() and "runtime error" not in self.daemon.log(), self.daemon.log()

    # ---- as stations ----
    def client(self, *words, ok=True):
        done = subprocess.run([CLIENT, *words], capture_output=True, text=True, check=False, timeout=60)
        assert "ERROR: " not in done.stderr, done.stderr
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        line = done.stdout.splitlines()[-1]
        return line.split()[1:] if ok else line

    def out(self):
        return os.path.join(self.folder, f"out{next(self.numbers)}")

    def make(self, sender, recipient, *words):
        out = self.out()
        self.client("make", sender, recipient, out, *words)
        return out

    def hand(self, home, made, ok=True):
        return self.client("hand", home, self.address, os.path.join(made, "request"), made, ok=ok)

    def transfer(self, made):
        with open(os.path.join(made, "transfer"), encoding="ascii") as f:
            return f.read()

    def get(self, home, made, ok=True):
        out = self.out()
        got = self.client("get", home, self.address, self.transfer(made), out, ok=ok)
        return (got, out) if ok else got

    def row(self, made, column):
        return self.db.one(f"SELECT {column} FROM cert.v_receipt WHERE transfer = '{self.transfer(made)}'", "post_audit")


def same_parts(a, b):
    for name in ("receipt.p7m", "postmark.p7m", "postmark.tsr"):
        with open(os.path.join(a, name), "rb") as f, open(os.path.join(b, name), "rb") as g:
            if f.read() != g.read():
                return False
    return True


@pytest.fixture(scope="module")
def keyd(tmp_path_factory):
    """One keyd with stations for all tests here."""
    k = Keyd(tmp_path_factory.mktemp("keyd"), postgres.database("keyd", "certd"))
    k.step("--init-root")
    k.step("--migrate")
    k.start()
    k.alice, k.bob, k.carol = (k.station(p) for p in ("alice", "bob", "carol"))
    k.expected = {"database-lost"}
    yield k
    assert k.daemon.stop(), "keyd did not end on SIGTERM"
    k.db.drop()
    k.check_log()


@pytest.fixture
def fresh(tmp_path, keyd):
    """Settings and no schema."""
    c = Certd(tmp_path, keyd)
    c.db.sql("DROP SCHEMA IF EXISTS cert CASCADE; DROP SCHEMA IF EXISTS credit CASCADE; DROP ROLE IF EXISTS credit_test_owner")
    yield c
    if c.daemon.running():
        assert c.daemon.stop(), "certd did not end on SIGTERM"
    c.check_log()


@pytest.fixture
def ready(fresh):
    """Enrolled and migrated, not yet started. The papers are made once; a copy each."""
    fresh.step("--migrate")
    kept = os.path.join(fresh.keyd.folder, "papers")
    certs = os.path.join(fresh.folder, "certs")
    if os.path.isdir(kept):
        shutil.copytree(kept, certs)
    else:
        fresh.enrol()
        shutil.copytree(certs, kept)
    return fresh


@pytest.fixture
def certd(ready):
    ready.start()
    return ready


def credit(c):
    c.db.sql(CREDIT + "GRANT USAGE ON SCHEMA credit TO cert_owner; GRANT EXECUTE ON FUNCTION credit.settle TO cert_owner;")


# ---- before the first start ----

def test_no_start_without_members_and_schema(fresh):
    fresh.expected = {"start-failed"}
    assert "key.admin_service('certd', …)" in fresh.step(ok=False)
    fresh.step("--enrol", fresh.token("certd", "second"))
    assert "not in the database yet: run --migrate first" in fresh.step(ok=False)
    fresh.step("--migrate")
    assert "was at 1, is at 1" in fresh.step("--migrate")
    assert "certd --enrol-tsa TOKEN" in fresh.step(ok=False)
    fresh.step("--enrol-tsa", fresh.token("tsa", "second"))
    fresh.db.sql("INSERT INTO cert.office (domain) VALUES ('other.example')")
    assert "the database belongs to domain other.example" in fresh.step(ok=False)


def test_a_token_for_another_role_is_refused(fresh):
    for option, role in (("--enrol", "tsa"), ("--enrol-tsa", "certd"), ("--enrol", "creditd")):
        fresh.step(option, fresh.token(role, "wrong"), ok=False)
        assert not os.path.exists(os.path.join(fresh.folder, "certs", "cert.der"))


def test_the_schema_number_in_the_program_is_that_of_the_files():
    with open(os.path.join(postgres.SOURCE, "certd/db.h"), encoding="utf-8") as f:
        number = int(re.search(r"#define DB_SCHEMA (\d+)", f.read()).group(1))
    assert number == max(int(n[:3]) for n in os.listdir(SCHEMA) if n[0].isdigit())


def test_settings_are_checked_and_printed_without_secrets(fresh):
    assert "valid" in fresh.step("--check-config")
    assert "passfile" not in fresh.step("--print-config")
    fresh.settings["listen"] = "localhost:1"
    fresh.write()
    assert 'listen "localhost:1"' in fresh.step("--check-config", ok=False)


# ---- postmarks ----

def test_ce02_ce03_a_receipt_is_postmarked_and_openssl_agrees(certd):
    made = certd.make(certd.keyd.alice, certd.keyd.bob)
    number, payment, standing, received = certd.hand(certd.keyd.bob, made)
    assert (payment, standing) == ("free", "in-force") and abs(int(received) - time.time()) < 30
    assert uuid.UUID(number).version == 7
    got, out = certd.get(certd.keyd.alice, made)
    assert got == [number, payment, standing, received] and same_parts(made, out)
    done = subprocess.run(["sh", "-e", "commands"], cwd=out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Verification: OK" in done.stdout + done.stderr
    with open(os.path.join(out, "postmark.txt"), encoding="utf-8") as f:
        text = f.read()
    assert "sender alice/desk@post.example\nrecipient bob/desk@post.example\n" in text
    assert "certd certd/main@post.example\n" in text and "status-list 0\npayment free\n" in text
    assert certd.row(made, "signed IS NOT NULL") == "t"


def test_rc10_recipient_and_sender_may_have_it_and_nobody_else(certd):
    made = certd.make(certd.keyd.alice, certd.keyd.bob)
    assert certd.get(certd.keyd.alice, made, ok=False).startswith("NOTFOUND")
    certd.hand(certd.keyd.bob, made)
    assert same_parts(certd.get(certd.keyd.alice, made)[1], certd.get(certd.keyd.bob, made)[1])
    assert certd.get(certd.keyd.carol, made, ok=False).startswith("PERMISSION")


def test_repeats_get_the_same_postmark_another_receipt_none(certd):
    alice, bob = certd.keyd.alice, certd.keyd.bob
    made = certd.make(alice, bob)
    first = certd.hand(bob, made)
    with open(os.path.join(made, "postmark.tsr"), "rb") as f:
        tsr = f.read()
    assert certd.hand(bob, made) == first
    with open(os.path.join(made, "postmark.tsr"), "rb") as f:
        assert f.read() == tsr
    certd.daemon.stop()
    certd.start()
    assert certd.hand(bob, made) == first
    # signed anew, the receipt has other bytes: the first one stands
    other = certd.make(alice, bob, f"transfer={certd.transfer(made)}")
    assert certd.hand(bob, other, ok=False).startswith("CONFLICT another receipt")
    # the same number made by another sender takes nothing from anybody
    theirs = certd.make(certd.keyd.carol, bob, f"transfer={certd.transfer(made)}")
    assert certd.hand(bob, theirs)[0] != first[0]
    assert certd.get(alice, made)[0] == first


def test_the_same_receipt_by_many_at_once_has_one_postmark(certd):
    made = certd.make(certd.keyd.alice, certd.keyd.bob)
    outs, numbers = [], []
    for _ in range(8):
        out = certd.out()
        shutil.copytree(made, out)
        outs.append(out)
    threads = [threading.Thread(target=lambda o=o: numbers.append(certd.hand(certd.keyd.bob, o)[0])) for o in outs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(numbers) == 8 and len(set(numbers)) == 1
    assert all(same_parts(outs[0], o) for o in outs)


@pytest.mark.parametrize("how,status", [
    ("receipt-forged", ""), ("receipt-other-offer", "RECEIPT"), ("receipt-by-sender", "IDENTITY"),
    ("offer-forged", "SIGNATURE"), ("class=direct", "ARGUMENT"), ("class=certified", "ARGUMENT")])
def test_ce02_what_does_not_fit_is_not_postmarked(certd, how, status):
    made = certd.make(certd.keyd.alice, certd.keyd.bob, how)
    assert certd.hand(certd.keyd.bob, made, ok=False).startswith(status)
    assert certd.db.one("SELECT count(*) FROM cert.postmark") == "0"


def test_somebody_elses_receipt_is_refused(certd):
    made = certd.make(certd.keyd.alice, certd.keyd.bob)
    for home in (certd.keyd.alice, certd.keyd.carol):
        assert certd.hand(home, made, ok=False).startswith("PERMISSION only the recipient")
    assert certd.hand(certd.keyd.bob, made)[1] == "free"


def test_only_stations_are_served(certd):
    """The other roles and strangers: the certd asks itself with its own certificate."""
    papers = os.path.join(certd.folder, "certs")
    home = certd.out()
    os.mkdir(home)
    for name, into in (("sign.pem", "sign.pem"), ("cert.der", "cert.der"), ("root.der", "root.der"),
                       ("issuers.der", "issuer.der")):
        shutil.copy(os.path.join(papers, name), os.path.join(home, into))
    made = certd.make(certd.keyd.alice, certd.keyd.bob)
    assert certd.hand(home, made, ok=False).startswith("PERMISSION")
    assert certd.get(home, made, ok=False).startswith("PERMISSION")


# ---- franks ----

def test_a_frank_is_settled_once_with_the_postmark(certd):
    credit(certd)
    alice, bob = certd.keyd.alice, certd.keyd.bob
    made = certd.make(alice, bob, "price=2", "frank")
    first = certd.hand(bob, made)
    assert first[1] == "paid"
    assert certd.db.sql("SELECT serial, transfer FROM credit.mark ORDER BY 1") == [[s, certd.transfer(made)] for s in "56"]
    assert certd.hand(bob, made) == first
    # the same serials again, for another transfer
    again = certd.make(alice, bob, "price=2", "frank")
    assert certd.hand(bob, again)[1] == "conflict"
    assert certd.row(again, "settlement") == "conflict"
    assert certd.row(made, "payment || ' ' || settlement") == "paid paid"


@pytest.mark.parametrize("how,says", [
    ("frank-other-offer", "the frank is for another offer"), ("frank-other-recipient", "the frank is for another recipient"),
    ("frank-forged", "did not sign"), ("frank-price", "the frank's price is not that of the delivery")])
def test_a_frank_of_another_delivery_is_a_conflict_and_kept(certd, how, says):
    credit(certd)
    made = certd.make(certd.keyd.alice, certd.keyd.bob, "price=2", how)
    assert certd.hand(certd.keyd.bob, made)[1] == "conflict"
    assert says in certd.row(made, "settlement")
    assert certd.db.one("SELECT count(*) FROM credit.mark") == "0"
    assert certd.db.one("SELECT frank IS NOT NULL FROM cert.postmark") == "t"


@pytest.mark.parametrize("words,payment,settlement", [
    (("price=2",), "pending", "no frank"), (("price=99", "frank"), "pending", "error: something is wrong over here"),
    (("price=98", "frank"), "pending", "unknown"), (("price=97", "frank"), "conflict", "closed")])
def test_a_postmark_is_never_refused_for_the_frank(certd, words, payment, settlement):
    certd.expected = {"lodged"}     # nobody is there who could settle it
    credit(certd)
    made = certd.make(certd.keyd.alice, certd.keyd.bob, *words)
    assert certd.hand(certd.keyd.bob, made)[1] == payment
    assert certd.row(made, "settlement") == settlement


@pytest.mark.parametrize("there", [False, True])
def test_without_creditds_schema_or_its_leave_the_payment_is_pending(certd, there):
    certd.expected = {"lodged"}
    if there:
        certd.db.sql(CREDIT)
    made = certd.make(certd.keyd.alice, certd.keyd.bob, "price=2", "frank")
    assert certd.hand(certd.keyd.bob, made)[1] == "pending"
    assert certd.row(made, "settlement") == "not here"


# ---- what it survives ----

def test_killed_between_decision_and_signature_it_signs_at_the_start(ready):
    credit(ready)
    ready.start(SEALPOST_FAULT="cert.postmark_begin-after=kill")
    made = ready.make(ready.keyd.alice, ready.keyd.bob, "price=3", "frank")
    ready.hand(ready.keyd.bob, made, ok=False)
    assert ready.daemon.wait_gone(10)
    assert ready.row(made, "payment || ' ' || coalesce(signed::text, 'unsigned')") == "paid unsigned"
    number = ready.row(made, "number")
    ready.start()
    ready.daemon.wait_until(lambda: ready.row(made, "signed IS NOT NULL") == "t", 10, "signed what was left")
    got, _ = ready.get(ready.keyd.alice, made)
    assert got[:2] == [number, "paid"]
    assert ready.hand(ready.keyd.bob, made) == got
    assert ready.db.one("SELECT count(*) FROM credit.mark") == "3"
    assert ready.db.one("SELECT count(*) FROM cert.queue") == "0"


def test_postgresql_restarted_under_it(certd):
    certd.expected = {"database-lost"}
    alice, bob = certd.keyd.alice, certd.keyd.bob
    before = certd.make(alice, bob)
    first = certd.hand(bob, before)
    cluster = postgres.cluster()
    cluster.kill()
    made, answers = certd.make(alice, bob), []
    t = threading.Thread(target=lambda: answers.append(certd.hand(bob, made)))
    t.start()
    cluster.start()
    t.join()
    assert answers and answers[0][1] == "free"
    assert certd.get(alice, before)[0] == first
    certd.daemon.wait_until(lambda: "database-back" in certd.daemon.log(), 10, "come back")


def test_it_ends_on_sigterm_with_open_requests_answered(certd):
    made = [certd.make(certd.keyd.alice, certd.keyd.bob) for _ in range(4)]
    results = []

    def one(m):
        done = subprocess.run([CLIENT, "hand", certd.keyd.bob, certd.address, os.path.join(m, "request"), m],
                              capture_output=True, text=True, check=False, timeout=60)
        results.append((m, done.returncode, done.stdout))
    threads = [threading.Thread(target=one, args=(m,)) for m in made]
    for t in threads:
        t.start()
    time.sleep(0.05)
    assert certd.daemon.stop()
    certd.start()
    for t in threads:
        t.join()
    for m in made:
        assert certd.hand(certd.keyd.bob, m)[1] == "free"
