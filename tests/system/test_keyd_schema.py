"""keyd's schema by itself: who may do what, tokens, and each function called as the daemon calls it."""

import hashlib
import base64
import os
import re
import subprocess

import pytest

import postgres

BUILD = os.environ.get("SP_BUILD", ".")
TOOL = os.path.join(BUILD, "tests/tools/pg_tool")
SCHEMA = os.path.join(postgres.SOURCE, "keyd/schema")
ROOT = "\\x" + "ab" * 32
DAEMON_FUNCTIONS = {"daemon_start", "store_own", "enrol_find", "enrol_store", "lookup", "roster", "patch_last"}
ADMIN_FUNCTIONS = {"invite", "admin_service", "admin_remove_service", "admin_revoke", "name_of",
                   "admin_tariff", "steps_text"}


@pytest.fixture(scope="module")
def migrated():
    db = postgres.database("keyd")
    subprocess.run([TOOL, "migrate", db.conninfo("key_owner"), "key", SCHEMA], check=True)
    yield db
    db.drop()


@pytest.fixture
def db():
    d = postgres.database("keyd")
    subprocess.run([TOOL, "migrate", d.conninfo("key_owner"), "key", SCHEMA], check=True)
    assert start(d) == ["0", ""]
    yield d
    d.drop()


def start(db, domain="post.example", root=ROOT, name="main", addresses="keyd.post.example:7678"):
    return db.sql(f"SELECT status, reason FROM key.daemon_start(ARRAY['{domain}'], ARRAY['{root}'::bytea], "
                  f"ARRAY['{name}'], ARRAY['{addresses}'])", "key_daemon")[0]


def refused(db, text, user="postgres", words=""):
    with pytest.raises(postgres.SqlError) as e:
        db.sql(text, user)
    assert words in str(e.value), e.value


def secret_of(token):
    s = re.search(r"&s=([A-Za-z0-9_-]{22})$", token).group(1)
    return base64.urlsafe_b64decode(s + "==")


def sha(data):
    return hashlib.sha256(data).digest()


def bytea(data):
    return f"'\\x{data.hex()}'::bytea"


def find(db, secret, request):
    return db.sql(f"SELECT status, reason, role, person, station, service, serial, encode(cert, 'escape') "
                  f"FROM key.enrol_find(ARRAY[{bytea(sha(secret))}], ARRAY[{bytea(sha(request))}])", "key_daemon")[0]


def store(db, secret, request, cert, keys=None, days=90):
    k = keys or [sha(request + bytes([i])) for i in range(3)]
    return db.sql(f"SELECT status, encode(cert, 'escape') FROM key.enrol_store(ARRAY[{bytea(sha(secret))}], "
                  f"ARRAY[{bytea(sha(request))}], ARRAY[{bytea(sha(cert))}], ARRAY[{bytea(sha(cert)[:16])}], "
                  f"ARRAY[{bytea(cert)}], ARRAY[{bytea(k[0])}], ARRAY[{bytea(k[1])}], ARRAY[{bytea(k[2])}], "
                  f"ARRAY[extract(epoch FROM now())::bigint - 3600 + {min(days, 0)} * 86400 * 2], "
                  f"ARRAY[extract(epoch FROM now())::bigint + {days} * 86400])",
                  "key_daemon")[0]


def enrol_station(db, person, station, cert=None):
    token = db.one(f"SELECT key.invite('{person}', '{station}')")
    cert = cert or f"cert {person}/{station}".encode()
    assert store(db, secret_of(token), cert, cert) == ["0", cert.decode()]
    return cert.decode()


def enrol_service(db, role, name, cert=None, days=90):
    token = db.one(f"SELECT key.admin_service('{role}', '{name}', ARRAY['{name}.example:7676'])")
    cert = cert or f"cert {role}/{name}".encode()
    assert store(db, secret_of(token), cert, cert, days=days)[0] == "0"
    return cert.decode()


