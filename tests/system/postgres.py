"""PostgreSQL for tests: one private cluster for the whole run (tests/office/cluster.py), a fresh database for each test.

    db = postgres.database("keyd")          with the roles of keyd/schema/roles.sql
    db.conninfo("key_daemon")               for a daemon's settings
    db.sql("SELECT 1")                      rows of texts, as superuser; user="post_admin" as somebody else
    cluster = postgres.cluster()            .stop(), .start(), .kill(); started again when it is asked for
"""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, "tests"))

from office.cluster import BIN, Cluster  # noqa: E402
from office.process import free_port  # noqa: E402

_cluster = None
_databases = 0


class SqlError(Exception):
    """What psql said on its standard error."""


def cluster():
    """The cluster that all tests of this run share; ended at exit."""
    global _cluster
    if _cluster is None:
        folder = tempfile.mkdtemp(prefix="sealpost-pg-")
        os.chmod(folder, 0o711)
        _cluster = Cluster(os.path.join(folder, "pg"), free_port(), os.path.join(folder, "pgpass"))
        _cluster.create()
        atexit.register(_remove, folder)
    if not _cluster.ready():
        _cluster.start()
    return _cluster


def _remove(folder):
    _cluster.kill()
    shutil.rmtree(folder, ignore_errors=True)


def database(*daemons):
    """A fresh database with the roles of these daemons' schemas."""
    global _databases
    _databases += 1
    c = cluster()
    name = f"post{_databases}"
    c.sql(f"CREATE DATABASE {name}", database="postgres")
    for daemon in daemons:
        c.sql_file(os.path.join(SOURCE, daemon, "schema", "roles.sql"), name)
    c.set_passwords()
    return Database(c, name)


class Database:
    def __init__(self, owner, name):
        self.cluster, self.name = owner, name

    def conninfo(self, user="postgres"):
        return f"host=127.0.0.1 port={self.cluster.port} dbname={self.name} user={user} passfile={self.cluster.pgpass}"

    def drop(self):
        """After a test: a server with many databases takes long to start after a kill."""
        cluster().sql(f"DROP DATABASE {self.name} WITH (FORCE)", database="postgres")

    def sql(self, text, user="postgres"):
        """Rows of texts; SqlError with psql's words. user may be a role that cannot log in: it is set for the session."""
        if user not in self.cluster.passwords():
            text, user = f"SET SESSION AUTHORIZATION {user};\n{text}", "postgres"
        done = subprocess.run([f"{BIN}/psql", "-X", "-A", "-t", "-q", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
                               "-f", "-", self.conninfo(user)], input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SqlError(done.stderr.strip())
        rows = done.stdout.rstrip("\n")
        return [row.split("\x1f") for row in rows.split("\x1e")] if rows else []

    def one(self, text, user="postgres"):
        """The only value of the only row."""
        rows = self.sql(text, user)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]
