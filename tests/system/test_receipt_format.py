"""A .receipt made by the library, read by tar, Python's tarfile, stock openssl, and a reader written from docs/formats.md
alone."""

import io
import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "tests/readers"))
import receipt_reader as reader  # noqa: E402

TOOL = os.path.abspath(os.path.join(os.environ.get("SP_BUILD", "."), "tests/tools/receipt_record"))
MEMBERS = ["README", "files.txt", "receipt.p7m", "chain.pem"]


@pytest.fixture(scope="module", name="receipt")
def make_receipt():
    return subprocess.run([TOOL], capture_output=True, check=True, timeout=60).stdout


def test_rc04_a_receipt_is_one_file_that_tar_reads(receipt, tmp_path):
    with tarfile.open(fileobj=io.BytesIO(receipt), mode="r:") as tar:
        assert tar.getnames() == MEMBERS
    (tmp_path / "r").write_bytes(receipt)
    listed = subprocess.run(["tar", "tf", tmp_path / "r"], capture_output=True, check=True, timeout=60, text=True)
    assert listed.stdout.split() == MEMBERS and listed.stderr == ""


def test_rc03_rc12_the_reader_and_openssl_agree_with_all_of_it(receipt):
    said = reader.check(receipt)
    assert said["class"] == "direct" and said["sender"] == "alice/laptop@post.example"
    assert said["recipient"] == "bob/desk@post.example"
    assert (said["files"], said["bytes"], said["changed"]) == ("3", "12", "1")
    assert said["left-out"].startswith("1 ")


@pytest.mark.parametrize("count,good", [(12, True), (17, True), (11, False), (13, False), (16, False), (7, False), (22, False)])
def test_pk16_rc03_the_reader_and_the_library_agree_on_what_hard_links_count(count, good):
    done = subprocess.run([TOOL, str(count)], capture_output=True, check=False, timeout=60)
    assert done.returncode == (0 if good else 2), done.stderr
    if good:
        assert reader.check(done.stdout)["bytes"] == str(count)
    else:
        with pytest.raises(reader.Refused, match="number of bytes"):
            reader.check(done.stdout)


@pytest.mark.parametrize("member", MEMBERS)
def test_rc12_a_changed_member_is_refused(receipt, member):
    with tarfile.open(fileobj=io.BytesIO(receipt), mode="r:") as tar:
        at = tar.getmember(member).offset_data
    at = receipt.index(b"-attime ", at) + 8 if member == "README" else at + {"receipt.p7m": 900, "chain.pem": 1500}.get(member, 40)
    with pytest.raises(reader.Refused):
        reader.check(receipt[:at] + bytes([receipt[at] ^ 1]) + receipt[at + 1:])


def test_rc12_what_stands_around_the_members_counts_too(receipt):
    for broken in (receipt[:-1], receipt + b"\0", receipt + bytes(512), receipt[:100] + b"7" + receipt[101:]):
        with pytest.raises(reader.Refused):
            reader.check(broken)