def lookup(db, person, station="", asker="'station', 'bob', 'desk', ''"):
    a = [f"ARRAY[{x.strip()}]" for x in asker.split(",")]
    return db.sql(f"SELECT status, encode(cert, 'escape') FROM key.lookup({', '.join(a)}, ARRAY['{person}'], "
                  f"ARRAY['{station}'])", "key_daemon")


def roster(db, role, person="", station="", service=""):
    return db.sql(f"SELECT status, number, service_role, service_name, addresses, encode(cert, 'escape') FROM key.roster("
                  f"ARRAY['{role}'], ARRAY['{person}'], ARRAY['{station}'], ARRAY['{service}'])", "key_daemon")


# ---- privileges ----

def test_public_has_nothing_and_roles_have_their_functions_only(migrated):
    walk = migrated.sql("""
        SELECT p.proname, coalesce(r.rolname, 'PUBLIC'), p.prosecdef, coalesce(array_to_string(p.proconfig, ';'), '')
        FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE p.pronamespace = 'key'::regnamespace""")
    assert len({row[0] for row in walk}) > 15
    granted = {}
    for name, grantee, definer, config in walk:
        granted.setdefault(grantee, set()).add(name)
        if grantee != "key_owner":
            assert definer == "t" and config == "search_path=key, pg_temp", name
    assert "PUBLIC" not in granted
    assert granted.pop("key_owner")
    assert granted == {"key_daemon": DAEMON_FUNCTIONS, "post_admin": ADMIN_FUNCTIONS, "post_audit": {"name_of", "steps_text"}}
    relations = migrated.sql("""
        SELECT c.relname, c.relkind, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'key'::regnamespace AND r.rolname IS DISTINCT FROM 'key_owner'""")
    assert relations and all(row[1] == "v" and row[2] in ("post_admin", "post_audit") and row[3] == "SELECT"
                             for row in relations), relations
    assert migrated.sql("SELECT DISTINCT proowner::regrole FROM pg_proc WHERE pronamespace = 'key'::regnamespace") == \
        [["key_owner"]]


def test_the_daemon_cannot_touch_tables_or_admin_functions(migrated):
    for text in ("SELECT * FROM key.invite", "INSERT INTO key.person VALUES ('eve')", "SELECT * FROM key.v_station",
                 "SELECT key.invite('a', 'b')", "SELECT key.admin_revoke('a/b')", "CREATE TABLE key.x (a int)",
                 "CREATE TEMP TABLE office (a int)", "CREATE TABLE public.x (a int)", "SELECT key.token('x')"):
        refused(migrated, text, "key_daemon", "permission denied")
    for text in ("SELECT * FROM key.certificate", "SELECT * FROM key.roster('{}', '{}', '{}', '{}')",
                 "UPDATE key.v_event SET detail = 'x'"):
        refused(migrated, text, "post_admin", "permission denied")
    refused(migrated, "SELECT key.invite('a', 'b')", "post_audit", "permission denied")
    assert migrated.sql("SELECT * FROM key.v_station", "post_audit") == []


def test_everything_in_the_schema_has_a_comment(migrated):
    assert migrated.sql("""
        SELECT 'table', relname FROM pg_class c WHERE relnamespace = 'key'::regnamespace AND relkind IN ('r', 'v')
            AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL SELECT 'function', proname FROM pg_proc p WHERE pronamespace = 'key'::regnamespace
            AND obj_description(p.oid, 'pg_proc') IS NULL""") == []


