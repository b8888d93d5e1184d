"""creditd's schema by itself: who may do what, and each function called as the daemon and the operator call it."""

import itertools
import os
import random
import subprocess
import threading
import uuid

import pytest

import postgres

BUILD = os.environ.get("SP_BUILD", ".")
TOOL = os.path.join(BUILD, "tests/tools/pg_tool")
SCHEMA = os.path.join(postgres.SOURCE, "creditd/schema")
DAEMON_FUNCTIONS = {"topup", "unanswered", "store_answer", "find_answer", "note_told", "sheet_state", "give_back", "lodge", "patch_last"}
ADMIN_FUNCTIONS = {"admin_open_account", "admin_allow", "admin_deposit", "admin_flat_rate", "admin_close_account", "admin_sweep",
                   "check", "holds"}
ALICE = "alice/laptop@post.example"
TOPUP_COLUMNS = "status, decision, sheet, first, granted, encode(statement, 'escape')"


@pytest.fixture
def db():
    d = postgres.database("creditd")
    subprocess.run([TOOL, "migrate", d.conninfo("credit_owner"), "credit", SCHEMA], check=True)
    yield d
    assert d.sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []
    d.drop()


@pytest.fixture
def account(db):
    """Alice's account with 100 credits."""
    number = admin(db, "SELECT credit.admin_open_account('alice@post.example')")
    assert admin(db, f"SELECT credit.admin_deposit('{number}', 100, 'bill 1')") == "100"
    return number


def admin(db, text):
    return db.sql(text, "post_admin")[0][0]


def bytes_of(text, size=32):
    return f"'\\x{text.encode().hex().ljust(2 * size, '0')[:2 * size]}'::bytea"


def statement(purpose, *fields):
    return b"SPSTMT" + purpose.to_bytes(2, "big") + b"".join(
        tag.to_bytes(2, "big") + len(value).to_bytes(4, "big") + value for tag, value in fields)


def steps(*them):
    return b"".join(start.to_bytes(8, "big") + price.to_bytes(4, "big") for start, price in them)


SHEET = statement(9, (4, bytes(16)), (14, steps((0, 1), (1000, 2), (2000, 3))))


def frank_of(size, note=b""):
    return statement(8, (2, note), (8, size.to_bytes(8, "big")))


def bytea(data):
    return f"'\\x{data.hex()}'::bytea"


def topup(db, account, asked, request=None, who=ALICE, body=None, most=1000, clamp=1):
    request = request or uuid.uuid4()
    return db.sql(f"SELECT {TOPUP_COLUMNS} FROM credit.topup(ARRAY['{who}'], ARRAY['{request}'::uuid], "
                  f"ARRAY[{bytes_of(body or f'{account} {asked}')}], ARRAY['{account}'], ARRAY[{asked}], ARRAY['192.0.2.1'], "
                  f"ARRAY[7325], ARRAY[{bytes_of('key')}], ARRAY[90], ARRAY[{most}], ARRAY[{clamp}])", "credit_daemon")[0]


def sign(db, request, text="SHEETxxx", who=ALICE):
    return db.sql(f"SELECT status, encode(stored, 'escape') FROM credit.store_answer(ARRAY['{who}'], ARRAY['{request}'::uuid], "
                  f"ARRAY[{bytea(text if isinstance(text, bytes) else text.encode())}], ARRAY[{bytes_of('sig', 64)}], ARRAY[{bytes_of(str(request))}], ARRAY['cert'::bytea])",
                  "credit_daemon")[0]


def sheet(db, account, asked=50, who=ALICE):
    """A sheet that was granted and signed: its id, and the hash that franks name."""
    request = uuid.uuid4()
    made = topup(db, account, asked, request, who)
    assert made[:2] == ["0", "0"]
    sign(db, request, SHEET, who)
    return made[2], bytes_of(str(request))


