"""What is sent: files that nothing can compress, text, trees of small files; and whether they are the same in the end."""

import filecmp
import os
import random
import shutil
import subprocess

WORDS = ("post office letter stamp parcel courier ledger receipt seal station address delivery recipient sender weight "
         "counter window queue morning evening").split()


def make_file(path, size):
    """Bytes that nothing can compress, as in films and archives."""
    with open(path, "wb") as f:
        while size > 0:
            n = min(size, 1 << 24)
            f.write(os.urandom(n))
            size -= n


def make_text(path, size):
    """Words by chance: about a tenth of it when compressed."""
    chance = random.Random(1837)
    with open(path, "wb") as f:
        while size > 0:
            size -= f.write(" ".join(chance.choices(WORDS, k=50000)).encode()[:size])


def make_tree(folder, files):
    """Files of 1 B to 16 KiB, fifty a folder; every second one text."""
    chance = random.Random(1837)
    for n in range(files):
        sub = os.path.join(folder, f"{n // 1000:02}", f"{n // 50 % 20:02}")
        os.makedirs(sub, exist_ok=True)
        size = chance.randint(1, 16384)
        with open(os.path.join(sub, f"file-{n:05}"), "wb") as f:
            f.write(" ".join(chance.choices(WORDS, k=size // 4)).encode()[:size] if n % 2 else chance.randbytes(size))


def total(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(path) for f in fs)


def same(a, b):
    if os.path.isfile(a):
        ok = filecmp.cmp(a, b, shallow=False)
    else:
        ok = subprocess.run(["diff", "-r", "-q", a, b], check=False, stdout=subprocess.DEVNULL).returncode == 0
    if not ok:
        raise SystemExit(f"bench: {b} is not {a}")


def sh(command, **options):
    subprocess.run(command, check=True, **options)


def emptied(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
