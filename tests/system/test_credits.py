"""Credits as a station has them: asked for, granted once, shown, reported; with a real creditd that can be called, killed, doubled."""

import concurrent.futures
import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
import uuid

import pytest

from conftest import NUMBERS, SOURCE, opened, retire
from office.office import TARIFF, OfficeError
from test_cli import fields, in_terminal, screen_lines
from test_delivery import deliver, only, wait_for

OFFLINE = 10
CALLED = 'return_host = "127.0.0.1";'


@pytest.fixture(scope="module")
def post():
    with opened() as o:
        o.add_creditd(f"offline = {OFFLINE};", tariff=TARIFF)
        yield o


@pytest.fixture
def creditd(post):
    """Running; the ledger is whole at the end."""
    d = post.services["creditd"]
    if not d.running():
        post.start_service("creditd")
    yield d
    if not d.running():
        post.start_service("creditd")
    assert post.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []


@pytest.fixture
def alice(post, creditd):
    """A fresh station that creditd can call."""
    yield from _station(post, CALLED)


@pytest.fixture
def pair(post, alice):
    b = post.station(f"bob{next(NUMBERS)}")
    post.introduce(os.path.basename(alice.home), os.path.basename(b.home))
    yield alice, b
    retire(post, b)


def _station(post, settings):
    s = post.station(f"alice{next(NUMBERS)}", settings=settings)
    yield s
    retire(post, s)


def credits(s):
    return only(s.json("credits"))


def holds(post, account):
    return [int(n) for n in post.admin_sql(f"SELECT holds, on_sheets FROM credit.v_account WHERE number = '{account}'")[0]]


def topups(s):
    return s.json("log") and [e for e in s.json("log") if e["kind"] == "credit"]


def send(a, b, tmp_path, number=1):
    """Small deliveries; the exit status of the last."""
    file = tmp_path / "small"
    for _ in range(number):
        file.write_text(secrets.token_hex(4))
        done = a.sealpost("send", "--to", b.name, "--receipt", "direct", str(file), check=False)
    return done


# ---- asking, and the answer ----

def test_wal08_wal12_wal14_wal19_cr03_cr04_cr05_a_grant_comes_by_a_call_and_is_booked(post, alice):
    account = post.open_account(alice.person, 60)
    done = alice.sealpost("credits", "add", "--account", account)
    assert "granted: 25 credits" in done.stdout
    c = credits(alice)
    assert (c["free"], c["granted"], c["reserved"], c["void"], c["spent"], c["account"]) == (25, 25, 0, 0, 0, account)
    assert only(c["sheets"])["closed"] is False
    assert holds(post, account) == [35, 25]
    event = only(topups(alice))
    assert (event["state"], event["result"], event["title"], event["peer"]) == ("GRANTED", "granted", "25 credits", "creditd")
    assert event["credits"] == {"asked": 25, "granted": 25, "account": account}
    called = re.search(f"called-back req={event['id']} station={alice.full_name} status=(\\w+)", post.services["creditd"].log())
    assert called and called[1] == "OK"
    asked = post.admin_sql(f"SELECT requester, asked FROM credit.v_request WHERE request = '{event['id']}'")
    assert asked == [[alice.full_name, "25"]]


def test_cr04_a_station_that_cannot_be_called_fetches_its_answer(post, creditd):
    for s in _station(post, ""):
        account = post.open_account(s.person, 60)
        assert "granted: 50 credits" in s.sealpost("credits", "add", "50", "--account", account).stdout
        assert credits(s)["free"] == 50
        assert f"called-back req={only(topups(s))['id']}" not in creditd.log()


def test_wal13_the_account_is_kept_once_it_was_named(post, alice):
    none = alice.sealpost("credits", "add", "10", check=False)
    assert none.returncode == 2 and "--account NUMBER" in none.stderr
    account = post.open_account(alice.person, 60)
    alice.sealpost("credits", "add", "10", "--account", account)
    rows = alice.json("credits", "add", "15")
    assert rows[-1]["event"]["credits"] == {"asked": 15, "granted": 15, "account": account}
    assert credits(alice)["free"] == 25 and len(credits(alice)["sheets"]) == 2


def test_cr06_wal17_less_than_asked_is_booked_as_granted(post, alice):
    account = post.open_account(alice.person, 30)
    done = alice.sealpost("credits", "add", "75", "--account", account)
    assert "granted: 30 credits of 75 asked for" in done.stdout
    assert credits(alice)["free"] == 30


@pytest.mark.parametrize("amount, named, words", [
    (0, None, "the amount is not available"), (50, "0000000000", "unauthorised account"), (50, "other", "unauthorised account")])
