"""Packets are compressed on their way; what they are does not depend on it."""

import os
import re

import trees
from conftest import NUMBERS, retire
from test_delivery import deliver


def sent_as(sender, event):
    """Bytes of the packet that the last connection sent, and bytes that they were on the wire."""
    words = [e["what"] for e in sender.json("show", event["id"])[0]["history"]]
    found = [re.search(r"everything was sent, (\d+) bytes of the packet as (\d+)", w) for w in words]
    return [tuple(int(n) for n in m.groups()) for m in found if m][-1]


def restarted(station, settings):
    with open(station.path("peerd.conf"), "a", encoding="utf-8") as f:
        f.write(settings)
    station.daemon.stop()
    station.start()


def test_pk01_one_compressed_packet_of_all_files_selected(pair, tmp_path):
    a, b = pair
    restarted(a, 'compress = "always";\n')
    work = tmp_path / "work"
    for folder in ("notes", "notes/old", "pictures"):
        (work / folder).mkdir(parents=True)
    for i in range(200):
        (work / "notes" / f"{i}.txt").write_text("".join(f"line {j} of {i}, much like the others\n" for j in range(i * 3)))
    (work / "pictures/a.jpg").write_bytes(os.urandom(3_000_000))
    (work / "notes/old/long.txt").write_text("".join(f"{i} once more\n" for i in range(400_000)))
    before = trees.entries(work)
    content = sum(f.stat().st_size for f in work.rglob("*") if f.is_file())
    event, received = deliver(a, b, work)
    trees.assert_same(str(work), os.path.join(received["placed"], "work"))
    assert trees.entries(work) == before
    tar, wire = sent_as(a, event)
    assert tar > content
    # the picture as it is, the text in a fifth at most
    assert 3_000_000 < wire < 3_000_000 + (content - 3_000_000) / 5
    assert len(os.listdir(received["placed"])) == 1


def test_pk01_compressed_where_that_is_faster(office, tmp_path):
    """The line takes 10 MB a second: text must go faster than that, and in fewer bytes than it has."""
    n = next(NUMBERS)
    a, b = office.station(f"alice{n}", settings='send_rate = "10 MiB";'), office.station(f"bob{n}")
    office.introduce(f"alice{n}", f"bob{n}")
    text = tmp_path / "long.txt"
    text.write_text("".join(f"{i} once more\n" for i in range(3_000_000)))
    event, _ = deliver(a, b, text)
    tar, wire = sent_as(a, event)
    assert wire < tar / 3, (tar, wire)
    for s in (a, b):
        retire(office, s)


def test_pk01_tx07_plain_where_that_is_said(pair, tmp_path):
    a, b = pair
    work = tmp_path / "work"
    work.mkdir()
    (work / "long.txt").write_text("".join(f"{i} once more\n" for i in range(20_000)))
    restarted(a, 'compress = "no";\nchunk = "2 KiB";\n')
    event, received = deliver(a, b, work)
    trees.assert_same(str(work), os.path.join(received["placed"], "work"))
    tar, wire = sent_as(a, event)
    assert wire > tar
