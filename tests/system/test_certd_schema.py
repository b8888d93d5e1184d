"""certd's schema by itself: who may do what, and what nobody can undo."""

import os

import pytest

import postgres
from test_keyd_schema import refused

SCHEMA = os.path.join(postgres.SOURCE, "certd/schema")
CERTD = os.path.join(os.path.abspath(os.environ.get("SP_BUILD", ".")), "certd/certd")
DAEMON_FUNCTIONS = {"daemon_start", "postmark_begin", "postmark_finish", "postmark_get", "unsigned", "notice_due",
                    "notice_told", "lodging_due", "lodged", "patch_last"}


@pytest.fixture(scope="module")
def db(tmp_path_factory):
    import subprocess
    d = postgres.database("certd")
    conf = tmp_path_factory.mktemp("certd") / "certd.conf"
    conf.write_text(f'database_owner = "{d.conninfo("cert_owner")}";\nschema_dir = "{SCHEMA}";\n')
    subprocess.run([CERTD, "--config", str(conf), "--migrate"], check=True, capture_output=True)
    yield d
    d.drop()


def begin(db, transfer, receipt="\\x01", number="00000000-0000-7000-8000-000000000001", sender="alice/desk@post.example",
          port=0, ended=0):
    b = "ARRAY['\\x02']::bytea[]"
    sig = "ARRAY[decode(repeat('03', 64), 'hex')]"
    return db.sql(f"""SELECT status, number_is, payment, tsr FROM cert.postmark_begin(ARRAY['{number}']::uuid[],
        ARRAY['{transfer}']::uuid[], ARRAY['{sender}'], ARRAY['bob/desk@post.example'], ARRAY[3::bigint],
        ARRAY['{receipt}']::bytea[], ARRAY[sha256('{receipt}')], {b}, ARRAY[sha256('x')], {sig}, {b},
        ARRAY[NULL]::bytea[], ARRAY[NULL]::bytea[], ARRAY[0::bigint], ARRAY[NULL]::bytea[], ARRAY[''], ARRAY[''], ARRAY[''],
        ARRAY[1000::bigint], ARRAY[{ended}::bigint], ARRAY['{"h" if port else ""}'], ARRAY[{port}::bigint])""",
                  "cert_daemon")[0]


def finish(db, number, p7m="\\x05", tsr="\\x06"):
    return db.sql(f"SELECT status, p7m_is, tsr_is FROM cert.postmark_finish(ARRAY['{number}']::uuid[], "
                  f"ARRAY['{p7m}']::bytea[], ARRAY['{tsr}']::bytea[])", "cert_daemon")[0]


def uuid7(n):
    return f"00000000-0000-7000-8000-{n:012x}"


def test_public_has_nothing_and_roles_have_their_functions_only(db):
    walk = db.sql("""
        SELECT p.proname, coalesce(r.rolname, 'PUBLIC'), p.prosecdef, coalesce(array_to_string(p.proconfig, ';'), '')
        FROM pg_proc p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE p.pronamespace = 'cert'::regnamespace""")
    granted = {}
    for name, grantee, definer, config in walk:
        granted.setdefault(grantee, set()).add(name)
        if grantee != "cert_owner":
            assert definer == "t" and config == "search_path=cert, pg_temp", name
    assert granted.pop("cert_owner")
    assert granted == {"cert_daemon": DAEMON_FUNCTIONS}
    relations = db.sql("""
        SELECT c.relname, c.relkind, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS a LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE c.relnamespace = 'cert'::regnamespace AND r.rolname IS DISTINCT FROM 'cert_owner'""")
    assert relations and all(row[1] == "v" and row[2] in ("post_admin", "post_audit") and row[3] == "SELECT"
                             for row in relations), relations


def test_the_daemon_cannot_touch_tables(db):
    for text in ("SELECT * FROM cert.postmark", "SELECT * FROM cert.v_receipt", "DELETE FROM cert.queue",
                 "SELECT cert.can_settle()", "CREATE TABLE cert.x (a int)", "CREATE TEMP TABLE postmark (a int)"):
        refused(db, text, "cert_daemon", "permission denied")
    refused(db, "SELECT * FROM cert.postmark", "post_admin", "permission denied")
    assert db.sql("SELECT number FROM cert.v_receipt WHERE false", "post_audit") == []


def test_everything_in_the_schema_has_a_comment(db):
    assert db.sql("""
        SELECT 'table', relname FROM pg_class c WHERE relnamespace = 'cert'::regnamespace AND relkind IN ('r', 'v')
            AND obj_description(c.oid, 'pg_class') IS NULL
        UNION ALL SELECT 'function', proname FROM pg_proc p WHERE pronamespace = 'cert'::regnamespace
            AND obj_description(p.oid, 'pg_proc') IS NULL""") == []


def test_append_only_tables_refuse_their_owner_too(db):
    begin(db, uuid7(100), number=uuid7(1))
    finish(db, uuid7(1))
    for table in ("postmark", "signed", "patch"):
        assert int(db.one(f"SELECT count(*) FROM cert.{table}")) > 0
        for text in (f"DELETE FROM cert.{table}", f"TRUNCATE cert.{table} CASCADE",
                     f"UPDATE cert.{table} SET number = number"):
            refused(db, text, "cert_owner", "append-only")


def test_the_first_decision_and_the_first_signature_stand(db):
    assert begin(db, uuid7(200), number=uuid7(2)) == ["0", uuid7(2), "free", ""]
    assert begin(db, uuid7(200), number=uuid7(3)) == ["0", uuid7(2), "free", ""]
    assert begin(db, uuid7(200), receipt="\\x09", number=uuid7(4))[0] == "99"
    assert db.one(f"SELECT count(*) FROM cert.queue WHERE number = '{uuid7(2)}'") == "1"
    assert finish(db, uuid7(2)) == ["0", "\\x05", "\\x06"]
    assert finish(db, uuid7(2), "\\x07", "\\x08") == ["0", "\\x05", "\\x06"]
    assert finish(db, uuid7(99))[0] == "7"
    assert begin(db, uuid7(200), number=uuid7(3))[3] == "\\x06"
    assert db.one(f"SELECT count(*) FROM cert.queue WHERE number = '{uuid7(2)}'") == "0"


def test_ce04_three_letters_at_most_and_none_after_the_answer(db):
    def due():
        return [row[0] for row in db.sql("SELECT number_is FROM cert.notice_due(ARRAY[10::bigint])", "cert_daemon")]
    for n in (5, 6, 7):
        begin(db, uuid7(300 + n), number=uuid7(n), port=0 if n == 7 else 7325)
        finish(db, uuid7(n))
    assert sorted(due()) == [uuid7(5), uuid7(6)]    # 7 has nowhere to be called
    assert due() == []
    db.sql(f"SELECT * FROM cert.notice_told(ARRAY['{uuid7(6)}']::uuid[])", "cert_daemon")
    for letters in (2, 3):
        db.sql("UPDATE cert.notice SET due = now()")
        assert due() == [uuid7(5)], letters
    db.sql("UPDATE cert.notice SET due = now()")
    assert due() == []
    assert db.one(f"SELECT letters FROM cert.notice WHERE number = '{uuid7(5)}'") == "3"
