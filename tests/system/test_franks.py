"""Franks that a recipient refuses: every way in which one can be wrong, against a real peerd, by letters alone."""

import glob
import shutil
import subprocess

import pytest

from conftest import charging
from test_creditd_daemon import Client, new_id
from wallets import ask, fetch_sheet, taken, tool

MB = 1_000_000
WORDS = {"FRANK": "the frank is not valid for this delivery", "SPENT": "the credit was spent before",
         "UNPAID": "unpaid: no valid frank came in time"}


class Payer(Client):
    """A station without peerd, whose letters a test program writes."""

    def __init__(self, office, person):
        super().__init__(office, f"{person}/tool")
        self.person = person
        self.full_name = f"{person}/tool@post.example"
        self.sheet_file = self.file("sheet")
        self.sheets = 0
        self.topup()

    def topup(self, number=50):
        """A sheet of creditd's; its file."""
        self.sheets += 1
        out = self.file(f"sheet{self.sheets}")
        fetch_sheet(self.office, self.dir, self.office.open_account(self.person, number), number, out)
        self.sheet_file, self.size, self.serial = out, number, 0
        return out

    def forge(self, name, signer, role, *words):
        """A sheet of this station's that anybody has signed; its file."""
        out = self.file(name)
        self.office.run_tool("sheet", self.dir, signer, role, out, *words)
        return out

    def pay(self, *words, sheet=None, serial=None):
        """What the recipient said to the offer and the frank; and how often it asked for the sheet."""
        if self.serial + 4 > self.size:
            self.topup()
        self.serial += 2
        said = tool(self.office, "frank_client", "pay", self.dir, self.office.bob.path("station"), self.office.bob.port,
                    sheet or self.sheet_file, f"serial={serial or self.serial}", *words)
        answers, _, rest = said.rpartition(" gets=")
        self.gets, self.offer, self.transfer = (part.split("=")[-1] for part in rest.split(" "))
        return answers

    def frank_of(self, transfer):
        """How the recipient has it: (frank, number of serials taken)."""
        row = ask(self.office.bob, "SELECT length(frank) FROM event WHERE id = ?", bytes.fromhex(transfer.replace("-", "")))
        return bool(row and row[0][0]), len([t for t, _ in taken(self.office.bob) if t == transfer.replace("-", "")])


@pytest.fixture(scope="module")
def office():
    with charging() as o:
        o.run_tool = lambda verb, *words: tool_ok(o, verb, *words)
        o.bob = o.station("bob")
        o.alice, o.carol = Payer(o, "alice"), Payer(o, "carol")
        for payer in (o.alice, o.carol):
            o.bob.sealpost("book", "add", f"{payer.person}@post.example")
        yield o


def tool_ok(office, verb, *words):
    subprocess.run([office.program("tests/tools/frank_client"), verb, *map(str, words)], check=True, timeout=60)


def history(bob, transfer):
    return [row["what"] for row in bob.json("show", transfer)[0]["history"]]


def is_refused(payer, reason, words=None):
    """In the recipient's log, with its words; nothing of it was taken or placed."""
    bob = payer.office.bob
    event = bob.json("show", payer.transfer)[0]
    assert event["result"] == "refused" and event["reason"]["name"] == reason, event
    assert f"refused: {WORDS[reason]}" in history(bob, payer.transfer), history(bob, payer.transfer)
    if words:
        assert words in str(event), event
        assert words in bob.sealpost("show", payer.transfer).stdout
    assert payer.frank_of(payer.transfer) == (False, 0)
    assert glob.glob(bob.path("received", "alice*", "*")) == []


# ---- what is right ----

def test_wal01_a_right_frank_is_taken_and_its_sheet_is_asked_for_once(office):
    alice = office.alice
    alice.topup()
    assert alice.pay() == "accept answer OK" and alice.gets == "1"
    assert alice.frank_of(alice.transfer) == (True, 1)
    assert "paid with 1 credits" in history(office.bob, alice.transfer)
    assert alice.pay(f"bytes={MB}") == "accept answer OK" and alice.gets == "0"
    assert alice.frank_of(alice.transfer) == (True, 2)
    assert alice.pay(f"bytes={MB - 1}") == "accept answer OK"
    assert alice.frank_of(alice.transfer) == (True, 1)


def test_wal05_the_last_serials_of_a_sheet_pay_and_the_next_ones_do_not(office):
    alice = office.alice
    alice.topup(25)
    assert alice.pay(f"bytes={MB}", serial=24) == "accept answer OK"
    for serial, size in ((26, 1), (25, MB), (0xfffffffe, 1)):
        assert alice.pay(f"bytes={size}", serial=serial) == "accept refuse FRANK"
        is_refused(alice, "FRANK", "the frank spends serials that its sheet does not have")