def lodge(db, sheet_hash, transfer, serials="1:2", price=2, who=ALICE, recipient="bob/desk@post.example", frank="", size=None):
    size = {1: 999, 2: 1000, 3: 10**9}.get(price, 0) if size is None else size
    return db.sql(f"SELECT status FROM credit.lodge(ARRAY[{sheet_hash}], ARRAY['{who}'], ARRAY['{transfer}'::uuid], "
                  f"ARRAY['{recipient}'], ARRAY[{bytes_of('offer')}], ARRAY['{serials}'], ARRAY[{price}], "
                  f"ARRAY[{bytea(frank_of(size, frank.encode()))}], ARRAY[{bytes_of('sig', 64)}], ARRAY['the proof of it'::bytea])",
                  "credit_daemon")[0][0]


def holds(db, account):
    return tuple(int(x) for x in db.sql(f"SELECT holds, on_sheets FROM credit.v_account WHERE number = '{account}'",
                                        "post_admin")[0])


def revenue(db):
    return int(db.one("SELECT coalesce(sum(amount), 0) FROM credit.posting WHERE place = 'revenue'"))


def refused(db, text, user="postgres", words=""):
    with pytest.raises(postgres.SqlError) as e:
        db.sql(text, user)
    assert words in str(e.value), e.value


# ---- privileges ----

def test_public_has_nothing_and_roles_have_their_functions_only(db):
    walk = db.sql("""
        SELECT p.proname, coalesce(r.rolname, 'PUBLIC'), p.prosecdef, coalesce(array_to_string(p.proconfig, ';'), '')
        FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE p.pronamespace = 'credit'::regnamespace""")
    granted = {}
    for name, grantee, definer, config in walk:
        granted.setdefault(grantee, set()).add(name)
        if grantee != "credit_owner":
            assert definer == "t" and config == "search_path=credit, pg_temp", name
    assert granted.pop("credit_owner")
    assert granted.pop("cert_owner", {"lock_franks", "settle"}) == {"lock_franks", "settle"}
    assert granted == {"credit_daemon": DAEMON_FUNCTIONS, "post_admin": ADMIN_FUNCTIONS, "post_audit": {"holds"}}
    relations = db.sql("""
        SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'credit'::regnamespace AND coalesce(r.rolname, 'PUBLIC') <> 'credit_owner'""")
    assert relations and all(name.startswith("v_") and who in ("post_admin", "post_audit") and what == "SELECT"
                             for name, who, what in relations), relations


@pytest.mark.parametrize("text", ["SELECT * FROM credit.account", "SELECT credit.admin_open_account('mallory@post.example')",
                                  "INSERT INTO credit.posting VALUES (1, 'bank', NULL, NULL, 5)",
                                  "SELECT credit.return_rest(gen_random_uuid())"])
def test_the_daemon_role_reaches_no_table_and_no_other_function(db, text):
    refused(db, text, "credit_daemon", "permission denied")


def test_audit_sees_and_changes_nothing(db, account):
    assert db.sql("SELECT number, holds FROM credit.v_account", "post_audit") == [[account, "100"]]
    refused(db, f"SELECT credit.admin_deposit('{account}', 5, 'x')", "post_audit", "permission denied")


# ---- what stands, stands ----

@pytest.mark.parametrize("table", ["transaction", "posting", "request", "answer", "told", "given", "settlement", "mark", "evidence"])
def test_append_only_tables_refuse_their_owner_too(db, account, table):
    for user in ("credit_owner", "postgres"):
        refused(db, f"DELETE FROM credit.{table}", user, "append-only")
        refused(db, f"TRUNCATE credit.{table} CASCADE", user)


def test_postings_that_do_not_sum_to_zero_are_refused(db, account):
    refused(db, "WITH t AS (INSERT INTO credit.transaction (what, reference) VALUES ('deposit', 'forged') RETURNING transaction) "
                "INSERT INTO credit.posting SELECT transaction, 'account', 1, NULL, 1000 FROM t", "credit_owner", "sum to zero")
    assert holds(db, account) == (100, 0)


def test_a_sheet_changes_only_forward(db, account):
    made, _ = sheet(db, account)
    refused(db, f"UPDATE credit.sheet SET count = 1000 WHERE sheet = '{made}'", "credit_owner", "nothing else of it changes")
    refused(db, f"UPDATE credit.sheet SET epoch = epoch + 1, next = next - 1 WHERE sheet = '{made}'", "credit_owner")
    refused(db, f"DELETE FROM credit.sheet WHERE sheet = '{made}'", "credit_owner", "kept")


