"""An sshd of our own for what goes over ssh: on loopback, with keys and settings of its own; nothing of the machine's is touched."""

import os
import signal
import subprocess
import time


class Sshd:
    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        os.makedirs(folder, mode=0o700)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(name)], check=True)
        with open(self.path("sshd.conf"), "w", encoding="ascii") as f:
            f.write(f"Port {port}\nListenAddress 127.0.0.1\nHostKey {self.path('host')}\nUsePAM no\nStrictModes no\n"
                    f"AuthorizedKeysFile {self.path('user.pub')}\nPidFile none\nPermitRootLogin prohibit-password\n"
                    "Subsystem sftp internal-sftp\n")
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.daemon = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.path("sshd.conf")],
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
        return ["ssh", *self.options(), *more, "-p", str(self.port), "127.0.0.1"]

    def rsh(self):
        """For rsync -e."""
        return " ".join(["ssh", *self.options(), "-p", str(self.port)])

    def scp(self, source, goal, *more):
        return ["scp", "-q", "-r", *self.options(), *more, "-P", str(self.port), source, f"127.0.0.1:{goal}"]

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait()
