"""See bench/profile. libcrypto has no names for its inner loops: openssl speed shows where they lie."""

import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from figures import cpu_of, machine
from loads import make_file, make_text, make_tree, total
from office.office import Office

BUILD = os.environ["SEALPOST_BUILD"]
PAGE = 256      # bytes of code that are taken to belong together
HASHING = "fingerprints (SHA-256)"
LANES = ("wide_blocks", "pair_blocks")      # common/crypto/sha256_lanes.c
CALLS = {       # system call -> stage
    **dict.fromkeys(("pread64", "read", "preadv"), "reading files"),
    **dict.fromkeys(("pwrite64", "write", "pwritev", "ftruncate", "fallocate"), "writing files"),
    **dict.fromkeys(("sendto", "sendmsg", "writev"), "sending"),
    **dict.fromkeys(("recvfrom", "recvmsg", "recvmmsg"), "receiving"),
    **dict.fromkeys(("fsync", "fdatasync", "syncfs", "sync_file_range"), "syncing"),
    **dict.fromkeys(("openat", "openat2", "close", "mkdirat", "mkdir", "unlinkat", "newfstatat", "statx", "fchmod", "utimensat", "linkat",
                     "symlinkat", "renameat2", "rename", "getdents64", "fstat", "unlink", "rmdir"), "names, times and modes of files"),
}


class Perf:
    """What one process does until stop()."""

    def __init__(self, folder, name, *target):
        self.path = os.path.join(folder, name)
        self.log = open(self.path + ".log", "wb")
        self.process = subprocess.Popen(["perf", "record", "-g", "-F", "999", "-o", self.path, *target], stdout=self.log, stderr=self.log)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self):
        self.process.wait()
        self.log.close()
        return samples(self.path)


def samples(path):
    """Of each sample, innermost first: (offset in its library's file, symbol, library)."""
    out = subprocess.run(["perf", "script", "-i", path, "-F", "ip,sym,dso", "--show-mmap-events"], check=True, capture_output=True,
                         text=True, errors="replace").stdout
    maps, found, chain = [], [], []
    for line in out.splitlines() + [""]:
        if m := re.search(r"PERF_RECORD_MMAP.*\[0x([0-9a-f]+)\(0x([0-9a-f]+)\) @ (\S+) .*\]: \S+ (/.*)$", line):
            maps.append((int(m[1], 16), int(m[2], 16), int(m[3], 16), m[4]))
        elif m := re.match(r"\s+([0-9a-f]+) (.*) \((.*)\)$", line):
            ip = int(m[1], 16)
            at = next((ip - start + offset for start, size, offset, name in maps if start <= ip < start + size and name == m[3]), ip)
            chain.append((at, m[2], m[3]))
        elif chain:
            found.append(chain)
            chain = []
    return found


def loops(folder):
    """libcrypto's code for each algorithm: {page: stage}."""
    found = {}
    for algorithm, stage in (("sha256", HASHING), ("chacha20-poly1305", "sealing (ChaCha20-Poly1305)")):
        speed = ("openssl", "speed", "-seconds", "1", "-bytes", "65536", "-evp", algorithm)
        for chain in Perf(folder, algorithm, *speed).wait():
            if "libcrypto" in chain[0][2]:
                found[chain[0][0] // PAGE] = stage
    return found


def stage_of(chain, pages):
    at, symbol, library = chain[0]
    if "libcrypto" in library:
        return pages.get(at // PAGE, "libcrypto, else")
    if symbol in LANES:
        return HASHING
    if "libzstd" in library:
        return "compression, tried or done"
    if library.startswith("[kernel") or library.startswith("["):
        for _, name, _ in chain:
            if m := re.match(r"__(?:x64|arm64|se|do)_sys_(\w+)", name):
                return CALLS.get(m[1], "other system calls")
        return "kernel, else"
    return "peerd itself" if "/peerd" in library else "copies and other libraries"


def main():
    p = argparse.ArgumentParser(prog="bench/profile", description="Where the stations' processor time goes.")
    p.add_argument("--what", choices=("file", "tree", "text"), default="file")
    p.add_argument("--size", type=int, default=2 << 30, help="of the file or text (2 GiB)")
    p.add_argument("--files", type=int, default=13000, help="of the tree (13,000)")
    p.add_argument("--dir", default="/dev/shm", help="a tmpfs with room for three times SIZE (/dev/shm)")
    args = p.parse_args()
    folder = tempfile.mkdtemp(prefix="spb", dir=args.dir)
    os.chmod(folder, 0o755)
    office = Office(os.path.join(folder, "o"), BUILD)
    try:
        office.create()
        alice, bob = office.station("alice"), office.station("bob")
        office.introduce()
        source = os.path.join(folder, args.what)
        {"file": make_file, "text": make_text}.get(args.what, make_tree)(source, args.files if args.what == "tree" else args.size)
        size = total(source)
        pages = loops(folder)
        ends = {"sender": alice.daemon.pid(), "recipient": bob.daemon.pid()}
        perfs = {end: Perf(folder, end, "-p", str(pid)) for end, pid in ends.items()}
        time.sleep(1)       # perf is there by then
        before, start = {end: cpu_of(pid) for end, pid in ends.items()}, time.monotonic()
        alice.sealpost("send", "--to", bob.name, "--receipt", "direct", source)
        wall = time.monotonic() - start
        cpu = {end: cpu_of(pid) - before[end] for end, pid in ends.items()}
        table = {end: collections.Counter(stage_of(chain, pages) for chain in perf.stop()) for end, perf in perfs.items()}
    finally:
        office.stop()
        shutil.rmtree(folder)
    print(f"{machine()}; {args.what}, {size / 1e6:.0f} MB, {wall:.2f} s; perf runs beside it\n")
    print("| stage | sender, CPU s a GiB | recipient, CPU s a GiB |\n|---|---|---|")
    each = {end: cpu[end] / (size / (1 << 30)) for end in ends}
    for stage, _ in sum(table.values(), collections.Counter()).most_common():
        print(f"| {stage} | " + " | ".join(f"{each[end] * table[end][stage] / table[end].total():.3f}" for end in ends) + " |")
    print("| all | " + " | ".join(f"{each[end]:.3f}" for end in ends) + " |")


main()