# ---- the operator ----

def test_a_deposit_is_booked_once_under_its_reference(db, account):
    assert admin(db, f"SELECT credit.admin_deposit('{account}', 100, 'bill 1')") == "100"
    refused(db, f"SELECT credit.admin_deposit('{account}', 99, 'bill 1')", "post_admin", "booked before")
    assert admin(db, f"SELECT credit.admin_deposit('{account}', 1, 'bill 2')") == "101"


@pytest.mark.parametrize("call, words", [
    ("admin_deposit('0000000000', 5, 'x')", "there is no account"), ("admin_deposit(NULL, 5, 'x')", "there is no account"),
    ("admin_open_account('Alice')", "is no person"), ("admin_open_account(NULL)", "is no person"),
    ("admin_allow('0000000000', 'bob@post.example')", "there is no account")])
def test_mistakes_are_said_in_plain_words(db, call, words):
    refused(db, f"SELECT credit.{call}", "post_admin", words)


@pytest.mark.parametrize("amount", ["0", "-5", "1000000001", "NULL"])
def test_a_deposit_has_bounds(db, account, amount):
    refused(db, f"SELECT credit.admin_deposit('{account}', {amount}, 'x')", "post_admin", "1 to 1000000000")
    assert holds(db, account) == (100, 0)


# ---- top-ups ----

def test_a_topup_moves_the_money_once_however_often_it_is_asked(db, account):
    request = uuid.uuid4()
    first = topup(db, account, 40, request)
    assert first[:2] + first[3:5] == ["0", "0", "1", "40"]
    assert topup(db, account, 40, request) == first
    assert holds(db, account) == (60, 40)
    assert sign(db, request, "SHEETone") == ["0", "SHEETone"]
    assert sign(db, request, "SHEETtwo") == ["0", "SHEETone"]
    assert topup(db, account, 40, request)[5] == "SHEETone"
    assert db.sql(f"SELECT status, encode(statement, 'escape') FROM credit.find_answer(ARRAY['{ALICE}'], ARRAY['{request}'::uuid])",
                  "credit_daemon") == [["0", "SHEETone"]]


def test_one_id_has_one_outcome(db, account):
    request = uuid.uuid4()
    topup(db, account, 40, request)
    assert topup(db, account, 41, request)[0] == "99"
    assert holds(db, account) == (60, 40)


def test_an_answer_is_found_by_its_requester_only(db, account):
    request = uuid.uuid4()
    topup(db, account, 40, request)
    sign(db, request)
    assert db.one("SELECT status FROM credit.find_answer(ARRAY['alice/other@post.example'], "
                  f"ARRAY['{request}'::uuid])", "credit_daemon") == "7"


def test_what_is_there_is_granted_and_nothing_is_refused(db, account):
    assert topup(db, account, 1000)[1:5:3] == ["0", "100"]
    assert topup(db, account, 1)[1] == "97"
    assert holds(db, account) == (0, 100)


def test_a_refusal_stays_though_the_account_is_filled_later(db, account):
    request = uuid.uuid4()
    topup(db, account, 100)
    assert topup(db, account, 7, request)[1] == "97"
    admin(db, f"SELECT credit.admin_deposit('{account}', 100, 'bill 2')")
    assert topup(db, account, 7, request)[1] == "97"
    assert topup(db, account, 7)[1] == "0"


def test_accounts_are_drawn_on_by_whom_they_allow(db, account):
    bob = "bob/desk@post.example"
    assert topup(db, account, 5, who=bob)[1] == "96"
    assert topup(db, "0000000000", 5)[1] == "96"
    assert topup(db, "", 5)[1] == "96"
    admin(db, f"SELECT credit.admin_allow('{account}', 'bob@post.example')")
    assert topup(db, account, 5, who=bob)[1] == "0"
    admin(db, f"SELECT credit.admin_close_account('{account}')")
    assert topup(db, account, 5)[1] == "96"
    refused(db, f"SELECT credit.admin_deposit('{account}', 5, 'late')", "post_admin", "is closed")


