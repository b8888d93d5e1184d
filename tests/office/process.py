"""Daemons by folder: DIR/pid and DIR/log, started detached so that they outlive this program, stopped by signal."""

import os
import random
import signal
import socket
import subprocess
import time


class OfficeError(Exception):
    """What went wrong, in one sentence for the user."""


def free_port(host="127.0.0.1"):
    """A port that is free now for TCP and UDP: outside the range that transfers use, and outside the kernel's own, from which a
    connection of somebody else may take it while its daemon is down."""
    for _ in range(100):
        port = random.randint(10000, 20999)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((host, port))
                udp.bind((host, port))
            except OSError:
                continue
            return port
    raise OfficeError("no free port was found on " + host)


class Daemon:
    """One program with its folder."""

    def __init__(self, name, folder, command, env=None, prefix=()):
        self.name, self.folder, self.command = name, folder, command
        self.env, self.prefix = env, list(prefix)
        self.pid_file = os.path.join(folder, "pid")
        self.log_file = os.path.join(folder, "log")

    def pid(self):
        """Its process number, or None if it does not run."""
        try:
            with open(self.pid_file, encoding="ascii") as f:
                pid = int(f.read())
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            pass
        except (OSError, ValueError):
            return None
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
            # a thread that dies later, in a write to the disk perhaps, holds the program's files and locks as long
            threads = len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            return None
        return None if state in "ZX" and threads <= 1 else pid

    def running(self):
        return self.pid() is not None

    def start(self, extra_env=None):
        if self.running():
            return
        env = dict(os.environ if self.env is None else self.env)
        env.update(extra_env or {})
        with open(self.log_file, "ab") as log:
            child = subprocess.Popen(self.prefix + self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                     cwd=self.folder, start_new_session=True)
        with open(self.pid_file + ".new", "w", encoding="ascii") as f:
            f.write(f"{child.pid}\n")
        os.replace(self.pid_file + ".new", self.pid_file)

    def signal(self, number):
        pid = self.pid()
        if pid is not None:
            os.kill(pid, number)
        return pid

    def wait_gone(self, seconds):
        end = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def stop(self, seconds=15):
        """SIGTERM, then SIGKILL if it does not listen. True if it went by itself."""
        if self.signal(signal.SIGTERM) is None or self.wait_gone(seconds):
            return True
        self.kill()
        return False

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait_gone(10)

    def log(self):
        try:
            with open(self.log_file, encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def wait_until(self, ready, seconds, what):
        """Until ready() says so; the daemon's last words if it ends or takes too long."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise OfficeError(f"{self.name} ended while it should have {what}; its log says:\n{self.log()[-3000:]}")
            if time.monotonic() > end:
                raise OfficeError(f"{self.name} has not {what} in {seconds} s; its log says:\n{self.log()[-3000:]}")
            time.sleep(0.02)
