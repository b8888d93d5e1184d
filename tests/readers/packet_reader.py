#!/usr/bin/env python3
"""Reads packets as docs/formats.md describes them, sharing no code with the programs.

    packet_reader.py offsets MANIFEST       where every member of the tar stands
    packet_reader.py commitment MANIFEST    the SHA-256 that the offer commits to
    packet_reader.py print FILE…            fingerprints
    packet_reader.py check PACKET.tar       every byte between the files' contents, against the tar's own manifest

As a module: Manifest, layout, known_bytes, fingerprint, read_prints, read_files, links_outside, check_tar. What breaks a
rule raises Refused.
"""

import hashlib
import re
import sys
from dataclasses import dataclass

BLOCK = 512
OCTAL11 = 8589934591
SIZE_MAX = 2**62
WHOLE_MAX = 64 * 1024 * 1024
PRINT_BLOCK = 1024 * 1024
MANIFEST_MEMBER = b".sealpost-manifest"
KINDS = (b"files", b"request", b"index", b"receipt", b"update")
LABEL = rb"[a-z0-9][a-z0-9._-]{0,%d}"
DOMAIN = rb"[a-z0-9](?:[a-z0-9-]|(?<=[a-z0-9])\.(?=[a-z0-9]))*"


class Refused(Exception):
    """The bytes are not of the documented form."""


def need(condition, what):
    if not condition:
        raise Refused(what)


# --- rules for all texts

def unescape(text):
    need(not re.search(rb"[\x00-\x20\x7f]", text), "a byte that must be escaped")
    need(not re.search(rb"%(?!(?:0[1-9A-F]|1[0-9A-F]|20|25|7F))", text), "a wrong escape")
    return re.sub(rb"%(..)", lambda m: bytes([int(m[1], 16)]), text)


def escape(raw):
    return re.sub(rb"[\x00-\x20\x7f%]", lambda m: b"%%%02X" % m[0][0], raw)


def number(text, most):
    need(re.fullmatch(rb"0|[1-9][0-9]*", text), "not a number")
    need(int(text) <= most, "a number too large")
    return int(text)


def time(text):
    m = re.fullmatch(rb"(0|-?[1-9][0-9]*)\.([0-9]{9})", text)
    need(m, "not a time")
    need(-2**63 <= int(m[1]) < 2**63, "a time out of range")
    return int(m[1]), int(m[2])


def split_text(text, name, header):
    """The values of the header lines and the lines of the list."""
    need(text.endswith(b"\n"), "the last line has no newline")
    lines = text[:-1].split(b"\n")
    need(lines[0] == name + b" 1", "another format")
    values = []
    need(len(lines) >= len(header) + 2, "too short")
    for want, line in zip(header, lines[1:]):
        need(line.startswith(want + b" "), "a header line is missing")
        values.append(unescape(line[len(want) + 1:]))
    need(lines[len(header) + 1] == b"", "no empty line")
    return values, lines[len(header) + 2:]


def read_salt(value):
    need(re.fullmatch(rb"[0-9a-f]{64}", value), "not a salt")
    return bytes.fromhex(value.decode())


def utf8(value):
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as e:
        raise Refused("not UTF-8") from e


def is_utf8(value):
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# --- paths

def order(path):
    """A key that sorts paths as the manifest does: '/' below every other byte (zero bytes don't occur)."""
    return path.replace(b"/", b"\x00")


def check_path(path):
    need(1 <= len(path) <= 4096, "a path is empty or too long")
    parts = path.split(b"/")
    need(len(parts) <= 256, "a path is too deep")
    for part in parts:
        need(part not in (b"", b".", b".."), "a component that is not allowed")
        need(len(part) <= 255, "a component is too long")


def is_outside(path, target):
    if target.startswith(b"/"):
        return True
    ups, named = 0, False
    for part in target.split(b"/"):
        if part in (b"", b"."):
            continue
        if part != b"..":
            named = True
        elif named:
            return True
        else:
            ups += 1
    return ups > path.count(b"/")


# --- the manifest

@dataclass
class Entry:
    type: bytes
    mode: int
    mtime: tuple
    size: int
    path: bytes
    target: bytes = b""