def test_append_only_tables_refuse_their_owner_too(db):
    enrol_station(db, "alice", "laptop")
    for table in ("certificate", "public_key", "event", "patch"):
        assert int(db.one(f"SELECT count(*) FROM key.{table}")) > 0
        column = db.one(f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'key' "
                        f"AND table_name = '{table}' ORDER BY ordinal_position DESC LIMIT 1")
        for text in (f"DELETE FROM key.{table}", f"TRUNCATE key.{table} CASCADE",
                     f"UPDATE key.{table} SET {column} = {column}"):
            refused(db, text, "key_owner", "append-only")
    for text in ("DELETE FROM key.invite", "UPDATE key.invite SET person = 'mallory'",
                 "UPDATE key.invite SET used = NULL, request = NULL", "UPDATE key.invite SET expires = expires + '1 day'"):
        refused(db, text, "key_owner", "invitation")
    refused(db, "TRUNCATE key.invite CASCADE", "key_owner", "append-only")


# ---- starting ----

def test_a_database_belongs_to_one_domain_and_root(db):
    assert start(db) == ["0", ""]
    assert start(db, domain="other.example")[0] == "57"
    status, reason = start(db, root="\\x" + "cd" * 32)
    assert status == "57" and "belongs to domain post.example" in reason


def test_tokens_need_a_started_keyd(migrated):
    refused(migrated, "SELECT key.invite('alice', 'laptop')", words="has not been started")


def test_a_second_keyd_joins_the_tokens(db):
    before = int(db.one("SELECT roster FROM key.office"))
    assert start(db, name="two", addresses="[2001:db8::2]:7678,two.example:7678") == ["0", ""]
    assert int(db.one("SELECT roster FROM key.office")) == before + 1
    assert start(db, name="two", addresses="[2001:db8::2]:7678,two.example:7678") == ["0", ""]
    assert int(db.one("SELECT roster FROM key.office")) == before + 1
    token = db.one("SELECT key.invite('alice', 'laptop')")
    assert "&k=keyd.post.example:7678,[2001:db8::2]:7678,two.example:7678&r=" in token


# ---- invitations ----

def test_ky01_an_invitation_is_a_token_once(db):
    token = db.one("SELECT key.invite('alice', 'laptop', 'Acme', 'SN-1', 'LIC', '4711')", "post_admin")
    assert re.fullmatch("sealpost:enrol\\?d=post\\.example&k=keyd\\.post\\.example:7678&r=(ab){32}&s=[A-Za-z0-9_-]{22}", token)
    secret = secret_of(token)
    assert len(secret) == 16
    assert db.one(f"SELECT secret_hash = {bytea(sha(secret))} FROM key.invite") == "t"
    assert db.sql("SELECT name, state, organisation, serial FROM key.v_invite", "post_audit") == \
        [["alice/laptop@post.example", "open", "Acme", "SN-1"]]
    assert find(db, secret, b"r1")[:7] == ["0", "open", "station", "alice", "laptop", "", "SN-1"]
    assert store(db, secret, b"r1", b"c1") == ["0", "c1"]
    assert find(db, secret, b"r1")[0:2] == ["0", "repeated"] and find(db, secret, b"r1")[7] == "c1"
    assert store(db, secret, b"r1", b"another for the same") == ["0", "c1"]
    assert find(db, secret, b"r2")[:2] == ["58", "used"]
    assert store(db, secret, b"r2", b"c2") == ["58", ""]
    find(db, secret, b"r3")
    assert db.sql("SELECT what, who FROM key.v_event WHERE what = 'token-reused'") == \
        [["token-reused", "alice/laptop@post.example"]]
    assert db.sql("SELECT name, state, organisation, serial, licence, certificates FROM key.v_station", "post_admin") == \
        [["alice/laptop@post.example", "in force", "Acme", "SN-1", "LIC", "1"]]
    assert find(db, b"0" * 16, b"r1")[:2] == ["58", "unknown"]


def test_tokens_differ(db):
    tokens = [db.one(f"SELECT key.invite('p{i}', 'x')") for i in range(20)]
    assert len({secret_of(t) for t in tokens}) == 20


