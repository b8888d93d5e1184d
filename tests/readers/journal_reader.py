#!/usr/bin/env python3
"""Reads digest journals as docs/formats.md describes them, sharing no code with the programs.

    journal_reader.py JOURNAL [BOOT_ID]    its records, and what is held

As a module: read, held, Record. What is no journal raises Refused.
"""

import hashlib
import struct
import sys
import uuid
from dataclasses import dataclass

RECORD = 64
WHAT = b"fcbsya"


class Refused(Exception):
    """The bytes are not of the documented form."""


@dataclass
class Record:
    what: str
    entry: int
    number: int
    value: bytes


def read(path):
    """Transfer, hash of the offer, records up to the first that is not good."""
    with open(path, "rb") as f:
        data = f.read()
    head = data[:RECORD]
    if len(head) < RECORD or head[:16] != b"sealpost-digests":
        raise Refused("no digest journal")
    check, records = hashlib.sha256(head).digest()[:16], []
    for at in range(RECORD, len(data) - RECORD + 1, RECORD):
        record = data[at:at + RECORD]
        check = hashlib.sha256(check + record[:48]).digest()[:16]
        what, zeroes, entry, number, value, said = struct.unpack(">c3sIQ32s16s", record)
        if said != check or what not in [bytes([w]) for w in WHAT] or zeroes != bytes(3):
            break
        records.append(Record(what.decode(), entry, number, value))
    return uuid.UUID(bytes=head[16:32]), head[32:64], records


def held(records, boot=None):
    """The offset that is held, in the boot with this id (this one)."""
    if boot is None:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
            boot = f.read().strip()
    seen = [r for r in records if r.what == "s"]
    synced = [r for r in records if r.what == "y"]
    if seen and seen[-1].value == uuid.UUID(boot).bytes + bytes(16):
        return seen[-1].number
    return synced[-1].number if synced else 0


def main(path, *boot):
    transfer, offer, records = read(path)
    print("transfer", transfer, "offer", offer.hex())
    for r in records:
        print(r.what, r.entry, r.number, r.value.hex())
    print("held", held(records, *boot))


if __name__ == "__main__":
    main(*sys.argv[1:])
