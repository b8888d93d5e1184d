"""creditd as a whole, with a real keyd and PostgreSQL: credits asked for, granted once, called back, lodged; and killed."""

import contextlib
import os
import secrets
import subprocess
import threading
import time

import pytest

from conftest import SOURCE, opened


class Client:
    """A station's folder, and the tool that asks creditd for it."""

    def __init__(self, office, name):
        self.office, self.name, self.dir = office, name, office.path("client-" + name)
        self.run("enrol", office.invite(*name.split("/")))
        self.ask("roster", "now")

    def run(self, verb, *words):
        done = subprocess.run([self.office.program("tests/tools/credit_client"), verb, self.dir, *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=60)
        assert "ERROR: " not in done.stderr and "runtime error" not in done.stderr, done.stderr
        return done

    def ask(self, verb, *words):
        """What it was answered: "ok …" without the ok, or the status that refused it."""
        done = self.run(verb, *words)
        line = done.stdout.strip()
        return line[3:] if done.returncode == 0 else line.split(" ")[0]

    def file(self, name):
        return os.path.join(self.dir, name)

    def get(self, request, name="sheet"):
        end = time.monotonic() + 20
        while (answer := self.ask("get", request, self.file(name))) == "NOTFOUND" and time.monotonic() < end:
            time.sleep(0.05)
        return answer.split(" ")

    def sheet(self, account, number=20, name="sheet"):
        request = new_id()
        assert self.ask("topup", request, account, number) == "ok"
        answer = self.get(request, name)
        assert answer[0] == "sheet", answer
        return answer[1]


@contextlib.contextmanager
def waits_for_a_call(client, port):
    """A station at its command port, for 30 s."""
    with subprocess.Popen([client.office.program("tests/tools/credit_client"), "called", client.dir, str(port)],
                          stdout=subprocess.PIPE, text=True) as waiting:
        end = threading.Timer(30, waiting.kill)
        end.start()
        try:
            yield waiting
        finally:
            end.cancel()
            waiting.kill()


def new_id(age_s=0):
    """A UUID of version 7, as whoever asks makes it."""
    n = int((time.time() - age_s) * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    h = f"{n:032x}"
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


@pytest.fixture(scope="module")
def post():
    with opened() as o:
        o.add_creditd('offline = 7; balance = 100000; tariff = ["0:1", "1000000:2"];')
        o.alice, o.bob = Client(o, "alice/laptop"), Client(o, "bob/desk")
        yield o


@pytest.fixture
def account(post):
    """An account of Alice's with 100 credits; the ledger is whole at the end."""
    if not post.services["creditd"].running():
        post.start_service("creditd")
    number = post.admin_sql("SELECT credit.admin_open_account('alice@post.example')")[0][0]
    post.admin_sql(f"SELECT credit.admin_deposit('{number}', 100, 'for {number}')")
    yield number
    assert post.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []


# ---- prices ----

def sign_tariff(post, steps):
    d = post.services["creditd"]
    return subprocess.run([*d.command, "--sign-tariff", steps], env=post.daemon_env(), capture_output=True, text=True, check=False)


def test_prices_reach_the_stations_by_keyd(post):
    assert post.alice.ask("roster", "now") == "tariff"
    line = sign_tariff(post, "0:1,1000000:2").stdout
    assert "goes out" in post.admin_sql(line)[0][0]
    assert "already" in post.admin_sql(line)[0][0]
    assert post.admin_sql("SELECT steps FROM key.v_tariff") == [["0:1,1000000:2"]]
    assert post.alice.ask("roster", "now") == "tariff 0:1 1000000:2"


def test_a_tariff_that_nobody_signed_leaves_deliveries_free(post):
    time.sleep(1.1)     # its number is the second
    parts = sign_tariff(post, "0:1,1000000:2").stdout.split("'")
    parts[3] = "\\x" + "00" * 64
    post.admin_sql("'".join(parts))
    assert post.alice.ask("roster", "now") == "tariff"
    time.sleep(1.1)
    post.admin_sql(sign_tariff(post, "0:1,1000000:2").stdout)
    assert post.alice.ask("roster", "now") == "tariff 0:1 1000000:2"


@pytest.mark.parametrize("steps, words", [("0:1,1000000:3", "setting"), ("0:1", "setting"), ("", "FROM_BYTES:CREDITS"),
                                          ("0:1,", "FROM_BYTES:CREDITS"), ("5:1", "from 0")])
def test_prices_that_sheets_do_not_carry_are_not_signed(post, steps, words):
    done = sign_tariff(post, steps)
    assert done.returncode == 1 and done.stdout == "" and words in done.stderr


def holds(post, account):
    return [int(n) for n in post.admin_sql(f"SELECT holds, on_sheets FROM credit.v_account WHERE number = '{account}'")[0]]


# ---- credits ----

def test_cr05_credits_are_granted_and_signed(post, account):
    request = new_id()
    assert post.alice.ask("topup", request, account, 20) == "ok"
    answer = post.alice.get(request)
    assert answer[0] == "sheet" and answer[3:] == ["1", "20", "1", "7"]
    assert holds(post, account) == [80, 20]


def test_the_signature_of_a_sheet_is_checked_by_openssl(post, account, tmp_path):
    post.alice.sheet(account)
    raw = open(post.alice.file("sheet.sig"), "rb").read()
    numbers = b"".join(b"\x02" + bytes([len(n)]) + n for n in (
        (b"\0" + part.lstrip(b"\0")) if part.lstrip(b"\0")[0] > 127 else part.lstrip(b"\0") for part in (raw[:32], raw[32:])))
    (tmp_path / "sig").write_bytes(b"\x30" + bytes([len(numbers)]) + numbers)
    subprocess.run(["openssl", "x509", "-inform", "DER", "-in", post.alice.file("sheet.der"), "-noout", "-pubkey",
                    "-out", tmp_path / "key"], check=True)
    check = ["openssl", "dgst", "-sha256", "-verify", tmp_path / "key", "-signature", tmp_path / "sig"]
    assert subprocess.run([*check, post.alice.file("sheet.stmt")], capture_output=True, check=False).stdout == b"Verified OK\n"
    changed = bytearray(open(post.alice.file("sheet.stmt"), "rb").read())
    changed[-1] ^= 1
    (tmp_path / "changed").write_bytes(changed)
    assert subprocess.run([*check, tmp_path / "changed"], capture_output=True, check=False).returncode != 0


def test_cr11_the_same_request_again_grants_nothing_more(post, account):
    request = new_id()
    answers = set()
    for _ in range(3):
        assert post.alice.ask("topup", request, account, 20) == "ok"
        answers.add(tuple(post.alice.get(request)))
    assert len(answers) == 1
    assert holds(post, account) == [80, 20]


def test_one_id_for_two_requests_is_refused(post, account):
    request = new_id()
    assert post.alice.ask("topup", request, account, 20) == "ok"
    assert post.alice.ask("topup", request, account, 21) == "CONFLICT"
    assert holds(post, account) == [80, 20]


@pytest.mark.parametrize("who, named, number, words", [
    ("alice", "0000000000", 5, "ACCOUNT"), ("alice", "4111 1111 1111 1111", 5, "ACCOUNT"),
    ("alice", "'; DROP TABLE credit.account", 5, "ACCOUNT"), ("bob", None, 5, "ACCOUNT")])
def test_cr03_cr07_what_may_not_be_drawn_is_denied_with_a_signature(post, account, who, named, number, words):
    client, request = getattr(post, who), new_id()
    assert client.ask("topup", request, named or account, number) == "ok"
    assert client.get(request) == ["denial", words]
    assert holds(post, account) == [100, 0]
    kept = post.admin_sql(f"SELECT count(*) FROM credit.v_request WHERE request = '{request}'")
    assert kept == [["1"]]


def test_an_empty_account_denies(post, account):
    assert post.alice.sheet(account, 100)
    request = new_id()
    post.alice.ask("topup", request, account, 1)
    assert post.alice.get(request) == ["denial", "BALANCE"]


def test_an_id_of_another_day_is_refused(post, account):
    assert post.alice.ask("topup", new_id(25 * 3600), account, 5) == "RANGE"
    assert post.alice.ask("topup", new_id(-25 * 3600), account, 5) == "RANGE"
    assert holds(post, account) == [100, 0]


def test_an_answer_is_given_to_its_requester_only(post, account):
    request = new_id()
    post.alice.ask("topup", request, account, 5)
    assert post.alice.get(request)[0] == "sheet"
    assert post.bob.ask("get", request, post.bob.file("x")) == "NOTFOUND"


def test_cr04_the_station_is_called_back(post, account):
    request, port = new_id(), 20000 + secrets.randbelow(10000)
    with waits_for_a_call(post.alice, port) as waiting:
        assert waiting.stdout.readline() == "ok listening\n"
        assert post.alice.ask("topup", request, account, 9, port) == "ok"
        words = waiting.stdout.readline().split()
    assert words[1] == "sheet" and words[5] == "9"
    end = time.monotonic() + 20
    while (told := post.admin_sql(f"SELECT told IS NOT NULL FROM credit.v_request WHERE request = '{request}'")) != [["t"]]:
        assert time.monotonic() < end, told
        time.sleep(0.05)


def test_cr02_many_at_once_never_get_more_than_there_is(post, account):
    ids = [new_id() for _ in range(12)]
    them = [threading.Thread(target=post.alice.ask, args=("topup", i, account, 15)) for i in ids]
    for t in them:
        t.start()
    for t in them:
        t.join()
    got = [post.alice.get(i, f"many{n}") for n, i in enumerate(ids)]
    assert sum(int(g[4]) for g in got if g[0] == "sheet") == 100
    assert {g[1] for g in got if g[0] == "denial"} == {"BALANCE"}
    assert holds(post, account) == [0, 100]


# ---- killed at any step ----

def test_what_a_kill_left_unsigned_is_signed_at_the_next_start(post, account):
    creditd, request = post.services["creditd"], new_id()
    assert creditd.stop()
    creditd.start({"SEALPOST_FAULT": "credit.store_answer-before=kill"})
    creditd.wait_until(lambda: " ready " in creditd.log().rsplit("stopping", 1)[1], 30, "said that it is ready")
    post.alice.ask("topup", request, account, 20)
    assert creditd.wait_gone(20)
    post.start_service("creditd")
    assert post.alice.get(request)[0] == "sheet"        # it was asked for once only


def test_a_station_that_was_away_is_called_at_the_next_start(post, account):
    request, port = new_id(), 20000 + secrets.randbelow(10000)
    assert post.alice.ask("topup", request, account, 9, port) == "ok"
    assert post.services["creditd"].stop()
    with waits_for_a_call(post.alice, port) as waiting:
        assert waiting.stdout.readline() == "ok listening\n"
        post.start_service("creditd")
        assert waiting.stdout.readline().split()[1:2] == ["sheet"]


def test_it_outlives_its_database(post, account):
    post.cluster.kill()
    assert post.alice.ask("topup", new_id(), account, 5) in ("DATABASE", "BUSY", "TIMEOUT")
    assert post.services["creditd"].running()
    post.cluster.start()
    end = time.monotonic() + 60
    request = new_id()
    while post.alice.ask("topup", request, account, 5) != "ok":
        assert time.monotonic() < end
        time.sleep(0.2)
    assert post.alice.get(request)[0] == "sheet"
    assert holds(post, account) == [95, 5]


# ---- the wallet's state ----

def test_a_wallet_that_goes_back_is_closed(post, account):
    sheet = post.alice.sheet(account)
    assert post.alice.ask("state", sheet, 1, 1, 1) == "state 2 0"
    assert post.alice.ask("state", sheet, 2, 5, 0) == "state 2 0"
    assert post.bob.ask("state", sheet, 2, 5, 0) == "NOTFOUND"
    assert post.alice.ask("state", sheet, 1, 5, 0) == "state 2 1"
    assert holds(post, account) == [80, 20]     # franks may still be on their way


def test_serials_are_given_back_with_a_signature(post, account):
    sheet = post.alice.sheet(account)
    assert post.alice.ask("give", sheet, 1, 3, 2) == "ok"
    assert post.alice.ask("give", sheet, 1, 5, 1, "forged") == "SIGNATURE"
    assert post.alice.ask("give", sheet, 2, 5, 1) == "CONFLICT"
    assert post.bob.ask("give", sheet, 1, 5, 1) == "NOTFOUND"
    assert post.alice.ask("give", sheet, 1, 10, 0) == "ok"
    assert post.alice.ask("state", sheet, 1, 10, 0) == "state 1 1"
    assert post.bob.ask("lodge", post.alice.dir, post.alice.file("sheet"), new_id(), 1, 2) == "ok"
    late = new_id()
    assert post.bob.ask("lodge", post.alice.dir, post.alice.file("sheet"), late, 12, 1) == "ok"
    assert post.admin_sql(f"SELECT what FROM credit.v_evidence WHERE transfer = '{late}'") == [["given back"]]
    assert holds(post, account) == [80, 17]


# ---- franks ----

def test_a_frank_is_settled_once_for_its_delivery(post, account):
    post.alice.sheet(account)
    lodge = ("lodge", post.alice.dir, post.alice.file("sheet"), new_id(), 3, 2)
    assert post.bob.ask(*lodge) == "ok"
    assert holds(post, account) == [80, 18]


def test_a_serial_spent_twice_is_refused_and_kept_as_evidence(post, account):
    post.alice.sheet(account)
    assert post.bob.ask("lodge", post.alice.dir, post.alice.file("sheet"), new_id(), 1, 2) == "ok"
    second = new_id()
    assert post.bob.ask("lodge", post.alice.dir, post.alice.file("sheet"), second, 2, 1) == "SPENT"
    assert post.admin_sql(f"SELECT what, station FROM credit.v_evidence WHERE transfer = '{second}'") == [
        ["spent twice", "alice/laptop@post.example"]]
    assert holds(post, account) == [80, 18]


@pytest.mark.parametrize("how, status", [
    ("other-offer", "FRANK"), ("other-recipient", "IDENTITY"), ("other-price", "FRANK"),
    ("other-size", "FRANK"),
    ("certified", "FRANK"), ("bad-done", "SIGNATURE"), ("no-done", "MISSING"), ("bad-frank", "SIGNATURE")])
def test_a_frank_without_its_proof_is_refused(post, account, how, status):
    post.alice.sheet(account)
    assert post.bob.ask("lodge", post.alice.dir, post.alice.file("sheet"), new_id(), 1, 2, how) == status
    assert holds(post, account) == [80, 20]


def test_a_frank_on_a_sheet_of_somebody_else_is_refused(post, account):
    post.alice.sheet(account)
    assert post.alice.ask("lodge", post.bob.dir, post.alice.file("sheet"), new_id(), 1, 2) == "NOTFOUND"
    assert holds(post, account) == [80, 20]


# ---- the program ----

@pytest.mark.parametrize("setting, words", [
    ('tariff = ["1:1"];', "the first from 0"), ('tariff = ["0:1", "0:2"];', "ascend"), ('tariff = ["cheap"];', "FROM_BYTES:CREDITS"),
    ("offline = 0;", "offline")])
def test_settings_that_cannot_be_are_refused(post, tmp_path, setting, words):
    conf = tmp_path / "creditd.conf"
    conf.write_text(setting, encoding="utf-8")
    done = subprocess.run([post.program("creditd/creditd"), "--config", conf], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and words in done.stderr, done.stderr


def test_without_papers_it_says_what_to_do(post, tmp_path):
    conf = tmp_path / "creditd.conf"
    conf.write_text('state = "state";', encoding="utf-8")
    done = subprocess.run([post.program("creditd/creditd"), "--config", conf], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "creditd --enrol TOKEN" in done.stderr, done.stderr
    assert SOURCE not in done.stderr


def test_it_stops_when_told_and_its_log_has_no_secrets(post, account):
    creditd = post.services["creditd"]
    assert creditd.stop()
    assert "stopping" in creditd.log() and "password" not in creditd.log()
    post.start_service("creditd")
