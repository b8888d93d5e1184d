"""The sealpost command as its users meet it: help, errors, exit statuses, terminals and pipes, JSON."""

import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import fcntl
import time

import pytest
from conftest import SOURCE
from test_delivery import deliver, wait_for

NO_TERMINALS = "explained: this machine has no pseudo-terminals"
VERBS = ["enrol", "send", "log", "show", "cancel", "book", "who", "status", "receipt", "verify"]


def in_terminal(station, words, columns, env=None, stop_after=None):
    """Runs the command in a pseudo-terminal; (exit status, everything it wrote)."""
    try:
        master, slave = pty.openpty()
    except OSError as e:
        pytest.skip(f"{NO_TERMINALS} ({e})")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([station.office.program("peerd/cli/sealpost"), "--home", station.home, *words], stdin=slave,
                             stdout=slave, stderr=slave, start_new_session=True,
                             env={**station.office.daemon_env(), "TERM": "xterm", **(env or {})})
    os.close(slave)
    out, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if stop_after is not None and stop_after in out:
            os.kill(child.pid, signal.SIGINT)
            stop_after = None
        if select.select([master], [], [], 0.2)[0]:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            out += part
        elif child.poll() is not None:
            break
    status = child.wait(10)
    os.close(master)
    return status, out.decode("utf-8", "replace")


def screen_lines(text):
    """What stood on lines of the terminal: redrawn lines one by one, without colours."""
    text = re.sub(r"\x1b\[[0-9;]*[mK]", "", text.replace("\r\n", "\n"))
    return [part for line in text.split("\n") for part in line.split("\r")]


def test_gui21_every_verb_has_help_a_page_and_completion(pair):
    a, _ = pair
    helped = a.sealpost("--help").stdout
    with open(os.path.join(SOURCE, "docs", "man", "sealpost.1"), encoding="utf-8") as f:
        page = f.read().replace("\\-", "-")
    with open(os.path.join(SOURCE, "peerd", "cli", "sealpost.bash"), encoding="utf-8") as f:
        completion = f.read()
    assert re.findall(r"^  (\w+) ", helped, re.M) == VERBS
    for verb in VERBS:
        more = a.sealpost(verb, "--help").stdout
        assert more.startswith(f"usage: sealpost {verb}")
        assert re.search(rf"^\.B[RI]? \"?{verb}\b", page, re.M), f"{verb} is not in sealpost.1"
        assert re.search(rf"\b{verb}\b", completion)
        for option in re.findall(r"--[a-z][a-z-]+", more):
            assert option in page and option in completion, option


@pytest.mark.parametrize("words", [[], ["nonsense"], ["--nonsense"], ["send"], ["send", "--to", "x@post.example"],
                                   ["send", "--to"], ["send", "/etc/hosts"], ["log", "--sent", "--received"], ["log", "extra"],
                                   ["show"], ["cancel", "a", "b"], ["book", "add"], ["book", "nonsense"], ["who"],
                                   ["status", "extra"], ["receipt"], ["receipt", "show"], ["verify"], ["enrol"],
                                   ["log", "--nonsense"]])
def test_gui21_wrong_usage_is_2_and_says_how(pair, words):
    done = pair[0].sealpost(*words, check=False)
    assert done.returncode == 2 and ("usage:" in done.stderr or "--help" in done.stderr) and done.stdout == ""


def test_gui21_without_peerd_it_is_5_and_says_how_to_start_it(pair):
    a, _ = pair
    a.daemon.stop()
    for words in (["status"], ["log"], ["send", "--to", "x@post.example", "/etc/hosts"], ["book"], ["who", "x@post.example"]):
        done = a.sealpost(*words, check=False)
        assert done.returncode == 5 and "peerd" in done.stderr and a.home in done.stderr


def test_gui21_json_of_every_verb_is_an_object_a_line(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    rows = a.json("send", "--to", b.name, str(tmp_path / "f"))
    assert rows[-1]["state"] == "DELIVERED" and all("seq" in r for r in rows)
    event = a.json("log")[0]
    for words in (["status"], ["show", event["id"]], ["book", "list"], ["who", b.full_name], ["receipt", "show", event["id"]],
                  ["verify", event["receipt_file"]], ["send", "--no-wait", "--to", b.name, str(tmp_path / "f")]):
        found = a.json(*words)
        assert len(found) == 1 and isinstance(found[0], dict), words


def test_gui21_terminals_are_never_overrun(pair, tmp_path):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(60_000_000))
    for columns in (40, 100):
        status, text = in_terminal(a, ["send", "--to", b.name, "--title", "a title of some length", str(tmp_path / "big")], columns)
        assert status == 0
        bars = [line for line in screen_lines(text) if "%" in line and "/s" in line]
        assert bars, "no progress was shown"
        assert columns < 80 or any("[#" in line or "[-" in line for line in bars), bars
        assert all(len(line) < columns for line in bars), max(bars, key=len)
        assert "\x1b[3" in text
        status, text = in_terminal(a, ["log"], columns)
        assert status == 0 and all(len(line) <= columns for line in screen_lines(text)), text