def test_wal19_cr07_a_denial_is_shown_and_changes_nothing(post, alice, amount, named, words):
    account = post.open_account(alice.person if named != "other" else "somebody", amount) if amount else \
        post.admin_sql(f"SELECT credit.admin_open_account('{alice.name}')")[0][0]
    done = alice.sealpost("credits", "add", "20", "--account", account if named in (None, "other") else named, check=False)
    assert done.returncode == 3 and "denied" in done.stdout and words in done.stdout, done.stdout
    assert credits(alice)["free"] == 0 and credits(alice)["sheets"] == []
    assert only(topups(alice))["result"] == "denied"
    assert holds(post, account) == [amount, 0]
    again = alice.sealpost("credits", "add", "20", check=False)
    assert again.returncode == (3 if named is None else 2)      # an account that may not be drawn on is not kept


def test_wal15_beyond_the_balance_limit_nothing_is_granted(post, alice):
    account = post.open_account(alice.person, 300)
    alice.sealpost("credits", "add", "100", "--account", account)
    done = alice.sealpost("credits", "add", "1", check=False)
    assert done.returncode == 3 and "balance would go beyond its limit" in done.stdout
    assert "largest" not in done.stdout


@pytest.mark.parametrize("words", [["0"], ["1025"], ["many"], ["1", "2"], ["5", "--account", ""]])
def test_wal12_numbers_that_cannot_be_are_usage(alice, words):
    assert alice.sealpost("credits", "add", *words, check=False).returncode == 2


def test_a_second_request_waits_for_the_first(post, alice, creditd):
    account = post.open_account(alice.person, 60)
    assert creditd.stop()
    with waiting(alice, "10", account) as first:
        wait_for(lambda: [e for e in topups(alice) or [] if e["state"] == "ASKING"])
        second = alice.sealpost("credits", "add", "10", check=False)
        assert second.returncode == 1 and "pending already" in second.stderr
        assert alice.sealpost("cancel", only(topups(alice))["id"], check=False).returncode == 1     # it may have been granted
        post.start_service("creditd")
        assert first.wait(60) == 0
    assert credits(alice)["free"] == 10


@contextlib.contextmanager
def waiting(s, number, account):
    """A credits add in the background."""
    with subprocess.Popen([s.office.program("peerd/cli/sealpost"), "--home", s.home, "credits", "add", number, "--account", account],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=s.office.daemon_env()) as child:
        try:
            yield child
        finally:
            child.kill()


# ---- once, whatever happens ----

@pytest.mark.parametrize("where", ["credit/*/TAKEN-before", "store/sheet-add-after", "credit/*/GRANTED-after"])
def test_wal20_cr11_a_kill_books_a_grant_once(post, creditd, where):
    """Of a station that cannot be called; the others are among tests/crash/points."""
    for s in _station(post, ""):
        account = post.open_account(s.person, 60)
        s.daemon.stop()
        s.start(SEALPOST_FAULT=f"{where}=kill")
        with waiting(s, "20", account) as child:
            assert s.daemon.wait_gone(20), f"it was not killed at {where}"
            s.start()
            assert child.wait(60) == 0, child.stderr.read()
        s.daemon.kill()
        s.start()
        assert credits(s)["free"] == 20 and len(credits(s)["sheets"]) == 1
        assert holds(post, account) == [40, 20]


def answer(post, s, request, number, how="", writer=None):
    """What a station answers to a call with this answer."""
    done = subprocess.run([post.program("tests/tools/answer_client"), writer or post.path("creditd", "state"), s.path("station"),
                           f"127.0.0.1:{s.port}", request, str(number), how],
                          capture_output=True, text=True, check=False, timeout=60, env=post.daemon_env())
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_wal20_what_is_forged_or_replayed_is_dropped(post, pair, creditd):
    a, b = pair
    account = post.open_account(a.person, 60)
    assert creditd.stop()
    with waiting(a, "20", account) as child:
        request = only(wait_for(lambda: [e for e in topups(a) or [] if e["state"] == "ASKING"]))["id"]
        bad = [(post, a, request, 20, how) for how in ("other-key", "changed", "other-station")]
        bad.append((post, a, request, 21))                           # more than was asked for
        bad.append((post, a, request, 20, "station", b.path("station")))
        with concurrent.futures.ThreadPoolExecutor(len(bad)) as pool:
            assert list(pool.map(lambda words: answer(*words), bad)) == ["TIMEOUT"] * len(bad)
        assert answer(post, a, str(uuid.UUID(int=uuid.UUID(request).int ^ 1)), 20) == "NOTFOUND"
        assert credits(a)["free"] == 0 and child.poll() is None
        assert a.daemon.log().count("credit-answer-refused") >= 5
        assert answer(post, a, request, 20) == "OK"
        assert child.wait(60) == 0
    for restarted in (False, True):
        if restarted:
            a.daemon.kill()
            a.start()
        for how in ("", "another"):
            assert answer(post, a, request, 20, how) == "OK"        # taken long ago
        assert answer(post, a, request, 0) == "OK"
    assert credits(a)["free"] == 20 and len(credits(a)["sheets"]) == 1
    assert only(topups(a))["result"] == "granted"


