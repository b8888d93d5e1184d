"""common/pg against a real PostgreSQL: batches, poison, lost connections, migrations."""

import os
import pathlib
import subprocess
import threading
import time

import pytest

import postgres

BUILD = os.environ.get("SP_BUILD", ".")
TOOL = os.path.join(BUILD, "tests/tools/pg_tool")

PROBE = """
CREATE SCHEMA probe;
CREATE TABLE probe.run (run bigint GENERATED ALWAYS AS IDENTITY, items int, pid int);
CREATE FUNCTION probe.echo(n bigint[], t text[], b bytea[], i uuid[]) RETURNS
    TABLE (item bigint, number bigint, text text, bytes bytea, id uuid) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF 'poison' = ANY (t) THEN RAISE EXCEPTION 'poisoned'; END IF;
    IF 'deadlock' = ANY (t) AND nextval('probe.tries') < 3 THEN RAISE EXCEPTION SQLSTATE '40P01'; END IF;
    IF 'cut' = ANY (t) AND nextval('probe.tries') < 3 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    INSERT INTO probe.run (items, pid) VALUES (cardinality(echo.n), pg_backend_pid());
    RETURN QUERY SELECT u.o, u.a, u.b, u.c, u.d FROM unnest(echo.n, t, b, i) WITH ORDINALITY AS u (a, b, c, d, o);
END $$;
CREATE SEQUENCE probe.tries;
CREATE FUNCTION probe.many(n bigint[]) RETURNS TABLE (item bigint, number bigint) LANGUAGE sql AS $$
    SELECT u.o, g FROM unnest(many.n) WITH ORDINALITY AS u (a, o), generate_series(1, u.a) AS g ORDER BY 1, 2 $$;
"""


@pytest.fixture
def db():
    d = postgres.database()
    d.sql(PROBE)
    yield d
    d.drop()


def run(*args, lines=(), ok=True):
    done = subprocess.run([TOOL, *args], input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          check=False, timeout=120)
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout if ok else done.stderr


def ask(db, lines, mode="prepared"):
    out = run("ask", db.conninfo(), mode, lines=lines)
    return {int(line.split()[0]): line.split()[1:] for line in out.splitlines()}


@pytest.mark.parametrize("mode", ["prepared", "plain"])
def test_values_come_back_in_their_places(db, mode):
    got = ask(db, ["echo 1 one", "echo -2 zwölf", "echo 7 null", "many 3", "many 0", "echo 3 x"], mode)
    uuid = "%032x"
    assert got[0] == ["OK", "1", "one", "00", uuid % 1]
    assert got[1][:3] == ["OK", "-2", "zwölf"]
    assert got[2] == ["OK", "7", "NULL", "0001ff", uuid % 7]
    assert got[3] == ["OK", "1", "2", "3"]
    assert got[4] == ["OK"]
    assert got[5][:3] == ["OK", "3", "x"]


def test_what_waits_becomes_one_batch(db):
    got = ask(db, [f"echo {i} t" for i in range(3000)])
    assert all(got[i][:2] == ["OK", str(i)] for i in range(3000))
    runs = [int(r[0]) for r in db.sql("SELECT items FROM probe.run ORDER BY run")]
    assert sum(runs) == 3000 and max(runs) <= 256 and len(runs) < 1000
    assert int(db.one("SELECT count(DISTINCT pid) FROM probe.run")) <= 2


def test_a_full_queue_refuses(db):
    got = ask(db, [f"echo {i} t" for i in range(6000)])
    refused = [i for i in got if got[i] == ["refused", "BUSY"]]
    assert 6000 - 4096 >= len(refused) > 0
    assert all(got[i][0] == "OK" for i in got if i not in refused)


def test_one_bad_item_fails_alone(db):
    got = ask(db, ["echo 1 a", "wait"] + [f"echo {i} {'poison' if i == 77 else 't'}" for i in range(200)])
    bad = [i for i in got if got[i][0] != "OK"]
    assert bad == [79] and got[79] == ["DATABASE"]
    assert int(db.one("SELECT sum(items) FROM probe.run")) == 200


def test_a_deadlock_is_tried_again(db):
    assert ask(db, ["echo 5 deadlock"])[0][:2] == ["OK", "5"]


def test_a_cut_connection_sends_the_same_again(db):
    got = ask(db, ["echo 1 a", "wait", "echo 5 cut", "echo 6 b"])
    assert got[2][:2] == ["OK", "5"] and got[3][:2] == ["OK", "6"]


def test_a_result_of_the_wrong_type_is_an_error_of_ours(db):
    assert ask(db, ["wrong"])[0] == ["DATABASE"]


def test_closed_pools_refuse(db):
    got = ask(db, ["echo 1 a", "close", "echo 2 b"])
    assert got[0][0] == "OK" and got[2] == ["refused", "CLOSED"]