def test_invitations_end_after_the_days_of_limits_h(db):
    with open(os.path.join(postgres.SOURCE, "common/base/limits.h"), encoding="utf-8") as f:
        days = re.search(r"SP_INVITE_DAYS (\d+)", f.read()).group(1)
    secret = secret_of(db.one("SELECT key.invite('alice', 'laptop')"))
    assert db.one(f"SELECT expires = created + interval '{days} days' FROM key.invite") == "t"
    db.sql("UPDATE key.invite SET expires = now()", "key_owner")
    assert find(db, secret, b"r")[:2] == ["58", "ended"]


@pytest.mark.parametrize("person,station", [
    ("Alice", "laptop"), ("", "laptop"), ("alice", ""), ("alice", "lap top"), ("al/ice", "x"), ("a" * 33, "x"), ("a", "x" * 25),
    ("creditd", "main"), ("station", "x"), ("-a", "x"), ("alice@post.example", "x")])
def test_names_that_no_certificate_could_carry_are_refused(db, person, station):
    refused(db, f"SELECT key.invite('{person}', '{station}')", "post_admin")
    assert db.one("SELECT count(*) FROM key.invite") == "0"


def test_a_key_is_never_certified_twice(db):
    one, two, three = (secret_of(db.one(f"SELECT key.invite('p{i}', 'x')")) for i in range(3))
    keys = [b"a" * 65, b"b" * 32, b"c" * 32]
    assert store(db, one, b"r1", b"c1", keys) == ["0", "c1"]
    assert store(db, two, b"r2", b"c2", [b"d" * 65, b"e" * 32, b"b" * 32]) == ["99", ""]
    assert store(db, three, b"r3", b"c3", [b"d" * 65, b"e" * 32, b"e" * 32]) == ["99", ""]
    assert db.one("SELECT count(*) FROM key.station") == "1"
    assert db.one("SELECT count(*) FROM key.v_invite WHERE state = 'open'") == "2"
    assert store(db, two, b"r2b", b"c2", [b"d" * 65, b"e" * 32, b"f" * 32]) == ["0", "c2"]


def test_batches_answer_each_item(db):
    secrets = [secret_of(db.one(f"SELECT key.invite('p{i}', 'x')")) for i in range(3)]

    def arr(items):
        return "ARRAY[" + ", ".join(bytea(i) for i in items) + "]"
    use = [secrets[0], b"?" * 16, secrets[1], secrets[0]]
    req = [sha(b"%d" % i) for i in range(4)]
    rows = db.sql(f"SELECT item, status, encode(cert, 'escape') FROM key.enrol_store({arr([sha(s) for s in use])}, {arr(req)}, "
                  f"{arr([sha(r) for r in req])}, {arr([r[:16] for r in req])}, {arr([b'c%d' % i for i in range(4)])}, "
                  f"{arr([sha(r + b's') for r in req])}, {arr([sha(r + b'l') for r in req])}, "
                  f"{arr([sha(r + b'a') for r in req])}, ARRAY[1, 1, 1, 1]::bigint[], "
                  f"ARRAY[9, 9, 9, 9]::bigint[]) ORDER BY item", "key_daemon")
    assert rows == [["1", "0", "c0"], ["2", "58", ""], ["3", "0", "c2"], ["4", "58", ""]]


# ---- directory ----

def test_ky02_lookup_by_exact_name(db):
    laptop, phone = enrol_station(db, "alice", "laptop"), enrol_station(db, "alice", "phone")
    enrol_station(db, "alicia", "laptop")
    assert lookup(db, "alice") == [["0", laptop], ["0", phone]]
    assert lookup(db, "alice", "phone") == [["0", phone]]
    assert lookup(db, "alic") == [["7", ""]]
    assert lookup(db, "alice", "lap") == [["7", ""]]
    assert lookup(db, "%") == [["7", ""]]