def test_a_flat_rate_account_is_only_checked(db):
    number = admin(db, "SELECT credit.admin_open_account('alice@post.example')")
    assert topup(db, number, 500)[1] == "97"
    admin(db, f"SELECT credit.admin_flat_rate('{number}', true)")
    assert topup(db, number, 500)[1:5:3] == ["0", "500"]
    assert holds(db, number) == (0, 500)
    admin(db, f"SELECT credit.admin_flat_rate('{number}', false)")
    assert topup(db, number, 500)[1] == "97"


def test_a_station_has_no_more_than_its_limit(db, account):
    admin(db, f"SELECT credit.admin_deposit('{account}', 900, 'more')")
    assert topup(db, account, 60, most=100)[4] == "60"
    assert topup(db, account, 60, most=100, clamp=0)[1] == "76"
    got = topup(db, account, 60, most=100)
    assert got[1:5:3] == ["0", "40"]
    assert topup(db, account, 1, most=100)[1] == "76"
    assert topup(db, account, 60, who="alice/pad@post.example", most=100)[4] == "60"    # another station
    state(db, got[2], 1, 11)                                        # ten are used
    assert topup(db, account, 60, most=100)[4] == "10"
    assert holds(db, account) == (830, 170)


def test_two_accounts_at_once_do_not_go_beyond_the_limit(db, account):
    other = admin(db, "SELECT credit.admin_open_account('alice@post.example')")
    admin(db, f"SELECT credit.admin_deposit('{other}', 100, 'bill 3')")
    got = []
    them = [threading.Thread(target=lambda a=a: got.append(topup(db, a, 30, most=50)[4])) for a in [account, other] * 3]
    for t in them:
        t.start()
    for t in them:
        t.join()
    assert sum(int(g or 0) for g in got) == 50, got


def unanswered(db, older_ms=0):
    return db.sql(f"SELECT request, decision, granted, encode(statement, 'escape'), return_host FROM credit.unanswered(ARRAY[{older_ms}])",
                  "credit_daemon")


def test_answers_that_were_not_taken_are_found_again(db, account):
    granted, denied = uuid.uuid4(), uuid.uuid4()
    topup(db, account, 40, granted)
    topup(db, "0000000000", 5, denied)
    assert unanswered(db) == [[str(granted), "0", "40", "", "192.0.2.1"], [str(denied), "96", "", "", "192.0.2.1"]]
    assert unanswered(db, 60000) == []
    sign(db, granted, "SHEETone")
    assert unanswered(db)[0][3] == "SHEETone"
    db.sql(f"SELECT credit.note_told(ARRAY['{ALICE}'], ARRAY['{granted}'::uuid])", "credit_daemon")
    sign(db, denied, "DENIALno")
    db.sql(f"SELECT credit.find_answer(ARRAY['{ALICE}'], ARRAY['{denied}'::uuid])", "credit_daemon")    # fetched
    assert unanswered(db) == []


def test_two_at_once_never_draw_more_than_there_is(db, account):
    got = []
    them = [threading.Thread(target=lambda: got.append(topup(db, account, 30)[4])) for _ in range(6)]
    for t in them:
        t.start()
    for t in them:
        t.join()
    assert sum(int(g or 0) for g in got) == 100, got
    assert holds(db, account) == (0, 100)


# ---- settling ----

def test_a_frank_is_settled_once(db, account):
    made, name = sheet(db, account)
    transfer = uuid.uuid4()
    assert lodge(db, name, transfer) == "0"
    assert lodge(db, name, transfer) == "0"
    assert revenue(db) == 2 and holds(db, account) == (50, 48)
    assert db.sql("SELECT serial, recipient FROM credit.v_mark ORDER BY serial", "post_audit") == [
        ["1", "bob/desk@post.example"], ["2", "bob/desk@post.example"]]
    assert db.one(f"SELECT settled FROM credit.v_sheet WHERE sheet = '{made}'", "post_audit") == "2"


