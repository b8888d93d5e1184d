"""What is large: real trees of the machine, gigabytes, sparse files. On the release build, but for one tree under sanitizers."""

import os
import shutil

import pytest
import trees
from test_delivery import deliver


def count(root):
    return sum(len(files) for _, _, files in os.walk(root))


TREES = ["/usr/include", "/usr/share/doc", "/usr/lib/python3", "/usr/lib/x86_64-linux-gnu", "/usr/lib/python3.11",
         "/usr/share/perl", "/usr/share"]


def real_tree(least):
    """A tree of this machine with at least that many files."""
    for path in TREES:
        if os.path.isdir(path) and count(path) >= least:
            return path
    pytest.fail(f"no tree of {least} files among {TREES}")


def outside(root):
    """The links of a tree that point outside it, by the rule of docs/formats.md: absolute, or '..' above the packet."""
    found = set()
    for folder, folders, files in os.walk(os.fsencode(root)):
        for name in folders + files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                continue
            inside = os.path.relpath(path, os.path.dirname(os.fsencode(root).rstrip(b"/")))
            depth, target, climbing = inside.count(b"/"), os.readlink(path), True
            if target.startswith(b"/"):
                found.add(os.path.relpath(path, os.fsencode(root)))
                continue
            for part in target.split(b"/"):
                if part == b"..":
                    depth -= 1
                    if depth < 0 or not climbing:
                        found.add(os.path.relpath(path, os.fsencode(root)))
                        break
                elif part not in (b"", b"."):
                    climbing = False
    return found


def test_pk16_a_real_tree_under_sanitizers(pair):
    a, b = pair
    tree = real_tree(2000)
    _, received = deliver(a, b, tree)
    trees.assert_same(tree, os.path.join(received["placed"], os.path.basename(tree)), outside(tree))


@pytest.mark.large
def test_pk16_ten_thousand_files(fast_pair, tmp_path):
    a, b = fast_pair
    tree = tmp_path / "tree"
    source = real_tree(2000)
    copies = 10_000 // count(source) + 1
    for i in range(copies):
        shutil.copytree(source, tree / f"copy{i}", symlinks=True)
    assert count(tree) >= 10_000
    _, received = deliver(a, b, tree)
    trees.assert_same(tree, os.path.join(received["placed"], "tree"), outside(tree))


@pytest.mark.large
def test_pk16_two_gigabytes_and_more_than_four_sparse(fast_pair, tmp_path):
    a, b = fast_pair
    whole, sparse = tmp_path / "whole.bin", tmp_path / "sparse.bin"
    block = os.urandom(1 << 20)
    with open(whole, "wb") as f:
        for i in range(2048):
            f.write(i.to_bytes(8, "big") + block[8:])
    with open(sparse, "wb") as f:
        f.write(b"begin")
        f.seek((4 << 30) + 12345)
        f.write(b"end, and a hole behind it")
        f.truncate((4 << 30) + (1 << 20))
    sent, received = deliver(a, b, whole, sparse)
    for name, path in (("whole.bin", whole), ("sparse.bin", sparse)):
        there = os.path.join(received["placed"], name)
        assert os.system(f"cmp '{path}' '{there}'") == 0
        assert os.stat(there).st_mtime_ns == os.stat(path).st_mtime_ns
    assert os.stat(os.path.join(received["placed"], "sparse.bin")).st_blocks * 512 < 64 << 20
    assert a.sealpost("verify", sent["receipt_file"], str(whole), str(sparse)).returncode == 0