# ---- the wallet is reported ----

def databases(s):
    return [n for n in os.listdir(s.home) if n.startswith("peer.db")]


def test_wal09_a_copy_that_is_put_back_is_found_out_and_not_spent(post, pair, tmp_path):
    a, b = pair
    account = post.rich(a, 40)
    assert send(a, b, tmp_path).returncode == 0
    a.daemon.stop()
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in databases(a):
        shutil.copy(a.path(name), copy)
    a.start()
    assert send(a, b, tmp_path, 3).returncode == 0
    assert credits(a)["free"] == 36
    a.daemon.stop()
    for name in databases(a):
        os.unlink(a.path(name))
    for name in os.listdir(copy):
        shutil.copy(copy / name, a.home)
    a.start()
    refused = send(a, b, tmp_path)                  # whatever comes first
    c = wait_for(lambda: [c for c in a.json("credits") if c["sheets"][0]["closed"]])[0]
    assert refused.returncode == 4
    assert c["free"] == 0 and any("restored copy" in words for words in c["lacks"])
    assert any("restored copy" in words for words in only(a.json("status"))["lacks"])
    a.daemon.kill()
    a.start()
    assert credits(a)["free"] == 0
    alone = post.open_account(a.person, 30)
    a.sealpost("credits", "add", "30", "--account", alone)
    assert send(a, b, tmp_path).returncode == 0
    assert credits(a)["free"] == 29 and holds(post, account)[0] == 0


def test_wal09_kills_and_restarts_are_no_copies(post, pair, tmp_path):
    a, b = pair
    post.rich(a, 40)
    for where in ("store-commit-before", "store/sheet-state-before", "store/sheet-state-before", "store-commit-after"):
        a.daemon.kill()
        with contextlib.suppress(OfficeError):      # it may be killed before it is ready
            a.start(SEALPOST_FAULT=f"{where}=kill")
        assert a.daemon.wait_gone(20), f"it was not killed at {where}"
    a.start()
    assert send(a, b, tmp_path, 2).returncode == 0
    a.daemon.stop()
    a.start()
    time.sleep(1)
    c = credits(a)
    assert c["free"] == 38 and only(c["sheets"])["closed"] is False and "sheet-closed" not in a.daemon.log()


def test_wal09_without_creditd_spending_has_its_limit(post, pair, creditd, tmp_path):
    a, b = pair
    post.rich(a, 25)
    assert creditd.stop()
    assert send(a, b, tmp_path, OFFLINE).returncode == 0
    c = credits(a)
    assert (c["free"], c["withheld"]) == (25 - OFFLINE, 25 - OFFLINE)
    refused = send(a, b, tmp_path)
    assert refused.returncode == 4 and "creditd must be reached" in refused.stdout + refused.stderr
    post.start_service("creditd")
    wait_for(lambda: credits(a)["withheld"] == 25 - 2 * OFFLINE, 40)
    assert send(a, b, tmp_path).returncode == 0


def test_wal09_with_creditd_it_has_none(post, pair, tmp_path):
    a, b = pair
    post.rich(a, 40)
    files = []
    for n in range(3 * OFFLINE):        # quicker than it reports by itself
        files.append(tmp_path / str(n))
        files[-1].write_text(str(n))
    for f in files:
        a.sealpost("send", "--no-wait", "--to", b.name, "--receipt", "direct", str(f))
    wait_for(lambda: not a.json("log", "--pending"), 60)
    assert not a.json("log", "--failed")
    assert credits(a)["free"] == 40 - 3 * OFFLINE


# ---- what is shown ----

