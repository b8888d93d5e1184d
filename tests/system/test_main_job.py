"""The main job through all four daemons: bought, sent, accepted, postmarked, settled – and with the services away."""

import os

import pytest
import trees
from conftest import _pair
from test_delivery import deliver, only, wait_for

SERVICES = ("certd", "creditd", "keyd", "pg")


@pytest.fixture
def rich_pair(paid_office):
    """Two stations that know each other; each has 25 credits."""
    for a, b in _pair(paid_office):
        for s in (a, b):
            paid_office.rich(s, 25)
        yield a, b


def free(station):
    return only(station.json("credits"))["free"]


def is_settled(office, transfer, credits):
    """One receipt, paid; as many serials spent for it as it costs; and the books balance."""
    rows = office.admin_sql(f"SELECT payment, settlement FROM cert.v_receipt WHERE transfer = '{transfer}'")
    assert rows == [["paid", "paid"]]
    assert office.cluster.sql("SELECT count(*) FROM credit.mark m JOIN credit.settlement s USING (settlement)"
                              f" WHERE s.transfer = '{transfer}'") == [[str(credits)]]
    assert office.admin_sql("SELECT name, detail FROM credit.check() WHERE ok IS NOT TRUE") == []


def test_bm01_both_ways_at_once_everything_is_paid_once(paid_office, rich_pair, tmp_path):
    a, b = rich_pair
    (tmp_path / "small").write_text("x" * 1000)
    (tmp_path / "large").write_bytes(os.urandom(1_000_001))
    for _ in range(3):
        for s, other in ((a, b), (b, a)):
            s.sealpost("send", "--no-wait", "--to", other.name, str(tmp_path / "small"))
            s.sealpost("send", "--no-wait", "--to", other.name, str(tmp_path / "large"))
    for s in (a, b):
        wait_for(lambda s=s: not s.json("log", "--pending"), 120)
        sent = s.json("log", "--sent")
        assert [(e["result"], e["payment"]) for e in sent] == [("delivered", "paid")] * 6
        for e in sent:
            is_settled(paid_office, e["id"], e["price"])
        assert free(s) == 25 - 3 * (1 + 2)


def test_sys07_4_with_every_service_away_a_paid_delivery_completes_and_the_postmark_follows(paid_office, rich_pair, tmp_path):
    a, b = rich_pair
    tree = tmp_path / "tree"
    left_out = trees.odd_tree(str(tree))
    for part in SERVICES:
        paid_office.stop(part)
    try:
        sent, received = deliver(a, b, tree)
        assert (sent["state"], sent["delivered"], sent["postmarked"]) == ("POSTMARK_LATE", "whole", False)
        trees.assert_same(str(tree), os.path.join(received["placed"], "tree"), left_out)
        assert only(a.json("verify", sent["receipt_file"]))["postmarked"] is False
        for s in (a, b):        # what waits survives
            s.daemon.stop()
            s.start()
    finally:
        for part in reversed(SERVICES):
            paid_office.start(part)
    for s in (a, b):
        wait_for(lambda s=s: not s.json("log", "--pending"), 120)
    sent = only(a.json("log", "--sent"))
    assert (sent["result"], sent["postmarked"], sent["payment"]) == ("delivered", True, "paid")
    assert only(a.json("verify", sent["receipt_file"]))["postmarked"]
    is_settled(paid_office, sent["id"], sent["price"])
    assert free(a) == 25 - sent["price"]
