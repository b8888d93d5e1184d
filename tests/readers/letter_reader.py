#!/usr/bin/env python3
"""Opens letters and data connections as docs/protocol.md describes them, sharing no code with the programs.

    letter_reader.py < RECORD     what tests/tools/wire_record prints: opens and prints everything in it

As a module: open_letter, Channel, read_body, read_statement, ranges. What breaks a rule raises Refused. HPKE is written out
here over X25519, HMAC and ChaCha20-Poly1305.
"""

import hashlib
import hmac
import sys
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HEAD = 74
LEAST, UDP_MOST, TCP_MOST = 164, 1200, 66560
STATEMENT_MOST = 1024


class Refused(Exception):
    """The bytes are not of the documented form."""


def need(condition, what):
    if not condition:
        raise Refused(what)


def u(data):
    return int.from_bytes(data, "big")


# --- the primitives

def sha256(data):
    return hashlib.sha256(data).digest()


def mac(key, data):
    return hmac.digest(key, data, "sha256")


def expand(prk, info, length):
    out = block = b""
    counter = 1
    while len(out) < length:
        block = mac(prk, block + info + bytes([counter]))
        out += block
        counter += 1
    return out[:length]


def x25519(secret, public):
    try:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as e:
        raise Refused("an agreement of zeroes") from e


def public_of(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def unseal(key, nonce, sealed, aad):
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, aad)
    except InvalidTag as e:
        raise Refused("does not open") from e


# --- HPKE (RFC 9180), mode_auth, one message

KEM = b"KEM" + (0x0020).to_bytes(2, "big")
SUITE = b"HPKE" + b"".join(n.to_bytes(2, "big") for n in (0x0020, 0x0001, 0x0003))


