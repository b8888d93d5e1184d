"""What was told is on the disk at that moment; and a daemon that is stopped by signal, whenever that is, leaves nothing damaged."""

import shutil
import signal
import sqlite3
import time

import pytest

from conftest import charging
from crash.lane import Lane, wait


@pytest.fixture(scope="module")
def office():
    with charging(certd=True) as o:
        yield o


@pytest.fixture(scope="module")
def lane(office, tmp_path_factory):
    return Lane(office, 1, str(tmp_path_factory.mktemp("lane")))


def copied(station, folder, question, *values):
    """Rows of a copy of the database as its files are now, without the memory that daemons share: what a power cut leaves at worst."""
    station.daemon.signal(signal.SIGSTOP)
    try:
        folder.mkdir()
        for name in ("peer.db", "peer.db-wal"):
            shutil.copy(station.path(name), folder)
    finally:
        station.daemon.signal(signal.SIGCONT)
    db = sqlite3.connect(folder / "peer.db")
    try:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return db.execute(question, values).fetchall()
    finally:
        db.close()


def test_rc13_what_was_answered_is_in_the_files_of_the_database(lane, tmp_path):
    for n in range(5):
        path = lane.file()
        assert lane.send(path)          # the command has its answer
        rows = copied(lane.a, tmp_path / f"a{n}", "SELECT paths FROM event WHERE kind = 1")
        assert any(path in paths for paths, in rows), rows
        # the sender has the recipient's DONE: there it is placed
        event = wait(lambda: [e for e in lane.new() if e["delivered"]], 30, "it is delivered")[0]
        rows = copied(lane.b, tmp_path / f"b{n}", "SELECT state, length(done) FROM event WHERE kind = 2 AND lower(hex(id)) = ?",
                      event["id"].replace("-", ""))
        assert rows and rows[0][0] in (6, 20) and rows[0][1] > 0, rows
        assert lane.delivered(path)


@pytest.mark.parametrize("who", ["sender", "recipient", "keyd", "creditd", "certd"])
def test_sys17_stopped_by_signal_at_any_time_nothing_is_damaged(lane, who):
    daemon = lane.daemon(who)
    for pause in (0, 0.01, 0.03, 0.06, 0.1, 0.2):
        path = lane.file()
        ordered = lane.send(path)
        time.sleep(pause)
        assert daemon.stop(), "it did not end by itself"
        for station in (lane.a, lane.b):
            db = sqlite3.connect(f"file:{station.path('peer.db')}?mode=ro", uri=True, timeout=10)
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            db.close()
        lane.restart(who)
        assert lane.delivered(path, ordered)
