"""A private PostgreSQL cluster for tests: in a temporary folder, on 127.0.0.1 and a free port, never as root.

    cluster = postgres.cluster()            one for the whole run, ended at exit
    db = cluster.database("keyd")           a fresh database with the roles of keyd/schema/roles.sql
    db.conninfo("key_daemon")               for a daemon's settings
    db.sql("SELECT 1")                      rows of texts, as superuser; user="post_admin" as somebody else
    cluster.stop() / start() / kill()       fast shutdown, and kill -9 of everything
"""

import atexit
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = "/usr/lib/postgresql/15/bin"
_cluster = None


class SqlError(Exception):
    """What psql said on its standard error."""


def cluster():
    """The cluster that all tests of this run share."""
    global _cluster
    if _cluster is None:
        _cluster = Cluster()
        atexit.register(_cluster.remove)
    if not _cluster.running():
        _cluster.start()
    return _cluster


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _unprivileged():
    """The words before a command that make root somebody else for it."""
    if os.geteuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return (["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user)
    raise RuntimeError("root needs a user postgres or nobody to run PostgreSQL as")


class Cluster:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="sealpost-pg-")
        os.chmod(self.folder, 0o711)
        self.data = os.path.join(self.folder, "data")
        self.pgpass = os.path.join(self.folder, "pgpass")
        self.port = free_port()
        self.process = None
        self.passwords = {"postgres": secrets.token_hex(16)}
        self.count = 0
        self._as, self._user = _unprivileged()
        self._init()

    def _init(self):
        os.mkdir(self.data, 0o700)
        pwfile = os.path.join(self.folder, "pw")
        with open(pwfile, "w", encoding="ascii") as f:
            f.write(self.passwords["postgres"] + "\n")
        if self._user:
            os.chown(self.data, self._user.pw_uid, self._user.pw_gid)
            os.chown(pwfile, self._user.pw_uid, self._user.pw_gid)
        subprocess.run([*self._as, f"{BIN}/initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                        "--auth=scram-sha-256", f"--pwfile={pwfile}", "--no-instructions", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
        os.unlink(pwfile)
        self._write_pgpass()

    def _write_pgpass(self):
        with open(os.open(self.pgpass, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
            for user, password in self.passwords.items():
                f.write(f"127.0.0.1:{self.port}:*:{user}:{password}\n")

    def start(self):
        log = open(os.path.join(self.folder, "log"), "ab")
        # A run that is killed takes its cluster along; the signal follows the thread that starts it, so only the main one.
        tied = ["setpriv", "--pdeathsig=QUIT"] if threading.current_thread() is threading.main_thread() else []
        self.process = subprocess.Popen(
            [*self._as, *tied, f"{BIN}/postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", "-c", "fsync=on", "-c", "max_connections=50", "-c", "shared_buffers=32MB"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        log.close()
        end = time.monotonic() + 30
        while subprocess.run([f"{BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                             check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
                    raise RuntimeError("PostgreSQL does not start:\n" + f.read()[-2000:])
            time.sleep(0.05)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Fast shutdown: sessions are cut, everything is written."""
        if self.running():
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)

    def kill(self):
        """As a power cut would: the postmaster and all its children."""
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], check=False,
                                  capture_output=True, text=True).stdout.split()
        self.process.kill()
        for pid in children:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(30)

    def remove(self):
        if self.running():
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def database(self, *daemons):
        """A fresh database with the roles of these daemons' schemas."""
        self.count += 1
        name = f"post{self.count}"
        Database(self, "postgres").sql(f"CREATE DATABASE {name}")
        db = Database(self, name)
        for daemon in daemons:
            db.file(os.path.join(SOURCE, daemon, "schema", "roles.sql"))
        for role in [r[0] for r in db.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolpassword IS NOT NULL")]:
            if role not in self.passwords:
                self.passwords[role] = secrets.token_hex(16)
                db.sql(f"ALTER ROLE {role} PASSWORD '{self.passwords[role]}'")
        self._write_pgpass()
        return db


class Database:
    def __init__(self, owner, name):
        self.cluster = owner
        self.name = name

    def conninfo(self, user="postgres"):
        return f"host=127.0.0.1 port={self.cluster.port} dbname={self.name} user={user} passfile={self.cluster.pgpass}"

    def _psql(self, *args, user="postgres", stdin=None):
        done = subprocess.run([f"{BIN}/psql", "-X", "-A", "-t", "-q", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
                               *args, self.conninfo(user)], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SqlError(done.stderr.strip())
        return [row.split("\x1f") for row in done.stdout.rstrip("\n").split("\x1e")] if done.stdout.strip("\n") else []

    def sql(self, text, user="postgres"):
        """Rows of texts; SqlError with psql's words. user may be a role that cannot log in: it is set for the session."""
        if user in self.cluster.passwords:
            return self._psql("-f", "-", user=user, stdin=text)
        return self._psql("-f", "-", stdin=f"SET SESSION AUTHORIZATION {user};\n{text}")

    def one(self, text, user="postgres"):
        """The only value of the only row."""
        rows = self.sql(text, user)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]

    def file(self, path, user="postgres"):
        self._psql("-f", path, user=user)