def test_sys16_questions_outlive_a_restart_of_postgresql(db):
    cluster = postgres.cluster()
    cluster.kill()
    again = threading.Timer(2, cluster.start)
    again.start()
    got = ask(db, [f"echo {i} t" for i in range(300)])
    again.join()
    assert all(got[i][:2] == ["OK", str(i)] for i in range(300))


def test_a_database_that_stays_away_is_said_in_time(db):
    cluster = postgres.cluster()
    cluster.stop()
    begin = time.monotonic()
    got = ask(db, ["echo 1 t"])
    assert got[0] == ["DATABASE"]
    assert 7 < time.monotonic() - begin < 20
    cluster.start()


# ---- migrations ----

@pytest.fixture
def files(tmp_path):
    (tmp_path / "001-first.sql").write_text("CREATE TABLE probe.first (a int);\n")
    (tmp_path / "fn_some.sql").write_text("CREATE FUNCTION probe.some() RETURNS int LANGUAGE sql AS 'SELECT 1';\n")
    (tmp_path / "roles.sql").write_text("this is not run;\n")
    return tmp_path


@pytest.fixture
def empty():
    d = postgres.database()
    d.sql("DO $$ BEGIN CREATE ROLE probe_daemon; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    yield d
    d.drop()


def migrate(db, files, ok=True):
    return run("migrate", db.conninfo(), "probe", str(files), ok=ok)


def test_migrating_twice_changes_nothing(empty, files):
    assert migrate(empty, files).split() == ["0", "1", "1"]
    assert migrate(empty, files).split() == ["1", "1", "1"]
    assert empty.sql("SELECT number, name, length(sha256) FROM probe.patch") == [["1", "001-first.sql", "32"]]
    (files / "002-second.sql").write_text("ALTER TABLE probe.first ADD b text;\n")
    (files / "fn_some.sql").write_text("CREATE FUNCTION probe.some() RETURNS text LANGUAGE sql AS $$SELECT 'x'$$;\n"
                                       "CREATE VIEW probe.v AS SELECT probe.some() AS s, b FROM probe.first;\n")
    assert migrate(empty, files).split() == ["1", "2", "1"]
    assert migrate(empty, files).split() == ["2", "2", "1"]
    assert empty.one("SELECT probe.patch_last()") == "2"
    run("check", empty.conninfo(), "probe", "2", "0")


def test_a_changed_history_is_refused(empty, files):
    migrate(empty, files)
    (files / "001-first.sql").write_text("CREATE TABLE probe.first (a bigint);\n")
    assert "differs from 001-first.sql as it was applied" in migrate(empty, files, ok=False)


def test_an_older_program_is_refused(empty, files):
    (files / "002-second.sql").write_text("SELECT 1;")
    migrate(empty, files)
    (files / "002-second.sql").unlink()
    assert "at number 2 (002-second.sql), this program knows 1" in migrate(empty, files, ok=False)
    assert "is at number 2, this program knows 1: use the newer program" in \
        run("check", empty.conninfo(), "probe", "1", "0", ok=False)
    assert "run --migrate first" in run("check", empty.conninfo(), "probe", "3", "0", ok=False)


def test_a_failing_file_leaves_nothing_and_is_named_with_its_line(empty, files):
    (files / "002-bad.sql").write_text("CREATE TABLE probe.half (a int);\n-- ä\n\nSELECT nonsense;\n")
    assert "002-bad.sql:4: column \"nonsense\" does not exist" in migrate(empty, files, ok=False)
    assert empty.one("SELECT to_regclass('probe.half') IS NULL") == "t"
    assert empty.one("SELECT max(number) FROM probe.patch") == "1"
    (files / "002-bad.sql").write_text("CREATE TABLE probe.half (a int); COMMIT;")
    assert "ends the transaction" in migrate(empty, files, ok=False)


def test_gaps_and_empty_folders_are_refused(empty, files, tmp_path_factory):
    (files / "003-third.sql").write_text("SELECT 1;")
    assert "number 2 should be here" in migrate(empty, files, ok=False)
    assert "holds no schema" in migrate(empty, tmp_path_factory.mktemp("none"), ok=False)
    assert "NOTFOUND" in migrate(empty, pathlib.Path("/nonexistent"), ok=False)


def test_two_migrators_do_not_meet(empty, files):
    (files / "002-slow.sql").write_text("SELECT pg_sleep(1); CREATE TABLE probe.slow (a int);")
    out = []
    threads = [threading.Thread(target=lambda: out.append(migrate(empty, files).split())) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(out) == [["0", "2", "1"], ["2", "2", "1"], ["2", "2", "1"]]


def test_the_check_waits_for_a_database_and_says_what_is_missing(empty):
    assert "not in the database yet: run --migrate" in run("check", empty.conninfo(), "probe", "1", "0", ok=False)
    begin = time.monotonic()
    err = run("check", "host=127.0.0.1 port=1 dbname=x", "probe", "1", "1500", ok=False)
    assert "cannot connect" in err and time.monotonic() - begin > 1.4