def test_revoked_stations_are_not_found_and_not_served(db):
    enrol_station(db, "alice", "laptop")
    open_token = secret_of(db.one("SELECT key.invite('alice', 'laptop')"))
    assert db.one("SELECT key.admin_revoke('alice/laptop', 'stolen')", "post_admin") == "alice/laptop@post.example is revoked"
    assert lookup(db, "alice") == [["7", ""]]
    assert lookup(db, "bob", asker="'station', 'alice', 'laptop', ''") == [["59", ""]]
    assert roster(db, "station", "alice", "laptop")[0][0] == "59"
    assert find(db, open_token, b"again")[:2] == ["59", "revoked"]
    refused(db, "SELECT key.invite('alice', 'laptop')", "post_admin", "has been revoked")
    refused(db, "SELECT key.admin_revoke('alice/laptop')", "post_admin", "revoked already")
    refused(db, "SELECT key.admin_revoke('alice')", "post_admin", "PERSON/STATION")
    refused(db, "SELECT key.admin_revoke('alice/laptop@other.example')", "post_admin", "PERSON/STATION")
    assert db.sql("SELECT state, reason FROM key.v_station") == [["revoked", "stolen"]]


# ---- services ----

def test_a_service_enters_the_roster_when_it_is_enrolled(db):
    before = roster(db, "creditd", service="x")[0]
    assert before[0] == "0" and before[2:] == ["", "", "", ""]
    token = db.one("SELECT key.admin_service('creditd', 'main', ARRAY['c.example:7676', '[::1]:7676'])", "post_admin")
    secret = secret_of(token)
    assert find(db, secret, b"r")[:6] == ["0", "open", "creditd", "", "", "main"]
    assert roster(db, "station", "a", "b")[0][2:] == ["", "", "", ""]
    assert store(db, secret, b"r", b"cert") == ["0", "cert"]
    got = roster(db, "creditd", service="main")
    assert got[0][2:] == ["creditd", "main", "c.example:7676,[::1]:7676", "cert"]
    assert int(got[0][1]) > int(before[1])
    assert db.sql("SELECT full_name, state FROM key.v_service WHERE role = 'creditd'") == \
        [["creditd/main@post.example", "in force"]]


@pytest.mark.parametrize("role,name,addresses,words", [
    ("keyd", "x", "ARRAY['a:1']", "enters itself"), ("station", "x", "ARRAY['a:1']", "role is"),
    ("certd", "X", "ARRAY['a:1']", "name"), ("certd", "x", "ARRAY['a']", "HOST:PORT"),
    ("certd", "x", "ARRAY['a:99999']", "HOST:PORT"), ("certd", "x", "ARRAY['A:1']", "HOST:PORT"),
    ("certd", "x", "ARRAY['a:1,b:2']", "HOST:PORT"), ("certd", "x", "ARRAY[]::text[]", "1 to 4"),
    ("certd", "x", "NULL", "1 to 4"), ("certd", "x", "ARRAY['a:1&r=1']", "HOST:PORT")])
def test_services_that_cannot_be(db, role, name, addresses, words):
    refused(db, f"SELECT key.admin_service('{role}', '{name}', {addresses})", "post_admin", words)


def test_cr10_a_station_draws_its_services_once_and_keeps_them(db):
    for i in range(8):
        enrol_service(db, "creditd", f"c{i}")
    enrol_service(db, "certd", "only")
    enrol_service(db, "certd", "ended", days=-1)
    enrol_service(db, "tsa", "clock")
    enrol_station(db, "alice", "laptop")
    first = roster(db, "station", "alice", "laptop")
    names = [row[3] for row in first if row[2] == "creditd"]
    assert len(names) == 3 and [row[3] for row in first if row[2] == "certd"] == ["only"]
    assert not [row for row in first if row[2] == "tsa"]
    for _ in range(3):
        assert roster(db, "station", "alice", "laptop") == first
    assert len([r for r in roster(db, "certd", service="only") if r[2] == "creditd"]) == 8
    db.one(f"SELECT key.admin_remove_service('creditd', '{names[0]}')", "post_admin")
    second = [row[3] for row in roster(db, "station", "alice", "laptop") if row[2] == "creditd"]
    assert len(second) == 3 and names[0] not in second and set(names[1:]) < set(second)
    assert roster(db, "creditd", service=names[0])[0][0] == "59"
    draws = set()
    for i in range(12):
        enrol_station(db, f"p{i}", "x")
        draws.add(tuple(row[3] for row in roster(db, "station", f"p{i}", "x") if row[2] == "creditd"))
    assert len(draws) > 2