def test_the_same_frank_again_is_one_frank(office):
    alice = office.alice
    assert alice.pay("twice") == "accept answer OK answer OK answer OK"
    assert alice.frank_of(alice.transfer) == (True, 1)
    assert history(office.bob, alice.transfer).count("paid with 1 credits") == 1


# ---- what is not ----

@pytest.mark.parametrize("twist, words", [
    ("bad-signature", None),
    ("other-recipient", "the frank is for another recipient"),
    ("ended", "the frank has ended"),
    ("frank-bytes=11", "the frank's price is not that of the delivery"),
    ("frank-price=2", "the frank's price is not that of the delivery"),
    ("price=2", "the frank's price is not that of the delivery"),
    ("wrong-sum", "the frank's serials are not those of its price"),
])
def test_wal09_a_frank_that_does_not_fit_is_refused(office, twist, words):
    alice = office.alice
    assert alice.pay(twist) == "accept refuse FRANK"
    is_refused(alice, "FRANK", words)


@pytest.mark.parametrize("twists", [["price=1"], ["price=2", "frank-price=1"], ["price=1", "frank-price=2"], ["price=3"]])
def test_wal05_a_large_delivery_costs_two_and_nothing_else(office, twists):
    alice = office.alice
    assert alice.pay(f"bytes={MB}", *twists) == "accept refuse FRANK"
    is_refused(alice, "FRANK", "the frank's price is not that of the delivery")


def test_serials_that_touch_are_two_ways_to_say_one_thing(office):
    alice = office.alice
    assert alice.pay("touching", f"bytes={MB}") == "accept refuse FRANK"
    is_refused(alice, "FRANK", "the frank's serials are not those of its price")


def test_an_offer_free_of_charge_where_deliveries_cost_credits_is_refused(office):
    alice = office.alice
    assert alice.pay("price=0", "frank-price=1") == "refuse UNPAID"
    is_refused(alice, "UNPAID")


@pytest.mark.parametrize("twist", ["truncated", "trailing", "oversized"])
def test_a_malformed_frank_leaves_its_delivery_as_it_was(office, twist):
    alice = office.alice
    assert alice.pay(twist) == "accept answer FORMAT"
    event = office.bob.json("show", alice.transfer)[0]
    assert event["state"] == "RECEIVING" and alice.frank_of(alice.transfer) == (False, 0)
    # and the right one pays it afterwards
    assert alice.pay(f"offer={alice.offer}", f"transfer={alice.transfer}") == "answer OK"


# ---- whose offer it is ----

def test_a_frank_for_an_offer_that_nobody_made_is_unknown(office):
    alice = office.alice
    before = taken(office.bob)
    assert alice.pay("offer=" + "ab" * 32) == "answer NOTFOUND"
    assert alice.pay("other-offer") == "accept answer NOTFOUND"
    assert office.bob.json("show", alice.transfer)[0]["state"] == "RECEIVING"
    assert taken(office.bob) == before


def test_a_frank_by_another_station_than_the_offers_does_not_touch_it(office):
    alice, carol = office.alice, office.carol
    assert alice.pay("stop") == "accept"
    before = taken(office.bob)
    assert carol.pay(f"offer={alice.offer}") == "answer NOTFOUND"
    assert taken(office.bob) == before
    assert office.bob.json("show", alice.transfer)[0]["state"] == "RECEIVING"
    assert alice.pay(f"offer={alice.offer}", f"transfer={alice.transfer}") == "answer OK"


# ---- whose sheet it is ----

def test_wal09_a_sheet_of_another_station_pays_nothing(office):
    alice, carol = office.alice, office.carol
    carol.topup()
    assert alice.pay(sheet=carol.sheet_file) == "accept refuse FRANK" and alice.gets == "1"
    is_refused(alice, "FRANK", "the sheet was issued to another station")
    assert carol.pay() == "accept answer OK" and carol.gets == "0"     # known by now, and carol's credits are hers


def test_wal09_a_sheet_that_has_ended_pays_nothing(office):
    alice = office.alice
    creditd = office.path("creditd", "state")
    assert alice.pay(sheet=alice.forge("good", creditd, "creditd"), serial=1) == "accept answer OK"      # such a one would be taken
    assert alice.pay(sheet=alice.forge("old", creditd, "creditd", "ended"), serial=1) == "accept refuse FRANK"
    is_refused(alice, "FRANK", "the sheet of the frank has ended")


def test_wal20_a_sheet_that_no_creditd_has_signed_pays_nothing(office):
    alice = office.alice
    for name, signer, words in (("own", alice.dir, "the certificate is no service's"),
                                ("hers", office.carol.dir, "the sheet is signed by a creditd that is not known here")):
        assert alice.pay(sheet=alice.forge(name, signer, "station")) == "accept refuse FRANK"
        is_refused(alice, "FRANK", words)
        assert alice.gets == ("1" if name == "own" else "2")    # and the signer's certificate: its own it always has


