"""The sealpost command against a peerd that answers whatever the test wants: every verb's words, JSON and exit status, errors,
nonsense, and a peerd that goes away."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import _build
from fake_peerd import GONE, ID, FakePeerd, ended, error, event, row

PEER = "bob/desktop@post.example"


class Cli:
    def __init__(self, program, peerd):
        self.program, self.peerd = program, peerd
        self.env = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_DATA_HOME")}
        self.env.update(TZ="UTC", HOME="/nonexistent")

    def start(self, *words, **options):
        return subprocess.Popen([self.program, "--home", self.peerd.home, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                stdin=subprocess.DEVNULL, text=True, env=self.env, **options)

    def __call__(self, *words, want=0, **options):
        done = subprocess.run([self.program, "--home", self.peerd.home, *words], check=False, capture_output=True, text=True,
                              env=self.env, timeout=60, **options)
        assert done.returncode == want, (done.returncode, done.stdout, done.stderr)
        return done

    def json(self, *words, want=0):
        done = self("--json", *words, want=want)
        return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def peerd(tmp_path):
    p = FakePeerd(tmp_path / "h")
    p.start()
    yield p
    p.stop()


@pytest.fixture
def cli(peerd):
    return Cli(os.path.join(_build("SP_BUILD", "build-check"), "peerd/cli/sealpost"), peerd)


@pytest.fixture
def sending(cli, peerd, tmp_path):
    """Makes peerd take an order, and gives what the command needs for it."""
    (tmp_path / "f").write_text("x")
    peerd.answers["POST", "/v1/send"] = {"events": [event(state="WALKING", packet=0, done=0)], "last": 10}

    def send(rows, *words, want=0):
        peerd.answers["GET", "/v1/events"] = rows
        return cli("send", "--to", "bob@post.example", *words, str(tmp_path / "f"), want=want)
    return send


# ---- one answer, one output ----
def test_gui21_status(cli, peerd):
    status = {"name": "alice/laptop@post.example", "version": "0.0", "enrolled": True, "ready": False, "port": 7325,
              "domain": "post.example", "certificate_ends": "2027-02-22T05:08:41Z", "home": "/h", "received": "/h/received",
              "pending": 1, "book": 2, "lacks": ["no creditd is known", "no certd is known"]}
    peerd.answers["GET", "/v1/status"] = status
    said = cli("status").stdout
    for words in ("alice/laptop@post.example", "still starting", "port 7325", "until 2027-02-22 05:08", "2 entries", "1 event\n",
                  "no creditd is known", "no certd is known", "peerd is version 0.0, this command is"):
        assert words in said, words
    assert cli.json("status") == [status]
    peerd.answers["GET", "/v1/status"] = {"name": None, "version": "0.0", "enrolled": False, "home": "/h", "lacks": ["it is not"]}
    said = cli("status").stdout
    assert "not enrolled: sealpost enrol TOKEN" in said and "port" not in said


def test_gui21_enrol(cli, peerd):
    peerd.answers["POST", "/v1/enrol"] = {"name": "alice/laptop@post.example", "enrolled": True}
    assert cli("enrol", "sealpost:enrol?d=post.example").stdout == "You are alice/laptop@post.example now.\n"
    assert peerd.asked[-1][3] == {"token": "sealpost:enrol?d=post.example"}
    cli("enrol", "-", input="sealpost:from-stdin \n")
    assert peerd.asked[-1][3] == {"token": "sealpost:from-stdin"}
    assert cli("enrol", "-", want=1, input="").stderr.startswith("sealpost: there is no token")
    peerd.answers["POST", "/v1/enrol"] = (409, error("TOKEN", 58, "the invitation was used", "ask your operator"))
    assert cli("enrol", "x", want=1).stderr == "sealpost: the invitation was used\n  ask your operator\n"


def test_gui21_log(cli, peerd):
    other = ID[:-1] + "e"
    events = [event(), event(id=other, kind="receive", title="", peer="carol/x@post.example", files=1, bytes=999),
              ended("refused", id="01a2113b-0000-7681-87d1-72ea6e9dc0ad")]
    peerd.answers["GET", "/v1/log"] = {"events": events}
    lines = cli("log").stdout.splitlines()
    assert lines[0].split() == ["ID", "WHEN", "WITH", "TITLE", "SIZE", "RESULT"]
    assert lines[1].split() == [ID, "2026-11-24", "05:08", "to", PEER, "pictures", "1.0", "MB", "sends"]
    assert lines[2].split() == [other, "2026-11-24", "05:08", "from", "carol/x@post.example", "999", "B", "sends"]
    assert lines[3].endswith("refused") and len(lines) == 4
    assert peerd.asked[-1][2] == {"filter": ["all"], "limit": ["50"]}
    assert cli.json("log", "--failed", "-n", "3") == events
    assert peerd.asked[-1][2] == {"filter": ["failed"], "limit": ["3"]}
    peerd.answers["GET", "/v1/log"] = {"events": events[:1]}
    assert cli("log").stdout.splitlines()[1].startswith("01a2113a-bdb3  ")
    peerd.answers["GET", "/v1/log"] = {"events": []}
    assert cli("log").stdout == "nothing yet\n" and cli("log", "--pending").stdout == "nothing pending yet\n"
    assert cli.json("log") == []


def test_gui21_show(cli, peerd):
    whole = event(paths=["/a", "/b\\xff"], message="one\n\x1b[2Jtwo", notes="", reason={"name": "CONNECT", "number": 10,
                  "text": "cannot connect", "advice": "is it on?"},
                  history=[{"time": "2026-11-24T05:08:41Z", "state": "WALKING", "what": "was ordered"}])
    peerd.answers["GET", "/v1/event/01a2"] = whole
    said = cli("show", "01a2").stdout
    for words in (ID, "kind       send", "to         " + PEER, "3 in 1.0 MB (1048576 bytes)", "524 kB of 1.1 MB (49%)",
                  "cannot connect", "is it on?", "paths      /a\n           /b\\xff\n", "message    one\n           \\x1b[2Jtwo\n", "2026-11-24 05:08  was ordered"):
        assert words in said, said
    assert cli.json("show", "01a2") == [whole]
    assert cli("show", "../status", want=1).stderr == "sealpost: there is no such path\n"
    assert peerd.asked[-1][1] == "/v1/event/../status"
    cli("show", "a b?c#d%", want=1)
    assert peerd.asked[-1][1] == "/v1/event/a b?c#d%" and peerd.asked[-1][2] == {}


def test_rc11_show_says_whether_it_is_postmarked_and_paid(cli, peerd):
    for fields, says in (({"postmarked": True, "payment": "paid", "receipt_file": "/r"},
                          "receipt    postmarked\n           /r\npostmark   here\npayment    paid\n"),
                         ({}, "receipt    postmarked\npostmark   not here yet\n")):
        peerd.answers["GET", "/v1/event/01a2"] = event(receipt="postmarked", **fields)
        assert says in cli("show", "01a2").stdout
    peerd.answers["GET", "/v1/event/01a2"] = event()
    said = cli("show", "01a2").stdout
    assert "receipt    direct\n" in said and "postmark" not in said and "payment" not in said
    peerd.answers["GET", "/v1/log"] = {"events": [event(kind="postmark", doing="waits for the service")]}
    assert "postmark  " + PEER in cli("log", "--pending").stdout


def test_gui21_cancel(cli, peerd):
    peerd.answers["POST", "/v1/event/01a2/cancel"] = ended("cancelled")
    assert cli("cancel", "01a2").stdout == f"cancelled: {ID}\n"
    assert cli.json("cancel", "01a2")[0]["result"] == "cancelled"
    peerd.answers["POST", "/v1/event/01a2/cancel"] = (409, error("STATE", 13, "it is too late to cancel"))
    assert "too late" in cli("cancel", "01a2", want=1).stderr


def test_gui21_book(cli, peerd):
    entry = {"name": "bob@post.example", "address": "bob.example:7325", "added": "2026-11-24T05:08:41Z", "stations": [
        {"name": PEER, "certificate_ends": "2027-02-22T05:08:41Z", "seen": "2026-11-24T05:08:41Z", "at": "192.0.2.7:7325"},
        {"name": "bob/phone@post.example", "certificate_ends": "2027-02-22T05:08:41Z", "seen": None, "at": None}]}
    alone = {"name": "carol@post.example", "address": None, "added": None, "stations": []}
    peerd.answers["POST", "/v1/book"] = entry
    assert cli("book", "add", "bob@post.example", "--address", "bob.example").stdout == \
        f"bob@post.example is in your book\n  {PEER}\n  bob/phone@post.example\n"
    assert peerd.asked[-1][3] == {"name": "bob@post.example", "address": "bob.example"}
    assert cli.json("book", "add", "bob@post.example") == [entry]
    assert peerd.asked[-1][3] == {"name": "bob@post.example"}
    peerd.answers["GET", "/v1/book"] = {"entries": [entry, alone]}
    for words in (["book"], ["book", "list"]):
        lines = cli(*words).stdout.splitlines()
        assert lines[1].split() == ["bob@post.example", PEER, "192.0.2.7:7325", "2026-11-24", "05:08"]
        assert lines[2].split() == ["bob/phone@post.example", "bob.example:7325"]
        assert "(none known)" in lines[3] and len(lines) == 4
    assert cli.json("book", "list") == [entry, alone]
    peerd.answers["GET", "/v1/book"] = {"entries": []}
    assert "book is empty" in cli("book").stdout
    peerd.answers["DELETE", "/v1/book/bob@post.example"] = {}
    assert cli("book", "rm", "bob@post.example").stdout == "bob@post.example is no longer in your book\n"
    assert cli.json("book", "rm", "bob@post.example") == [{}]


CREDITS = {"free": 42, "granted": 100, "withheld": 30, "reserved": 2, "spent": 56, "void": 1, "low": False, "account": "1234567890",
           "tariff": [{"from": 0, "price": 1}, {"from": 1000000, "price": 2}], "lacks": ["words"],
           "sheets": [{"granted": 100, "free": 42, "valid_until": "2027-02-22T05:08:41Z", "closed": False}]}


def test_gui21_wal04_credits(cli, peerd):
    peerd.answers["GET", "/v1/credits"] = CREDITS
    said = cli("credits").stdout
    for words in ("42 of 100\n", "30 of them only when creditd has been reached", "2  for deliveries under way", "1  of deliveries that",
                  "56", "until 2027-02-22 05:08", "1 credit a delivery, 2 from 1.0 MB on", "1234567890", "words"):
        assert words in said, words
    assert "\x1b" not in said and "add 25" not in said
    assert cli.json("credits") == [CREDITS]
    peerd.answers["GET", "/v1/credits"] = {**CREDITS, "free": 3, "low": True}
    assert "few credits are left; get more: sealpost credits add 25" in cli("credits").stdout


def test_gui21_wal12_wal13_a_request_for_credits(cli, peerd):
    asked = event(kind="credit", state="ASKING", peer="creditd", title="25 credits", credits={"asked": 25, "granted": None,
                                                                                              "account": "77"})
    peerd.answers["GET", "/v1/credits"] = {**CREDITS, "account": None}
    assert "--account NUMBER" in cli("credits", "add", want=2).stderr
    peerd.answers["POST", "/v1/credits"] = {"events": [asked], "last": 10}
    for result, want, granted, words in (("granted", 0, 20, "granted: 20 credits of 25 asked for"),
                                         ("denied", 3, None, "denied: no credits from account 77"), ("failed", 1, None, "failed")):
        done = {**asked, "ended": True, "result": result, "credits": {"asked": 25, "granted": granted, "account": "77"}}
        peerd.answers["GET", "/v1/events"] = {"last": 11, "gap": False, "rows": [row(11, result, done)]}
        assert words in cli("credits", "add", "--account", "77", want=want).stdout
        assert peerd.asked[-2 if want else -3][3] == {"number": 25, "account": "77"}


def test_gui21_who(cli, peerd):
    here = {"name": PEER, "present": True, "address": "192.0.2.7:7325", "milliseconds": 3, "reason": None}
    away = {"name": "bob/phone@post.example", "present": False, "address": None, "milliseconds": 3000,
            "reason": {"name": "TIMEOUT", "number": 9, "text": "no answer in time"}}
    peerd.answers["GET", f"/v1/who/{PEER}"] = here
    assert cli("who", PEER).stdout == f"{PEER} is there: 192.0.2.7:7325, 3 ms\n"
    peerd.answers["GET", "/v1/who/bob@post.example"] = {"stations": [here, away]}
    assert "bob/phone@post.example does not answer: no answer in time\n" in cli("who", "bob@post.example").stdout
    assert cli.json("who", "bob@post.example") == [{"stations": [here, away]}]
    peerd.answers["GET", "/v1/who/bob@post.example"] = {"stations": [away]}
    cli("who", "bob@post.example", want=1)
    assert cli.json("who", "bob@post.example", want=1) == [{"stations": [away]}]


# ---- errors ----
@pytest.mark.parametrize("name,number,want", [("REFUSED", 90, 3), ("NOTINBOOK", 91, 3), ("CREDITS", 94, 4), ("SPACE", 16, 1),
                                              ("NEW", 30000, 1), ("ODD", -5, 1)])
def test_gui21_exit_statuses_follow_from_errors(cli, peerd, name, number, want):
    peerd.answers["GET", "/v1/log"] = (409, error(name, number, "what happened", "what to do"))
    assert cli("log", want=want).stderr == "sealpost: what happened\n  what to do\n"
    said = cli.json("log", want=want)
    assert len(said) == 1 and said[0]["error"]["text"] == "what happened" and said[0]["error"]["advice"] == "what to do"


def test_gui21_busy_passes_by_itself(cli, peerd):
    busy = (503, error("BUSY", 12, "peerd is starting"))
    peerd.answers["GET", "/v1/log"] = [busy, busy, {"events": []}]
    assert cli("log").stdout == "nothing yet\n"
    peerd.answers["GET", "/v1/log"] = busy
    assert "peerd is starting" in cli("log", want=1).stderr


@pytest.mark.parametrize("answer", [(200, b""), (200, b"[]"), (200, b"{"), (200, b"\xff\xfe"), (200, b'{"a":1,"a":2}'), (500, b"oops"),
                                    (409, b"{}"), (409, b'{"error": "words"}'), (302, b"{}"), (200, b"{} {}"),
                                    (200, b"[" * 100000)])
def test_answers_that_make_no_sense(cli, peerd, answer):
    for method, path, words in (("GET", "/v1/log", ["log"]), ("POST", "/v1/send", ["send", "--to", "x@post.example", "/etc/hosts"]),
                                ("GET", "/v1/book", ["book"])):
        peerd.answers[method, path] = answer
        said = cli(*words, want=1)
        assert "makes no sense" in said.stderr and said.stdout == ""


@pytest.mark.parametrize("path,words", [("/v1/status", ["status"]), ("/v1/log", ["log"]), ("/v1/book", ["book"]),
                                        ("/v1/event/0123", ["show", "0123"]), ("/v1/who/x@y.example", ["who", "x@y.example"])])
@pytest.mark.parametrize("answer", [{}, {"events": 5, "entries": {"a": 1}, "stations": "x", "lacks": 7, "history": "h"},
                                    {"events": [1, None, {}], "entries": [None, {"stations": [3, {"name": 7}]}], "stations": [[], 1],
                                     "lacks": [None, 3], "enrolled": True, "reason": {"text": 5}, "paths": [1], "files": "many",
                                     "history": [4, {"what": []}], "bytes": -1, "created": "yesterday", "port": 1e300}])
def test_answers_of_the_wrong_kind_do_no_harm(cli, peerd, path, words, answer):
    peerd.answers["GET", path] = answer
    done = subprocess.run([cli.program, "--home", peerd.home, *words], check=False, capture_output=True, env=cli.env, timeout=60)
    assert done.returncode in (0, 1) and b"Sanitizer" not in done.stderr and b"runtime error" not in done.stderr, done.stderr


def test_gui21_peerd_not_running(cli, peerd, tmp_path):
    peerd.stop()
    for words in (["status"], ["log"], ["show", "0123"], ["cancel", "0123"], ["book"], ["who", "x@post.example"], ["enrol", "t"],
                  ["send", "--to", "x@post.example", "/etc/hosts"], ["receipt", "show", "0123"]):
        said = cli(*words, want=5)
        assert said.stderr == f"sealpost: peerd is not running for {peerd.home}\n  start it: peerd --home {peerd.home} &\n"
    assert cli.json("status", want=5)[0]["error"]["name"] == "CONNECT"
    odd = tmp_path / "it's odd"
    assert f"peerd --home '{tmp_path}/it'\\''s odd' &" in cli("--home", str(odd), "status", want=5).stderr
    assert "longer than the path of a socket" in cli("--home", "/x" * 100, "status", want=5).stderr
    assert "neither XDG_DATA_HOME nor HOME" in subprocess.run([cli.program, "status"], check=False, capture_output=True, text=True,
                                                              env={"PATH": "/bin"}).stderr


def test_gui21_output_that_cannot_be_written_is_a_failure(cli, peerd):
    peerd.answers["GET", "/v1/log"] = {"events": [event()] * 300}
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([cli.program, "--home", peerd.home, "log"], check=False, stdout=full, stderr=subprocess.PIPE, text=True,
                              env=cli.env)
    assert done.returncode == 1 and "cannot write" in done.stderr


def test_no_proxy_of_the_environment_gets_between(cli, peerd):
    cli.env.update(http_proxy="http://192.0.2.1:1", ALL_PROXY="http://192.0.2.1:1")
    peerd.answers["GET", "/v1/log"] = {"events": []}
    assert cli("log").stdout == "nothing yet\n"


# ---- usage ----
@pytest.mark.parametrize("words", [[], ["nonsense"], ["--nonsense"], ["--home"], ["--home=", "log"], ["help", "nonsense"], ["send"],
                                   ["send", "--to", "x@post.example"], ["send", "--to"], ["send", "/etc/hosts"],
                                   ["send", "--to=", "--no-wait=x", "/etc/hosts"], ["log", "--sent", "--received"], ["log", "extra"],
                                   ["log", "-n", "0"], ["log", "-n1001"], ["log", "-n", "-1"], ["log", "-n", "x"], ["show"],
                                   ["show", ""], ["cancel", "a", "b"], ["book", "add"], ["book", "add", "a", "b"], ["book", "rm"],
                                   ["book", "nonsense"], ["book", "list", "x"], ["book", "rm", "x", "--address", "y"], ["who"],
                                   ["status", "extra"], ["receipt"], ["receipt", "show"], ["receipt", "hide", "x"], ["verify"],
                                   ["credits", "nonsense"], ["credits", "--account", "1"], ["credits", "add", "x"],
                                   ["enrol"], ["enrol", "a", "b"], ["log", "--nonsense"], ["log", "--sent=yes"]])
def test_gui21_wrong_usage_is_2(cli, peerd, words):
    done = cli(*words, want=2) if words[:1] not in (["--home"], []) else subprocess.run(
        [cli.program, *words], check=False, capture_output=True, text=True, env=cli.env)
    assert done.returncode == 2 and done.stdout == "" and done.stderr != ""
    assert "usage: sealpost" in done.stderr or "--help" in done.stderr or "needs a folder" in done.stderr
    assert not peerd.asked


def test_gui21_help_of_verbs(cli, peerd):
    assert cli("help").stdout == cli("--help").stdout == cli("-h").stdout
    assert cli("--version").stdout.startswith("sealpost ")
    for verb in ("enrol", "send", "log", "show", "cancel", "book", "who", "status", "receipt", "verify"):
        said = cli("help", verb).stdout
        assert said.startswith(f"usage: sealpost {verb}") and all(len(line) <= 80 for line in said.splitlines()), said
        assert said == cli(verb, "--help").stdout == cli(verb, "-h").stdout == cli(verb, "x", "--help").stdout
    assert not peerd.asked


def test_gui21_options_stand_anywhere(cli, peerd):
    peerd.answers["GET", "/v1/log"] = {"events": [event()]}
    assert json.loads(cli("log", "--json", "-n5").stdout)["id"] == ID
    done = subprocess.run([cli.program, "log", "--home", peerd.home, "--number=7"], check=True, capture_output=True, env=cli.env)
    assert b"pictures" in done.stdout and peerd.asked[-1][2]["limit"] == ["7"]


# ---- sending ----
def test_gui21_an_order_says_what_the_words_said(cli, peerd, tmp_path):
    peerd.answers["POST", "/v1/send"] = {"events": [event(), event(id="01a2113b-0000-7681-87d1-72ea6e9dc0ad")], "last": 1}
    (tmp_path / "a b").write_text("x")
    (tmp_path / "-n").write_text("x")
    os.symlink("nowhere", tmp_path / "link")
    odd = os.fsencode(tmp_path) + b"/\xff"
    with open(odd, "w", encoding="utf-8") as f:
        f.write("x")
    done = cli("send", "--no-wait", "a b", "--to", "bob@post.example", "--to=carol@post.example", "--to=bob@post.example", "-m", "hi",
               "--title=t", "--receipt", "none", "--address", "h:1", "link", "/etc", "--", "-n", os.fsdecode(b"\xff"), cwd=tmp_path)
    assert done.stdout.splitlines() == [f"{ID} to {PEER}", f"01a2113b-0000-7681-87d1-72ea6e9dc0ad to {PEER}"]
    assert peerd.asked[-1][3] == {
        "to": ["bob@post.example", "carol@post.example"], "message": "hi", "title": "t", "receipt": "none", "address": "h:1",
        "paths": [f"{tmp_path}/a b", f"{tmp_path}/link", "/etc", f"{tmp_path}/-n", {"hex": odd.hex()}]}
    assert len(cli.json("send", "--no-wait", "--to", "bob@post.example", "/etc")) == 2
    asked = len(peerd.asked)
    assert "/no/such: No such file" in cli("send", "--to", "bob@post.example", "/etc", "/no/such", want=1).stderr
    for words in (["--to", os.fsdecode(b"\xff@x")], ["--to", "x@post.example", "-m", os.fsdecode(b"\xff")]):
        cli("send", *words, "/etc", want=1)
    assert len(peerd.asked) == asked


def test_gui21_sending_is_followed_to_its_end(sending, peerd, cli, tmp_path):
    receipt = str(tmp_path / "it's.receipt")
    rows = [{"last": 11, "rows": [row(11, "asks the recipient", event(state="OFFERING"))]}, {"last": 11, "rows": []},
            {"last": 13, "rows": [row(12, None, event()), row(13, "sends", event())]},
            {"last": 14, "rows": [row(14, "delivered", ended("delivered", receipt_file=receipt))]}]
    peerd.answers["GET", f"/v1/event/{ID}"] = event()
    done = sending(list(rows))
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"{PEER}: asks the recipient", f"{PEER}: sends"]
    assert lines[2].startswith(f"delivered to {PEER}: 3 files, 1.0 MB in 0:0")
    assert lines[3:] == [f"  receipt: {receipt}",
                         f"  check it: sealpost --home {peerd.home} verify '{tmp_path}/it'\\''s.receipt'"]
    assert [a[2]["after"] for a in peerd.asked if a[1] == "/v1/events"] == [["10"], ["11"], ["11"], ["13"]]
    assert peerd.asked[-1][2]["id"] == [ID]     # rows of this event only
    done = sending(list(rows), "--json")
    assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [11, 12, 13, 14]


@pytest.mark.parametrize("result,number,want,words", [
    ("refused", 91, 3, f"refused by {PEER}\n"), ("failed", 10, 1, f"failed: nothing was delivered to {PEER}\n"),
    ("failed", 94, 4, "failed: nothing"), ("cancelled", 17, 1, "cancelled: nothing"),
    ("incomplete", 75, 1, f"incomplete: delivered, but for files that changed, to {PEER}: 3 files")])
def test_gui21_exit_statuses_of_deliveries(sending, result, number, want, words):
    reason = {"name": "X", "number": number, "text": "the reason", "advice": "the advice"}
    done = sending([{"last": 11, "rows": [row(11, result, ended(result, reason=reason))]}], want=want)
    assert words in done.stdout and "  the reason\n  the advice\n" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("delivered,want,words", [("whole", 0, f"delivered to {PEER}: 3 files"),
                                                  ("incomplete", 1, f"incomplete: delivered, but for files that changed, to {PEER}")])
def test_rc13_a_postmark_that_is_late_is_not_waited_for(sending, peerd, delivered, want, words):
    late = event(state="POSTMARK_LATE", receipt="postmarked", receipt_file="/r", delivered=delivered,
                 reason={"name": "CONNECT", "number": 10, "text": "cannot connect"})
    rows = [{"last": 11, "rows": [row(11, "waits for the postmark", event(state="POSTMARKING", delivered=delivered))]},
            {"last": 12, "rows": [row(12, "delivered; the postmark follows: cannot connect", late)]}]
    done = sending(list(rows), want=want)
    assert words in done.stdout and "  the postmark follows when certd is back" in done.stdout and "  receipt: /r\n" in done.stdout
    assert done.stdout.count("cannot connect") == 0
    lines = sending(list(rows), "--json", want=want).stdout.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["POSTMARKING", "POSTMARK_LATE"]


def test_tx16_the_worst_of_several_counts(cli, peerd):
    ids = [f"01a2113a-bdb3-7681-87d1-00000000000{n}" for n in range(3)]
    events = [event(id=i, peer=f"p{n}/d@post.example") for n, i in enumerate(ids)]
    ends = [ended("delivered", id=ids[0]), ended("refused", id=ids[1]), ended("failed", id=ids[2])]
    peerd.answers["POST", "/v1/send"] = {"events": events, "last": 1}
    for order in (ends, ends[::-1]):
        peerd.answers["GET", "/v1/events"] = [{"last": n, "rows": [row(n, "ends", e), row(n, "other", event(id="f" * 36))]}
                                              for n, e in enumerate(order, 2)]
        done = cli("send", "--to", "p@post.example", "/etc/hosts", want=3)
        assert "id" not in peerd.asked[-1][2] and "other" not in done.stdout
        assert all(words in done.stdout for words in ("delivered to", "refused by", "failed: "))


def test_rows_that_were_missed_are_asked_for(sending, peerd):
    peerd.answers["GET", f"/v1/event/{ID}"] = ended("delivered")
    assert "delivered to" in sending([{"last": 99, "gap": True, "rows": []}]).stdout
    done = sending([{"last": 99, "gap": True, "rows": []}], "--json")
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) == 1 and said[0]["id"] == ID and said[0]["event"]["result"] == "delivered"


def test_peerd_gone_in_mid_wait_may_come_back(cli, peerd, tmp_path):
    peerd.answers["POST", "/v1/send"] = {"events": [event()], "last": 10}
    peerd.answers["GET", "/v1/events"] = GONE
    peerd.answers["GET", f"/v1/event/{ID}"] = [GONE, (503, error("BUSY", 12, "peerd is starting")), event(), ended("delivered")]
    running = cli.start("send", "--to", "bob@post.example", "/etc/hosts")
    time.sleep(0.5)
    peerd.stop()
    time.sleep(2)
    assert running.poll() is None
    peerd.answers["GET", "/v1/events"] = [{"last": 5, "gap": True, "rows": []}]
    peerd.start()
    out, err = running.communicate(timeout=30)
    assert running.returncode == 0 and "delivered to" in out and err == ""


def test_gui21_peerd_gone_for_good_in_mid_wait_is_5(cli, peerd):
    def go(_query, _body):
        threading.Thread(target=peerd.stop).start()
        return GONE
    peerd.answers["POST", "/v1/send"] = {"events": [event()], "last": 10}
    peerd.answers["GET", "/v1/events"] = go
    begin = time.monotonic()
    done = cli("send", "--to", "bob@post.example", "/etc/hosts", want=5)
    assert "peerd is not running" in done.stderr and "it goes on as soon as peerd runs" in done.stderr
    assert time.monotonic() - begin > 5    # it was waited for


def test_answers_without_sense_end_the_waiting(sending):
    for answer in ({}, {"rows": []}, {"last": 1, "rows": 3}, (200, b"x")):
        assert "makes no sense" in sending([answer], want=1).stderr


def test_gui21_ctrl_c_while_nothing_happens(cli, peerd):
    asked, answered = threading.Event(), threading.Event()

    def wait(_query, _body):
        asked.set()
        answered.wait(60)
        return {"last": 10, "rows": []}
    peerd.answers["POST", "/v1/send"] = {"events": [event()], "last": 10}
    peerd.answers["GET", "/v1/events"] = wait
    running = cli.start("send", "--to", "bob@post.example", "/etc/hosts")
    assert asked.wait(30)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=40)
    still_waiting = not answered.is_set()
    answered.set()
    assert still_waiting and running.returncode == -signal.SIGINT, err
    assert out == "" and "peerd goes on with it" in err and "sealpost cancel 01a2113a-bdb3\n" in err


# ---- receipts of events ----
def test_receipts_by_id(cli, peerd, tmp_path):
    peerd.answers["GET", "/v1/event/0123"] = event()
    assert "no receipt" in cli("receipt", "show", "0123", want=1).stderr
    odd = os.fsencode(tmp_path) + b"/\xff\\.receipt"
    with open(odd, "wb") as f:
        f.write(b"not a receipt")
    peerd.answers["GET", "/v1/event/0123"] = ended("delivered", receipt_file=f"{tmp_path}/\\xff\\\\.receipt")
    assert "NOT good" in cli("receipt", "show", "0123", want=1).stderr
    assert cli.json("receipt", "show", "0123", want=1)[0]["error"]["text"].count("NOT good") == 1