class Manifest:
    """A manifest's text, read and checked."""

    HEADER = (b"kind", b"salt", b"person", b"station", b"organisation", b"title", b"message")

    def __init__(self, text):
        need(len(text) <= 256 * 1024 * 1024, "too long")
        self.text = text
        values, lines = split_text(text, b"sealpost-manifest", self.HEADER)
        self.head = dict(zip(self.HEADER, values))
        self.check_head()
        need(len(lines) <= 1000000, "too many entries")
        self.entries = []
        self.by_path = {}
        for line in lines:
            self.add(self.read_entry(line))
        need(sum(e.size for e in self.entries) <= SIZE_MAX, "too large")

    def check_head(self):
        h = self.head
        need(h[b"kind"] in KINDS, "an unknown kind")
        self.salt = read_salt(h[b"salt"])
        person = re.fullmatch(b"(" + LABEL % 31 + b")@(" + DOMAIN + b")", h[b"person"])
        station = re.fullmatch(b"(" + LABEL % 31 + b")/" + LABEL % 23 + b"@(" + DOMAIN + b")", h[b"station"])
        need(person and station, "not a name")
        need(person.groups() == station.groups(), "a station of somebody else")
        need(len(person[2]) <= 48 and person[2][-1:].isalnum(), "not a domain")
        need(len(h[b"organisation"]) <= 100 and 1 <= len(h[b"title"]) <= 100 and len(h[b"message"]) <= 65536, "too long")
        utf8(h[b"message"])
        for field in (b"organisation", b"title"):
            need(not re.search("[\x00-\x1f\x7f-\x9f]", utf8(h[field])), "a control character")

    @staticmethod
    def read_entry(line):
        fields = line.split(b" ")
        need(fields[0] in (b"f", b"d", b"l", b"h"), "an unknown type")
        need(len(fields) == (6 if fields[0] in b"lh" else 5), "not the fields of an entry")
        need(re.fullmatch(rb"[0-7]{3}", fields[1]), "not a mode")
        entry = Entry(fields[0], int(fields[1], 8), time(fields[2]), number(fields[3], SIZE_MAX), unescape(fields[4]))
        if len(fields) == 6:
            entry.target = unescape(fields[5])
        return entry

    def add(self, e):
        check_path(e.path)
        need(e.path != MANIFEST_MEMBER, "the manifest's own name")
        need(not self.entries or order(self.entries[-1].path) < order(e.path), "out of order")
        if b"/" in e.path:
            parent = self.by_path.get(e.path.rpartition(b"/")[0])
            need(parent is not None and parent.type == b"d", "no parent")
        need(e.type == b"f" or e.size == 0, "a size where there is none")
        if e.type == b"l":
            need(e.mode == 0o777 and 1 <= len(e.target) <= 4095, "not a symbolic link")
        if e.type == b"h":
            file = self.by_path.get(e.target)
            need(file is not None and file.type == b"f", "a hard link to no file")
            need((file.mode, file.mtime) == (e.mode, e.mtime), "a hard link unlike its file")
        self.entries.append(e)
        self.by_path[e.path] = e

    def commitment(self):
        return hashlib.sha256(self.text).hexdigest()

    def files(self):
        """Entries that files.txt has a line for, each with the file entry that it is a name of."""
        return [(e, self.by_path[e.target] if e.type == b"h" else e) for e in self.entries if e.type in b"fh"]


def links_outside(manifest):
    paths = [e.path for e in manifest.entries if e.type == b"l" and is_outside(e.path, e.target)]
    return len(paths), hashlib.sha256(b"".join(escape(p) + b"\n" for p in paths)).hexdigest()


# --- the tar

def octal(digits, value):
    return b"%0*o\x00" % (digits, value)


def ustar(name, mode, size, mtime, kind, link=b""):
    h = bytearray(BLOCK)

    def put(at, value):
        h[at:at + len(value)] = value

    put(0, name[:100])
    put(100, octal(7, mode))
    put(108, octal(7, 0))
    put(116, octal(7, 0))
    put(124, octal(11, size))
    put(136, octal(11, mtime))
    put(148, b" " * 8)
    put(156, kind)
    put(157, link[:100])
    put(257, b"ustar\x0000")
    put(329, octal(7, 0))
    put(337, octal(7, 0))
    put(148, octal(6, sum(h)) + b" ")
    return bytes(h)


def record(keyword, value):
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest)
    while length != len(rest) + len(str(length)):
        length = len(rest) + len(str(length))
    return str(length).encode() + rest