def test_wal02_wal03_wal04_gui_what_is_left_is_shown_with_what_to_do(post, pair, tmp_path):
    a, b = pair
    said = a.sealpost("credits").stdout
    assert "0 of 0" in said and "sending is suspended" in said and "sealpost credits add" in said
    assert send(a, b, tmp_path).returncode == 4
    account = post.open_account(a.person, 60)
    a.sealpost("credits", "add", "6", "--account", account)
    said = a.sealpost("credits").stdout
    assert "6 of 6" in said and account in said and "few credits" not in said and "1 credit a delivery, 2 from 1.0 MB on" in said
    assert credits(a)["low"] is False
    sent, _ = deliver(a, b, __file__, words=["--receipt", "direct"])
    assert sent["price"] == 1
    assert send(a, b, tmp_path).returncode == 0
    said = a.sealpost("credits").stdout
    assert "4 of 6" in said and "few credits are left" in said and credits(a)["low"] is True
    assert send(a, b, tmp_path, 4).returncode == 0
    assert send(a, b, tmp_path).returncode == 4
    a.sealpost("credits", "add", "5")
    assert send(a, b, tmp_path).returncode == 0
    shown = a.sealpost("show", topups(a)[0]["id"]).stdout
    assert "granted" in shown and account in shown and "receipt" not in shown


def test_gui21_wal13_on_a_terminal_there_is_a_gauge_and_the_account_is_asked_for(post, alice):
    account = post.open_account(alice.person, 60)
    status, out = in_terminal(alice, ["credits", "add", "10"], 80, typed=account.encode() + b"\n")
    assert status == 0 and "account number: " in out and "granted" in out
    assert re.search(r"10 of 10  \x1b\[32m\[#{28}\]\x1b\[0m\r\n", out), out
    status, out = in_terminal(alice, ["credits", "add", "10"], 40, {"NO_COLOR": "1"})
    assert status == 0 and "account number: " not in out and "20 of 20  [####" in out and "\x1b[3" not in out
    assert max(len(line) for line in screen_lines(out) if "20 of 20" in line) <= 40
    assert "[" not in in_terminal(alice, ["credits"], 25, {"NO_COLOR": "1"})[1]


def test_gui21_credits_are_described_whole(post, alice):
    with open(os.path.join(SOURCE, "docs", "control.md"), encoding="utf-8") as f:
        described = f.read()
    account = post.open_account(alice.person, 60)
    answers = [*alice.json("credits", "add", "5", "--account", account), *alice.json("credits"), *alice.json("log"),
               *alice.json("show", topups(alice)[0]["id"])]
    assert not sorted(name for name in fields(answers) if f'"{name}"' not in described and f"`{name}`" not in described)


# ---- several creditds ----

@pytest.fixture(scope="module")
def creditd2(post):
    """Another one on the same ledger."""
    post.add_creditd(f"offline = {OFFLINE};", name="creditd2")
    return post.services["creditd2"]


def test_cr09_a_dead_creditd_leaves_the_request_to_another(post, creditd, creditd2):
    second = creditd2
    try:
        for s in _station(post, CALLED):
            account = post.open_account(s.person, 90)
            assert second.stop() and creditd.stop()
            creditd.start({"SEALPOST_FAULT": "credit.topup-after=kill"})
            creditd.wait_until(lambda: " ready " in creditd.log().rsplit("stopping", 1)[1], 30, "said that it is ready")
            with waiting(s, "20", account) as child:
                assert creditd.wait_gone(30)        # it has decided, and said nothing
                post.start_service("creditd2")
                assert child.wait(60) == 0, child.stderr.read()
            assert credits(s)["free"] == 20 and holds(post, account) == [70, 20]
            s.daemon.stop()
            s.start()                               # what it has spent it tells whoever is there
            assert "granted: 5 credits" in s.sealpost("credits", "add", "5").stdout
            assert credits(s)["free"] == 25 and not any(sheet["closed"] for sheet in credits(s)["sheets"])
    finally:
        second.signal(signal.SIGTERM)


def test_wal20_an_unknown_signer_counts_only_where_a_known_creditd_hands_its_answer_out(post, creditd, creditd2):
    second = creditd2
    second.stop()
    post.admin_sql("SELECT key.admin_remove_service('creditd', 'creditd2')")
    for s in _station(post, CALLED):
        account = post.open_account(s.person, 60)
        assert creditd.stop()
        creditd.start({"SEALPOST_FAULT": "credit.topup-after=kill"})
        creditd.wait_until(lambda: " ready " in creditd.log().rsplit("stopping", 1)[1], 30, "said that it is ready")
        with waiting(s, "20", account) as child:
            assert creditd.wait_gone(30)
            post.start_service("creditd2")          # it signs what was decided, and calls
            wait_for(lambda: "credit-answer-refused" in s.daemon.log())
            assert credits(s)["free"] == 0 and child.poll() is None
            second.stop()
            post.start_service("creditd")
            assert child.wait(60) == 0, child.stderr.read()
        assert credits(s)["free"] == 20
