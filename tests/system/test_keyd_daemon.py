"""keyd as a whole: its steps before the first start, enrolment, directory, roster, and what it survives."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest

import postgres
from office.process import Daemon, free_port

BUILD = os.path.abspath(os.environ.get("SP_BUILD", "."))
KEYD = os.path.join(BUILD, "keyd/keyd")
CLIENT = os.path.join(BUILD, "tests/tools/enrol_client")
SCHEMA = os.path.join(postgres.SOURCE, "keyd/schema")


class Keyd:
    """A keyd in a folder of its own, on a database of its own."""

    def __init__(self, folder, db, **settings):
        self.folder, self.db = str(folder), db
        self.port = free_port()
        self.conf = os.path.join(self.folder, "keyd.conf")
        self.state = os.path.join(self.folder, "state")
        self.settings = {"domain": "post.example", "address": f"127.0.0.1:{self.port}", "listen": f"127.0.0.1:{self.port}",
                         "state": "state", "database": db.conninfo("key_daemon"),
                         "database_owner": db.conninfo("key_owner"), "schema_dir": SCHEMA, **settings}
        self.write()
        self.daemon = Daemon("keyd", self.folder, [KEYD, "--config", self.conf])
        self.expected = set()    # events of level WARN or ERR that the test causes

    def write(self, extra=""):
        with open(self.conf, "w", encoding="utf-8") as f:
            f.writelines(f'{k} = "{v}";\n' for k, v in self.settings.items())
            f.write(extra)

    def step(self, *words, ok=True):
        done = subprocess.run([KEYD, "--config", self.conf, *words], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0) == ok, done.stderr + done.stdout
        return done.stdout if ok else done.stderr

    def start(self, **env):
        before = len(self.daemon.log())
        self.daemon.start(env)
        self.daemon.wait_until(lambda: " ready " in self.daemon.log()[before:], 30, "said that it is ready")

    def log(self):
        return self.daemon.log()

    def check_log(self):
        bad = [line for line in self.log().splitlines() if line[:3] in ("<3>", "<4>")
               and line.split(" ")[2] not in self.expected]
        assert not bad, bad
        assert "ERROR: " not in self.log() and "runtime error" not in self.log(), self.log()

    def invite(self, person, station="desk", *more):
        args = ", ".join(f"'{x}'" for x in (person, station, *more))
        return self.db.one(f"SELECT key.invite({args})", "post_admin")

    def client(self, *words, ok=True):
        done = subprocess.run([CLIENT, *words], capture_output=True, text=True, check=False, timeout=60)
        assert "ERROR: " not in done.stderr, done.stderr
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        return [line[3:] for line in lines if line.startswith("ok ")] if ok else lines[-1]

    def home(self, name):
        return os.path.join(self.folder, name)

    def enrol(self, name, token, *how, ok=True):
        got = self.client("enrol", self.home(name), token, *how, ok=ok)
        return got[0] if ok else got

    def station(self, person, station="desk"):
        name = f"{person}-{station}"
        self.enrol(name, self.invite(person, station))
        return self.home(name)


@pytest.fixture
def fresh(tmp_path):
    """Settings and an empty database."""
    k = Keyd(tmp_path, postgres.database("keyd"))
    yield k
    if k.daemon.running():
        assert k.daemon.stop(), "keyd did not end on SIGTERM"
    k.db.drop()
    k.check_log()


@pytest.fixture
def ready(fresh):
    """With root and schema, not yet started."""
    fresh.step("--init-root")
    fresh.step("--migrate")
    return fresh


@pytest.fixture
def keyd(ready):
    ready.start()
    return ready


# ---- before the first start ----

def test_init_root_makes_six_files_that_openssl_accepts(fresh):
    said = fresh.step("--init-root")
    assert "root.key: move that to a medium that stays offline" in said
    modes = {n: os.stat(os.path.join(fresh.state, n)).st_mode & 0o777 for n in os.listdir(fresh.state)}
    assert modes == {"root.key": 0o600, "issuing.key": 0o600, "keyd.key": 0o600,
                     "root.pem": 0o644, "issuing.pem": 0o644, "keyd.pem": 0o644}
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", "root.pem", "-untrusted", "issuing.pem", "keyd.pem"],
                   cwd=fresh.state, check=True, capture_output=True)
    text = subprocess.run(["openssl", "x509", "-in", "keyd.pem", "-noout", "-ext", "subjectAltName"], cwd=fresh.state,
                          check=True, capture_output=True, text=True).stdout
    assert "URI:spiffe://post.example/s/keyd/main" in text


@pytest.mark.parametrize("left", ["root.key", "root.pem", "issuing.key", "keyd.pem"])
def test_init_root_never_overwrites(fresh, left):
    fresh.step("--init-root")
    for name in os.listdir(fresh.state):
        if name != left:
            os.unlink(os.path.join(fresh.state, name))
    with open(os.path.join(fresh.state, left), "rb") as f:
        before = f.read()
    assert f"{left} is there already" in fresh.step("--init-root", ok=False)
    with open(os.path.join(fresh.state, left), "rb") as f:
        assert f.read() == before
    assert os.listdir(fresh.state) == [left]


def test_migrate_twice(ready):
    assert "was at 2, is at 2" in ready.step("--migrate")


def test_the_schema_number_in_the_program_is_that_of_the_files():
    with open(os.path.join(postgres.SOURCE, "keyd/db.h"), encoding="utf-8") as f:
        number = int(re.search(r"#define DB_SCHEMA (\d+)", f.read()).group(1))
    assert number == max(int(n[:3]) for n in os.listdir(SCHEMA) if n[0].isdigit())


def test_the_daemon_role_cannot_migrate(fresh):
    fresh.settings["database_owner"] = fresh.db.conninfo("key_daemon")
    fresh.write()
    assert "permission denied" in fresh.step("--migrate", ok=False)


def test_no_start_without_root_schema_or_their_agreement(fresh):
    fresh.expected = {"start-failed"}

    def refuses(words):
        assert words in fresh.step(ok=False)
    refuses("root.pem is not there: keyd --init-root makes it")
    fresh.step("--init-root")
    refuses("not in the database yet: run --migrate first")
    fresh.step("--migrate")
    fresh.settings["domain"] = "other.example"
    fresh.write()
    refuses("not for the domain other.example")
    fresh.settings["domain"], fresh.settings["name"] = "post.example", "two"
    fresh.write()
    refuses("not the certificate of keyd.key for keyd/two@post.example")
    fresh.settings["name"] = "main"
    fresh.write()
    fresh.db.sql("INSERT INTO key.patch (number, name, sha256) VALUES (3, '003-x.sql', sha256('x'))")
    refuses("schema key is at number 3, this program knows 2: use the newer program")


def test_no_start_on_the_database_of_another_root(ready):
    ready.start()
    ready.daemon.stop()
    shutil.rmtree(ready.state)
    ready.step("--init-root")
    ready.expected = {"start-failed"}
    assert "database belongs to domain post.example" in ready.step(ok=False)


@pytest.mark.parametrize("line,words", [
    ("nonsense = 1;", ":8: "), ("signers = 0;", ":8: signers is 0, at least 1"),
    ("database_threads = 99;", ":8: database_threads is 99, at most 16"), ("prepared = 7;", ":8: prepared"),
    ("signers = ;", ":8: ")])
def test_sys17_bad_settings_are_refused_with_file_and_line(fresh, line, words):
    fresh.write(line + "\n")
    for option in ((), ("--check-config",), ("--migrate",), ("--init-root",)):
        assert "keyd.conf" + words in fresh.step(*option, ok=False)
    assert not os.path.exists(fresh.state)


def test_settings_are_checked_and_printed_without_secrets(fresh):
    assert "valid" in fresh.step("--check-config")
    printed = fresh.step("--print-config")
    assert 'domain = "post.example";' in printed and "key_daemon" not in printed and "passfile" not in printed
    fresh.settings["address"] = "no-port"
    fresh.write()
    assert 'address "no-port" is not HOST:PORT' in fresh.step("--check-config", ok=False)


# ---- enrolment ----

def test_ky01_an_invited_station_is_certified(keyd):
    token = keyd.invite("alice", "laptop", "Acme", "SN-17", "LIC", "4711")
    said = keyd.enrol("alice", token)
    assert re.fullmatch(r"alice/laptop@post\.example [0-9a-f]{64} serial=SN-17 days=90", said)
    assert keyd.db.sql("SELECT name, state, serial FROM key.v_station", "post_audit") == \
        [["alice/laptop@post.example", "in force", "SN-17"]]
    assert keyd.db.one("SELECT hash FROM key.v_certificate WHERE role = 'station'") == said.split()[1]
    assert len(re.findall(r" enrolled name=alice/laptop@post\.example cert=" + said.split()[1], keyd.log())) == 1
    home = keyd.home("alice")
    with open(os.path.join(home, "cert.pem"), "wb") as f:
        f.write(subprocess.run(["openssl", "x509", "-inform", "DER", "-in", "cert.der"], cwd=home, check=True,
                               capture_output=True).stdout)
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", keyd.state + "/root.pem", "-untrusted",
                    keyd.state + "/issuing.pem", "cert.pem"], cwd=home, check=True, capture_output=True)


def test_the_same_request_again_gets_the_same_certificate(keyd):
    token = keyd.invite("alice")
    first = keyd.enrol("alice", token)
    keyd.daemon.stop()
    keyd.start()
    assert keyd.enrol("alice", token) == first
    assert keyd.db.one("SELECT count(*) FROM key.certificate WHERE role = 'station'") == "1"


def test_a_token_used_twice_with_other_keys_is_refused_and_noted(keyd):
    token = keyd.invite("alice")
    keyd.enrol("alice", token)
    said = keyd.enrol("mallory", token, ok=False)
    assert said.startswith("TOKEN the invitation was used before, with other keys")
    assert "enrol-refused" in keyd.log()
    assert keyd.db.one("SELECT who FROM key.v_event WHERE what = 'token-reused'") == "alice/desk@post.example"
    assert keyd.db.one("SELECT count(*) FROM key.certificate WHERE role = 'station'") == "1"


def test_wrong_and_ended_invitations_are_refused(keyd):
    token = keyd.invite("alice")
    assert keyd.enrol("alice", token, "wrong-secret", ok=False).startswith("TOKEN no such invitation")
    keyd.db.sql("UPDATE key.invite SET expires = now()")
    assert keyd.enrol("alice", token, ok=False).startswith("TOKEN the invitation has ended")
    assert keyd.db.one("SELECT count(*) FROM key.certificate WHERE role = 'station'") == "0"


@pytest.mark.parametrize("how", ["wrong-proof", "wrong-exporter", "no-begin", "late-keys"])
def test_ky01_a_proof_that_is_none_is_refused(keyd, how):
    token = keyd.invite("alice")
    assert keyd.enrol("alice", token, how, ok=False).startswith("SIGNATURE the proof does not show")
    assert keyd.db.one("SELECT count(*) FROM key.v_invite WHERE state = 'open'") == "1"
    assert keyd.enrol("alice", token).startswith("alice/desk@post.example ")


def test_keys_of_one_station_are_not_certified_for_another(keyd):
    keyd.enrol("alice", keyd.invite("alice"))
    assert keyd.enrol("alice", keyd.invite("bob"), ok=False).startswith("CONFLICT one of these keys")
    assert keyd.db.one("SELECT count(*) FROM key.v_station") == "1"


def test_another_root_than_the_token_names_is_not_talked_to(keyd):
    token = re.sub("&r=.", lambda m: "&r=" + ("0" if m.group(0)[-1] != "0" else "1"), keyd.invite("alice"))
    assert not keyd.enrol("alice", token, ok=False).startswith("ok")
    assert keyd.db.one("SELECT count(*) FROM key.v_invite WHERE state = 'open'") == "1"


def test_many_enrol_at_once(keyd):
    out = {}

    def one(name, token):
        out[name] = keyd.enrol(name, token)
    threads = [threading.Thread(target=one, args=(f"p{i}", keyd.invite(f"p{i}"))) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(v.split("/")[0] for v in out.values()) == sorted(f"p{i}" for i in range(12))
    assert keyd.db.one("SELECT count(*) FROM key.v_station") == "12"


# ---- services, directory, roster ----

def test_a_service_is_certified_by_its_own_token(keyd):
    alice = keyd.station("alice")
    number = int(keyd.client("roster", alice)[0].split()[1])
    token = keyd.db.one("SELECT key.admin_service('creditd', 'main', ARRAY['127.0.0.1:7676', 'c.example:7676'])", "post_admin")
    assert keyd.enrol("creditd", token).startswith("creditd/main@post.example ")
    got = keyd.client("roster", alice)
    assert got[1:] == [f"keyd/main@post.example 127.0.0.1:{keyd.port}",
                       "creditd/main@post.example 127.0.0.1:7676,c.example:7676"]
    assert int(got[0].split()[1]) > number and got[0].endswith("post.example tariff=0")
    assert keyd.client("roster", keyd.home("creditd")) == got
    tsa = keyd.db.one("SELECT key.admin_service('tsa', 'clock', ARRAY['127.0.0.1:7677'])", "post_admin")
    assert keyd.enrol("tsa", tsa).startswith("tsa/clock@post.example ")


def test_ky02_certificates_are_looked_up_by_exact_name(keyd):
    alice = keyd.station("alice", "laptop")
    keyd.station("bob", "desk")
    keyd.station("bob", "phone")
    names = [line.split()[0] for line in keyd.client("lookup", alice, "bob@post.example")]
    assert names == ["bob/desk@post.example", "bob/phone@post.example"]
    assert keyd.client("lookup", alice, "bob/phone@post.example")[0].split()[0] == "bob/phone@post.example"
    for name, status in (("bo@post.example", "NOTFOUND"), ("bob/x@post.example", "NOTFOUND"),
                         ("bob@other.example", "NOTFOUND"), ("Bob@post.example", "ARGUMENT"), ("bob", "ARGUMENT"),
                         ("%@post.example", "ARGUMENT")):
        assert keyd.client("lookup", alice, name, ok=False).split()[0] == status, name


def test_ky01_only_members_are_served(keyd):
    alice = keyd.station("alice")
    for what in ("lookup", "roster"):
        assert keyd.client("ask", alice, what) == [what + "_is"]
        assert keyd.client("ask-bare", alice, what, ok=False).startswith("PERMISSION")
    assert keyd.client("ask", alice, "postmark", ok=False).startswith("UNKNOWN")


def test_a_revoked_station_is_served_no_more(keyd):
    alice, bob = keyd.station("alice"), keyd.station("bob")
    keyd.db.one("SELECT key.admin_revoke('alice/desk', 'lost')", "post_admin")
    assert keyd.client("lookup", alice, "bob@post.example", ok=False).startswith("REVOKED")
    assert keyd.client("roster", alice, ok=False).startswith("REVOKED")
    assert keyd.client("lookup", bob, "alice@post.example", ok=False).startswith("NOTFOUND")


def test_a_station_of_another_domain_is_refused(keyd, tmp_path_factory):
    other = Keyd(tmp_path_factory.mktemp("other"), postgres.database("keyd"), domain="other.example")
    other.step("--init-root")
    other.step("--migrate")
    other.start()
    stranger = other.station("alice")
    other.daemon.stop()
    other.db.drop()
    with open(os.path.join(stranger, "keyd"), "w", encoding="ascii") as f:
        f.write(f"127.0.0.1:{keyd.port}")
    keyd.client("roster", stranger, ok=False)
    with open(os.path.join(keyd.station("bob"), "root.der"), "rb") as f:
        root = f.read()
    with open(os.path.join(stranger, "root.der"), "wb") as f:
        f.write(root)    # now it trusts the server; the server still does not know it
    keyd.client("roster", stranger, ok=False)


# ---- what it survives ----

def test_sys16_postgresql_is_restarted_under_keyd(keyd):
    keyd.expected = {"database-lost"}
    alice, token = keyd.station("alice"), keyd.invite("bob")
    cluster = postgres.cluster()
    cluster.kill()
    again = threading.Timer(1.5, cluster.start)
    again.start()
    assert keyd.enrol("bob", token).startswith("bob/desk@post.example ")
    again.join()
    assert len(keyd.client("lookup", alice, "bob@post.example")) == 1
    assert "database-lost" in keyd.log() and "database-back" in keyd.log()


def test_sys16_a_database_that_is_away_is_reported(keyd):
    keyd.expected = {"database-lost"}
    alice = keyd.station("alice")
    cluster = postgres.cluster()
    cluster.stop()
    try:
        assert keyd.client("roster", alice, ok=False).startswith("DATABASE")
    finally:
        cluster.start()
    assert keyd.client("roster", alice)


def test_kill_between_store_and_answer_leaves_one_certificate(ready):
    ready.start(SEALPOST_FAULT="key.enrol_store-after=kill")
    token = ready.invite("alice")
    ready.enrol("alice", token, ok=False)
    assert ready.daemon.wait_gone(5)
    stored = ready.db.one("SELECT hash FROM key.v_certificate WHERE role = 'station'")
    ready.start()
    assert ready.enrol("alice", token).split()[1] == stored
    assert ready.db.one("SELECT count(*) FROM key.certificate WHERE role = 'station'") == "1"


def test_sys17_sigterm_ends_it_in_order_and_tells_the_service_manager(ready, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(5)
        ready.start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert s.recv(100) == b"READY=1"
        with socket.create_connection(("127.0.0.1", ready.port)):    # somebody who says nothing does not hold it up
            begin = time.monotonic()
            assert ready.daemon.stop(5)
            assert time.monotonic() - begin < 5
        assert s.recv(100) == b"STOPPING=1"
    assert "stopped status=0" in ready.log()


def test_its_own_certificate_is_renewed_under_the_same_key(ready):
    def own(field):
        return subprocess.run(["openssl", "x509", "-in", ready.state + "/keyd.pem", "-noout", field], check=True,
                              capture_output=True, text=True).stdout
    key, serial = own("-pubkey"), own("-serial")
    ready.start()
    ready.daemon.stop()
    assert own("-serial") == serial
    ready.start(SEALPOST_CLOCK=str(61 * 86400 * 1000))
    assert own("-serial") != serial and own("-pubkey") == key
    assert " renewed " in ready.log()
    assert ready.db.one("SELECT count(*) FROM key.v_certificate WHERE role = 'keyd'") == "2"
