"""Letters and data connections made by the library, opened by a reader written from docs/protocol.md alone, which shares no
code with it; and what the two refuse alike."""

import hashlib
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/readers"))
import letter_reader as reader  # noqa: E402

TOOL = os.path.abspath(os.path.join(os.environ.get("SP_BUILD", "."), "tests/tools/wire_record"))
OFFER = set(range(2, 35, 2))
ACCEPT = {2, 4, 6, 8, 10, 12}


@pytest.fixture(scope="module", name="record")
def make_record():
    done = subprocess.run([TOOL], capture_output=True, check=True, timeout=60, text=True)
    return reader.read_record(done.stdout.splitlines())


def one(record, name):
    (value,) = record[name]
    return value


@pytest.fixture(name="letters")
def open_letters(record):
    secrets = [one(record, "bob.letter_secret")] * 3 + [one(record, "alice.letter_secret")] * 2
    return [reader.open_letter(data, secret, reader.TCP_MOST) for data, secret in zip(record["letter"], secrets)]


@pytest.fixture(name="channel")
def open_channel(record, letters):
    return make_channel(record, letters)


def make_channel(record, letters, **changed):
    offer = reader.read_body(letters[2].body)[2]
    accept = reader.read_body(letters[3].body)
    terms = {"offer": hashlib.sha256(offer).digest(), "accept": hashlib.sha256(accept[2]).digest(), "token": accept[6],
             "one_time_secret": one(record, "channel.one_time_secret"), "opening": one(record, "channel.opening"),
             "reply": one(record, "channel.reply"), "confirmation": one(record, "channel.confirmation")}
    return reader.Channel(**(terms | changed))


def test_the_reader_opens_every_letter(record, letters):
    assert [letter.type for letter in letters] == [0x01, 0x01, 0x10, 0x11, 0x1b]
    assert len(record["letter"]) == 5
    assert [letter.sender for letter in letters] == [one(record, "alice.letter_key")] * 3 + [one(record, "bob.letter_key")] * 2
    assert len({letter.id for letter in letters}) == 5
    assert letters[0].answers == bytes(16) and letters[3].answers == letters[4].answers != bytes(16)
    assert all(letter.time_ms == 1764040000123 for letter in letters)
    assert [len(data) <= reader.UDP_MOST for data in record["letter"]] == [True] * 4 + [False]


def test_padding_is_a_field_that_readers_skip(record, letters):
    assert letters[0].body == b""
    assert len(record["letter"][1]) == 980
    assert reader.read_body(letters[1].body, set()) == {}
    assert set(reader.read_body(letters[1].body)) == {0xffff}


def test_tx02_the_offer_says_what_was_offered_and_no_file_names(record, letters):
    fields = reader.read_body(letters[2].body, {2, 4, 6, 8})
    offer = reader.read_statement(fields[2], 1, OFFER, fields[4], one(record, "alice.sign_key"))
    assert offer[4] == b"alice/laptop@post.example" and offer[6] == b"bob/desk@post.example"
    assert offer[10] == b"\x02" and reader.u(offer[18]) == 5120 and reader.u(offer[34]) == 300
    assert offer[22] == hashlib.sha256(fields[8] + fields[6]).digest()
    assert fields[6] == b"holiday"
    assert 12 not in offer                      # a price of 0 is left out


def test_the_accept_answers_the_offer(record, letters):
    offer = reader.read_body(letters[2].body)[2]
    fields = reader.read_body(letters[3].body, {2, 4, 6})
    accept = reader.read_statement(fields[2], 2, ACCEPT, fields[4], one(record, "bob.sign_key"))
    assert accept[2] == hashlib.sha256(offer).digest()
    assert accept[10] == hashlib.sha256(fields[6]).digest()
    assert reader.ranges(accept[12], 5120) == [(0, 512), (1024, 2048)]
    assert accept[8] == reader.public_of(one(record, "channel.one_time_secret"))


def test_statements_are_refused_for_another_purpose_or_signer(record, letters):
    fields = reader.read_body(letters[2].body)
    for purpose, key in ((2, "alice.sign_key"), (1, "bob.sign_key")):
        with pytest.raises(reader.Refused):
            reader.read_statement(fields[2], purpose, OFFER, fields[4], one(record, key))
    with pytest.raises(reader.Refused):
        reader.read_statement(fields[2], 1, OFFER - {2}, fields[4], one(record, "alice.sign_key"))


def test_a_letter_changed_anywhere_is_refused(record):
    data, secret = record["letter"][0], one(record, "bob.letter_secret")
    for at in range(len(data)):
        broken = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        with pytest.raises(reader.Refused):
            reader.open_letter(broken, secret)
    for broken in (data[:-1], data + b"\0", b""):
        with pytest.raises(reader.Refused):
            reader.open_letter(broken, secret)
    with pytest.raises(reader.Refused):
        reader.open_letter(data, one(record, "alice.letter_secret"))


def test_the_reader_opens_every_record(record, channel):
    sent = [channel.open("sender", data) for data in record["record.sender"]]
    assert [kind for kind, _ in sent] == [0x40, 0x41, 0x41, 0x46, 0x45]
    channel.check_open(sent[0][1], one(record, "alice.sign_key"))
    assert reader.raw(sent[1][1]) == (0, b"\0")
    assert reader.raw(sent[2][1]) == (1, bytes((1 + i) % 256 for i in range(65536)))
    assert reader.raw(sent[3][1]) == (0, bytes(range(90)))
    assert sent[4][1] == b""
    back = [channel.open("recipient", data) for data in record["record.recipient"]]
    assert [kind for kind, _ in back] == [0x43, 0x45]
    assert reader.u(reader.read_body(back[0][1], {2})[2]) == 70000


def test_open_is_for_this_connection_and_signer(record, channel):
    _, body = channel.open("sender", record["record.sender"][0])
    with pytest.raises(reader.Refused):
        channel.check_open(body, one(record, "bob.sign_key"))
    channel.number += 1
    with pytest.raises(reader.Refused):
        channel.check_open(body, one(record, "alice.sign_key"))


def test_records_out_of_their_order_are_refused(record, channel):
    first, second, *_ = record["record.sender"]
    with pytest.raises(reader.Refused):
        channel.open("sender", second)
    channel.open("sender", first)
    for broken in (first, second[:-1], second[:-1] + bytes([second[-1] ^ 1]), record["record.recipient"][0]):
        with pytest.raises(reader.Refused):
            channel.open("sender", broken)
    channel.open("sender", second)


@pytest.mark.parametrize("name", ["offer", "accept", "token", "opening", "reply", "confirmation"])
def test_whatever_differs_makes_other_keys(record, letters, name):
    good = {"offer": bytes(32), "accept": bytes(32), "token": bytes(32), "opening": one(record, "channel.opening"),
            "reply": one(record, "channel.reply"), "confirmation": one(record, "channel.confirmation")}[name]
    with pytest.raises(reader.Refused):
        make_channel(record, letters, **{name: good[:-1] + bytes([good[-1] ^ 1])})
