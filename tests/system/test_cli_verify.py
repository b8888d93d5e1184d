"""Receipts in the user's hands: sealpost verify and receipt show on real deliveries, with peerd and without, good and bad."""

import os
import shutil
import subprocess

from test_delivery import deliver, only
from trees import odd_tree


def test_pk16_rc12_a_tree_of_odd_names_is_verified_wherever_it_lies(pair, tmp_path):
    a, b = pair
    tree = tmp_path / "tree"
    tree.mkdir()
    odd_tree(str(tree))
    sent, received = deliver(a, b, tree)
    receipt, count = sent["receipt_file"], sent["files"]
    for path in (tree, received["placed"], os.path.join(received["placed"], "tree"), tmp_path):
        proof, tally = a.json("verify", receipt, str(path))
        assert (proof["files"], proof["bytes"], proof["good"]) == (count, sent["bytes"], True)
        assert tally == {"same": count, "different": 0, "missing": 0, "unreadable": 0, "changed": 0, "unlisted": 0}, path
    odd = os.fsencode(tree) + b"/\xff\xfe not utf-8"
    with open(odd, "wb") as f:
        f.write(b"?")
    (tree / "added").write_text("x")
    said = a.json("verify", receipt, str(tree), check=False)
    assert sorted((os.path.basename(s["path"]), s["result"]) for s in said[1:-1]) == [
        ("\\xff\\xfe not utf-8", "different"), ("added", "unlisted")]
    assert said[-1]["different"] == 1 and said[-1]["unlisted"] == 1
    done = a.sealpost("verify", receipt, os.fsdecode(odd), check=False, errors="surrogateescape")
    assert done.returncode == 1 and f"DIFFERENT: {tree}/\\xff\\xfe not utf-8\n" in done.stdout


def test_rc12_receipts_are_verified_without_peerd_and_without_a_station(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    a.daemon.stop()
    said = a.sealpost("verify", sent["receipt_file"], str(tmp_path / "f")).stdout
    assert "vouched for by post.example, whose root this station knows" in said
    with open(a.path("station", "root.der"), "rb") as f:
        fingerprint = subprocess.run(["openssl", "dgst", "-sha256", "-r"], check=True, capture_output=True, text=True,
                                     stdin=f).stdout.split()[0]
    nobody = a.sealpost("--home", str(tmp_path / "nobody"), "verify", sent["receipt_file"])
    assert "came with the receipt" in nobody.stdout and fingerprint in nobody.stdout
    # another root of the same domain: whoever made it is not the provider
    other = tmp_path / "other"
    shutil.copytree(a.path("station"), other / "station")
    with open(other / "station" / "root.der", "ab") as f:
        f.write(b"x")
    done = a.sealpost("--home", str(other), "verify", sent["receipt_file"], check=False)
    assert done.returncode == 1 and "NOT good" in done.stderr and done.stdout == ""
    # a root that cannot be read must not be taken for none
    os.unlink(other / "station" / "root.der")
    os.mkdir(other / "station" / "root.der")
    done = a.sealpost("--home", str(other), "verify", sent["receipt_file"], check=False)
    assert done.returncode == 1 and "station's root" in done.stderr


def test_rc11_the_openssl_commands_run_anywhere_with_any_path(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    odd = tmp_path / "it's a \"receipt\" of $HOME; -x:1.receipt"
    shutil.copy(sent["receipt_file"], odd)
    folder = tmp_path / "empty"
    folder.mkdir()
    shown = subprocess.run([a.office.program("peerd/cli/sealpost"), "receipt", "show", "--openssl", odd.name], check=True, cwd=tmp_path,
                           capture_output=True, text=True, env=a.office.daemon_env()).stdout
    done = subprocess.run(["sh", "-e"], input=shown, check=True, capture_output=True, text=True, cwd=folder)
    hashed = next(line.split()[0] for line in done.stdout.splitlines() if line.endswith("  files.txt"))
    assert "CAdES Verification successful" in done.stderr and f"\nfiles.txt {hashed}\n" in "\n" + done.stdout
    asked = only(a.json("receipt", "show", "--openssl", sent["id"]))
    assert asked["file"] == sent["receipt_file"] and asked["commands"].startswith("tar xf ")
    assert only(a.json("receipt", "show", sent["id"][:13]))["transfer"] == sent["id"]


def test_rc12_what_was_tampered_with_is_not_good(pair, tmp_path):
    a, b = pair
    (tmp_path / "f").write_text("x")
    sent, _ = deliver(a, b, tmp_path / "f")
    data, bad = open(sent["receipt_file"], "rb").read(), tmp_path / "bad.receipt"
    for at in range(0, len(data), len(data) // 10):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
        done = a.sealpost("verify", str(bad), check=False)
        assert done.returncode == 1 and "NOT good" in done.stderr and done.stdout == "", at
    for cut in (b"", data[:-1], data + b"\0", data[:512]):
        bad.write_bytes(cut)
        assert a.sealpost("verify", str(bad), check=False).returncode == 1
    missing = a.sealpost("verify", str(tmp_path / "none.receipt"), check=False)
    assert missing.returncode == 1 and "cannot be read" in missing.stderr