def padded(n):
    return -(-n // BLOCK) * BLOCK


def is_long(name):
    return len(name) > 100 or any(c >= 0x80 for c in name)


def header(e):
    """All header bytes of an entry."""
    seconds = e.mtime[0]
    records = b""
    if any(is_long(n) and not is_utf8(n) for n in (e.path, e.target)):
        records += record(b"hdrcharset", b"BINARY")
    if is_long(e.path):
        records += record(b"path", e.path)
    if is_long(e.target):
        records += record(b"linkpath", e.target)
    if e.size > OCTAL11:
        records += record(b"size", b"%d" % e.size)
    if not 0 <= seconds <= OCTAL11:
        records += record(b"mtime", b"%d" % seconds)
    pax = b""
    if records:
        pax = ustar(b"PaxHeader", 0o644, len(records), 0, b"x") + records.ljust(padded(len(records)), b"\x00")
    kind = {b"f": b"0", b"d": b"5", b"l": b"2", b"h": b"1"}[e.type]
    return pax + ustar(e.path, e.mode, e.size if e.size <= OCTAL11 else 0, seconds if 0 <= seconds <= OCTAL11 else 0, kind,
                       e.target)


@dataclass
class Member:
    entry: Entry                # None for the manifest and the end
    header: bytes
    start: int
    data: int
    length: int
    end: int


def layout(manifest):
    members = [Member(None, ustar(MANIFEST_MEMBER, 0o644, len(manifest.text), 0, b"0"), 0, BLOCK, len(manifest.text),
                      BLOCK + padded(len(manifest.text)))]
    for e in manifest.entries:
        h, start = header(e), members[-1].end
        members.append(Member(e, h, start, start + len(h), e.size, start + len(h) + padded(e.size)))
    end = members[-1].end
    members.append(Member(None, b"", end, end, 0, end + 1024))
    return members


def offsets(manifest):
    members = layout(manifest)
    lines = []
    for i, m in enumerate(members):
        word = b"manifest" if i == 0 else b"end" if i == len(members) - 1 else b"entry"
        line = b"%s %d %d %d %d" % (word, m.start, m.data, m.length, m.end)
        lines.append(line + (b" " + escape(m.entry.path) if m.entry else b"") + b"\n")
    return b"".join(lines)


def known_bytes(manifest):
    """The tar without the files' contents."""
    out = []
    for m in layout(manifest):
        text = manifest.text if m.start == 0 else b""
        out += [m.header, text, b"\x00" * (m.end - m.data - m.length)]
    return b"".join(out)


def check_tar(tar):
    """Reads a packet from a binary file; returns its manifest and the fingerprints of its file entries."""
    first = tar.read(BLOCK)
    need(re.fullmatch(rb"[0-7]{11}", first[124:135]), "no size")
    length = int(first[124:135], 8)
    need(0 < length <= 256 * 1024 * 1024, "no manifest")
    manifest = Manifest(tar.read(length))
    prints = []
    for m in layout(manifest):
        if m.start == 0:
            need(first == m.header, "not the manifest's header")
        else:
            need(tar.read(len(m.header)) == m.header, "another header or a packet cut off")
            if m.entry is not None and m.entry.type == b"f":
                prints.append(fingerprint(tar, m.length))
        rest = m.end - m.data - m.length
        need(tar.read(rest) == b"\x00" * rest, "padding that is not zero or a packet cut off")
    need(tar.read(1) == b"", "bytes behind the end")
    return manifest, prints


# --- fingerprints

def digest_of(file, n):
    h = hashlib.sha256()
    while n > 0:
        some = file.read(min(n, PRINT_BLOCK))
        need(some, "a file ends too early")
        h.update(some)
        n -= len(some)
    return h


def fingerprint(file, size):
    """Of the next size bytes of a binary file."""
    if size <= WHOLE_MAX:
        return "sha256:" + digest_of(file, size).hexdigest()
    outer = hashlib.sha256()
    for at in range(0, size, PRINT_BLOCK):
        outer.update(digest_of(file, min(PRINT_BLOCK, size - at)).digest())
    return "sha256-1m:" + outer.hexdigest()


def check_print(text, size):
    form = rb"sha256:" if size <= WHOLE_MAX else rb"sha256-1m:"
    need(re.fullmatch(form + rb"[0-9a-f]{64}|changed", text), "not a fingerprint of this size")
    return text.decode()


def read_prints(text, manifest):
    _, lines = split_text(text, b"sealpost-prints", ())
    files = [e for e in manifest.entries if e.type == b"f"]
    need(len(lines) == len(files), "not a line for each file")
    return [check_print(line, e.size) for line, e in zip(lines, files)]


def read_files(text):
    """The salt and (path, size, fingerprint, mtime) for each line."""
    (salt,), lines = split_text(text, b"sealpost-files", (b"salt",))
    out = []
    for line in lines:
        fields = line.split(b" ")
        need(len(fields) == 4, "not four fields")
        path, size = unescape(fields[0]), number(fields[1], SIZE_MAX)
        check_path(path)
        need(not out or order(out[-1][0]) < order(path), "out of order")
        out.append((path, size, check_print(fields[2], size), time(fields[3])))
    return read_salt(salt), out


def main(argv):
    verb, names = argv[1] if len(argv) > 1 else "", argv[2:]
    if verb not in ("offsets", "commitment", "print", "check") or not names:
        sys.exit(__doc__)
    for name in names:
        with open(name, "rb") as f:
            if verb == "offsets":
                sys.stdout.buffer.write(offsets(Manifest(f.read())))
            elif verb == "commitment":
                print(Manifest(f.read()).commitment())
            elif verb == "print":
                size = f.seek(0, 2)
                f.seek(0)
                print(fingerprint(f, size), name)
            else:
                manifest, prints = check_tar(f)
                print(len(manifest.entries), "entries,", len(prints), "files, manifest", manifest.commitment())


if __name__ == "__main__":
    main(sys.argv)
