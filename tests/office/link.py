"""A network of the tests' own: two namespaces joined by tests/link/link, with delay, rate, loss and whatever else it can do.

    with Link(build, "delay 50 rate 1G queue 50ms") as link:
        link.a, link.b              the ends: .netns, .address, .address6, .services
        link.tell("a>b loss 30")    what tests/link/orders.h lists; link.counts() for what became of the packets
        link.b.move("10.9.0.77")    another address than before
        link.a.run("ip", "addr")    a program in that namespace

Each end has, beside the link, a wire of its own to the machine's services: they are at link.a.services for both. Needs root and
/dev/net/tun: Link.missing() says so in words. Names are unique, so tests may run beside one another; what a killed run left behind is
removed by the next."""

import fcntl
import itertools
import json
import os
import re
import subprocess

NUMBERS = itertools.count(1)
MARK = "spl-"
NETWORK, NETWORK6 = "10.9.0.", "fd09::"      # inside the namespaces, so the same for all links
DEVICE, UPLINK = "link", "services"


class LinkError(Exception):
    """What went wrong, in one sentence."""


def ip(*words, netns=None):
    """ip within a namespace; ip -n would want to mount things, which a chroot does not allow."""
    enter = ["nsenter", f"--net=/run/netns/{netns}"] if netns else []
    done = subprocess.run([*enter, "ip", *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise LinkError(f"ip {' '.join(words)}: {done.stderr.strip()}")


class End:
    """One namespace and its place on the link."""

    def __init__(self, netns, number):
        self.netns = netns
        self.address, self.address6 = f"{NETWORK}{number}", f"{NETWORK6}{number}"
        self.services = None

    def run(self, *words, **options):
        return subprocess.run(self.inside(*words), **{"check": True, "capture_output": True, "text": True, **options})

    def inside(self, *words):
        """The command that runs these words in the namespace."""
        return ["nsenter", f"--net=/run/netns/{self.netns}", *words]

    def ip(self, *words):
        ip(*words, netns=self.netns)

    def sysctl(self, name, value):
        self.run("sysctl", "-q", "-w", f"{name}={value}")

    def make(self):
        ip("netns", "add", self.netns)
        self.ip("link", "set", "dev", "lo", "up")

    def uplink(self, device, near, far):
        """A wire to the machine itself, whose address on it is near."""
        ip("link", "add", device, "type", "veth", "peer", "name", UPLINK, "netns", self.netns)
        ip("addr", "add", f"{near}/30", "dev", device)
        ip("link", "set", "dev", device, "up")
        self.ip("addr", "add", f"{far}/30", "dev", UPLINK)
        self.ip("link", "set", "dev", UPLINK, "up")
        self.ip("route", "add", "default", "via", near)
        self.services = near

    def join(self):
        self.ip("link", "set", "dev", DEVICE, "txqueuelen", "10000", "up")
        self.ip("addr", "add", f"{self.address}/24", "dev", DEVICE)
        try:
            self.ip("addr", "add", f"{self.address6}/64", "dev", DEVICE, "nodad")
        except LinkError:
            self.address6 = None    # a kernel without IPv6

    def move(self, address):
        """From now on at another address of the link's network, as a machine that went to another place."""
        self.ip("addr", "add", f"{address}/24", "dev", DEVICE)
        self.ip("addr", "del", f"{self.address}/24", "dev", DEVICE)
        # a second address of one network goes with the first
        self.ip("addr", "replace", f"{address}/24", "dev", DEVICE)
        self.address = address


class Link:
    @staticmethod
    def missing():
        """Why there can be no link here, or None."""
        if os.geteuid() != 0:
            return "a link of the tests' own needs root"
        try:
            os.close(os.open("/dev/net/tun", os.O_RDWR))
        except OSError as e:
            return f"a link of the tests' own needs /dev/net/tun: {e.strerror}"
        return None

    def __init__(self, build, *orders):
        self.program, self.orders = os.path.join(build, "tests", "link", "link"), orders
        name = f"{MARK}{os.getpid()}-{next(NUMBERS)}"
        self.a, self.b = End(name + "a", 1), End(name + "b", 2)
        self.process = None

    def __enter__(self):
        if self.missing():
            raise LinkError(self.missing())
        sweep()
        try:
            self._make()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def _make(self):
        for end in (self.a, self.b):
            end.make()
        lock = os.open("/run/netns", os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            taken = os.listdir("/sys/class/net")
            n = next(n for n in range(1, 250) if f"spl{n}a" not in taken and f"spl{n}b" not in taken)
            self.a.uplink(f"spl{n}a", f"10.79.{n}.1", f"10.79.{n}.2")
            self.b.uplink(f"spl{n}b", f"10.79.{n}.5", f"10.79.{n}.6")
        finally:
            os.close(lock)
        self.process = subprocess.Popen([self.program, self.a.netns, self.b.netns, DEVICE, *self.orders], text=True, bufsize=1,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != "ready\n":
            raise LinkError(f"{self.program} did not start")
        for end in (self.a, self.b):
            end.join()

    def _ask(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().rstrip("\n")

    def tell(self, line):
        """Holds for every packet that enters from now on."""
        answer = self._ask(line)
        if answer != "ok":
            raise LinkError(answer or "the link's program ended")

    def counts(self):
        return json.loads(self._ask("counts"))

    def remove(self):
        if self.process is not None:
            self.process.stdin.close()      # it ends with its input
            self.process.wait()
            self.process.stdout.close()
            self.process = None
        for end in (self.a, self.b):
            subprocess.run(["ip", "netns", "del", end.netns], check=False, capture_output=True)


def sweep():
    """Removes namespaces whose makers are gone; their devices go with them."""
    try:
        names = os.listdir("/run/netns")
    except OSError:
        return
    for name in names:
        made = re.fullmatch(rf"{MARK}(\d+)-\d+[ab]", name)
        if made and not os.path.exists(f"/proc/{made[1]}"):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
