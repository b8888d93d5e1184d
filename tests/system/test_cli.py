"""The sealpost command as its users meet it: help, errors, exit statuses, terminals and pipes, JSON."""

import contextlib
import fcntl
import filecmp
import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import termios
import time

import pytest
from conftest import SOURCE, retire
from test_delivery import deliver, wait_for

NO_TERMINALS = "explained: this machine has no pseudo-terminals"
VERBS = ["enrol", "send", "log", "show", "cancel", "retry", "accept", "refuse", "book", "credits", "who", "status", "receipt",
         "verify"]


def in_terminal(station, words, columns, env=None, stop_after=None, typed=b""):
    """Runs the command in a pseudo-terminal, with typed as its input; (exit status, everything it wrote)."""
    try:
        master, slave = pty.openpty()
    except OSError as e:
        pytest.skip(f"{NO_TERMINALS} ({e})")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([station.office.program("peerd/cli/sealpost"), "--home", station.home, *words], stdin=slave,
                             stdout=slave, stderr=slave, start_new_session=True,
                             env={**station.office.daemon_env(), "TERM": "xterm", **(env or {})})
    os.close(slave)
    os.write(master, typed)
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
        page = re.sub(r"\\f[BIR]", "", f.read().replace("\\-", "-"))
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
        for letter in re.findall(r"^ +(-[a-z]), --", more, re.M):
            assert re.search(rf"[ \"([]{letter}\b", page) and re.search(rf"\s{letter}\b", completion), letter
    for option in re.findall(r"^  (--[a-z-]+)", helped, re.M):
        assert option in page and option in completion, option
    for number, words in re.findall(r"(\d) ([^,.]+)[,.]", helped[helped.index("Exit status:"):]):
        assert re.search(rf"^\.TP\n{number}\n.*{words.split()[-1]}", page, re.M), f"exit status {number} is not in sealpost.1"