def labeled_extract(suite, salt, label, ikm):
    return mac(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    return expand(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info, length)


def hpke_open(secret, sender, enc, info, aad, sealed):
    dh = x25519(secret, enc) + x25519(secret, sender)
    context = enc + public_of(secret) + sender
    shared = labeled_expand(KEM, labeled_extract(KEM, b"", b"eae_prk", dh), b"shared_secret", context, 32)
    schedule = (bytes([2]) + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
                + labeled_extract(SUITE, b"", b"info_hash", info))
    prk = labeled_extract(SUITE, shared, b"secret", b"")
    key = labeled_expand(SUITE, prk, b"key", schedule, 32)
    nonce = labeled_expand(SUITE, prk, b"base_nonce", schedule, 12)
    return unseal(key, nonce, sealed, aad)


# --- bodies and statements

def read_body(data, known=None):
    """The fields by tag. known: the tags of the message; others are skipped if odd, refused if even."""
    fields, at, last = {}, 0, -1
    while at < len(data):
        need(len(data) - at >= 6, "a field is cut off")
        tag, length = u(data[at:at + 2]), u(data[at + 2:at + 6])
        need(tag > last, "tags do not ascend")
        need(length <= len(data) - at - 6, "a value is cut off")
        if known is None or tag in known:
            fields[tag] = data[at + 6:at + 6 + length]
        else:
            need(tag % 2 == 1, f"unknown field {tag}")
        at, last = at + 6 + length, tag
    return fields


def read_statement(data, purpose, known, signature, public_key):
    """The fields of a statement of this purpose, once its signature is checked."""
    need(8 <= len(data) <= STATEMENT_MOST and data[:6] == b"SPSTMT", "no statement")
    need(u(data[6:8]) == purpose, "another purpose")
    need(len(signature) == 64, "a signature of another length")
    der = utils.encode_dss_signature(u(signature[:32]), u(signature[32:]))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    try:
        key.verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as e:
        raise Refused("the signature is not valid") from e
    fields = read_body(data[8:])
    need(set(fields) <= set(known), "an unknown field in a statement")
    return fields


def ranges(data, length):
    need(len(data) % 16 == 0 and len(data) <= 256, "no ranges")
    found = [(u(data[i:i + 8]), u(data[i + 8:i + 16])) for i in range(0, len(data), 16)]
    last = -1
    for first, end in found:
        need(last < first < end <= length, "ranges do not ascend")
        last = end
    return found


# --- letters

@dataclass
class Letter:
    sender: bytes
    id: bytes
    answers: bytes
    time_ms: int
    type: int
    body: bytes


def open_letter(data, secret, most=UDP_MOST):
    """A letter to whom this secret key belongs."""
    need(LEAST <= len(data) <= most, "a letter of that length")
    need(data[0] == 1, "another version")
    need(data[1] == 1, "another kind")
    own = public_of(secret)
    need(data[2:10] == sha256(own)[:8], "for another key")
    core, mac1, mac2 = data[:-32], data[-32:-16], data[-16:]
    need(hmac.compare_digest(mac(sha256(b"sealpost mac1 1" + own), core)[:16], mac1), "mac1")
    need(mac2 == bytes(16), "mac2")
    sender, enc = data[10:42], data[42:74]
    inside = hpke_open(secret, sender, enc, b"sealpost letter 1", data[:HEAD], core[HEAD:])
    need(len(inside) >= 42, "the inside is cut off")
    need(inside[:16] != bytes(16), "no id")
    return Letter(sender, inside[:16], inside[16:32], u(inside[32:40]), u(inside[40:42]), inside[42:])


# --- the data channel

class Channel:
    """A recorded connection, read with the recipient's one-time secret."""

    FIRST, OPEN = range(2)

    def __init__(self, offer, accept, token, one_time_secret, opening, reply, confirmation):
        need(len(opening) == 53 and opening[:4] == b"SPD1", "no opening")
        need(opening[4:20] == accept[:16], "for another accept")
        need(opening[20] >= 1, "connection number 0")
        need(len(reply) == 64 and len(confirmation) == 32, "lengths")
        self.number, self.sender_key, self.nonce = opening[20], opening[21:53], reply[:32]
        self.accept, self.recipient_key = accept, public_of(one_time_secret)
        secret = x25519(one_time_secret, self.sender_key) + token
        info = (b"sealpost data 1" + offer + accept + self.sender_key + self.recipient_key + bytes([self.number])
                + self.nonce)
        keys = expand(mac(bytes(32), secret), info, 128)
        self.keys = {"sender": keys[:32], "recipient": keys[32:64]}
        self.counts = {"sender": 0, "recipient": 0}
        need(hmac.compare_digest(reply[32:], mac(keys[64:96], opening + self.nonce)), "the recipient's MAC")
        need(hmac.compare_digest(confirmation, mac(keys[96:], opening + self.nonce)), "the sender's MAC")

    def open(self, side, record):
        """Type and body of the next record of this side."""
        need(len(record) >= 4 and 17 <= u(record[:4]) <= 65616 and len(record) == 4 + u(record[:4]), "a length")
        nonce = bytes(4) + self.counts[side].to_bytes(8, "big")
        text = unseal(self.keys[side], nonce, record[4:], record[:4])
        allowed = {"sender": (0x41, 0x42, 0x44, 0x45, 0x46), "recipient": (0x43, 0x44, 0x45)}[side]
        if side == "sender" and self.counts[side] == 0:
            allowed = (0x40,)
        need(text[0] in allowed, "a type that is not allowed now")
        self.counts[side] += 1
        return text[0], text[1:]

    def check_open(self, body, sign_key):
        """DATA_OPEN: the sender vouches for this connection."""
        fields = read_body(body, {2, 4})
        said = read_statement(fields[2], 4, {2, 4, 6, 8, 10}, fields[4], sign_key)
        need(said == {2: self.accept, 4: bytes([self.number]), 6: self.sender_key, 8: self.recipient_key,
                      10: self.nonce}, "OPEN is for another connection")


def raw(body):
    """Offset and bytes of DATA and PRINTS."""
    need(9 <= len(body) <= 8 + 65536, "a raw record of that length")
    return u(body[:8]), body[8:]


def read_record(lines):
    """The lines of a record: name -> the values in their order."""
    found = {}
    for line in lines:
        name, _, value = line.strip().partition(" ")
        found.setdefault(name, []).append(bytes.fromhex(value))
    return found


def main():
    record = read_record(sys.stdin)
    secrets = {sha256(record[f"{who}.letter_key"][0])[:8]: record[f"{who}.letter_secret"][0] for who in ("alice", "bob")}
    for data in record["letter"]:
        letter = open_letter(data, secrets[data[2:10]], TCP_MOST)
        print(f"letter {len(data)} bytes, type 0x{letter.type:x}, fields {sorted(read_body(letter.body))}")


if __name__ == "__main__":
    main()
