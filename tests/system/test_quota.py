"""A real quota, as root: a file system that says room is there, and then does not give it."""

import os
import subprocess

import pytest
from conftest import needs_loop, retire
from test_delivery import end_of, wait_for

pytestmark = pytest.mark.root


@pytest.fixture
def limited(tmp_path):
    """A folder that may hold 24 MB on a file system of 400, and how to set what it may hold."""
    needs_loop()
    image, mount = tmp_path / "image", tmp_path / "mount"
    mount.mkdir()
    for words in (["truncate", "-s", "400M", image], ["mkfs.btrfs", "-q", image], ["mount", "-o", "loop", image, mount]):
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    folder = mount / "mine"

    def limit(most):
        subprocess.run(["btrfs", "qgroup", "limit", most, folder], check=True)
    try:
        subprocess.run(["btrfs", "subvolume", "create", folder], check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["btrfs", "quota", "enable", mount], check=True)
        limit("24M")
        yield folder, limit
    finally:
        subprocess.run(["umount", mount], check=True)


def test_rx13_a_quota_is_waited_for(office, limited, tmp_path):
    """What came before it stays; what is over it waits, until the quota allows more."""
    folder, limit = limited
    a, b = office.station("aliceq"), office.station("bobq", settings=f'received = "{folder}/received"; reserve = "1 MiB";')
    try:
        office.introduce("aliceq", "bobq")
        (tmp_path / "first").write_bytes(os.urandom(6_000_000))
        (tmp_path / "large").write_bytes(os.urandom(40_000_000))
        a.sealpost("send", "--to", b.name, str(tmp_path / "first"))
        a.sealpost("send", "--to", b.name, "--no-wait", str(tmp_path / "large"))
        event = a.json("log", "-n", "1")[0]

        def history(station):
            return [h["what"] for h in station.json("show", event["id"])[0]["history"]]
        wait_for(lambda: any("waits for room" in w and "no space left" in w for w in history(a)), 60)
        assert any("Disk quota exceeded" in w for w in history(b)), history(b)
        assert os.listdir(folder / "received" / a.name) == [os.path.basename(end_of(b, a.json("log")[1])["placed"])]
        limit("none")
        wait_for(lambda: a.json("show", event["id"])[0]["result"] == "delivered", 60)
        subprocess.run(["cmp", tmp_path / "large", os.path.join(end_of(b, event)["placed"], "large")], check=True)
        assert os.listdir(folder / "received" / ".incoming") == []
    finally:
        retire(office, a)
        retire(office, b)