def test_a_serial_spent_twice_is_kept_with_both_franks(db, account):
    _, name = sheet(db, account)
    assert lodge(db, name, uuid.uuid4(), "1:2", frank="the first one") == "0"
    for _ in range(2):
        assert lodge(db, name, "00000000-0000-4000-8000-000000000001", "2:2", recipient="carol/pc@post.example",
                     frank="the second one") == "95"
    assert revenue(db) == 2
    keep = [frank_of(1000, text).hex() for text in (b"the second one", b"the first one")]
    assert db.sql("SELECT what, station, recipient, settled_recipient, encode(frank, 'hex'), encode(settled_frank, 'hex') "
                  "FROM credit.v_evidence", "post_audit") == [
        ["spent twice", ALICE, "carol/pc@post.example", "bob/desk@post.example", *keep]]


def test_franks_that_do_not_fit_their_sheet_are_refused(db, account):
    _, name = sheet(db, account)
    assert lodge(db, name, uuid.uuid4(), "1:2", 3) == "93"          # fewer serials than the price
    assert lodge(db, name, uuid.uuid4(), "50:2", 2) == "93"         # beyond the sheet
    assert lodge(db, name, uuid.uuid4(), "2147483647:2", 2) == "93"
    assert lodge(db, name, uuid.uuid4(), "1:1,1:1", 2) == "93"      # one serial counted twice
    assert lodge(db, name, uuid.uuid4(), "1:2,3:-1", 1) == "93"
    assert lodge(db, name, uuid.uuid4(), "", 0) == "93"
    assert lodge(db, name, uuid.uuid4(), "1:1", 1, size=1000) == "93"       # too cheap for its size
    assert lodge(db, name, uuid.uuid4(), "1:2", 2, size=999) == "93"
    assert lodge(db, name, uuid.uuid4(), "0:2", 2) == "93"          # before it
    assert lodge(db, bytes_of("no sheet"), uuid.uuid4()) == "7"
    assert lodge(db, name, uuid.uuid4(), who="mallory/pc@post.example") == "7"   # not its station
    assert revenue(db) == 0


def test_two_lodging_one_serial_at_once_settle_it_once(db, account):
    _, name = sheet(db, account)
    got = []
    them = [threading.Thread(target=lambda i=i: got.append(lodge(db, name, uuid.UUID(int=i), "7:1", 1, frank=f"frank no {i}")))
            for i in range(1, 6)]
    for t in them:
        t.start()
    for t in them:
        t.join()
    assert sorted(got) == ["0", "95", "95", "95", "95"]
    assert revenue(db) == 1
    assert db.one("SELECT count(*) FROM credit.v_evidence", "post_audit") == "4"


# ---- where the wallet stands ----

REPORTS = (uuid.UUID(int=n) for n in itertools.count(1 << 112))     # a station's ids rise


def state(db, made, epoch, following, start=0, who=ALICE, request=None):
    return db.sql(f"SELECT status, epoch_now, closed FROM credit.sheet_state(ARRAY['{who}'], ARRAY['{made}'::uuid], "
                  f"ARRAY[{epoch}], ARRAY[{following}], ARRAY[{start}], ARRAY['{request or next(REPORTS)}'::uuid])",
                  "credit_daemon")[0]


def test_a_start_that_is_reported_again_after_a_kill_is_no_copy(db, account):
    made, _ = sheet(db, account)
    first = next(REPORTS)
    assert state(db, made, 1, 1, start=1, request=first) == ["0", "2", "0"]
    assert state(db, made, 1, 4, start=1, request=first) == ["0", "2", "0"]      # the answer was lost
    assert state(db, made, 2, 4) == ["0", "2", "0"]
    assert state(db, made, 1, 4, start=1, request=first) == ["0", "2", "0"]


def test_wal09_a_report_that_comes_late_closes_nothing_and_tells_nothing(db, account):
    made, _ = sheet(db, account)
    start, late = next(REPORTS), next(REPORTS)
    assert state(db, made, 1, 3, start=1, request=start) == ["0", "2", "0"]
    assert state(db, made, 2, 9) == ["0", "2", "0"]
    assert state(db, made, 2, 5, request=late) == ["78", "", ""]
    assert state(db, made, 1, 1, start=1, request=start) == ["78", "", ""]
    assert state(db, made, 1, 1, start=1) == ["0", "2", "1"]     # a copy that holds such an id says the same under a new one