def test_gui21_no_colours_when_not_wanted_and_none_in_pipes(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    _, text = in_terminal(a, ["send", "--to", b.name, str(tmp_path / "f")], 80, env={"NO_COLOR": "1"})
    assert "\x1b[3" not in text
    piped = a.sealpost("send", "--to", b.name, str(tmp_path / "f"))
    assert "\x1b" not in piped.stdout + piped.stderr and "delivered to" in piped.stdout


def test_gui21_ctrl_c_leaves_it_to_peerd(pair, tmp_path):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(200_000_000))
    status, text = in_terminal(a, ["send", "--to", b.name, str(tmp_path / "big")], 80, stop_after=b"asks the recipient")
    assert status == -signal.SIGINT and "peerd goes on with it" in text
    wait_for(lambda: not a.json("log", "--pending"), 120)
    assert a.json("log")[0]["result"] == "delivered"


def test_foreign_texts_cannot_drive_the_terminal(pair, tmp_path):
    a, b = pair
    evil = tmp_path / "evil\x1b]0;owned\x07\x1b[31m.txt"
    evil.write_text("x")
    _, received = deliver(a, b, evil, words=["-m", "hi\x1b[2J\x07there"])
    for words in (["log"], ["show", received["id"]]):
        text = b.sealpost(*words).stdout
        assert "\x1b" not in text and "\x07" not in text
    assert "hi\\x1b[2J\\x07there" in b.sealpost("show", received["id"]).stdout
    bad = a.sealpost("send", "--to", b.name, "--title", "x\x1by", str(evil), check=False)
    assert bad.returncode == 1 and "title" in bad.stderr + bad.stdout


def test_pk16_a_path_of_any_bytes(pair, tmp_path):
    a, b = pair
    odd = os.path.join(os.fsencode(str(tmp_path)), b"\xff\xfe odd")
    with open(odd, "wb") as f:
        f.write(b"odd")
    done = subprocess.run([os.fsencode(a.office.program("peerd/cli/sealpost")), b"--home", os.fsencode(a.home), b"send", b"--to",
                           os.fsencode(b.name), odd], check=True, capture_output=True, env=a.office.daemon_env())
    assert b"delivered" in done.stdout
    placed = b.json("log", "--received")[0]["placed"]
    assert os.listdir(os.fsencode(placed)) == [b"\xff\xfe odd"]


def test_tx16_several_recipients_at_once_and_the_worst_counts(office, pair, tmp_path):
    a, b = pair
    c = office.station("carol")
    try:
        office.introduce("carol", os.path.basename(a.home))
        (tmp_path / "f").write_text("x")
        done = a.sealpost("send", "--to", b.name, "--to", c.name, str(tmp_path / "f"))
        assert done.stdout.count("delivered to") == 2
        c.sealpost("book", "rm", a.name)
        mixed = a.sealpost("send", "--to", b.name, "--to", c.name, str(tmp_path / "f"), check=False)
        assert mixed.returncode == 3 and "delivered to" in mixed.stdout and "refused" in mixed.stdout
    finally:
        from conftest import retire
        retire(office, c)


def test_bk14_unknown_and_impossible_names_are_refused_in_plain_words(pair, tmp_path):
    a, _ = pair
    (tmp_path / "f").write_text("x")
    stranger = a.sealpost("send", "--to", "stranger@post.example", str(tmp_path / "f"), check=False)
    assert stranger.returncode == 1 and "not in your book" in stranger.stderr and "book add" in stranger.stderr
    for name in ("no-name", "Upper@post.example", "a b@post.example", "@post.example"):
        bad = a.sealpost("book", "add", name, check=False)
        assert bad.returncode == 1 and "no name" in bad.stderr, bad.stderr
    missing = a.sealpost("send", "--to", "stranger@post.example", "/no/such/file", check=False)
    assert missing.returncode == 1 and "/no/such/file" in missing.stderr


def test_sys17_bad_settings_say_file_and_line(office, tmp_path):
    conf = tmp_path / "peerd.conf"
    for text, words in (("port = 70000;\n", "port"), ("\nnonsense = 1;\n", "nonsense"), ("port = ;\n", "peerd.conf:1"),
                        ("chunk = 1;\n", "chunk")):
        conf.write_text(text)
        done = subprocess.run([office.program("peerd/peerd"), "--home", str(tmp_path), "--check-config"], check=False,
                              capture_output=True, text=True, env=office.daemon_env())
        assert done.returncode == 1 and "peerd.conf:" in done.stderr and words in done.stderr, done.stderr


def test_sys17_a_home_serves_one_peerd_and_its_path_has_a_limit(pair, tmp_path):
    a, _ = pair
    second = subprocess.run([a.office.program("peerd/peerd"), "--home", a.home], check=False, capture_output=True, text=True,
                            env=a.office.daemon_env(), timeout=20)
    assert second.returncode == 1 and "another peerd is running" in second.stderr
    long = str(tmp_path / ("x" * 100) / ("y" * 100))
    done = subprocess.run([a.office.program("peerd/peerd"), "--home", long], check=False, capture_output=True, text=True,
                          env=a.office.daemon_env(), timeout=20)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr


def test_sys17_stopping_by_signal_leaves_nothing_damaged(pair, tmp_path):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(100_000_000))
    a.sealpost("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))
    time.sleep(0.3)
    assert a.daemon.stop() and b.daemon.stop(), "it did not go by itself"
    a.start()
    b.start()
    wait_for(lambda: not a.json("log", "--pending"), 120)
    assert json.dumps(a.json("log")[0]["result"]) == '"delivered"'
