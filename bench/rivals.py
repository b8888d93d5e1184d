"""What Sealpost is measured against: an sshd of our own for what goes over ssh, on loopback or at one end of a link, with keys and
settings of its own; nothing of the machine's is touched. And iperf3, that says what the network gives."""

import os
import signal
import subprocess
import time


class Sshd:
    """there and here: what runs a program at the daemon's end and at the other one, nsenter and its words."""

    def __init__(self, folder, port, host="127.0.0.1", there=(), here=()):
        self.folder, self.port, self.host, self.here = folder, port, host, list(here)
        os.makedirs(folder, mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)], check=True)
        with open(self.path("sshd.conf"), "w", encoding="ascii") as f:
            f.write(f"Port {port}\nListenAddress {host}\nHostKey {self.path('host')}\nUsePAM no\nStrictModes no\n"
                    f"AuthorizedKeysFile {self.path('user.pub')}\nPidFile none\nPermitRootLogin prohibit-password\n"
                    "Subsystem sftp internal-sftp\n")
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.daemon = subprocess.Popen([*there, "/usr/sbin/sshd", "-D", "-e", "-f", self.path("sshd.conf")],
                                       stderr=open(self.path("log"), "ab"), stdin=subprocess.DEVNULL)
        for _ in range(100):
            if subprocess.run([*self.ssh(), "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
                return
            time.sleep(0.1)
        raise SystemExit("bench: no sshd came up; see " + self.path("log"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def options(self):
        return ["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.path('known')}", "-o",
                f"IdentityFile={self.path('user')}", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR"]

    def ssh(self, *more):
        return [*self.here, "ssh", *self.options(), *more, "-p", str(self.port), self.host]

    def rsh(self):
        """For rsync -e."""
        return " ".join(["ssh", *self.options(), "-p", str(self.port)])

    def scp(self, source, goal, *more):
        return [*self.here, "scp", "-q", "-r", *self.options(), *more, "-P", str(self.port), source, f"{self.host}:{goal}"]

    def rsync(self, source, goal, *more):
        return [*self.here, "rsync", "-a", *more, "-e", self.rsh(), source, f"{self.host}:{goal}/"]

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()


class Iperf:
    """A server at the other end; run() sends so many bytes there over so many connections."""

    def __init__(self, host, there=(), here=()):
        self.host, self.here = host, list(here)
        self.daemon = subprocess.Popen([*there, "iperf3", "-s", "-B", host], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)

    def run(self, size, connections):
        subprocess.run([*self.here, "iperf3", "-c", self.host, "-n", str(size), "-P", str(connections)], check=True,
                       stdout=subprocess.DEVNULL)

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()