def test_the_epoch_rises_at_a_start_and_a_restored_copy_closes_the_sheet(db, account):
    made, name = sheet(db, account)
    assert state(db, made, 1, 1, start=1) == ["0", "2", "0"]
    assert state(db, made, 2, 9) == ["0", "2", "0"]
    assert lodge(db, name, uuid.uuid4()) == "0"
    assert state(db, made, 1, 9) == ["0", "2", "1"]                  # from before the start
    assert holds(db, account) == (50, 48)                            # a frank may still be on its way
    assert lodge(db, name, uuid.uuid4(), "5:1", 1) == "0"
    assert holds(db, account) == (50, 47)
    assert admin(db, "SELECT credit.admin_sweep()") == "0"
    later(db)
    assert admin(db, "SELECT credit.admin_sweep()") == "47"
    assert holds(db, account) == (97, 0)
    assert lodge(db, name, uuid.uuid4(), "6:1", 1) == "0"            # later still: charged
    assert holds(db, account) == (96, 0)
    assert db.one("SELECT count(*) FROM credit.v_evidence", "post_audit") == "0"


def later(db, days=11):
    """So much time passes for the sheets."""
    db.sql("ALTER TABLE credit.sheet DISABLE TRIGGER keep; UPDATE credit.sheet SET issued = issued - interval '100 days', "
           f"valid_until = valid_until - interval '{days} days', closed = closed - interval '{days} days'; "
           "ALTER TABLE credit.sheet ENABLE TRIGGER keep")


def give(db, made, epoch, closes, serials, text="VOIDxxxx", who=ALICE):
    return db.sql(f"SELECT status FROM credit.give_back(ARRAY['{who}'], ARRAY['{made}'::uuid], ARRAY[{epoch}], ARRAY[{closes}], "
                  f"ARRAY['{serials}'], ARRAY['{text}'::bytea], ARRAY[{bytes_of('sig', 64)}])", "credit_daemon")[0][0]


def test_serials_given_back_return_in_time_and_franks_on_them_are_evidence(db, account):
    made, name = sheet(db, account)
    assert give(db, made, 1, 0, "3:2,9:1") == "0"
    assert give(db, made, 1, 0, "3:2,9:1") == "0"
    assert give(db, made, 2, 0, "5:1", "another one") == "99"        # not the epoch
    assert give(db, made, 1, 0, "5:1", "another one", "mallory/pc@post.example") == "7"
    assert give(db, made, 1, 1, "20:4294967295", "CLOSExxx") == "0"
    assert give(db, made, 1, 1, "20:4294967295", "CLOSExxx") == "0"
    assert give(db, made, 1, 0, "6:1", "after it") == "99"
    assert state(db, made, 1, 20)[2] == "1"
    assert lodge(db, name, uuid.uuid4(), "1:2") == "0"               # made before the end
    assert db.one("SELECT count(*) FROM credit.v_evidence", "post_audit") == "0"
    assert lodge(db, name, uuid.uuid4(), "4:1", 1, frank="void") == "0"
    assert lodge(db, name, uuid.uuid4(), "50:1", 1, frank="close") == "0"
    assert db.sql("SELECT what, encode(frank, 'hex') FROM credit.v_evidence ORDER BY evidence", "post_audit") == [
        ["given back", frank_of(999, b"void").hex()], ["given back", frank_of(999, b"close").hex()]]
    later(db)
    assert admin(db, "SELECT credit.admin_sweep()") == "46"
    assert holds(db, account) == (96, 0)


