"""TAB in a real bash, with the sealpost command's completion and a peerd that knows some names and events."""

import os
import pty
import re
import select
import shlex
import subprocess
import time

import pytest
from conftest import SOURCE, _build
from fake_peerd import ID, FakePeerd, event

NO_TERMINALS = "explained: this machine has no pseudo-terminals"


class Shell:
    """An interactive bash that has read the completion."""

    def __init__(self, folder):
        try:
            self.master, slave = pty.openpty()
        except OSError as e:
            pytest.skip(f"{NO_TERMINALS} ({e})")
        env = {"PATH": os.path.join(_build("SP_BUILD", "build-check"), "peerd/cli") + ":/usr/bin:/bin", "TERM": "dumb", "LANG": "C.UTF-8",
               "HOME": str(folder), "INPUTRC": "/dev/null"}
        self.child = subprocess.Popen(["bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave, env=env,
                                      cwd=folder, start_new_session=True)
        os.close(slave)
        script = os.path.join(SOURCE, "peerd", "cli", "sealpost.bash")
        self.type(f"bind 'set bell-style none'; bind 'set enable-bracketed-paste off'; . {shlex.quote(script)}; "
                  f"s() {{ printf '<%s>' \"$@\"; echo; }}; PS1='ready''> '\n")
        self.read_until("ready> ")

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, words, seconds=20):
        out, end = "", time.monotonic() + seconds
        while words not in out and time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                out += os.read(self.master, 65536).decode("utf-8", "replace")
        assert words in out, out
        return out

    def complete(self, line):
        """The line after TAB, as the words that bash then has; the command itself is not run."""
        self.type(line + "\t\x01s \x05\n")     # TAB; to the beginning: s in front; to the end; go
        out = self.read_until(">\r\n")
        return re.findall(r"<([^<>]*)>", out[out.rindex("\n<"):])

    def close(self):
        self.child.kill()
        self.child.wait()
        os.close(self.master)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    peerd = FakePeerd(folder / "h")
    peerd.start()
    stations = [{"name": "bob/desktop@post.example"}]
    peerd.answers["GET", "/v1/book"] = {"entries": [
        {"name": "bob@post.example", "address": None, "added": None, "stations": stations},
        {"name": "carol@post.example", "address": None, "added": None, "stations": []}]}
    peerd.answers["GET", "/v1/log"] = {"events": [event()]}
    (folder / "a file.txt").write_text("x")
    (folder / "folder").mkdir()
    s = Shell(folder)
    yield s
    s.close()
    peerd.stop()


@pytest.mark.parametrize("line,words", [
    ("sealpost sen", ["sealpost", "send"]),
    ("sealpost --js", ["sealpost", "--json"]),
    ("sealpost help rec", ["sealpost", "help", "receipt"]),
    ("sealpost --home fol", ["sealpost", "--home", "folder/"]),
    ("sealpost --home h send --to car", ["sealpost", "--home", "h", "send", "--to", "carol@post.example"]),
    ("sealpost --home h send --to carol@po", ["sealpost", "--home", "h", "send", "--to", "carol@post.example"]),
    ("sealpost --home h send --to=carol@po", ["sealpost", "--home", "h", "send", "--to=carol@post.example"]),
    ("sealpost --home h send --to bob/desktop@", ["sealpost", "--home", "h", "send", "--to", "bob/desktop@post.example"]),
    ("sealpost --home h who carol@", ["sealpost", "--home", "h", "who", "carol@post.example"]),
    ("sealpost --home h book rm ca", ["sealpost", "--home", "h", "book", "rm", "carol@post.example"]),
    ("sealpost book li", ["sealpost", "book", "list"]),
    ("sealpost send --to x --no-", ["sealpost", "send", "--to", "x", "--no-wait"]),
    ("sealpost send --to x a\\ f", ["sealpost", "send", "--to", "x", "a file.txt"]),
    ("sealpost send --receipt di", ["sealpost", "send", "--receipt", "direct"]),
    ("sealpost --home h show 01", ["sealpost", "--home", "h", "show", ID]),
    ("sealpost --home h cancel 01", ["sealpost", "--home", "h", "cancel", ID]),
    ("sealpost --home h receipt show 01", ["sealpost", "--home", "h", "receipt", "show", ID]),
    ("sealpost receipt show --op", ["sealpost", "receipt", "show", "--openssl"]),
    ("sealpost verify 'a f", ["sealpost", "verify", "a file.txt"]),
    ("sealpost log --fa", ["sealpost", "log", "--failed"]),
    ("sealpost --home /no/such show 0", ["sealpost", "--home", "/no/such", "show", "0"]),
])
def test_gui21_tab(shell, line, words):
    assert shell.complete(line) == words


def test_gui21_tab_with_a_home_below_that_of_the_user(shell):
    assert shell.complete("sealpost --home ~/h who car")[-1] == "carol@post.example"