def test_wal20_a_sheet_under_anothers_certificate_pays_nothing(office):
    """By the station's own key, under the name of the real creditd."""
    alice = office.alice
    forged = alice.forge("forged", alice.dir, "station")
    shutil.copy(alice.sheet_file + ".der", forged + ".der")
    assert alice.pay(sheet=forged) == "accept refuse FRANK"
    is_refused(alice, "FRANK")


@pytest.mark.parametrize("twist, words", [
    ("nothing", "the sender does not have the sheet that its frank names"),
    ("certificate", "the sender has sent something else than the sheet"),
    ("bad-sheet", None),
    ("give", "the sender has sent another sheet than its frank names"),
])
def test_wal20_a_sheet_that_does_not_come_pays_nothing(office, twist, words):
    alice = office.alice
    first = alice.topup()
    fresh = alice.topup()       # the recipient has not seen it
    assert alice.pay(twist if twist != "give" else f"give={first}", sheet=fresh) == "accept refuse FRANK"
    assert alice.gets == "1"
    is_refused(alice, "FRANK", words)
    assert alice.pay(sheet=fresh) == "accept answer OK" and alice.gets == "1"    # nothing wrong was kept


def test_a_sheet_that_comes_late_pays_still(office):
    """The recipient's question goes unanswered at first, as when the sender stops in between; then it is offered again."""
    alice = office.alice
    fresh = alice.topup()
    assert alice.pay("silent", sheet=fresh) == "accept silence"
    assert int(alice.gets) > 1
    transfer = alice.transfer
    assert office.bob.json("show", transfer)[0]["state"] == "RECEIVING"
    assert alice.pay(f"offer={alice.offer}", f"transfer={transfer}", sheet=fresh, serial=1) == "answer OK"
    assert alice.frank_of(transfer) == (True, 1)


def test_rx07_a_break_before_the_sheet_came_costs_nothing(office):
    """What waited for the sheet is over when the sender offers again; the next frank is looked at like a first one."""
    alice = office.alice
    fresh = alice.topup()
    assert alice.pay("break", sheet=fresh) == "accept accept answer OK"
    assert alice.gets == "2" and alice.frank_of(alice.transfer) == (True, 1)


# ---- credits that were used before ----

def test_wal09_a_serial_that_came_before_is_refused_whatever_else_is_right(office):
    alice = office.alice
    alice.topup()
    assert alice.pay(f"bytes={MB}", serial=4) == "accept answer OK"
    first = alice.transfer
    for serial, size in ((4, 1), (5, 1), (3, MB), (5, MB)):
        assert alice.pay(f"bytes={size}", serial=serial) == "accept refuse SPENT"
        is_refused(alice, "SPENT")
    assert "came before, for another delivery" in str(office.bob.json("show", alice.transfer))
    assert alice.frank_of(first) == (True, 2)
    assert alice.pay(serial=3) == "accept answer OK"        # what was refused with 4 is not spent by that
    # not after a restart either
    office.bob.daemon.stop()
    office.bob.start()
    assert alice.pay(serial=5) == "accept refuse SPENT"


def test_wal09_a_delivery_that_was_refused_is_not_paid_anew(office):
    """The refusal is final: the same offer again is answered with it, and a right frank for it finds nothing."""
    alice = office.alice
    assert alice.pay("bad-signature") == "accept refuse FRANK"
    offer, transfer = alice.offer, alice.transfer
    assert alice.pay(f"offer={offer}", f"transfer={transfer}") == "answer NOTFOUND"
    assert office.bob.json("show", transfer)[0]["result"] == "refused"


def test_a_second_frank_that_is_wrong_ends_what_was_paid(office):
    alice = office.alice
    assert alice.pay("then=1000000") == "accept answer OK refuse FRANK"
    event = office.bob.json("show", alice.transfer)[0]
    assert event["result"] == "refused" and event["reason"]["name"] == "FRANK"


def test_an_id_of_a_transfer_pays_once_for_each_sender(office):
    """Two senders may choose the same id; the second waits for the first's end, and their franks stay apart."""
    alice, carol, transfer = office.alice, office.carol, new_id()
    assert alice.pay(f"transfer={transfer}") == "accept answer OK"
    assert carol.pay(f"transfer={transfer}").startswith("wait")
    office.bob.sealpost("cancel", transfer)
    assert carol.pay(f"transfer={transfer}") == "accept answer OK"
    assert alice.frank_of(transfer) == (True, 2)        # one of each sheet
    assert len(ask(office.bob, "SELECT peer FROM event WHERE id = ?", bytes.fromhex(transfer.replace("-", "")))) == 2
