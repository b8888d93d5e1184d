"""A private PostgreSQL cluster in a folder: on 127.0.0.1, with passwords in a pgpass file, fsync on, never run by root."""

import os
import pwd
import secrets
import signal
import subprocess
import time

from .process import Daemon, OfficeError

BIN = "/usr/lib/postgresql/15/bin"


def unprivileged():
    """(words before a command, user) that make root somebody else; ([], None) for an ordinary user."""
    if os.geteuid() != 0:
        return [], None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user
    raise OfficeError("root needs a user postgres or nobody to run PostgreSQL as")


class Cluster:
    def __init__(self, folder, port, pgpass):
        self.folder, self.port, self.pgpass = folder, port, pgpass
        self.data = os.path.join(folder, "data")
        self.prefix, self.user = unprivileged()
        self.daemon = Daemon("PostgreSQL", folder, [
            f"{BIN}/postgres", "-D", self.data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c",
            "unix_socket_directories=", "-c", "fsync=on", "-c", "max_connections=60", "-c", "shared_buffers=32MB",
            "-c", "logging_collector=off"], prefix=self.prefix)

    def passwords(self):
        words = {}
        try:
            with open(self.pgpass, encoding="ascii") as f:
                for line in f:
                    parts = line.rstrip("\n").split(":")
                    words[parts[3]] = parts[4]
        except OSError:
            pass
        return words

    def write_passwords(self, words):
        with open(os.open(self.pgpass, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
            for user, password in words.items():
                f.write(f"127.0.0.1:{self.port}:*:{user}:{password}\n")

    def standby(self, folder, port):
        """A replica in another folder, streaming; from now on a commit here waits for it. promote() makes it the primary."""
        other = Cluster(folder, port, self.pgpass + ".standby")
        os.makedirs(folder, mode=0o755)
        if self.user is not None:
            os.chown(folder, self.user.pw_uid, self.user.pw_gid)
        self.write_both(other)
        done = subprocess.run([*self.prefix, f"{BIN}/pg_basebackup", "-D", other.data, "-R", "-X", "stream", "-c", "fast", "-h",
                               "127.0.0.1", "-p", str(self.port), "-U", "postgres"], check=False, capture_output=True, text=True,
                              cwd="/", env={**os.environ, "PGPASSWORD": self.passwords()["postgres"]})
        if done.returncode != 0:
            raise OfficeError("pg_basebackup failed:\n" + done.stderr[-2000:])
        other.start()
        self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'", database="postgres")
        self.sql("SELECT pg_reload_conf()", database="postgres")
        self.wait_for("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'", "1")
        return other

    def write_both(self, other):
        """Both servers' passwords for whoever reads this one's file; the other's own file, too."""
        words = self.passwords()
        other.write_passwords(words)
        self.write_passwords(words)
        with open(self.pgpass, "a", encoding="ascii") as f, open(other.pgpass, encoding="ascii") as more:
            f.write(more.read())

    def promote(self):
        self.sql("SELECT pg_promote(true, 60)", database="postgres")
        self.wait_for("SELECT pg_is_in_recovery()", "f")

    def wait_for(self, question, answer, seconds=30):
        end = time.monotonic() + seconds
        while self.sql(question, database="postgres") != [[answer]]:
            if time.monotonic() > end:
                raise OfficeError(f"{question} did not become {answer}")
            time.sleep(0.1)

    def create(self):
        """initdb; the folder must be reachable for the user that PostgreSQL runs as."""
        os.makedirs(self.data, mode=0o700)
        os.chmod(self.folder, 0o755)
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
            os.chown(self.data, self.user.pw_uid, self.user.pw_gid)
            reach = subprocess.run([*self.prefix, "test", "-w", self.data], check=False, cwd="/")
            if reach.returncode != 0:
                raise OfficeError(f"the user {self.user.pw_name}, as whom PostgreSQL runs, cannot reach {self.folder}; "
                                  "choose another folder with --dir")
        password = secrets.token_hex(16)
        pwfile = os.path.join(self.folder, "pw")
        with open(os.open(pwfile, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(password + "\n")
        if self.user is not None:
            os.chown(pwfile, self.user.pw_uid, self.user.pw_gid)
        done = subprocess.run([*self.prefix, f"{BIN}/initdb", "-D", self.data, "-U", "postgres", "-E", "UTF8",
                               "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={pwfile}", "--no-instructions"],
                              check=False, capture_output=True, text=True, cwd="/")
        os.unlink(pwfile)
        if done.returncode != 0:
            raise OfficeError("initdb failed:\n" + done.stderr[-2000:])
        self.write_passwords({"postgres": password})

    def start(self):
        """After a kill the old server's children may hold on for a while: tried for 30 s."""
        end = time.monotonic() + 30
        while True:
            self.daemon.start()
            try:
                self.daemon.wait_until(self.ready, max(1, end - time.monotonic()), "started")
                return
            except OfficeError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)

    def ready(self):
        return subprocess.run([f"{BIN}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False).returncode == 0

    def stop(self):
        """Fast shutdown: sessions are cut, everything is written."""
        if self.daemon.signal(signal.SIGINT) is not None and not self.daemon.wait_gone(30):
            self.daemon.kill()

    def kill(self):
        """As a power cut would: the postmaster and all its children."""
        pid = self.daemon.pid()
        if pid is None:
            return
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], check=False, capture_output=True,
                                  text=True).stdout.split()
        self.daemon.kill()
        for child in children:
            try:
                os.kill(int(child), signal.SIGKILL)
            except ProcessLookupError:
                pass

    def env(self, user="postgres", database="sealpost"):
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": user, "PGDATABASE": database,
                "PGPASSFILE": self.pgpass}

    def sql(self, text, user="postgres", database="sealpost"):
        """Rows of texts."""
        done = subprocess.run([f"{BIN}/psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1",
                               "-c", text], check=False, capture_output=True, text=True,
                              env={**os.environ, **self.env(user, database)})
        if done.returncode != 0:
            raise OfficeError(done.stderr.strip())
        out = done.stdout.rstrip("\n")
        return [row.split("\x1f") for row in out.split("\x1e")] if out else []

    def sql_file(self, path, database="sealpost"):
        done = subprocess.run([f"{BIN}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path], check=False,
                              capture_output=True, text=True, env={**os.environ, **self.env("postgres", database)})
        if done.returncode != 0:
            raise OfficeError(done.stderr.strip())

    def set_passwords(self):
        """Every role that may log in gets a password of its own in the pgpass file."""
        words = self.passwords()
        for (role,) in self.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname !~ '^pg_'", database="postgres"):
            if role not in words:
                words[role] = secrets.token_hex(16)
                self.sql(f"ALTER ROLE {role} PASSWORD '{words[role]}'", database="postgres")
        self.write_passwords(words)
