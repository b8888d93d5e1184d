"""The session in README.md: what stands there is what the command prints, but for names, numbers and times."""

import os
import re

import pytest
from conftest import SOURCE, retire
from test_cli import in_terminal, screen_lines

MASKS = [(r"/\S*/receipts/", ""), (r"/\S*/(?=pictures)", "~/"), (r"\b[0-9a-f]{8}-(…|[0-9a-f]{4}(-[0-9a-f-]{22})?)", "ID"),
         (r"--home \S+ ", ""), (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\dZ)?", "TIME"), (r"[\d.]+ [kMGT]?B", "SIZE"), (r"\[[#-]+\]", "BAR"),
         (r"\b\d+:\d\d\b", "SPAN"), (r"\d+", "N"), (r" +", " ")]


def masked(lines):
    """Lines without what differs from one delivery to the next."""
    out = []
    for line in lines:
        for what, name in MASKS:
            line = re.sub(what, name, line)
        if line.strip():
            out.append(line.rstrip())
    return out


def picture():
    """README's session: the command's verb -> the lines below it."""
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as f:
        session = re.search(r"^```\n(\$ sealpost .*?)^```$", f.read(), re.M | re.S).group(1)
    return {part.split()[0]: masked(part.splitlines()[1:]) for part in session.split("$ sealpost ")[1:]}


@pytest.fixture
def pair(paid_office):
    """Two stations, of which the first is not enrolled yet."""
    office = paid_office
    a, b = office.station("ann", enrol=False), office.station("ben")
    yield a, b
    retire(office, a)
    retire(office, b)


def session(office, a, b, folder):
    """The same session, really held: the command's verb -> the lines below it."""
    shown = {"enrol": a.sealpost("enrol", office.invite(a.person, a.station)).stdout.splitlines()}
    b.sealpost("book", "add", a.name)
    shown["book"] = a.sealpost("book", "add", b.name, "--address", b.address).stdout.splitlines()
    account = office.open_account(a.person, 100)
    for verb, words in (("credits", ["add", "25", "--account", account]),
                        ("send", ["--to", b.name, "-m", "The pictures", str(folder)]), ("log", [])):
        status, text = in_terminal(a, [verb, *words], 100)
        assert status == 0, text
        shown[verb] = screen_lines(text)
    shown["verify"] = a.sealpost("verify", a.json("log")[0]["receipt_file"], str(folder)).stdout.splitlines()
    return shown


def test_gui21_the_session_in_the_readme_is_what_the_command_prints(paid_office, pair, tmp_path):
    a, b = pair
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "large").write_bytes(os.urandom(300_000_000))
    (folder / "small").write_text("x")
    shown, wanted = session(paid_office, a, b, folder), picture()
    assert list(wanted) == list(shown)
    for verb, lines in wanted.items():
        names = ((b.full_name, "bob/desktop@post.example"), (a.full_name, "alice/laptop@post.example"), (b.name, "bob@post.example"))
        there = shown[verb]
        for name, called in names:
            there = [line.replace(name, called) for line in there]
        there = masked(there)
        assert [line for line in lines if line not in there] == [], (verb, there)
        assert verb in ("credits", "send") or len(lines) == len(there), (verb, lines, there)