def test_gui21_the_page_is_well_formed():
    if shutil.which("man") is None:
        pytest.skip("explained: this machine has no man")
    page = os.path.join(SOURCE, "docs", "man", "sealpost.1")
    done = subprocess.run(["man", "--warnings=w", "-l", page], check=True, capture_output=True, text=True,
                          env={**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert done.stderr == "" and "EXIT STATUS" in done.stdout, done.stderr


def complete(station, line):
    """What bash offers behind this line, as it would call the completion."""
    script = f"""
        . "{os.path.join(SOURCE, "peerd", "cli", "sealpost.bash")}"
        compopt() {{ :; }}
        COMP_LINE=$1 COMP_POINT=${{#1}}
        COMP_WORDS=($1) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        [[ $1 == *" " ]] && COMP_WORDS+=("") && ((++COMP_CWORD))
        _sealpost
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    program = os.path.dirname(station.office.program("peerd/cli/sealpost"))
    env = {**station.office.daemon_env(), "PATH": program + ":" + os.environ["PATH"]}
    done = subprocess.run(["bash", "-u", "-c", script, "bash", line], check=True, capture_output=True, text=True, env=env)
    assert done.stderr == "", done.stderr
    return done.stdout.split()


def test_gui21_bash_completes_verbs_options_names_and_ids(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    event, _ = deliver(a, b, tmp_path / "f")
    home = f"sealpost --home {a.home}"
    assert set(VERBS) <= set(complete(a, "sealpost "))
    assert complete(a, "sealpost sta") == ["status"]
    for verb in VERBS:
        options = set(re.findall(r"--[a-z][a-z-]+", a.sealpost(verb, "--help").stdout)) - {"--help"}
        if verb == "book":
            assert set(complete(a, "sealpost book ")) >= {"add", "rm", "list"}
        line = {"book": "sealpost book add --", "credits": "sealpost credits add --",
                "receipt": "sealpost receipt show --"}.get(verb, f"sealpost {verb} --")
        assert options | {"--json", "--home"} <= set(complete(a, line)), line
    # bash breaks words at @: what stands before it is there already
    person = b.name.split("@", maxsplit=1)[0]
    for words in ("send --to ", "who ", "book rm "):
        assert b.name in complete(a, f"{home} {words}{person[:3]}"), words
    assert complete(a, f"{home} show {event['id'][:6]}") == [event["id"]]
    assert complete(a, f"{home} cancel {event['id'][:6]}") == []
    assert complete(a, f"{home} send --receipt d") == ["direct"]
    assert complete(a, f"sealpost --home {tmp_path} who ") == ["--home", "--json", "--help"]


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
        assert done.returncode == 5 and f"peerd is not running for {a.home}" in done.stderr and done.stdout == ""
        start = re.search(r"^  start it: (peerd .*) &$", done.stderr, re.M).group(1)
    # what it says to do helps
    env = {**a.office.daemon_env(), "PATH": os.path.dirname(a.office.program("peerd/peerd")) + ":" + os.environ["PATH"]}
    with subprocess.Popen(["sh", "-c", "exec " + start], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as again:
        try:
            wait_for(a.ready)
        finally:
            again.terminate()
            assert again.wait(20) == 0


def test_gui21_json_of_every_verb_is_an_object_a_line(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    rows = a.json("send", "--to", b.name, str(tmp_path / "f"))
    assert rows[-1]["state"] == "DELIVERED" and all("seq" in r for r in rows)
    event = a.json("log")[0]
    for words in (["status"], ["show", event["id"]], ["book", "list"], ["who", b.full_name], ["receipt", "show", event["id"]],
                  ["verify", event["receipt_file"]], ["send", "--no-wait", "--to", b.name, str(tmp_path / "f")],
                  ["book", "rm", b.name], ["book", "add", b.name, "--address", b.address],
                  ["receipt", "show", event["receipt_file"]]):
        found = a.json(*words)
        assert len(found) == 1 and isinstance(found[0], dict), words
    wait_for(lambda: not a.json("log", "--pending"))
    assert [r["result"] for r in a.json("log")] == ["delivered"] * 2
    checked = a.json("verify", event["receipt_file"], str(tmp_path / "f"))
    assert len(checked) == 2 and checked[0]["good"] is True
    for words, name in ((["cancel", event["id"]], "NOTFOUND"), (["show", "0123"], "NOTFOUND"),
                        (["send", "--to", "stranger@post.example", str(tmp_path / "f")], "NOKEY")):
        failed = a.json(*words, check=False)
        assert len(failed) == 1 and failed[0]["error"]["name"] == name, (words, failed)


def fields(value):
    """Every name in a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(fields, value.values()))
    return set().union(*map(fields, value)) if isinstance(value, list) else set()


def test_gui21_the_interface_is_described_whole(pair, tmp_path):
    a, b = pair
    with open(os.path.join(SOURCE, "docs", "control.md"), encoding="utf-8") as f:
        described = f.read()
    (tmp_path / "f").write_text("x")
    answers = [*a.json("send", "--to", b.name, str(tmp_path / "f")), *a.json("log"), *a.json("status"), *a.json("book"),
               *a.json("who", b.name), *a.json("show", a.json("log")[0]["id"]), *a.json("show", "0123", check=False)]
    b.daemon.stop()
    answers += a.json("who", b.full_name, check=False)
    missing = sorted(name for name in fields(answers) if f'"{name}"' not in described and f"`{name}`" not in described)
    assert not missing


def test_gui21_json_of_enrolling_and_cancelling(office, pair, tmp_path):
    a, b = pair
    c = office.station("carla", enrol=False)
    try:
        assert c.json("status")[0]["enrolled"] is False
        refused = c.json("enrol", "sealpost:nonsense", check=False)
        assert len(refused) == 1 and "error" in refused[0]
        enrolled = c.json("enrol", office.invite(c.person, c.station))
        assert len(enrolled) == 1 and enrolled[0]["name"] == c.full_name
    finally:
        retire(office, c)
    b.daemon.stop()
    (tmp_path / "f").write_text("x")
    event = a.json("send", "--no-wait", "--to", b.name, str(tmp_path / "f"))[0]
    wait_for(lambda: a.json("show", event["id"])[0]["state"] != "WALKING")
    cancelled = a.json("cancel", event["id"])
    assert len(cancelled) == 1 and cancelled[0]["id"] == event["id"]
    wait_for(lambda: a.json("show", event["id"])[0]["result"] == "cancelled")


def test_gui21_terminals_are_never_overrun(pair, tmp_path):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(200_000_000))
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
    (tmp_path / "f").write_text("x")
    b.daemon.stop()    # so that it cannot end by itself before the signal comes
    status, text = in_terminal(a, ["send", "--to", b.name, str(tmp_path / "f")], 80, stop_after=b"asks the recipient")
    assert status == -signal.SIGINT and "peerd goes on with it" in text
    b.start()
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
    for title in ("x\x1by", "x\ny", "x\u009b31my", "x\x7f"):
        bad = a.sealpost("send", "--to", b.name, "--title", title, str(evil), check=False)
        assert bad.returncode == 1 and "the title can have no" in bad.stderr and bad.stdout == ""
    # signs that turn the direction of writing may stand in a title, but do not reach the terminal
    _, received = deliver(a, b, evil, words=["--title", "x\u202egpj.exe"])
    for words in (["log"], ["show", received["id"]]):
        assert "\u202e" not in b.sealpost(*words).stdout and "x\\xe2\\x80\\xaegpj.exe" in b.sealpost(*words).stdout


