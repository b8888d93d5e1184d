#!/usr/bin/env python3
"""Reads a .receipt as docs/formats.md describes it, sharing no code with the programs; signatures and chain are proved by
stock openssl.

    receipt_reader.py FILE.receipt     checks it and prints receipt.txt

As a module: read_file, read_receipt, check. What breaks a rule raises Refused.
"""

import calendar
import collections
import hashlib
import math
import os
import re
import subprocess
import sys
import tempfile
import time

from packet_reader import OCTAL11, Refused, need, read_files

BLOCK, END = 512, 1024
WORDS = ("sealpost-receipt", "class", "transfer", "sender", "sender-certificate", "recipient", "recipient-certificate",
         "offer", "manifest", "trailer", "received", "files", "bytes", "changed", "left-out", "files.txt")
NUMBER = r"0|[1-9][0-9]*"
HASH = r"[0-9a-f]{64}"
NAME = r"[a-z0-9][a-z0-9._-]{0,31}/[a-z0-9][a-z0-9._-]{0,23}@[a-z0-9.-]{1,48}"
FORMS = {"sealpost-receipt": "1", "class": "direct|postmarked|certified",
         "transfer": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "sender": NAME, "recipient": NAME,
         "received": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "files": NUMBER, "bytes": NUMBER, "changed": NUMBER,
         "left-out": f"0|[1-9][0-9]* {HASH}"}


def header(name, size, mtime):
    """The ustar header of a file of mode 644."""
    need(0 <= mtime <= OCTAL11, "a time that needs another form")
    block = bytearray(BLOCK)

    def put(at, data):
        block[at:at + len(data)] = data

    put(0, name.encode())
    put(100, b"0000644\0" + b"0000000\0" * 2 + b"%011o\0" % size + b"%011o\0" % mtime + b" " * 8 + b"0")
    put(257, b"ustar\x0000")
    put(329, b"0000000\0" * 2)
    put(148, b"%06o\0 " % sum(block))
    return bytes(block)


def read_file(data):
    """The members by name, and the time of them all."""
    members, at, mtime = {}, 0, None
    while any(data[at:at + BLOCK]):
        head = data[at:at + BLOCK]
        need(len(head) == BLOCK and re.fullmatch(rb"[0-7]{11}\0[0-7]{11}\0", head[124:148]), "no member")
        name, size = head[:100].rstrip(b"\0").decode("ascii"), int(head[124:135], 8)
        mtime = int(head[136:147], 8) if mtime is None else mtime
        need(head == header(name, size, mtime), f"the header of {name}")
        end = at + BLOCK + size + -size % BLOCK
        need(end <= len(data) and not any(data[at + BLOCK + size:end]), f"padding of {name}")
        members[name] = data[at + BLOCK:at + BLOCK + size]
        at = end
    need(data[at:] == bytes(END), "the end")
    postmarked = ["postmark.p7m", "postmark.tsr"] if "postmark.p7m" in members else []
    need(list(members) == ["README", "files.txt", "receipt.p7m", *postmarked, "chain.pem"], "members")
    need(members["README"].startswith(b"This is a Sealpost receipt, form 1: "), "README")
    return members, mtime


def read_receipt(text):
    """receipt.txt: word -> value."""
    need(len(text) <= 1024 and text.endswith(b"\n"), "no receipt")
    lines = text.decode("ascii").split("\n")[:-1]
    need(len(lines) == len(WORDS), "lines")
    found = {}
    for word, line in zip(WORDS, lines):
        need(line.startswith(word + " "), f"line {word}")
        found[word] = line[len(word) + 1:]
        need(re.fullmatch(FORMS.get(word, HASH), found[word]), f"value of {word}")
    return found


def openssl(folder, *args):
    done = subprocess.run(["openssl", *args], cwd=folder, capture_output=True, check=False, timeout=60)
    need(done.returncode == 0, done.stderr.decode(errors="replace"))
    return done.stdout


def sizes_fit(lines, total):
    """May a packet of so many bytes have these lines of files.txt? Alike lines may be names of one file."""
    alike = collections.Counter(line[1:] for line in lines)
    least = sum(size for size, *_ in alike)
    more = [(size, times - 1) for (size, *_), times in alike.items() if times > 1]
    unit = math.gcd(*(size for size, _ in more))
    return least <= total <= least + sum(size * times for size, times in more) and (total - least) % (unit or 1) == 0


def check(data):
    """Everything that the page says of a direct receipt. Gives receipt.txt's values."""
    members, mtime = read_file(data)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in members.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
        commands = re.findall(rb"^openssl (.*)$", members["README"], re.M)
        need(commands[0].startswith(b"cms -verify -cades "), "README's first command")
        openssl(folder, *commands[0].decode().split())
        with open(os.path.join(folder, "receipt.txt"), "rb") as f:
            receipt = read_receipt(f.read())
        pems = re.findall(r"-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n",
                          members["chain.pem"].decode("ascii"))
        need("".join(pems).encode() == members["chain.pem"] and len(pems) == 3, "chain.pem")
        with open(os.path.join(folder, "leaf.pem"), "w", encoding="ascii") as f:
            f.write(pems[2])
        leaf = openssl(folder, "x509", "-in", "leaf.pem", "-outform", "DER")
    need(hashlib.sha256(leaf).hexdigest() == receipt["recipient-certificate"], "the recipient's certificate")
    person, station, domain = re.fullmatch(r"(.*)/(.*)@(.*)", receipt["recipient"]).groups()
    need(f"spiffe://{domain}/u/{person}/d/{station}".encode() in leaf, "the recipient's name")
    need(hashlib.sha256(members["files.txt"]).hexdigest() == receipt["files.txt"], "files.txt")
    received = calendar.timegm(time.strptime(receipt["received"], "%Y-%m-%dT%H:%M:%SZ"))
    need(received == mtime and b"-attime %d " % received in commands[0], "the time")
    _, lines = read_files(members["files.txt"])
    need(len(lines) == int(receipt["files"]), "number of files")
    need(sizes_fit(lines, int(receipt["bytes"])), "number of bytes")
    return receipt


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as f:
        for word, value in check(f.read()).items():
            print(word, value)