# ---- prices ----

def tariff(number=7, domain=b"post.example", steps=bytes(8) + (1).to_bytes(4, "big"), purpose=11, valid_from_ms=1000):
    fields = ((2, domain), (4, number.to_bytes(4, "big")), (6, valid_from_ms.to_bytes(8, "big")), (8, steps))
    return b"SPSTMT" + purpose.to_bytes(2, "big") + b"".join(
        tag.to_bytes(2, "big") + len(value).to_bytes(4, "big") + value for tag, value in fields)


def enter(statement, signature=bytes(64), signer=b"cert creditd/main"):
    return f"SELECT key.admin_tariff({bytea(statement)}, {bytea(signature)}, {bytea(signer)})"


def test_the_newest_tariff_in_force_goes_out_with_the_roster(db):
    enrol_service(db, "creditd", "main")
    before = int(roster(db, "creditd", service="main")[0][1])
    assert db.one(enter(tariff(7)), "post_admin") == "tariff 7 goes out with the roster"
    assert db.one(enter(tariff(7)), "post_admin") == "tariff 7 is in force already"
    db.one(enter(tariff(9, steps=bytes(8) + b"\0\0\0\1" + (10**6).to_bytes(8, "big") + b"\0\0\0\2")), "post_admin")
    db.one(enter(tariff(10, valid_from_ms=10**13)), "post_admin")       # of a later century
    assert int(roster(db, "creditd", service="main")[0][1]) == before + 3
    assert db.sql("SELECT number, steps FROM key.v_tariff ORDER BY number", "post_audit") == [
        ["7", "0:1"], ["9", "0:1,1000000:2"], ["10", "0:1"]]
    assert db.sql("SELECT DISTINCT encode(tariff, 'hex'), length(tariff_signature), encode(tariff_signer, 'escape') FROM "
                  "key.roster(ARRAY['creditd'], ARRAY[''], ARRAY[''], ARRAY['main'])", "key_daemon") == [
        [tariff(9, steps=bytes(8) + b"\0\0\0\1" + (10**6).to_bytes(8, "big") + b"\0\0\0\2").hex(), "64", "cert creditd/main"]]


@pytest.mark.parametrize("change, words", [
    ({"purpose": 9}, "no tariff"), ({"domain": b"other.example"}, "not of this one"), ({"steps": bytes(11)}, "no tariff"),
    ({"number": 6}, "not newer"), ({"valid_from_ms": 2000}, "not newer")])
def test_tariffs_that_cannot_be(db, change, words):
    enrol_service(db, "creditd", "main")
    db.one(enter(tariff(7)), "post_admin")
    refused(db, enter(tariff(**change)), "post_admin", words)


def test_tariffs_are_cut_short_signed_by_a_creditd_and_stay(db):
    enrol_service(db, "creditd", "main")
    enrol_service(db, "certd", "main")
    for length in range(len(tariff())):
        refused(db, enter(tariff()[:length]), "post_admin", "no tariff")
    refused(db, enter(tariff(), signature=bytes(63)), "post_admin", "no tariff")
    refused(db, enter(tariff(), signer=b"cert certd/main"), "post_admin", "not signed by a creditd")
    db.one(enter(tariff()), "post_admin")
    refused(db, "DELETE FROM key.tariff", "key_owner", "append-only")
