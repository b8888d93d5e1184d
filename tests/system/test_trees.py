"""Trees that are hostile by their shape: too many, too deep, names that differ in case or form only, names that stand twice. What a
manifest may say is tests/unit/data_trees_test.c."""

import os
import subprocess

import pytest
import trees
from test_delivery import deliver


def nested(root, depth):
    """Folders in each other, depth components from root's own name on, made step by step: the path may be longer than any call takes."""
    here = os.open(os.path.dirname(root), os.O_DIRECTORY)
    names = [os.path.basename(root)] + ["d"] * (depth - 2) + ["f"]
    for name in names[:-1]:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("f", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def refused(a, b, *paths):
    """A send that ends before anything is offered: what was said, and that nothing is left at either side."""
    done = a.sealpost("send", "--to", b.name, *map(str, paths), check=False)
    assert done.returncode == 1, done.stderr
    assert b.json("log") == []
    for folder in (a.path("transfers"), b.path("received", ".incoming")):
        assert not os.path.isdir(folder) or os.listdir(folder) == [], folder
    return done.stdout + done.stderr


def test_pk16_nesting_to_the_limit_and_beyond(pair, tmp_path):
    a, b = pair
    deepest, beyond = tmp_path / "deepest", tmp_path / "beyond"
    nested(str(deepest), 256)
    nested(str(beyond), 257)
    said = refused(a, b, beyond)
    assert "more than 256 deep" in said and "largest" not in said
    _, received = deliver(a, b, deepest)
    trees.assert_same(deepest, os.path.join(received["placed"], "deepest"))


def test_pk16_names_that_differ_in_case_or_form_only(pair, tmp_path):
    a, b = pair
    tree = tmp_path / "tree"
    tree.mkdir()
    names = ["name", "Name", "NAME", "caf\u00e9", "cafe\u0301", "\u212b", "\u00c5", "A\u030a", "\ufb01n", "fin",
             "a\u200bb", "ab", "stra\u00dfe", "STRASSE", "I", "\u0131", "\u202egnp.exe"]
    for n, name in enumerate(names):
        (tree / name).write_text(str(n))
        (tree / ("d" + name)).mkdir()
        (tree / ("d" + name) / name).write_text(str(n))
    assert len(os.listdir(tree)) == 2 * len(names)
    _, received = deliver(a, b, tree)
    trees.assert_same(tree, os.path.join(received["placed"], "tree"))


def test_pk02_two_paths_of_one_name_are_refused(pair, tmp_path):
    a, b = pair
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "name").write_text(folder)
    said = refused(a, b, tmp_path / "one" / "name", tmp_path / "two" / "name")
    assert "name" in said and "rename one of them" in said


def test_pk02_hard_links_across_folders_and_a_link_in_place_of_a_folder(pair, tmp_path):
    a, b = pair
    tree, out = tmp_path / "tree", tmp_path / "out"
    (tree / "z").mkdir(parents=True)
    out.mkdir()
    (out / "secret").write_text("not to be sent")
    (tree / "z" / "last").write_text("one content")
    # the first name in the order of the walk is the file, wherever it was made
    os.link(tree / "z" / "last", tree / "a")
    os.link(tree / "z" / "last", tree / "z" / "again")
    # whatever its other name is outside, inside it is a file of its own
    os.link(out / "secret", tree / "b")
    os.symlink(out, tree / "folder")
    os.symlink("z", tree / "inside")
    _, received = deliver(a, b, tree)
    placed = os.path.join(received["placed"], "tree")
    trees.assert_same(tree, placed, {b"folder"})
    numbers = {os.stat(os.path.join(placed, n)).st_ino for n in ("a", "z/last", "z/again")}
    assert len(numbers) == 1 and os.stat(os.path.join(placed, "b")).st_nlink == 1


@pytest.mark.large
def test_sys04_pk16_a_hundred_thousand_tiny_files(fast_pair, tmp_path):
    a, b = fast_pair
    tree = tmp_path / "tree"
    for d in range(100):
        (tree / str(d)).mkdir(parents=True)
        for f in range(1000):
            with open(tree / str(d) / str(f), "wb") as out:
                out.write(b"%d" % f if f % 10 else b"")
    sent, received = deliver(a, b, tree)
    assert sent["files"] == received["files"] == 100_000
    placed = os.path.join(received["placed"], "tree")
    # names, types, modes and times of all; every byte by diff
    assert trees.entries(tree) == trees.entries(placed)
    assert subprocess.run(["diff", "-r", tree, placed], check=False, capture_output=True).returncode == 0
