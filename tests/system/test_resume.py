"""After a break: who goes on from where, what is sent again, and that the packet is the same byte for byte in the end."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from conftest import NUMBERS, SOURCE, UNHURRIED, needs_loop, retire
from test_breaks import history
from test_delivery import end_of, only, wait_for

sys.path.insert(0, os.path.join(SOURCE, "tests", "readers"))
import journal_reader      # noqa: E402
import packet_reader      # noqa: E402

MIB = 1024 * 1024
BUFFER = 64 * 1024
OTHER_BOOT = "6a0f6f5e-0d2c-4a55-9d1c-0f3a8d1b2c3d"
# for each break: up to the last mark, and what was on its way
LOST = 32 * MIB


def stations(office, settings_a="", settings_b=""):
    n = next(NUMBERS)
    a = office.station(f"alice{n}", settings=f'idle = "2 s"; {UNHURRIED} {settings_a}')
    b = office.station(f"bob{n}", settings='idle = "2 s"; ' + settings_b)
    office.introduce(f"alice{n}", f"bob{n}")
    return a, b


@pytest.fixture
def pair(office):
    a, b = stations(office)
    yield a, b
    retire(office, a)
    retire(office, b)


def big_file(path, size=400 * MIB):
    with open(path, "wb") as f:
        for at in range(0, size, 32 * MIB):
            f.write(os.urandom(min(32 * MIB, size - at)))
    return str(path)


def legs(station, word):
    """(from, to) of each connection as the log tells: word is sent or received."""
    return [(int(x), int(y)) for x, y in re.findall(rf" {word}_from=(\d+) to=(\d+)", station.daemon.log())]


def order(a, b, *paths):
    return only(a.json("send", "--no-wait", "--to", b.name, *map(str, paths)))["id"]


def under_way(station, least=100 * MIB):
    return only(wait_for(lambda: [e for e in station.json("log", "--pending") if e["done"] > least], 60))


def interrupted(station):
    wait_for(lambda: only(station.json("log", "--pending"))["state"] == "INTERRUPTED", 30)


def delivered(a, b, *paths, result="delivered"):
    """The end of the only sending: both events, files compared, nothing left over."""
    wait_for(lambda: not a.json("log", "--pending"), 120)
    sent = only(a.json("log", "--sent"))
    assert sent["result"] == result, (sent, history(a, sent), legs(a, "sent"), legs(b, "received"))
    received = end_of(b, sent)
    for path in paths:
        subprocess.run(["cmp", path, os.path.join(received["placed"], os.path.basename(path))], check=True)
    assert os.listdir(b.path("received", ".incoming")) == []
    wait_for(lambda: os.listdir(a.path("outgoing")) == [])
    return sent, received


def partial(b, event, *names):
    return b.path("received", ".incoming", event, *names)


def journal(b, event):
    return journal_reader.read(partial(b, event + ".digests"))


def test_ed01_ed02_ed04_a_recipient_that_is_killed_again_and_again(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "big")
    b.daemon.stop()
    b.start(SEALPOST_FAULT="checkpoint-data-before=kill")
    order(a, b, path)
    assert b.daemon.wait_gone(60)
    b.start(SEALPOST_FAULT="checkpoint-data-before=kill")
    assert b.daemon.wait_gone(60)
    b.start()
    sent, _ = delivered(a, b, path)
    way = legs(a, "sent")
    assert len(way) == 3 and way[0][0] == 0 and way[-1][1] > 400 * MIB, way
    for before, after in zip(way, way[1:]):
        assert before[0] < after[0] <= before[1], way
    assert sum(to - start for start, to in way) < 400 * MIB + 2 * LOST, way
    assert sum("goes on after" in w for w in history(a, sent)) == 2, history(a, sent)


def test_ed08_a_sender_that_is_killed_again_and_again_walks_nothing_again(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "big")
    a.daemon.stop()
    a.start(SEALPOST_FAULT="checkpoint-mark-after=kill")
    order(a, b, path)
    assert a.daemon.wait_gone(60)
    interrupted(b)
    kept = os.stat(os.path.join(a.path("outgoing"), only(os.listdir(a.path("outgoing"))), "stamps")).st_ino
    a.start(SEALPOST_FAULT="checkpoint-mark-after=kill")
    assert a.daemon.wait_gone(60)
    interrupted(b)
    assert os.stat(os.path.join(a.path("outgoing"), only(os.listdir(a.path("outgoing"))), "stamps")).st_ino == kept
    a.start()
    sent, _ = delivered(a, b, path)
    way = legs(b, "received")
    assert len(way) >= 2 and way[0][0] == 0 and way[1][0] > 50 * MIB, way
    assert legs(a, "sent")[-1][0] >= way[-1][1] - LOST, (way, legs(a, "sent"))
    assert sum("goes on after" in w for w in history(a, sent)) == 2


def test_ed01_both_killed_and_both_held_up(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "big")
    event = order(a, b, path)
    under_way(a)
    a.daemon.signal(signal.SIGKILL)
    b.daemon.kill()
    a.daemon.wait_gone(10)
    held = journal_reader.held(journal(b, event)[2])
    b.start()
    a.start()
    under_way(b)
    a.daemon.signal(signal.SIGSTOP)
    wait_for(lambda: only(b.json("log", "--pending"))["state"] in ("INTERRUPTED", "PLACED"), 30)
    a.daemon.signal(signal.SIGCONT)
    delivered(a, b, path)
    first = legs(a, "sent")[0]
    assert held - BUFFER - LOST <= first[0] <= held - BUFFER, (held, legs(a, "sent"))


def test_ed03_ed07_with_no_buffer_exactly_what_is_there_is_held(office, tmp_path):
    a, b = stations(office, settings_b="resume_buffer = 0;")
    path = big_file(tmp_path / "big")
    event = order(a, b, path)
    under_way(b)
    b.daemon.stop()
    transfer, _, records = journal(b, event)
    held = journal_reader.held(records)
    with open(partial(b, event + ".manifest"), "rb") as f:
        members = packet_reader.layout(packet_reader.Manifest(f.read()))
    data = next(m.data for m in members if m.length == 400 * MIB)
    assert str(transfer) == event and held == data + os.path.getsize(partial(b, event, "big"))
    b.start()
    sent, _ = delivered(a, b, path)
    assert legs(a, "sent")[-1][0] == held and any(f"goes on after {held} of" in w for w in history(a, sent))
    retire(office, a)
    retire(office, b)


def test_ed05_a_damaged_tail_is_written_over(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "big")
    event = order(a, b, path)
    under_way(b)
    b.daemon.stop()
    size = os.path.getsize(partial(b, event, "big"))
    with open(partial(b, event, "big"), "r+b") as f:
        f.seek(size - BUFFER)
        f.write(os.urandom(BUFFER))
    b.start()
    delivered(a, b, path)
    assert legs(a, "sent")[-1][0] > 90 * MIB


def test_ed05_what_was_held_and_does_not_fit_is_sent_anew_once(pair, tmp_path):
    a, b = pair
    paths = [big_file(tmp_path / f"part{i}", 60 * MIB) for i in range(6)]
    event = order(a, b, *paths)
    under_way(b)
    b.daemon.stop()
    begun = os.path.join(partial(b, event), max(os.listdir(partial(b, event))))
    with open(begun, "r+b") as f:
        f.write(b"damaged!")
    b.start()
    sent, _ = delivered(a, b, *paths)
    way = legs(a, "sent")
    assert way[-2][0] > 50 * MIB and way[-1][0] == 0, (way, history(a, sent))
    assert any("does not fit" in w for w in history(a, sent)), history(a, sent)


def test_ed08_two_packets_of_one_name_are_never_spliced(pair, tmp_path):
    a, b = pair
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
    paths = [big_file(tmp_path / folder / "big", 200 * MIB) for folder in ("one", "two")]
    events = [order(a, b, path) for path in paths]
    wait_for(lambda: all(e["done"] > 20 * MIB for e in b.json("log", "--pending")) and len(b.json("log", "--pending")) == 2)
    b.daemon.kill()
    b.start()
    wait_for(lambda: not a.json("log", "--pending"), 120)
    for event, path in zip(events, paths):
        received = end_of(b, {"id": event})
        assert received["result"] == "delivered"
        subprocess.run(["cmp", path, os.path.join(received["placed"], "big")], check=True)
    assert [start > 0 for start, _ in legs(a, "sent")[-2:]] == [True, True], legs(a, "sent")


def test_rx05_after_another_boot_only_what_was_synced_is_held(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "big")
    event = order(a, b, path)
    wait_for(lambda: os.path.exists(partial(b, event + ".digests")) and any(r.what == "y" for r in journal(b, event)[2]))
    b.daemon.kill()
    records = journal(b, event)[2]
    seen, synced = journal_reader.held(records), journal_reader.held(records, OTHER_BOOT)
    assert 0 < synced <= seen
    b.start(SEALPOST_BOOT_ID=OTHER_BOOT)
    sent, _ = delivered(a, b, path)
    assert any(f"goes on after {synced - BUFFER} of" in w for w in history(a, sent)), (seen, synced, history(a, sent))


def test_a_source_that_changes_between_two_connections_is_never_a_mixture(pair, tmp_path):
    a, b = pair
    paths = [big_file(tmp_path / f"part{i}", 60 * MIB) for i in range(4)]
    before = open(paths[0], "rb").read(64)
    event = order(a, b, *paths)
    under_way(b, 75 * MIB)
    b.daemon.kill()
    a.daemon.stop()
    with open(paths[0], "r+b") as f:
        f.write(b"changed when it had been sent")
    with open(paths[3], "r+b") as f:
        f.write(b"changed before it was sent")
    b.start()
    a.start()
    sent, received = delivered(a, b, paths[1], paths[2], result="incomplete")
    assert sent["id"] == event and "part3" not in os.listdir(received["placed"]), received
    assert open(os.path.join(received["placed"], "part0"), "rb").read(64) == before


def test_ed06_a_sender_gives_up_after_so_many_breaks_without_progress(office, tmp_path):
    a, b = stations(office, settings_a="breaks = 2;")
    path = big_file(tmp_path / "big")
    event = order(a, b, path)
    under_way(b)
    b.daemon.kill()
    wait_for(lambda: not a.json("log", "--pending"), 60)
    failed = only(a.json("log", "--failed"))
    assert failed["result"] == "failed", failed
    assert sum("without progress" in w for w in history(a, failed)) == 1, history(a, failed)
    # it may be tried again, so its list of files is kept
    assert os.listdir(a.path("outgoing")) == [event]
    retire(office, a)
    retire(office, b)


def test_rx05_a_packet_that_was_checked_needs_no_sender_after_a_restart(pair, tmp_path):
    a, b = pair
    path = big_file(tmp_path / "f", 10 * MIB)
    b.daemon.stop()
    b.start(SEALPOST_FAULT="files-list-after=kill")
    order(a, b, path)
    assert b.daemon.wait_gone(60)
    a.daemon.stop()
    b.start()
    event = only(b.json("log", "--pending"))
    wait_for(lambda: only(b.json("log", "--pending"))["state"] == "PLACED", 20)
    assert not any("receive error" in w or "waits" in w for w in history(b, event)), history(b, event)
    a.start()
    delivered(a, b, path)
    assert len(legs(a, "sent")) == 1


def test_ed09_however_many_breaks_it_is_paid_once(paid_office, tmp_path):
    a, b = stations(paid_office)
    paid_office.rich(a)
    path = big_file(tmp_path / "big")
    before = only(a.json("credits"))
    b.daemon.stop()
    b.start(SEALPOST_FAULT="checkpoint-data-before=kill")
    order(a, b, path)
    for point in ("checkpoint-mark-before", "place-before"):
        assert b.daemon.wait_gone(60), point
        b.start(SEALPOST_FAULT=point + "=kill")
    assert b.daemon.wait_gone(60)
    b.start()
    sent, _ = delivered(a, b, path)
    after = only(a.json("credits"))
    assert before["free"] - after["free"] == sent["price"] > 0, (before, after, sent)
    retire(paid_office, a)
    retire(paid_office, b)


@pytest.mark.root
def test_rx05_a_power_failure_of_the_receiving_disk(office, tmp_path):
    """The receiving folder on an image that is copied in mid-transfer: the copy has what a power failure would have left."""
    needs_loop()
    image, copy, folder = tmp_path / "image", tmp_path / "copy", tmp_path / "mount"
    subprocess.run(["truncate", "-s", "1G", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop,commit=300", image, folder], check=True)
    a, b = stations(office, settings_b=f'received = "{folder}/in";')
    try:
        path = big_file(tmp_path / "big")
        event = order(a, b, path)
        digests = folder / "in" / ".incoming" / (event + ".digests")
        # the first checkpoint is over when the second one is
        wait_for(lambda: digests.exists() and sum(r.what == "y" for r in journal_reader.read(digests)[2]) > 1, 60)
        b.daemon.signal(signal.SIGSTOP)
        subprocess.run(["cp", "--sparse=always", image, copy], check=True)
        b.daemon.kill()
        subprocess.run(["umount", folder], check=True)
        subprocess.run(["mount", "-o", "loop", copy, folder], check=True)
        held = journal_reader.held(journal_reader.read(digests)[2], OTHER_BOOT)
        b.start(SEALPOST_BOOT_ID=OTHER_BOOT)
        wait_for(lambda: not a.json("log", "--pending"), 120)
        sent = only(a.json("log", "--sent"))
        assert sent["result"] == "delivered" and held > 0
        assert legs(a, "sent")[-1][0] == held - BUFFER, (held, legs(a, "sent"))
        subprocess.run(["cmp", path, os.path.join(end_of(b, sent)["placed"], "big")], check=True)
    finally:
        b.daemon.stop()
        retire(office, a)
        retire(office, b)
        subprocess.run(["umount", folder], check=False)