def test_a_late_frank_on_a_closed_account_has_nobody_to_charge(db, account):
    _, name = sheet(db, account)
    later(db, 101)
    assert admin(db, "SELECT credit.admin_sweep()") == "50"
    topup(db, account, 100)
    assert lodge(db, name, "00000000-0000-4000-8000-000000000001", "6:1", 1) == "0"
    assert holds(db, account) == (-1, 100)                           # owed
    admin(db, f"SELECT credit.admin_close_account('{account}')")
    assert lodge(db, name, "00000000-0000-4000-8000-000000000002", "7:1", 1) == "99"
    assert lodge(db, name, "00000000-0000-4000-8000-000000000001", "6:1", 1) == "0"
    assert holds(db, account) == (-1, 100)


def test_certd_of_the_same_database_settles_and_does_nothing_else(db, account):
    db.sql("DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cert_owner') THEN CREATE ROLE cert_owner LOGIN "
           "NOINHERIT; END IF; END $$")
    subprocess.run([TOOL, "migrate", db.conninfo("credit_owner"), "credit", SCHEMA], check=True)
    _, name = sheet(db, account)
    call = (f"SELECT credit.settle({name}, '{ALICE}', '00000000-0000-4000-8000-000000000001', 'bob/desk@post.example', "
            f"{bytes_of('offer')}, ARRAY[1, 5], ARRAY[1, 1], 2, {bytea(frank_of(1000))}, {bytes_of('sig', 64)}, 'the proof'::bytea)")
    assert [db.one(f"SET SESSION AUTHORIZATION cert_owner; {call}") for _ in range(2)] == ["paid", "same"]
    assert db.one("SET SESSION AUTHORIZATION cert_owner; " + call.replace("8000-000000000001", "8000-000000000002")) == "conflict"
    assert db.one("SET SESSION AUTHORIZATION cert_owner; " + call.replace("ARRAY[1, 5]", "NULL")) == "price"
    for text in ("SELECT * FROM credit.account", "SELECT credit.admin_sweep()"):
        refused(db, f"SET SESSION AUTHORIZATION cert_owner; {text}", words="permission denied")
    assert revenue(db) == 2


def test_a_serial_that_goes_back_closes_the_sheet(db, account):
    made, _ = sheet(db, account)
    assert state(db, made, 1, 9) == ["0", "1", "0"]
    assert state(db, made, 1, 8) == ["0", "1", "1"]


def test_a_serial_beyond_the_sheet_closes_it(db, account):
    made, _ = sheet(db, account)
    assert state(db, made, 1, 51) == ["0", "1", "0"]
    assert state(db, made, 1, 52)[2] == "1"


def test_nobody_else_reports_for_a_sheet(db, account):
    made, _ = sheet(db, account)
    assert state(db, made, 1, 9, who="mallory/pc@post.example")[0] == "7"


def test_the_sweep_gives_back_what_can_be_spent_no_more(db, account):
    _, name = sheet(db, account)
    lodge(db, name, uuid.uuid4())
    assert admin(db, "SELECT credit.admin_sweep()") == "0"
    later(db, 101)
    assert admin(db, "SELECT credit.admin_sweep()") == "48"
    assert admin(db, "SELECT credit.admin_sweep()") == "0"
    assert holds(db, account) == (98, 0)


# ---- the check finds what is wrong ----

@pytest.mark.parametrize("damage, found", [
    ("DELETE FROM credit.mark WHERE serial = 1", "each settlement has as many marks as its price"),
    ("UPDATE credit.mark SET serial = 900 WHERE serial = 1", "marks lie in their sheet"),
    ("UPDATE credit.posting SET amount = amount + 1 WHERE place = 'revenue'", "every transaction sums to zero"),
    ("UPDATE credit.account SET balance = balance + 1", "an account holds the sum of its postings"),
    ("DELETE FROM credit.posting", "every transaction has postings")])
def test_credit_check_finds_damage(account, db, damage, found):
    _, name = sheet(db, account)
    lodge(db, name, uuid.uuid4())
    bad = db.sql(f"BEGIN; SET LOCAL session_replication_role = replica; {damage}; "
                 "SELECT name FROM credit.check() WHERE ok IS NOT TRUE; ROLLBACK")
    assert [found] in bad


# ---- everything at once, in batches ----

def quoted(x):
    if isinstance(x, bytes):
        return bytea(x)
    return f"'{x}'" if isinstance(x, str) else str(x)