def test_a_title_that_is_hostile_is_printed_safely(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    _, received = deliver(a, b, tmp_path / "f", words=["--title", "to be replaced"])
    b.daemon.stop()
    # no peerd of ours sends such a title, nor takes it: the command must not rely on that
    with contextlib.closing(sqlite3.connect(b.path("peer.db"))) as db, db:
        changed = db.execute("UPDATE event SET title = ? WHERE title = ?", ("\x1b]0;owned\x07\x1b[2J\u009b31m\nnext", "to be replaced"))
        assert changed.rowcount == 1
    b.start()
    assert b.json("log")[0]["title"] == "\\x1b]0;owned\\x07\\x1b[2J\\xc2\\x9b31m\nnext", "programs get it raw"
    for words in (["log"], ["show", received["id"]]):
        for text in (b.sealpost(*words).stdout, re.sub(r"\x1b\[[0-9;]*[mK]", "", in_terminal(b, words, 100)[1])):
            assert "\x1b" not in text and "\x07" not in text and "\u009b" not in text and "\nnext" not in text
            assert "\\x1b]0;owned\\x07" in text
    assert len(b.sealpost("log").stdout.splitlines()) == 2


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
        retire(office, c)


def test_tx16_progress_of_several_recipients_fits_the_terminal(office, pair, tmp_path):
    a, b = pair
    c = office.station("cleo")
    try:
        office.introduce("cleo", os.path.basename(a.home))
        (tmp_path / "big").write_bytes(os.urandom(60_000_000))
        status, text = in_terminal(a, ["send", "--to", b.name, "--to", c.name, str(tmp_path / "big")], 40)
        bars = [line for line in screen_lines(text) if "%" in line]
        assert status == 0 and text.count("delivered to") == 2
        assert any(line.startswith("2 recipients") for line in bars) and all(len(line) < 40 for line in bars), bars
    finally:
        retire(office, c)


def test_gui21_nobody_sends_to_oneself(pair, tmp_path):
    a, _ = pair
    (tmp_path / "f").write_text("x")
    assert "is this station itself" in a.sealpost("send", "--to", a.full_name, str(tmp_path / "f"), check=False).stderr
    own = a.sealpost("book", "add", a.full_name, check=False)
    assert own.returncode == 1 and own.stderr == f"sealpost: {a.full_name} is this station itself\n"
    a.sealpost("book", "add", a.name)       # she may have other stations
    done = a.sealpost("send", "--to", a.name, str(tmp_path / "f"), check=False)
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr == f"sealpost: {a.full_name} is this station itself: it cannot send to itself\n"
    assert a.json("log") == []


def test_bk14_who_was_taken_out_of_the_book_is_not_written_to(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    deliver(a, b, tmp_path / "f")
    a.sealpost("book", "rm", b.name)
    for name in (b.name, b.full_name):
        done = a.sealpost("send", "--to", name, str(tmp_path / "f"), check=False)
        assert done.returncode == 1 and f"{name} is not in your book" in done.stderr
    # one who writes in vain is known for a while, but no more in the book than before
    assert b.sealpost("send", "--to", a.name, str(tmp_path / "f"), check=False).returncode == 3
    assert a.sealpost("send", "--to", b.name, str(tmp_path / "f"), check=False).returncode == 1
    assert len(a.json("log", "--sent")) == 1


def test_gui21_what_cannot_be_is_refused_before_anything_is_ordered(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    for words, said in ((["--address", "nonsense:x"], "an address is HOST or HOST:PORT"), (["--address", "h:0"], "an address is"),
                        (["--address", "h:99999"], "an address is"), (["--title", "x" * 101], "longer than 100 bytes"),
                        (["--receipt", "nonsense"], "receipt is none, direct"), (["-m", "x" * 70_000], "send it as a file")):
        done = a.sealpost("send", "--to", b.name, *words, str(tmp_path / "f"), check=False)
        assert done.returncode == 1 and said in done.stderr and done.stdout == "", (words, done.stderr)
    for verb in ("show", "cancel"):
        for name in ("zz", "012", "0123456g", "0" * 40):
            done = a.sealpost(verb, name, check=False)
            assert done.returncode == 1 and f'"{name}" is no id' in done.stderr, done.stderr
    assert a.json("log") == []
    assert a.sealpost("send", "--to", b.name, "--address", b.address, "--title", "x" * 100, str(tmp_path / "f")).returncode == 0


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


@pytest.mark.parametrize("text,line,words", [
    ("port = 70000;\n", 1, "port is 70000, at most 65535"), ("\nnonsense = 1;\n", 2, "there is no setting nonsense"),
    ("\n\nport = ;\n", 3, "syntax error"), ("# first\nchunk = 1;\n", 2, "chunk is 1 B, at least"),
    ('port = "x";\n', 1, "must be a number"), ("port = 7325;\nport = 7326;\n", 2, "duplicate"),
    ('port = 7325;\nreceived = "/tmp\n', 3, "syntax error")])
def test_sys17_bad_settings_say_file_and_line(office, tmp_path, text, line, words):
    conf = tmp_path / "peerd.conf"
    conf.write_text(text)
    for option in (["--check-config"], []):     # looked at by hand, and at a start
        done = subprocess.run([office.program("peerd/peerd"), "--home", str(tmp_path), *option], check=False, capture_output=True,
                              text=True, env=office.daemon_env(), timeout=20)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith(f"peerd: {conf}:{line}: ") and words in done.stderr
    assert not os.path.exists(tmp_path / "control")


def test_sys17_a_home_serves_one_peerd_and_its_path_has_a_limit(pair, tmp_path):
    a, _ = pair
    second = subprocess.run([a.office.program("peerd/peerd"), "--home", a.home], check=False, capture_output=True, text=True,
                            env=a.office.daemon_env(), timeout=20)
    assert second.returncode == 1 and second.stderr == f"peerd: another peerd is running on {a.home}\n"
    assert a.json("status")[0]["ready"], "the first one was disturbed"
    for long in (str(tmp_path / ("x" * 100)), str(tmp_path / ("x" * 100) / ("y" * 100))):
        done = subprocess.run([a.office.program("peerd/peerd"), "--home", long], check=False, capture_output=True, text=True,
                              env=a.office.daemon_env(), timeout=20)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "longer than 107 bytes" in done.stderr, done.stderr
        assert not os.path.exists(long)
        done = subprocess.run([a.office.program("peerd/cli/sealpost"), "--home", long, "status"], check=False, capture_output=True,
                              text=True, env=a.office.daemon_env(), timeout=20)
        assert done.returncode == 5 and "longer than the path of a socket" in done.stderr
        assert done.stderr.endswith("\n  choose a shorter folder for --home\n") and done.stderr.count("\n") == 2


@pytest.mark.parametrize("who", ["sender", "recipient", "both"])
@pytest.mark.parametrize("after_s", [0.1, 0.4])
def test_sys17_stopping_by_signal_leaves_nothing_damaged(pair, tmp_path, who, after_s):
    a, b = pair
    (tmp_path / "big").write_bytes(os.urandom(100_000_000))
    event = a.json("send", "--no-wait", "--to", b.name, str(tmp_path / "big"))[0]
    time.sleep(after_s)
    stopped = {"sender": [a], "recipient": [b], "both": [a, b]}[who]
    for station in stopped:
        assert station.daemon.stop(), "it did not go by itself"
    for station in stopped:
        station.start()
    wait_for(lambda: not a.json("log", "--pending") and not b.json("log", "--pending"), 120)
    for station in (a, b):
        found = station.json("show", event["id"])[0]
        assert found["result"] == "delivered", found
    placed = os.path.join(b.json("log", "--received")[0]["placed"], "big")
    assert filecmp.cmp(tmp_path / "big", placed, shallow=False)