def call(function, *columns):
    """A batch: columns of (type, values)."""
    them = ", ".join(f"ARRAY[{', '.join(quoted(x) for x in values)}]::{kind}[]" for kind, values in columns)
    return f"SELECT credit.{function}({them})"


def topups(accounts, pick):
    n = pick.randint(1, 6)
    return call("topup", ("text", [pick.choice(["alice", "bob"]) + pick.choice(["/one", "/two"]) + "@post.example" for _ in range(n)]),
                ("uuid", [str(uuid.uuid4()) for _ in range(n)]), ("bytea", [bytes(32)] * n),
                ("text", [pick.choice(accounts) for _ in range(n)]), ("bigint", [pick.randint(1, 40) for _ in range(n)]),
                ("text", [""] * n), ("bigint", [0] * n), ("bytea", [bytes(32)] * n), ("bigint", [90] * n), ("bigint", [200] * n),
                ("bigint", [1] * n))


def lodgings(sheets, pick):
    n = pick.randint(1, 6)
    of, first = [pick.choice(sheets) for _ in range(n)], [pick.randint(1, 30) for _ in range(n)]
    price = [pick.randint(1, 3) for _ in range(n)]
    return call("lodge", ("bytea", [s[0] for s in of]), ("text", [s[2] for s in of]),
                ("uuid", [str(uuid.UUID(int=pick.randint(1, 60))) for _ in range(n)]), ("text", ["bob/desk@post.example"] * n),
                ("bytea", [bytes(32)] * n), ("text", [f"{f}:{p}" for f, p in zip(first, price)]), ("bigint", price),
                ("bytea", [frank_of((p - 1) * 1000, bytes([f])) for f, p in zip(first, price)]), ("bytea", [bytes(64)] * n),
                ("bytea", [b"the proof of it"] * n))


def standings(sheets, pick):
    n = pick.randint(1, 4)
    of, following = [pick.choice(sheets) for _ in range(n)], [pick.randint(1, 12) for _ in range(n)]
    who, which, epoch = ("text", [s[2] for s in of]), ("uuid", [s[1] for s in of]), ("bigint", [1] * n)
    if pick.random() < 0.5:
        return call("sheet_state", who, which, epoch, ("bigint", following), ("bigint", [0] * n),
                    ("uuid", [str(uuid.uuid4()) for _ in range(n)]))
    return call("give_back", who, which, epoch, ("bigint", [pick.randint(0, 9) // 9 for _ in range(n)]),
                ("text", [f"{f}:9" for f in following]), ("bytea", [b"statement" + bytes([f]) for f in following]),
                ("bytea", [bytes(64)] * n))


def test_batches_of_everything_at_once_lose_and_make_nothing(db):
    accounts = [admin(db, f"SELECT credit.admin_open_account('{p}@post.example')") for p in ("alice", "bob")]
    for a in accounts:
        admin(db, f"SELECT credit.admin_deposit('{a}', 400, '{a}')")
        for p in ("alice", "bob"):
            admin(db, f"SELECT credit.admin_allow('{a}', '{p}@post.example')")
    sheets = []
    for i, who in enumerate(["alice/one@post.example", "alice/two@post.example", "bob/one@post.example"] * 2):
        made, name = sheet(db, accounts[i % 2], 30, who)       # name: '\\x…'::bytea
        sheets.append((bytes.fromhex(name[3:67]), made, who))
    problems = []

    def work(seed):
        pick = random.Random(seed)
        for _ in range(40):
            batch = pick.choice([topups(accounts, pick), lodgings(sheets, pick), lodgings(sheets, pick), standings(sheets, pick)])
            try:
                db.sql(batch, "credit_daemon")
            except postgres.SqlError as e:
                problems.append(str(e))
    them = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for t in them:
        t.start()
    for t in them:
        t.join()
    assert problems == []
    later(db, 105)
    admin(db, "SELECT credit.admin_sweep()")
    settled = revenue(db)
    assert settled > 30
    assert sum(holds(db, a)[0] for a in accounts) == 800 - settled
    assert sum(holds(db, a)[1] for a in accounts) == 0
